"""The ground: a scratch database with a small shop in it, a real `onhand serve` on it, and the means to kill.

The database is made here and dropped here: on the embedded server of a temporary folder, or on a server somebody names, where
no other database is touched.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import sqlalchemy as sa
from psycopg import sql

from onhand.access import store as access_store
from onhand.access.model import new_key
from onhand.doors import wiring
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import NIL, uuid7
from onhand.kit.migrate import upgrade
from onhand.kit.postgres import OWNER, EmbeddedPostgres

STORES, VARIANTS = 2, 60
_SEED = (
    "INSERT INTO location (id, code, name, kind, site_id, path, sells, keeps_level, time_zone)"
    f" SELECT i, 'S' || n, 'S' || n, 'store', i, 'S' || n, true, true, 'UTC'"
    f" FROM (SELECT gen_random_uuid() AS i, n FROM generate_series(1, {STORES}) n) x",
    f"INSERT INTO product (id, name) SELECT gen_random_uuid(), 'P' || n FROM generate_series(1, {VARIANTS}) n",
    "INSERT INTO variant (id, product_id, sku, name, unit, decimals)"
    " SELECT gen_random_uuid(), id, name, name, 'each', 0 FROM product",
    "INSERT INTO register (id, code, name, location_id) SELECT gen_random_uuid(), 'R' || right(code, 1), 'Till', id"
    " FROM location WHERE kind = 'store'",
    "UPDATE stream_head SET directory_epoch = directory_epoch + 1",
)
_START = [sys.executable, "-c", "from onhand.doors.cli import main; main()", "serve"]


@dataclass(slots=True)
class Ground:
    """The scratch database and the server process. `postgres` None: a server of somebody else's, which is never killed."""

    folder: Path
    url: str
    postgres: EmbeddedPostgres | None
    key: str = ""
    port: int = 0
    app: subprocess.Popen[bytes] | None = None
    log: Any = None

    async def fill(self) -> None:
        """Migrate the database and put stores, variants, tills and an API key into it."""
        await asyncio.to_thread(upgrade, self.url)
        database = Database.open(self.url, pool_size=1)
        wiring.hooks(database)
        wiring.register()
        try:
            await wiring.prepare(database)
            key = new_key()
            async with database.writing(action="stress") as tx:
                for statement in _SEED:
                    await tx.conn.execute(sa.text(statement))
                values = {
                    "id": uuid7(), "public_id": key.public_id, "secret_hash": key.digest, "name": "stress",
                    "scopes": ["pos:sell", "stock:move", "stock:reserve", "stock:read"], "location_ids": None,
                    "expires_at": now() + timedelta(days=30), "created_by": NIL,
                }  # fmt: skip
                await access_store.insert_key(tx.conn, values=values)
        finally:
            await database.close()
        self.key = key.text
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def serve(self) -> None:
        """Start `onhand serve` in a session of its own, with nothing of our own settings."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("ONHAND_")} | {
            "ONHAND_DATA_DIR": str(self.folder / "data"), "ONHAND_PORT": str(self.port), "ONHAND_LOG_LEVEL": "warning",
            "ONHAND_LOG_FORMAT": "json", "ONHAND_JOBS_CONCURRENCY": "0",
        }  # fmt: skip
        if self.postgres is None:
            env["ONHAND_DATABASE_URL"] = self.url
        if self.log is None:
            self.log = (self.folder / "serve.log").open("wb")
        self.app = subprocess.Popen(
            _START, env=env, stdout=self.log, stderr=self.log, start_new_session=True, cwd=self.folder
        )

    async def until_up(self, seconds: float = 60) -> None:
        """Wait for the port. Raises RuntimeError with the server's log when it does not open."""
        end = time.monotonic() + seconds
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            if time.monotonic() > end:
                raise RuntimeError(f"the server does not answer: {self.said()}")
            await asyncio.sleep(0.05)

    def said(self) -> str:
        """The end of the server's log."""
        with suppress(OSError):
            return (self.folder / "serve.log").read_text(errors="replace")[-3000:]
        return ""

    def ways(self) -> tuple[str, ...]:
        """What may be killed here."""
        return ("backend", "app") if self.postgres is None else ("backend", "postmaster", "app")

    def kill(self, what: str, pick: random.Random) -> None:
        """kill -9 the app (and start it again, as a service manager would), the postmaster with its children, or one backend."""
        if what == "app":
            assert self.app is not None
            self.app.kill()
            self.app.wait()
            self.serve()
        elif what == "postmaster":
            self._kill_postmaster()
        elif self.postgres is None:
            self._terminate_backend(pick)
        else:
            self._kill_backend(pick)

    def _kill_postmaster(self) -> None:
        pid = self.postgres.postmaster_pid() if self.postgres else None
        for one in (pid, *_children(pid)) if pid else ():
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)

    def _kill_backend(self, pick: random.Random) -> None:
        pid = self.postgres.postmaster_pid() if self.postgres else None
        backends = [c for c in _children(pid) if "onhand_" in _words(c)] if pid else []
        if backends:
            with suppress(ProcessLookupError):
                os.kill(pick.choice(backends), signal.SIGKILL)

    def _terminate_backend(self, pick: random.Random) -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            rows = conn.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
            if rows:
                with suppress(psycopg.errors.InsufficientPrivilege):
                    conn.execute("SELECT pg_terminate_backend(%s)", (pick.choice(rows)[0],))

    def connect(self) -> psycopg.Connection[Any]:
        """A connection for the oracle, waiting for a server that is coming back."""
        end = time.monotonic() + 30
        while True:
            try:
                return psycopg.connect(self.url, autocommit=True, connect_timeout=5)
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def close(self) -> None:
        """End the server process."""
        if self.app is not None:
            self.app.terminate()
            try:
                self.app.wait(15)
            except subprocess.TimeoutExpired:
                self.app.kill()
                self.app.wait()
        if self.log is not None:
            self.log.close()


@asynccontextmanager
async def lay_ground(database_url: str | None = None, *, fill: bool = True) -> AsyncIterator[Ground]:
    """A scratch database, on the server of `database_url` or on a temporary one; gone at the end. `fill` False: left empty."""
    with tempfile.TemporaryDirectory(prefix="onhand-stress-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # noqa: ASYNC240 - the server's own user must pass through; once, before anything runs
        with _embedded(folder) if database_url is None else _scratch(folder, database_url) as ground:
            if fill:
                await ground.fill()
            try:
                yield ground
            finally:
                await asyncio.to_thread(ground.close)


@contextmanager
def _embedded(folder: Path) -> Iterator[Ground]:
    postgres = EmbeddedPostgres.at(folder / "data")
    postgres.start()
    try:
        yield Ground(folder, postgres.url(OWNER), postgres)
    finally:
        postgres.stop()


@contextmanager
def _scratch(folder: Path, database_url: str) -> Iterator[Ground]:
    """A new database by a name nobody has; CREATE DATABASE refuses one that exists, and only what was made here is dropped."""
    plain = f"onhand_stress_{secrets.token_hex(6)}"
    name = sql.Identifier(plain)
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(name))
    try:
        parts = urlsplit(database_url)
        yield Ground(folder, urlunsplit(parts._replace(path=f"/{plain}")), None)
    finally:
        with psycopg.connect(database_url, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _words(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
