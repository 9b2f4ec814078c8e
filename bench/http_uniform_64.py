"""`POST /v1/pos/sales`, one line, 64 keep-alive connections with an API key ÷ one transaction a sale, 64 clients."""

from __future__ import annotations

from bench.harness import CLIENTS, Claim, Round


async def ours(turn: Round) -> float:
    """Sales a second over HTTP."""
    return await turn.site.http_rate(batch=1, callers=CLIENTS, seconds=turn.seconds)


CLAIM = Claim("http_uniform_64", 2, 3, ours, Round.rival_uniform)
