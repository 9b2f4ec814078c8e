"""Verifying, backups and the state of the server over HTTP."""

from __future__ import annotations

import asyncio
import shutil
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from fastapi import Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

import onhand
from onhand.access import needs
from onhand.doors.ops_api import JobOut
from onhand.kit import backup, jobs
from onhand.kit.clock import now
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.settings import Settings
from onhand.kit.web import LIMIT, APIRouter, Body, Cursor, Id, Limit, Out, Page, Reads, Writes

router = APIRouter(tags=["operations"])


class StartBody(Body):
    """Starts a job."""

    id: Id | None = Field(default=None, description="The client's own id for the job.")


class RestoreTestBody(StartBody):
    """Which backup to try out; the newest unless named."""

    label: str | None = Field(default=None, max_length=40)


async def _start(tx: Writes, kind: str, title: str, job_id: UUID | None, **arguments: Any) -> dict[str, Any]:
    return await jobs.get_job(
        tx.conn, await jobs.defer_later(tx, kind, title, job_id=tx.new_id(job_id), **arguments)
    )


@router.post("/v1/verifications", response_model=JobOut, status_code=201, dependencies=[needs("jobs:write")])
async def create_verification(tx: Writes, body: StartBody) -> Any:
    """Verifies the whole books in the background; `GET /v1/integrity` shows what it found."""
    return await _start(tx, "verify", "Verify the books", body.id)


# ── backups ──────────────────────────────────────────────────────────────────────────────────────────────────────────

BACKUP_COLUMNS = (
    "label", "began_at", "restorable_from", Column("size", number=True), Column("database_bytes", number=True),
    Column("postings", number=True), "onhand", "postgres", "tested.at", "tested.ok",
)  # fmt: skip


class TestedOut(Out):
    """What the last trial restore of a backup found."""

    at: datetime
    ok: bool
    postings: int
    seconds: int


class BackupOut(Out):
    """A backup of the embedded server. Any instant from `restorable_from` on can be had with the archived log."""

    label: str
    began_at: datetime
    restorable_from: datetime
    size: int
    database_bytes: int
    postings: int
    onhand: str
    postgres: str
    tested: TestedOut | None


def _shape(folder: Any, base: backup.Manifest) -> dict[str, Any]:
    found = backup.tested(folder, base.label)
    return {
        "label": base.label, "began_at": base.began_at, "restorable_from": base.ended_at, "size": base.size,
        "database_bytes": base.database_bytes, "postings": base.postings, "onhand": base.onhand, "postgres": base.postgres,
        "tested": {k: found[k] for k in ("at", "ok", "postings", "seconds")} if found else None,
    }  # fmt: skip


@router.get("/v1/backups", response_model=Page[BackupOut], dependencies=[needs("backups:read")])
async def list_backups(
    request: Request, limit: Limit = LIMIT, cursor: Cursor = None, format: Format = None
) -> Any:
    """The backups of the embedded server, the newest first; none when the database is somebody else's."""
    folder = request.app.state.settings.backups

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        found = [
            _shape(folder, b)
            for b in await asyncio.to_thread(backup.bases_of, folder)
            if not at or b.label < at
        ]
        return found[:rows], found[rows - 1]["label"] if len(found) > rows else None

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="backups", columns=BACKUP_COLUMNS
    )


@router.post("/v1/backups", response_model=JobOut, status_code=201, dependencies=[needs("backups:write")])
async def create_backup(request: Request, tx: Writes, body: StartBody) -> Any:
    """Makes a backup in the background. Refused when the database is not the embedded one."""
    backup.server_of(request.app.state.settings)
    return await _start(tx, "backup", "Backup", body.id)


@router.post(
    "/v1/restore-tests", response_model=JobOut, status_code=201, dependencies=[needs("backups:write")]
)
async def create_restore_test(request: Request, tx: Writes, body: RestoreTestBody) -> Any:
    """Restores a backup beside the running server in the background, verifies its books and throws it away."""
    settings: Settings = request.app.state.settings
    backup.server_of(settings)
    labels = [b.label for b in await asyncio.to_thread(backup.bases_of, settings.backups)]
    if not labels or (body.label is not None and body.label not in labels):
        raise NotFound("There is no such backup.", param="label")
    label = body.label or labels[0]
    return await _start(tx, "restore_test", f"Restore test of {label}", body.id, label=label)


# ── the server ───────────────────────────────────────────────────────────────────────────────────────────────────────


class DatabaseOut(Out):
    """The database. `checksums`: whether pages carry them, so that bit rot is noticed."""

    kind: Literal["embedded", "external"]
    version: str
    size: int
    checksums: bool


class DiskOut(Out):
    """A disk: bytes free and in all."""

    free: int
    total: int


class ArchiveOut(Out):
    """The archived log of the embedded server. `reaches`: up to when it goes; `waiting`: segments not taken away yet."""

    on: bool
    why_off: Literal["external", "demo", "switched_off"] | None
    folder: str | None
    keep_days: int
    reaches: datetime | None
    waiting: int


class QueueOut(Out):
    """Background jobs: how many wait and run, how long the oldest waits, how many failed within a day."""

    queued: int
    running: int
    failed_today: int
    oldest_queued_at: datetime | None


class ServerOut(Out):
    """The state of this server. `lane_waiting`: postings that wait for the lane."""

    version: str
    started_at: datetime
    at: datetime
    database: DatabaseOut
    data_disk: DiskOut
    backup_disk: DiskOut | None
    archive: ArchiveOut
    queue: QueueOut
    lane_waiting: Annotated[int, Field(description="Postings that wait for the lane.")]


_DATABASE = """
SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size,
       current_setting('data_checksums') = 'on' AS checksums
"""
_QUEUE = """
SELECT count(*) FILTER (WHERE state = 'queued') AS queued, count(*) FILTER (WHERE state = 'running') AS running,
       count(*) FILTER (WHERE state = 'failed' AND finished_at > clock_timestamp() - interval '1 day') AS failed_today,
       min(created_at) FILTER (WHERE state = 'queued') AS oldest_queued_at FROM job
"""


@router.get("/v1/server", response_model=ServerOut, dependencies=[needs("backups:read")])
async def get_server(request: Request, conn: Reads) -> Any:
    """The state of the server: database, disks, archived log, jobs."""
    state = request.app.state
    settings: Settings = state.settings
    database, queue = await _facts(conn)
    kind = "external" if settings.database_url else "embedded"
    return {
        "version": onhand.__version__, "started_at": state.started_at, "at": now(), "database": {"kind": kind, **database},
        **await asyncio.to_thread(_machine, settings), "queue": queue, "lane_waiting": state.engine.queued,
    }  # fmt: skip


async def _facts(conn: AsyncConnection) -> tuple[dict[str, Any], dict[str, Any]]:
    database = (await conn.execute(sa.text(_DATABASE))).mappings().one()
    queue = (await conn.execute(sa.text(_QUEUE))).mappings().one()
    return dict(database), dict(queue)


def _machine(settings: Settings) -> dict[str, Any]:
    embedded = settings.database_url is None
    folder = settings.backups
    why = (
        None
        if settings.archiving
        else "demo"
        if embedded and settings.demo
        else "switched_off"
        if embedded
        else "external"
    )
    return {
        "data_disk": _disk(settings.data),
        "backup_disk": _disk(folder) if embedded else None,
        "archive": {
            "on": settings.archiving, "why_off": why, "folder": str(folder) if embedded else None,
            "keep_days": settings.backup_keep_days, "reaches": backup.reaches(folder) if embedded else None,
            "waiting": backup.waiting(backup.server_of(settings)) if embedded else 0,
        },
    }  # fmt: skip


def _disk(folder: Any) -> dict[str, int]:
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return {"free": usage.free, "total": usage.total}
