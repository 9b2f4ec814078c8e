"""The self check finds what differs within one cycle, keeps seeing it until it is mended, and bounds its work."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import psycopg
import pytest
import sqlalchemy as sa

from onhand import ledger
from onhand.kit import telemetry
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.postgres import SUPERUSER, EmbeddedPostgres
from onhand.ledger import Claim, Mode, rebuild, self_check, verify
from tests.ledger.world import World, build, post

CANARY = random.SystemRandom().randrange(1 << 32)


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    world = await build(db)
    for sku in ("TEA", "RICE", "SALT"):
        await post(db, world.posting(world.move(sku, 50, "supplier", "S1"), kind="receive"))
    claim = Claim(reservation=uuid7(), variant=world.variants["TEA"], site=world.places["S1"], quantity=5)
    sold = world.move("TEA", 1, "S1", "customer")
    await post(db, world.posting(sold, kind="sell", mode=Mode.fact, claims=(claim,)))
    wrong = world.posting(world.move("TEA", 3, "S1", "S2"), kind="move")
    await post(db, wrong)
    await post(db, world.posting(world.move("TEA", 3, "S2", "S1"), kind="reverse", reverses=wrong.id))
    return world


@pytest.fixture(autouse=True)
def _ledger_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """These postings and this claim have no documents; whether those agree is asked elsewhere."""
    monkeypatch.setattr(verify, "_registered", {})
    monkeypatch.delitem(verify.CHECKS, "reservations")


@pytest.fixture
async def root(server: EmbeddedPostgres, database_urls: tuple[str, str]) -> AsyncIterator[psycopg.Connection]:
    """Somebody with all power and no scruples: triggers and constraints off."""
    name = str(psycopg.conninfo.conninfo_to_dict(database_urls[0])["dbname"])
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        yield conn


@pytest.fixture
async def owner(database_urls: tuple[str, str]) -> AsyncIterator[Database]:
    from onhand.doors import wiring

    database = Database.open(database_urls[0], pool_size=1)
    wiring.hooks(database)
    yield database
    await database.close()


async def mend(owner: Database) -> list[rebuild.Mending]:
    async with owner.writing(action="rebuild") as tx:
        return await rebuild.rebuild(tx)


async def test_a_sound_book_has_no_drift(db: Database, world: World) -> None:
    found = await self_check.run(db)
    assert found is not None
    assert found.drift == 0, found.differences
    assert found.levels >= 4
    assert found.site_levels >= 3
    async with db.reading() as conn:
        assert await ledger.drift(conn) == 0


CANARIES = {
    "UPDATE level SET on_hand = on_hand + 1 WHERE on_hand = 49": ("level", "on_hand", "49", "50"),
    "UPDATE level SET overdrawn = 7 WHERE on_hand = 49": ("level", "overdrawn", "0", "7"),
    "UPDATE site_level SET sellable = sellable - 2 WHERE sellable = 49": ("site_level", "sellable", "49", "47"),
    "UPDATE site_level SET reserved = 4 WHERE reserved = 5": ("site_level", "reserved", "5", "4"),
    "DELETE FROM level WHERE on_hand = 49": ("level", "on_hand", "49", "none"),
    "DELETE FROM site_level WHERE sellable = 49": ("site_level", "sellable", "49", "none"),
    "UPDATE move SET quantity = quantity + 1 WHERE seq = 1": ("level", "on_hand", "50", "49"),
}  # fmt: skip


@pytest.mark.parametrize("damage", CANARIES)
async def test_a_planted_difference_is_found_within_one_cycle(
    db: Database, world: World, root: psycopg.Connection, owner: Database, damage: str
) -> None:
    table, column, expected, actual = CANARIES[damage]
    assert root.execute(damage).rowcount == 1
    try:
        found = await self_check.run(db)
        assert found is not None
        named = {(d.table, d.column, d.expected, d.actual) for d in found.differences}
        assert (table, column, expected, actual) in named
        assert telemetry.DRIFT._value.get() > 0
        again = await self_check.run(db)  # it stays seen, and is told once
        assert again is not None
        assert again.drift == found.drift
        async with db.engine.connect() as conn:
            rows = await conn.execute(
                sa.text("SELECT detail ->> 'table', detail ->> 'row' FROM exception WHERE kind = 'drift' AND state = 'open'")
            )  # fmt: skip
            told = [tuple(r) for r in rows]
            events = await conn.execute(sa.text("SELECT count(*) FROM outbox WHERE type = 'stock.drifted'"))
        assert len(told) == len(set(told)) == found.drift
        assert events.scalar_one() >= len(told)
    finally:
        root.execute("UPDATE move SET quantity = 50 WHERE seq = 1")
        await mend(owner)
    healed = await self_check.run(db)
    assert healed is not None
    assert healed.drift == 0
    assert telemetry.DRIFT._value.get() == 0


async def test_what_wrote_no_posting_is_looked_at_first(
    db: Database, world: World, root: psycopg.Connection, owner: Database
) -> None:
    """Among very many rows written since, one that was changed behind the ledger's back is the first to be checked."""
    await self_check.run(db)
    for _ in range(12):
        await post(db, world.posting(world.move("SALT", 1, "S1", "customer"), kind="sell", mode=Mode.fact))
        await post(db, world.posting(world.move("RICE", 1, "S1", "W1/A"), kind="move"))
    root.execute("UPDATE level SET on_hand = on_hand + 1 WHERE on_hand = 49")
    try:
        async with db.engine.connect() as conn:
            found = await self_check.check(conn, cells=1)
        assert found is not None
        assert found.levels == 1
        assert [d.actual for d in found.differences if d.column == "on_hand"] == ["50"]
    finally:
        await mend(owner)


async def test_the_sweep_comes_round(db: Database, world: World, root: psycopg.Connection) -> None:
    """With one cell a check, every row has had its turn after as many checks as there are rows, and one to begin anew."""
    rows = root.execute("SELECT count(*) FROM level").fetchone()
    assert rows is not None
    seen = set()
    for _ in range(rows[0] + 2):
        async with db.engine.connect() as conn:
            found = await self_check.check(conn, cells=4)
        assert found is not None
        async with db.writing() as tx:
            await self_check.keep(tx, found)
        seen.add(tuple(found.state["level_at"]))
    assert len(seen) >= rows[0]


async def test_two_at_once_share_the_work(db: Database, world: World) -> None:
    async with db.engine.connect() as one, db.engine.connect() as other:
        assert await self_check.check(one) is not None
        assert await self_check.check(other) is None


async def test_drift_counts_what_verification_found_elsewhere(
    db: Database, world: World, root: psycopg.Connection
) -> None:
    root.execute("CREATE TABLE b_key AS TABLE posting_key")
    try:
        root.execute("DELETE FROM posting_key WHERE seq = 2")
        report = await verify.run(db)
        assert not report.ok
        await self_check.run(db)
        async with db.reading() as conn:
            assert await ledger.drift(conn) == 1
    finally:
        root.execute("DELETE FROM posting_key")
        root.execute("INSERT INTO posting_key SELECT * FROM b_key")
        root.execute("DROP TABLE b_key")
    await verify.run(db)
    async with db.reading() as conn:
        assert await ledger.drift(conn) == 0


DAMAGES = (
    "UPDATE level SET on_hand = on_hand + {n} WHERE ctid = (SELECT ctid FROM level ORDER BY md5(variant::text || {n}) LIMIT 1)",
    "UPDATE level SET overdrawn = overdrawn + {n}",
    "DELETE FROM level WHERE ctid IN (SELECT ctid FROM level ORDER BY md5(location::text || {n}) LIMIT 2)",
    "UPDATE site_level SET sellable = {n}, reserved = {n}",
    "DELETE FROM site_level",
    "TRUNCATE level",
    "INSERT INTO site_level (variant, site, sellable) SELECT v.id, p.id, {n} FROM variant v, location p WHERE p.kind = 'store' ON CONFLICT DO NOTHING",
    "DELETE FROM reversal",
    "INSERT INTO reversal (original, by) VALUES (gen_random_uuid(), gen_random_uuid())",
    "UPDATE stream_head SET posting_n = posting_n - 1, event_n = event_n - 1",
)


@pytest.mark.parametrize("turn", range(3))
async def test_rebuild_restores_whatever_was_damaged(
    db: Database, world: World, root: psycopg.Connection, owner: Database, turn: int
) -> None:
    seed = CANARY + turn
    pick = random.Random(seed)
    root.execute("UPDATE level SET allocated = 2 WHERE on_hand = 49")
    good = {t: root.execute(f"TABLE {t}").fetchall() for t in ("level", "site_level", "reversal")}
    for damage in pick.sample(DAMAGES, 4):
        if "TRUNCATE" in damage or "DELETE FROM level" in damage:
            continue  # a row that is gone has lost what was allocated with it; the next test removes rows
        root.execute(damage.format(n=pick.randint(1, 99)).encode())
    assert not (await verify.run(db)).ok, f"seed {seed}"
    async with owner.engine.connect() as conn:  # a dry run: computed, shown, rolled back
        from onhand.kit.clock import now
        from onhand.kit.tx import SYSTEM, Tx

        shown = await rebuild.rebuild(Tx(conn=conn, now=now(), actor=SYSTEM))
    assert not (await verify.run(db)).ok
    assert await mend(owner) == shown
    assert shown
    report = await verify.run(db)
    assert report.ok, (seed, report.differences)
    kept = {t: root.execute(f"TABLE {t}").fetchall() for t in good}
    assert {r for r in kept["level"] if any(r[4:])} == {r for r in good["level"] if any(r[4:])}, seed
    assert set(kept["reversal"]) == set(good["reversal"])
    assert {r for r in kept["site_level"] if any(r[2:])} == {r for r in good["site_level"] if any(r[2:])}
    root.execute("UPDATE level SET allocated = 0")
    assert await mend(owner) == []


async def test_rebuild_makes_rows_that_are_gone(
    db: Database, world: World, root: psycopg.Connection, owner: Database
) -> None:
    root.execute("DELETE FROM level")
    root.execute("DELETE FROM site_level")
    changed = await mend(owner)
    assert {m.was for m in changed} == {"none"}
    assert (await verify.run(db)).ok


async def test_the_application_may_not_rebuild(db: Database, world: World) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        await mend(db)
