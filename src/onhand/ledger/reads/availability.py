"""What may be promised of variants at sites. All requests that wait at the moment are answered by one read of the levels.

A query of its own for each request costs three times as much (kernel: one `= ANY` read for whoever waits). Nobody lingers: the
first request is read at once, and whoever asks while that is under way forms the next batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from onhand.kit.problem import Unavailable
from onhand.ledger.lane import SESSION

MOST = 5_000
"""Variants one read asks for at most; a request of its own may name 200."""

QUERY = """
SELECT 0 AS what, s.variant, s.site, s.sellable, s.reserved, NULL::timestamptz AS due, NULL::uuid AS channel
  FROM site_level s WHERE s.variant = ANY($1::uuid[])
UNION ALL
SELECT 1, e.variant, e.site, e.quantity, 0, e.due, NULL FROM expectation e WHERE e.variant = ANY($1::uuid[])
UNION ALL
SELECT 2, b.variant_id, b.site_id, b.buffer, 0, NULL, b.channel_id FROM channel_buffer b WHERE b.variant_id = ANY($1::uuid[])
"""
_AWAY = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError, OSError, TimeoutError)


@dataclass(slots=True)
class SiteStock:
    """A variant at a site, in smallest units: its level, what documents expect there (due, signed quantity), and the buffers
    that channels set for it."""

    sellable: int = 0
    reserved: int = 0
    expected: list[tuple[datetime, int]] = field(default_factory=list)
    buffers: dict[UUID, int] = field(default_factory=dict)

    @property
    def available(self) -> int:
        """What nobody has claimed; may be below zero."""
        return self.sellable - self.reserved

    def expected_by(self, until: datetime, *, now: datetime) -> int:
        """Supply and demand expected by an instant. Supply that is overdue is not promised before it gets a new date."""
        return sum(q for due, q in self.expected if due <= until and (q < 0 or due > now))


Stock = dict[UUID, dict[UUID, SiteStock]]
"""variant → site → what is there"""


@dataclass(slots=True)
class _Waiting:
    variants: Sequence[UUID]
    answer: asyncio.Future[Stock]


class LevelReader:
    """Reads levels for whoever waits, on a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._conn: asyncpg.Connection | None = None
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self.reads = 0

    async def read(self, variants: Sequence[UUID]) -> Stock:
        """The stock of at least these variants at every site; a variant that never was anywhere is missing.

        What is answered is as of a moment after the call. Raises Unavailable while the database is away.
        """
        answer: asyncio.Future[Stock] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(variants, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="availability")
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            batch: list[_Waiting] = []
            count = 0
            while self._waiting and (not batch or count + len(self._waiting[0].variants) <= MOST):
                one = self._waiting.popleft()
                count += len(one.variants)
                batch.append(one)
            wanted: set[UUID] = set()
            for one in batch:
                wanted.update(one.variants)
            try:
                stock = gather(await self._fetch(list(wanted)))
            except Exception as error:
                problem = error if not isinstance(error, _AWAY) else Unavailable(retry_after=1)
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_exception(problem)
            else:
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_result(stock)

    async def _fetch(self, variants: list[UUID]) -> list[asyncpg.Record]:
        self.reads += 1
        for last in (False, True):
            try:
                if self._conn is None or self._conn.is_closed():
                    self._conn = await connect(self._url)
                rows: list[asyncpg.Record] = await self._conn.fetch(QUERY, variants)
                return rows
            except _AWAY:
                conn, self._conn = self._conn, None
                if conn is not None:
                    with suppress(Exception):
                        conn.terminate()
                if last:
                    raise
        raise AssertionError

    async def close(self) -> None:
        """Close the connection."""
        if self._task is not None:
            with suppress(Exception):
                await self._task
        if self._conn is not None:
            with suppress(Exception):
                await self._conn.close(timeout=2)


async def connect(url: str) -> asyncpg.Connection:
    """A connection that reads levels: generic plans, by index."""
    return await asyncpg.connect(
        url,
        timeout=5,
        command_timeout=10,
        server_settings={"application_name": "onhand availability", **SESSION},
    )


def gather(rows: Iterable[Any]) -> Stock:
    """Rows of the query by variant and site. Pure."""
    stock: Stock = {}
    for what, variant, site, quantity, reserved, due, channel in rows:
        sites = stock.get(variant)
        if sites is None:
            sites = stock[variant] = {}
        here = sites.get(site)
        if here is None:
            here = sites[site] = SiteStock()
        if what == 0:
            here.sellable, here.reserved = quantity, reserved
        elif what == 1:
            here.expected.append((due, quantity))
        else:
            here.buffers[channel] = quantity
    return stock
