"""Opening stock from a file: what lies where on the first day, with its lot, cost and date, as postings of the ledger.

Rows are resolved chunk by chunk and posted together at the end, because the ledger takes all postings of a transaction at
once. The id of a posting comes from the import and the row it starts with, so the same import never posts a row twice.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from onhand import catalog, ledger, locations, lots
from onhand.integrations.imports.model import Run
from onhand.kit.ids import NIL, derive_id, quick
from onhand.kit.problem import Problem
from onhand.kit.tx import Tx
from onhand.values import (
    BadValue,
    BatchResult,
    Column,
    RowProblem,
    check_currency,
    format_cost,
    parse_cost,
    parse_lot_code,
    parse_units,
)

OPENING_COLUMNS: tuple[Column, ...] = (
    Column("sku", "The item, by its SKU or a barcode.", "TEA-100", required=True),
    Column("location", "Where it lies: full path, or a code only one place has.", "S01/BACK", required=True),
    Column("quantity", "How much lies there, in the item's unit; 0 is skipped.", "120", required=True),
    Column("lot_code", "Batch, for items tracked by lot.", "L2026-03"),
    Column("expires_on", "Best-before or use-by date of the batch.", "2027-03-31"),
    Column("cost", "Cost of one unit, up to 6 decimals.", "1.17"),
    Column("currency", "ISO 4217 code of the cost (default: the organisation's).", "EUR"),
    Column("counted_on", "The day it was counted or came in (default: today).", "2026-01-01"),
    Column(
        "condition",
        "available, hold, quarantine, damaged, expired or recalled (default available).",
        "available",
    ),
)

_NO_LOT = quick(NIL)

LINES = 200
"""Rows of one place and day that stand together in one posting."""


@dataclass(slots=True)
class _Open:
    """A posting being filled."""

    row: int
    moves: list[ledger.Move] = field(default_factory=list)


@dataclass(slots=True)
class _Book:
    """What one import remembers between chunks."""

    places: Mapping[str, locations.Place]
    sites: Mapping[UUID, locations.Place]
    open: dict[tuple[UUID, datetime], _Open] = field(default_factory=dict)
    ready: list[ledger.Posting] = field(default_factory=list)
    first_rows: list[int] = field(default_factory=list)


async def _book(tx: Tx, run: Run) -> _Book:
    if "opening" not in run.memory:
        every = await locations.directory(tx.conn)
        by_code: dict[str, list[locations.Place]] = {}
        for place in every.values():
            by_code.setdefault(place.code, []).append(place)
        places = {code: found[0] for code, found in by_code.items() if len(found) == 1}
        places.update({place.path: place for place in every.values()})
        run.memory["opening"] = _Book(places, {place.id: place for place in every.values()})
    found: _Book = run.memory["opening"]
    return found


async def take_rows(tx: Tx, run: Run, rows: Sequence[dict[str, str]], numbers: Sequence[int]) -> BatchResult:
    """Reads a chunk into postings; `post` writes them. Lots are made where they are new."""
    book = await _book(tx, run)
    known = await catalog.resolve(tx.conn, [row["sku"] for row in rows])
    result = BatchResult()
    lines: list[tuple[int, _Line]] = []
    for number, row in zip(numbers, rows, strict=True):
        try:
            line = _read(book, known, run, row, tx.now)
        except BadValue as bad:
            result.problems.append(RowProblem.of(number, row.get(bad.field, ""), bad))
            continue
        if line is None:
            result.unchanged += 1
        else:
            lines.append((number, line))
    ids = await lots.ensure(tx, [line.lot for _, line in lines if line.lot is not None])
    for number, line in lines:
        lot = quick(ids[line.lot.variant_id, line.lot.code]) if line.lot is not None else _NO_LOT
        _add(book, run, tx, number, line, lot)
        result.created += 1
    return result


@dataclass(frozen=True, slots=True)
class _Line:
    variant: UUID
    place: UUID
    units: int
    lot: lots.NewLot | None
    condition: int
    cost: str | None
    currency: str | None
    at: datetime


def _read(
    book: _Book, known: Mapping[str, catalog.Resolved], run: Run, row: Mapping[str, str], now: datetime
) -> _Line | None:
    """One row, or None when there is nothing to post. Raises BadValue."""
    item = known.get(row["sku"])
    if item is None:
        raise BadValue(
            "sku", f"There is no item {row['sku'][:64]}.", "Import products first, or correct the code."
        )
    place = book.places.get(row["location"])
    if place is None:
        raise BadValue(
            "location",
            f"There is no place {row['location'][:64]}, or several have this code.",
            "Write its full path.",
        )
    if not place.keeps_level or place.site_id is None:
        raise BadValue(
            "location", f"{place.path} keeps no stock.", "Name a store, a warehouse or a place inside one."
        )
    if place.closed:
        raise BadValue("location", f"{place.path} is closed.", "Reopen it, or name another place.")
    units, part = divmod(
        parse_units(row["quantity"], item.decimals) * item.quantity_factor, 10**item.decimals
    )
    if part:
        raise BadValue("quantity", f"{row['quantity'][:40]} is finer than this item is counted.", "Round it.")
    if units < 0:
        raise BadValue("quantity", "Opening stock is zero or above.", "Correct the number.")
    if units == 0:
        return None
    return _Line(
        variant=item.variant_id, place=place.id, units=units, lot=_lot(item, row), condition=_condition(row),
        cost=sys.intern(format_cost(parse_cost(row["cost"]))) if "cost" in row else None,
        currency=check_currency(row.get("currency", run.currency)) if "cost" in row else None,
        at=_when(book, place, row, now),
    )  # fmt: skip


def _lot(item: catalog.Resolved, row: Mapping[str, str]) -> lots.NewLot | None:
    code = row.get("lot_code")
    if code is None:
        if item.tracking != "none":
            raise BadValue(
                "lot_code", f"{item.sku} is tracked by {item.tracking}; its batch is missing.", "Fill it in."
            )
        if "expires_on" in row:
            raise BadValue("lot_code", "A date needs a batch it belongs to.", "Give the batch a code.")
        return None
    if item.tracking == "none":
        raise BadValue(
            "lot_code",
            f"{item.sku} is not tracked by lot.",
            "Leave the cell empty, or track the product by lot.",
        )
    expires = date.fromisoformat(row["expires_on"]) if "expires_on" in row else None
    return lots.NewLot(item.variant_id, parse_lot_code(code), expires)


def _condition(row: Mapping[str, str]) -> int:
    name = row.get("condition", "available").lower()
    try:
        return int(ledger.Condition[name])
    except KeyError:
        names = ", ".join(condition.name for condition in ledger.Condition)
        raise BadValue("condition", f"{name[:40]!r} is not a condition.", f"Use one of: {names}.") from None


def _when(book: _Book, place: locations.Place, row: Mapping[str, str], now: datetime) -> datetime:
    """The beginning of the business day at the place's site; the import's own time when no day is given."""
    if "counted_on" not in row:
        return now
    begin, _ = locations.day_bounds(
        book.sites[place.site_id or place.id], date.fromisoformat(row["counted_on"])
    )
    if begin > now:
        raise BadValue(
            "counted_on", f"{row['counted_on']} has not come yet.", "Opening stock lies there already."
        )
    return begin.astimezone(UTC)


def _add(book: _Book, run: Run, tx: Tx, number: int, line: _Line, lot: UUID) -> None:
    key = (line.place, line.at)
    filling = book.open.get(key)
    if filling is None:
        filling = book.open[key] = _Open(number)
    filling.moves.append(
        ledger.Move(
            variant=quick(line.variant), lot=lot, quantity=line.units, from_location=locations.virtual_id("adjustment"),
            to_location=line.place, from_condition=line.condition, to_condition=line.condition,
            unit_cost=line.cost, currency=line.currency,
        )
    )  # fmt: skip
    if len(filling.moves) >= LINES:
        _close(book, run, tx, key, book.open.pop(key))


def _close(book: _Book, run: Run, tx: Tx, key: tuple[UUID, datetime], filled: _Open) -> None:
    moves = tuple(filled.moves)
    digest = ledger.digest_of(
        str(run.import_id), filled.row, *[(str(m.variant), str(m.lot), m.quantity) for m in moves]
    )
    book.first_rows.append(filled.row)
    book.ready.append(
        ledger.Posting(
            id=derive_id("onhand", "opening", str(run.import_id), str(filled.row)), kind=ledger.Kind.adjust.value,
            source_type="import", source_id=run.import_id, actor=tx.actor.id, happened_at=key[1], moves=moves, digest=digest,
            mode=ledger.Mode.strict, reason=ledger.Reason.opening.value,
        )
    )  # fmt: skip


async def post(tx: Tx, run: Run) -> BatchResult:
    """Post everything the chunks read; a dry run only learns that it could be read."""
    book = await _book(tx, run)
    for key, filled in book.open.items():
        _close(book, run, tx, key, filled)
    book.open.clear()
    result = BatchResult()
    if run.dry_run or not book.ready:
        return result
    try:
        await ledger.post_goods_in(tx, book.ready)
    except Problem as problem:
        row = book.first_rows[int(problem.data.get("index", 0))]
        result.problems.append(
            RowProblem(
                row,
                "location",
                "",
                problem.code,
                problem.detail,
                "Correct what the message names, then run it again.",
            )
        )
    return result
