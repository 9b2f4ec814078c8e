"""The door inside a caller's transaction: `post(tx, postings)`. Same SQL, same judge as the lane.

Levels are locked and guarded at the call; posting rows and events wait in the transaction and are written by the edge just
before COMMIT (`flush_postings`), so the stream head is held for moments. At most one call a transaction: keys are locked in
order within a call, and a second call could meet the lane in the other order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.ids import NIL
from onhand.kit.problem import IdReused, Problem
from onhand.kit.tx import Tx
from onhand.ledger import tables
from onhand.ledger.batch import EventRow, columns, key_columns
from onhand.ledger.decide import Book, Directory, LevelKey, SiteKey, decide, fold, placed
from onhand.ledger.lane import LabelCache, book_of, lot_row, oversold_event, oversold_row
from onhand.ledger.model import (
    REFUSALS,
    Expectation,
    Outcome,
    Posting,
    SerialAlreadyUsed,
    Shortage,
    Status,
    check_shape,
)
from onhand.ledger.store import calls

_EXCEPTION_TYPES = (
    "uuid[]", "text[]", "uuid[]", "uuid[]", "bigint[]", "uuid[]", "text[]", "uuid[]", "uuid[]", "jsonb[]",
)  # fmt: skip


_EXCEPTIONS = (
    "INSERT INTO exception (id, kind, site, variant, quantity, posting_id, source_type, source_id, actor, detail)"
    f" SELECT * FROM unnest({', '.join(f'%s::{t}' for t in _EXCEPTION_TYPES)}) ON CONFLICT DO NOTHING"
)
_REVERSED = "SELECT original FROM reversal WHERE original = ANY(%s::uuid[])"


@dataclass(slots=True)
class Posted:
    """What `post` did: one outcome a posting, and what it left behind in the keys it touched.

    `levels`: on hand, allocated, overdrawn; `site_levels`: sellable, reserved, overdrawn; all in smallest units.
    """

    outcomes: list[Outcome]
    levels: dict[LevelKey, tuple[int, int, int]] = field(default_factory=dict)
    site_levels: dict[SiteKey, tuple[int, int, int]] = field(default_factory=dict)


Events = Callable[[LabelCache, Directory], Sequence[EventRow]]
Revise = Callable[[Book], Awaitable[Sequence[Posting]]]
"""Given the book with its levels locked, the postings to judge. They may touch no other keys; it may raise a refusal."""


async def post(
    tx: Tx, postings: Sequence[Posting], *, events: Events | None = None, revise: Revise | None = None
) -> Posted:
    """Post facts or requests in the caller's transaction: all of them, or a refusal and nothing.

    `events` makes the domain events that go out with the postings. `revise` decides under the locks what to post: `postings`
    then only name the keys to lock, and are what is judged when their ids acted before. Postings whose ids acted before with
    the same content are left out and answered `already_posted`. Raises the refusal of the first posting refused
    (InsufficientStock, LocationClosed …) with its `index`, IdReused for an id with other content.
    """
    calls.only_once(tx)
    for posting in postings:
        check_shape(posting)
    driver = await calls.driver_of(tx.conn)
    epoch, places = await calls.load_directory(tx.conn)
    labels = LabelCache()
    unknown = await calls.learn(driver, labels, postings)
    book = await _read_book(driver, postings, places)
    book.variants_missing |= unknown
    if revise is not None and not any(p.id in book.known for p in postings):
        postings = await revise(book)
        for posting in postings:
            check_shape(posting)
    outcomes = [group[0] for group in decide(book, [[p] for p in postings], places)]
    await _refuse_gone_serials(driver, postings, outcomes)
    refuse(postings, outcomes, labels, places)
    fresh = [p for p, o in zip(postings, outcomes, strict=True) if o.status is Status.posted]
    if fresh:
        rows = list(events(labels, places)) if events is not None else []
        rows += await _open_exceptions(driver, postings, outcomes, places, labels)
        tx.stash["ledger"] = [
            await calls.guard(driver, epoch, part, rows if n == 0 else [], places, labels)
            for n, part in enumerate(calls.slices(fresh))
        ]
    return Posted(
        outcomes,
        {key: (row.on_hand, row.allocated, row.overdrawn) for key, row in book.levels.items()},
        {key: (row.sellable, row.reserved, row.overdrawn) for key, row in book.sites.items()},
    )


_GONE = (
    "SELECT l.code FROM lot l LEFT JOIN serial s ON s.lot = l.id WHERE l.id = ANY(%s::uuid[]) AND l.kind = 'serial'"
    " AND coalesce(s.on_hand, 0) <= 0 ORDER BY l.code LIMIT 1"
)


async def _refuse_gone_serials(
    driver: calls.Driver, postings: Sequence[Posting], outcomes: Sequence[Outcome]
) -> None:
    """Say of a request that is short of a serial number that the number is used up, not that some stock is missing."""
    for posting, outcome in zip(postings, outcomes, strict=True):
        wanted = {m.lot for m in posting.moves if m.lot != NIL}
        if outcome.status is Status.insufficient_stock and wanted:
            row = await (await driver.execute(_GONE, [list(wanted)])).fetchone()
            if row is not None:
                raise SerialAlreadyUsed(
                    f"Serial number {row[0]} is not on hand any more.", param="serial_number"
                )


async def _open_exceptions(
    driver: calls.Driver,
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
        opened += [lot_row(posting, short, places) for short in outcome.lots]
    if opened:
        await driver.execute(_EXCEPTIONS, columns([(*row[:-1], Jsonb(row[-1])) for row in opened], 10))
    return rows


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
    driver = await calls.driver_of(conn)
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


def refuse(
    postings: Sequence[Posting], outcomes: Sequence[Outcome], labels: LabelCache, places: Directory
) -> None:
    """Raise the refusal of the first posting refused, with its `index` where there are several."""
    for index, (posting, outcome) in enumerate(zip(postings, outcomes, strict=True)):
        if not outcome.ok:
            problem = refusal(outcome, posting, labels, places)
            if len(postings) > 1:
                problem.data["index"] = index
            raise problem


async def _read_book(driver: calls.Driver, postings: Sequence[Posting], places: Directory) -> Book:
    """Lock every level the postings touch, in key order; then read which ids acted, so that whoever held the locks before
    is seen."""
    folded = fold([p for p in postings if placed(p, places)], places)
    level_args, site_args = key_columns([k for k, _ in folded.levels], [k for k, _ in folded.sites])
    levels = await (await driver.execute(calls.LOCK_LEVELS, level_args)).fetchone() if folded.levels else None
    sites = await (await driver.execute(calls.LOCK_SITES, site_args)).fetchone() if folded.sites else None
    known = await calls.known_ids(driver, [p.id for p in postings])
    originals = [p.reverses for p in postings if p.reverses is not None]
    undone: set[UUID] = set()
    if originals:
        undone = {row[0] for row in await (await driver.execute(_REVERSED, [originals])).fetchall()}
    return book_of(folded, known, undone, levels, sites)
