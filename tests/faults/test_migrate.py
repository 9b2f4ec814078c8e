"""K13: migrations while the shop sells. A column, a constraint, an index and a backfill on the moves of a large ledger: nobody waits
longer than a moment, nothing is refused, even with a report that holds its lock. `ONHAND_TORTURE=1`: a million moves."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from onhand import ledger
from onhand.doors import wiring
from onhand.kit import migrate
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.postgres import APP, OWNER, SUPERUSER, EmbeddedPostgres
from onhand.ledger import Engine, Item, Mode, Move, Posting, digest_of, verify
from tests.ledger.world import World, build

pytestmark = pytest.mark.faults

MOVES = 1_000_000 if os.environ.get("ONHAND_TORTURE") else 60_000
LINES, CALL, SELLERS = 10, 500, 6
LONGEST_WAIT = 0.5
"""Seconds behind a migration: its lock_timeout, its own work, and what a busy machine adds. The goal is 0.2."""
SAMPLE = {
    "9001_column.py": '''"""Moves get a note; a constraint on it."""

import sqlalchemy as sa

from alembic import op

revision, down_revision, phase = "9001", "{head}", "pre"


def upgrade() -> None:
    op.add_column("move", sa.Column("note", sa.Text))
    op.execute("ALTER TABLE move ADD CONSTRAINT move_note_check CHECK (note <> '') NOT VALID")
''',
    "9002_long.py": '''"""What takes long, outside of the transaction."""

from onhand.kit import migrate

from alembic import op

revision, down_revision, phase = "9002", "9001", "pre"


def upgrade() -> None:
    migrate.validate(op, "move", "move_note_check")
    migrate.index_concurrently(op, "move_note_idx", "move", "note, seq", where="note IS NOT NULL")
    op.execute("ALTER TABLE variant ADD COLUMN origin text")
    migrate.backfill(
        op,
        "UPDATE variant SET origin = 'unknown' WHERE id IN (SELECT id FROM variant WHERE origin IS NULL LIMIT :chunk)",
        chunk=7,
    )
''',
}  # fmt: skip


@pytest.fixture(scope="module")
def urls(server: EmbeddedPostgres) -> Iterator[tuple[str, str]]:
    """A database made by the real migrations."""
    name = f"t_migrate_{os.getpid()}"
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
        )
        migrate.upgrade(server.url(OWNER, name))
        yield server.url(OWNER, name), server.url(APP, name)
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
async def shop(urls: tuple[str, str]) -> AsyncIterator[tuple[Database, World, Engine]]:
    """A ledger with many moves, written by the lane itself."""
    db = Database.open(urls[1], pool_size=2)
    wiring.hooks(db)
    wiring.register()
    await wiring.prepare(db)
    world = await build(db, skus={f"P{n}": 0 for n in range(50)})

    async def load_directory() -> Any:
        async with db.engine.connect() as conn:
            return await ledger.load_directory(conn)

    engine = Engine(url=urls[1], load_directory=load_directory, riders=dict(wiring.RIDERS))
    await engine.start()
    variants = list(world.variants.values())
    for _ in range(0, MOVES // LINES, CALL):
        items = [_item(world, random.choices(variants, k=LINES)) for _ in range(CALL)]
        assert all(o.ok for o in await engine.submit_many(items))
    yield db, world, engine
    await engine.stop()
    await db.close()


def _item(world: World, variants: list[Any]) -> Item:
    uid = uuid7()
    moves = tuple(Move(v, world.place("S1"), world.place("customer"), 1) for v in variants)
    return Item(Posting(uid, "sell", "test", uid, uid, world.at(), moves, digest_of(uid), mode=Mode.fact))


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Our migrations and two more."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(migrate.config()).get_current_head()
    for name, text in SAMPLE.items():
        (folder / "versions" / name).write_text(text.replace("{head}", str(head)))
    return folder


async def test_nobody_waits_for_a_migration(
    shop: tuple[Database, World, Engine], urls: tuple[str, str], server: EmbeddedPostgres, sample: Path
) -> None:
    db, world, engine = shop
    stop, sold, slowest = False, 0, 0.0
    waits: list[float] = []

    async def seller() -> None:
        nonlocal sold, slowest
        while not stop:
            began = time.monotonic()
            outcome = await engine.submit(_item(world, random.choices(list(world.variants.values()), k=1)))
            assert outcome.ok
            slowest = max(slowest, time.monotonic() - began)
            sold += 1

    name = str(psycopg.conninfo.conninfo_to_dict(urls[0])["dbname"])
    watching = asyncio.create_task(
        asyncio.to_thread(_watch, server.url(SUPERUSER, name), waits, lambda: stop)
    )
    sellers = [asyncio.create_task(seller()) for _ in range(SELLERS)]
    report: psycopg.Connection[Any] = await asyncio.to_thread(lambda: psycopg.connect(urls[1]))
    report.execute(
        "SELECT count(*) FROM move"
    )  # a report: its transaction stays open for a while, and with it its lock
    asyncio.get_running_loop().call_later(1.5, report.rollback)
    await asyncio.sleep(0.3)
    began = time.monotonic()
    ran = await asyncio.to_thread(migrate.upgrade, urls[0], at=sample)
    took = time.monotonic() - began
    await asyncio.sleep(0.3)
    stop = True
    await asyncio.gather(*sellers, watching)
    await asyncio.to_thread(report.close)
    print(
        f"\n{MOVES} moves: migrated in {took:.1f} s; {sold} sales meanwhile, the slowest {slowest * 1000:.0f} ms, "
        f"the longest wait for a lock {max(waits, default=0) * 1000:.0f} ms"
    )
    assert ran == ["9001", "9002"]
    assert took > 1, "the report did not stand in the way"
    assert sold > 20
    assert max(waits, default=0) < LONGEST_WAIT
    _all_was_done(urls[0])
    async with db.engine.connect() as conn:
        assert (await verify.verify(conn)).ok


def _watch(url: str, waits: list[float], stopped: Any) -> None:
    """How long anybody but the migration waits for a lock."""
    with psycopg.connect(url, autocommit=True) as conn:
        while not stopped():
            row = conn.execute(
                "SELECT max(extract(epoch FROM clock_timestamp() - l.waitstart))::float8 FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE NOT l.granted AND l.locktype = 'relation' AND a.usename = %s",
                (APP,),
            ).fetchone()
            if row is not None and row[0] is not None:
                waits.append(row[0])
            time.sleep(0.005)


def _all_was_done(url: str) -> None:
    with psycopg.connect(url) as conn:
        valid = conn.execute(
            "SELECT bool_and(convalidated) FROM pg_constraint WHERE conname = 'move_note_check'"
        )
        assert valid.fetchone() == (True,)
        index = conn.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'move_note_idx'::regclass")
        assert index.fetchone() == (True,)
        assert conn.execute("SELECT count(*) FROM variant WHERE origin IS NULL").fetchone() == (0,)


def test_who_stands_in_the_way_is_named(
    urls: tuple[str, str], sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that never ends: the migration gives up, says who it is, and has changed nothing."""
    monkeypatch.setattr(migrate, "TRIES", 2)
    last = sample / "versions" / "9003_more.py"
    last.write_text(
        'from alembic import op\n\nrevision, down_revision, phase = "9003", "9002", "pre"\n\n\n'
        'def upgrade() -> None:\n    op.execute("ALTER TABLE posting ADD COLUMN more text")\n'
    )
    with psycopg.connect(urls[1], application_name="forgotten psql") as holder:
        holder.execute("SELECT count(*) FROM posting")
        with pytest.raises(migrate.MigrationBlocked, match="forgotten psql"):
            migrate.upgrade(urls[0], at=sample)
    assert migrate.upgrade(urls[0], at=sample) == ["9003"]
    assert migrate.upgrade(urls[0], at=sample) == []
