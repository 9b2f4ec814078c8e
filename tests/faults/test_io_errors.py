"""Row 30: the disk answers EIO. PostgreSQL panics rather than go on with what it cannot trust, recovers from its log, and the lane
finds out what became of its batch. Errors are injected by strace into the calls of one server process.

`ONHAND_TORTURE=1`: a hundred errors.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from onhand.doors.supervise import kept_up
from onhand.kit.postgres import SUPERUSER
from onhand.kit.problem import Unavailable
from tests.faults import SEED, often
from tests.faults.selling import Selling, books_are_whole

pytestmark = pytest.mark.faults

CALLS = {
    "the log is flushed": ("lane", "fdatasync"),
    "the log is written": ("lane", "pwrite64"),
    "a checkpoint": ("checkpointer", "fsync"),
}
"""What is under way → whose call fails, and which."""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Selling]:
    if shutil.which("strace") is None:
        pytest.skip("needs strace: apt-get install strace")
    for part in (tmp_path, *tmp_path.parents[:3]):
        part.chmod(part.stat().st_mode | 0o011)  # the server's own user must pass through
    built = Selling(tmp_path / "onhand")
    await built.open()
    try:
        async with kept_up(built.postgres):
            yield built
    finally:
        await built.close()


async def fail(shop: Selling, who: str, call: str, nth: int) -> None:
    """Let the n-th of these calls of a server process answer EIO; skips where processes may not be traced."""
    with psycopg.connect(shop.postgres.url(SUPERUSER), autocommit=True) as conn:
        found = conn.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
        ).fetchone()
    assert found is not None
    assert shop.engine._conn is not None
    pid = (
        shop.engine._conn.get_server_pid() if who == "lane" else found[0]
    )  # all is sold beyond stock: judged, and written there
    before = len(shop.refused)
    tracer = await asyncio.create_subprocess_exec(
        "strace", "-qq", "-p", str(pid), "-e", f"trace={call}", "-e", f"inject={call}:error=EIO:when={nth}", "-o", "/dev/null",
        stderr=subprocess.PIPE,
    )  # fmt: skip
    if who == "checkpointer":
        await asyncio.to_thread(_checkpoint, shop, pid)
    try:  # PostgreSQL panics, and the tracer ends with it; or a sale is refused, when a page of a table could not be written
        await shop.until(lambda: tracer.returncode is not None or len(shop.refused) > before)
    finally:
        if tracer.returncode is None:
            tracer.terminate()
    _, said = await tracer.communicate()
    if b"not permitted" in said:
        pytest.skip("processes may not be traced here")


def _checkpoint(shop: Selling, pid: int) -> None:
    """Ask for a checkpoint once its process is traced."""
    end = time.monotonic() + 10
    while not _traced(pid) and time.monotonic() < end:
        time.sleep(0.02)
    with suppress(psycopg.Error), psycopg.connect(shop.postgres.url(SUPERUSER), autocommit=True) as conn:
        conn.execute("CHECKPOINT")  # it goes down with the server


def _traced(pid: int) -> bool:
    return "TracerPid:\t0" not in Path(f"/proc/{pid}/status").read_text()


async def test_an_error_of_the_disk_loses_nothing(shop: Selling) -> None:
    pick = random.Random(SEED)
    sellers = [asyncio.create_task(shop.seller()) for _ in range(4)]
    for n in range(often(3, 100)):
        who, call = list(CALLS.values())[n % len(CALLS)]
        await shop.sells_again()
        await fail(shop, who, call, pick.randint(1, 4) if who == "lane" else 1)
        await shop.sells_again()
    shop.stopping = True
    await asyncio.gather(*sellers)
    log = (shop.postgres.data_dir / "server.log").read_text(errors="replace")
    panics, refused = log.count("PANIC"), {type(r) for r in shop.refused}
    print(
        f"\nseed {SEED}: {len(shop.acknowledged)} acknowledged, {panics} panics, {len(shop.refused)} refused"
    )
    assert panics >= 2, f"seed {SEED}: the log could not be written, and that was passed over\n{log[-2000:]}"
    assert refused <= {Unavailable}, f"seed {SEED}: nobody's mistake was answered as somebody's: {refused}"
    await books_are_whole(shop)
