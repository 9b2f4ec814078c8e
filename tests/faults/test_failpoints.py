"""K3: a failure at every await of the posting lane and of the door inside a transaction. Whatever fails, is cancelled or killed
there: what was acknowledged is in the books once, what was not can be asked again with the same id, and documents agree.

The points are not written into the product (docs/why/failpoints.md); all of them are hit, counted.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import psycopg
import pytest

from onhand.kit import database as kit_database
from onhand.kit import outbox
from onhand.kit.database import Database
from onhand.kit.problem import Problem
from onhand.ledger import Item, Status, lane, verify, wire
from onhand.ledger import engine as lane_engine
from onhand.ledger.wire import ConnectionLostError
from tests.faults import SEED, TORTURE, often
from tests.faults.failpoints import Failpoints, grafted
from tests.faults.script import (
    MAKE_NOTE,
    Script,
    engine_on,
    finish,
    missing,
    play,
    play_at_the_door,
)
from tests.ledger.world import World, build

pytestmark = pytest.mark.faults

LANE = [lane_engine, lane, wire]
DOOR = [importlib.import_module(f"onhand.ledger.store.{name}") for name in ("post", "calls")] + [
    kit_database,
    outbox,
]
DOOR_ONLY = r"^(post\.(post|_read_book|_open_exceptions)|calls\.(?!slices|guard_slice)|database\.Database\.(writing|commit)|outbox\.flush)"
KEEPS_RUNNING = ("engine.Engine._run", "engine.Engine._ahead", "engine.Engine._post_safely")
"""The loop that runs the batches: nothing in it can fail but by the process ending, which is tried by kills."""


@pytest.fixture(scope="module")
async def world(db: Database, database_urls: tuple[str, str]) -> World:
    with psycopg.connect(database_urls[0], autocommit=True) as owner:
        for statement in MAKE_NOTE:
            owner.execute(statement)
    return await build(db)


class Bench:
    """Plays scripts with one point armed, finishes them, and looks into the books."""

    def __init__(self, urls: tuple[str, str], db: Database, world: World) -> None:
        self.urls, self.db, self.world = urls, db, world
        self.owner = psycopg.connect(urls[0], autocommit=True)
        self.tried: Counter[str] = Counter()
        self.odd: list[str] = []
        self.sound = engine_on(urls[1], db)

    def stale(self) -> None:
        """The directory grows: what a process remembers of it is old."""
        self.owner.execute("UPDATE stream_head SET directory_epoch = directory_epoch + 1")

    async def lane(self, points: Failpoints, name: str, action: Any, number: str) -> None:
        """One script through a lane of its own, with `action` armed at `name`."""
        cut, large = "_post" in name or not name, name.startswith("wire.Wire._results 2") or not name
        script, done, callers = (
            Script.write(self.world, number, cut=cut, large=large),
            set[UUID](),
            list[Any](),
        )
        engine = engine_on(self.urls[1], self.db)
        points.armed = dict(help for start, help in HELP.items() if name.startswith(start) or not name)
        if action is not None:
            points.armed[name] = action(callers)
        async with asyncio.timeout(60):
            for _ in range(2):  # a start that failed is tried again, as a service manager does
                try:
                    await engine.start()
                    break
                except (RuntimeError, ConnectionError):
                    await engine._disconnect()
                    engine = engine_on(self.urls[1], self.db)
            await play(script, engine, done, self.stale, callers)
            try:
                await engine.stop()
            except (RuntimeError, ConnectionError):
                await engine.stop()  # it was told to; the second time nothing fails
        self.tried[name] += action is not None and name not in points.armed
        points.armed = {}
        await self.finish(script, done, name)

    async def door(self, points: Failpoints, name: str, action: Any, number: str) -> None:
        """The same at the door inside a transaction."""
        script, done, callers = Script.write(self.world, number), set[UUID](), list[Any]()
        if action is not None:
            points.armed = {name: action(callers)}
        async with asyncio.timeout(60):
            await play_at_the_door(script, self.db, done, callers)
        self.tried[name] += action is not None and not points.armed
        points.armed = {}
        await self.finish(script, done, name)

    async def finish(self, script: Script, done: set[UUID], what: str) -> None:
        """Ask again for what was not acknowledged, by a lane to which nothing happens, then compare."""
        acknowledged = set(done)
        await finish(script, self.sound, done)
        self.odd += [f"{what}: {m} was never acknowledged" for m in missing(script, done)]
        expected = script.expected()
        rows = self.owner.execute(
            "SELECT id, count(*) FROM posting WHERE id = ANY(%s) GROUP BY id", (list(expected),)
        )
        times: dict[UUID, int] = dict(rows.fetchall())
        for posting_id, count in expected.items():
            if times.get(posting_id, 0) != count:
                kind = "acknowledged" if posting_id in acknowledged else "not acknowledged"
                self.odd.append(
                    f"{what}: {posting_id} ({kind}) stands {times.get(posting_id, 0)} times instead of {count}"
                )
        notes = self.owner.execute(
            "SELECT n, count(*) FROM note WHERE n = ANY(%s) GROUP BY n", (list(script.notes()),)
        )
        if dict(notes.fetchall()) != dict.fromkeys(script.notes(), 1):
            self.odd.append(f"{what}: document rows are lost or doubled")


@pytest.fixture
async def bench(database_urls: tuple[str, str], db: Database, world: World) -> AsyncIterator[Bench]:
    made = Bench(database_urls, db, world)
    await made.sound.start()
    yield made
    await made.sound.stop()
    made.owner.close()
    gc.collect()  # here, and not in the middle of something of pytest's


def busy() -> None:
    """The database asks to try again."""
    raise asyncpg.exceptions.DeadlockDetectedError("failpoint")


def lost(callers: list[Any]) -> Any:
    """The connection breaks."""

    def action() -> None:
        raise ConnectionLostError("failpoint")

    return action


def odd(callers: list[Any]) -> Any:
    """Something nobody thought of is raised."""

    def action() -> None:
        raise RuntimeError("failpoint")

    return action


def cancelled(callers: list[Any]) -> Any:
    """Whoever waits for an answer goes away."""

    def action() -> None:
        for task in callers:
            task.cancel()

    return action


def breaks() -> None:
    """The connection breaks."""
    raise ConnectionLostError("failpoint")


HELP = {
    "engine.Engine._post 3": ("engine.Engine._attempt 2 before", busy),
    "engine.Engine.start 2": ("engine.Engine._connect 2 before", breaks),
}
"""Points that are reached only when something else failed before, and where."""
TIMING = "wire.Wire._results 2"
"""Waiting to write: whether a large batch has to wait is up to the server's pace."""


async def test_a_failure_at_every_await_of_the_lane(bench: Bench) -> None:
    pick = random.Random(SEED)
    with grafted(LANE) as points:
        await bench.lane(points, "", None, f"{SEED}/lane")
        assert not bench.odd, bench.odd
        for n in range(often(1, 100)):
            for name in points.names:
                ways = (cancelled,) if name.startswith(KEEPS_RUNNING) else (lost, odd, cancelled)
                for action in ways if TORTURE else [pick.choice(ways)]:
                    await bench.lane(points, name, action, f"{SEED}/lane/{n}/{name}/{action.__name__}")
        never = [name for name in points.names if not points.hits[name]]
    print(
        f"\nseed {SEED}: {len(points.names)} points, {sum(bench.tried.values())} failures, {sum(points.hits.values())} hits"
    )
    assert not bench.odd, f"seed {SEED}: {bench.odd[:5]}"
    assert not [name for name in never if not name.startswith(TIMING)], (
        f"points that no script reaches: {never}"
    )
    spared = [name for name in points.names if not bench.tried[name] and not name.startswith(TIMING)]
    assert not spared, f"points at which nothing failed: {spared}"


async def test_a_failure_at_every_await_of_the_door(bench: Bench) -> None:
    pick = random.Random(SEED)
    with grafted(DOOR, DOOR_ONLY) as points:
        await bench.door(points, "", None, f"{SEED}/door")
        assert not bench.odd, bench.odd
        for n in range(often(1, 100)):
            for name in points.names:
                for action in (odd, cancelled) if TORTURE else [pick.choice((odd, cancelled))]:
                    await bench.door(points, name, action, f"{SEED}/door/{n}/{name}/{action.__name__}")
        never = [name for name in points.names if not points.hits[name]]
    print(
        f"\nseed {SEED}: {len(points.names)} points, {sum(bench.tried.values())} failures, {sum(points.hits.values())} hits"
    )
    assert not bench.odd, f"seed {SEED}: {bench.odd[:5]}"
    assert not never, f"points that no script reaches: {never}"


async def killed(bench: Bench, world: World, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let a child of another process play each task; asks again for what was not acknowledged, and compares."""
    told = {
        "url": bench.urls[1], "tasks": tasks, "places": {k: str(v) for k, v in world.places.items()},
        "variants": {k: str(v) for k, v in world.variants.items()},
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.crasher",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(json.dumps(told).encode())
    answers: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == len(tasks)
    for task in answers:
        script = Script.write(world, task["number"], cut=False, large="_results 2" in task["point"])
        await bench.finish(script, {UUID(i) for i in task["acked"]}, task["point"])
    return answers


async def test_kill_9_at_the_awaits_of_both_doors(bench: Bench, world: World) -> None:
    """The process dies at a point. Another one asks again for what was not acknowledged, and finds all that was."""
    with grafted(LANE) as lanes, grafted(DOOR, DOOR_ONLY) as doors:
        points = [
            (name, False) for name in lanes.names if not name.startswith((*HELP, "engine.Engine._post 5"))
        ]
        points += [(name, True) for name in doors.names]
    pick = random.Random(SEED)
    chosen = [p for _ in range(often(1, 50)) for p in (points if TORTURE else pick.sample(points, 40))]
    answers = await killed(
        bench, world,
        [{"point": p, "door": door, "number": f"{SEED}/kill/{n}/{p}", "early": False} for n, (p, door) in enumerate(chosen)],
    )  # fmt: skip
    print(f"\nseed {SEED}: {sum(a['killed'] for a in answers)} of {len(answers)} children killed")
    assert not bench.odd, f"seed {SEED}: {bench.odd[:5]}"
    spared = sorted({a["point"] for a in answers if not a["killed"]})
    assert len(spared) <= 8, f"points the children did not reach: {spared}"


async def test_the_harness_catches_what_is_acknowledged_too_early(bench: Bench, world: World) -> None:
    """The canary: a child that takes everything for acknowledged before it hands it in."""
    task = {"point": "wire.Wire._land 1 before", "door": False, "number": f"{SEED}/canary", "early": True}
    assert (await killed(bench, world, [task]))[0]["killed"]
    assert any("(acknowledged) stands 0 times" in text for text in bench.odd), bench.odd


async def test_an_answer_that_was_not_read_is_not_taken_for_the_next_ones(
    bench: Bench, db: Database, world: World
) -> None:
    """Something odd happens while the answer of a batch is on its way. The next batch must hear its own answer, not that one."""
    for name in (
        "wire.Wire._results 1 after entering",
        "wire.Wire._results 3 before",
        "wire.Wire.answer 1 after",
    ):
        with grafted(LANE) as points:
            engine = engine_on(bench.urls[1], db)
            await engine.start()
            first = world.posting(world.move("RICE", 1, "supplier", "S1"))
            assert (await engine.submit(Item(first))).ok
            points.armed = {name: odd([])}
            with suppress(Problem):
                await engine.submit(Item(world.posting(world.move("RICE", 1, "supplier", "S1"))))
            assert not points.armed
            wanted = world.posting(world.move("RICE", 1000, "S1", "customer"))
            assert (await engine.submit(Item(wanted))).status is Status.insufficient_stock, name
            await engine.stop()


async def test_the_books_are_sound_after_all_this(db: Database, world: World) -> None:
    async with db.engine.connect() as conn:
        report = await verify.verify(conn)
    assert report.ok, report.differences[:5]
