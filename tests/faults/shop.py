"""A shop under load: a real `onhand serve` with its own embedded server, tills that retry, and a hand that kills."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa

from onhand.access import store as access_store
from onhand.access.model import new_key
from onhand.doors import wiring
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import NIL, uuid7
from onhand.kit.migrate import upgrade
from onhand.kit.postgres import OWNER, EmbeddedPostgres

STORES, VARIANTS = 3, 40
_SEED = (
    "INSERT INTO location (id, code, name, kind, site_id, path, sells, keeps_level, time_zone)"
    " SELECT i, 'S' || n, 'S' || n, 'store', i, 'S' || n, true, true, 'UTC'"
    " FROM (SELECT gen_random_uuid() AS i, n FROM generate_series(1, 3) n) x",
    "INSERT INTO product (id, name) SELECT gen_random_uuid(), 'P' || n FROM generate_series(1, 40) n",
    "INSERT INTO variant (id, product_id, sku, name, unit, decimals)"
    " SELECT gen_random_uuid(), id, name, name, 'each', 0 FROM product",
    "INSERT INTO register (id, code, name, location_id) SELECT gen_random_uuid(), 'R' || right(code, 1), 'Till', id"
    " FROM location WHERE kind = 'store'",
    "UPDATE stream_head SET directory_epoch = directory_epoch + 1",
)
"""Shelves start empty: every sale goes below zero, so the locked path and its exceptions are under fire as well."""


@dataclass(slots=True)
class Tills:
    """Tills that send sales and try again with the same id until they are answered; they note what was acknowledged."""

    port: int
    key: str
    seed: int
    acknowledged: set[UUID] = field(default_factory=set)
    answers: dict[int, int] = field(default_factory=dict)
    ack_early: bool = False
    """The canary: a till that takes a sale for recorded before the answer came, and never asks again."""
    stopping: bool = False
    last_ack: float = 0.0

    async def run(self, clients: int) -> None:
        """Sell until `stopping`; then every sale under way is brought to its end."""
        await asyncio.gather(*(self._till(n) for n in range(clients)))

    async def _till(self, n: int) -> None:
        pick = random.Random(f"{self.seed}/{n}")
        while not self.stopping:
            sale_id = uuid7()
            lines = [{"sku": f"P{pick.randint(1, VARIANTS)}", "quantity": "1", "total": "1.99"}]
            sale = {
                "id": str(sale_id), "register": f"R{pick.randint(1, STORES)}", "happened_at": now().isoformat(),
                "currency": "EUR", "lines": lines,
            }  # fmt: skip
            body = json.dumps(sale).encode()
            if self.ack_early:
                self.acknowledged.add(sale_id)
                with suppress(OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                    await asyncio.wait_for(self._send(body), 3)
                continue
            await self._until_recorded(sale_id, body)

    async def _until_recorded(self, sale_id: UUID, body: bytes) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            status = 0
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError, ValueError, IndexError):
                status = await asyncio.wait_for(self._send(body), 20)
            self.answers[status] = self.answers.get(status, 0) + 1
            if status == 201:
                self.acknowledged.add(sale_id)
                self.last_ack = time.monotonic()
                return
            await asyncio.sleep(0.05)
        raise AssertionError("a sale was not recorded within a minute")

    async def _send(self, body: bytes) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            head = (
                f"POST /v1/pos/sales HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\nConnection: close\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = await reader.read()
            return int(answer[9:12])
        finally:
            writer.close()


@dataclass(slots=True)
class Shop:
    """The data directory, the server process and the means to kill."""

    folder: Path
    postgres: EmbeddedPostgres
    key: str = ""
    port: int = 0
    app: subprocess.Popen[bytes] | None = None
    log: Any = None

    @classmethod
    async def build(cls, folder: Path) -> Shop:
        """Bring the database up, migrate and fill it."""
        folder.chmod(0o711)  # noqa: ASYNC240 - once, before anything runs
        postgres = EmbeddedPostgres.at(folder / "data")
        await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(upgrade, postgres.url())
        shop = cls(folder, postgres)
        database = Database.open(postgres.url(), pool_size=1)
        wiring.hooks(database)
        wiring.register()
        await wiring.prepare(database)
        key = new_key()
        async with database.writing(action="faults") as tx:
            for statement in _SEED:
                await tx.conn.execute(sa.text(statement))
            values = {
                "id": uuid7(), "public_id": key.public_id, "secret_hash": key.digest, "name": "tills", "scopes": ["pos:sell"],
                "location_ids": None, "expires_at": now() + timedelta(days=1), "created_by": NIL,
            }  # fmt: skip
            await access_store.insert_key(tx.conn, values=values)
        await database.close()
        shop.key = key.text
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            shop.port = probe.getsockname()[1]
        shop.log = (folder / "serve.log").open("wb")
        return shop

    def serve(self) -> None:
        """Start `onhand serve` in a session of its own."""
        env = {
            **os.environ, "ONHAND_DATA_DIR": str(self.folder / "data"), "ONHAND_PORT": str(self.port),
            "ONHAND_LOG_LEVEL": "warning", "ONHAND_JOBS_CONCURRENCY": "0", "ONHAND_LOG_FORMAT": "json",
        }  # fmt: skip
        self.app = subprocess.Popen(
            [str(Path(sys.executable).parent / "onhand"), "serve"], env=env, stdout=self.log, stderr=self.log, start_new_session=True, cwd=self.folder,
        )  # fmt: skip

    async def until_up(self, seconds: float = 60) -> None:
        """Wait for the port."""
        end = time.monotonic() + seconds
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            if time.monotonic() > end:
                raise AssertionError(f"the server does not answer: {self.said()}")
            await asyncio.sleep(0.05)

    def said(self) -> str:
        """The end of the server's log."""
        return (self.folder / "serve.log").read_text(errors="replace")[-3000:]

    def kill_app(self) -> None:
        """kill -9 the application, and start it again as a service manager would."""
        assert self.app is not None
        self.app.kill()
        self.app.wait()
        self.serve()

    def kill_postmaster(self) -> None:
        """kill -9 the postmaster and all its children at once; whoever supervises it must bring it back."""
        pid = self.postgres.postmaster_pid()
        if pid is None:
            return
        children = _children(pid)
        for one in (pid, *children):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)

    def kill_backend(self, pick: random.Random) -> None:
        """kill -9 one backend: PostgreSQL throws all others out and recovers."""
        pid = self.postgres.postmaster_pid()
        backends = [c for c in _children(pid) if "onhand_app" in _words(c)] if pid else []
        if backends:
            with suppress(ProcessLookupError):
                os.kill(pick.choice(backends), signal.SIGKILL)

    def connect(self) -> psycopg.Connection[Any]:
        """A connection for the oracle."""
        end = time.monotonic() + 30
        while True:
            try:
                return psycopg.connect(self.postgres.url(OWNER), autocommit=True, connect_timeout=5)
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def close(self) -> None:
        """End everything that was started here."""
        if self.app is not None:
            self.app.terminate()
            try:
                self.app.wait(15)
            except subprocess.TimeoutExpired:
                self.app.kill()
                self.app.wait()
        self.postgres.stop()
        self.log.close()


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _words(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
