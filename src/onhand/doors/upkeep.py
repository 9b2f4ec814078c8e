"""What a server does by itself beside requests: the self check, taking the log away, backups, and trying them out."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import SecretStr

from onhand.kit import backup, restore
from onhand.kit.clock import now, rfc3339
from onhand.kit.database import Database
from onhand.kit.jobs import JobContext, job, periodic
from onhand.kit.migrate import upgrade
from onhand.kit.postgres import APP, EmbeddedPostgres
from onhand.kit.settings import Settings
from onhand.kit.telemetry import ARCHIVE_WAITING, BACKUP_AT, log
from onhand.ledger import self_check, verify

if TYPE_CHECKING:
    from onhand.doors.wiring import Onhand

SHIP_SECONDS = 5
MIRROR_EVERY = 12
"""Files are mirrored at every so many looks at the log."""
FIRST_BACKUP_AFTER = 12
"""A server that has no backup yet makes one after so many looks."""


def background(objects: Onhand) -> list[asyncio.Task[None]]:
    """Start what runs all the time; whoever stops the server cancels the tasks."""
    settings, tasks = objects.settings, []
    if settings.self_check_seconds:
        checking = self_check.keep_checking(objects.database, settings.self_check_seconds)
        tasks.append(asyncio.create_task(checking, name="self check"))
    if settings.archiving:
        tasks.append(asyncio.create_task(keep_shipping(settings), name="archive"))
    return tasks


async def keep_shipping(settings: Settings) -> None:
    """Take finished segments of the embedded server's log into the backup folder, and mirror files, until cancelled."""
    postgres, loop, looks = backup.server_of(settings), asyncio.get_running_loop(), 0
    with ThreadPoolExecutor(1, "archive", initializer=_gently) as threads:
        while True:
            looks += 1
            try:
                await loop.run_in_executor(threads, backup.ship, postgres, settings.backups)
                if looks % MIRROR_EVERY == 0:
                    await loop.run_in_executor(threads, backup.mirror_files, settings)
                bases = backup.bases_of(settings.backups)
                if not bases and looks >= FIRST_BACKUP_AFTER and settings.jobs_concurrency:
                    await loop.run_in_executor(threads, backup.take, settings)
                ARCHIVE_WAITING.set(backup.waiting(postgres))
                BACKUP_AT.set(bases[0].ended.timestamp() if bases else 0)
            except Exception as error:
                log(__name__).error("archive_failed", error=str(error)[:500])
                await asyncio.sleep(SHIP_SECONDS * 5)
            await asyncio.sleep(SHIP_SECONDS)


def _gently() -> None:
    """Packing the log takes what the till leaves of the processor. On Linux this is the thread's own."""
    if sys.platform == "linux":
        os.nice(10)


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@job("backup")
async def back_up(ctx: JobContext) -> dict[str, Any]:
    """Make a backup now."""
    made = await asyncio.to_thread(backup.take, ctx.settings)
    return {
        "label": made.label,
        "size": made.size,
        "database_bytes": made.database_bytes,
        "postings": made.postings,
    }


@periodic("40 1 * * *", kind="backup_nightly")
async def back_up_nightly(ctx: JobContext) -> None:
    """The same every night, for the embedded server."""
    if ctx.settings.archiving:
        await asyncio.to_thread(backup.take, ctx.settings)


@job("restore_test")
async def trial_restore(ctx: JobContext) -> dict[str, Any]:
    """Restore a backup beside the running server, verify its books, throw it away."""
    return await try_restore(ctx.settings, label=ctx.arguments.get("label"))


@periodic("20 4 * * 0", kind="restore_test_weekly")
async def trial_restore_weekly(ctx: JobContext) -> None:
    """The same every Sunday with the newest backup."""
    if ctx.settings.archiving and backup.bases_of(ctx.settings.backups):
        await try_restore(ctx.settings)


async def try_restore(
    settings: Settings, *, label: str | None = None, to: datetime | None = None
) -> dict[str, Any]:
    """Restore into a folder of its own, verify, throw away; what was found is written beside the backup.

    Raises RestoreRefused, and BackupFailed when the disk is too small or the restored books do not hold together.
    """
    folder = settings.backups
    base = restore.choose(folder, to=to, label=label)
    if shutil.disk_usage(folder).free < 2 * base.database_bytes + (512 << 20):
        raise backup.BackupFailed(f"The disk of {folder} has too little room to try a restore.")
    trial = Path(tempfile.mkdtemp(prefix="trial-", dir=folder))
    started = time.monotonic()
    postgres: EmbeddedPostgres | None = None
    try:
        done = await asyncio.to_thread(restore.restore, folder, trial / "data", to=to, label=base.label)
        postgres = done[1]
        report = await verified(done[1])
    finally:
        if postgres is not None:
            await asyncio.to_thread(postgres.stop)
        around = EmbeddedPostgres.at(trial / "data").data_dir.parent
        if trial not in around.parents:  # where the server's own user can reach it
            shutil.rmtree(around, ignore_errors=True)
        shutil.rmtree(trial, ignore_errors=True)
    found = {
        "at": rfc3339(now()), "ok": report.ok, "postings": report.postings, "moves": report.moves,
        "differences": len(report.differences), "seconds": round(time.monotonic() - started),
    }  # fmt: skip
    (folder / "bases" / base.label / "tested.json").write_bytes(orjson.dumps(found))
    if not report.ok:
        raise backup.BackupFailed(
            f"Backup {base.label} was restored, but its books differ: {report.differences[0]}"
        )
    return {"label": base.label, **found}


async def verified(postgres: EmbeddedPostgres) -> verify.Report:
    """Bring a restored database to this version's schema and verify its books."""
    from onhand.doors import wiring

    await asyncio.to_thread(upgrade, postgres.url())
    database = Database.open(postgres.url(APP), pool_size=2)
    wiring.hooks(database)
    wiring.register()
    try:
        return await verify.run(database)
    finally:
        await database.close()


def settings_for(data_dir: Path) -> Settings:
    """The present settings, for an embedded server in another data directory."""
    secret: SecretStr | None = None
    return Settings(data_dir=data_dir, database_url=secret, app_database_url=secret)
