"""Onhand as the system under test: sales, reservations and moves over HTTP, shipments through a posting lane of a second process.

So both doors of the ledger, and two lanes, are at the same rows at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa

from onhand import ledger, locations
from onhand.doors.stress import talk
from onhand.doors.stress.ground import Ground
from onhand.doors.stress.notes import Answer, Book, Order
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import NIL, uuid7
from onhand.kit.problem import Problem
from onhand.ledger import Item, Kind, Mode, Move, Outcome, Posting, Status, digest_of
from onhand.ledger.engine import LoadDirectory

_STATUS = {Status.posted: Answer.taken, Status.already_posted: Answer.taken, Status.id_reused: Answer.reused,
           Status.insufficient_stock: Answer.refused}  # fmt: skip
_CODES = {"insufficient_stock": Answer.refused, "id_reused": Answer.reused}
_LEFT = sa.text(
    "SELECT v.sku, coalesce(s.sellable - s.reserved, 0) FROM variant v JOIN location p ON p.code = 'S1'"
    " LEFT JOIN site_level s ON s.variant = v.id AND s.site = p.id WHERE v.sku = ANY(CAST(:skus AS text[]))"
)
_TIMES = sa.text("SELECT id, count(*) FROM posting WHERE id = ANY(CAST(:ids AS uuid[])) GROUP BY id")


class Onhand:
    """The shop S1 of a ground. Which way a request goes follows from its id, so that it stays the same when asked again."""

    def __init__(self, ground: Ground, database: Database, engine: ledger.Engine) -> None:
        self.ground = ground
        self.database = database
        self.engine = engine
        self.variants: dict[str, UUID] = {}
        self.store = NIL

    @classmethod
    @asynccontextmanager
    async def at(cls, ground: Ground) -> AsyncIterator[Onhand]:
        """Serve, and open a lane of our own beside the server's."""
        database = Database.open(ground.url, pool_size=2)
        wired = cls(ground, database, ledger.Engine(url=ground.url, load_directory=_directory_of(database)))
        async with database.reading() as conn:
            wired.variants = {r[0]: r[1] for r in await conn.execute(sa.text("SELECT sku, id FROM variant"))}
            wired.store = (
                await conn.execute(sa.text("SELECT id FROM location WHERE code = 'S1'"))
            ).scalar_one()
        await wired.engine.start()
        ground.serve()
        try:
            await ground.until_up()
            yield wired
        finally:
            await wired.engine.stop()
            await database.close()

    async def stock(self, goods: Mapping[str, int]) -> None:
        """A delivery, through the lane, until it is recorded."""
        lines = tuple((sku, quantity) for sku, quantity in goods.items() if quantity)
        if not lines:
            return
        posting = self._posting(Order(uuid7(), lines, fact=True), Kind.receive, "supplier")
        answer = Answer.unknown
        while answer is not Answer.taken:
            answer = await self._submit(posting)

    async def order(self, order: Order) -> Answer:
        """A sale that happened, a reservation of the web shop or a move to the other store over HTTP, or a shipment by our lane."""
        over_http = self._over_http(order)
        return await (
            self._ask(*over_http) if over_http else self._submit(self._posting(order, Kind.ship, None))
        )

    async def hang_up(self, order: Order, seconds: float) -> None:
        """Half of it cut in the middle of sending, half while it is worked on."""
        over_http = self._over_http(order)
        if over_http is None:
            task = asyncio.create_task(self._submit(self._posting(order, Kind.ship, None)))
            await asyncio.sleep(seconds)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            return
        share = 0.7 if order.id.int & 4 else 1.0
        await talk.hang_up(
            self.ground.port, talk.request(over_http[0], self.ground.key, over_http[1]), share, seconds
        )

    def _over_http(self, order: Order) -> tuple[str, dict[str, Any]] | None:
        if order.fact:
            return self._sale(order)
        if order.id.int & 1:
            return self._reservation(order) if order.id.int & 2 or len(order.lines) > 1 else self._move(order)
        return None

    async def book(self, skus: Collection[str], ids: Collection[UUID]) -> Book:
        """What is available in S1, and how often each id was posted."""
        async with self.database.reading() as conn:
            left = {r[0]: int(r[1]) for r in await conn.execute(_LEFT, {"skus": list(skus)})}
            times = {r[0]: int(r[1]) for r in await conn.execute(_TIMES, {"ids": list(ids)})}
        return Book(left, times)

    async def _ask(self, path: str, body: dict[str, Any]) -> Answer:
        status, answer = await talk.ask(self.ground.port, talk.request(path, self.ground.key, body))
        if status == 201:
            return Answer.taken
        return _CODES.get(str(answer.get("code")), Answer.unknown)

    def _sale(self, order: Order) -> tuple[str, dict[str, Any]]:
        lines = [{"sku": sku, "quantity": str(n), "total": "1.99"} for sku, n in order.lines]
        return "/v1/pos/sales", {
            "id": str(order.id), "register": "R1", "happened_at": _instant(order.id), "currency": "EUR", "lines": lines,
        }  # fmt: skip

    def _reservation(self, order: Order) -> tuple[str, dict[str, Any]]:
        lines = [{"sku": sku, "quantity": str(n)} for sku, n in order.lines]
        return "/v1/reservations", {"id": str(order.id), "kind": "order", "site_code": "S1", "lines": lines}

    def _move(self, order: Order) -> tuple[str, dict[str, Any]]:
        sku, quantity = order.lines[0]
        return "/v1/moves", {
            "id": str(order.id), "sku": sku, "quantity": str(quantity), "from_location_code": "S1",
            "to_location_code": "S2", "happened_at": _instant(order.id),
        }  # fmt: skip

    def _posting(self, order: Order, kind: Kind, supplier: str | None) -> Posting:
        outside = locations.virtual_id(supplier or "customer")
        ends = (outside, self.store) if supplier else (self.store, outside)
        moves = tuple(Move(self.variants[sku], *ends, quantity) for sku, quantity in order.lines)
        return Posting(
            id=order.id, kind=kind.value, source_type="order", source_id=order.id, actor=NIL, happened_at=now(),
            moves=moves, digest=digest_of(order.lines), mode=Mode.fact if order.fact else Mode.strict,
        )  # fmt: skip

    async def _submit(self, posting: Posting) -> Answer:
        try:
            outcome: Outcome = await self.engine.submit(Item(posting))
        except (Problem, psycopg.Error):
            return Answer.unknown
        return _STATUS[outcome.status]


def _directory_of(database: Database) -> LoadDirectory:
    async def load() -> Any:
        async with database.engine.connect() as conn:
            return await ledger.load_directory(conn)

    return load


def _instant(order_id: UUID) -> str:
    """The instant in a time-ordered id, a second before it was made: the same at every try."""
    return datetime.fromtimestamp((order_id.int >> 80) / 1000 - 1, UTC).isoformat()
