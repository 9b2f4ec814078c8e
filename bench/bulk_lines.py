"""Lines a second by the bulk door, with ids, sequence, levels and events ÷ COPY of the move rows alone, indexes kept."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta

import psycopg

from bench.ground import EMPTY, STORES, VARIANTS, store_id, variant_id
from bench.harness import Claim, Round
from onhand import locations
from onhand.kit.clock import now
from onhand.kit.ids import NIL, uuid7
from onhand.kit.postgres import OWNER
from onhand.ledger import Item, Kind, Mode, Move, Posting, digest_of

LINES = 10
POSTINGS = 500
"""Lines a posting, postings a call: a basket of a grocery chain, and the lane's batch."""
BATCHES = 8
_CUSTOMER = locations.virtual_id("customer")
_COLUMNS = (
    "seq, recorded_at, happened_at, variant, lot, from_location, to_location, quantity, line, from_condition, to_condition,"
    " from_kept, to_kept"
)


def _postings(count: int) -> list[Item]:
    pick, at, items = random.Random(), now() - timedelta(days=1), []
    for _ in range(count):
        store, uid = store_id(pick.randrange(STORES)), uuid7()
        moves = tuple(Move(variant_id(pick.randrange(VARIANTS)), store, _CUSTOMER, 1) for _ in range(LINES))
        items.append(
            Item(
                Posting(
                    uid, Kind.sell.value, "replay", uid, _CUSTOMER, at, moves, digest_of(uid), mode=Mode.fact
                )
            )
        )
    return items


async def ours(turn: Round) -> float:
    """Lines a second through `Engine.submit_many`, a few calls in flight as an import has them."""
    ready = [_postings(POSTINGS) for _ in range(max(2, int(BATCHES * turn.seconds / 2)))]
    started = time.perf_counter()
    todo = iter(ready)

    async def caller() -> None:
        for items in todo:
            if not all(o.ok for o in await turn.site.engine.submit_many(items)):
                raise RuntimeError("a posting was refused")

    await asyncio.gather(*(caller() for _ in range(2)))
    return len(ready) * POSTINGS * LINES / (time.perf_counter() - started)


async def theirs(turn: Round) -> float:
    """Rows a second by COPY into the partitioned table, in one transaction; the text is made ready beforehand."""
    return await asyncio.to_thread(_copy, turn, int(100_000 * turn.seconds / 2))


def _copy(turn: Round, count: int) -> float:
    pick, at = random.Random(), now()
    with psycopg.connect(turn.ground.url(EMPTY, OWNER)) as conn:
        found = conn.execute("SELECT coalesce(max(seq), 0) FROM move").fetchone()
        first = found[0] if found else 0
        rows = [
            f"{first + 1 + n // LINES}\t{at}\t{at}\t{variant_id(pick.randrange(VARIANTS))}\t{NIL}\t{store_id(pick.randrange(STORES))}"
            f"\t{_CUSTOMER}\t1\t{1 + n % LINES}\t0\t0\tt\tf\n"
            for n in range(count)
        ]
        chunks = ["".join(rows[i : i + 1000]).encode() for i in range(0, count, 1000)]
        started = time.perf_counter()
        with conn.cursor().copy(f"COPY move ({_COLUMNS}) FROM STDIN") as copy:
            for chunk in chunks:
                copy.write(chunk)
        conn.commit()
        return count / (time.perf_counter() - started)


CLAIM = Claim("bulk_lines", 0.12, 0.2, ours, theirs)
