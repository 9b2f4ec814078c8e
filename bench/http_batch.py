"""Sales a second through `POST /v1/pos/sale-batches` of 200 ÷ one transaction a sale, 64 clients."""

from __future__ import annotations

from bench.harness import Claim, Round

SALES = 200
UPLOADERS = 4


async def ours(turn: Round) -> float:
    """Sales a second over HTTP in batches."""
    return await turn.site.http_rate(batch=SALES, callers=UPLOADERS, seconds=turn.seconds)


CLAIM = Claim("http_batch", 2.5, 4.5, ours, Round.rival_uniform)
