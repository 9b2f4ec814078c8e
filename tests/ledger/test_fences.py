"""The ledger's tables refuse everybody but its own functions; months are made ahead."""

from __future__ import annotations

import psycopg
import pytest

from onhand.doors.schema import PARTITIONED, READ_ONLY
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.ledger import Claim
from tests.ledger.world import World, build, post


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    world = await build(db)
    claim = Claim(reservation=uuid7(), variant=world.variants["TEA"], site=world.places["S1"], quantity=1)
    await post(db, world.posting(world.move("TEA", 5, "supplier", "S1"), claims=(claim,)))
    return world


@pytest.fixture
def app_role(database_urls: tuple[str, str]) -> psycopg.Connection:
    return psycopg.connect(database_urls[1], autocommit=True)


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> psycopg.Connection:
    return psycopg.connect(database_urls[0], autocommit=True)


def parts(conn: psycopg.Connection, parent: str) -> list[str]:
    rows = conn.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1",
        (parent,),
    )
    return [row[0] for row in rows]


FORBIDDEN = (
    "INSERT INTO {t} SELECT * FROM {t}",
    "UPDATE {t} SET {c} = {c}",
    "DELETE FROM {t}",
    "TRUNCATE {t}",
)
COLUMNS = {"stream_head": "posting_n", "level": "on_hand", "site_level": "sellable", "reversal": "by", "posting_key": "seq",
           "outbox": "data", "posting": "kind", "move": "quantity", "claim": "quantity"}  # fmt: skip


@pytest.mark.parametrize("table", [t for t in READ_ONLY if t in COLUMNS])
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_application_may_only_read(
    world: World, app_role: psycopg.Connection, table: str, statement: str
) -> None:
    with app_role:
        for name in [table, *(parts(app_role, table) if table in PARTITIONED else [])]:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app_role.execute(statement.format(t=name, c=COLUMNS[table]))


@pytest.mark.parametrize("table", ["posting", "move", "claim"])
@pytest.mark.parametrize("statement", FORBIDDEN[1:])
def test_not_even_the_owner_changes_what_was_recorded(
    world: World, owner: psycopg.Connection, table: str, statement: str
) -> None:
    with owner:
        filled = [p for p in parts(owner, table) if owner.execute(f"SELECT FROM {p} LIMIT 1").rowcount]
        assert filled
        for name in [table, *filled]:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                owner.execute(statement.format(t=name, c=COLUMNS[table]))


@pytest.mark.parametrize("table", PARTITIONED)
def test_months_are_made_ahead(world: World, app_role: psycopg.Connection, table: str) -> None:
    with app_role:
        wanted = app_role.execute(
            "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => n), '_YYYY_MM')"
            " FROM generate_series(0, 3) n"
        ).fetchall()
        assert {f"{table}{row[0]}" for row in wanted} | {f"{table}_default"} <= set(parts(app_role, table))
        assert app_role.execute("SELECT onhand_partitions(%s, 3)", (table,)).fetchone() == (0,)
        assert app_role.execute("SELECT onhand_partitions(%s, 4)", (table,)).fetchone() == (1,)
        newest = parts(app_role, table)[-2]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app_role.execute(f"DELETE FROM {newest}")


def test_only_our_own_tables_get_partitions(world: World, app_role: psycopg.Connection) -> None:
    with app_role, pytest.raises(psycopg.errors.RaiseException, match="not a partitioned table"):
        app_role.execute("SELECT onhand_partitions('app_user', 3)")


def test_signed_entries_add_up_to_the_level(world: World, app_role: psycopg.Connection) -> None:
    with app_role:
        rows = app_role.execute(
            "SELECT sum(quantity) FROM ledger_entry WHERE variant = %s AND location = %s",
            (world.variants["TEA"], world.places["S1"]),
        ).fetchone()
        assert rows == (5,)
