"""Rows of docs/failures.md about the posting engine: poison, baskets, callers that go away, transactions that stay, ids for ever."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from onhand.kit.database import Database, WeakDurability, refuse_weak_durability
from onhand.kit.postgres import SUPERUSER, EmbeddedPostgres
from onhand.kit.problem import InternalError
from onhand.ledger import (
    Engine,
    InsufficientStock,
    Item,
    LevelTooLarge,
    Mode,
    Outcome,
    Posting,
    Status,
    verify,
)
from onhand.ledger.model import MAX_QUANTITY, AlreadyReversed, InvalidPosting
from tests.faults import SEED, often
from tests.faults.script import MAKE_NOTE, engine_on
from tests.ledger.world import World, build, new_variant, post


@pytest.fixture(scope="module")
async def world(db: Database, database_urls: tuple[str, str]) -> World:
    with psycopg.connect(database_urls[0], autocommit=True) as owner:
        for statement in MAKE_NOTE:
            owner.execute(statement)
    return await build(db)


@pytest.fixture(scope="module")
async def engine(db: Database, world: World, database_urls: tuple[str, str]) -> AsyncIterator[Engine]:
    lane = engine_on(database_urls[1], db)
    lane.batch_size = 512
    await lane.start()
    yield lane
    await lane.stop()


@pytest.fixture
def root(server: EmbeddedPostgres, database_urls: tuple[str, str]) -> Iterator[psycopg.Connection]:
    name = str(psycopg.conninfo.conninfo_to_dict(database_urls[0])["dbname"])
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as conn:
        yield conn


async def fresh(db: Database, world: World, sku: str) -> UUID:
    """A variant of this test's own."""
    async with db.writing() as tx:
        world.variants[sku] = await new_variant(tx.conn, f"{sku}-{random.random()}")
    return world.variants[sku]


async def on_hand(db: Database, variant: UUID) -> int:
    """Over all places."""
    async with db.reading() as conn:
        found = await conn.execute(
            sa.text("SELECT coalesce(sum(on_hand), 0) FROM level WHERE variant = :v"), {"v": variant}
        )
        return int(found.scalar_one())


async def test_only_the_poisoned_entries_of_a_batch_fail(db: Database, world: World, engine: Engine) -> None:
    """Row 3. A document row that the database refuses spoils its own entry, wherever it stands in the batch."""
    pick, variant, good = random.Random(SEED), await fresh(db, world, "POISON"), 0
    for _ in range(often(8, 2000)):
        share = pick.uniform(0, 0.2)
        bad = [pick.random() < share for _ in range(pick.randint(2, 60))]
        items = [
            Item(
                world.posting(world.move("POISON", 1, "supplier", "S1")),
                {"note": [(-1 if b else pick.getrandbits(60) + 1,)]},
            )
            for b in bad
        ]
        answers = await asyncio.gather(*[engine.submit(i) for i in items], return_exceptions=True)
        for wrong, answer in zip(bad, answers, strict=True):
            if wrong:
                assert isinstance(answer, InternalError), f"seed {SEED}"
            else:
                assert not isinstance(answer, BaseException), f"seed {SEED}: {answer!r}"
                assert answer.status is Status.posted
        good += bad.count(False)
        assert await on_hand(db, variant) == good
    assert good


@pytest.mark.parametrize("door", [False, True], ids=["lane", "door"])
async def test_a_variant_that_comes_twice_is_demanded_twice(
    db: Database, world: World, engine: Engine, door: bool
) -> None:
    """Row 5. Five lie there; three and three is one too many, three and two is not, and a refused basket takes nothing."""
    variant = await fresh(db, world, "TWICE")
    await post(db, world.posting(world.move("TWICE", 5, "supplier", "S1")))

    async def basket(*quantities: int) -> bool:
        posting = world.posting(*[world.move("TWICE", q, "S1", "customer") for q in quantities])
        if not door:
            return (await engine.submit(Item(posting))).ok
        try:
            return (await post(db, posting)).outcomes[0].ok
        except InsufficientStock:
            return False

    assert not await basket(3, 3)
    assert not await basket(1, 1, 1, 1, 1, 1)
    assert await on_hand(db, variant) == 5
    assert await basket(3, 2)
    assert not await basket(1)
    assert await on_hand(db, variant) == 0


async def test_random_baskets_take_what_arithmetic_says(db: Database, world: World, engine: Engine) -> None:
    """Row 5 at large: baskets with repeats, one after another; each is taken exactly if all its lines together fit."""
    pick, skus = random.Random(SEED), ("B1", "B2", "B3")
    left = {}
    for sku in skus:
        await fresh(db, world, sku)
        left[sku] = 40
        await post(db, world.posting(world.move(sku, 40, "supplier", "S1")))
    for _ in range(often(60, 10_000)):
        lines = [(pick.choice(skus), pick.randint(1, 4)) for _ in range(pick.randint(1, 5))]
        wanted = {sku: sum(q for s, q in lines if s == sku) for sku in skus}
        fits = all(wanted[sku] <= left[sku] for sku in skus)
        posting = world.posting(*[world.move(sku, q, "S1", "customer") for sku, q in lines])
        assert (await engine.submit(Item(posting))).ok == fits, f"seed {SEED}: {lines} of {left}"
        if fits:
            left = {sku: left[sku] - wanted[sku] for sku in skus}
        elif pick.random() < 0.3:
            back = pick.choice(skus)
            left[back] += 10
            await post(db, world.posting(world.move(back, 10, "supplier", "S1")))
    assert {sku: await on_hand(db, world.variants[sku]) for sku in skus} == left


_LINES = "SELECT pid, application_name, state FROM pg_stat_activity WHERE datname = current_database() AND usename = 'onhand_app'"


async def test_callers_that_go_away_leave_nothing_behind(
    db: Database, world: World, engine: Engine, root: psycopg.Connection
) -> None:
    """Row 13. Callers are cancelled at random moments at both doors; connections stay as they were, and nothing is half done."""
    pick, variant = random.Random(SEED), await fresh(db, world, "GONE")
    await asyncio.gather(
        *[post(db, world.posting(world.move("GONE", 1, "supplier", "S1"))) for _ in range(16)]
    )
    lane = [row[0] for row in root.execute(_LINES).fetchall() if "lane" in row[1]]
    asked: list[Posting] = []
    for _ in range(often(25, 1000)):
        batch = [world.posting(world.move("GONE", 1, "supplier", "S1")) for _ in range(12)]
        asked += batch
        tasks = [
            asyncio.create_task(engine.submit(Item(p)) if n % 3 else post(db, p)) for n, p in enumerate(batch)
        ]
        await asyncio.sleep(pick.choice((0, 0, 0.001, 0.003, 0.006)))
        for task in pick.sample(tasks, 8):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await engine.submit(
        Item(world.posting(world.move("GONE", 1, "supplier", "S1")))
    )  # all before it is through
    await asyncio.sleep(0.1)
    rows = root.execute(_LINES).fetchall()
    assert [row[0] for row in rows if "lane" in row[1]] == lane, "the lane kept its connections"
    assert len(rows) <= len(lane) + 2 * 8, "the pool did not grow"
    assert not [row for row in rows if "transaction" in (row[2] or "")], "nothing is left open"
    posted = root.execute(
        "SELECT count(*) FROM posting WHERE id = ANY(%s)", ([p.id for p in asked],)
    ).fetchone()
    assert posted is not None
    assert await on_hand(db, variant) == 16 + posted[0] + 1
    again = [await post(db, p) for p in asked[:60]]
    assert all(p.outcomes[0].ok for p in again), "whoever asks again is answered"


async def test_a_transaction_that_stays_open_delays_nothing(
    db: Database, world: World, engine: Engine
) -> None:
    """Row 16. A report holds its snapshot; postings and events go on, for a stream's order does not wait for old readers."""
    await fresh(db, world, "LONG")
    async with db.engine.connect() as report:
        await report.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        before = (await report.execute(sa.text("SELECT posting_n FROM stream_head"))).scalar_one()
        for _ in range(20):
            async with asyncio.timeout(2):
                assert (await engine.submit(Item(world.posting(world.move("LONG", 1, "supplier", "S1"))))).ok
        async with db.reading() as conn:
            head, events = (await conn.execute(sa.text("SELECT posting_n, event_n FROM stream_head"))).one()
            seen = (await conn.execute(sa.text("SELECT max(event_n) FROM outbox"))).scalar_one()
        assert head >= before + 20
        assert seen == events, "a reader has every event while the report still runs"
        assert (await report.execute(sa.text("SELECT posting_n FROM stream_head"))).scalar_one() == before


async def test_a_mistake_is_undone_once_however_many_try(db: Database, world: World, engine: Engine) -> None:
    """Row 26, through both doors at once."""
    variant = await fresh(db, world, "UNDO")
    wrong = world.posting(world.move("UNDO", 4, "supplier", "S1"))
    await post(db, wrong)

    def undo() -> Posting:
        return world.posting(
            world.move("UNDO", 4, "S1", "supplier"), mode=Mode.fact, reverses=wrong.id, kind="reverse"
        )

    done: list[Any] = await asyncio.gather(
        *[engine.submit(Item(undo())) for _ in range(20)],
        *[post(db, undo()) for _ in range(8)],
        return_exceptions=True,
    )
    undone = [
        d
        for d in done
        if not isinstance(d, BaseException) and getattr(d, "status", None) is not Status.already_reversed
    ]
    assert len(undone) == 1, done
    assert all(
        isinstance(d, AlreadyReversed) or "moment" in str(d) for d in done if isinstance(d, BaseException)
    ), done
    assert await on_hand(db, variant) == 0


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1, 10**18, 2**63, 10**30])
async def test_a_quantity_beyond_the_range_never_reaches_the_database(
    db: Database, world: World, engine: Engine, quantity: int
) -> None:
    """Row 20."""
    for mode in Mode:
        posting = world.posting(world.move("TEA", quantity, "supplier", "S1"), mode=mode)
        with pytest.raises(InvalidPosting):
            await engine.submit(Item(posting))
        with pytest.raises(InvalidPosting):
            await post(db, posting)


async def test_the_largest_quantity_is_a_quantity(db: Database, world: World, engine: Engine) -> None:
    """Row 20: the limit itself, many lines of it, and back."""
    variant = await fresh(db, world, "LARGE")
    there = world.posting(*[world.move("LARGE", MAX_QUANTITY, "supplier", "S1")] * 20)
    assert (await engine.submit(Item(there))).ok
    assert await on_hand(db, variant) == 20 * MAX_QUANTITY
    back = world.posting(*[world.move("LARGE", MAX_QUANTITY, "S1", "supplier")] * 20)
    assert (await engine.submit(Item(back))).ok
    assert await on_hand(db, variant) == 0


async def test_a_level_beyond_what_can_be_counted_is_refused(
    db: Database, world: World, engine: Engine
) -> None:
    """Row 20: 64 bits are full after 18 times 500 lines of the most. The next is refused by name, in the lane, where its neighbour
    posts, and at the door; a batch whose sum alone is too large is told apart."""
    variant = await fresh(db, world, "FULL")
    lines = [world.move("FULL", MAX_QUANTITY, "supplier", "S1")] * 500
    for _ in range(18):
        assert (await engine.submit(Item(world.posting(*lines)))).ok
    much, more = world.posting(*lines), world.posting(*lines)
    little = world.posting(world.move("TEA", 1, "supplier", "S1"))
    first, second, third = await asyncio.gather(
        *(engine.submit(Item(p)) for p in (much, more, little)), return_exceptions=True
    )
    assert [type(first), type(second), type(third)] == [LevelTooLarge, LevelTooLarge, Outcome]
    with pytest.raises(LevelTooLarge):
        await post(db, much)
    assert await on_hand(db, variant) == 18 * 500 * MAX_QUANTITY
    back = [world.move("FULL", MAX_QUANTITY, "S1", "supplier")] * 500
    for _ in range(18):
        assert (await engine.submit(Item(world.posting(*back)))).ok


async def test_all_of_this_left_sound_books(db: Database, world: World) -> None:
    async with db.engine.connect() as conn:
        report = await verify.verify(conn)
    assert report.ok, report.differences[:5]


@pytest.mark.parametrize("weak", ["synchronous_commit"])
async def test_weak_durability_is_refused(db: Database, weak: str) -> None:
    """Row 31. What is acknowledged is on disk, or Onhand does not start."""
    async with db.engine.connect() as conn:
        await refuse_weak_durability(conn)
        await conn.execute(sa.text(f"SET LOCAL {weak} = off"))
        with pytest.raises(WeakDurability) as refused:
            await refuse_weak_durability(conn)
        assert weak in str(refused.value.data)


def test_pages_have_checksums(root: psycopg.Connection) -> None:
    """Row 32."""
    assert root.execute("SHOW data_checksums").fetchone() == ("on",)
