"""The cases of `cases/*.txt`, told to the judge in memory, to the lane on a real database, and to the HTTP API."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from onhand.kit.database import Database
from onhand.kit.ids import NIL, derive_id, uuid7
from onhand.ledger import (
    Claim,
    Condition,
    Engine,
    Item,
    Mode,
    Move,
    Outcome,
    Posting,
    Status,
    digest_of,
    load_directory,
    opposite,
)
from onhand.ledger import decide as judge
from onhand.locations import Place
from tests import make
from tests.ledger.table import ACTS, Case, Line, Spot, Step, cases, tell
from tests.ledger.world import World, build, new_variant

CASES = cases()
named = pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
WORDS = {
    Status.location_closed: "closed", Status.lot_held: "held", Status.unknown_location: "unknown place",
    Status.unknown_variant: "unknown item",
}  # fmt: skip


def word(outcome: Outcome) -> str:
    """An outcome in the words of the language."""
    if outcome.status is Status.insufficient_stock:
        return f"short {outcome.shortages[0].quantity}"
    if outcome.oversold:
        return f"posted, oversold {sum(s.quantity for s in outcome.oversold)}"
    return WORDS.get(outcome.status, outcome.status.value)


class Postings:
    """Makes the postings of a case, and remembers them by number."""

    def __init__(self, case: Case, world: World) -> None:
        self.world, self.by_number, self.variants = world, dict[int, Posting](), dict[str, UUID]()
        self.lots = {lot: derive_id("lot", case.name, lot) for lot in ("lot7", "lot8")}

    def place(self, code: str) -> UUID:
        return derive_id("nowhere") if code == "nowhere" else self.world.place(code)

    def move(self, line: Line) -> Move:
        return Move(
            variant=self.variants[line.sku], from_location=self.place(line.source.place),
            to_location=self.place(line.target.place), quantity=line.quantity,
            from_condition=int(Condition[line.source.condition]), to_condition=int(Condition[line.target.condition]),
            lot=self.lots[line.lot] if line.lot else NIL,
        )  # fmt: skip

    def posting(self, step: Step) -> Posting:
        """The posting of a step."""
        mode = Mode(step.mode)
        if step.verb == "post":
            made = self.world.posting(*(self.move(line) for line in step.lines), mode=mode)
            self.by_number[step.number] = made
            return made
        if step.verb == "claim":
            claim = Claim(uuid7(), self.variants[step.sku], self.place(step.spot.place), step.values[0])
            return self.world.posting(mode=mode, kind="reserve", claims=(claim,))
        original = self.by_number[step.number]
        if step.verb == "undo":
            return self.world.posting(
                *opposite(original.moves), kind="reverse", mode=mode, reverses=original.id
            )
        if step.verb == "again":
            return original
        return self.world.posting(
            *original.moves, mode=original.mode, id=original.id, reason="other", digest=digest_of("other")
        )


class Memory(Postings):
    """The judge alone, over a book in memory."""

    def __init__(self, case: Case, world: World, places: dict[UUID, Place]) -> None:
        super().__init__(case, world)
        self.places = places
        self.book = judge.Book(defaultdict(judge.LevelRow), defaultdict(judge.SiteRow))
        skus = {line.sku for s in case.steps for line in s.lines} | {s.sku for s in case.steps if s.sku}
        self.variants = {sku: derive_id(case.name, sku) for sku in skus}
        self.book.variants_missing = frozenset(v for sku, v in self.variants.items() if sku == "GHOST")

    async def have(self, step: Step) -> None:
        line = Line(Spot("supplier"), step.spot, step.sku, step.lot, step.values[0])
        judge.decide(self.book, [[self.world.posting(self.move(line))]], self.places)

    async def act(self, steps: list[Step]) -> list[str]:
        return [word(o[0]) for o in judge.decide(self.book, [[self.posting(s)] for s in steps], self.places)]

    async def left(self, spot: Spot, sku: str, lot: str | None) -> int:
        key = (
            self.variants[sku],
            self.place(spot.place),
            self.lots[lot] if lot else UUID(int=0),
            int(Condition[spot.condition]),
        )
        row = self.book.levels[key]
        assert row.overdrawn == max(0, -row.on_hand)
        return row.on_hand

    async def site(self, site: str, sku: str) -> tuple[int, ...]:
        row = self.book.sites[self.variants[sku], self.place(site)]
        return row.sellable, row.reserved, row.overdrawn


class Lane(Postings):
    """The posting lane on a real database."""

    def __init__(self, case: Case, world: World, db: Database, engine: Engine) -> None:
        super().__init__(case, world)
        self.case, self.db, self.engine = case, db, engine

    async def prepare(self) -> None:
        skus = {line.sku for s in self.case.steps for line in s.lines} | {
            s.sku for s in self.case.steps if s.sku
        }
        async with self.db.writing() as tx:
            for sku in sorted(skus):
                self.variants[sku] = (
                    uuid7() if sku == "GHOST" else await new_variant(tx.conn, f"{sku}-{uuid7()}")
                )

    async def have(self, step: Step) -> None:
        line = Line(Spot("supplier"), step.spot, step.sku, step.lot, step.values[0])
        assert (await self.engine.submit(Item(self.world.posting(self.move(line))))).ok

    async def act(self, steps: list[Step]) -> list[str]:
        outcomes = await asyncio.gather(*[self.engine.submit(Item(self.posting(s))) for s in steps])
        assert all(o.seq is not None for o in outcomes if o.ok)
        return [word(o) for o in outcomes]

    async def left(self, spot: Spot, sku: str, lot: str | None) -> int:
        rows = await self._rows(
            "SELECT on_hand, overdrawn FROM level WHERE variant = :v AND location = :p AND lot = :l AND condition = :c",
            v=self.variants[sku], p=self.place(spot.place), l=self.lots[lot] if lot else UUID(int=0),
            c=int(Condition[spot.condition]),
        )  # fmt: skip
        assert all(row.overdrawn == max(0, -row.on_hand) for row in rows)
        return int(rows[0].on_hand) if rows else 0

    async def site(self, site: str, sku: str) -> tuple[int, ...]:
        rows = await self._rows(
            "SELECT sellable, reserved, overdrawn FROM site_level WHERE variant = :v AND site = :s",
            v=self.variants[sku], s=self.place(site),
        )  # fmt: skip
        return tuple(rows[0]) if rows else (0, 0, 0)

    async def _rows(self, statement: str, **values: Any) -> list[Any]:
        async with self.db.reading() as conn:
            return list(await conn.execute(sa.text(statement), values))


class Http:
    """The HTTP API; tells only what has an address."""

    def __init__(self, client: Any, shop: dict[str, str]) -> None:
        self.client, self.shop = client, shop
        self.suffix = str(uuid7())
        self.skus: set[str] = set()
        self.sent: dict[int, tuple[str, dict[str, Any]]] = {}

    async def sku(self, sku: str) -> str:
        name = f"{sku}-{self.suffix}"
        if sku not in self.skus and sku != "GHOST":
            await make.variant(self.client, sku=name, name=sku)
            self.skus.add(sku)
        return name

    async def have(self, step: Step) -> None:
        body = {
            "sku": await self.sku(step.sku), "location_code": step.spot.place, "condition": step.spot.condition,
            "quantity": str(step.values[0]), "reason": "found",
        } | ({"lot_code": step.lot} if step.lot else {})  # fmt: skip
        await make.post(self.client, "/v1/adjustments", body)

    async def act(self, steps: list[Step]) -> list[str]:
        return [await self._act(step) for step in steps]

    async def _act(self, step: Step) -> str:
        if step.verb == "post":
            self.sent[step.number] = await self._request(step)
        path, body = self.sent[step.number]
        if step.verb == "changed":
            body = {**body, "note": "other"} if path == "/v1/adjustments" else {**body, "reason": "other"}
        if step.verb == "undo":
            path, body = "/v1/reversals", {"id": str(uuid7()), "posting_id": body["id"], "reason": "wrong"}
        answer = await self.client.post(path, json=body)
        return _heard(answer, self.suffix)

    async def _request(self, step: Step) -> tuple[str, dict[str, Any]]:
        first = step.lines[0]
        body: dict[str, Any] = {"id": str(uuid7())}
        if step.mode == "fact":
            lines = [
                {"sku": await self.sku(li.sku), "quantity": str(li.quantity), "total": "1.00"}
                for li in step.lines
            ]
            happened_at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
            fields = {
                "register": f"R-{first.source.place}",
                "happened_at": happened_at,
                "currency": "EUR",
                "tenders": [],
            }
            return "/v1/pos/sales", body | fields | {"lines": lines}
        body |= {"sku": await self.sku(first.sku), "quantity": str(first.quantity)}
        body |= {"lot_code": first.lot} if first.lot else {}
        if "adjustment" in (first.source.place, first.target.place):
            out = first.target.place == "adjustment"
            spot = first.source if out else first.target
            body |= {"quantity": f"{'-' if out else ''}{first.quantity}", "reason": "correction"}
            return "/v1/adjustments", body | {"location_code": spot.place, "condition": spot.condition}
        return "/v1/moves", body | {
            "from_location_code": first.source.place, "from_condition": first.source.condition,
            "to_location_code": first.target.place, "to_condition": first.target.condition,
        }  # fmt: skip

    async def left(self, spot: Spot, sku: str, lot: str | None) -> int:
        found = await self.client.get(
            "/v1/levels",
            params={
                "sku": await self.sku(sku),
                "location_id": self.shop[spot.place],
                "condition": spot.condition,
            },
        )
        rows = [
            r
            for r in found.json()["data"]
            if r["lot_code"] == lot and r["location_id"] == self.shop[spot.place]
        ]
        return int(rows[0]["on_hand"]) if rows else 0

    async def site(self, site: str, sku: str) -> tuple[int, ...]:
        found = await self.client.get(
            "/v1/site-levels", params={"sku": await self.sku(sku), "site_id": self.shop[site]}
        )
        rows = found.json()["data"]
        return tuple(int(rows[0][n]) for n in ("sellable", "reserved", "overdrawn")) if rows else (0, 0, 0)


def _heard(answer: Any, suffix: str) -> str:
    """An answer in the words of the language."""
    body = answer.json()
    if answer.status_code == 201:
        if answer.headers.get("idempotent-replayed") == "true":
            return "already_posted"
        oversold = sum(int(o["quantity"]) for o in body.get("oversold") or [])
        return f"posted, oversold {oversold}" if oversold else str(body.get("state") or body["status"])
    if body["code"] == "insufficient_stock":
        return f"short {body['shortages'][0]['missing']}"
    words = {
        "location_closed": "closed",
        "unknown_location": "unknown place",
        "unknown_variant": "unknown item",
    }
    return words.get(body["code"], str(body["code"]))


def tellable(case: Case) -> bool:
    """Whether everything in a case has an address: adjustments, moves, reversals, and sales at the till of a store."""
    steps = {s.number: s for s in case.steps if s.verb == "post"}
    return all(_addressed(s, steps) for s in case.steps if s.verb in ACTS)


def _addressed(step: Step, posts: dict[int, Step]) -> bool:
    if step.verb == "claim":
        return False
    post = posts[step.number]
    if step.verb == "undo":
        return step.mode == "strict" and post.mode == "strict"
    if post.mode == "fact":
        return all(
            li.source.place in ("S1", "S2")
            and li.target.place == "customer"
            and li.lot is None
            and li.source.condition == "available"
            for li in post.lines
        )
    real = {"W1/A", "W1/B", "W1/Q", "W1/C", "S1", "S2"}
    line = post.lines[0]
    ends = {line.source.place, line.target.place}
    return len(post.lines) == 1 and "nowhere" not in ends and ends <= real | {"adjustment"}


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    found = await build(db)
    from onhand import locations

    async with db.writing() as tx:
        closed = await locations.create_location(
            tx, locations.NewLocation(code="C", name="C", kind="bin", parent_id=found.places["W1"])
        )
        found.places["W1/C"] = closed.id
        await locations.change_location(tx, closed.id, version=None, changes={"closed_at": datetime.now(UTC)})
    return found


@pytest.fixture(scope="module")
async def engine(db: Database, world: World, database_urls: tuple[str, str]) -> AsyncIterator[Engine]:
    async def load() -> Any:
        async with db.engine.connect() as conn:
            return await load_directory(conn)

    lane = Engine(url=database_urls[1], load_directory=load)
    await lane.start()
    yield lane
    await lane.stop()


@named
async def test_the_judge(case: Case, db: Database, world: World) -> None:
    async with db.reading() as conn:
        _, places = await load_directory(conn)
    for at_once in (False, True):
        await tell(case, Memory(case, world, dict(places)), at_once=at_once)


@named
async def test_the_lane(case: Case, db: Database, world: World, engine: Engine) -> None:
    for at_once in (False, True):
        book = Lane(case, world, db, engine)
        await book.prepare()
        await tell(case, book, at_once=at_once)


async def test_the_book_holds_together_afterwards(db: Database, world: World) -> None:
    from onhand.ledger import verify

    async with db.engine.connect() as conn:
        report = await verify.verify(conn)
    found = [d for d in report.differences if d.check != "reservations"]  # the cases claim without documents
    assert not found, found
