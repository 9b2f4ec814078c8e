"""What other packages ask of the ledger: receipts, opening stock in chunks, merges, expectations, checks."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa

from onhand import ledger, lots
from onhand.access import SYSTEM
from onhand.kit.database import Database
from onhand.kit.ids import NIL, uuid7
from onhand.kit.problem import Conflict, IdReused
from onhand.ledger import Claim, Expectation, Incoming, Move, reads, verify
from onhand.locations import virtual_id
from tests.ledger.world import START, World, build, document_claims, new_variant, post


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    return await build(db)


async def on_hand(db: Database, variant: UUID) -> dict[str, str]:
    async with db.reading() as conn:
        rows, _ = await reads.list_levels(conn, reads.LevelFilter(variant_id=variant), limit=50, cursor=None)
    return {
        f"{r['location_path']} {r['lot_code'] or ''}".strip(): r["on_hand"]
        for r in rows
        if float(r["on_hand"])
    }


async def test_a_receipt_carries_what_goods_cost(db: Database, world: World) -> None:
    line = Incoming(
        variant=world.variants["TEA"],
        location=world.places["W1/A"],
        quantity=12,
        unit_cost="1.17",
        currency="EUR",
    )
    receipt = uuid7()
    for _ in range(2):
        async with db.writing() as tx:
            posted = await ledger.receive(tx, lines=[line], happened_at=START, id=receipt)
    assert posted.outcomes[0].status == "already_posted"
    with pytest.raises(IdReused):
        async with db.writing() as tx:
            await ledger.receive(tx, lines=[line, line], happened_at=START, id=receipt)
    async with db.reading() as conn:
        found = await reads.get_posting(conn, receipt, scope=None, costs=True)
    assert found is not None
    assert found["lines"][0]["unit_cost"] == {"amount": "1.17", "currency": "EUR"}
    assert found["lines"][0]["from"]["code"] == "SUPPLIER"


async def test_goods_come_in_by_the_thousand_and_post_once(db: Database, world: World) -> None:
    async with db.writing() as tx:
        ids = [await new_variant(tx.conn, f"O-{n:04}") for n in range(1200)]
    receipts = [
        world.posting(
            *(
                Move(variant=v, from_location=virtual_id("adjustment"), to_location=world.places["S2"], quantity=3)
                for v in ids[first : first + 400]
            )
        )
        for first in (0, 400, 800)
    ]  # fmt: skip

    async def run() -> list[str]:
        async with db.writing() as tx:
            outcomes = await ledger.post_goods_in(tx, receipts)
        return [o.status.value for o in outcomes]

    async def head() -> tuple[int, int]:
        async with db.reading() as conn:
            row = (await conn.execute(sa.text("SELECT posting_n, event_n FROM stream_head"))).one()
        return int(row.posting_n), int(row.event_n)

    before = await head()
    assert await run() == ["posted"] * 3
    after = await head()
    assert after == (before[0] + 3, before[1] + 1200), "a level event a variant"
    assert await run() == ["already_posted"] * 3
    assert await head() == after, "the same again posts nothing"
    assert await on_hand(db, ids[777]) == {"S2": "3"}


async def test_goods_in_are_refused_as_a_whole_or_taken(db: Database, world: World) -> None:
    good = world.posting(world.move("TEA", 1, "adjustment", "S2"))
    unknown = world.posting(msgspec.structs.replace(good.moves[0], variant=uuid7()))
    with pytest.raises(ledger.UnknownVariant) as refused:
        async with db.writing() as tx:
            await ledger.post_goods_in(tx, [good, unknown])
    assert refused.value.data["index"] == 1
    with pytest.raises(ValueError, match="only goods coming in"):
        async with db.writing() as tx:
            await ledger.post_goods_in(tx, [world.posting(world.move("TEA", 1, "S2", "customer"))])
    changed = msgspec.structs.replace(good, digest=b"other")
    async with db.writing() as tx:
        await ledger.post_goods_in(tx, [good])
    with pytest.raises(IdReused):
        async with db.writing() as tx:
            await ledger.post_goods_in(tx, [changed])


async def test_a_merge_carries_stock_over_lot_by_lot(db: Database, world: World) -> None:
    async with db.writing() as tx:
        keep, gone = [await new_variant(tx.conn, f"M-{n}") for n in "ab"]
        lot = (await lots.ensure(tx, [lots.NewLot(gone, "L7")]))[gone, "L7"]
    world.variants |= {"KEEP": keep, "GONE": gone}
    await post(db, world.posting(world.move("KEEP", 2, "supplier", "S1")))
    await post(
        db,
        world.posting(
            world.move("GONE", 5, "supplier", "S1"), world.move("GONE", 4, "supplier", "W1/A", lot=lot)
        ),
    )
    await post(db, world.posting(world.move("GONE", 3, "S2", "customer"), mode=ledger.Mode.fact))
    async with db.writing() as tx:
        await ledger.carry_over(tx, keep, gone)
    assert await on_hand(db, gone) == {}
    assert await on_hand(db, keep) == {"S1": "7", "W1/A L7": "4", "S2": "-3"}
    claim = Claim(reservation=uuid7(), variant=keep, site=world.places["S1"], quantity=1)
    await post(db, world.posting(kind="reserve", claims=(claim,)))
    with pytest.raises(Conflict):
        async with db.writing() as tx:
            await ledger.carry_over(tx, gone, keep)


async def test_expectations_are_what_is_on_order(db: Database, world: World) -> None:
    tea, site = world.variants["TEA"], world.places["S1"]
    await post(db, world.posting(world.move("TEA", 1, "supplier", "S1")))

    async def expect(*quantities: int) -> str:
        async with db.writing() as tx:
            await ledger.expect(
                tx,
                [
                    Expectation(source_line=UUID(int=n + 1), source_type="purchase_order", source_id=NIL, variant=tea, site=site, quantity=q, due=datetime.now(UTC))
                    for n, q in enumerate(quantities)
                ],
            )  # fmt: skip
        async with db.reading() as conn:
            rows, _ = await reads.list_site_levels(
                conn, reads.StockFilter(variant_id=tea, site_id=site), limit=1, cursor=None, costs=False
            )
        return str(rows[0]["on_order"])

    assert await expect(5, 7) == "12"
    assert await expect(6) == "13"
    assert await expect(0, 0) == "0"


async def test_what_lower_floors_may_ask(db: Database, world: World) -> None:
    async with db.writing() as tx:
        fresh = await new_variant(tx.conn, "FRESH")
    async with db.reading() as conn:
        assert await ledger.used_variants(conn, [fresh, world.variants["TEA"]]) == {world.variants["TEA"]}
        found = await ledger.holding_stock(conn, [world.places["W1/B"], world.places["S1"]])
        assert found == {world.places["S1"]}


async def test_a_void_reverses_in_the_name_of_its_document(db: Database, world: World) -> None:
    sold = world.posting(
        world.move("TEA", 1, "S1", "customer"), kind="sell", mode=ledger.Mode.fact, source_type="till"
    )
    await post(db, sold)
    void = uuid7()
    async with db.writing() as tx:
        original = await ledger.recorded(tx.conn, sold.id)
        assert original is not None
        undo = ledger.reversing(
            original,
            id=void,
            actor=SYSTEM.id,
            reason="wrong customer",
            mode=ledger.Mode.fact,
            source=("void", void),
        )
        await ledger.post(tx, [undo])
    async with db.reading() as conn:
        found = await reads.get_posting(conn, sold.id, scope=None, costs=False)
    assert found is not None
    assert (found["reversed_by"], found["can"]) == (void, [])


async def test_the_door_opens_once_a_transaction(db: Database, world: World) -> None:
    async with db.writing() as tx:
        await ledger.post(tx, [world.posting(world.move("TEA", 1, "supplier", "S1"))])
        await ledger.flush_postings(tx)
        with pytest.raises(RuntimeError, match="once a transaction"):
            await ledger.post(tx, [world.posting(world.move("TEA", 1, "supplier", "S1"))])


async def test_the_books_are_sound(db: Database, world: World) -> None:
    await document_claims(db)
    async with db.engine.connect() as conn:
        report = await verify.verify(conn)
    assert report.ok, report.differences
