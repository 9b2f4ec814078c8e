"""K9: the disk fills up under load – the data's, then the log's. What was acknowledged is there, reads go on where the server can,
and it sells again by itself once there is room. Small tmpfs disks, so it needs root and mounting; `ONHAND_TORTURE=1`: 100 each."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from onhand import ledger
from onhand.doors import wiring
from onhand.doors.supervise import kept_up
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.migrate import upgrade
from onhand.kit.postgres import APP, SUPERUSER, EmbeddedPostgres
from onhand.kit.problem import Problem, Unavailable
from onhand.ledger import Engine, Item, Mode, Move, Posting, digest_of, verify
from tests.ledger.world import World, build

pytestmark = pytest.mark.faults

TIMES = 100 if os.environ.get("ONHAND_TORTURE") else 1
SELLERS = 8
ROOM_MB = {"data": 120, "log": 400}


def _mount(folder: Path, megabytes: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"no disk of our own to fill: {done.stderr.strip()}")


@pytest.fixture
def disks() -> Iterator[dict[str, Path]]:
    """Two small disks: one for the data, one for the log."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    if shutil.which("mount") is None:
        pytest.skip("there is no mount here")
    with tempfile.TemporaryDirectory(prefix="onhand-full-") as folder:
        Path(folder).chmod(0o711)
        places = {name: Path(folder) / name for name in ROOM_MB}
        mounted = []
        try:
            for name, place in places.items():
                _mount(place, ROOM_MB[name])
                mounted.append(place)
            yield places
        finally:
            for place in mounted:
                subprocess.run(["umount", "-l", str(place)], check=False)


class Shop:
    """A server whose data and log lie on disks of their own, its lane, and what the lane acknowledged."""

    def __init__(self, disks: dict[str, Path]) -> None:
        self.disks = disks
        self.postgres = EmbeddedPostgres.at(disks["data"] / "onhand")
        self.acknowledged: set[UUID] = set()
        self.refused: list[Problem] = []
        self.stopping = False
        self.last = 0.0
        self.world: World

    async def open(self) -> None:
        await asyncio.to_thread(self._separate_log)
        await asyncio.to_thread(upgrade, self.postgres.url())
        self.db = Database.open(self.postgres.url(APP), pool_size=2)
        wiring.hooks(self.db)
        wiring.register()
        await wiring.prepare(self.db)
        self.world = await build(self.db, skus={f"P{n}": 0 for n in range(20)})

        async def load_directory() -> Any:
            async with self.db.engine.connect() as conn:
                return await ledger.load_directory(conn)

        self.engine = Engine(
            url=self.postgres.url(APP), load_directory=load_directory, riders=dict(wiring.RIDERS)
        )
        await self.engine.start()

    def _separate_log(self) -> None:
        """As an administrator would: the log on its own disk, by a link. Little is kept, so that the small disk lasts."""
        self.postgres.start()
        self.postgres.stop()
        data, log = self.postgres.data_dir, self.disks["log"] / "pg_wal"
        shutil.copytree(data / "pg_wal", log)
        shutil.rmtree(data / "pg_wal")
        (data / "pg_wal").symlink_to(log)
        for path in (log, *log.rglob("*")):
            self.postgres.own(path)
        log.chmod(0o700)
        (data / "onhand.local.conf").write_text(
            "max_wal_size = 160MB\nmin_wal_size = 32MB\ncheckpoint_timeout = 30s\n"
        )
        self.postgres.own(data / "onhand.local.conf")
        self.postgres.start()

    async def seller(self) -> None:
        while not self.stopping:
            uid = uuid7()
            moves = tuple(
                Move(v, self.world.place("S1"), self.world.place("customer"), 1)
                for v in random.choices(list(self.world.variants.values()), k=5)
            )
            posting = Posting(
                uid, "sell", "test", uid, uid, self.world.at(), moves, digest_of(uid), mode=Mode.fact
            )
            try:
                outcome = await asyncio.wait_for(self.engine.submit(Item(posting)), 60)
            except Problem as problem:
                self.refused.append(problem)
                await asyncio.sleep(0.1)
                continue
            assert outcome.ok
            self.acknowledged.add(uid)
            self.last = time.monotonic()

    async def until(self, what: Any, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, (self.postgres.data_dir / "server.log").read_text(
                errors="replace"
            )[-2000:]
            await asyncio.sleep(0.05)

    async def sells_again(self) -> None:
        since = time.monotonic()
        await self.until(lambda: self.last > since)

    def fill(self, disk: str) -> Path:
        """Leave no byte free."""
        ballast = self.disks[disk] / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        return ballast

    async def close(self) -> None:
        self.stopping = True
        await self.engine.stop()
        await self.db.close()
        await asyncio.to_thread(self.postgres.stop)


@pytest.fixture
async def shop(disks: dict[str, Path]) -> AsyncIterator[Shop]:
    built = Shop(disks)
    await built.open()
    try:
        async with kept_up(built.postgres):
            yield built
    finally:
        await built.close()


async def _books_are_whole(shop: Shop) -> None:
    with psycopg.connect(shop.postgres.url(SUPERUSER)) as conn:
        found = {r[0] for r in conn.execute("SELECT id FROM posting")}
        twice = conn.execute(
            "SELECT count(*) FROM (SELECT id FROM posting GROUP BY id HAVING count(*) > 1) x"
        ).fetchone()
    assert not shop.acknowledged - found, "acknowledged and lost"
    assert twice == (0,)
    async with shop.db.engine.connect() as conn_:
        report = await verify.verify(conn_)
    assert report.ok, report.differences[:3]


@pytest.mark.parametrize("disk", ["data", "log"])
async def test_a_full_disk_loses_nothing_and_heals_with_room(shop: Shop, disk: str) -> None:
    sellers = [asyncio.create_task(shop.seller()) for _ in range(SELLERS)]
    for _ in range(TIMES):
        await shop.sells_again()
        before = len(shop.refused)
        ballast = await asyncio.to_thread(shop.fill, disk)
        if disk == "data":
            await shop.until(lambda before=before: len(shop.refused) > before)
            assert isinstance(shop.refused[-1], Unavailable), shop.refused[-1]
            async with shop.db.reading() as conn:  # reads go on
                count = (await conn.exec_driver_sql("SELECT count(*) FROM posting")).scalar_one()
            assert count >= len(shop.acknowledged) - SELLERS
        else:  # PostgreSQL stops itself rather than lose anything; whoever looks after it starts it as soon as there is room
            await shop.until(lambda: time.monotonic() - shop.last > 1.5)
        ballast.unlink()
        began = time.monotonic()
        await shop.sells_again()
        print(
            f"\n{disk} full: {len(shop.acknowledged)} acknowledged; sold again {time.monotonic() - began:.1f} s after there was room"
        )
    shop.stopping = True
    await asyncio.gather(*sellers)
    await _books_are_whole(shop)
