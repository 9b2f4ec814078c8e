"""A small shop on a server of its own, selling through a lane while something happens to the machine beneath it."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from onhand import ledger
from onhand.doors import wiring
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.migrate import upgrade
from onhand.kit.postgres import APP, SUPERUSER, EmbeddedPostgres
from onhand.kit.problem import Problem
from onhand.ledger import Engine, Item, Mode, Move, Posting, digest_of, verify
from tests.ledger.world import World, build


class Selling:
    """A server in a folder, its lane, and what the lane acknowledged."""

    def __init__(self, folder: Path) -> None:
        self.postgres = EmbeddedPostgres.at(folder)
        self.acknowledged: set[UUID] = set()
        self.refused: list[Problem] = []
        self.stopping = False
        self.last = 0.0
        self.world: World

    def start(self) -> None:
        """Start the server for the first time."""
        self.postgres.start()

    async def open(self) -> None:
        """Start the server, fill the shop, and open the lane."""
        await asyncio.to_thread(self.start)
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

    async def seller(self) -> None:
        """Sell one after another, and keep what was acknowledged."""
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
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, (self.postgres.data_dir / "server.log").read_text(
                errors="replace"
            )[-2000:]
            await asyncio.sleep(0.05)

    async def sells_again(self) -> None:
        """Wait until a sale is acknowledged that was asked for after now."""
        since = time.monotonic()
        await self.until(lambda: self.last > since)

    async def close(self) -> None:
        """Stop selling, the lane and the server."""
        self.stopping = True
        await self.engine.stop()
        await self.db.close()
        await asyncio.to_thread(self.postgres.stop)


async def books_are_whole(shop: Selling) -> None:
    """What was acknowledged is there, once, and every level is the sum of its moves."""
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
