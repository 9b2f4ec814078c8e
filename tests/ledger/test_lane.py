"""The lane and the door on a real database: batches, races, retries, locks, and readers who miss nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.outbox import read_after
from onhand.kit.problem import IdReused, Unavailable
from onhand.ledger import (
    Engine,
    InsufficientStock,
    Item,
    Mode,
    Outcome,
    Posting,
    Status,
    digest_of,
    load_directory,
    verify,
)
from onhand.ledger.model import AlreadyReversed
from tests.ledger.histories import cut, history
from tests.ledger.world import World, build, document_claims, new_variant, post


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    return await build(db)


@pytest.fixture(scope="module")
async def engine(db: Database, world: World, database_urls: tuple[str, str]) -> AsyncIterator[Engine]:
    async def load() -> Any:
        async with db.engine.connect() as conn:
            return await load_directory(conn)

    lane = Engine(url=database_urls[1], load_directory=load)
    await lane.start()
    yield lane
    await lane.stop()


async def variants(db: Database, count: int) -> list[UUID]:
    async with db.writing() as tx:
        return [await new_variant(tx.conn, f"V-{uuid7()}") for _ in range(count)]


async def book(db: Database, ids: list[UUID]) -> list[tuple[Any, ...]]:
    """The levels of some variants, by their position instead of their ids."""
    async with db.reading() as conn:
        rows = await conn.execute(
            sa.text(
                "SELECT 'l', array_position(CAST(:v AS uuid[]), variant), location, condition, on_hand, overdrawn FROM level"
                " WHERE variant = ANY(:v) AND (on_hand, overdrawn) <> (0, 0) UNION ALL"
                " SELECT 's', array_position(CAST(:v AS uuid[]), variant), site, sellable::int2, reserved, overdrawn FROM site_level"
                " WHERE variant = ANY(:v) AND (sellable, reserved, overdrawn) <> (0, 0, 0) ORDER BY 1, 2, 3, 4"
            ),
            {"v": ids},
        )
        return [tuple(r) for r in rows]


def plain(outcome: Outcome, ids: list[UUID]) -> tuple[Any, ...]:
    return (
        outcome.status.value,
        [(ids.index(s.variant), s.place, s.quantity) for s in outcome.oversold],
        [(ids.index(s.variant), s.place, s.quantity) for s in outcome.shortages],
    )


@pytest.mark.parametrize("seed", range(6))
async def test_batches_are_the_same_as_one_by_one(
    db: Database, world: World, engine: Engine, seed: int
) -> None:
    """One history told three ways: one by one, in random batches through the optimistic path, and at the door."""
    answers, books = [], []
    for way in ("singly", "batches", "locked"):
        rng = random.Random(seed)
        ids = await variants(db, 3)
        tick = world.ticks
        groups = history(world, ids, rng, 60)
        world.ticks = tick
        told: list[tuple[Any, ...]] = []
        batches = cut(groups, random.Random(seed + 1)) if way == "batches" else [[g] for g in groups]
        engine.batch_size = 512 if way == "batches" else 1
        seqs: list[int] = []
        for batch in batches:
            tasks = [engine.submit_many([Item(p) for p in g], group=len(g) > 1) for g in batch]
            for outcomes in await asyncio.gather(*tasks):
                told += [plain(o, ids) for o in outcomes]
                seqs += [o.seq or 0 for o in outcomes if o.status is Status.posted]
        assert seqs == list(range(min(seqs), min(seqs) + len(seqs))), "numbers are dense and in arrival order"
        answers.append(told)
        books.append(await book(db, ids))
    engine.batch_size = 512
    assert answers[0] == answers[1] == answers[2], f"seed {seed}"
    assert books[0] == books[1] == books[2], f"seed {seed}"


async def test_the_last_unit_has_one_winner(db: Database, world: World, engine: Engine) -> None:
    for _ in range(5):
        world.variants["LAST"] = (await variants(db, 1))[0]
        await post(db, world.posting(world.move("LAST", 1, "supplier", "S1")))
        asked = [world.posting(world.move("LAST", 1, "S1", "customer")) for _ in range(64)]
        outcomes = await asyncio.gather(*[engine.submit(Item(p)) for p in asked])
        assert sorted(o.status for o in outcomes) == [Status.insufficient_stock] * 63 + [Status.posted]
        assert all(s.available == 0 for o in outcomes for s in o.shortages)


async def test_the_last_unit_at_the_door_has_one_winner(db: Database, world: World) -> None:
    world.variants["LAST"] = (await variants(db, 1))[0]
    await post(db, world.posting(world.move("LAST", 1, "supplier", "S1")))
    asked = [world.posting(world.move("LAST", 1, "S1", "customer")) for _ in range(16)]
    done = await asyncio.gather(*[post(db, p) for p in asked], return_exceptions=True)
    assert sum(not isinstance(d, BaseException) for d in done) == 1
    assert sum(isinstance(d, InsufficientStock) for d in done) == 15


@pytest.mark.parametrize("copies", [2, 7, 50])
async def test_retries_at_once_act_once_and_answer_alike(
    db: Database, world: World, engine: Engine, copies: int
) -> None:
    world.variants["ONE"] = (await variants(db, 1))[0]
    posting = world.posting(world.move("ONE", 4, "S1", "customer"), mode=Mode.fact)
    outcomes = await asyncio.gather(*[engine.submit(Item(posting)) for _ in range(copies)])
    assert len({o.seq for o in outcomes}) == 1
    assert [o.status for o in outcomes].count(Status.posted) == 1
    assert {o.status for o in outcomes} == {Status.posted, Status.already_posted}
    at_the_door = await asyncio.gather(*[post(db, posting) for _ in range(min(copies, 8))])
    assert {p.outcomes[0].seq for p in at_the_door} == {outcomes[0].seq}
    assert (await book(db, [world.variants["ONE"]]))[0][4] == -4


async def test_one_id_at_both_doors_at_once_acts_once(db: Database, world: World, engine: Engine) -> None:
    for _ in range(5):
        world.variants["ONE"] = (await variants(db, 1))[0]
        posting = world.posting(world.move("ONE", 4, "S1", "customer"), mode=Mode.fact)
        done = await asyncio.gather(
            *[engine.submit(Item(posting)) for _ in range(4)],
            *[post(db, posting) for _ in range(4)],
            return_exceptions=True,
        )
        assert all(not isinstance(d, BaseException) or isinstance(d, Unavailable) for d in done), done
        assert (await book(db, [world.variants["ONE"]]))[0][4] == -4


async def test_an_id_with_other_content_is_refused_and_a_fact_is_kept(
    db: Database, world: World, engine: Engine
) -> None:
    world.variants["ONE"] = (await variants(db, 1))[0]
    posting = world.posting(world.move("ONE", 1, "S1", "customer"), mode=Mode.fact)
    assert (await engine.submit(Item(posting))).status is Status.posted
    other = world.posting(
        world.move("ONE", 2, "S1", "customer"), mode=Mode.fact, id=posting.id, digest=digest_of(2)
    )
    assert (await engine.submit(Item(other))).status is Status.id_reused
    assert (await engine.submit(Item(other))).status is Status.id_reused
    with pytest.raises(IdReused):
        await post(db, other)
    async with db.reading() as conn:
        kept = await conn.execute(
            sa.text("SELECT count(*) FROM exception WHERE kind = 'id_reused' AND posting_id = :p"),
            {"p": posting.id},
        )
        assert kept.scalar_one() == 1
    stranger = world.posting(
        *posting.moves, mode=Mode.fact, id=posting.id, digest=posting.digest, caller=UUID(int=9)
    )
    assert (await engine.submit(Item(stranger))).status is Status.id_reused
    assert (await book(db, [world.variants["ONE"]]))[0][4] == -1


async def test_two_reversals_at_once_undo_once(db: Database, world: World) -> None:
    world.variants["ONE"] = (await variants(db, 1))[0]
    wrong = world.posting(world.move("ONE", 4, "supplier", "S1"))
    await post(db, wrong)
    undo = [
        world.posting(
            world.move("ONE", 4, "S1", "supplier"), mode=Mode.fact, reverses=wrong.id, kind="reverse"
        )
        for _ in range(6)
    ]
    done = await asyncio.gather(*[post(db, p) for p in undo], return_exceptions=True)
    assert sum(not isinstance(d, BaseException) for d in done) == 1
    assert sum(isinstance(d, AlreadyReversed) for d in done) == 5
    assert await book(db, [world.variants["ONE"]]) == []


async def test_both_doors_at_once_never_deadlock(db: Database, world: World, engine: Engine) -> None:
    ids = await variants(db, 12)
    await post(db, world.posting(*[world.move("TEA", 1, "supplier", "S1")]))
    rng = random.Random(7)
    deadlocks = sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    async with db.reading() as conn:
        before = (await conn.execute(deadlocks)).scalar_one()

    def some() -> Posting:
        from onhand.ledger import Move

        places = ("S1", "S2", "W1/A", "W1/B", "supplier", "customer")
        moves = []
        for variant in rng.sample(ids, rng.randint(1, 8)):
            source, target = rng.sample(places, 2)
            moves.append(
                Move(
                    variant=variant,
                    from_location=world.place(source),
                    to_location=world.place(target),
                    quantity=rng.randint(1, 3),
                )
            )
        return world.posting(*moves, mode=Mode.fact if rng.random() < 0.6 else Mode.strict)

    async def door(n: int) -> None:
        for _ in range(25):
            with suppress(InsufficientStock, Unavailable):
                await post(db, *[some() for _ in range(rng.randint(1, 3))])

    async def lane() -> None:
        for _ in range(60):
            await asyncio.gather(*[engine.submit(Item(some())) for _ in range(8)])

    async with asyncio.timeout(90):
        await asyncio.gather(*[door(n) for n in range(8)], lane())
    async with db.reading() as conn:
        assert (await conn.execute(deadlocks)).scalar_one() == before


async def test_a_reader_by_number_misses_nothing_where_a_naive_one_does(
    db: Database, world: World, database_urls: tuple[str, str]
) -> None:
    """The canary: beside our outbox a table numbered by a sequence, written by the same transactions."""
    with psycopg.connect(database_urls[0]) as owner:
        owner.execute("CREATE TABLE naive (id bigserial PRIMARY KEY)")
        owner.execute("GRANT ALL ON naive, naive_id_seq TO PUBLIC")
    rng = random.Random(3)
    written: list[str] = []
    told: set[str] = set()
    stop = asyncio.Event()
    async with db.reading() as conn:
        start = (await conn.execute(sa.text("SELECT event_n FROM stream_head"))).scalar_one()

    async def write(n: int) -> None:
        for _ in range(12):
            async with db.writing() as tx:
                await tx.conn.execute(sa.text("INSERT INTO naive DEFAULT VALUES"))
                await asyncio.sleep(rng.uniform(0, 0.03))
                from onhand.ledger import ExceptionResolved

                event = ExceptionResolved(exception_id=uuid7(), kind="test", site_id=None, resolution="")
                tx.emit(event)
                written.append(event.subject())

    async def naive_reader() -> set[int]:
        seen: set[int] = set()
        cursor = 0
        while not stop.is_set():
            async with db.reading() as conn:
                rows = [
                    r[0]
                    for r in await conn.execute(
                        sa.text("SELECT id FROM naive WHERE id > :c ORDER BY id"), {"c": cursor}
                    )
                ]
            seen.update(rows)
            cursor = max([cursor, *rows])
            await asyncio.sleep(0.002)
        return seen

    async def our_reader() -> list[int]:
        seen: list[int] = []
        after = start
        while True:
            ended = stop.is_set()
            async with db.reading() as conn:
                rows = await read_after(conn, after, 100)
            seen += [r.sequence for r in rows]
            told.update(r.subject for r in rows if r.type == "exception.resolved")
            after = seen[-1] if seen else after
            if ended and not rows:
                return seen
            await asyncio.sleep(0.002)

    readers = [asyncio.create_task(naive_reader()), asyncio.create_task(our_reader())]
    await asyncio.gather(*[write(n) for n in range(6)])
    await asyncio.sleep(0.1)
    stop.set()
    naive, ours = await asyncio.gather(*readers)
    assert len(naive) < len(written), "the naive reader must miss some, else this test proves nothing"
    assert ours == list(range(start + 1, start + 1 + len(ours)))
    assert told == set(written)


async def test_all_of_this_left_a_sound_book(db: Database, world: World) -> None:
    await document_claims(db)
    async with db.engine.connect() as conn:
        report = await verify.verify(conn)
    assert report.ok, report.differences
