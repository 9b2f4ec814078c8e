"""Reservations on a real database: races with the clock, the last unit, repeated lines, and books that never drift."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from onhand import catalog, ledger, locations
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.problem import IdReused, Stale
from onhand.ledger import (
    RESERVATION_RIDERS,
    BackorderNotApproved,
    Engine,
    InsufficientStock,
    Mode,
    NewLine,
    NewReservation,
    Policy,
    ReservationEnded,
    ReservationExpired,
    ReservationKind,
    Status,
    digest_of,
    load_directory,
    reservation_item,
    verify,
)
from onhand.ledger import reads as reads
from onhand.ledger.reservations import MoreThanReserved
from onhand.locations import Place
from tests.ledger.world import World, build, new_variant, post


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    return await build(db)


@pytest.fixture(scope="module")
async def engine(db: Database, world: World, database_urls: tuple[str, str]) -> AsyncIterator[Engine]:
    async def load() -> Any:
        async with db.engine.connect() as conn:
            return await load_directory(conn)

    lane = Engine(url=database_urls[1], load_directory=load, riders=dict(RESERVATION_RIDERS))
    await lane.start()
    yield lane
    await lane.stop()


class Shop:
    """What a test asks of the ledger, by codes."""

    def __init__(self, db: Database, world: World, engine: Engine) -> None:
        self.db, self.world, self.engine = db, world, engine
        self.places: dict[UUID, Place] = {}

    async def stock(self, quantity: int, *, at: str = "S1") -> str:
        """A fresh variant with some stock; answers its SKU."""
        sku = f"V-{uuid7()}"
        async with self.db.writing() as tx:
            self.world.variants[sku] = await new_variant(tx.conn, sku)
        if quantity:
            await post(
                self.db, self.world.posting(self.world.move(sku, quantity, "supplier", at), kind="receive")
            )
        return sku

    async def asked(
        self, *lines: tuple[str, int] | tuple[str, int, Policy], at: str = "S1", ends: timedelta | None = None,
        kind: ReservationKind = ReservationKind.order, **more: Any,
    ) -> NewReservation:  # fmt: skip
        async with self.db.engine.connect() as conn:
            self.places = await locations.directory(conn)
            items = await catalog.resolve_ids(conn, [self.world.variants[x[0]] for x in lines])
        new = [
            NewLine(items[self.world.variants[x[0]]], self.places[self.world.places[at]], x[1], *x[2:]) for x in lines
        ]  # fmt: skip
        instant = now()
        fields: dict[str, Any] = {
            "id": uuid7(), "kind": kind, "lines": new, "actor": UUID(int=0), "at": instant, "digest": digest_of(str(lines)),
            "expires_at": instant + ends if ends is not None else None,
        }  # fmt: skip
        return NewReservation(**(fields | more))

    async def hold(self, *lines: Any, **more: Any) -> UUID:
        """Reserve through the lane; answers the id."""
        new = await self.asked(*lines, **more)
        outcome = await self.engine.submit(reservation_item(new))
        assert outcome.status is Status.posted, outcome
        return new.id

    async def site(self, sku: str, at: str = "S1") -> tuple[int, int, int]:
        async with self.db.reading() as conn:
            row = await conn.execute(
                sa.text(
                    "SELECT sellable, reserved, overdrawn FROM site_level WHERE variant = :v AND site = :s"
                ),
                {"v": self.world.variants[sku], "s": self.world.places[at]},
            )
            found = row.one_or_none()
            return tuple(found) if found is not None else (0, 0, 0)

    async def document(self, reservation: UUID) -> dict[str, Any]:
        async with self.db.reading() as conn:
            found: dict[str, Any] | None = await reads.get_reservation(conn, reservation, scope=None)
        assert found is not None
        return found

    async def do(self, verb: str, reservation: UUID, **more: Any) -> Any:
        async with self.db.writing() as tx:
            return await getattr(ledger, verb)(tx, None, reservation_id=reservation, **more)

    async def sweep(self) -> int:
        async with self.db.writing() as tx:
            return await ledger.expire_due(tx, limit=50)

    async def lapse(self, reservation: UUID) -> None:
        """Its end has come, by the database's clock."""
        async with self.db.writing() as tx:
            await tx.conn.execute(
                sa.text(
                    "UPDATE reservation SET expires_at = clock_timestamp() - interval '1 ms' WHERE id = :r"
                ),
                {"r": reservation},
            )


@pytest.fixture(scope="module")
def shop(db: Database, world: World, engine: Engine) -> Shop:
    return Shop(db, world, engine)


async def test_a_reservation_holds_and_gives_back_line_by_line(shop: Shop) -> None:
    tea, rice = await shop.stock(10), await shop.stock(5)
    held = await shop.hold((tea, 4), (rice, 2))
    assert await shop.site(tea) == (10, 4, 0)
    step = await shop.do("release", held, lines=[(1, "1")])
    assert step.held.state == "open"
    assert await shop.site(tea) == (10, 3, 0)
    await shop.do("consume", held, lines=[(1, "2"), (2, "1")])
    assert await shop.site(tea) == (8, 1, 0)
    assert await shop.site(rice) == (4, 1, 0)
    with pytest.raises(MoreThanReserved):
        await shop.do("release", held, lines=[(1, "2")])
    await shop.do("consume", held)
    found = await shop.document(held)
    assert (found["state"], found["can"], found["version"]) == ("consumed", [], 4)
    assert [(x["claimed"], x["consumed"], x["released"], x["open"]) for x in found["lines"]] == [
        ("4", "3", "1", "0"),
        ("2", "2", "0", "0"),
    ]
    for verb in ("release", "consume", "extend"):
        with pytest.raises(ReservationEnded):
            await shop.do(verb, held)


async def test_the_same_step_again_acts_once(shop: Shop) -> None:
    tea = await shop.stock(10)
    held, step = await shop.hold((tea, 4)), uuid7()
    for _ in range(3):
        await shop.do("release", held, id=step, lines=[(1, "1")], version=1)
    assert await shop.site(tea) == (10, 3, 0)
    with pytest.raises(IdReused):
        await shop.do("release", held, id=step, lines=[(1, "2")])
    with pytest.raises(Stale):
        await shop.do("release", held, version=1)
    new = await shop.asked((tea, 2))
    first = await shop.engine.submit(reservation_item(new))
    again = await shop.engine.submit(reservation_item(new))
    assert (first.status, again.status, again.seq) == (Status.posted, Status.already_posted, first.seq)
    assert await shop.site(tea) == (10, 5, 0)


async def test_lines_of_one_variant_are_summed(shop: Shop) -> None:
    """Each line alone would pass; together they do not. A refused basket holds nothing."""
    tea = await shop.stock(3)
    new = await shop.asked((tea, 2), (tea, 2))
    outcome = await shop.engine.submit(reservation_item(new))
    assert outcome.status is Status.insufficient_stock
    assert [(s.quantity, s.available) for s in outcome.shortages] == [(1, 3)]
    assert await shop.site(tea) == (3, 0, 0)
    await shop.hold((tea, 2), (tea, 1))
    assert await shop.site(tea) == (3, 3, 0)


@pytest.mark.parametrize("attempt", range(4))
async def test_sixty_four_ask_for_the_last_unit(shop: Shop, attempt: int) -> None:
    tea = await shop.stock(1)
    asked = [await shop.asked((tea, 1)) for _ in range(64)]
    outcomes = await asyncio.gather(*[shop.engine.submit(reservation_item(x)) for x in asked])
    assert [o.status for o in outcomes].count(Status.posted) == 1
    assert {o.status for o in outcomes} == {Status.posted, Status.insufficient_stock}
    assert await shop.site(tea) == (1, 1, 0)


async def test_nobody_comes_between_a_claim_and_its_goods(shop: Shop) -> None:
    """The last pair is reserved. While it is handed out, thirty others ask for it."""
    tea = await shop.stock(1)
    held = await shop.hold((tea, 1))
    others = [await shop.asked((tea, 1)) for _ in range(30)]
    taking = asyncio.create_task(shop.do("consume", held))
    outcomes = await asyncio.gather(*[shop.engine.submit(reservation_item(x)) for x in others])
    await taking
    assert {o.status for o in outcomes} == {Status.insufficient_stock}
    assert await shop.site(tea) == (0, 0, 0)


async def test_what_there_is(shop: Shop) -> None:
    tea, rice = await shop.stock(3), await shop.stock(0)
    some, every = Policy.what_there_is, Policy.all_or_nothing
    async with shop.db.writing() as tx:
        new = await shop.asked((tea, 5, some), (tea, 2, every), (rice, 4, some))
        await ledger.reserve(tx, new)
    found = await shop.document(new.id)
    assert [(x["requested"], x["claimed"]) for x in found["lines"]] == [("5", "1"), ("2", "2"), ("4", "0")]
    assert await shop.site(tea) == (3, 3, 0)
    with pytest.raises(InsufficientStock):
        async with shop.db.writing() as tx:
            await ledger.reserve(tx, await shop.asked((tea, 1, some)))
    async with shop.db.writing() as tx:  # the same again answers the same
        outcome = await ledger.reserve(tx, new)
    assert outcome.status is Status.already_posted
    assert await shop.site(tea) == (3, 3, 0)


async def test_an_approved_backorder_has_a_limit_and_opens_no_exception(shop: Shop) -> None:
    tea = await shop.stock(2)
    back = Policy.backorder
    with pytest.raises(BackorderNotApproved):
        async with shop.db.writing() as tx:
            await ledger.reserve(tx, await shop.asked((tea, 3, back)))
    async with shop.db.writing() as tx:
        from onhand.access import SYSTEM
        from onhand.ledger.actions import set_backorder

        await set_backorder(
            tx, SYSTEM, variant_id=shop.world.variants[tea], site_id=shop.world.places["S1"], max_quantity="3"
        )
    async with shop.db.writing() as tx:
        new = await shop.asked((tea, 4, back))
        await ledger.reserve(tx, new)
    assert await shop.site(tea) == (2, 4, 2)
    with pytest.raises(BackorderNotApproved):
        async with shop.db.writing() as tx:
            await ledger.reserve(tx, await shop.asked((tea, 2, back)))
    async with shop.db.reading() as conn:
        opened = await conn.execute(
            sa.text("SELECT count(*) FROM exception WHERE variant = :v"), {"v": shop.world.variants[tea]}
        )
        assert opened.scalar_one() == 0
    await shop.do("consume", new.id, lines=[(1, "2")])  # what is there may go, although the site is overdrawn
    assert await shop.site(tea) == (0, 2, 2)
    with pytest.raises(InsufficientStock):
        await shop.do("consume", new.id)
    await post(shop.db, shop.world.posting(shop.world.move(tea, 2, "supplier", "S1"), kind="receive"))
    await shop.do("consume", new.id)
    assert await shop.site(tea) == (0, 0, 0)


async def test_the_clock_gives_back_what_ran_out(shop: Shop) -> None:
    tea = await shop.stock(5)
    held = [await shop.hold((tea, 1), ends=timedelta(minutes=5)) for _ in range(3)]
    kept = await shop.hold((tea, 1))
    assert await shop.sweep() == 0
    for one in held:
        await shop.lapse(one)
    assert (await shop.document(held[0]))["lapsed"]
    assert await shop.sweep() == 3
    assert await shop.sweep() == 0
    assert await shop.site(tea) == (5, 1, 0)
    assert {(await shop.document(one))["state"] for one in held} == {"expired"}
    assert (await shop.document(kept))["state"] == "open"
    async with shop.db.reading() as conn:
        told = await conn.execute(
            sa.text("SELECT count(*) FROM outbox WHERE type = 'reservation.expired' AND subject = ANY(:s)"),
            {"s": [f"reservation/{one}" for one in held]},
        )
        assert told.scalar_one() == 3


@pytest.mark.parametrize("swept", [False, True])
async def test_what_ran_out_may_go_only_if_it_is_still_free(shop: Shop, swept: bool) -> None:
    tea = await shop.stock(2)
    free, gone = (
        await shop.hold((tea, 1), ends=timedelta(minutes=5)),
        await shop.hold((tea, 1), ends=timedelta(minutes=5)),
    )
    for one in (free, gone):
        await shop.lapse(one)
    if swept:
        assert await shop.sweep() == 2
    await shop.do("consume", free)
    assert (await shop.document(free))["state"] == "consumed"
    fact = shop.world.posting(shop.world.move(tea, 1, "S1", "customer"), kind="sell", mode=Mode.fact)
    await post(shop.db, fact)  # a till sells the other one
    with pytest.raises(ReservationExpired) as refused:
        await shop.do("consume", gone)
    assert refused.value.data["shortages"][0]["missing"] == "1"
    with pytest.raises(ReservationExpired):
        await shop.do("extend", gone, expires_in=60)
    await shop.sweep()
    assert await shop.site(tea) == (0, 0, 0)


async def test_an_expired_one_is_made_again_if_it_can(shop: Shop) -> None:
    tea = await shop.stock(2)
    held = await shop.hold((tea, 2), ends=timedelta(minutes=5))
    await shop.do("extend", held, expires_in=3600)
    await shop.lapse(held)
    await shop.sweep()
    await shop.do("extend", held, expires_in=3600)
    found = await shop.document(held)
    assert (found["state"], found["lines"][0]["open"], found["lines"][0]["expired"]) == ("open", "2", "0")
    assert await shop.site(tea) == (2, 2, 0)


@pytest.mark.parametrize("seed", range(12))
async def test_a_step_and_the_clock_never_both_have_it(shop: Shop, seed: int) -> None:
    """Consume, release and extend race the sweep at the very moment of the end: claims and goods agree whoever wins."""
    rng = random.Random(seed)
    tea = await shop.stock(6)
    held = [await shop.hold((tea, 1), ends=timedelta(milliseconds=rng.randint(5, 40))) for _ in range(6)]
    verbs = [rng.choice(("consume", "release", "extend")) for _ in held]

    async def later(work: Any) -> Any:
        await asyncio.sleep(rng.uniform(0, 0.04))
        return await work

    steps = [
        later(shop.do(verb, one, **({"expires_in": 3600} if verb == "extend" else {})))
        for verb, one in zip(verbs, held, strict=True)
    ]
    done = await asyncio.gather(*steps, *[later(shop.sweep()) for _ in range(3)], return_exceptions=True)
    wrong = [
        d
        for d in done
        if isinstance(d, BaseException) and not isinstance(d, (ReservationEnded, ReservationExpired))
    ]
    assert not wrong, (seed, wrong)
    documents = [await shop.document(one) for one in held]
    for verb, answer, found in zip(verbs, done, documents, strict=False):
        line = found["lines"][0]
        assert sum(int(line[x]) for x in ("consumed", "released", "expired", "open")) == 1, seed
        if not isinstance(answer, BaseException):
            wanted = {"consume": "consumed", "release": "released", "extend": "open"}[verb]
            assert line[wanted] == "1", (seed, verb, line)
    gone = sum(int(f["lines"][0]["consumed"]) for f in documents)
    still = sum(int(f["lines"][0]["open"]) for f in documents)
    assert await shop.site(tea) == (6 - gone, still, 0), seed


async def test_random_steps_never_drift(shop: Shop) -> None:
    rng = random.Random(20261121)
    skus = [await shop.stock(rng.randint(0, 12)) for _ in range(3)]
    held: list[UUID] = []

    async def act() -> None:
        choice = rng.random()
        if choice < 0.4 or not held:
            lines: Sequence[Any] = [
                (
                    rng.choice(skus),
                    rng.randint(1, 4),
                    rng.choice([Policy.what_there_is, Policy.all_or_nothing]),
                )
                for _ in range(rng.randint(1, 3))
            ]
            new = await shop.asked(*lines, ends=timedelta(milliseconds=rng.randint(1, 300)))
            held.append(new.id)
            if new.simple:
                await shop.engine.submit(reservation_item(new))
            else:
                async with shop.db.writing() as tx:
                    await ledger.reserve(tx, new)
        elif choice < 0.75:
            verb = rng.choice(["consume", "release", "extend"])
            await shop.do(verb, rng.choice(held), **({"expires_in": 1} if verb == "extend" else {}))
        elif choice < 0.85:
            await shop.sweep()
        else:
            sku = rng.choice(skus)
            moves = [shop.world.move(sku, 1, *rng.choice([("supplier", "S1"), ("S1", "customer")]))]
            await post(shop.db, shop.world.posting(*moves, mode=Mode.fact))

    for _ in range(12):
        await asyncio.gather(*[act() for _ in range(8)], return_exceptions=True)


async def test_the_books_hold_together_afterwards(db: Database, shop: Shop) -> None:
    async with db.engine.connect() as conn:
        report = await verify.verify(conn)
    assert report.ok, report.differences
    assert report.claims > 100
