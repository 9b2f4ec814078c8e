"""`onhand verify`, rows a second ÷ the same rows by plain SELECT to a client that only receives them."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql

from bench.ground import STORES, TEMPLATE, VARIANTS, Ground, store_id, variant_id
from bench.harness import Claim, Round
from onhand import ledger, locations
from onhand.doors import wiring
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.postgres import APP, OWNER, SUPERUSER
from onhand.ledger import Engine, Item, Kind, Mode, Move, Posting, digest_of, verify

BOOKS = "bench_books"
POSTINGS, LINES, CALL = 60_000, 5, 500
TABLES = ("posting", "posting_key", "move", "claim", "outbox", "level", "site_level", "reversal")
"""What a verification reads."""
_rows: dict[str, int] = {}


async def _books(ground: Ground) -> str:
    """A database of its own whose levels are what its postings say: opening stock, then sales of five lines."""
    url = ground.url(BOOKS, APP)
    if BOOKS in _rows:
        return url
    with psycopg.connect(ground.url("postgres", SUPERUSER), autocommit=True) as conn:
        names = [sql.Identifier(n) for n in (BOOKS, OWNER, TEMPLATE)]
        conn.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(*names))
    with psycopg.connect(ground.url(BOOKS, SUPERUSER), autocommit=True) as conn:
        conn.execute("TRUNCATE level, site_level")
    await _fill(url)
    with psycopg.connect(ground.url(BOOKS, SUPERUSER), autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE")
        counts = [
            conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(t))).fetchone()
            for t in TABLES
        ]
        _rows[BOOKS] = sum(c[0] for c in counts if c is not None)
    return url


async def _fill(url: str) -> None:
    database = Database.open(url, pool_size=1)

    async def load_directory() -> Any:
        async with database.engine.connect() as conn:
            return await ledger.load_directory(conn)

    engine = Engine(url=url, load_directory=load_directory, riders=dict(wiring.RIDERS))
    await engine.start()
    supplier, customer = locations.virtual_id("supplier"), locations.virtual_id("customer")
    pick, at = random.Random(7), now() - timedelta(days=1)
    try:
        for first in range(0, POSTINGS, CALL):
            items = []
            for n in range(first, first + CALL):
                store, uid = store_id(pick.randrange(STORES)), uuid7()
                source, target = (supplier, store) if n < POSTINGS // 10 else (store, customer)
                amount, kind = (100, Kind.receive) if n < POSTINGS // 10 else (1, Kind.sell)
                moves = tuple(
                    Move(variant_id(pick.randrange(VARIANTS)), source, target, amount) for _ in range(LINES)
                )
                items.append(
                    Item(
                        Posting(
                            uid, kind.value, "bench", uid, customer, at, moves, digest_of(uid), mode=Mode.fact
                        )
                    )
                )
            if not all(o.ok for o in await engine.submit_many(items)):
                raise RuntimeError("a posting was refused")
    finally:
        await engine.stop()
        await database.close()


async def ours(turn: Round) -> float:
    """Rows a second that `onhand verify` recomputes from and compares."""
    database = Database.open(await _books(turn.ground), pool_size=1)
    try:
        async with database.engine.connect() as conn:
            started = time.perf_counter()
            report = await verify.verify(conn)
            took = time.perf_counter() - started
    finally:
        await database.close()
    if not report.ok:
        raise RuntimeError(f"the books differ: {report.differences[0]}")
    return _rows[BOOKS] / took


async def theirs(turn: Round) -> float:
    """Rows a second that arrive at a client in C, which does nothing with them."""
    return await asyncio.to_thread(_receive, await _books(turn.ground))


def _receive(url: str) -> float:
    with psycopg.connect(url, autocommit=True) as conn:
        started = time.perf_counter()
        got = 0
        for table in TABLES:
            columns = "event_n" if table == "outbox" else "*"  # of events only the numbers are checked
            got += conn.pgconn.exec_(f"SELECT {columns} FROM {table}".encode()).ntuples
        took = time.perf_counter() - started
    if got != _rows[BOOKS]:
        raise RuntimeError("not the same rows")
    return got / took


CLAIM = Claim("verify", 0.3, 0.6, ours, theirs)
