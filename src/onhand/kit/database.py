"""Connections to PostgreSQL: pools for reads and writes, and the transaction every edge opens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
import sqlalchemy as sa
import sqlalchemy.exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from onhand.kit.clock import now
from onhand.kit.problem import Problem
from onhand.kit.tx import SYSTEM, Actor, Tx

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)
"""All tables of all packages; migrations are compared with it."""

BeforeCommit = Callable[[Tx], Awaitable[None]]


class WeakDurability(Problem):
    """The database may lose acknowledged facts as it is set up; `settings` names what must be switched on."""

    status = 503


@dataclass(slots=True)
class Database:
    """The engine of the application role, and the hooks that run before every commit, in order."""

    engine: AsyncEngine
    reads_engine: AsyncEngine
    before_commit: list[BeforeCommit] = field(default_factory=list)

    @classmethod
    def open(cls, url: str, *, replica_url: str | None = None, pool_size: int = 8) -> Database:
        """Open pools on a libpq-style `postgresql://` URL; nothing connects yet."""
        engine = _engine(url, pool_size)
        return cls(engine=engine, reads_engine=_engine(replica_url, pool_size) if replica_url else engine)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A read-only connection; the replica's where one is configured."""
        async with self.reads_engine.connect() as conn:
            await conn.execute(sa.text("SET TRANSACTION READ ONLY"))
            yield conn

    @asynccontextmanager
    async def writing(self, *, actor: Actor = SYSTEM, action: str = "") -> AsyncIterator[Tx]:
        """A write transaction for jobs and commands: commits at the end, rolls back on an exception."""
        async with self.engine.connect() as conn:
            tx = Tx(conn=conn, now=now(), actor=actor, action=action)
            yield tx
            await self.commit(tx)

    async def commit(self, tx: Tx) -> None:
        """Flush what the transaction buffered (the stream head is locked last), commit, then wake who waits."""
        for hook in self.before_commit:
            await hook(tx)
        await tx.conn.commit()
        for callback in tx.after_commit:
            done = callback()
            if done is not None:
                await done

    async def close(self) -> None:
        """Close the pools."""
        await self.engine.dispose()
        if self.reads_engine is not self.engine:
            await self.reads_engine.dispose()


def sqlalchemy_url(url: str, driver: str = "psycopg") -> str:
    """`postgresql://…` as SQLAlchemy wants it."""
    scheme, sep, rest = url.partition("://")
    if not sep or scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("ONHAND_DATABASE_URL must start with postgresql://")
    return f"postgresql+{driver}://{rest}"


def _engine(url: str, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args={
            "options": "-c timezone=UTC -c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s",
            "application_name": "onhand",
        },
    )


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot be reached, or has no room, just now: worth trying again, nobody's mistake."""
    if isinstance(error, sa.exc.TimeoutError):
        return True  # every connection of the pool is busy
    found = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(found, psycopg.OperationalError) and (
        found.sqlstate is None or found.sqlstate.startswith(("57P", "08", "53"))
    )


DURABLE = {"fsync": "on", "full_page_writes": "on"}


async def refuse_weak_durability(conn: AsyncConnection) -> None:
    """Raise WeakDurability when fsync, full_page_writes or synchronous_commit are weakened, or the server is too old."""
    names = [*DURABLE, "synchronous_commit", "server_version_num"]
    rows = await conn.execute(
        sa.text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)"), {"names": names}
    )
    found = {row.name: row.setting for row in rows}
    weak = [name for name, want in DURABLE.items() if found[name] != want]
    if found["synchronous_commit"] in ("off", "local"):
        weak.append("synchronous_commit")
    if weak:
        raise WeakDurability(
            f"The database has {', '.join(weak)} switched off, so a crash could lose acknowledged sales. "
            f"Set {', '.join(f'{name} = on' for name in weak)} and start again.",
            settings=weak,
        )
    if int(found["server_version_num"]) < 150000:
        raise WeakDurability("Onhand needs PostgreSQL 15 or newer.", settings=["server_version"])
