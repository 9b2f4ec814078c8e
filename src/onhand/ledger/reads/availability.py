"""What may be promised of variants at sites. All requests that wait at the moment are answered by one read of the levels.

A query of its own for each request costs several times as much (kernel: one `= ANY` read for whoever waits). Nobody lingers: the
first request is read at once, and whoever asks while that is under way forms the next batch. Two reads take turns, as the lane's
batches do: while the database works on one half of the callers, the other half is answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from struct import Struct
from typing import Any
from uuid import UUID

import asyncpg

from onhand.kit.ids import quick
from onhand.kit.problem import Unavailable
from onhand.ledger.lane import SESSION

MOST = 5_000
"""Variants one read asks for at most; a request of its own may name 200."""
IN_FLIGHT = 2
"""Reads under way at once: while the database answers one, another is taken in."""
SHARED = 16
"""Fewer requests than this are not divided into two reads: each has a price of its own."""

QUERY = """
SELECT s.variant, array_send(array_agg(s.site)) AS sites, array_send(array_agg(s.sellable)) AS sellable,
       array_send(array_agg(s.reserved)) AS reserved, NULL::timestamptz AS due, NULL::uuid AS channel
  FROM site_level s WHERE s.variant = ANY($1::uuid[]) GROUP BY s.variant
UNION ALL
SELECT e.variant, array_send(ARRAY[e.site]), array_send(ARRAY[e.quantity]), NULL, e.due, NULL
  FROM expectation e WHERE e.variant = ANY($1::uuid[])
UNION ALL
SELECT b.variant_id, array_send(ARRAY[b.site_id]), array_send(ARRAY[b.buffer]), NULL, NULL, b.channel_id
  FROM channel_buffer b WHERE b.variant_id = ANY($1::uuid[])
"""
"""One row a variant with arrays over its sites, and a row for each expectation and buffer: arrays cost a tenth of rows. Each array
comes in PostgreSQL's binary form and is taken apart by one `struct` call, with an object a site and not a site and variant."""
_AWAY = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError, OSError, TimeoutError)


@dataclass(slots=True)
class VariantStock:
    """A variant over its sites, in smallest units: sellable and reserved by site, what documents expect (due, signed
    quantity) by site, and the buffers that channels set by site and channel."""

    levels: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    expected: dict[UUID, list[tuple[datetime, int]]] = field(default_factory=dict)
    buffers: dict[tuple[UUID, UUID], int] = field(default_factory=dict)

    def sites(self) -> list[UUID]:
        """Where it was ever in stock, or is expected."""
        return [*self.levels, *(site for site in self.expected if site not in self.levels)]

    def expected_by(self, site: UUID, until: datetime, *, now: datetime) -> int:
        """Supply and demand expected by an instant. Supply that is overdue is not promised before it gets a new date."""
        found = self.expected.get(site)
        return sum(q for due, q in found if due <= until and (q < 0 or due > now)) if found else 0


Stock = dict[UUID, VariantStock]
"""What is there, by variant."""


@dataclass(slots=True)
class _Waiting:
    variants: Sequence[UUID]
    answer: asyncio.Future[Stock]


class LevelReader:
    """Reads levels for whoever waits, on connections of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._conns: list[asyncpg.Connection] = []
        self._waiting: deque[_Waiting] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = 0
        self._flying = 0
        self.reads = 0

    async def read(self, variants: Sequence[UUID]) -> Stock:
        """The stock of at least these variants at every site; a variant that never was anywhere is missing.

        What is answered is as of a moment after the call. Raises Unavailable while the database is away.
        """
        answer: asyncio.Future[Stock] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(variants, answer))
        if self._running < IN_FLIGHT:
            self._running += 1
            task = asyncio.create_task(self._run(), name="availability")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._answer(self._next())
        finally:
            self._running -= 1  # at once, not when the task is collected: who asks next must find it so

    def _next(self) -> list[_Waiting]:
        """Half of who waits or is being answered, so that two reads of one size take turns."""
        most = max(SHARED, (len(self._waiting) + self._flying + 1) // 2)
        batch = [self._waiting.popleft()]
        count = len(batch[0].variants)
        while self._waiting and len(batch) < most and count + len(self._waiting[0].variants) <= MOST:
            batch.append(self._waiting.popleft())
            count += len(batch[-1].variants)
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        wanted = list({variant for one in batch for variant in one.variants})
        self._flying += len(batch)
        try:
            stock = gather(await self._fetch(wanted))
        except Exception as error:
            problem = Unavailable(retry_after=1) if isinstance(error, _AWAY) else error
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(problem)
            return
        finally:
            self._flying -= len(batch)
        for one in batch:
            if not one.answer.done():
                one.answer.set_result(stock)

    async def _fetch(self, variants: list[UUID]) -> list[asyncpg.Record]:
        self.reads += 1
        for last in (False, True):
            conn = self._conns.pop() if self._conns else None
            try:
                if conn is None or conn.is_closed():
                    conn = await connect(self._url)
                rows: list[asyncpg.Record] = await conn.fetch(QUERY, variants)
            except _AWAY:
                if conn is not None:
                    with suppress(Exception):
                        conn.terminate()
                if last:
                    raise
            else:
                self._conns.append(conn)
                return rows
        raise AssertionError

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for conn in self._conns:
            with suppress(Exception):
                await conn.close(timeout=2)


async def connect(url: str) -> asyncpg.Connection:
    """A connection that reads levels: generic plans, by index."""
    return await asyncpg.connect(
        url,
        timeout=5,
        command_timeout=10,
        server_settings={"application_name": "onhand availability", **SESSION},
    )


def gather(rows: Iterable[Any]) -> Stock:
    """Rows of the query by variant. Pure."""
    stock: Stock = {}
    site, int8s = _SITES.__getitem__, _INT8S
    for variant, sites, quantities, reserved, due, channel in rows:
        found = stock.get(variant)
        if found is None:
            found = stock[variant] = VariantStock()
        if reserved is not None:
            count = (len(sites) - _HEAD) // 20
            unpack = int8s[count]
            levels = zip(unpack(quantities, _HEAD), unpack(reserved, _HEAD), strict=True)
            found.levels = dict(zip(map(site, _UUIDS[count](sites, _HEAD)), levels, strict=True))
        else:
            key, (quantity,) = site(sites[-16:]), int8s[1](quantities, _HEAD)
            if due is not None:
                found.expected.setdefault(key, []).append((due, quantity))
            else:
                found.buffers[key, channel] = quantity
    return stock


_HEAD = 20
"""Bytes before the elements of a binary array: dimensions, flags, type, length, lower bound; then each with its length."""


class _Unpack(dict[int, Any]):
    """Number of elements → what takes a binary array of so many apart."""

    def __init__(self, element: str) -> None:
        super().__init__()
        self._element = element

    def __missing__(self, count: int) -> Any:
        found = self[count] = Struct("!" + f"4x{self._element}" * count).unpack_from
        return found


class _Sites(dict[bytes, UUID]):
    """Sixteen bytes → the one object that stands for that site."""

    def __missing__(self, raw: bytes) -> UUID:
        found = self[raw] = quick(UUID(bytes=raw))
        return found


_UUIDS, _INT8S, _SITES = _Unpack("16s"), _Unpack("q"), _Sites()
