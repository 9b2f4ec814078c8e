"""The verbs of transfers on a real database: what moves, what is refused, and that every unit ends somewhere."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.ledger.world import World, build, post

from onhand import ledger, transfers
from onhand.access import SYSTEM
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.problem import IdReused, Problem
from onhand.ledger import Goods, InsufficientStock, Spot
from onhand.transfers import actions
from onhand.transfers.actions import NewTransfer, StepLine
from onhand.transfers.model import Document, Outcome, OverReceipt, State, TransferState


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    from onhand.doors import wiring

    wiring.register()
    made = await build(db)
    await post(
        db,
        made.posting(
            made.move("TEA", 1000, "supplier", "W1/A"), made.move("TEA", 500, "supplier", "W1/B"),
            made.move("SALT", 50, "supplier", "W1/A"), kind="receive",
        ),
    )  # fmt: skip
    return made


async def plan(
    db: Database, world: World, quantity: int = 10, *, sku: str = "TEA", place: bool = True, **more: Any
) -> Document:
    async with db.writing() as tx:
        return await actions.draft(
            tx, SYSTEM,
            NewTransfer(
                source=Spot(id=world.places["W1"]), target=Spot(id=world.places["S1"]),
                lines=[Goods(sku=sku, quantity=str(quantity))], **more,
            ),
            place=place,
        )  # fmt: skip


async def ship(db: Database, doc: UUID, *quantities: int, id: UUID | None = None, sku: str = "TEA") -> UUID:
    lines = [StepLine(goods=Goods(sku=sku, quantity=str(q))) for q in quantities]
    async with db.writing() as tx:
        return (await actions.ship(tx, SYSTEM, doc, id=id, lines=lines))[0]


async def receive(
    db: Database,
    doc: UUID,
    good: int = 0,
    damaged: int = 0,
    *,
    id: UUID | None = None,
    sku: str = "TEA",
    **more: Any,
) -> Document:
    lines = (
        [StepLine(goods=Goods(sku=sku, quantity=str(good)), damaged=str(damaged))] if good or damaged else []
    )
    async with db.writing() as tx:
        return (await actions.receive(tx, SYSTEM, doc, id=id, lines=lines, **more))[1]


async def settle(
    db: Database, doc: UUID, outcome: Outcome, quantity: int, *, id: UUID | None = None, sku: str = "TEA"
) -> Document:
    async with db.writing() as tx:
        lines = [StepLine(goods=Goods(sku=sku, quantity=str(quantity)))]
        return (await actions.settle(tx, SYSTEM, doc, id=id, outcome=outcome, lines=lines))[1]


async def site(db: Database, world: World, code: str, sku: str = "TEA") -> tuple[int, int]:
    """sellable, reserved"""
    async with db.engine.connect() as conn:
        row = (
            await conn.execute(
                sa.text("SELECT sellable, reserved FROM site_level WHERE variant = :v AND site = :s"),
                {"v": world.variants[sku], "s": world.places[code]},
            )
        ).one_or_none()
    return (row.sellable, row.reserved) if row else (0, 0)


async def in_transit(db: Database, world: World, code: str = "S1", sku: str = "TEA") -> int:
    from onhand.locations import transit_id

    async with db.engine.connect() as conn:
        found = await conn.execute(
            sa.text("SELECT coalesce(sum(on_hand), 0) FROM level WHERE location = :l AND variant = :v"),
            {"l": transit_id(world.places[code]), "v": world.variants[sku]},
        )
        return int(found.scalar_one())


async def expected(db: Database, doc: UUID) -> dict[tuple[str, bool], int]:
    """(source_type, at the destination) → quantity"""
    async with db.engine.connect() as conn:
        rows = await conn.execute(
            sa.text(
                "SELECT source_type, quantity > 0 AS coming, sum(quantity)::bigint AS quantity FROM expectation"
                " WHERE source_id = :d GROUP BY 1, 2"
            ),
            {"d": doc},
        )
        return {(r.source_type, r.coming): r.quantity for r in rows}


async def verified(db: Database) -> None:
    from onhand.ledger.verify import verify

    async with db.engine.connect() as conn:
        report = await verify(conn)
    assert report.ok, report.differences[:5]
    assert "transfer_documents" in report.checks


async def test_placing_claims_and_shipping_gives_back_in_the_same_posting(db: Database, world: World) -> None:
    before = await site(db, world, "W1")
    doc = (await plan(db, world, 10)).id
    assert await site(db, world, "W1") == (before[0], before[1] + 10)
    assert await expected(db, doc) == {("placed_transfer", True): 10}

    step = await ship(db, doc, 4)
    assert await site(db, world, "W1") == (before[0] - 4, before[1] + 6)
    assert await in_transit(db, world) == 4
    assert await expected(db, doc) == {("placed_transfer", True): 6, ("transfer", True): 4}
    async with db.engine.connect() as conn:
        found = await ledger.recorded(conn, step)
    assert found is not None
    assert [c.quantity for c in found.claims] == [-4]
    assert [m.quantity for m in found.moves] == [4]

    await ship(db, doc)
    done = await receive(db, doc)
    assert done.state is State.received
    assert await in_transit(db, world) == 0
    assert await expected(db, doc) == {}
    assert await site(db, world, "S1") == (10, 0)
    await verified(db)


async def test_the_last_units_may_be_shipped_by_whom_they_are_claimed_for(db: Database, world: World) -> None:
    doc = (await plan(db, world, 50, sku="SALT")).id
    with pytest.raises(InsufficientStock):
        await plan(db, world, 1, sku="SALT")
    await ship(db, doc, sku="SALT")
    await receive(db, doc)
    assert await site(db, world, "W1", "SALT") == (0, 0)
    await verified(db)


async def test_without_a_claim_the_source_sees_planned_demand(db: Database, world: World) -> None:
    doc = (await plan(db, world, 3, reserves=False)).id
    assert await expected(db, doc) == {("placed_transfer", True): 3, ("placed_transfer", False): -3}
    async with db.writing() as tx:
        await actions.cancel(tx, SYSTEM, doc, version=None, reason="not needed")
    assert await expected(db, doc) == {}


async def test_short_damaged_lost_returned_found(db: Database, world: World) -> None:
    before = (await site(db, world, "W1"))[0], (await site(db, world, "S1"))[0]
    doc = (await plan(db, world, 20)).id
    await ship(db, doc)
    half = await receive(db, doc, 12, 1, complete=True)
    assert half.state is State.shipped
    assert await in_transit(db, world) == 7
    assert (await settle(db, doc, Outcome.lost, 3)).state is State.shipped
    await settle(db, doc, Outcome.returned, 2)
    assert (await settle(db, doc, Outcome.found, 2)).state is State.received
    assert await in_transit(db, world) == 0
    again = await settle(db, doc, Outcome.found, 1)  # one of the three turned up after all
    assert [p.lost for line in again.lines for p in line.parts.values()] == [2]
    assert (await site(db, world, "W1"))[0] == before[0] - 18
    assert (await site(db, world, "S1"))[0] == before[1] + 12 + 2 + 1
    async with db.engine.connect() as conn:
        rows = await conn.execute(
            sa.text("SELECT kind, state, quantity FROM exception WHERE source_id = :d"), {"d": doc}
        )
        assert [tuple(r) for r in rows] == [("short_receipt", "resolved", 7)]
    await verified(db)


async def test_more_than_was_shipped_leaves_the_source_and_opens_an_exception(
    db: Database, world: World
) -> None:
    before = await site(db, world, "W1"), await site(db, world, "S1")
    doc = (await plan(db, world, 10)).id
    await ship(db, doc)
    with pytest.raises(OverReceipt):
        await receive(db, doc, 13)
    done = await receive(db, doc, 13, accept_over=True)
    assert done.state is State.received
    assert (await site(db, world, "W1"))[0] == before[0][0] - 13
    assert (await site(db, world, "S1"))[0] == before[1][0] + 13
    async with db.engine.connect() as conn:
        row = (
            await conn.execute(
                sa.text("SELECT kind, site, quantity FROM exception WHERE source_id = :d"), {"d": doc}
            )
        ).one()
    assert tuple(row) == ("over_receipt", world.places["W1"], 3)
    await verified(db)


async def test_what_arrives_before_anybody_shipped_it_is_a_fact_as_well(db: Database, world: World) -> None:
    before = await site(db, world, "W1")
    doc = (await plan(db, world, 6)).id
    with pytest.raises(OverReceipt):
        await receive(db, doc, 4)
    done = await receive(db, doc, 4, accept_over=True)
    assert done.state is State.shipped
    assert await site(db, world, "W1") == (before[0] - 4, before[1] + 2), "what arrived is no longer claimed"
    async with db.writing() as tx:
        closed = await actions.close(tx, SYSTEM, doc, version=None, reason=None)
    assert closed.state is State.received
    assert await site(db, world, "W1") == (before[0] - 4, before[1])
    await verified(db)


async def test_the_same_step_twice_happens_once(db: Database, world: World) -> None:
    doc = (await plan(db, world, 10)).id
    step, arrival = uuid7(), uuid7()
    for _ in range(2):
        assert await ship(db, doc, 6, id=step) == step
    assert await in_transit(db, world) == 6
    with pytest.raises(IdReused):
        await ship(db, doc, 4, id=step)
    for _ in range(2):
        await receive(db, doc, 6, id=arrival)
    assert await in_transit(db, world) == 0
    with pytest.raises(IdReused):
        await receive(db, doc, 5, id=arrival)
    other = (await plan(db, world, 6)).id
    with pytest.raises(IdReused):
        await ship(db, other, 6, id=step)
    await verified(db)


async def test_a_race_of_ship_and_cancel_has_one_winner(db: Database, world: World) -> None:
    for _ in range(10):
        before = await site(db, world, "W1")
        transit = await in_transit(db, world)
        doc = (await plan(db, world, 5)).id

        async def cancel(doc: UUID = doc) -> None:
            async with db.writing() as tx:
                await actions.cancel(tx, SYSTEM, doc, version=None, reason=None)

        results = await asyncio.gather(ship(db, doc, 5), cancel(), return_exceptions=True)
        lost = [r for r in results if isinstance(r, BaseException)]
        assert len(lost) == 1
        assert isinstance(lost[0], TransferState), lost
        shipped = not isinstance(results[0], BaseException)
        assert await in_transit(db, world) == transit + (5 if shipped else 0)
        assert await site(db, world, "W1") == (before[0] - (5 if shipped else 0), before[1])
        if shipped:
            await receive(db, doc)
    await verified(db)


async def test_a_race_of_two_shipments_never_ships_twice(db: Database, world: World) -> None:
    doc = (await plan(db, world, 5)).id
    results = await asyncio.gather(*(ship(db, doc, 5) for _ in range(3)), return_exceptions=True)
    assert sum(not isinstance(r, BaseException) for r in results) == 1
    assert await in_transit(db, world) == 5
    await receive(db, doc)


async def test_goods_come_from_several_bins_and_a_shortage_names_where(db: Database, world: World) -> None:
    sellable, reserved = await site(db, world, "W1")
    doc = (await plan(db, world, sellable - reserved, reserves=False)).id
    step = await ship(db, doc)
    async with db.engine.connect() as conn:
        found = await ledger.recorded(conn, step)
    assert found is not None
    assert len({m.from_location for m in found.moves}) == 2
    await settle(db, doc, Outcome.returned, 400)
    too_much = (await plan(db, world, 401, reserves=False)).id
    with pytest.raises(InsufficientStock) as refused:
        await ship(db, too_much)
    assert refused.value.data["shortages"][0]["missing"] == "1"
    await settle(db, doc, Outcome.returned, sellable - reserved - 400)
    await verified(db)


async def test_a_step_of_a_transfer_is_not_reversed_behind_its_back(db: Database, world: World) -> None:
    from onhand.ledger.model import NotReversible

    doc = (await plan(db, world, 5)).id
    step = await ship(db, doc)
    with pytest.raises(NotReversible):
        async with db.writing() as tx:
            await ledger.reverse(tx, SYSTEM, id=None, posting_id=step, reason="oops")
    await receive(db, doc)


async def test_random_histories_conserve_every_unit(db: Database, world: World) -> None:
    """Partial, short, broken, lost, doubled messages in any order: what left is somewhere, and each message acts once."""
    seed = random.randrange(10**6)
    print("seed", seed)
    rng = random.Random(seed)
    start = sum([(await site(db, world, code))[0] for code in ("W1", "S1")])
    shelf = {"damaged": 0, "lost": 0}
    for _ in range(25):
        doc = (await plan(db, world, rng.randint(1, 20), reserves=rng.random() < 0.7)).id
        for _ in range(rng.randint(2, 7)):
            step = uuid7()
            verb = rng.choice(["ship", "receive", "receive", "lost", "returned", "found"])
            good, damaged = rng.randint(0, 8), rng.choice([0, 0, 1])
            over = rng.random() < 0.3
            for _ in range(rng.choice([1, 1, 2])):  # the message comes once or twice
                try:
                    if verb == "ship":
                        await ship(db, doc, max(1, good), id=step)
                    elif verb == "receive":
                        await receive(db, doc, max(1, good), damaged, id=step, accept_over=over)
                    else:
                        await settle(db, doc, Outcome(verb), max(1, good), id=step)
                except Problem:
                    pass
        async with db.engine.connect() as conn:
            row = (
                await conn.execute(
                    sa.text(
                        "SELECT sum(p.damaged) AS damaged, sum(p.lost) AS lost FROM transfer_part p JOIN transfer_line l"
                        " ON l.id = p.line WHERE l.transfer = :d"
                    ),
                    {"d": doc},
                )
            ).one()
        shelf["damaged"] += row.damaged or 0
        shelf["lost"] += row.lost or 0
    there = sum([(await site(db, world, code))[0] for code in ("W1", "S1")])
    assert there + await in_transit(db, world) + shelf["damaged"] + shelf["lost"] == start, f"seed {seed}"
    await verified(db)


async def test_merging_waits_for_what_is_on_its_way(db: Database, world: World) -> None:
    from onhand.kit.problem import Conflict

    doc = (await plan(db, world, 1)).id
    with pytest.raises(Conflict):
        async with db.writing() as tx:
            await transfers.follow_merge(tx, world.variants["RICE"], world.variants["TEA"])
    async with db.writing() as tx:
        await actions.cancel(tx, SYSTEM, doc, version=None, reason=None)
