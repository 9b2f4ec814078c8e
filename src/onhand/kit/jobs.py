"""Background jobs: defined by a decorator, queued with your commit, run by a worker, seen by people.

    @job("import")
    async def run_import(ctx: JobContext) -> dict[str, Any]:
        for done, chunk in enumerate(chunks):
            await ctx.progress(done, total, "rows")      # also where a cancelled job stops
            async with ctx.writing() as tx: ...
        return {"rows": done}

    job_id = await jobs.defer_later(tx, "import", "Import of prices.csv", import_id=str(import_id))

The row in `job` is what people see and what decides. The queue behind it (procrastinate, schema `jobs`) only carries its id
to a worker: its entry is written in the same transaction, so a job exists exactly when its cause was committed.

A handler may be run again: after a retry, or when the server was stopped in the middle. It must be safe to repeat, which
is easy when it does everything in one transaction and ends it with `ctx.finish(tx, result)`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit import paging
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import NIL, uuid7
from onhand.kit.outbox import Event, flush_events
from onhand.kit.problem import Conflict, IdReused, NotFound
from onhand.kit.settings import Settings
from onhand.kit.tables import job as jobs_table
from onhand.kit.tx import SYSTEM, Actor, Tx

Handler = Callable[["JobContext"], Awaitable[dict[str, Any] | None]]

QUEUE = "onhand"
TASK = "onhand.run"
STATES = ("queued", "running", "done", "failed", "cancelled")
TRANSITIONS: dict[str, dict[str, str]] = {
    "queued": {"cancel": "cancelled", "start": "running"},
    "running": {"cancel": "running", "finish": "done", "fail": "failed", "stop": "queued"},
    "failed": {"retry": "queued"},
    "cancelled": {"retry": "queued"},
    "done": {},
}
"""State → verb → next state. A running job is only asked to stop; it ends as cancelled when it has."""

PROGRESS_SECONDS = 0.5


class JobCancelled(Exception):
    """Raised inside a handler at the next `progress` or `check_cancelled` after somebody cancelled its job."""


class JobChanged(Event, frozen=True, kw_only=True):
    """A background job was queued, started or ended."""

    type: ClassVar[str] = "job.changed"
    needs: ClassVar[str] = "jobs:read"

    job_id: UUID
    kind: str
    title: str
    state: str

    def subject(self) -> str:
        return f"job/{self.job_id}"


@dataclass(frozen=True, slots=True)
class JobKind:
    """A registered handler. `attempts`: how often it is tried before it counts as failed; `cron`: when it runs by itself."""

    name: str
    handler: Handler
    attempts: int = 1
    cron: str | None = None


KINDS: dict[str, JobKind] = {}


def job(kind: str, *, attempts: int = 1) -> Callable[[Handler], Handler]:
    """Register the handler of a kind of job. Its answer (a JSON object or None) becomes the job's `result`."""

    def register(handler: Handler) -> Handler:
        _register(JobKind(kind, handler, attempts))
        return handler

    return register


def periodic(cron: str, *, kind: str | None = None) -> Callable[[Handler], Handler]:
    """Run a handler by the clock (UTC, five cron fields), on one server however many run.

    It leaves a row among the jobs only when it fails; its kind is the function's name unless given.
    """

    def register(handler: Handler) -> Handler:
        _register(JobKind(kind or handler.__name__, handler, cron=cron))
        return handler

    return register


def _register(kind: JobKind) -> None:
    known = KINDS.get(kind.name)
    if known is not None and known.handler.__qualname__ != kind.handler.__qualname__:
        raise TypeError(f"job kind {kind.name!r} is taken by {known.handler.__qualname__}")
    KINDS[kind.name] = kind


# ── what people and other packages do with jobs ──────────────────────────────────────────────────────────────────────

_INSERT = sa.text(
    "INSERT INTO job (id, kind, title, arguments, created_by, created_by_name, created_at)"
    " VALUES (:id, :kind, :title, CAST(:arguments AS jsonb), :by, :by_name, :at) ON CONFLICT (id) DO NOTHING"
)
_ENQUEUE = sa.text(
    "SELECT jobs.procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, :task, 0, NULL, NULL,"
    " jsonb_build_object('job', CAST(:id AS text)), CAST(:at AS timestamptz))::jobs.procrastinate_job_to_defer_v1])"
)


async def defer_later(
    tx: Tx, kind: str, title: str, *, job_id: UUID | None = None, at: datetime | None = None, **arguments: Any
) -> UUID:
    """Queue a job with this transaction's commit; returns its id. `arguments` are JSON values (ids as text).

    `at`: not before then. Raises IdReused when `job_id` is already a job's id.
    """
    if kind not in KINDS:
        raise KeyError(f"no handler is registered for jobs of kind {kind!r}")
    new = job_id or uuid7()
    stored = {"actor_kind": tx.actor.kind, "arguments": arguments}
    row = {
        "id": new, "kind": kind, "title": title[:500], "arguments": orjson.dumps(stored).decode(),
        "by": tx.actor.id, "by_name": tx.actor.name, "at": tx.now,
    }  # fmt: skip
    if (await tx.conn.execute(_INSERT, row)).rowcount == 0:
        raise IdReused(param="id")
    await enqueue(tx.conn, new, at=at)
    tx.emit(JobChanged(job_id=new, kind=kind, title=title, state="queued"))
    return new


async def enqueue(conn: AsyncConnection, job_id: UUID, *, at: datetime | None = None) -> None:
    """Put a job's id on the queue, inside the connection's transaction."""
    await conn.execute(_ENQUEUE, {"queue": QUEUE, "task": TASK, "id": str(job_id), "at": at})


async def cancel(tx: Tx, job_id: UUID) -> dict[str, Any]:
    """Cancel a queued job, or ask a running one to stop. Raises NotFound; Conflict when it has ended."""
    row = await _locked(tx.conn, job_id)
    if row.state == "running":
        await _change(tx, row, state="running", cancel_asked=True)
    elif row.state == "queued":
        await _change(tx, row, state="cancelled", finished_at=tx.now, cancel_asked=True)
    elif row.state != "cancelled":
        raise Conflict(
            f"This job is {row.state}; only queued and running jobs can be cancelled.", state=row.state
        )
    return await get_job(tx.conn, job_id)


async def retry(tx: Tx, job_id: UUID) -> dict[str, Any]:
    """Queue a failed or cancelled job again, as a new attempt. Raises NotFound; Conflict in any other state."""
    row = await _locked(tx.conn, job_id)
    if row.state not in ("failed", "cancelled"):
        raise Conflict(
            f"This job is {row.state}; only failed and cancelled jobs can be retried.", state=row.state
        )
    await _change(
        tx,
        row,
        state="queued",
        error=None,
        result=None,
        done=0,
        started_at=None,
        finished_at=None,
        cancel_asked=False,
    )
    await enqueue(tx.conn, job_id)
    return await get_job(tx.conn, job_id)


async def _locked(conn: AsyncConnection, job_id: UUID) -> Any:
    found = await conn.execute(sa.select(jobs_table).where(jobs_table.c.id == job_id).with_for_update())
    row = found.one_or_none()
    if row is None:
        raise NotFound("There is no job with this id.")
    return row


async def _change(tx: Tx, row: Any, **values: Any) -> None:
    await tx.conn.execute(sa.update(jobs_table).where(jobs_table.c.id == row.id).values(**values))
    if values["state"] != row.state:
        tx.record("job", row.id, {"state": row.state}, {"state": values["state"]})
        tx.emit(JobChanged(job_id=row.id, kind=row.kind, title=row.title, state=values["state"]))
    elif values.get("cancel_asked"):
        tx.record("job", row.id, {"cancel_asked": row.cancel_asked}, {"cancel_asked": True})


def shape(row: Any) -> dict[str, Any]:
    """A job as the API shows it. `can` names the verbs its state allows."""
    return {
        "id": row.id,
        "kind": row.kind,
        "title": row.title,
        "state": row.state,
        "progress": {"done": row.done, "total": row.total, "unit": row.unit},
        "attempts": row.attempts,
        "cancel_asked": row.cancel_asked,
        "error": row.error,
        "result": row.result,
        "created_by": {"id": row.created_by, "name": row.created_by_name},
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "can": [
            verb
            for verb in ("cancel", "retry")
            if verb in TRANSITIONS[row.state] and not (row.cancel_asked and verb == "cancel")
        ],
    }


async def get_job(conn: AsyncConnection, job_id: UUID) -> dict[str, Any]:
    """One job as the API shows it; raises NotFound."""
    row = (await conn.execute(sa.select(jobs_table).where(jobs_table.c.id == job_id))).one_or_none()
    if row is None:
        raise NotFound("There is no job with this id.")
    return shape(row)


async def list_jobs(
    conn: AsyncConnection,
    *,
    limit: int,
    cursor: str | None = None,
    state: str | None = None,
    kind: str | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """Jobs, newest first, and the next page's cursor."""
    keys = [jobs_table.c.created_at, jobs_table.c.id]
    query = sa.select(jobs_table).where(paging.after(keys, cursor, descending=True))
    if state is not None:
        query = query.where(jobs_table.c.state == state)
    if kind is not None:
        query = query.where(jobs_table.c.kind == kind)
    rows = (await conn.execute(query.order_by(*[key.desc() for key in keys]).limit(limit + 1))).all()
    found, following = paging.cut(rows, limit, ["created_at", "id"])
    return [shape(row) for row in found], following


# ── what a handler holds ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class JobContext:
    """One attempt of one job, in the hands of its handler. `actor` is who asked for it."""

    id: UUID
    kind: str
    title: str
    arguments: dict[str, Any]
    actor: Actor
    attempt: int
    database: Database
    settings: Settings
    finished: bool = field(default=False, init=False)
    _told: float = field(default=0.0, init=False)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Tx]:
        """A write transaction in the name of who asked for the job."""
        async with self.database.writing(actor=self.actor, action=f"job {self.kind}") as tx:
            yield tx

    async def progress(self, done: int, total: int | None = None, unit: str | None = None) -> None:
        """Say how far it is, at most twice a second; raises JobCancelled when somebody asked to stop.

        It uses a connection of its own, so people see it while the handler's transaction is still open.
        """
        if time.monotonic() - self._told < PROGRESS_SECONDS and done != total:
            return
        async with self.database.engine.begin() as conn:
            row = (
                await conn.execute(
                    _PROGRESS,
                    {"id": self.id, "attempt": self.attempt, "done": done, "total": total, "unit": unit},
                )
            ).one_or_none()
        self._told = time.monotonic()
        self._obey(row)

    async def check_cancelled(self) -> None:
        """Raises JobCancelled when somebody asked to stop (looked up at most twice a second)."""
        if time.monotonic() - self._told < PROGRESS_SECONDS:
            return
        async with self.database.engine.connect() as conn:
            row = (await conn.execute(_ASKED, {"id": self.id, "attempt": self.attempt})).one_or_none()
        self._told = time.monotonic()
        self._obey(row)

    def _obey(self, row: Any) -> None:
        if not self.finished and (row is None or row.cancel_asked) and self.id != NIL:
            raise JobCancelled()

    async def finish(self, tx: Tx, result: dict[str, Any] | None = None) -> None:
        """Mark the job done inside the transaction that did its work: then there is no moment in which one holds
        without the other. Raises JobCancelled when it is no longer this attempt's job."""
        if self.id == NIL:
            return
        if not await end(tx, self, "done", result=result):
            raise JobCancelled()
        self.finished = True


_PROGRESS = sa.text(
    "UPDATE job SET done = :done, total = coalesce(:total, total), unit = coalesce(CAST(:unit AS text), unit)"
    " WHERE id = :id AND state = 'running' AND attempts = :attempt RETURNING cancel_asked"
)
_ASKED = sa.text("SELECT cancel_asked FROM job WHERE id = :id AND state = 'running' AND attempts = :attempt")
_END = sa.text(
    "UPDATE job SET state = :state, error = CAST(:error AS text), result = CAST(:result AS jsonb), finished_at = clock_timestamp(),"
    " done = CASE WHEN :state = 'done' THEN coalesce(total, done) ELSE done END"
    " WHERE id = :id AND state = 'running' AND attempts = :attempt"
)
_REQUEUE = sa.text(
    "UPDATE job SET state = 'queued', error = CAST(:error AS text), started_at = NULL"
    " WHERE id = :id AND state = 'running' AND attempts = :attempt"
)
_START = sa.text(
    "UPDATE job SET state = 'running', attempts = attempts + 1, started_at = clock_timestamp(), finished_at = NULL,"
    " done = 0 WHERE id = :id AND state = 'queued'"
    " RETURNING id, kind, title, arguments, attempts, created_by, created_by_name"
)

EndState = Literal["done", "failed", "cancelled"]


async def end(
    tx: Tx,
    ctx: JobContext,
    state: EndState,
    *,
    error: str | None = None,
    result: dict[str, Any] | None = None,
) -> bool:
    """Close an attempt; False when the job is no longer this attempt's."""
    stored = orjson.dumps(result, default=str).decode() if result is not None else None
    values = {"id": ctx.id, "attempt": ctx.attempt, "state": state, "error": error, "result": stored}
    if (await tx.conn.execute(_END, values)).rowcount == 0:
        return False
    tx.emit(JobChanged(job_id=ctx.id, kind=ctx.kind, title=ctx.title, state=state))
    return True


async def requeue(tx: Tx, ctx: JobContext, *, error: str | None = None, at: datetime | None = None) -> None:
    """Put a running job back on the queue: the server stops, or another attempt is due."""
    if (await tx.conn.execute(_REQUEUE, {"id": ctx.id, "attempt": ctx.attempt, "error": error})).rowcount:
        await enqueue(tx.conn, ctx.id, at=at)
        tx.emit(JobChanged(job_id=ctx.id, kind=ctx.kind, title=ctx.title, state="queued"))


async def start(database: Database, settings: Settings, job_id: UUID) -> JobContext | None:
    """Claim a queued job for this attempt; None when it is not queued any more (cancelled, or taken)."""
    async with quiet(database) as tx:
        row = (await tx.conn.execute(_START, {"id": job_id})).one_or_none()
        if row is None:
            return None
        tx.emit(JobChanged(job_id=row.id, kind=row.kind, title=row.title, state="running"))
    kind = row.arguments.get("actor_kind", "system")
    actor = SYSTEM if kind == "system" else Actor(id=row.created_by, kind=kind, name=row.created_by_name)
    return JobContext(
        row.id,
        row.kind,
        row.title,
        row.arguments.get("arguments", {}),
        actor,
        row.attempts,
        database,
        settings,
    )


async def record_failure(database: Database, kind: str, error: str) -> None:
    """Leave a row for a periodic job that failed, so that people see it and can retry it."""
    async with quiet(database) as tx:
        stored = orjson.dumps({"actor_kind": "system", "arguments": {}}).decode()
        job_id, title = uuid7(), kind.replace("_", " ").capitalize()
        await tx.conn.execute(
            _INSERT,
            {
                "id": job_id,
                "kind": kind,
                "title": title,
                "arguments": stored,
                "by": SYSTEM.id,
                "by_name": SYSTEM.name,
                "at": tx.now,
            },
        )
        await tx.conn.execute(
            sa.text(
                "UPDATE job SET state = 'failed', attempts = 1, error = :error, finished_at = :at WHERE id = :id"
            ),
            {"id": job_id, "error": error, "at": tx.now},
        )
        tx.emit(JobChanged(job_id=job_id, kind=kind, title=title, state="failed"))


@asynccontextmanager
async def quiet(database: Database) -> AsyncIterator[Tx]:
    """A transaction for bookkeeping: its events are published, but nobody acted, so nothing is audited."""
    async with database.engine.connect() as conn:
        tx = Tx(conn=conn, now=now(), actor=SYSTEM)
        yield tx
        await flush_events(tx)
        await conn.commit()
        for callback in tx.after_commit:
            done = callback()
            if done is not None:
                await done
