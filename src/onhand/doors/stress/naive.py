"""The rival: check, then act. Most stock code reads like this, and passes every test that asks one thing at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool

from onhand.doors.stress.notes import Answer, Book, Order

_TABLES = (
    "CREATE TABLE stock (sku text PRIMARY KEY, quantity bigint NOT NULL)",
    "CREATE TABLE orders (n bigserial PRIMARY KEY, order_id uuid NOT NULL, sku text NOT NULL, quantity bigint NOT NULL)",
    "CREATE INDEX ON orders (order_id)",
)


class Naive:
    """Stock in one table, orders in another, and between the question and the deed a moment in which both are true."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator[Naive]:
        """The rival on an empty database."""
        async with AsyncConnectionPool(url, min_size=4, max_size=16, open=False, timeout=20) as pool:
            async with pool.connection() as conn:
                for statement in _TABLES:
                    await conn.execute(statement.encode())
            yield cls(pool)

    async def stock(self, goods: Mapping[str, int]) -> None:
        """Put goods on the shelf."""
        async with self._pool.connection() as conn:
            for sku, quantity in goods.items():
                await conn.execute(
                    "INSERT INTO stock VALUES (%s, %s) ON CONFLICT (sku) DO UPDATE SET quantity = stock.quantity + %s",
                    (sku, quantity, quantity),
                )

    async def order(self, order: Order) -> Answer:
        """Known already? Enough there? Then take it, and write it down: one transaction, at the default isolation."""
        try:
            async with self._pool.connection() as conn:
                return await _order(conn, order)
        except psycopg.OperationalError:
            return Answer.unknown

    async def hang_up(self, order: Order, seconds: float) -> None:
        """Order, and be cancelled."""
        task = asyncio.create_task(self.order(order))
        await asyncio.sleep(seconds)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def book(self, skus: Collection[str], ids: Collection[UUID]) -> Book:
        """What the two tables say."""
        async with self._pool.connection() as conn:
            left = await conn.execute("SELECT sku, quantity FROM stock WHERE sku = ANY(%s)", (list(skus),))
            found: dict[str, int] = dict(await left.fetchall())
            rows = await conn.execute(
                "SELECT order_id, max(copies) FROM (SELECT order_id, count(*) AS copies FROM orders"
                " WHERE order_id = ANY(%s) GROUP BY order_id, sku) o GROUP BY order_id",
                (list(ids),),
            )
            return Book(found, dict(await rows.fetchall()))


async def _order(conn: psycopg.AsyncConnection, order: Order) -> Answer:
    wanted: dict[str, int] = {}
    for sku, quantity in order.lines:
        wanted[sku] = wanted.get(sku, 0) + quantity
    known = await conn.execute("SELECT sku, quantity FROM orders WHERE order_id = %s", (order.id,))
    before: dict[str, int] = dict(await known.fetchall())
    if before:
        return Answer.taken if before == wanted else Answer.reused
    for sku, quantity in wanted.items():
        row = await (await conn.execute("SELECT quantity FROM stock WHERE sku = %s", (sku,))).fetchone()
        if not order.fact and (row is None or row[0] < quantity):
            return Answer.refused
    for sku, quantity in sorted(wanted.items()):
        await conn.execute("UPDATE stock SET quantity = quantity - %s WHERE sku = %s", (quantity, sku))
        await conn.execute(
            "INSERT INTO orders (order_id, sku, quantity) VALUES (%s, %s, %s)", (order.id, sku, quantity)
        )
    return Answer.taken
