"""K1: kill -9 of the application, of PostgreSQL whole, and of one backend, under load over HTTP. Nothing acknowledged is lost
or doubled, numbers stay dense, balances are sums. `ONHAND_TORTURE=1` kills three thousand times."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onhand.doors import wiring
from onhand.kit.database import Database
from onhand.ledger import verify
from tests.faults.oracle import differences
from tests.faults.shop import Shop, Tills

pytestmark = pytest.mark.faults

TORTURE = bool(os.environ.get("ONHAND_TORTURE"))
KILLS = int(os.environ.get("ONHAND_KILLS", "0")) or (3000 if TORTURE else 21)
CLIENTS = 16
WAYS = (
    ("backend", "postmaster", "app")
    if TORTURE
    else ("backend", "postmaster", "backend", "app", "backend", "postmaster")
)
"""A third each in the long run; the application's start costs most, so the ordinary run kills it least."""
SEED = int(os.environ.get("ONHAND_SEED", "0")) or random.SystemRandom().randrange(1 << 32)


@pytest.fixture(scope="module")
async def shop() -> AsyncIterator[Shop]:
    """One shop for the module; each test adds to its books."""
    with tempfile.TemporaryDirectory(prefix="onhand-faults-") as folder:
        built = await Shop.build(Path(folder))
        try:
            built.serve()
            await built.until_up()
            yield built
        finally:
            built.close()


async def test_nothing_acknowledged_is_lost_or_doubled(shop: Shop) -> None:
    print(f"\nseed {SEED}, {KILLS} kills")
    pick = random.Random(SEED)
    tills = Tills(shop.port, shop.key, SEED)
    load = asyncio.create_task(tills.run(CLIENTS))
    away: dict[str, list[float]] = {"app": [], "postmaster": [], "backend": []}
    try:
        for n in range(KILLS):
            await _until_acknowledging(shop, tills, load)
            await asyncio.sleep(pick.uniform(0.05, 0.6))
            how = WAYS[n % len(WAYS)]
            before = time.monotonic()
            if how == "app":
                await asyncio.to_thread(shop.kill_app)
            elif how == "postmaster":
                shop.kill_postmaster()
            else:
                shop.kill_backend(pick)
            await asyncio.sleep(0.05)
            away[how].append(await _until_acknowledging(shop, tills, load, since=time.monotonic()) - before)
    finally:
        tills.stopping = True
    await load
    for how, seconds in away.items():
        if seconds:
            mean, worst = sum(seconds) / len(seconds), max(seconds)
            print(
                f"{how}: {len(seconds)} kills, first new sale after {mean:.2f} s on average, worst {worst:.2f} s"
            )
    print(f"{len(tills.acknowledged)} sales acknowledged; answers {tills.answers}")
    assert len(tills.acknowledged) > KILLS * 2
    with shop.connect() as conn:
        assert differences(conn, tills.acknowledged) == [], f"seed {SEED}"
    database = Database.open(shop.postgres.url(), pool_size=1)
    wiring.register()
    try:
        report = await verify.run(database)  # what `onhand verify` runs
    finally:
        await database.close()
    assert report.ok, f"seed {SEED}: {report.differences[:5]}"
    assert report.postings >= len(tills.acknowledged)


async def _until_acknowledging(
    shop: Shop, tills: Tills, load: asyncio.Task[None], *, since: float = 0.0
) -> float:
    """Wait until a sale is acknowledged after `since`; answers when."""
    since = since or time.monotonic()
    end = time.monotonic() + 60
    while tills.last_ack <= since:
        if load.done():
            load.result()
        assert time.monotonic() < end, f"no sale for a minute (seed {SEED}): {shop.said()}"
        await asyncio.sleep(0.02)
    return tills.last_ack


async def test_the_harness_catches_a_till_that_takes_a_sale_for_recorded_too_early(shop: Shop) -> None:
    """The canary: such a till must be found out by the oracle, or the oracle proves nothing."""
    await shop.until_up()
    tills = Tills(shop.port, shop.key, SEED + 1, ack_early=True)
    load = asyncio.create_task(tills.run(CLIENTS))
    for _ in range(2):
        await asyncio.sleep(0.4)
        await asyncio.to_thread(shop.kill_app)
        await shop.until_up()
    tills.stopping = True
    await load
    with shop.connect() as conn:
        found = differences(conn, tills.acknowledged)
    assert any("acknowledged" in f for f in found), "the oracle missed sales that were never recorded"
