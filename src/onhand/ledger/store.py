"""The door inside a caller's transaction: `post(tx, postings)`. Same SQL, same judge as the lane.

Levels are locked and guarded at the call; posting rows and events wait in the transaction and are written by the edge just
before COMMIT (`flush_postings`), so the stream head is held for moments. At most one call a transaction: keys are locked in
order within a call, and a second call could meet the lane in the other order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import locations
from onhand.kit.problem import IdReused, Problem, Unavailable
from onhand.kit.tx import Tx
from onhand.ledger.batch import Arrays, EventRow, arrays_of, columns, key_columns
from onhand.ledger.decide import Book, Directory, SiteKey, decide, fold
from onhand.ledger.lane import LabelCache, book_of, oversold_event, oversold_row
from onhand.ledger.model import REFUSALS, Outcome, Posting, Shortage, Status, check_shape


class _Driver(Protocol):
    async def execute(self, query: str, params: Sequence[Any]) -> Any: ...


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
_EXCEPTION_TYPES = (
    "uuid[]", "text[]", "uuid[]", "uuid[]", "bigint[]", "uuid[]", "text[]", "uuid[]", "uuid[]", "jsonb[]",
)  # fmt: skip


def _call(function: str, out: str, types: Sequence[str]) -> str:
    return f"SELECT {out} FROM {function}({', '.join(f'%s::{t}' for t in types)})"


_LOCK_LEVELS = _call("ledger_lock_levels", "ns, on_hand, allocated, overdrawn", _LEVEL_TYPES[:4])
_LOCK_SITES = _call("ledger_lock_sites", "ns, sellable, reserved, overdrawn", _SITE_TYPES[:2])
_GUARD = _call(
    "ledger_guard", "new_sellable, new_reserved, new_overdrawn", (*_LEVEL_TYPES, *_SITE_TYPES, "boolean")
)
_WRITE = _call("ledger_write", "first_seq, at, last_event", _WRITE_TYPES)
_EXCEPTIONS = (
    "INSERT INTO exception (id, kind, site, variant, quantity, posting_id, source_type, source_id, actor, detail)"
    f" SELECT * FROM unnest({', '.join(f'%s::{t}' for t in _EXCEPTION_TYPES)}) ON CONFLICT DO NOTHING"
)
_KNOWN = "SELECT id, digest, caller, seq FROM posting_key WHERE id = ANY(%s::uuid[])"
_REVERSED = "SELECT original FROM reversal WHERE original = ANY(%s::uuid[])"


@dataclass(slots=True)
class Posted:
    """What `post` did: one outcome a posting, and the new site levels by key (sellable, reserved, overdrawn)."""

    outcomes: list[Outcome]
    site_levels: dict[SiteKey, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Buffered:
    epoch: int
    arrays: Arrays
    new: tuple[list[int], list[int], list[int]]


async def load_directory(conn: AsyncConnection) -> tuple[int, Directory]:
    """The directory of places with the epoch it belongs to (read first, so a change in between is noticed)."""
    epoch = (await conn.execute(sa.text("SELECT directory_epoch FROM stream_head"))).scalar_one()
    return int(epoch), await locations.directory(conn)


async def post(
    tx: Tx,
    postings: Sequence[Posting],
    *,
    events: Callable[[LabelCache, Directory], Sequence[EventRow]] | None = None,
) -> Posted:
    """Post facts or requests in the caller's transaction: all of them, or a refusal and nothing.

    `events` makes the domain events that go out with the postings. Postings whose ids acted before with the same content
    are left out and answered `already_posted`. Raises the refusal of the first posting refused (InsufficientStock,
    LocationClosed …) with its index in `details`, IdReused for an id with other content.
    """
    if "ledger" in tx.stash:
        raise RuntimeError("ledger.post may be called once a transaction: hand over all postings together")
    for posting in postings:
        check_shape(posting)
    driver = await _driver(tx.conn)
    epoch, places = await load_directory(tx.conn)
    labels = LabelCache()
    await _learn(driver, labels, postings)
    book = await _read_book(driver, postings, places)
    outcomes = [group[0] for group in decide(book, [[p] for p in postings], places)]
    _refuse(postings, outcomes, labels, places)
    fresh = [p for p, o in zip(postings, outcomes, strict=True) if o.status is Status.posted]
    if not fresh:
        return Posted(outcomes)
    rows = list(events(labels, places)) if events is not None else []
    opened = []
    for posting, outcome in zip(postings, outcomes, strict=True):
        for short in outcome.oversold:
            opened.append(oversold_row(posting, short))
            rows.append(oversold_event(posting, short, places, labels))
    if opened:
        await driver.execute(_EXCEPTIONS, columns([(*row[:-1], Jsonb(row[-1])) for row in opened], 10))
    arrays = arrays_of(fresh, rows, places, lambda key: labels.label(key, places))
    guarded = await (await driver.execute(_GUARD, arrays.guard_arguments(True))).fetchone()
    new = tuple(list(x or []) for x in guarded)
    tx.stash["ledger"] = _Buffered(epoch, arrays, new)  # type: ignore[arg-type]
    keys = zip(arrays.sites[0], arrays.sites[1], strict=True)
    return Posted(outcomes, {key: values for key, *values in zip(keys, *new, strict=True)})


async def flush_postings(tx: Tx) -> None:
    """Before-commit hook: take the stream head and write what `post` buffered. Sets `tx.stash["posted"]` to (first, at)."""
    buffered: _Buffered | None = tx.stash.pop("ledger", None)
    if buffered is None:
        return
    from onhand.kit.signal import woke

    driver = await _driver(tx.conn)
    a = buffered.arrays
    arguments = [
        buffered.epoch, *a.postings, *a.moves, *a.claims, *a.events,
        *a.site_events, a.sites[0], a.sites[1], a.sites[2], *buffered.new,
    ]  # fmt: skip
    try:
        first, at, _ = await (await driver.execute(_WRITE, arguments)).fetchone()
    except Exception as error:
        if getattr(error, "sqlstate", None) == "OH002":
            raise Unavailable(
                "Places were changed at the same moment. Send it again with the same id.", retry_after=1
            ) from error
        raise
    tx.stash["posted"] = (int(first), at)
    tx.after_commit.append(woke)


def refusal(outcome: Outcome, posting: Posting, labels: LabelCache, places: Directory) -> Problem:
    """The typed refusal of an outcome, with what is missing where in words people use."""
    if outcome.status is Status.id_reused:
        return IdReused(param="id")
    data: dict[str, Any] = {}
    detail = None
    if outcome.status is Status.insufficient_stock:
        data["shortages"] = [describe(short, labels, places) for short in outcome.shortages]
        first = data["shortages"][0]
        detail = (
            f"{first['sku']} at {first['place']}: {first['available']} available, {first['missing']} too few."
        )
    return REFUSALS[outcome.status](detail, **data)


def describe(short: Shortage, labels: LabelCache, places: Directory) -> dict[str, str]:
    """A shortage as an answer shows it."""
    from onhand.values.quantity import format_units

    sku, decimals = labels.variants.get(short.variant, ("", 0))
    place = places.get(short.place)
    return {
        "variant_id": str(short.variant),
        "sku": sku,
        "place_id": str(short.place),
        "place": place.code if place else "",
        "missing": format_units(short.quantity, decimals),
        "available": format_units(short.available, decimals),
    }


def _refuse(
    postings: Sequence[Posting], outcomes: Sequence[Outcome], labels: LabelCache, places: Directory
) -> None:
    for index, (posting, outcome) in enumerate(zip(postings, outcomes, strict=True)):
        if not outcome.ok:
            problem = refusal(outcome, posting, labels, places)
            if len(postings) > 1:
                problem.data["index"] = index
            raise problem


async def _driver(conn: AsyncConnection) -> _Driver:
    raw = await conn.get_raw_connection()
    assert raw.driver_connection is not None
    await conn.execute(sa.text("SELECT 1"))  # SQLAlchemy begins its transaction before we speak past it
    driver: _Driver = raw.driver_connection
    return driver


async def _learn(driver: _Driver, labels: LabelCache, postings: Sequence[Posting]) -> None:
    wanted = list(
        {m.variant for p in postings for m in p.moves} | {c.variant for p in postings for c in p.claims}
    )
    cursor = await driver.execute(
        "SELECT id, sku, decimals FROM variant WHERE id = ANY(%s::uuid[])", [wanted]
    )
    for variant, sku, decimals in await cursor.fetchall():
        labels.variants[variant] = (sku, decimals)


async def _read_book(driver: _Driver, postings: Sequence[Posting], places: Directory) -> Book:
    ids = [p.id for p in postings]
    rows = await (await driver.execute(_KNOWN, [ids])).fetchall()
    known: dict[UUID, tuple[bytes, UUID, int]] = {i: (bytes(d), c, s) for i, d, c, s in rows}
    originals = [p.reverses for p in postings if p.reverses is not None]
    undone = (
        {row[0] for row in await (await driver.execute(_REVERSED, [originals])).fetchall()}
        if originals
        else set()
    )
    folded = fold(
        [p for p in postings if all(m.from_location in places and m.to_location in places for m in p.moves)],
        places,
    )
    level_args, site_args = key_columns([k for k, _ in folded.levels], [k for k, _ in folded.sites])
    levels = await (await driver.execute(_LOCK_LEVELS, level_args)).fetchone() if folded.levels else None
    sites = await (await driver.execute(_LOCK_SITES, site_args)).fetchone() if folded.sites else None
    return book_of(folded, known, undone, levels, sites)
