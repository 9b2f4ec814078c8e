"""A process that forks: each child plays one script with `kill -9` of itself armed at one point, and notes on a pipe what was
acknowledged before. Run by test_failpoints.py: world and points as JSON on stdin, one line of JSON a child on stdout.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any
from uuid import UUID

import structlog

from onhand.doors import wiring
from onhand.kit.database import Database
from tests.faults.failpoints import Failpoints, grafted
from tests.faults.script import Script, engine_on, play, play_at_the_door
from tests.faults.test_failpoints import DOOR, DOOR_ONLY, LANE
from tests.ledger.world import World


class Acked(set[UUID]):
    """What was acknowledged, written down at once."""

    def __init__(self, pipe: int) -> None:
        super().__init__()
        self.pipe = pipe

    def add(self, posting_id: UUID) -> None:
        os.write(self.pipe, posting_id.bytes)
        super().add(posting_id)


async def _child(points: Failpoints, task: dict[str, Any], world: World, url: str, pipe: int) -> None:
    points.armed = {task["point"]: lambda: os.kill(os.getpid(), signal.SIGKILL)}
    script = Script.write(world, task["number"], cut=False, large="_results 2" in task["point"])
    database = Database.open(url, pool_size=2)
    wiring.hooks(database)
    acked = Acked(pipe)
    for posting_id in script.expected() if task["early"] else ():
        acked.add(posting_id)
    if task["door"]:
        await play_at_the_door(script, database, acked, [])
    else:
        engine = engine_on(url, database)
        await engine.start()
        await play(script, engine, acked, lambda: None, [])
        await engine.stop()
    await database.close()


def _fork(points: Failpoints, task: dict[str, Any], world: World, url: str) -> dict[str, Any]:
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        asyncio.run(_child(points, task, world, url, writes))
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as pipe:
        raw = pipe.read()
    _, status = os.waitpid(child, 0)
    acked = [UUID(bytes=raw[n : n + 16]).hex for n in range(0, len(raw), 16)]
    return {
        **task,
        "acked": acked,
        "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
    }


def main() -> None:
    """Play every task in a child of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asked = json.load(sys.stdin)
    world = World(
        {k: UUID(v) for k, v in asked["places"].items()}, {k: UUID(v) for k, v in asked["variants"].items()}
    )
    for door in (False, True):
        with grafted(DOOR if door else LANE, DOOR_ONLY if door else "") as points:
            for task in asked["tasks"]:
                if task["door"] is door:
                    print(json.dumps(_fork(points, task, world, asked["url"])), flush=True)


if __name__ == "__main__":
    main()
