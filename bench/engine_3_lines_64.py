"""The lane with 64 callers, three-line sales over 40,000 cells ÷ a hand-written transaction a sale, 64 clients."""

from __future__ import annotations

from bench import rival
from bench.harness import CLIENTS, Claim, Round
from bench.site import jobs

MOST = 15_000
LINES = 3


async def ours(turn: Round) -> float:
    """Sales a second through the lane."""
    ready = jobs(int(turn.seconds * MOST), lines=LINES)
    return await turn.site.lane_rate(ready, callers=CLIENTS, seconds=turn.seconds)


async def theirs(turn: Round) -> float:
    """Sales a second by pgbench."""
    return await rival.sales_a_second(turn.ground, clients=CLIENTS, seconds=turn.seconds, what="three")


CLAIM = Claim("engine_3_lines_64", 2.5, 4, ours, theirs)
