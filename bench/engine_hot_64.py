"""The lane with 64 callers on one row ÷ pgbench on that row at the client count that suits it best."""

from __future__ import annotations

from bench import rival
from bench.harness import CLIENTS, HOT_CLIENTS, Claim, Round
from bench.site import jobs

MOST = 40_000


async def ours(turn: Round) -> float:
    """Sales a second of one variant in one store."""
    ready = jobs(int(turn.seconds * MOST), hot=True)
    return await turn.site.lane_rate(ready, callers=CLIENTS, seconds=turn.seconds)


async def theirs(turn: Round) -> float:
    """The best of 1, 2, 4, 8 and 16 clients in this very round."""
    seconds = max(1.0, turn.seconds / 2)
    return max(
        [await rival.sales_a_second(turn.ground, clients=n, seconds=seconds, what="hot") for n in HOT_CLIENTS]
    )


CLAIM = Claim("engine_hot_64", 15, 22, ours, theirs)
