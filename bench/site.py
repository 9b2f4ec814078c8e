"""Our side: the lane in this process for the engine's claims, a server and a load client in their own for HTTP's."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bench.ground import OURS, STORES, VARIANTS, Ground, till, variant_id
from onhand import ledger, locations
from onhand.catalog import Resolved
from onhand.doors import wiring
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import quick, quick7, uuid7
from onhand.ledger import Engine, Item
from onhand.pos import LineIn, SaleIn, Till, sale_item

Job = tuple[Item, dict[str, list[tuple[Any, ...]]]]
"""An item as the point of sale makes it, with the audit row of its request."""
_CUSTOMER = quick(locations.virtual_id("customer"))
HOT = (7, 3)
"""The variant and store of the hot row."""


@cache
def resolved(n: int) -> Resolved:
    """The n-th variant, as the catalogue resolves it."""
    uid = quick(variant_id(n))
    return Resolved(
        uid, 1, 0, "each", "none", f"SKU-{n:05d}", f"Product {n}", uid, None, None, None, None, None, False
    )


@cache
def _till(n: int) -> Till:
    found = till(n)
    return Till(quick(found.id), found.code, quick(found.location), quick(found.site), found.site_code)


def job(variants: Sequence[int], store: int) -> Job:
    """One sale of one piece each, as `POST /v1/pos/sales` would hand it to the lane."""
    at = now() - timedelta(seconds=1)
    skus = {f"SKU-{n:05d}": resolved(n) for n in variants}
    sale = SaleIn(
        id=uuid7(),
        register=_till(store).code,
        happened_at=at,
        currency="EUR",
        lines=[LineIn(sku=sku, quantity="1", total="1.99") for sku in skus],
    )
    item, _ = sale_item(sale, _till(store), skus, actor=_CUSTOMER, customer_place=_CUSTOMER)
    audit: tuple[Any, ...] = (
        quick7(), at, _CUSTOMER, "key", "bench", "sale.created", "sale", str(sale.id), "POST /v1/pos/sales", str(uuid7()),
        "127.0.0.1", {},
    )  # fmt: skip
    return item, {"audit": [audit]}


def jobs(count: int, *, hot: bool = False, lines: int = 1) -> list[Job]:
    """Sales made ready beforehand: making them is the caller's work, and part of the claims over HTTP.

    Of several lines each comes from a part of the catalogue of its own, so none comes twice.
    """
    pick = random.Random()
    if hot:
        return [job([HOT[0]], HOT[1]) for _ in range(count)]
    part = VARIANTS // lines
    return [
        job([pick.randrange(n * part, (n + 1) * part) for n in range(lines)], pick.randrange(STORES))
        for _ in range(count)
    ]


@dataclass(slots=True)
class Site:
    """The lane, started, and the HTTP server's address once asked for."""

    ground: Ground
    engine: Engine
    _server: asyncio.subprocess.Process | None = None
    _port: int = 0
    _others: dict[str, Site] = field(default_factory=dict)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    @classmethod
    @asynccontextmanager
    async def open(cls, ground: Ground, name: str = OURS) -> AsyncIterator[Site]:
        """Start the lane on a database; stop everything at the end."""
        database = Database.open(ground.url(name), pool_size=1)

        async def load_directory() -> Any:
            async with database.engine.connect() as conn:
                return await ledger.load_directory(conn)

        engine = Engine(url=ground.url(name), load_directory=load_directory, riders=dict(wiring.RIDERS))
        await engine.start()
        site = cls(ground, engine)
        try:
            yield site
        finally:
            await site._open.aclose()
            await site._stop_server()
            await engine.stop()
            await database.close()

    async def on(self, name: str) -> Site:
        """A lane on another database of the same server, started at first use."""
        if name not in self._others:
            self._others[name] = await self._open.enter_async_context(Site.open(self.ground, name))
        return self._others[name]

    @property
    def backend_pid(self) -> int:
        """The server process that writes the lane's batches."""
        assert self.engine._wire is not None
        return self.engine._wire.backend_pid

    async def lane_rate(self, ready: Sequence[Job], *, callers: int, seconds: float) -> float:
        """Sales a second with some callers that each wait for their answer before the next sale."""
        todo, done, stop_at = iter(ready), 0, time.perf_counter() + seconds

        async def caller() -> None:
            nonlocal done
            for item, riders in todo:
                outcome = await self.engine.submit(item, riders)
                if not outcome.ok:
                    raise RuntimeError(f"a sale was refused: {outcome}")
                done += 1
                if time.perf_counter() > stop_at:
                    return

        started = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        took = time.perf_counter() - started
        if took < seconds * 0.8:
            raise RuntimeError(f"too few sales were made ready: {len(ready)} lasted {took:.1f} s")
        return done / took

    async def http_rate(self, *, batch: int, callers: int, seconds: float) -> float:
        """Sales a second over HTTP, as counted by the load client."""
        if self._server is None:
            await self._serving()
            await self.http_rate(batch=200, callers=2, seconds=2)  # every code once, so that it is remembered
        port = self._port
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.load", str(port), self.ground.key, str(callers), str(batch), str(seconds),
            stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[1],
        )  # fmt: skip
        out, _ = await client.communicate()
        if client.returncode != 0:
            raise RuntimeError("the load client failed")
        return float(json.loads(out)["sales_a_second"])

    async def _serving(self) -> int:
        if self._server is None:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self._port = probe.getsockname()[1]
            self._server = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bench.serve", self.ground.url(), str(self._port), str(self.ground.folder / "files"),
                cwd=Path(__file__).parents[1],
            )  # fmt: skip
            for _ in range(300):
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                    writer.close()
                    return self._port
                if self._server.returncode is not None:
                    raise RuntimeError("the server did not start")
                await asyncio.sleep(0.1)
            raise RuntimeError("the server did not answer")
        return self._port

    async def _stop_server(self) -> None:
        if self._server is not None and self._server.returncode is None:
            self._server.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait(), 20)
            if self._server.returncode is None:
                self._server.kill()
