"""Numbers do not run out: nothing that grows is int4 or a float, and the ledger counts on past 2^31 and 2^53."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from onhand.doors import schema
from onhand.kit.database import Database, metadata
from onhand.kit.postgres import SUPERUSER, EmbeddedPostgres
from onhand.ledger import reads
from tests.ledger.world import build, post

GROWS = re.compile(
    r"(^|_)(seq|posting_n|event_n|sequence|quantity|amount|total|price|tax|cost|units|on_hand|allocated|overdrawn|sellable|reserved"
    r"|size|bytes|took_ms|level_at|claimed|consumed|released|expired|shipped|received)(_|$)"
)
"""Columns that count goods, money, bytes, postings or events."""


def test_what_grows_is_never_int4() -> None:
    assert schema.PARTITIONED
    small = [
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if type(column.type) is sa.Integer
        and GROWS.search(column.name)
        and not column.name.endswith("_version")
    ]
    assert not small, f"BigInteger, please: {small}"


def test_nothing_is_a_float() -> None:
    floats = [
        f"{t.name}.{c.name}"
        for t in metadata.tables.values()
        for c in t.columns
        if isinstance(c.type, sa.Float)
    ]
    assert not floats, f"integers in smallest units, or numeric: {floats}"


async def test_the_database_agrees(db: Database) -> None:
    """The catalogue itself: no floating-point column, and every sequence (the job queue's) is a bigint."""
    async with db.engine.connect() as conn:
        floats = await conn.exec_driver_sql(
            "SELECT table_name || '.' || column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type IN ('real', 'double precision')"
        )
        sequences = await conn.exec_driver_sql(
            "SELECT count(*) FROM pg_sequences WHERE data_type::text <> 'bigint'"
        )
        assert list(floats.scalars()) == []
        assert sequences.scalar_one() == 0


@pytest.fixture(scope="module")
async def world(db: Database) -> Any:
    return await build(db)


@pytest.mark.parametrize("begin", [2**31 - 10, 2**53 - 10])
async def test_the_ledger_counts_on(
    db: Database, world: Any, server: EmbeddedPostgres, database_urls: tuple[str, str], begin: int
) -> None:
    name = str(psycopg.conninfo.conninfo_to_dict(database_urls[0])["dbname"])
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as root:
        root.execute("UPDATE stream_head SET posting_n = %s, event_n = %s", (begin, begin))
    ids = []
    for _ in range(20):
        posting = world.posting(world.move("TEA", 1, "supplier", "S1"), kind="receive")
        await post(db, posting)
        ids.append(posting.id)
    async with db.reading() as conn:
        found = await reads.get_posting(conn, ids[-1], scope=None, costs=False)
        events = (await conn.exec_driver_sql("SELECT max(event_n) FROM outbox")).scalar_one()
    assert found is not None
    assert found["seq"] == str(begin + 20), "as text: JSON's numbers end at 2^53"
    assert events >= begin + 20
