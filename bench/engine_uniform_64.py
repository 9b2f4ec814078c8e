"""The lane with 64 callers, one-line sales over 40,000 cells ÷ one hand-written transaction a sale, 64 clients."""

from __future__ import annotations

from bench.harness import CLIENTS, Claim, Round
from bench.site import jobs

MOST = 30_000
"""Sales a second to make ready: more than the lane takes."""


async def ours(turn: Round) -> float:
    """Sales a second through the lane."""
    ready = jobs(int(turn.seconds * MOST))
    return await turn.site.lane_rate(ready, callers=CLIENTS, seconds=turn.seconds)


CLAIM = Claim("engine_uniform_64", 3.5, 5, ours, Round.rival_uniform)
