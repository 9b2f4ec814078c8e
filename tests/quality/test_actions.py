"""What quality does to the books: expiry on each site's own day, serial numbers once, certificates, lots of what was sold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from tests.ledger.world import World, build, new_variant, post

from onhand import ledger, lots, quality
from onhand.access import SYSTEM as SYSTEM_CALLER
from onhand.kit.database import Database
from onhand.kit.ids import NIL, uuid7
from onhand.kit.tx import SYSTEM, Tx
from onhand.ledger import Claim, Condition, Incoming, Mode, SerialAlreadyUsed, rebuild, verify
from onhand.quality.jobs import assign_all


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    ledger.register_check("serial_levels", quality.serial_sums)
    found = await build(db)
    async with db.writing() as tx:
        for code, zone in (("S1", "Pacific/Kiritimati"), ("S2", "America/Los_Angeles")):
            await tx.conn.execute(
                sa.text("UPDATE location SET time_zone = :z WHERE id = :id"),
                {"z": zone, "id": found.places[code]},
            )
        for sku, tracking in (("MILK", "lot"), ("PHONE", "serial"), ("PILLS", "lot")):
            found.variants[sku] = await new_variant(tx.conn, sku)
            await tx.conn.execute(
                sa.text("UPDATE product SET tracking = :t FROM variant v WHERE v.product_id = product.id AND v.id = :v"),
                {"t": tracking, "v": found.variants[sku]},
            )  # fmt: skip
    return found


@asynccontextmanager
async def at(db: Database, now: datetime) -> AsyncIterator[Tx]:
    """A write transaction at an instant."""
    async with db.engine.connect() as conn:
        tx = Tx(conn=conn, now=now, actor=SYSTEM, action="test")
        yield tx
        await db.commit(tx)


async def lot(
    db: Database, world: World, sku: str, code: str, expires_on: date | None = None, kind: str = "lot"
) -> UUID:
    async with db.writing() as tx:
        return (await lots.ensure(tx, [lots.NewLot(world.variants[sku], code, expires_on, kind)]))[
            world.variants[sku], code
        ]


async def lies(db: Database, world: World, sku: str) -> dict[tuple[str, str, str], int]:
    """(place, lot code, condition) → on hand, where it is not zero."""
    async with db.reading() as conn:
        rows = await conn.execute(
            sa.text(
                "SELECT p.path, coalesce(o.code, '') AS lot, l.condition, l.on_hand FROM level l JOIN location p ON p.id = l.location"
                " LEFT JOIN lot o ON o.id = l.lot WHERE l.variant = :v AND l.on_hand <> 0"
            ),
            {"v": world.variants[sku]},
        )
        return {(r.path, r.lot, Condition(r.condition).name): r.on_hand for r in rows}


async def sound(db: Database) -> None:
    """The books hold together, the serials' too. (A claim posted here has no document, and that is said elsewhere.)"""
    report = await verify.run(db)
    assert not [d for d in report.differences if d.check != "reservations"]


async def test_a_lot_expires_on_each_sites_own_day(db: Database, world: World) -> None:
    milk = await lot(db, world, "MILK", "M1", date(2026, 3, 10))
    await post(db, world.posting(
        world.move("MILK", 5, "supplier", "S1", lot=milk), world.move("MILK", 7, "supplier", "S2", lot=milk), mode=Mode.fact
    ))  # fmt: skip
    # 10:30 UTC: on Kiritimati (UTC+14) it is the 11th already, in Los Angeles still the 10th
    async with at(db, datetime(2026, 3, 10, 10, 30, tzinfo=UTC)) as tx:
        assert await quality.expire_lots(tx) == 1
    assert await lies(db, world, "MILK") == {("S1", "M1", "expired"): 5, ("S2", "M1", "available"): 7}
    async with at(db, datetime(2026, 3, 10, 11, 0, tzinfo=UTC)) as tx:
        assert await quality.expire_lots(tx) == 0
    # more arrives the same day by a way that does not look: it goes too
    await post(db, world.posting(world.move("MILK", 2, "supplier", "S1", lot=milk), mode=Mode.fact))
    async with at(db, datetime(2026, 3, 11, 9, 0, tzinfo=UTC)) as tx:
        assert await quality.expire_lots(tx) == 2
    assert await lies(db, world, "MILK") == {("S1", "M1", "expired"): 7, ("S2", "M1", "expired"): 7}
    await sound(db)


async def test_what_is_received_expired_lands_expired(db: Database, world: World) -> None:
    old = await lot(db, world, "MILK", "M0", date(2020, 1, 1))
    line = Incoming(variant=world.variants["MILK"], location=world.places["W1/A"], quantity=3, lot=old)
    receipt = uuid7()
    for _ in range(2):
        async with db.writing() as tx:
            await ledger.receive(tx, lines=[line], happened_at=datetime(2026, 1, 2, tzinfo=UTC), id=receipt)
    assert (await lies(db, world, "MILK"))["W1/A", "M0", "expired"] == 3


async def test_a_serial_number_is_on_hand_once(db: Database, world: World) -> None:
    phone = await lot(db, world, "PHONE", "SN-1", kind="serial")
    await post(db, world.posting(world.move("PHONE", 1, "supplier", "W1/A", lot=phone), mode=Mode.fact))
    with pytest.raises(SerialAlreadyUsed):
        await post(db, world.posting(world.move("PHONE", 1, "supplier", "S2", lot=phone), mode=Mode.fact))
    await post(
        db, world.posting(world.move("PHONE", 1, "W1/A", "S2", lot=phone))
    )  # moving it is no second one
    await post(db, world.posting(world.move("PHONE", 1, "S2", "customer", lot=phone), kind="sell"))
    with pytest.raises(SerialAlreadyUsed):
        await post(db, world.posting(world.move("PHONE", 1, "S2", "customer", lot=phone), kind="sell"))
    await post(
        db, world.posting(world.move("PHONE", 1, "customer", "S1", lot=phone), kind="return", mode=Mode.fact)
    )
    await post(db, world.posting(world.move("PHONE", 1, "S1", "customer", lot=phone), kind="sell"))
    await sound(db)


async def test_two_docks_cannot_receive_one_serial_number_at_once(db: Database, world: World) -> None:
    ids = [await lot(db, world, "PHONE", f"SN-2{n}", kind="serial") for n in range(6)]

    async def one(lot_id: UUID, place: str) -> bool:
        try:
            await post(
                db, world.posting(world.move("PHONE", 1, "supplier", place, lot=lot_id), mode=Mode.fact)
            )
        except SerialAlreadyUsed:
            return False
        return True

    places = ("W1/A", "W1/B", "S1", "S2")
    for lot_id in ids:
        won = await asyncio.gather(*(one(lot_id, place) for place in places))
        assert sum(won) == 1
    here = {code for (_, code, _) in await lies(db, world, "PHONE")}
    assert here >= {f"SN-2{n}" for n in range(6)}

    async def sell(lot_id: UUID, place: str) -> bool:
        try:
            await post(db, world.posting(world.move("PHONE", 1, place, "customer", lot=lot_id), kind="sell"))
        except (SerialAlreadyUsed, ledger.InsufficientStock):
            return False
        return True

    for lot_id in ids:
        sold = await asyncio.gather(*(sell(lot_id, place) for place in (*places, *places)))
        assert sum(sold) == 1
    await sound(db)


async def test_the_database_itself_refuses_a_second_unit(
    db: Database, world: World, database_urls: tuple[str, str]
) -> None:
    """Without any of our code: the constraint stands in the schema, and the application may not write the table."""
    phone = await lot(db, world, "PHONE", "SN-3", kind="serial")
    async with db.engine.connect() as conn:
        for statement in (
            "INSERT INTO serial VALUES (:l, 1)",
            "SELECT ledger_serials(ARRAY[CAST(:l AS uuid)], ARRAY[CAST(1 AS bigint)], true)",
        ):
            with pytest.raises(sa.exc.DBAPIError, match="permission denied"):
                await conn.execute(sa.text(statement), {"l": phone})
            await conn.rollback()
    with (
        psycopg.connect(database_urls[0]) as owner,
        pytest.raises(psycopg.errors.CheckViolation, match="once"),
    ):
        owner.execute("INSERT INTO serial VALUES (%s, 2)", (phone,))


async def test_lots_of_a_days_sales_are_assigned_and_the_books_balance(db: Database, world: World) -> None:
    early = await lot(db, world, "PILLS", "P1", date(2030, 1, 1))
    late = await lot(db, world, "PILLS", "P2", date(2030, 2, 1))
    await post(db, world.posting(
        world.move("PILLS", 4, "supplier", "S1", lot=early), world.move("PILLS", 10, "supplier", "S1", lot=late),
        world.move("PILLS", 3, "supplier", "S2", lot=late), mode=Mode.fact,
    ))  # fmt: skip
    for _ in range(6):  # tills sell without naming a lot
        await post(db, world.posting(world.move("PILLS", 1, "S1", "customer"), kind="sell", mode=Mode.fact))
    await post(db, world.posting(world.move("PILLS", 5, "S2", "customer"), kind="sell", mode=Mode.fact))
    assert (await lies(db, world, "PILLS"))["S1", "", "available"] == -6
    assert await assign_all(db) == 2
    assert await lies(db, world, "PILLS") == {
        ("S1", "P2", "available"): 8,  # four of P1 went first, then two of P2
        ("S2", "", "available"): -2,  # more was sold here than any lot covers
    }
    assert await assign_all(db) == 0  # nothing is left to do
    await post(db, world.posting(world.move("PILLS", 1, "S1", "customer"), kind="sell", mode=Mode.fact))
    assert await assign_all(db) == 1
    async with db.reading() as conn:
        balance = await conn.execute(
            sa.text(
                "SELECT o.code, sum(e.quantity) FILTER (WHERE p.kind = 'supplier') AS bought,"
                " sum(e.quantity) FILTER (WHERE p.kind = 'lot_assignment') AS assigned,"
                " sum(e.quantity) FILTER (WHERE e.kept) AS here FROM ledger_entry e JOIN location p ON p.id = e.location"
                " JOIN lot o ON o.id = e.lot WHERE e.variant = :v GROUP BY o.code ORDER BY o.code"
            ),
            {"v": world.variants["PILLS"]},
        )
        rows = {r.code: (int(r.bought), int(r.assigned or 0), int(r.here)) for r in balance}
        between = await conn.execute(
            sa.text("SELECT sum(e.quantity) FROM ledger_entry e JOIN location p ON p.id = e.location"
                    " WHERE p.kind = 'lot_assignment' AND e.variant = :v"),
            {"v": world.variants["PILLS"]},
        )  # fmt: skip
        assert between.scalar_one() == 0  # as much went in as came out
    assert rows == {"P1": (-4, 4, 0), "P2": (-13, 6, 7)}
    await sound(db)


async def test_goods_wait_in_quarantine_until_their_certificate_is_approved(
    db: Database, world: World
) -> None:
    vaccine = await new_variant_in(db, world, "VACCINE")
    batch = await lot(db, world, "VACCINE", "V1", date(2030, 1, 1))
    async with db.writing() as tx:
        await lots.put_policy(
            tx.conn, {"subject_id": vaccine, "subject": "variant", "needs_certificate": True}
        )
    line = Incoming(variant=vaccine, location=world.places["W1/A"], quantity=30, lot=batch)
    async with db.writing() as tx:
        await ledger.receive(tx, lines=[line], happened_at=tx.now)
    assert await lies(db, world, "VACCINE") == {("W1/A", "V1", "quarantine"): 30}
    # what came by another way is found by the job
    await post(db, world.posting(world.move("VACCINE", 5, "supplier", "S1", lot=batch), mode=Mode.fact))
    for expected in (1, 0):
        async with db.writing() as tx:
            assert await quality.quarantine_uncertified(tx) == expected
    async with db.writing() as tx:
        with pytest.raises(lots.CertificateNotWaiting):
            await quality.decide_certificate(tx, batch, verb="approve", note=None)
    await set_state(db, batch, "waiting")
    async with db.writing() as tx:
        await quality.decide_certificate(tx, batch, verb="approve", note="looks right")
    assert await lies(db, world, "VACCINE") == {("W1/A", "V1", "available"): 30, ("S1", "V1", "available"): 5}
    async with db.writing() as tx:
        await ledger.receive(tx, lines=[line], happened_at=tx.now)
    assert (await lies(db, world, "VACCINE"))["W1/A", "V1", "available"] == 60
    await sound(db)


async def new_variant_in(db: Database, world: World, sku: str) -> UUID:
    async with db.writing() as tx:
        world.variants[sku] = await new_variant(tx.conn, sku)
    return world.variants[sku]


async def set_state(db: Database, lot_id: UUID, state: str) -> None:
    async with db.writing() as tx:
        await lots.update_lot(tx.conn, lot_id, {"certificate_state": state})


async def test_untracked_goods_name_no_lot(db: Database, world: World) -> None:
    await post(db, world.posting(world.move("TEA", 1, "supplier", "S1"), mode=Mode.fact))
    async with db.reading() as conn:
        rows = await conn.execute(
            sa.text("SELECT DISTINCT lot FROM move WHERE variant = :v"), {"v": world.variants["TEA"]}
        )
        assert rows.scalars().all() == [NIL]


async def test_reserved_goods_are_held_too_and_somebody_is_told(db: Database, world: World) -> None:
    await post(db, world.posting(world.move("SALT", 10, "supplier", "W1/A"), mode=Mode.fact))
    claim = Claim(reservation=uuid7(), variant=world.variants["SALT"], site=world.places["W1"], quantity=8)
    await post(db, world.posting(kind="reserve", claims=(claim,)))
    async with db.writing() as tx:
        hold = await quality.place_hold(
            tx,
            SYSTEM_CALLER,
            quality.NewHold(variant_id=world.variants["SALT"], location_id=world.places["W1"], reason="wet"),
        )
    async with db.reading() as conn:
        level = await conn.execute(
            sa.text("SELECT sellable, reserved, overdrawn FROM site_level WHERE variant = :v"),
            {"v": world.variants["SALT"]},
        )
        assert tuple(level.one()) == (0, 8, 8)
        told = await conn.execute(
            sa.text("SELECT quantity, source_type FROM exception WHERE kind = 'oversold' AND variant = :v"),
            {"v": world.variants["SALT"]},
        )
        assert [tuple(row) for row in told] == [(8, "hold")]
    # what arrives while the place is on hold lands on hold, and is given back with the rest
    line = Incoming(variant=world.variants["SALT"], location=world.places["W1/B"], quantity=4)
    async with db.writing() as tx:
        await ledger.receive(tx, lines=[line], happened_at=tx.now)
    assert await lies(db, world, "SALT") == {("W1/A", "", "hold"): 10, ("W1/B", "", "hold"): 4}
    # carried to another bin meanwhile: the hold still finds it
    await post(db, world.posting(world.move("SALT", 10, "W1/A", "W1/Q", from_condition=1, to_condition=1)))
    # some more was put on hold by hand: that stays
    await post(db, world.posting(world.move("SALT", 3, "supplier", "S2"), mode=Mode.fact))
    await post(db, world.posting(world.move("SALT", 3, "S2", "S2", to_condition=1), kind="hold"))
    async with db.writing() as tx:
        await quality.release_hold(tx, SYSTEM_CALLER, hold, reason="dry")
    assert await lies(db, world, "SALT") == {
        ("W1/Q", "", "available"): 10, ("W1/B", "", "available"): 4, ("S2", "", "hold"): 3
    }  # fmt: skip
    await sound(db)


async def test_a_hold_and_a_delivery_at_the_same_moment_leave_nothing_for_sale(
    db: Database, world: World
) -> None:
    rush = await new_variant_in(db, world, "RUSH")
    batch = await lot(db, world, "RUSH", "R1")

    async def deliver(n: int) -> None:
        line = Incoming(variant=rush, location=world.places["W1/A" if n % 2 else "S1"], quantity=1, lot=batch)
        async with db.writing() as tx:
            await ledger.receive(tx, lines=[line], happened_at=tx.now)

    async def recall() -> UUID:
        async with db.writing() as tx:
            return await quality.place_hold(
                tx, SYSTEM_CALLER, quality.NewHold(lot_id=batch, condition="recalled", reason="now")
            )

    placing = asyncio.create_task(recall())
    await asyncio.gather(placing, *(deliver(n) for n in range(12)))
    hold = placing.result()
    async with db.writing() as tx:
        await quality.enforce_holds(tx, hold)
    found = await lies(db, world, "RUSH")
    assert {condition for _, _, condition in found} == {"recalled"}
    assert sum(found.values()) == 12
    async with db.writing() as tx:
        await quality.release_hold(tx, SYSTEM_CALLER, hold, reason="over")
    assert sum(q for (_, _, c), q in (await lies(db, world, "RUSH")).items() if c == "available") == 12
    await sound(db)


async def test_rebuilding_the_books_counts_the_serial_numbers_again(
    db: Database, world: World, database_urls: tuple[str, str]
) -> None:
    phone = await lot(db, world, "PHONE", "SN-4", kind="serial")
    await post(db, world.posting(world.move("PHONE", 1, "supplier", "S1", lot=phone), mode=Mode.fact))
    owner = Database.open(database_urls[0], pool_size=1)
    owner.before_commit = db.before_commit
    async with owner.writing(action="damage") as tx:
        await tx.conn.execute(sa.text("UPDATE serial SET on_hand = 0 WHERE lot = :l"), {"l": phone})
    async with db.reading() as conn:
        assert [d.expected for d in await quality.serial_sums(conn)] == ["1"]
    async with owner.writing(action="rebuild") as tx:
        mended = await rebuild.rebuild(tx)
    await owner.close()
    assert [(m.table, m.was, m.now) for m in mended] == [("serial", "0", "1")]
    await sound(db)
