"""Verification names each difference by row and column, and is silent when there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.postgres import SUPERUSER, EmbeddedPostgres
from onhand.ledger import Claim, Mode, verify
from tests.ledger.world import World, build, document_claims, post


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    world = await build(db)
    got = world.posting(world.move("TEA", 50, "supplier", "S1"), kind="receive")
    await post(db, got)
    claim = Claim(reservation=uuid7(), variant=world.variants["TEA"], site=world.places["S1"], quantity=5)
    await post(
        db,
        world.posting(world.move("TEA", 1, "S1", "customer"), kind="sell", mode=Mode.fact, claims=(claim,)),
    )
    wrong = world.posting(world.move("TEA", 3, "S1", "S2"), kind="move")
    await post(db, wrong)
    await post(db, world.posting(world.move("TEA", 3, "S2", "S1"), kind="reverse", reverses=wrong.id))
    return world


@pytest.fixture
async def root(server: EmbeddedPostgres, database_urls: tuple[str, str]) -> AsyncIterator[psycopg.Connection]:
    """Somebody with all power and no scruples: triggers and constraints off."""
    name = str(psycopg.conninfo.conninfo_to_dict(database_urls[0])["dbname"])
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        yield conn


async def check(db: Database) -> verify.Report:
    async with db.engine.connect() as conn:
        return await verify.verify(conn)


async def test_a_claim_without_a_document_is_named(db: Database, world: World) -> None:
    report = await check(db)
    assert {name for name, found in report.checks.items() if found} == {"reservations"}
    assert (report.differences[0].expected, report.differences[0].actual) == ("5", "no line")
    await document_claims(db)


async def test_a_sound_book_has_no_difference(db: Database, world: World) -> None:
    report = await check(db)
    assert report.ok, report.differences
    assert (report.postings, report.moves, report.claims) == (4, 4, 1)


DAMAGE = {
    "UPDATE level SET on_hand = on_hand + 1 WHERE on_hand = 49": ("levels", "on_hand", "49", "50"),
    "UPDATE site_level SET sellable = sellable + 2 WHERE sellable = 49": ("site_levels", "sellable", "49", "51"),
    "UPDATE site_level SET reserved = 4 WHERE reserved = 5": ("site_levels", "reserved", "5", "4"),
    "UPDATE move SET quantity = quantity + 1 WHERE seq = 1": ("levels", "on_hand", "50", "49"),
    "DELETE FROM move WHERE seq = 2": ("levels", "on_hand", "50", "49"),
    "DELETE FROM posting WHERE seq = 2": ("posting_density", "seq", "2", "3"),
    "DELETE FROM posting WHERE seq = 4": ("posting_density", "posting_n", "3", "4"),
    "DELETE FROM outbox WHERE event_n = 2": ("event_density", "event_n", "2", "3"),
    "DELETE FROM posting_key WHERE seq = 3": ("posting_keys", "id", "3", "none"),
    "UPDATE posting SET happened_at = happened_at - interval '1 day' WHERE seq = 3": ("lines", "posting", "one with its times", "none"),
    "UPDATE move SET from_kept = NOT from_kept WHERE seq = 3": ("kept_sides", "from_kept", "true", "false"),
    "DELETE FROM reversal": ("reversals", "reversal", None, "none"),
    "UPDATE posting SET recorded_at = recorded_at - interval '1 millisecond' * 500 WHERE seq = 4": ("recorded_in_order", "recorded_at", None, None),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_named(db: Database, world: World, root: psycopg.Connection, damage: str) -> None:
    name, column, expected, actual = DAMAGE[damage]
    backup = "CREATE TABLE b_{t} AS TABLE {t}"
    tables = ("level", "site_level", "posting", "move", "outbox", "posting_key", "reversal")
    for table in tables:
        root.execute(backup.format(t=table))
    try:
        assert root.execute(damage).rowcount >= 1
        report = await check(db)
        assert not report.ok
        found = [d for d in report.differences if d.check == name and d.column == column]
        assert found, report.differences
        assert expected is None or expected in {d.expected for d in found}
        assert actual is None or actual in {d.actual for d in found}
        assert all(d.row for d in found)
    finally:
        for table in tables:
            root.execute(f"DELETE FROM {table}")
            root.execute(f"INSERT INTO {table} SELECT * FROM b_{table}")
            root.execute(f"DROP TABLE b_{table}")
    assert (await check(db)).ok


async def test_a_row_in_a_default_partition_is_named(
    db: Database, world: World, root: psycopg.Connection
) -> None:
    root.execute(
        "INSERT INTO outbox_default SELECT event_n, '1990-01-01', happened_at, id, site, type, subject, partition_key, data FROM outbox LIMIT 1"
    )
    report = await check(db)
    assert [d.table for d in report.differences if d.check == "default_partitions"] == ["outbox_default"]
    root.execute("DELETE FROM outbox_default")


async def test_documents_register_their_own_sums(db: Database, world: World) -> None:
    async def sums(conn: object) -> list[verify.Difference]:
        return [verify.Difference("sales", "sale_line", "sale 7", "quantity", "3", "4")]

    verify.register_check("sales", sums)
    try:
        report = await verify.run(db)
        assert not report.ok
        assert report.checks["sales"] == 1
    finally:
        verify._registered.clear()
    async with db.reading() as conn:
        from onhand.ledger import reads

        found = await reads.integrity(conn)
    assert found["drift"] == 1
    assert found["last_verify"]["differences"][0]["row"] == "sale 7"
