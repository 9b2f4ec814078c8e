"""Migrations: run by `onhand serve` under an advisory lock, as the owner role; each is marked pre or post.

They run while the shop sells. A statement that waits for a lock makes everybody else wait behind it, so none waits long: after
LOCK_TIMEOUT it gives up, its migration is rolled back, and is tried again a moment later. What takes long – indexes, checking a
constraint, filling a column – is done by the helpers below, outside of the migration's transaction and without stopping anybody.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import psycopg.errors
import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

import onhand
from onhand.kit.database import sqlalchemy_url

log = structlog.get_logger("onhand.migrate")

_LOCK = 0x6F6E68616E64  # "onhand"
LOCK_TIMEOUT = "150ms"
"""So long a migration may stand in everybody's way. Seconds would be felt at the till."""
TRIES = 200
CHUNK = 5000


class MigrationBlocked(RuntimeError):
    """A migration did not get its lock in all its tries: some transaction stays open. The message names who holds what."""


def checkout() -> Path:
    """The folder of the checkout this package is installed from in place."""
    return Path(onhand.__file__).parents[2]


def folder() -> Path:
    """Where the migrations are: inside the wheel, or beside `src` in a checkout."""
    package = Path(onhand.__file__).parent
    inside = package / "migrations"
    return inside if inside.exists() else checkout() / "migrations"


def config(at: Path | None = None) -> Config:
    """Alembic's configuration, without a file; `at`: another folder of migrations."""
    cfg = Config()
    cfg.set_main_option("script_location", str(at or folder()))
    return cfg


def upgrade(owner_url: str, *, target: str = "head", at: Path | None = None) -> list[str]:
    """Bring the database to the newest schema; returns the revisions that ran. Safe to call from several processes.

    A migration that does not get a lock within LOCK_TIMEOUT is rolled back and tried again; those before it stay done. Raises
    MigrationBlocked after TRIES.
    """
    engine = sa.create_engine(sqlalchemy_url(owner_url), poolclass=sa.NullPool)
    try:
        with engine.connect() as conn:
            conn.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            conn.commit()
            before = set(MigrationContext.configure(conn).get_current_heads())
            conn.commit()
            cfg = config(at)
            scripts = ScriptDirectory.from_config(cfg)
            if before == set(scripts.get_heads()):
                return []
            cfg.attributes["connection"] = conn
            _patiently(conn, cfg, target)
            after = set(MigrationContext.configure(conn).get_current_heads())
            conn.commit()
            ran = {s.revision for s in scripts.iterate_revisions(tuple(after), tuple(before) or "base")}
            return [s.revision for s in reversed(list(scripts.walk_revisions())) if s.revision in ran]
    finally:
        engine.dispose()


def _patiently(conn: sa.Connection, cfg: Config, target: str) -> None:
    for attempt in range(1, TRIES + 1):
        conn.execute(sa.text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        conn.commit()
        try:
            command.upgrade(cfg, target)
            conn.commit()
            return
        except DBAPIError as error:
            blocked = _blocked(error)
            conn.rollback()
            if not blocked:
                raise
        except psycopg.errors.LockNotAvailable:
            conn.rollback()
        if attempt % 20 == 0:
            log.warning("migration_waits", tries=attempt, held_by=_holders(conn))
        time.sleep(random.uniform(0.1, 0.4))
    raise MigrationBlocked(f"A migration could not get its lock in {TRIES} tries. Held by: {_holders(conn)}")


def _blocked(error: DBAPIError) -> bool:
    return isinstance(error.orig, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected)


_HOLDERS = """
SELECT l.pid, a.application_name, string_agg(DISTINCT l.relation::regclass::text, ', ') AS tables
  FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p')
 WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid() AND a.datname = current_database()
   AND c.relnamespace = 'public'::regnamespace GROUP BY 1, 2 ORDER BY 1 LIMIT 5
"""


def _holders(conn: sa.Connection) -> str:
    """Who holds locks on our tables: one of them is in the way."""
    rows = conn.execute(sa.text(_HOLDERS)).all()
    conn.commit()
    return "; ".join(f"process {r.pid} ({r.application_name}) on {r.tables}" for r in rows) or "nobody seen"


# ── for migrations ───────────────────────────────────────────────────────────────────────────────────────────────────


def index_concurrently(op: Any, name: str, table: str, columns: str, *, where: str = "") -> None:
    """Build an index while everybody writes; also on a partitioned table, a partition at a time. May be repeated.

    `columns` is what stands between the parentheses. An unfinished index of an earlier try is dropped first.
    """
    condition = f" WHERE {where}" if where else ""
    with op.get_context().autocommit_block():
        conn = op.get_bind()
        conn.exec_driver_sql("SET lock_timeout = 0")  # it waits for old transactions, and stops nobody
        try:
            parts = _partitions(conn, table)
            for part in parts or [table]:
                own = f"{part}_{name}"[:63] if parts else name
                _drop_unfinished(conn, own)
                conn.exec_driver_sql(
                    f'CREATE INDEX CONCURRENTLY IF NOT EXISTS "{own}" ON "{part}" ({columns}){condition}'
                )
            if parts:
                conn.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
                conn.exec_driver_sql(
                    f'CREATE INDEX IF NOT EXISTS "{name}" ON ONLY "{table}" ({columns}){condition}'
                )
                for part in parts:
                    conn.exec_driver_sql(f'ALTER INDEX "{name}" ATTACH PARTITION "{part}_{name}"')
        finally:
            conn.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")


def validate(op: Any, table: str, constraint: str) -> None:
    """Check the rows that were there before a constraint was added NOT VALID; reads and writes go on meanwhile."""
    with op.get_context().autocommit_block():
        op.get_bind().exec_driver_sql(f'ALTER TABLE "{table}" VALIDATE CONSTRAINT "{constraint}"')


def backfill(op: Any, statement: str, *, chunk: int = CHUNK) -> int:
    """Run an UPDATE again and again, a chunk and a transaction at a time, until it changes nothing; how many rows it changed.

    The statement changes at most `:chunk` rows that still need it, such as
    `UPDATE variant SET origin = 'unknown' WHERE id IN (SELECT id FROM variant WHERE origin IS NULL LIMIT :chunk)`.
    """
    changed = 0
    with op.get_context().autocommit_block():
        conn = op.get_bind()
        while count := conn.execute(sa.text(statement), {"chunk": chunk}).rowcount:
            changed += count
    return changed


def _partitions(conn: sa.Connection, table: str) -> list[str]:
    found = conn.execute(
        sa.text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = to_regclass(:table) ORDER BY 1"
        ),
        {"table": table},
    )
    return list(found.scalars())


def _drop_unfinished(conn: sa.Connection, name: str) -> None:
    unfinished = conn.execute(
        sa.text(
            "SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = :name AND NOT i.indisvalid"
        ),
        {"name": name},
    ).first()
    if unfinished is not None:
        conn.exec_driver_sql(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')
