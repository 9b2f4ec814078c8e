"""Keeps the embedded PostgreSQL up while this process runs: a postmaster that died is started again.

PostgreSQL brings its own backends back by itself; only its first process has nobody to look after it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from onhand.kit.postgres import EmbeddedPostgres, EmbeddedServerError

log = structlog.get_logger("onhand.supervise")

EVERY = 0.2


@asynccontextmanager
async def kept_up(postgres: EmbeddedPostgres | None) -> AsyncIterator[None]:
    """Look after a server for the length of a block; None: somebody else's server, nothing to do."""
    task = asyncio.create_task(_watch(postgres), name="postgres supervisor") if postgres is not None else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _watch(postgres: EmbeddedPostgres) -> None:
    tries = 0
    while True:
        await asyncio.sleep(EVERY * min(1 + tries, 25))
        if _alive(postgres.postmaster_pid()):
            continue
        log.error("postgres_died", tries=tries)
        try:
            await asyncio.to_thread(postgres.start)
        except (EmbeddedServerError, OSError) as error:  # its old children may still be ending
            tries += 1
            log.warning("postgres_not_started", error=str(error)[-500:])
        except Exception as error:  # up, but still recovering: the next look decides
            tries += 1
            log.warning("postgres_recovering", error=repr(error))
        else:
            tries = 0
            log.info("postgres_started_again")


def _alive(pid: int | None) -> bool:
    """Whether a process runs; one that ended but was not collected does not."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True
