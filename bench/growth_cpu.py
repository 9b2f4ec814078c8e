"""Sales a second of PostgreSQL's CPU in a ledger of 20 million moves ÷ in one of a million: `growth` without the machine's noise."""

from __future__ import annotations

from bench.growth import LARGE, SMALL, measured
from bench.harness import Claim, Round


async def ours(turn: Round) -> float:
    """In the large ledger."""
    return (await measured(turn, LARGE))[1]


async def theirs(turn: Round) -> float:
    """In the small one."""
    return (await measured(turn, SMALL))[1]


CLAIM = Claim("growth_cpu", 0.8, 0.95, ours, theirs)
