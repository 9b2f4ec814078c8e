"""A month whose partition nobody made: nothing fails, and somebody is told."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
import sqlalchemy as sa

from onhand.kit import telemetry
from onhand.kit.database import Database
from onhand.kit.postgres import SUPERUSER, EmbeddedPostgres
from onhand.ledger import self_check, verify
from tests.ledger.world import build, post


@pytest.fixture(autouse=True)
def _ledger_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """These postings have no documents; whether those agree is asked elsewhere."""
    monkeypatch.setattr(verify, "_registered", {})


async def test_a_missing_month_stops_nothing_and_is_told(
    db: Database, server: EmbeddedPostgres, database_urls: tuple[str, str]
) -> None:
    world = await build(db)
    name = str(psycopg.conninfo.conninfo_to_dict(database_urls[0])["dbname"])
    month = f"{datetime.now(UTC):%Y_%m}"
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as root:
        for parent in ("posting", "move", "claim"):
            root.execute(f"DROP TABLE {parent}_{month}".encode())
        root.execute(f"ALTER TABLE outbox DETACH PARTITION outbox_{month}".encode())
        root.execute(f"INSERT INTO outbox SELECT * FROM outbox_{month}".encode())
        root.execute(f"DROP TABLE outbox_{month}".encode())
    for _ in range(5):
        await post(db, world.posting(world.move("TEA", 1, "supplier", "S1"), kind="receive"))
    report = await verify.run(db)
    told = {d.table: d.actual for d in report.differences if d.check == "default_partitions"}
    assert told["posting_default"] == told["move_default"] == "5"
    assert "outbox_default" in told
    await self_check.run(db)
    assert telemetry.DEFAULT_ROWS._value.get() > 0, "the metric alarms"
    async with db.engine.connect() as conn:
        levels = (await conn.execute(sa.text("SELECT on_hand FROM level"))).scalars().all()
    assert levels == [5]
    async with db.engine.begin() as conn:  # the hourly job, or the next start: rows go where they belong
        for parent in verify.PARTITIONED:
            await conn.execute(sa.text("SELECT onhand_partitions(:parent, 3)"), {"parent": parent})
    assert (await verify.run(db)).ok
    await self_check.run(db)
    assert telemetry.DEFAULT_ROWS._value.get() == 0
    await post(db, world.posting(world.move("TEA", 1, "supplier", "S1"), kind="receive"))
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as root:
        assert root.execute(f"SELECT count(*) FROM posting_{month}".encode()).fetchone() == (6,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            root.execute("UPDATE move SET quantity = 2")  # refused in the new partition as in any other


async def test_months_ahead_are_there(db: Database) -> None:
    """This month and the next three, of each table; what the start and the hourly job make sure of."""
    async with db.engine.connect() as conn:
        rows = await conn.execute(
            sa.text(
                "SELECT parent, to_regclass(parent || '_' || to_char(date_trunc('month', now()) + n * interval '1 month', 'YYYY_MM'))"
                " FROM unnest(CAST(:parents AS text[])) AS parent, generate_series(1, 3) n"
            ),
            {"parents": list(verify.PARTITIONED)},
        )
        assert all(found is not None for _, found in rows)
