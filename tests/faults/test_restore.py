"""K12: sell, back up, sell more, restore to a chosen instant: exactly the postings recorded up to it are there, the books hold
together, and tills that send everything again end where they were, with nothing doubled. `ONHAND_TORTURE=1`: fifty instants."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from onhand.doors import upkeep, wiring
from onhand.kit import backup, restore
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.migrate import upgrade
from onhand.kit.postgres import APP, SUPERUSER, EmbeddedPostgres
from onhand.kit.settings import Settings
from onhand.ledger import Mode, Posting
from tests.ledger.world import World, build, post

pytestmark = pytest.mark.faults

TORTURE = bool(os.environ.get("ONHAND_TORTURE"))
RESTORES = 50 if TORTURE else 1
SEED = int(os.environ.get("ONHAND_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
FILE = "0199aaaa-0000-7000-8000-100010000001"


class Shop:
    """A data directory with a running embedded server that archives, and the sales that were posted to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder / "data", backup_dir=folder / "backups", database_url=None)
        self.postgres = backup.server_of(self.settings)
        self.posted: list[tuple[Posting, datetime]] = []
        self.world: World

    async def open(self) -> None:
        await asyncio.to_thread(self.postgres.start)
        await asyncio.to_thread(upgrade, self.postgres.url())
        self.db = _database(self.postgres)
        wiring.register()
        await wiring.prepare(self.db)
        self.world = await build(self.db)

    async def sell(self, count: int) -> None:
        for _ in range(count):
            sku = random.choice(list(self.world.variants))
            moved = self.world.move(sku, 1, "S1", "customer")
            posting = self.world.posting(moved, kind="sell", mode=Mode.fact)
            await post(self.db, posting)
            self.posted.append((posting, now()))
            await asyncio.sleep(0.002)

    def archive(self) -> None:
        """What the server does every few seconds, after a segment was closed."""
        with psycopg.connect(self.postgres.url(SUPERUSER), autocommit=True) as conn:
            conn.execute("SELECT pg_switch_wal()")
            row = conn.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
            assert row is not None
            end = time.monotonic() + 20
            while time.monotonic() < end:
                done = conn.execute("SELECT last_archived_wal FROM pg_stat_archiver").fetchone()
                if done and done[0] and done[0] >= f"{int(row[0], 16) - 1:024X}":
                    break
                time.sleep(0.05)
        backup.ship(self.postgres, self.settings.backups)

    async def close(self) -> None:
        await self.db.close()
        await asyncio.to_thread(self.postgres.stop)


def _database(postgres: EmbeddedPostgres) -> Database:
    database = Database.open(postgres.url(APP), pool_size=2)
    wiring.hooks(database)
    return database


@pytest.fixture(scope="module")
async def shop() -> AsyncIterator[Shop]:
    """Forty sales, a backup, eighty more with pauses, everything archived."""
    with tempfile.TemporaryDirectory(prefix="onhand-restore-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - once, before anything runs
        built = Shop(Path(folder))
        await built.open()
        try:
            await built.sell(40)
            document = built.settings.data / "files" / "01" / FILE
            document.parent.mkdir(parents=True)
            document.write_bytes(b"a picture")
            (built.settings.data / "secret.key").write_bytes(b"k" * 32)
            made = await asyncio.to_thread(backup.take, built.settings)
            assert made.postings == 40
            for _ in range(4):
                await built.sell(20)
                await asyncio.sleep(0.05)
            await asyncio.to_thread(built.archive)
            yield built
        finally:
            await built.close()


async def test_a_restore_holds_exactly_what_was_recorded_up_to_the_instant(shop: Shop) -> None:
    print(f"\nseed {SEED}, {RESTORES} restores")
    pick = random.Random(SEED)
    for n in range(RESTORES):
        # between two sales, so that the instant parts them beyond doubt
        kept = pick.randrange(41, len(shop.posted) - 1)
        before, after = shop.posted[kept - 1][1], shop.posted[kept][1]
        instant = before + (after - before) * 0.15
        target = shop.folder / f"restored{n}"
        started = time.monotonic()
        done, postgres = await asyncio.to_thread(restore.restore, shop.settings.backups, target, to=instant)
        took = time.monotonic() - started
        db = _database(postgres)
        try:
            report = await upkeep.verified(postgres)
            assert report.ok, f"seed {SEED}: {report.differences[:3]}"
            assert report.postings == kept, f"seed {SEED}: {report.postings} instead of {kept}"
            print(f"restored to {instant:%H:%M:%S.%f} in {took:.1f} s: {report.postings} postings")
            if n == 0:
                _everything_else_came_along(target)
                await _tills_send_again(shop, db)
        finally:
            await db.close()
            await asyncio.to_thread(postgres.stop)
        assert done.base.label
        shutil.rmtree(target)


def _everything_else_came_along(target: Path) -> None:
    assert (target / "files" / "01" / FILE).read_bytes() == b"a picture"
    assert (target / "secret.key").read_bytes() == b"k" * 32
    assert json.loads((target / "restored.json").read_text())["backup"]


async def _tills_send_again(shop: Shop, db: Database) -> None:
    """Every device sends all it has, as after any rollback: what is there answers again, what was lost is posted."""
    for posting, _ in shop.posted:
        await post(db, posting)
    async with db.engine.connect() as conn, shop.db.engine.connect() as live:
        for query in (
            "SELECT count(*), max(seq) FROM posting",
            "SELECT variant::text, location::text, on_hand, overdrawn FROM level ORDER BY 1, 2",
            "SELECT variant::text, site::text, sellable, reserved FROM site_level ORDER BY 1, 2",
        ):
            again, there = await conn.exec_driver_sql(query), await live.exec_driver_sql(query)
            assert [tuple(r) for r in again] == [tuple(r) for r in there]


async def test_everything_there_is_comes_back_without_an_instant(shop: Shop) -> None:
    target = shop.folder / "last"
    _, postgres = await asyncio.to_thread(restore.restore, shop.settings.backups, target)
    try:
        report = await upkeep.verified(postgres)
    finally:
        await asyncio.to_thread(postgres.stop)
    assert report.ok
    assert report.postings == len(shop.posted)


async def test_a_trial_restore_is_noted_beside_the_backup(shop: Shop) -> None:
    found = await upkeep.try_restore(shop.settings)
    assert found["ok"]
    noted = backup.tested(shop.settings.backups, found["label"])
    assert noted is not None
    assert noted["postings"] == len(shop.posted)
    assert not list(shop.settings.backups.glob("trial-*"))


async def test_a_restore_never_goes_over_data(shop: Shop) -> None:
    with pytest.raises(restore.RestoreRefused, match="not empty"):
        await asyncio.to_thread(restore.restore, shop.settings.backups, shop.settings.data)
    assert shop.postgres.running()


async def test_instants_that_cannot_be_had_are_named(shop: Shop) -> None:
    folder = shop.settings.backups
    with pytest.raises(restore.RestoreRefused, match="nothing before that instant"):
        restore.choose(folder, to=now() - timedelta(days=1))
    with pytest.raises(restore.RestoreRefused, match="log ends at"):
        restore.choose(folder, to=now() + timedelta(days=1))
    with pytest.raises(restore.RestoreRefused, match="no backup 'nope'"):
        restore.choose(folder, to=None, label="nope")
    with pytest.raises(restore.RestoreRefused, match="no whole backup"):
        restore.choose(shop.folder, to=None)


async def test_another_major_is_refused(shop: Shop, tmp_path: Path) -> None:
    base = backup.bases_of(shop.settings.backups)[0]
    _fake_base(tmp_path, replace(base, major="17", postgres="17.4"))
    with pytest.raises(
        restore.RestoreRefused, match=r"made by PostgreSQL 17\.4; this version of Onhand brings 18"
    ):
        restore.choose(tmp_path, to=None)


async def test_a_damaged_backup_is_refused(shop: Shop, tmp_path: Path) -> None:
    """Bit rot in the backup itself: one bit anywhere in its files, and it is not restored."""
    folder = tmp_path / "copy"
    shutil.copytree(shop.settings.backups, folder)
    packed = next(folder.glob("bases/*/base.tar.gz"))
    data = bytearray(packed.read_bytes())
    data[len(data) // 2] ^= 1
    packed.write_bytes(data)
    with pytest.raises(restore.RestoreRefused, match="damaged"):
        await asyncio.to_thread(restore.restore, folder, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def _fake_base(folder: Path, manifest: backup.Manifest) -> None:
    place = folder / "bases" / manifest.label
    place.mkdir(parents=True, exist_ok=True)
    fields = {name: getattr(manifest, name) for name in manifest.__dataclass_fields__}
    (place / "manifest.json").write_text(json.dumps(fields))


async def test_old_backups_and_their_log_are_forgotten(shop: Shop, tmp_path: Path) -> None:
    base, at = backup.bases_of(shop.settings.backups)[0], now()
    (tmp_path / "wal").mkdir()
    for age in range(10):
        ended = at - timedelta(days=age)
        label, segment = ended.strftime(backup.LABEL), f"00000001000000000000{40 - age:04X}"
        _fake_base(tmp_path, replace(base, label=label, ended_at=ended.isoformat(), start_segment=segment))
        (tmp_path / "wal" / f"{segment}.gz").touch()
    gone = backup.prune(tmp_path, keep=timedelta(days=7), at=at)
    left = backup.bases_of(tmp_path)
    assert len(gone) == 2
    assert len(left) == 8
    assert left[-1].ended <= at - timedelta(days=7), "any instant of the last week can still be had"
    assert min(p.name for p in (tmp_path / "wal").iterdir())[:24] == left[-1].start_segment


async def test_two_servers_cannot_share_an_archive(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(shop.settings.backups / "wal", folder / "wal")
    taken = sorted((folder / "wal").glob("*.gz"))[0]
    stranger = shop.postgres.archive_dir / taken.name.removesuffix(".gz")
    stranger.write_bytes(b"another server's log")
    try:
        with pytest.raises(backup.BackupFailed, match="another server"):
            backup.ship(shop.postgres, folder)
    finally:
        stranger.unlink()


async def test_an_external_database_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql://owner@host/onhand")
    with pytest.raises(backup.NotOurServer, match="own means"):
        backup.take(settings)
    assert not settings.archiving
