"""The connection breaks around COMMIT: the ids are looked up, and the answer is right (row 2 of docs/failures.md)."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from onhand.kit.database import Database, is_away
from onhand.kit.postgres import EmbeddedPostgres
from onhand.kit.problem import Unavailable
from onhand.ledger import Item, Mode, Posting, Status, verify
from tests.faults import SEED, often
from tests.faults.proxy import WAYS, Line, line_to
from tests.faults.script import MAKE_NOTE, engine_on
from tests.ledger.world import World, build, post

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
async def world(db: Database, database_urls: tuple[str, str]) -> World:
    with psycopg.connect(database_urls[0], autocommit=True) as owner:
        for statement in MAKE_NOTE:
            owner.execute(statement)
    return await build(db)


@pytest.fixture(scope="module")
async def line(server: EmbeddedPostgres) -> AsyncIterator[Line]:
    with tempfile.TemporaryDirectory(prefix="onhand-line-") as folder:
        async with line_to(server.socket_dir, Path(folder)) as made:
            yield made


class Plan:
    """Cuts one COMMIT of every few."""

    def __init__(self, often: float) -> None:
        self.pick, self.often = random.Random(SEED), often

    def __call__(self) -> str | None:
        return self.pick.choice(WAYS) if self.pick.random() < self.often else None


async def times(db: Database, postings: list[Posting]) -> list[int]:
    """How often each posting stands in the books."""
    query = sa.text("SELECT id, count(*) FROM posting WHERE id = ANY(CAST(:ids AS uuid[])) GROUP BY id")
    async with db.reading() as conn:
        found: dict[Any, int] = dict(
            (await conn.execute(query, {"ids": [p.id for p in postings]})).tuples().all()
        )
    return [found.get(p.id, 0) for p in postings]


async def test_the_lane_answers_rightly_whatever_became_of_a_commit(
    db: Database, world: World, line: Line, database_urls: tuple[str, str]
) -> None:
    engine = engine_on(line.url(database_urls[1]), db)
    await engine.start()
    line.plan, asked, note = Plan(0.6), list[Posting](), 0
    wanted = often(36, 6000)
    while sum(line.cuts.values()) < wanted:
        batch = [world.posting(world.move("TEA", 1, "S1", "customer"), mode=Mode.fact) for _ in range(3)]
        items = [Item(p, {"note": [(note + n + 1,)]}) for n, p in enumerate(batch)]
        note += 3
        for item, outcome in zip(
            items, await asyncio.gather(*[engine.submit(i) for i in items]), strict=True
        ):
            assert outcome.status is Status.posted, f"seed {SEED}: {outcome} for {item.posting.id}"
        asked += batch
    line.plan = lambda: None
    await engine.stop()
    print(f"\nseed {SEED}: {line.cuts} cuts, {len(asked)} postings, {engine.stats.reconnects} reconnects")
    assert set(line.cuts) == set(WAYS)
    assert await times(db, asked) == [1] * len(asked), f"seed {SEED}"
    async with db.reading() as conn:
        rows = (await conn.execute(sa.text("SELECT count(*), count(DISTINCT n) FROM note"))).one()
    assert tuple(rows) == (note, note), "each document row once"


async def test_a_refused_request_stays_refused(
    db: Database, world: World, line: Line, database_urls: tuple[str, str]
) -> None:
    engine = engine_on(line.url(database_urls[1]), db)
    await engine.start()
    line.plan = Plan(0.5)
    for _ in range(often(6, 500)):
        await post(db, world.posting(world.move("SALT", 1, "supplier", "S2")))
        asked = [world.posting(world.move("SALT", 1, "S2", "customer")) for _ in range(4)]
        outcomes = await asyncio.gather(*[engine.submit(Item(p)) for p in asked])
        told = [o.status for o in outcomes]
        assert sorted(told) == [Status.insufficient_stock] * 3 + [Status.posted], f"seed {SEED}"
        assert await times(db, asked) == [int(s is Status.posted) for s in told], f"seed {SEED}"
    line.plan = lambda: None
    await engine.stop()


async def test_at_the_door_the_same_id_tells_what_became_of_it(
    db: Database, world: World, line: Line, database_urls: tuple[str, str]
) -> None:
    """A transaction cannot know; whoever asked hears "away", asks again with the same id, and is answered."""
    through = Database.open(line.url(database_urls[1]), pool_size=2)
    through.before_commit = db.before_commit
    line.plan, unknown, asked = Plan(0.5), 0, list[Posting]()
    for _ in range(often(24, 3000)):
        posting = world.posting(world.move("TEA", 1, "supplier", "S2"))
        asked.append(posting)
        for _ in range(50):
            try:
                posted = await post(through, posting)
            except Exception as error:
                if not (is_away(error) or isinstance(error, Unavailable)):
                    raise
                unknown += 1
            else:
                assert posted.outcomes[0].status in (Status.posted, Status.already_posted)
                break
    line.plan = lambda: None
    with suppress(Exception):
        await through.close()
    assert unknown, "nothing was cut"
    assert await times(db, asked) == [1] * len(asked), f"seed {SEED}"
    async with db.engine.connect() as conn:
        report = await verify.verify(conn)
    assert report.ok, report.differences[:5]
