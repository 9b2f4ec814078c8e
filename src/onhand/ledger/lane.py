"""What the lane does inside one transaction: the optimistic path and the locked path over one asyncpg connection.

Lock order: documents (riders) → levels → site levels → stream head. `sql.APPLY` keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec

from onhand.kit.ids import derive_id, quick7, uuid7
from onhand.ledger import sql
from onhand.ledger.batch import Arrays, EventRow, Label, arrays_of, columns, key_columns
from onhand.ledger.decide import (
    Book,
    Directory,
    Folded,
    LevelRow,
    SiteKey,
    SiteRow,
    decide,
    fold,
    placed,
    refused_by_place,
    variants_of,
)
from onhand.ledger.events import Oversold
from onhand.ledger.model import Outcome, Posting, SerialAlreadyUsed, Shortage, Status
from onhand.ledger.wire import Call, Flight, LaidOut, Wire, first_and_instant
from onhand.values.quantity import format_units

RiderRows = Mapping[str, Sequence[tuple[Any, ...]]]
"""rider name → rows"""


_UNSEEN = "OH004"


class Stale(Exception):
    """The directory in memory is older than the database's."""


class Item(msgspec.Struct, frozen=True):
    """One posting with the document rows (by rider name) and events that go with it."""

    posting: Posting
    riders: RiderRows = {}
    events: Sequence[EventRow] = ()


class EntryLike(Protocol):
    """What the lane hands over: items, whether they are a group, and rows written once if any of them posts."""

    items: Sequence[Item]
    group: bool
    riders: RiderRows


SESSION = {
    "timezone": "UTC",
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "lock_timeout": "5s",
    "jit": "off",
}
"""Generic plans that never turn an array join quadratic, and bounded lock waits."""


async def connect(url: str) -> asyncpg.Connection:
    """The connection of the locked path: UUIDs and JSON as they are."""
    conn = await asyncpg.connect(
        url, timeout=5, command_timeout=60, server_settings={"application_name": "onhand lane", **SESSION}
    )
    await conn.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    return conn


@dataclass(slots=True)
class LabelCache:
    """The constant start of each level event's JSON, by variant and site."""

    variants: dict[UUID, tuple[str, int]] = field(default_factory=dict)
    texts: dict[SiteKey, Label] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything (a code or a directory changed)."""
        self.variants.clear()
        self.texts.clear()

    async def learn(self, conn: asyncpg.Connection, variants: set[UUID]) -> frozenset[UUID]:
        """Load the variants not seen before; bounded. Answers those that do not exist."""
        missing = [v for v in variants if v not in self.variants]
        if missing:
            if len(self.variants) > 500_000:
                self.clear()
                missing = list(variants)
            for row in await conn.fetch(sql.LABELS, missing):
                self.variants[row["id"]] = (row["sku"], row["decimals"])
            return frozenset(v for v in missing if v not in self.variants)
        return frozenset()

    def knows(self, variants: Iterable[UUID]) -> bool:
        """Whether nothing has to be asked for these."""
        return all(v in self.variants for v in variants)

    def label(self, key: SiteKey, places: Directory) -> Label:
        """The label of one site level."""
        found = self.texts.get(key)
        if found is None:
            sku, decimals = self.variants.get(key[0], ("", 0))
            code = places[key[1]].code
            text = f'"variant_id":"{key[0]}","sku":{json.dumps(sku)},"site_id":"{key[1]}","site_code":{json.dumps(code)}'
            found = self.texts[key] = (text, decimals)
        return found


@dataclass(frozen=True, slots=True)
class Ready:
    """A batch laid out for the optimistic path, decided on one directory; `calls` None: the locked path is needed."""

    epoch: int
    calls: LaidOut | None

    def counts(self, epoch: int, wire: Wire) -> bool:
        """Whether it still holds: the same directory, the same connection."""
        return self.epoch == epoch and (self.calls is None or self.calls.wire is wire)


def make_ready(
    entries: Sequence[EntryLike], places: Directory, epoch: int, labels: LabelCache, riders: Mapping[str, str], wire: Wire
) -> Ready:  # fmt: skip
    """Fold and lay out a batch whose variants are known. Pure work: it may run while the batch before is in flight."""
    locked = Ready(epoch, None)
    items = [i for e in entries for i in e.items]
    postings = [i.posting for i in items]
    if len({p.id for p in postings}) < len(postings):
        return locked
    try:
        arrays = _arrays(postings, [row for i in items for row in i.events], places, labels)
    except KeyError:
        return locked  # a location nobody knows: let the judge name it
    if _closed_or_held(postings, places):
        return locked
    rows = merge_riders([*(i.riders for i in items), *(e.riders for e in entries)])
    calls: list[Call] = [
        (text, columns(rows[name], len(rows[name][0]))) for name, text in riders.items() if name in rows
    ]
    return Ready(epoch, wire.lay_out([*calls, (sql.APPLY, arrays.apply_arguments(epoch, False))]))


async def optimistic(
    conn: asyncpg.Connection, entries: Sequence[EntryLike], places: Directory, epoch: int, labels: LabelCache,
    riders: Mapping[str, str], *, wire: Wire, ready: Ready | None = None, flight: Flight | None = None,
) -> list[list[Outcome]] | None:  # fmt: skip
    """Assume nobody is short and all ids are new: one round trip. None when that proved wrong and nothing was written.

    `ready` is what was made ready ahead; it counts only on the same connection and directory. `flight`: it was sent already.
    Raises OutOfTurnError for a flight whose predecessor failed.
    """
    if ready is None or (flight is None and not ready.counts(epoch, wire)):
        if await labels.learn(conn, variants_of([i.posting for e in entries for i in e.items])):
            return None  # an item nobody knows: let the judge name it
        ready = make_ready(entries, places, epoch, labels, riders, wire)
    if ready.calls is None:
        return None
    for unseen in (True, False):
        try:
            row = await (wire.answer(flight) if flight else wire.transact(ready.calls))
        except asyncpg.UniqueViolationError:
            return None
        except asyncpg.PostgresError as error:
            flight = None
            if unseen and error.sqlstate == _UNSEEN:
                await _make_levels(conn, entries, places)
                continue
            _expect_guard(error)
            return None
        return _outcomes_in_order(entries, *first_and_instant(row))
    return None


async def _make_levels(conn: asyncpg.Connection, entries: Sequence[EntryLike], places: Directory) -> None:
    """Insert the levels a batch names and nobody named before, as zero: rows that say nothing, in a transaction of their own."""
    folded = fold([i.posting for e in entries for i in e.items], places)
    level_args, site_args = key_columns([k for k, _ in folded.levels], [k for k, _ in folded.sites])
    if folded.levels:
        await conn.fetchrow(sql.LOCK_LEVELS, *level_args)
    if folded.sites:
        await conn.fetchrow(sql.LOCK_SITES, *site_args)


def _expect_guard(error: asyncpg.PostgresError) -> None:
    """OH001, OH003, OH004: take the locked path. OH002: the directory is stale. Anything else is raised."""
    if error.sqlstate in ("OH001", "OH003", _UNSEEN):
        return
    if error.sqlstate == "OH002":
        raise Stale from error
    raise error


async def locked(
    conn: asyncpg.Connection, entries: Sequence[EntryLike], places: Directory, epoch: int, labels: LabelCache,
    riders: Mapping[str, str],
) -> list[list[Outcome]]:  # fmt: skip
    """Read under locks, judge in memory in arrival order, write what was accepted."""
    postings = [i.posting for e in entries for i in e.items]
    unknown = await labels.learn(conn, variants_of(postings))
    try:
        async with conn.transaction():
            if await conn.fetchval(sql.EPOCH) != epoch:
                raise Stale  # a refusal must not rest on an old directory; what is written is checked again under the head
            book = await read_book(conn, postings, places)
            book.variants_missing |= unknown
            flat: list[Sequence[Posting]] = []
            for entry in entries:
                if entry.group:
                    flat.append([i.posting for i in entry.items])
                else:
                    flat.extend([i.posting] for i in entry.items)
            judged = iter(decide(book, flat, places))
            outcomes = [next(judged) if e.group else [next(judged)[0] for _ in e.items] for e in entries]
            return await _write_accepted(conn, entries, outcomes, places, epoch, labels, riders)
    except asyncpg.PostgresError as error:
        if error.sqlstate == "OH002":
            raise Stale from error
        if error.sqlstate == "OH003":
            raise SerialAlreadyUsed from error
        raise


async def _write_accepted(
    conn: asyncpg.Connection, entries: Sequence[EntryLike], outcomes: list[list[Outcome]], places: Directory, epoch: int,
    labels: LabelCache, riders: Mapping[str, str],
) -> list[list[Outcome]]:  # fmt: skip
    accepted: list[tuple[Item, Outcome]] = []
    rider_sets: list[RiderRows] = []
    for entry, answers in zip(entries, outcomes, strict=True):
        posted = [(i, o) for i, o in zip(entry.items, answers, strict=True) if o.status is Status.posted]
        accepted += posted
        rider_sets += [i.riders for i, _ in posted]
        if posted:
            rider_sets.append(entry.riders)
    quarantined = reused_rows(entries, outcomes)
    if not accepted:
        if quarantined:
            await conn.execute(sql.EXCEPTIONS, *columns(quarantined, 10))
        return outcomes
    events = [row for i, _ in accepted for row in i.events]
    opened = list(quarantined)
    for item, outcome in accepted:
        for short in outcome.oversold:
            opened.append(oversold_row(item.posting, short))
            events.append(oversold_event(item.posting, short, places, labels))
        opened += [lot_row(item.posting, short, places) for short in outcome.lots]
    if opened:
        await conn.execute(sql.EXCEPTIONS, *columns(opened, 10))
    arrays = _arrays([i.posting for i, _ in accepted], events, places, labels)
    first, at = await _write(conn, merge_riders(rider_sets), riders, arrays.apply_arguments(epoch, True))
    return _number(entries, outcomes, first, at)


def _number(
    entries: Sequence[EntryLike], outcomes: list[list[Outcome]], first: int, at: datetime
) -> list[list[Outcome]]:
    """Give the accepted their numbers; an id that came twice in one batch answers the first one's."""
    seqs: dict[UUID, int] = {}
    out = []
    for entry, answers in zip(entries, outcomes, strict=True):
        numbered = []
        for item, answer in zip(entry.items, answers, strict=True):
            if answer.status is Status.posted:
                seqs[item.posting.id] = seq = first + len(seqs) + 1
                answer = msgspec.structs.replace(answer, seq=seq, recorded_at=at)
            elif answer.status is Status.already_posted and answer.seq is None:
                answer = msgspec.structs.replace(answer, seq=seqs.get(item.posting.id))
            numbered.append(answer)
        out.append(numbered)
    return out


def _outcomes_in_order(entries: Sequence[EntryLike], first: int, at: datetime) -> list[list[Outcome]]:
    seq, out = first, []
    for entry in entries:
        answers = []
        for _ in entry.items:
            seq += 1
            answers.append(Outcome(Status.posted, seq, at))
        out.append(answers)
    return out


async def _write(
    conn: asyncpg.Connection,
    rows: Mapping[str, list[tuple[Any, ...]]],
    riders: Mapping[str, str],
    arguments: list[Any],
) -> tuple[int, datetime]:
    for name, statement in riders.items():
        if name in rows:
            await conn.execute(statement, *columns(rows[name], 0))
    done = await conn.fetchrow(sql.APPLY, *arguments)
    return int(done["first_seq"]), done["at"]


def merge_riders(sets: Sequence[RiderRows]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of several items, by rider."""
    merged: dict[str, list[tuple[Any, ...]]] = {}
    for riders in sets:
        for name, rows in riders.items():
            merged.setdefault(name, []).extend(rows)
    return merged


def _arrays(
    postings: Sequence[Posting], events: Sequence[EventRow], places: Directory, labels: LabelCache
) -> Arrays:
    return arrays_of(postings, events, places, lambda key: labels.label(key, places))


def _closed_or_held(postings: Sequence[Posting], places: Directory) -> bool:
    return any(refused_by_place(p, places) is not None for p in postings)


async def read_book(conn: asyncpg.Connection, postings: Sequence[Posting], places: Directory) -> Book:
    """Which ids acted, and every level the batch touches, locked in key order."""
    known = {
        row["id"]: (row["digest"], row["caller"], row["seq"])
        for row in await conn.fetch(sql.KNOWN, [p.id for p in postings])
    }
    originals = [p.reverses for p in postings if p.reverses is not None]
    undone = {row["original"] for row in await conn.fetch(sql.REVERSED, originals)} if originals else set()
    folded = fold([p for p in postings if placed(p, places)], places)
    level_args, site_args = key_columns([k for k, _ in folded.levels], [k for k, _ in folded.sites])
    level_row = await conn.fetchrow(sql.LOCK_LEVELS, *level_args) if folded.levels else None
    site_row = await conn.fetchrow(sql.LOCK_SITES, *site_args) if folded.sites else None
    return book_of(folded, known, undone, level_row, site_row)


def book_of(
    folded: Folded, known: dict[UUID, tuple[bytes, UUID, int]], undone: set[UUID],
    level_row: Sequence[Any] | None, site_row: Sequence[Any] | None,
) -> Book:  # fmt: skip
    """The book from what the lock functions answered (ns, then three quantity arrays)."""
    book = Book({}, {}, known, undone)
    if level_row is not None:
        for n, on_hand, allocated, overdrawn in zip(*(x or [] for x in level_row), strict=True):
            book.levels[folded.levels[n - 1][0]] = LevelRow(on_hand, allocated, overdrawn)
    if site_row is not None:
        for n, sellable, reserved, overdrawn in zip(*(x or [] for x in site_row), strict=True):
            book.sites[folded.sites[n - 1][0]] = SiteRow(sellable, reserved, overdrawn)
    absent = chain(
        (k[0] for k, _ in folded.levels if k not in book.levels),
        (k[0] for k, _ in folded.sites if k not in book.sites),
    )
    book.variants_missing = frozenset(absent)
    return book


def oversold_row(posting: Posting, short: Shortage) -> tuple[Any, ...]:
    """The exception a fact opens when it took more than was there."""
    detail = {
        "kind": posting.kind,
        "device": str(posting.device) if posting.device else None,
        "left": short.available,
    }
    return (
        uuid7(), "oversold", short.place, short.variant, short.quantity, posting.id, posting.source_type, posting.source_id,
        posting.actor, detail,
    )  # fmt: skip


def lot_row(posting: Posting, short: Shortage, places: Directory) -> tuple[Any, ...]:
    """The exception a fact opens when it took more of a lot than lay in that place (a serial number that left twice)."""
    place = places[short.place]
    detail = {"kind": posting.kind, "lot_id": str(short.lot), "place": place.path, "left": short.available}
    return (
        uuid7(), "lot_overdrawn", place.site_id, short.variant, short.quantity, posting.id, posting.source_type,
        posting.source_id, posting.actor, detail,
    )  # fmt: skip


def oversold_event(posting: Posting, short: Shortage, places: Directory, labels: LabelCache) -> EventRow:
    """The event that tells of it."""
    sku, decimals = labels.variants.get(short.variant, ("", 0))
    event = Oversold(
        variant_id=short.variant,
        sku=sku,
        site_id=short.place,
        site_code=places[short.place].code,
        quantity=format_units(short.quantity, decimals),
        available=format_units(short.available, decimals),
        posting_id=posting.id,
        source_type=posting.source_type,
        source_id=posting.source_id,
    )
    return event_row(event, posting.happened_at)


def event_row(event: Any, at: datetime) -> EventRow:
    """An event as the outbox stores it."""
    data = msgspec.json.encode(event).decode()
    return (quick7(), event.type, event.subject(), event.site(), at, event.key(), data)


def reused_rows(entries: Sequence[EntryLike], outcomes: Sequence[Sequence[Outcome]]) -> list[tuple[Any, ...]]:
    """A fact whose id was used with other content is quarantined as an exception, never dropped."""
    rows = []
    for entry, answers in zip(entries, outcomes, strict=True):
        for item, outcome in zip(entry.items, answers, strict=True):
            posting = item.posting
            if outcome.status is Status.id_reused and posting.mode == "fact":
                content = {
                    "kind": posting.kind,
                    "moves": msgspec.to_builtins(posting.moves),
                    "happened_at": posting.happened_at.isoformat(),
                }
                rows.append(
                    (derive_id("id_reused", str(posting.id), posting.digest.hex()), "id_reused", None, posting.moves[0].variant if posting.moves else None, None, posting.id,
                     posting.source_type, posting.source_id, posting.actor, content)
                )  # fmt: skip
    return rows


def after_doubt(outcome: Outcome) -> Outcome:
    """After a connection was lost in COMMIT, what turns out to be there was posted by this very batch."""
    return (
        msgspec.structs.replace(outcome, status=Status.posted)
        if outcome.status is Status.already_posted
        else outcome
    )
