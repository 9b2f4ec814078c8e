"""What `onhand stress` does, in small: last units, storms, cut lines, and kill -9 of the application, of PostgreSQL whole and of
one backend, under load over HTTP. `ONHAND_TORTURE=1` kills three thousand times (K1, K1b, K16)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import psycopg
import pytest

from onhand.doors.stress import oracle
from onhand.doors.stress.ground import Ground, lay_ground
from onhand.doors.stress.naive import Naive
from onhand.doors.stress.notes import Answer, Notes, Order, percentile
from onhand.doors.stress.ours import Onhand
from onhand.doors.stress.run import judged, stress, verify_books
from onhand.doors.stress.scenarios import ROUNDS, Load, Stage, kills
from onhand.doors.stress.system import System
from onhand.kit.postgres import SUPERUSER, EmbeddedPostgres
from tests.faults import SEED, TORTURE, often

pytestmark = pytest.mark.faults

WAYS = (
    ("backend", "postmaster", "app")
    if TORTURE
    else ("backend", "postmaster", "backend", "app", "backend", "backend", "postmaster")
)
"""A third each in the long run; the application's start costs most, so the ordinary run kills it least."""


@pytest.fixture(scope="module")
async def ground() -> AsyncIterator[Ground]:
    async with lay_ground() as laid:
        yield laid


@pytest.fixture(scope="module")
async def onhand(ground: Ground) -> AsyncIterator[Onhand]:
    """One shop for the module; each test adds to its books."""
    async with Onhand.at(ground) as system:
        yield system


@pytest.mark.parametrize("name", ROUNDS)
async def test_nothing_is_oversold_lost_or_doubled(ground: Ground, onhand: Onhand, name: str) -> None:
    stage, notes = Stage(onhand, random.Random(f"{SEED}/{name}")), Notes()
    play, times = ROUNDS[name]
    for _ in range(often(times, 400)):
        await play(stage, notes)
    found = await judged(onhand, notes)
    assert found.acknowledged
    assert found.ok, f"seed {SEED}: {found}"


async def test_nothing_acknowledged_is_lost_or_doubled(ground: Ground, onhand: Onhand) -> None:
    stage, notes = Stage(onhand, random.Random(SEED)), Notes()
    count = often(7, 3000)
    print(f"\nseed {SEED}, {count} kills")
    await kills(stage, notes, ground, [WAYS[n % len(WAYS)] for n in range(count)])
    for way, seconds in stage.away.items():
        print(f"{way}: {len(seconds)} kills, first new sale after {percentile(seconds, 0.5):.2f} s (p50),"
              f" {percentile(seconds, 0.99):.2f} s (p99)")  # fmt: skip
    found = await judged(onhand, notes)
    print(f"{found.acknowledged} acknowledged in {notes.tries} tries")
    assert found.acknowledged > 2 * count
    assert found.ok, f"seed {SEED}: {found}"
    with ground.connect() as conn:
        assert oracle.differences(conn, notes.taken) == [], f"seed {SEED}"
    report = await verify_books(ground)  # what `onhand verify` runs
    assert report.ok, f"seed {SEED}: {report.differences[:5]}"
    for way, seconds in stage.away.items():
        assert max(seconds) < 30, f"{way} took {max(seconds):.1f} s to come back"


class Hasty:
    """The canary: a client that takes an order for recorded before the answer came, and never asks again."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.stock, self.hang_up, self.book = system.stock, system.hang_up, system.book

    async def order(self, order: Order) -> Answer:
        await self._system.order(order)
        return Answer.taken


async def test_the_harness_catches_a_client_that_takes_an_order_for_recorded_too_early(
    ground: Ground, onhand: Onhand
) -> None:
    stage, notes = Stage(Hasty(onhand), random.Random(SEED + 1)), Notes()
    load = Load(stage, notes)
    task = asyncio.create_task(load.run())
    await asyncio.sleep(0.3)
    await asyncio.to_thread(ground.kill, "app", stage.pick)
    await ground.until_up()
    load.stopping = True
    await task
    found = await judged(onhand, notes)
    assert found.lost, "the notes missed orders that were never recorded"
    with ground.connect() as conn:
        assert any("lost" in text for text in oracle.differences(conn, notes.taken))


async def test_the_harness_catches_check_then_act(server: EmbeddedPostgres) -> None:
    """The other canary: what most systems do must be found overselling and doubling, or the scenarios prove nothing.

    It runs on a server that is there, and leaves nothing on it.
    """
    url = server.url(SUPERUSER, "postgres")
    with psycopg.connect(url, autocommit=True) as conn:
        before = conn.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()
        result = await stress(minutes=0.02, seed=SEED, rival="naive", database_url=url)
        assert conn.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall() == before
    assert result.total("oversold") > 0
    assert result.total("doubled") > 0
    assert not result.ok


async def test_the_rival_keeps_honest_books_when_asked_one_thing_at_a_time(server: EmbeddedPostgres) -> None:
    """It is caught for its races, not for being badly written: one caller at a time, and it is as sound as anything."""
    url = server.url(SUPERUSER, "postgres")
    async with lay_ground(url, fill=False) as empty, Naive.at(empty.url) as naive:
        stage, notes = Stage(naive, random.Random(SEED), callers=1), Notes()
        for _ in range(5):
            await ROUNDS["last unit"][0](stage, notes)
        found = await judged(naive, notes)
        assert found.ok, found
