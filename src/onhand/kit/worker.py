"""The worker: takes job ids off the queue, runs their handlers, and notices what a crash left behind.

While a job runs, its worker holds an advisory lock for it on a connection of its own. When the process dies, the lock is
gone at once, on every machine: a running job without its lock was interrupted, and `sweep` marks it failed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import procrastinate
import psycopg
import sqlalchemy as sa

from onhand.kit import jobs, mail
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import NIL
from onhand.kit.jobs import KINDS, JobCancelled, JobContext, JobKind
from onhand.kit.problem import Problem
from onhand.kit.settings import Settings
from onhand.kit.telemetry import JOB_SECONDS, JOBS_ENDED, JOBS_RUNNING, log
from onhand.kit.tx import SYSTEM

SWEEP_SECONDS = 15.0
GRACE_SECONDS = 10.0
RETRY_SECONDS = (5, 30, 120, 600)
INTERRUPTED = "The server stopped while this ran. Nothing was kept half done; retry it."
BROKEN = (
    "Something broke on our side. Nothing was kept half done; retry it, or look for this job's id in the log."
)


async def run_worker(database: Database, settings: Settings, *, until_idle: bool = False) -> None:
    """Run jobs and send mails until cancelled; then wait GRACE_SECONDS for running jobs and put the rest back on the queue.

    `until_idle`: return when the queue is empty (tests, `onhand jobs run`). With ONHAND_JOBS_CONCURRENCY=0 it returns at once.
    """
    if settings.jobs_concurrency == 0:
        return
    if until_idle:
        await _run_until(database, settings, until_idle=True)
        return
    mailer = asyncio.create_task(mail.run_mailer(database, settings), name="mailer")
    try:
        await _run_until(database, settings, until_idle=False)
    finally:
        mailer.cancel()


async def _run_until(database: Database, settings: Settings, *, until_idle: bool) -> None:
    pause = 1.0
    while True:
        started = time.monotonic()
        alive = _Alive(_conninfo(database))
        sweeper: asyncio.Task[None] | None = None
        try:
            await sweep(database)
            if not until_idle:
                sweeper = asyncio.create_task(_sweep_forever(database), name="jobs sweeper")
            await _run_queue(database, settings, alive, until_idle=until_idle)
            if until_idle:
                return
            log(__name__).warning("the job worker stopped; starting it again")
        except Exception as error:
            if until_idle:
                raise
            log(__name__).error("the job worker failed; starting it again", error=repr(error))
        finally:
            if sweeper is not None:
                sweeper.cancel()
            await alive.close()
        pause = 1.0 if time.monotonic() - started > 60 else min(pause * 2, 30.0)
        await asyncio.sleep(pause)


async def _run_queue(database: Database, settings: Settings, alive: _Alive, *, until_idle: bool) -> None:
    connector = procrastinate.PsycopgConnector(
        conninfo=_conninfo(database),
        kwargs={
            "options": "-c search_path=jobs,pg_catalog -c timezone=UTC",
            "application_name": "onhand jobs",
        },
        min_size=1,
        max_size=3,
    )
    app = procrastinate.App(connector=connector)

    @app.task(name=jobs.TASK, queue=jobs.QUEUE)
    async def run(job: str) -> None:
        await run_job(database, settings, alive, UUID(job))

    for kind in KINDS.values():
        if kind.cron is not None and not until_idle:
            _schedule(app, kind, database, settings)
    async with app.open_async():
        await app.run_worker_async(
            queues=[jobs.QUEUE],
            concurrency=settings.jobs_concurrency,
            wait=not until_idle,
            install_signal_handlers=False,
            listen_notify=not until_idle,
            delete_jobs="always",
            shutdown_graceful_timeout=GRACE_SECONDS,
            fetch_job_polling_interval=5.0,
        )


def _schedule(app: procrastinate.App, kind: JobKind, database: Database, settings: Settings) -> None:
    @app.periodic(cron=kind.cron or "", periodic_id=kind.name)
    @app.task(name=f"onhand.periodic.{kind.name}", queue=jobs.QUEUE, lock=kind.name, queueing_lock=kind.name)
    async def tick(timestamp: int) -> None:
        await run_periodic(kind, database, settings)


async def run_periodic(kind: JobKind, database: Database, settings: Settings) -> None:
    """Run a periodic handler once; a failure leaves a row among the jobs."""
    ctx = JobContext(NIL, kind.name, kind.name, {}, SYSTEM, 1, database, settings)
    began = time.monotonic()
    try:
        await kind.handler(ctx)
    except Exception as error:
        log(__name__).exception("periodic job failed", kind=kind.name)
        JOBS_ENDED.labels(kind.name, "failed").inc()
        await jobs.record_failure(database, kind.name, error.detail if isinstance(error, Problem) else BROKEN)
    else:
        JOBS_ENDED.labels(kind.name, "done").inc()
    finally:
        JOB_SECONDS.labels(kind.name).observe(time.monotonic() - began)


async def run_job(database: Database, settings: Settings, alive: _Alive, job_id: UUID) -> None:
    """One attempt of one job, from claim to end."""
    if not await alive.hold(job_id):
        async with jobs.quiet(database) as tx:  # an attempt we thought dead is still at work
            await jobs.enqueue(tx.conn, job_id, at=now() + timedelta(seconds=5))
        return
    try:
        ctx = await jobs.start(database, settings, job_id)
        if ctx is not None:
            with JOBS_RUNNING.track_inprogress(), JOB_SECONDS.labels(ctx.kind).time():
                state = await _attempt(ctx)
            JOBS_ENDED.labels(ctx.kind, state).inc()
            log(__name__).info("job ended", job=str(ctx.id), kind=ctx.kind, state=state, attempt=ctx.attempt)
    finally:
        await alive.release(job_id)


async def _attempt(ctx: JobContext) -> str:
    kind = KINDS.get(ctx.kind)
    try:
        if kind is None:
            raise Problem(f"This version of Onhand has no handler for jobs of kind {ctx.kind}.")
        result = await kind.handler(ctx)
    except JobCancelled:
        return await _close(ctx, "cancelled")
    except asyncio.CancelledError:
        await asyncio.shield(_put_back(ctx))
        raise
    except Problem as problem:
        return await _close(ctx, "failed", error=problem.detail, result=_facts(problem))
    except Exception:
        log(__name__).exception("job failed", job=str(ctx.id), kind=ctx.kind, attempt=ctx.attempt)
        if kind is not None and ctx.attempt < kind.attempts:
            wait = RETRY_SECONDS[min(ctx.attempt, len(RETRY_SECONDS)) - 1]
            async with jobs.quiet(ctx.database) as tx:
                await jobs.requeue(tx, ctx, error=BROKEN, at=tx.now + timedelta(seconds=wait))
            return "requeued"
        return await _close(ctx, "failed", error=BROKEN)
    return "done" if ctx.finished else await _close(ctx, "done", result=result)


def _facts(problem: Problem) -> dict[str, Any]:
    return {"code": problem.code, **problem.data}


async def _close(
    ctx: JobContext, state: jobs.EndState, *, error: str | None = None, result: dict[str, Any] | None = None
) -> str:
    async with jobs.quiet(ctx.database) as tx:
        await jobs.end(tx, ctx, state, error=error, result=result)
    return state


async def _put_back(ctx: JobContext) -> None:
    async with jobs.quiet(ctx.database) as tx:
        await jobs.requeue(tx, ctx)


# ── liveness ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_KEY = "hashtextextended('onhand job ' || %s, 0)"


class _Alive:
    """The advisory locks of the jobs that run in this process, all on one connection."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._conn: psycopg.AsyncConnection[Any] | None = None
        self._held: set[UUID] = set()
        self._mutex = asyncio.Lock()

    async def hold(self, job_id: UUID) -> bool:
        """Take the lock of a job; False when another worker has it."""
        async with self._mutex:
            conn = await self._connected()
            cursor = await conn.execute(f"SELECT pg_try_advisory_lock({_KEY})", (str(job_id),))
            row = await cursor.fetchone()
            if row is None or not row[0]:
                return False
            self._held.add(job_id)
            return True

    async def release(self, job_id: UUID) -> None:
        """Give a lock back; a lost connection has done so already."""
        async with self._mutex:
            self._held.discard(job_id)
            with suppress(psycopg.Error):
                conn = await self._connected()
                await conn.execute(f"SELECT pg_advisory_unlock({_KEY})", (str(job_id),))

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._conn is not None:
            try:
                await self._conn.execute("SELECT 1")
                return self._conn
            except psycopg.Error:
                await self._conn.close()
        self._conn = await psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, application_name="onhand jobs alive"
        )
        for job_id in self._held:
            await self._conn.execute(f"SELECT pg_try_advisory_lock({_KEY})", (str(job_id),))
        return self._conn

    async def close(self) -> None:
        """Give everything back."""
        if self._conn is not None:
            await self._conn.close()


_INTERRUPTED = sa.text(
    """WITH running AS MATERIALIZED (SELECT id FROM job WHERE state = 'running')
    UPDATE job SET state = 'failed', error = :error, finished_at = clock_timestamp() FROM running
    WHERE job.id = running.id AND job.state = 'running'
      AND pg_try_advisory_xact_lock(hashtextextended('onhand job ' || running.id, 0))
    RETURNING job.id, job.kind, job.title"""
)
_FORGOTTEN = sa.text(
    """DELETE FROM jobs.procrastinate_jobs AS q WHERE q.status = 'doing' AND NOT EXISTS (
      SELECT FROM jobs.procrastinate_workers AS w WHERE w.id = q.worker_id AND w.last_heartbeat > now() - interval '60 seconds')"""
)
_LOST = sa.text(
    """SELECT id FROM job WHERE state = 'queued' AND created_at < now() - interval '30 seconds' AND NOT EXISTS (
      SELECT FROM jobs.procrastinate_jobs AS q WHERE q.args ->> 'job' = CAST(job.id AS text) AND q.status IN ('todo', 'doing'))
    FOR UPDATE SKIP LOCKED LIMIT 1000"""
)


async def sweep(database: Database) -> int:
    """Mark jobs interrupted by a crash as failed, and queue again what the crash took off the queue; how many of both."""
    async with jobs.quiet(database) as tx:
        await tx.conn.execute(_FORGOTTEN)
        interrupted = (await tx.conn.execute(_INTERRUPTED, {"error": INTERRUPTED})).all()
        for row in interrupted:
            tx.emit(jobs.JobChanged(job_id=row.id, kind=row.kind, title=row.title, state="failed"))
        lost = (await tx.conn.execute(_LOST)).scalars().all()
        for job_id in lost:
            await jobs.enqueue(tx.conn, job_id)
    if interrupted or lost:
        log(__name__).warning("jobs interrupted by a crash", failed=len(interrupted), queued_again=len(lost))
    return len(interrupted) + len(lost)


async def _sweep_forever(database: Database, *, pause: Callable[[float], Any] = asyncio.sleep) -> None:
    while True:
        await pause(SWEEP_SECONDS)
        try:
            await sweep(database)
        except Exception as error:
            log(__name__).warning("could not look for interrupted jobs", error=repr(error))


def _conninfo(database: Database) -> str:
    return database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
