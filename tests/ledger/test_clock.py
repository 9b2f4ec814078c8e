"""K18: the clock. `recorded_at` is never before the last one, so the head's own clock can be set: to month ends, years ahead, or
back. Partitions are there or the default one takes the rows and says so; an id that acted never acts again, however late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from onhand.kit.database import Database
from onhand.kit.problem import IdReused
from onhand.ledger import Engine, Item, Mode, Status, digest_of, verify
from tests.faults import often
from tests.faults.script import MAKE_NOTE, engine_on
from tests.ledger.world import World, build, post

PARENTS = ("posting", "move", "claim", "outbox")


@pytest.fixture(scope="module")
def owner(database_urls: tuple[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_urls[0], autocommit=True) as conn:
        yield conn


@pytest.fixture(scope="module")
async def world(db: Database, owner: psycopg.Connection) -> World:
    for statement in MAKE_NOTE:
        owner.execute(statement)
    return await build(db)


@pytest.fixture(scope="module")
async def engine(db: Database, world: World, database_urls: tuple[str, str]) -> Any:
    lane = engine_on(database_urls[1], db)
    await lane.start()
    yield lane
    await lane.stop()


def set_clock(owner: psycopg.Connection, at: datetime) -> None:
    """No posting is recorded before this instant from now on."""
    owner.execute("UPDATE stream_head SET last_recorded_at = %s", (at,))


def month_ends(count: int) -> list[datetime]:
    """The first instants of coming months, in UTC."""
    now = datetime.now(UTC)
    first = now.year * 12 + now.month
    return [datetime((first + n) // 12, (first + n) % 12 + 1, 1, tzinfo=UTC) for n in range(count)]


async def test_over_month_ends_every_row_finds_its_month(
    db: Database, world: World, engine: Engine, owner: psycopg.Connection
) -> None:
    """Row 17. The job has made the months ahead; nothing lands in the default partition, and nothing fails."""
    ends = month_ends(often(30, 120))
    for parent in PARENTS:
        owner.execute("SELECT onhand_partitions(%s, %s)", (parent, len(ends) + 1))
    for end in ends:
        for at in (end - timedelta(microseconds=1), end):
            set_clock(owner, at)
            posting = world.posting(world.move("TEA", 1, "supplier", "S1"))
            assert (await engine.submit(Item(posting))).ok
            row = owner.execute(
                "SELECT tableoid::regclass::text, recorded_at FROM posting WHERE id = %s", (posting.id,)
            ).fetchone()
            assert row is not None
            assert row[0] == f"posting_{row[1].astimezone(UTC):%Y_%m}"
            assert at <= row[1] <= at + timedelta(seconds=1)
    async with db.engine.connect() as conn:
        report = await verify.verify(conn)
    assert report.ok, report.differences[:5]


async def test_a_clock_that_steps_back_turns_nothing_around(
    db: Database, world: World, engine: Engine, owner: psycopg.Connection
) -> None:
    """Row 39. The machine's clock lies years behind the last posting now: numbers and instants still grow together."""
    rows = []
    for _ in range(5):
        outcome = await engine.submit(Item(world.posting(world.move("TEA", 1, "supplier", "S1"))))
        assert outcome.seq is not None
        assert outcome.recorded_at is not None
        rows.append((outcome.seq, outcome.recorded_at))
    assert rows == sorted(rows)
    assert rows[0][1] > datetime.now(UTC) + timedelta(days=300)
    async with db.engine.connect() as conn:
        assert (await verify.verify(conn)).checks["recorded_in_order"] == 0


async def test_an_id_that_acted_never_acts_again_however_late(
    db: Database, world: World, engine: Engine, owner: psycopg.Connection
) -> None:
    """Row 10. A till comes back after 1 to 400 days and sends its sale again; edited, it is refused."""
    start = max(
        datetime.now(UTC),
        *(r[0] for r in owner.execute("SELECT last_recorded_at FROM stream_head").fetchall()),
    )
    sold = world.posting(world.move("SALT", 2, "S2", "customer"), mode=Mode.fact)
    first = await engine.submit(Item(sold))
    for days in (1, 30, 40, 90, 400):
        set_clock(owner, start + timedelta(days=days))
        again = await engine.submit(Item(sold))
        assert (again.status, again.seq) == (Status.already_posted, first.seq)
        assert (await post(db, sold)).outcomes[0].seq == first.seq
        other = world.posting(
            world.move("SALT", 3, "S2", "customer"), mode=Mode.fact, id=sold.id, digest=digest_of("edited")
        )
        assert (await engine.submit(Item(other))).status is Status.id_reused
        with pytest.raises(IdReused):
            await post(db, other)
    async with db.reading() as conn:
        left = await conn.execute(
            sa.text("SELECT sum(on_hand) FROM level WHERE variant = :v"), {"v": world.variants["SALT"]}
        )
        assert left.scalar_one() == -2


async def test_a_month_nobody_made_loses_nothing_and_is_named(
    db: Database, world: World, engine: Engine, owner: psycopg.Connection
) -> None:
    """Row 17, the job disabled: the default partition takes the row, the posting succeeds, verification raises the alarm."""
    set_clock(owner, datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
    posting = world.posting(world.move("TEA", 1, "supplier", "S1"))
    assert (await engine.submit(Item(posting))).ok
    assert (await post(db, posting)).outcomes[0].status is Status.already_posted
    async with db.engine.connect() as conn:
        report = await verify.verify(conn)
    assert {d.table for d in report.differences} == {"posting_default", "move_default", "outbox_default"}
    assert {d.check for d in report.differences} == {"default_partitions"}
