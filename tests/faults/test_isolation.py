"""K15: what transactions see of each other. Lists are read and appended to through the ledger's door, money-like totals are moved
between places, and a checker of our own looks for a circle; hand-made anomalies and naive READ COMMITTED must be found."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.problem import Problem
from onhand.ledger import Item, Mode, Posting, Status, post, verify
from tests.faults import SEED, often
from tests.faults.cycles import Txn, anomalies
from tests.faults.script import MAKE_NOTE, engine_on
from tests.ledger.world import World, build, new_variant
from tests.ledger.world import post as post_one

pytestmark = pytest.mark.faults
KEYS = ("X", "Y", "Z", "W")


@pytest.fixture(scope="module")
async def world(db: Database, database_urls: tuple[str, str]) -> World:
    with psycopg.connect(database_urls[0], autocommit=True) as owner:
        for statement in MAKE_NOTE:
            owner.execute(statement)
        owner.execute(
            "CREATE TABLE naive_list (n bigserial PRIMARY KEY, key text NOT NULL, value int NOT NULL)"
        )
        owner.execute("GRANT ALL ON naive_list, naive_list_n_seq TO PUBLIC")
    world = await build(db)
    async with db.writing() as tx:
        world.variants["COIN"] = await new_variant(tx.conn, "COIN")
    return world


HANDMADE: dict[str, list[Txn]] = {
    "G0": [Txn("a", {}, {"X": (1,), "Y": (1,)}), Txn("b", {}, {"X": (2,), "Y": (2,)}),
           Txn("r", {"X": (1, 2), "Y": (2, 1)})],
    "G1a": [Txn("a", {}, {"X": (1,)}, committed=False), Txn("r", {"X": (1,)})],
    "G1b": [Txn("a", {}, {"X": (1, 2)}), Txn("r", {"X": (1,)}), Txn("s", {"X": (1, 2)})],
    "G1c": [Txn("a", {"Y": (2,)}, {"X": (1,)}), Txn("b", {"X": (1,)}, {"Y": (2,)})],
    "G-single": [Txn("a", {}, {"X": (1,), "Y": (1,)}), Txn("r", {"X": (1,), "Y": ()}), Txn("s", {"X": (1,), "Y": (1,)})],
    "G2": [Txn("a", {"X": ()}, {"Y": (1,)}), Txn("b", {"Y": ()}, {"X": (2,)}), Txn("r", {"X": (2,), "Y": (1,)})],
    "lost update": [Txn("a", {"X": ()}, {"X": (1,)}), Txn("b", {"X": ()}, {"X": (2,)}), Txn("r", {"X": (1, 2)})],
    "unordered": [Txn("a", {}, {"X": (1,)}), Txn("b", {}, {"X": (2,)}), Txn("r", {"X": (1,)}), Txn("s", {"X": (2, 1)})],
}  # fmt: skip
"""Name of the anomaly → the smallest history that has it. "unordered" with two snapshots is the long fork of replicas."""


@pytest.mark.parametrize("name", HANDMADE)
def test_the_checker_knows_each_anomaly_by_name(name: str) -> None:
    assert any(text.startswith(f"{name}:") for text in anomalies(HANDMADE[name])), anomalies(HANDMADE[name])


def test_the_checker_is_silent_where_nothing_is_wrong() -> None:
    lists: dict[str, tuple[int, ...]] = defaultdict(tuple)
    history, pick = [], random.Random(1)
    for n in range(200):
        reads = {key: lists[key] for key in pick.sample(KEYS, 2)}
        appends: dict[str, tuple[int, ...]] = {key: (n,) for key in reads if pick.random() < 0.6}
        for key in appends:
            lists[key] += (n,)
        history.append(Txn(f"t{n}", reads, appends))
    pick.shuffle(history)
    assert anomalies(history) == []


_LISTS = sa.text(
    "SELECT m.variant, p.actor FROM move m JOIN posting p ON p.seq = m.seq AND p.recorded_at = m.recorded_at"
    " WHERE m.variant = ANY(CAST(:variants AS uuid[])) ORDER BY p.seq, m.line"
)


def _lists(rows: Sequence[Any], keys: Sequence[str]) -> dict[str, tuple[int, ...]]:
    out: dict[str, list[int]] = {key: [] for key in keys}
    for key, value in rows:
        out[key].append(value)
    return {key: tuple(values) for key, values in out.items()}


async def _read(conn: AsyncConnection, world: World, keys: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The lists of some keys, in one statement."""
    key_of = {world.variants[key]: key for key in keys}
    rows = (await conn.execute(_LISTS, {"variants": list(key_of)})).all()
    return _lists([(key_of[variant], actor.int) for variant, actor in rows], keys)


async def _append(db: Database, world: World, n: int, pick: random.Random) -> Txn:
    """Read some lists under their locks and append to them, in one posting. The value travels as the actor."""
    keys = sorted(pick.sample(KEYS, pick.randint(1, 3)))
    posting = world.posting(*[world.move(key, 1, "supplier", "S1") for key in keys], actor=UUID(int=n))
    seen: dict[str, tuple[int, ...]] = {}
    async with db.writing(action="test") as tx:

        async def read(book: object) -> Sequence[Posting]:
            seen.update(await _read(tx.conn, world, keys))
            await asyncio.sleep(pick.uniform(0, 0.003))
            return [posting]

        await post(tx, [posting], revise=read)
    return Txn(f"t{n}", seen, dict.fromkeys(keys, (n,)))


async def _look(db: Database, world: World, n: int) -> Txn:
    """Read all lists in one snapshot."""
    async with db.reading() as conn:
        return Txn(f"t{n}", await _read(conn, world, KEYS))


async def _history(db: Database, world: World, seed: str) -> list[Txn]:
    """Eight clients at four new lists."""
    async with db.writing() as tx:
        for key in KEYS:
            world.variants[key] = await new_variant(tx.conn, f"{key}-{uuid7()}")
    history: list[Txn] = []
    count = iter(range(1, 160))

    async def client(me: int) -> None:
        pick = random.Random(f"{seed}/{me}")
        for n in count:
            try:
                history.append(
                    await (_look(db, world, n) if pick.random() < 0.25 else _append(db, world, n, pick))
                )
            except Problem:
                continue  # refused for something else that happened at the same moment: it left no trace

    await asyncio.gather(*[client(n) for n in range(8)])
    return [*history, await _look(db, world, 10**9)]


async def test_lists_read_and_appended_to_have_an_order(db: Database, world: World) -> None:
    for n in range(often(1, 2000)):
        history = await _history(db, world, f"{SEED}/{n}")
        assert len(history) > 100
        assert anomalies(history) == [], f"seed {SEED}/{n}"


async def test_the_checker_catches_read_committed_without_locks(database_urls: tuple[str, str]) -> None:
    """The canary: the same reads and appends in plain transactions at the default isolation."""
    history: list[Txn] = []
    count = iter(range(1, 160))
    async with AsyncConnectionPool(database_urls[1], min_size=8, max_size=8, open=False) as pool:

        async def client(me: int) -> None:
            pick = random.Random(f"{SEED}/{me}")
            for n in count:
                keys = sorted(pick.sample(KEYS, pick.randint(1, 3)))
                async with pool.connection() as conn:
                    rows = await conn.execute(
                        "SELECT key, value FROM naive_list WHERE key = ANY(%s) ORDER BY n", (keys,)
                    )
                    seen = _lists(await rows.fetchall(), keys)
                    await asyncio.sleep(pick.uniform(0, 0.003))
                    for key in keys:
                        await conn.execute("INSERT INTO naive_list (key, value) VALUES (%s, %s)", (key, n))
                history.append(Txn(f"t{n}", seen, dict.fromkeys(keys, (n,))))

        await asyncio.gather(*[client(n) for n in range(8)])
    kinds = {text.partition(":")[0] for text in anomalies(history)}
    assert "lost update" in kinds
    assert kinds & {"G-single", "G2"}, kinds


async def test_a_bank_of_stock_never_gains_or_loses(
    db: Database, world: World, database_urls: tuple[str, str]
) -> None:
    """Stock moves between five places by requests through both doors, while readers add it all up in one snapshot."""
    places = ("W1/A", "W1/B", "S1", "S2", "W1/Q")
    await post_one(db, world.posting(*[world.move("COIN", 20, "supplier", p) for p in places]))
    engine = engine_on(database_urls[1], db)
    await engine.start()
    total = sa.text("SELECT sum(on_hand), min(on_hand) FROM level WHERE variant = :v")
    sums: Counter[int] = Counter()
    told: Counter[Status] = Counter()
    busy = True

    async def teller(me: int) -> None:
        pick = random.Random(f"{SEED}/bank/{me}")
        for n in range(often(40, 8000)):
            source, target = pick.sample(places, 2)
            posting = world.posting(world.move("COIN", pick.randint(1, 15), source, target))
            try:
                outcome = (
                    await engine.submit(Item(posting))
                    if me % 3 or n % 4
                    else (await post_one(db, posting)).outcomes[0]
                )
                told[outcome.status] += 1
            except Problem:
                told[Status.insufficient_stock] += 1

    async def auditor() -> None:
        while busy:
            async with db.reading() as conn:
                added, least = (await conn.execute(total, {"v": world.variants["COIN"]})).one()
            sums[int(added)] += 1
            assert least >= 0
            await asyncio.sleep(0.002)

    audit = [asyncio.create_task(auditor()) for _ in range(2)]
    await asyncio.gather(*[teller(n) for n in range(9)])
    busy = False
    await asyncio.gather(*audit)
    await engine.stop()
    assert set(sums) == {100}, f"seed {SEED}: {sums}"
    assert told[Status.posted] > 50
    assert told[Status.insufficient_stock] > 0


async def test_a_set_keeps_every_element(db: Database, world: World, database_urls: tuple[str, str]) -> None:
    """Elements added through two lanes at once; every later look holds every element acknowledged before it began."""
    lanes = [engine_on(database_urls[1], db) for _ in range(2)]
    for lane in lanes:
        await lane.start()
    added: list[UUID] = []
    every = sa.text("SELECT id FROM posting WHERE source_type = 'set'")

    async def adder(me: int) -> None:
        for _ in range(often(25, 5000)):
            posting = world.posting(world.move("TEA", 1, "S1", "customer"), mode=Mode.fact, source_type="set")
            assert (await lanes[me % 2].submit(Item(posting))).ok
            added.append(posting.id)

    async def looker() -> None:
        for _ in range(often(30, 3000)):
            before = set(added)
            async with db.reading() as conn:
                assert before <= set((await conn.execute(every)).scalars())

    await asyncio.gather(*[adder(n) for n in range(8)], looker())
    for lane in lanes:
        await lane.stop()
    async with db.engine.connect() as conn:
        report = await verify.verify(conn)
    assert report.ok, report.differences[:5]
