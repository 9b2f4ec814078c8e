"""Background jobs: they exist exactly when their cause was committed, and no crash leaves one half alive."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID

import procrastinate.schema
import psycopg
import pytest
import sqlalchemy as sa

from onhand.kit import jobs, worker
from onhand.kit.database import Database
from onhand.kit.jobs import JobContext
from onhand.kit.outbox import flush_events
from onhand.kit.problem import Conflict, Forbidden, IdReused, NotFound
from onhand.kit.settings import Settings
from onhand.kit.tx import Actor

ANNA = Actor(id=UUID(int=7), kind="key", name="Anna")
SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def _kinds() -> Iterator[None]:
    """The handlers of these tests, and no others."""
    known = dict(jobs.KINDS)
    jobs.KINDS.clear()
    SEEN.clear()

    @jobs.job("test.ok")
    async def ok(ctx: JobContext) -> dict[str, Any]:
        await ctx.progress(2, 2, "rows")
        SEEN.append((ctx.arguments, ctx.actor, ctx.attempt))
        return {"rows": 2}

    @jobs.job("test.refused")
    async def refused(ctx: JobContext) -> None:
        raise Forbidden("Not today.", needs="x:y")

    @jobs.job("test.broken")
    async def broken(ctx: JobContext) -> None:
        raise RuntimeError("secret internals")

    @jobs.job("test.flaky", attempts=3)
    async def flaky(ctx: JobContext) -> None:
        SEEN.append(ctx.attempt)
        if ctx.attempt < 2:
            raise RuntimeError("once")

    @jobs.job("test.slow")
    async def slow(ctx: JobContext) -> None:
        SEEN.append("slow")
        for step in range(10_000):
            await ctx.progress(step, 10_000, "steps")
            await asyncio.sleep(0.01)

    @jobs.job("test.atomic")
    async def atomic(ctx: JobContext) -> None:
        async with ctx.writing() as tx:
            await ctx.finish(tx, {"with": "the work"})

    yield
    jobs.KINDS.clear()
    jobs.KINDS.update(known)


@pytest.fixture
async def database(database_urls: tuple[str, str]) -> AsyncIterator[Database]:
    """The application role's database, emptied of jobs."""
    opened = Database.open(database_urls[1])
    opened.before_commit.append(flush_events)
    async with opened.engine.begin() as conn:
        await conn.execute(sa.text("DELETE FROM jobs.procrastinate_jobs"))
        await conn.execute(sa.text("DELETE FROM job"))
    yield opened
    await opened.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, jobs_concurrency=2)


async def defer(database: Database, kind: str, **arguments: Any) -> UUID:
    async with database.writing(actor=ANNA) as tx:
        return await jobs.defer_later(tx, kind, kind, **arguments)


async def get(database: Database, job_id: UUID) -> dict[str, Any]:
    async with database.reading() as conn:
        return await jobs.get_job(conn, job_id)


async def until(database: Database, job_id: UUID, state: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while (found := await get(database, job_id))["state"] != state:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


async def run(database: Database, settings: Settings) -> None:
    await worker.run_worker(database, settings, until_idle=True)


def test_our_sql_file_holds_the_installed_queue_schema() -> None:
    text = (resources.files("onhand.kit") / "sql" / "jobs.sql").read_text()
    ours = text.split("-- >>> procrastinate\n")[1].split("-- <<< procrastinate")[0]
    assert ours.strip() == procrastinate.schema.SchemaManager.get_schema().strip()


async def test_a_job_runs_with_its_arguments_and_in_the_name_of_who_asked(
    database: Database, settings: Settings
) -> None:
    job_id = await defer(database, "test.ok", file="a.csv")
    assert (await get(database, job_id))["can"] == ["cancel"]
    await run(database, settings)
    found = await get(database, job_id)
    assert (found["state"], found["result"], found["attempts"], found["error"]) == (
        "done",
        {"rows": 2},
        1,
        None,
    )
    assert found["progress"] == {"done": 2, "total": 2, "unit": "rows"}
    assert SEEN == [({"file": "a.csv"}, ANNA, 1)]
    assert found["can"] == []


async def test_a_rolled_back_cause_leaves_no_job(database: Database, settings: Settings) -> None:
    async def cause() -> None:
        async with database.writing() as tx:
            await jobs.defer_later(tx, "test.ok", "never")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await cause()
    await run(database, settings)
    async with database.reading() as conn:
        assert await jobs.list_jobs(conn, limit=10) == ([], None)
        assert (await conn.execute(sa.text("SELECT count(*) FROM jobs.procrastinate_jobs"))).scalar() == 0
    assert SEEN == []


async def test_an_id_is_used_once(database: Database) -> None:
    async with database.writing() as tx:
        await jobs.defer_later(tx, "test.ok", "a", job_id=UUID(int=1))
    with pytest.raises(IdReused):
        async with database.writing() as tx:
            await jobs.defer_later(tx, "test.ok", "a", job_id=UUID(int=1))


async def test_a_refusal_is_told_and_a_bug_is_not(database: Database, settings: Settings) -> None:
    refused, broken = await defer(database, "test.refused"), await defer(database, "test.broken")
    await run(database, settings)
    found = await get(database, refused)
    assert (found["state"], found["error"], found["result"]) == (
        "failed",
        "Not today.",
        {"code": "forbidden", "needs": "x:y"},
    )
    found = await get(database, broken)
    assert found["state"] == "failed"
    assert "secret" not in found["error"]


async def test_a_failed_job_can_be_retried_as_a_new_attempt(database: Database, settings: Settings) -> None:
    job_id = await defer(database, "test.refused")
    await run(database, settings)
    async with database.writing() as tx:
        assert (await jobs.retry(tx, job_id))["state"] == "queued"
    await run(database, settings)
    assert (await get(database, job_id))["attempts"] == 2
    async with database.writing() as tx:
        with pytest.raises(Conflict):
            await jobs.cancel(tx, job_id)
        with pytest.raises(NotFound):
            await jobs.retry(tx, UUID(int=99))


async def test_a_flaky_job_is_tried_again_by_itself(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "RETRY_SECONDS", (0,))
    job_id = await defer(database, "test.flaky")
    await run(database, settings)
    await run(database, settings)
    assert (await get(database, job_id))["state"] == "done"
    assert SEEN == [1, 2]


async def test_a_queued_job_is_cancelled_at_once(database: Database, settings: Settings) -> None:
    job_id = await defer(database, "test.ok")
    async with database.writing() as tx:
        assert (await jobs.cancel(tx, job_id))["state"] == "cancelled"
        assert (await jobs.cancel(tx, job_id))["state"] == "cancelled"
    await run(database, settings)
    assert SEEN == []


async def test_a_running_job_stops_when_asked(database: Database, settings: Settings) -> None:
    running = asyncio.create_task(worker.run_worker(database, settings))
    job_id = await defer(database, "test.slow")
    await until(database, job_id, "running")
    async with database.writing() as tx:
        assert (await jobs.cancel(tx, job_id))["cancel_asked"]
    found = await until(database, job_id, "cancelled")
    assert found["can"] == ["retry"]
    await stop(running)


async def stop(running: asyncio.Task[None]) -> None:
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_job_can_end_in_the_transaction_of_its_work(database: Database, settings: Settings) -> None:
    job_id = await defer(database, "test.atomic")
    await run(database, settings)
    found = await get(database, job_id)
    assert (found["state"], found["result"]) == ("done", {"with": "the work"})


async def test_a_stopped_server_puts_running_jobs_back(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "GRACE_SECONDS", 0.1)
    running = asyncio.create_task(worker.run_worker(database, settings))
    job_id = await defer(database, "test.slow")
    await until(database, job_id, "running")
    await stop(running)
    assert (await get(database, job_id))["state"] == "queued"
    async with database.reading() as conn:
        assert (await conn.execute(sa.text("SELECT count(*) FROM jobs.procrastinate_jobs"))).scalar() == 1


CRASH = """
import asyncio, sys
from pathlib import Path
from onhand.kit import jobs, worker
from onhand.kit.database import Database
from onhand.kit.outbox import flush_events
from onhand.kit.settings import Settings

@jobs.job("test.slow")
async def slow(ctx):
    print("running", flush=True)
    await asyncio.sleep(600)

async def main():
    database = Database.open(sys.argv[1])
    database.before_commit.append(flush_events)
    await worker.run_worker(database, Settings(data_dir=Path(sys.argv[2])))

asyncio.run(main())
"""


@pytest.mark.faults
async def test_a_killed_server_leaves_a_failed_job_that_can_be_retried(
    database: Database, settings: Settings, database_urls: tuple[str, str], tmp_path: Path
) -> None:
    job_id = await defer(database, "test.slow")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(CRASH), database_urls[1], str(tmp_path), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "src"},
    )  # fmt: skip
    assert child.stdout is not None
    assert await asyncio.wait_for(child.stdout.readline(), 20) == b"running\n"
    assert await worker.sweep(database) == 0, "a living worker's job is left alone"
    child.send_signal(signal.SIGKILL)
    await child.wait()
    async with asyncio.timeout(5):
        while await worker.sweep(database) == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    found = await get(database, job_id)
    assert (found["state"], found["error"], found["can"]) == ("failed", worker.INTERRUPTED, ["retry"])


async def test_a_job_the_queue_lost_is_queued_again(database: Database, settings: Settings) -> None:
    job_id = await defer(database, "test.ok")
    async with database.engine.begin() as conn:
        await conn.execute(sa.text("DELETE FROM jobs.procrastinate_jobs"))
        await conn.execute(sa.text("UPDATE job SET created_at = now() - interval '1 hour'"))
    await run(database, settings)
    assert (await get(database, job_id))["state"] == "done"


async def test_a_periodic_job_leaves_a_row_only_when_it_fails(database: Database, settings: Settings) -> None:
    @jobs.periodic("0 * * * *", kind="test.hourly")
    async def hourly(ctx: JobContext) -> None:
        SEEN.append("hourly")
        await ctx.progress(1, 1)
        if len(SEEN) == 2:
            raise RuntimeError("x")

    kind = jobs.KINDS["test.hourly"]
    await worker.run_periodic(kind, database, settings)
    async with database.reading() as conn:
        assert (await jobs.list_jobs(conn, limit=10))[0] == []
    await worker.run_periodic(kind, database, settings)
    async with database.reading() as conn:
        (row,) = (await jobs.list_jobs(conn, limit=10, state="failed", kind="test.hourly"))[0]
    async with database.writing() as tx:
        await jobs.retry(tx, row["id"])
    await run(database, settings)
    assert (await get(database, row["id"]))["state"] == "done"


async def test_the_clock_queues_periodic_jobs(database: Database, settings: Settings) -> None:
    ran = asyncio.Event()

    @jobs.periodic("* * * * * */1", kind="test.tick")
    async def tick(ctx: JobContext) -> None:
        ran.set()

    running = asyncio.create_task(worker.run_worker(database, settings))
    await asyncio.wait_for(ran.wait(), 10)
    await stop(running)


async def test_lists_page_by_newest(database: Database) -> None:
    made = [await defer(database, "test.ok") for _ in range(5)]
    async with database.reading() as conn:
        first, cursor = await jobs.list_jobs(conn, limit=3)
        second, end = await jobs.list_jobs(conn, limit=3, cursor=cursor)
    assert [row["id"] for row in first + second] == list(reversed(made))
    assert end is None


async def test_each_change_of_state_is_an_event(database: Database, settings: Settings) -> None:
    job_id = await defer(database, "test.ok")
    await run(database, settings)
    async with database.reading() as conn:
        found = await conn.execute(
            sa.text("SELECT data FROM outbox WHERE subject = :s ORDER BY event_n"), {"s": f"job/{job_id}"}
        )
        states = [text.split('"state":"')[1].split('"')[0] for text in found.scalars()]
    assert states == ["queued", "running", "done"]


def test_the_application_role_may_use_the_queue_but_not_change_it(database_urls: tuple[str, str]) -> None:
    with psycopg.connect(database_urls[1]) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("ALTER TABLE jobs.procrastinate_jobs ADD COLUMN x int")


async def test_without_concurrency_there_is_no_worker(database: Database, tmp_path: Path) -> None:
    await worker.run_worker(database, Settings(data_dir=tmp_path, jobs_concurrency=0))


def test_a_kind_has_one_handler() -> None:
    with pytest.raises(TypeError):

        @jobs.job("test.ok")
        async def other(ctx: JobContext) -> None: ...
