"""The ground both sides stand on: one embedded server with two equal databases of a chain with stock on its shelves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg import sql

from onhand import locations
from onhand.access import store as access_store
from onhand.access.model import new_key
from onhand.doors import schema, wiring
from onhand.kit.clock import now
from onhand.kit.database import Database, sqlalchemy_url
from onhand.kit.ids import uuid7
from onhand.kit.postgres import APP, OWNER, SUPERUSER, EmbeddedPostgres
from onhand.pos import Till

STORES = 20
VARIANTS = 2000
"""20 × 2000 = 40,000 variant-site cells."""
OPENING = 10**9
TEMPLATE, OURS, RIVAL, EMPTY = "bench_template", "bench_ours", "bench_rival", "bench_copy"
VARIANT_PREFIX = "0199aaaa-0000-7000-8000-1000"
STORE_PREFIX = "0199bbbb-0000-7000-8000-1000"
REGISTER_PREFIX = "0199cccc-0000-7000-8000-1000"
FIRST = 10_000_000
"""Ids are prefix + number from here, so that pgbench can make them out of a random number."""


def variant_id(n: int) -> UUID:
    """The n-th variant, from 0."""
    return UUID(f"{VARIANT_PREFIX}{FIRST + n}")


def store_id(n: int) -> UUID:
    """The n-th store, from 0."""
    return UUID(f"{STORE_PREFIX}{FIRST + n}")


def till(n: int) -> Till:
    """The register of the n-th store."""
    return Till(UUID(f"{REGISTER_PREFIX}{FIRST + n}"), f"R{n:02d}", store_id(n), store_id(n), f"S{n:02d}")


@dataclass(frozen=True, slots=True)
class Ground:
    """A running server, its two databases, and an API key that may sell."""

    postgres: EmbeddedPostgres
    folder: Path
    key: str

    def url(self, database: str = OURS, role: str = APP) -> str:
        """A libpq URL."""
        return self.postgres.url(role, database)

    def settle(self) -> None:
        """Flush what the last measurement left in memory, so that the next one does not pay for it."""
        with psycopg.connect(self.url("postgres", SUPERUSER), autocommit=True) as conn:
            conn.execute("CHECKPOINT")


@contextmanager
def lay_ground() -> Iterator[Ground]:
    """Start a server of our own in a temporary folder, fill the template, clone it for each side; stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="onhand-bench-") as folder:
        Path(folder).chmod(0o711)  # the server's own user must pass through
        postgres = EmbeddedPostgres.at(Path(folder) / "data")
        postgres.start()
        try:
            with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as conn:
                conn.execute(_create(TEMPLATE, None))
                key = _fill(postgres)
                for name in (OURS, RIVAL, EMPTY):
                    conn.execute(_create(name, TEMPLATE))
            yield Ground(postgres, Path(folder), key)
        finally:
            postgres.stop()


def _create(name: str, template: str | None) -> sql.Composed:
    query = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
    return query + sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else query


def _fill(postgres: EmbeddedPostgres) -> str:
    engine = sa.create_engine(sqlalchemy_url(postgres.url(OWNER, TEMPLATE)), poolclass=sa.NullPool)
    with engine.begin() as connection:
        schema.create_all(connection)
    engine.dispose()
    import asyncio

    key = asyncio.run(_prepare(postgres.url(OWNER, TEMPLATE)))
    with psycopg.connect(postgres.url(OWNER, TEMPLATE), autocommit=True) as conn:
        for statement in _SEED:
            conn.execute(statement, _names())
        conn.execute("VACUUM ANALYZE")
    return key


async def _prepare(url: str) -> str:
    """Units and virtual places as start-up makes them, and an API key for the load."""
    database = Database.open(url, pool_size=1)
    wiring.hooks(database)
    wiring.register()
    await wiring.prepare(database)
    key = new_key()
    async with database.writing(action="bench") as tx:
        await access_store.insert_key(
            tx.conn,
            values={
                "id": uuid7(), "public_id": key.public_id, "secret_hash": key.digest, "name": "bench",
                "scopes": ["pos:sell"], "location_ids": None, "expires_at": now() + timedelta(days=1),
                "created_by": locations.virtual_id("customer"),
            },
        )  # fmt: skip
    await database.close()
    return key.text


def _names() -> dict[str, object]:
    return {
        "v": VARIANT_PREFIX, "s": STORE_PREFIX, "r": REGISTER_PREFIX, "first": FIRST, "variants": VARIANTS,
        "stores": STORES, "opening": OPENING,
    }  # fmt: skip


_SEED = (
    "INSERT INTO location (id, code, name, kind, site_id, path, sells, keeps_level, time_zone)"
    " SELECT i, c, c, 'store', i, c, true, true, 'UTC' FROM (SELECT (%(s)s || (%(first)s + n))::uuid AS i,"
    " 'S' || lpad(n::text, 2, '0') AS c FROM generate_series(0, %(stores)s - 1) n) x",
    "INSERT INTO product (id, name) SELECT (%(v)s || (%(first)s + n))::uuid, 'Product ' || n"
    " FROM generate_series(0, %(variants)s - 1) n",
    "INSERT INTO variant (id, product_id, sku, name, unit, decimals)"
    " SELECT id, id, 'SKU-' || lpad((row_number() OVER (ORDER BY id) - 1)::text, 5, '0'), name, 'each', 0 FROM product",
    "INSERT INTO register (id, code, name, location_id) SELECT (%(r)s || (%(first)s + n))::uuid,"
    " 'R' || lpad(n::text, 2, '0'), 'Till', (%(s)s || (%(first)s + n))::uuid FROM generate_series(0, %(stores)s - 1) n",
    "INSERT INTO level (variant, location, on_hand) SELECT v.id, p.id, %(opening)s FROM variant v, location p WHERE p.sells",
    "INSERT INTO site_level (variant, site, sellable) SELECT v.id, p.id, %(opening)s FROM variant v, location p WHERE p.sells",
    "UPDATE stream_head SET directory_epoch = directory_epoch + 1",
    "CREATE SEQUENCE bench_posting",
    "CREATE SEQUENCE bench_event",
)
"""Stock is laid on the shelves directly: how it got there is not what is measured."""
