"""K9: the disk fills up under load – the data's, then the log's. What was acknowledged is there, reads go on where the server can,
and it sells again by itself once there is room. Small tmpfs disks, so it needs root and mounting; `ONHAND_TORTURE=1`: 100 each."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from onhand.doors.supervise import kept_up
from onhand.kit.problem import Unavailable
from tests.faults.selling import Selling, books_are_whole

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


class Shop(Selling):
    """A shop whose data and log lie on disks of their own."""

    def __init__(self, disks: dict[str, Path]) -> None:
        super().__init__(disks["data"] / "onhand")
        self.disks = disks

    def start(self) -> None:
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

    def fill(self, disk: str) -> Path:
        """Leave no byte free."""
        ballast = self.disks[disk] / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        return ballast


@pytest.fixture
async def shop(disks: dict[str, Path]) -> AsyncIterator[Shop]:
    built = Shop(disks)
    await built.open()
    try:
        async with kept_up(built.postgres):
            yield built
    finally:
        await built.close()


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
    await books_are_whole(shop)
