"""Availability of a variant at every site: one read for all who wait ÷ a pooled query each; 64 callers on both sides."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from bench.ground import VARIANTS, variant_id
from bench.harness import CLIENTS, Claim, Round
from onhand.kit.ids import quick
from onhand.ledger.lane import SESSION
from onhand.ledger.reads.availability import QUERY, LevelReader, gather

POOLS = (2, 4, 8, 16)
Ask = Callable[[Sequence[UUID]], Awaitable[Any]]


async def _rate(ask: Ask, seconds: float) -> float:
    """Questions a second with callers that each wait for their answer."""
    pick, done, until = random.Random(), 0, time.perf_counter() + seconds
    ids = [quick(variant_id(n)) for n in range(VARIANTS)]

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < until:
            variant = pick.choice(ids)
            stock = await ask([variant])
            if not stock[variant].levels:
                raise RuntimeError("a variant that is on every shelf was not found")
            done += 1

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - started)


async def ours(turn: Round) -> float:
    """The reader of `GET /v1/availability`: one connection, whoever waits shares a read."""
    reader = LevelReader(turn.ground.url())
    try:
        return await _rate(reader.read, turn.seconds)
    finally:
        await reader.close()


async def theirs(turn: Round) -> float:
    """The same query for each request, prepared, on a pool: the best of 2, 4, 8 and 16 connections."""
    rates = []
    for size in POOLS:
        async with asyncpg.create_pool(
            turn.ground.url(), min_size=size, max_size=size, server_settings=dict(SESSION)
        ) as pool:

            async def ask(variants: Sequence[UUID], pool: asyncpg.Pool = pool) -> Any:
                return gather(await pool.fetch(QUERY, variants))

            rates.append(await _rate(ask, max(1.0, turn.seconds / 2)))
    return max(rates)


CLAIM = Claim("availability_batched", 2.5, 4, ours, theirs)
