"""What both doors inside a transaction speak to the database: locks, guard and write in separate calls, and
the buffer between them that is flushed just before COMMIT."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import locations
from onhand.kit.problem import Unavailable
from onhand.kit.signal import woke
from onhand.kit.tx import Tx
from onhand.ledger.batch import Arrays, EventRow, arrays_of
from onhand.ledger.decide import Directory, variants_of
from onhand.ledger.lane import LabelCache
from onhand.ledger.model import LevelTooLarge, Posting, SerialAlreadyUsed


class Driver(Protocol):
    """The psycopg connection beneath a transaction."""

    async def execute(self, query: str, params: Any) -> Any: ...


_LEVEL_TYPES = ("uuid[]", "uuid[]", "uuid[]", "int2[]", "bigint[]", "bigint[]")
_SITE_TYPES = ("uuid[]", "uuid[]", "bigint[]", "bigint[]", "bigint[]", "bigint[]")
_WRITE_TYPES = (
    "bigint",
    "uuid[]", "bytea[]", "uuid[]", "text[]", "text[]", "uuid[]", "uuid[]", "uuid[]", "timestamptz[]", "uuid[]", "text[]",
    "int4[]", "int4[]", "uuid[]", "uuid[]", "uuid[]", "int2[]", "bool[]", "uuid[]", "int2[]", "bool[]", "bigint[]",
    "numeric[]", "text[]",
    "int4[]", "int4[]", "uuid[]", "uuid[]", "uuid[]", "bigint[]",
    "uuid[]", "text[]", "text[]", "uuid[]", "timestamptz[]", "text[]", "text[]",
    "uuid[]", "text[]", "int2[]", "uuid[]", "uuid[]", "bigint[]", "bigint[]", "bigint[]", "bigint[]",
)  # fmt: skip


def _call(function: str, out: str, types: Sequence[str]) -> str:
    return f"SELECT {out} FROM {function}({', '.join(f'%s::{t}' for t in types)})"


LOCK_LEVELS = _call("ledger_lock_levels", "ns, on_hand, allocated, overdrawn", _LEVEL_TYPES[:4])
LOCK_SITES = _call("ledger_lock_sites", "ns, sellable, reserved, overdrawn", _SITE_TYPES[:2])
_GUARD = _call(
    "ledger_guard", "new_sellable, new_reserved, new_overdrawn", (*_LEVEL_TYPES, *_SITE_TYPES, "boolean")
)
_WRITE = _call("ledger_write", "first_seq, at, last_event", _WRITE_TYPES)
_KNOWN = "SELECT id, digest, caller, seq FROM posting_key WHERE id = ANY(%s::uuid[])"


@dataclass(slots=True)
class Buffered:
    """A slice of postings whose levels are written: how to lay the rest out, and the new site levels for the events."""

    epoch: int
    lay_out: Callable[[], Awaitable[Arrays]]
    new: tuple[list[int], list[int], list[int]]


async def load_directory(conn: AsyncConnection) -> tuple[int, Directory]:
    """The directory of places with the epoch it belongs to (read first, so a change in between is noticed)."""
    epoch = (await conn.execute(sa.text("SELECT directory_epoch FROM stream_head"))).scalar_one()
    return int(epoch), await locations.directory(conn)


def only_once(tx: Tx) -> None:
    """Raise RuntimeError when this transaction posted before: keys are locked in order within one call only."""
    if "ledger" in tx.stash or "posted" in tx.stash:
        raise RuntimeError(
            "the ledger's door may be used once a transaction: hand over all postings together"
        )


Known = dict[UUID, tuple[bytes, UUID, int]]
"""Ids that acted before: digest, caller, seq."""


async def known_ids(driver: Driver, ids: Sequence[UUID]) -> Known:
    """Which of these ids acted before. Ask under the locks, so that whoever held them before is seen."""
    rows = await (await driver.execute(_KNOWN, [list(ids)])).fetchall()
    return {i: (bytes(d), c, s) for i, d, c, s in rows}


async def driver_of(conn: AsyncConnection) -> Driver:
    """The driver\'s own connection, inside SQLAlchemy\'s transaction: arrays travel without being turned over."""
    raw = await conn.get_raw_connection()
    assert raw.driver_connection is not None
    await conn.execute(sa.text("SELECT 1"))  # SQLAlchemy begins its transaction before we speak past it
    driver: Driver = raw.driver_connection
    return driver


async def learn(driver: Driver, labels: LabelCache, postings: Sequence[Posting]) -> frozenset[UUID]:
    """Load what events say of the variants. Answers those that do not exist."""
    wanted = variants_of(postings)
    cursor = await driver.execute(
        "SELECT id, sku, decimals FROM variant WHERE id = ANY(%s::uuid[])", [list(wanted)]
    )
    for variant, sku, decimals in await cursor.fetchall():
        labels.variants[variant] = (sku, decimals)
    return frozenset(wanted - labels.variants.keys())


_SLICE = 5_000
"""Lines written by one call: large enough to cost little, small enough for memory and statement limits."""


def slices(postings: Sequence[Posting]) -> list[list[Posting]]:
    """Postings in parts of about 5,000 lines each; a posting is never cut."""
    out: list[list[Posting]] = [[]]
    lines = 0
    for posting in postings:
        if lines >= _SLICE:
            out.append([])
            lines = 0
        out[-1].append(posting)
        lines += len(posting.moves) + len(posting.claims)
    return out


async def guard(
    driver: Driver, epoch: int, postings: Sequence[Posting], rows: Sequence[EventRow], places: Directory, labels: LabelCache
) -> Buffered:  # fmt: skip
    """Write the levels of judged postings, and keep the rest for the end of the transaction."""
    arrays = arrays_of(postings, rows, places, lambda key: labels.label(key, places))

    async def kept() -> Arrays:
        return arrays

    return Buffered(epoch, kept, await _raise_levels(driver, arrays))


async def guard_slice(driver: Driver, epoch: int, postings: Sequence[Posting], places: Directory) -> Buffered:
    """The same for one of many slices: what is to be written is laid out again then, which takes time and saves memory."""

    async def lay_out() -> Arrays:
        labels = LabelCache()
        await learn(driver, labels, postings)
        return arrays_of(postings, [], places, lambda key: labels.label(key, places))

    return Buffered(epoch, lay_out, await _raise_levels(driver, await lay_out()))


async def _raise_levels(driver: Driver, arrays: Arrays) -> tuple[list[int], list[int], list[int]]:
    try:
        found = await (await driver.execute(_GUARD, arrays.guard_arguments(True))).fetchone()
    except psycopg.Error as error:
        if error.sqlstate == "OH003":
            raise SerialAlreadyUsed(
                "This serial number is on hand already.", param="serial_number"
            ) from error
        if error.sqlstate == "22003":
            raise LevelTooLarge(param="quantity") from error
        raise
    return list(found[0] or []), list(found[1] or []), list(found[2] or [])


async def flush_postings(tx: Tx) -> None:
    """Before-commit hook: take the stream head and write what was posted. Sets `tx.stash["posted"]` to (first, at): the
    number before the first posting, and when they were recorded. Called again, it does nothing.

    Raises Unavailable when places changed, or the same id was posted, at the same moment: nothing was changed, retry.
    """
    buffered: list[Buffered] = tx.stash.pop("ledger", [])
    if not buffered:
        return
    driver = await driver_of(tx.conn)
    for part in buffered:
        first, at = await _write(driver, part)
        tx.stash.setdefault("posted", (first, at))
    tx.after_commit.append(woke)


async def _write(driver: Driver, part: Buffered) -> tuple[int, datetime]:
    a = await part.lay_out()
    arguments = [
        part.epoch, *a.postings, *a.moves, *a.claims, *a.events,
        *a.site_events, a.sites[0], a.sites[1], a.sites[2], *part.new,
    ]  # fmt: skip
    try:
        first, at, _ = await (await driver.execute(_WRITE, arguments)).fetchone()
    except psycopg.Error as error:
        if error.sqlstate == "OH002":
            raise Unavailable(
                "Places were changed at the same moment. Send it again with the same id.", retry_after=1
            ) from error
        if error.sqlstate == "23505":
            raise Unavailable(
                "The same was posted at the same moment. Send it again with the same id to see the answer.",
                retry_after=1,
            ) from error
        raise
    return int(first), at
