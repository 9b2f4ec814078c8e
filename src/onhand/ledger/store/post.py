"""The door inside a caller's transaction: `post(tx, postings)`. Same SQL, same judge as the lane.

Levels are locked and guarded at the call; posting rows and events wait in the transaction and are written by the edge just
before COMMIT (`flush_postings`), so the stream head is held for moments. At most one call a transaction: keys are locked in
order within a call, and a second call could meet the lane in the other order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import locations
from onhand.kit.problem import IdReused, Problem, Unavailable
from onhand.kit.tx import Tx
from onhand.ledger import tables
from onhand.ledger.batch import Arrays, EventRow, arrays_of, columns, key_columns
from onhand.ledger.decide import Book, Directory, LevelKey, SiteKey, decide, fold, placed, variants_of
from onhand.ledger.lane import LabelCache, book_of, oversold_event, oversold_row
from onhand.ledger.model import REFUSALS, Expectation, Mode, Outcome, Posting, Shortage, Status, check_shape


class _Driver(Protocol):
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
    """What `post` did: one outcome a posting, and what it left behind in the keys it touched.

    `levels`: on hand, allocated, overdrawn; `site_levels`: sellable, reserved, overdrawn; all in smallest units.
    """

    outcomes: list[Outcome]
    levels: dict[LevelKey, tuple[int, int, int]] = field(default_factory=dict)
    site_levels: dict[SiteKey, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Buffered:
    epoch: int
    arrays: Arrays
    new: tuple[list[int], list[int], list[int]]


Events = Callable[[LabelCache, Directory], Sequence[EventRow]]
Revise = Callable[[Book], Awaitable[Sequence[Posting]]]
"""Given the book with its levels locked, the postings to judge. They may touch no other keys; it may raise a refusal."""


async def load_directory(conn: AsyncConnection) -> tuple[int, Directory]:
    """The directory of places with the epoch it belongs to (read first, so a change in between is noticed)."""
    epoch = (await conn.execute(sa.text("SELECT directory_epoch FROM stream_head"))).scalar_one()
    return int(epoch), await locations.directory(conn)


async def post(
    tx: Tx, postings: Sequence[Posting], *, events: Events | None = None, revise: Revise | None = None
) -> Posted:
    """Post facts or requests in the caller's transaction: all of them, or a refusal and nothing.

    `events` makes the domain events that go out with the postings. `revise` decides under the locks what to post: `postings`
    then only name the keys to lock, and are what is judged when their ids acted before. Postings whose ids acted before with
    the same content are left out and answered `already_posted`. Raises the refusal of the first posting refused
    (InsufficientStock, LocationClosed …) with its `index`, IdReused for an id with other content.
    """
    if "ledger" in tx.stash or "posted" in tx.stash:
        raise RuntimeError("ledger.post may be called once a transaction: hand over all postings together")
    for posting in postings:
        check_shape(posting)
    driver = await _driver(tx.conn)
    epoch, places = await load_directory(tx.conn)
    labels = LabelCache()
    unknown = await _learn(driver, labels, postings)
    book = await _read_book(driver, postings, places)
    book.variants_missing |= unknown
    if revise is not None and not any(p.id in book.known for p in postings):
        postings = await revise(book)
        for posting in postings:
            check_shape(posting)
    outcomes = [group[0] for group in decide(book, [[p] for p in postings], places)]
    _refuse(postings, outcomes, labels, places)
    fresh = [p for p, o in zip(postings, outcomes, strict=True) if o.status is Status.posted]
    if fresh:
        rows = list(events(labels, places)) if events is not None else []
        rows += await _open_exceptions(driver, postings, outcomes, places, labels)
        tx.stash["ledger"] = [
            await _guard(driver, epoch, part, rows if n == 0 else [], places, labels)
            for n, part in enumerate(_slices(fresh))
        ]
    return Posted(
        outcomes,
        {key: (row.on_hand, row.allocated, row.overdrawn) for key, row in book.levels.items()},
        {key: (row.sellable, row.reserved, row.overdrawn) for key, row in book.sites.items()},
    )


async def _open_exceptions(
    driver: _Driver,
    postings: Sequence[Posting],
    outcomes: Sequence[Outcome],
    places: Directory,
    labels: LabelCache,
) -> list[EventRow]:
    """Open an exception for each key a fact took too much from; answers the events that tell of them."""
    opened, rows = [], []
    for posting, outcome in zip(postings, outcomes, strict=True):
        for short in outcome.oversold:
            opened.append(oversold_row(posting, short))
            rows.append(oversold_event(posting, short, places, labels))
    if opened:
        await driver.execute(_EXCEPTIONS, columns([(*row[:-1], Jsonb(row[-1])) for row in opened], 10))
    return rows


_SLICE = 5_000
"""Lines written by one call: large enough to cost little, small enough for memory and statement limits."""


def _slices(postings: Sequence[Posting]) -> list[list[Posting]]:
    out: list[list[Posting]] = [[]]
    lines = 0
    for posting in postings:
        if lines >= _SLICE:
            out.append([])
            lines = 0
        out[-1].append(posting)
        lines += len(posting.moves) + len(posting.claims)
    return out


async def _guard(
    driver: _Driver, epoch: int, postings: Sequence[Posting], rows: Sequence[EventRow], places: Directory, labels: LabelCache
) -> _Buffered:  # fmt: skip
    """Write the levels of judged postings, and keep the rest for the end of the transaction."""
    arrays = arrays_of(postings, rows, places, lambda key: labels.label(key, places))
    guarded = await (await driver.execute(_GUARD, arrays.guard_arguments(True))).fetchone()
    return _Buffered(epoch, arrays, tuple(list(x or []) for x in guarded))  # type: ignore[arg-type]


def post_later(tx: Tx, postings: Iterable[Posting]) -> None:
    """Collect facts in which goods come in (opening stock, an import) to be posted at commit; may be called many times.

    They are posted together, so that a file read in chunks takes its locks in one order. Only facts: nothing is refused any
    more at commit, so check variants and places before.
    """
    for posting in postings:
        check_shape(posting)
        if posting.mode is not Mode.fact:
            raise ValueError("only facts can be posted at commit")
        tx.stash.setdefault("ledger_later", []).append(posting)


async def flush_postings(tx: Tx) -> None:
    """Before-commit hook: take the stream head and write what was posted. Sets `tx.stash["posted"]` to (first, at): the
    number before the first posting, and when they were recorded. Called again, it does nothing.

    Raises Unavailable when places changed, or the same id was posted, at the same moment: nothing was changed, retry.
    """
    collected: list[Posting] | None = tx.stash.pop("ledger_later", None)
    if collected:
        await post(tx, collected)
    buffered: list[_Buffered] = tx.stash.pop("ledger", [])
    if not buffered:
        return
    from onhand.kit.signal import woke

    driver = await _driver(tx.conn)
    for part in buffered:
        first, at = await _write(driver, part)
        tx.stash.setdefault("posted", (first, at))
    tx.after_commit.append(woke)


async def _write(driver: _Driver, part: _Buffered) -> tuple[int, datetime]:
    a = part.arrays
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


_SINCE = """
SELECT coalesce((SELECT sum(m.quantity) FROM move m WHERE m.variant = %(variant)s AND m.to_location = %(location)s AND m.to_kept
                    AND m.lot = %(lot)s AND m.to_condition = %(condition)s AND m.happened_at > %(at)s), 0)
     - coalesce((SELECT sum(m.quantity) FROM move m WHERE m.variant = %(variant)s AND m.from_location = %(location)s AND m.from_kept
                    AND m.lot = %(lot)s AND m.from_condition = %(condition)s AND m.happened_at > %(at)s), 0)
"""


async def moved_since(conn: AsyncConnection, key: LevelKey, at: datetime) -> int:
    """By how much a level changed through what happened after an instant, in smallest units.

    What lay there at that instant, as known now, is the level minus this. Asked under the level's lock it is exact. One
    query over the tail of the level's moves.
    """
    driver = await _driver(conn)
    variant, location, lot, condition = key
    named: Any = {"variant": variant, "location": location, "lot": lot, "condition": condition, "at": at}
    row = await (await driver.execute(_SINCE, named)).fetchone()
    return int(row[0])


async def expect(tx: Tx, expectations: Sequence[Expectation]) -> None:
    """Write open supply (positive) and demand (negative) of documents, replacing what their lines expected before.

    A quantity of 0 ends an expectation.
    """
    gone = [e.source_line for e in expectations if e.quantity == 0]
    kept = [
        {
            "source_line": e.source_line, "source_type": e.source_type, "source_id": e.source_id, "variant": e.variant,
            "site": e.site, "quantity": e.quantity, "due": e.due,
        }
        for e in expectations
        if e.quantity != 0
    ]  # fmt: skip
    if gone:
        await tx.conn.execute(sa.delete(tables.expectation).where(tables.expectation.c.source_line.in_(gone)))
    if kept:
        statement = pg.insert(tables.expectation).values(kept)
        changed = {name: statement.excluded[name] for name in ("variant", "site", "quantity", "due")}
        await tx.conn.execute(statement.on_conflict_do_update(index_elements=["source_line"], set_=changed))


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


async def _learn(driver: _Driver, labels: LabelCache, postings: Sequence[Posting]) -> frozenset[UUID]:
    """Load what events say of the variants. Answers those that do not exist."""
    wanted = variants_of(postings)
    cursor = await driver.execute(
        "SELECT id, sku, decimals FROM variant WHERE id = ANY(%s::uuid[])", [list(wanted)]
    )
    for variant, sku, decimals in await cursor.fetchall():
        labels.variants[variant] = (sku, decimals)
    return frozenset(wanted - labels.variants.keys())


async def _read_book(driver: _Driver, postings: Sequence[Posting], places: Directory) -> Book:
    """Lock every level the postings touch, in key order; then read which ids acted, so that whoever held the locks before
    is seen."""
    folded = fold([p for p in postings if placed(p, places)], places)
    level_args, site_args = key_columns([k for k, _ in folded.levels], [k for k, _ in folded.sites])
    levels = await (await driver.execute(_LOCK_LEVELS, level_args)).fetchone() if folded.levels else None
    sites = await (await driver.execute(_LOCK_SITES, site_args)).fetchone() if folded.sites else None
    rows = await (await driver.execute(_KNOWN, [[p.id for p in postings]])).fetchall()
    known: dict[UUID, tuple[bytes, UUID, int]] = {i: (bytes(d), c, s) for i, d, c, s in rows}
    originals = [p.reverses for p in postings if p.reverses is not None]
    undone: set[UUID] = set()
    if originals:
        undone = {row[0] for row in await (await driver.execute(_REVERSED, [originals])).fetchall()}
    return book_of(folded, known, undone, levels, sites)
