"""What the stock verbs share: what a body names, where it lies, and what a verb answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import catalog, locations, lots
from onhand.catalog import Resolved
from onhand.kit.ids import NIL
from onhand.kit.problem import InvalidBody
from onhand.kit.tx import Tx
from onhand.ledger.decide import Directory, LevelKey, SiteKey
from onhand.ledger.model import (
    Condition,
    HappenedAhead,
    LocationKeepsNoStock,
    Outcome,
    Posting,
    UnknownLocation,
    UnknownVariant,
    UomMismatch,
)
from onhand.ledger.store import Posted, flush_postings, recorded
from onhand.locations import Place
from onhand.values import (
    STANDARD_UNITS,
    BadValue,
    UnitMismatch,
    convert,
    format_units,
    parse_fraction,
    parse_units,
)
from onhand.values.units import Unit

AHEAD = timedelta(minutes=5)
"""How far a device's clock may run ahead before `happened_at` counts as the future."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What somebody names: a variant by id, SKU or barcode, how much of it (decimal text, in `unit` or the variant's own),
    and its lot by code, or the unit by its serial number."""

    quantity: str
    variant_id: UUID | None = None
    sku: str | None = None
    barcode: str | None = None
    unit: str | None = None
    lot_code: str | None = None
    serial_number: str | None = None

    @property
    def code_of_lot(self) -> str | None:
        """What names its lot: the serial number, where there is one."""
        return self.serial_number if self.serial_number is not None else self.lot_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place by id or by code (the full path, or a code only one place has)."""

    id: UUID | None = None
    code: str | None = None
    param: str = "location_id"


@dataclass(frozen=True, slots=True)
class Line:
    """Goods understood: `quantity` in smallest units, `lot` NIL where none is named."""

    item: Resolved
    quantity: int
    lot: UUID


async def understand(tx: Tx, goods: Sequence[Goods], *, fresh_lots: bool = False) -> list[Line]:
    """What each of some goods stands for; at most four queries. `fresh_lots` makes lots nobody has named before.

    Raises UnknownVariant, UomMismatch, BadValue; `index` says which of several.
    """
    by_id = await catalog.resolve_ids(tx.conn, [g.variant_id for g in goods if g.variant_id is not None])
    by_code: dict[tuple[catalog.Lookup, str], Resolved] = {}
    for how, named in (
        (catalog.Lookup.SKU, [g.sku for g in goods if g.sku is not None]),
        (catalog.Lookup.BARCODE, [g.barcode for g in goods if g.barcode is not None]),
    ):
        if named:
            for code, hit in (await catalog.resolve(tx.conn, named, by=how)).items():
                by_code[how, code] = hit
    units = await _units(tx.conn, {g.unit for g in goods if g.unit is not None})
    lines = []
    for index, one in enumerate(goods):
        item = _item_of(one, by_id, by_code, index if len(goods) > 1 else None)
        lines.append((item, smallest_units(one, item, units)))
    for one, (item, quantity) in zip(goods, lines, strict=True):
        _check_serial(one, item, quantity)
    ids = await _lots(tx, goods, [item for item, _ in lines], fresh=fresh_lots)
    return [Line(item, quantity, lot) for (item, quantity), lot in zip(lines, ids, strict=True)]


def _check_serial(goods: Goods, item: Resolved, quantity: int) -> None:
    """A serial number names one unit of an item that carries them. Raises BadValue."""
    if goods.serial_number is not None and item.tracking != "serial":
        raise BadValue(
            "serial_number",
            f"{item.sku} carries no serial numbers.",
            "Track its product by serial number first.",
        )
    if goods.code_of_lot is not None and item.tracking == "serial" and abs(quantity) > 1:
        raise BadValue("quantity", "A serial number names one unit.", "Send each number with the quantity 1.")


def _item_of(
    goods: Goods,
    by_id: dict[UUID, Resolved],
    by_code: dict[tuple[catalog.Lookup, str], Resolved],
    index: int | None,
) -> Resolved:
    named = [n for n in ("variant_id", "sku", "barcode") if getattr(goods, n) is not None]
    if len(named) != 1:
        raise InvalidBody("Name the item once: by variant_id, by sku or by barcode.", param="variant_id")
    item: Resolved | None
    if goods.variant_id is not None:
        item = by_id.get(goods.variant_id)
    elif goods.sku is not None:
        item = by_code.get((catalog.Lookup.SKU, goods.sku))
    else:
        item = by_code.get((catalog.Lookup.BARCODE, goods.barcode or ""))
    if item is None:
        where: dict[str, Any] = {} if index is None else {"index": index}
        raise UnknownVariant(
            f"There is no item with this {named[0]}: {getattr(goods, named[0])}.", param=named[0], **where
        )
    return item


async def _units(conn: AsyncConnection, codes: set[str]) -> dict[str, Unit]:
    missing = sorted(codes - set(STANDARD_UNITS))
    units = dict(STANDARD_UNITS)
    if missing:
        rows = await conn.execute(
            sa.text(
                "SELECT code, name, dimension, numerator, denominator FROM unit WHERE code = ANY(:codes)"
            ),
            {"codes": missing},
        )
        for row in rows:
            units[row.code] = Unit(
                row.code, row.name, row.dimension, Fraction(row.numerator, row.denominator)
            )
    return units


def smallest_units(goods: Goods, item: Resolved, units: dict[str, Unit]) -> int:
    """A quantity as people write it, in smallest units, exactly. Pure. Raises UomMismatch or BadValue."""
    plain = 10**item.decimals
    if goods.unit is None and item.quantity_factor == plain:
        return parse_units(goods.quantity, item.decimals)
    amount = parse_fraction(goods.quantity)
    if goods.unit is not None and goods.unit != item.unit:
        source, target = units.get(goods.unit), units.get(item.unit)
        if source is None:
            raise UomMismatch(f"There is no unit {goods.unit!r}.", param="unit", unit=item.unit)
        if target is None:
            raise UomMismatch(
                f"{item.sku} is counted in {item.unit}; send it so.", param="unit", unit=item.unit
            )
        try:
            amount = convert(amount, source, target) * plain
        except UnitMismatch as error:
            raise UomMismatch(f"{error.message} {error.remedy}", param="unit", unit=item.unit) from error
    elif goods.unit is not None:
        amount *= plain
    else:
        amount *= item.quantity_factor
    if amount.denominator != 1:
        raise UomMismatch(
            f"{goods.quantity} does not come out even: {item.sku} is counted in {item.unit} with {item.decimals} decimals.",
            param="quantity", unit=item.unit, decimals=item.decimals,
        )  # fmt: skip
    return amount.numerator


async def _lots(tx: Tx, goods: Sequence[Goods], items: Sequence[Resolved], *, fresh: bool) -> list[UUID]:
    keys = {(i.variant_id, c) for g, i in zip(goods, items, strict=True) if (c := g.code_of_lot) is not None}
    kinds = {i.variant_id: "serial" if i.tracking == "serial" else "lot" for i in items}
    known: dict[tuple[UUID, str], UUID] = {}
    if keys and fresh:
        known = await lots.ensure(tx, [lots.NewLot(v, code, kind=kinds[v]) for v, code in keys])
    elif keys:
        known = await lots.find(tx.conn, sorted(keys, key=lambda k: (k[0].bytes, k[1])))
    out = []
    for one, item in zip(goods, items, strict=True):
        code = one.code_of_lot
        if code is None:
            out.append(NIL)
            continue
        lot = known.get((item.variant_id, code))
        if lot is None:
            field = "lot_code" if one.serial_number is None else "serial_number"
            raise BadValue(field, f"{item.sku} has no lot {code[:40]!r}.", "Check the code on the goods.")
        out.append(lot)
    return out


async def find_places(conn: AsyncConnection, spots: Sequence[Spot]) -> tuple[list[Place], Directory]:
    """Each place somebody names, which must keep stock; and the directory. Raises UnknownLocation, LocationKeepsNoStock."""
    places = await locations.directory(conn)
    by_code: dict[str, list[Place]] = {}
    for place in places.values():
        by_code.setdefault(place.path, []).append(place)
        if place.code != place.path:
            by_code.setdefault(place.code, []).append(place)
    return [_spot(spot, places, by_code) for spot in spots], places


def _spot(spot: Spot, places: Directory, by_code: dict[str, list[Place]]) -> Place:
    if (spot.id is None) == (spot.code is None):
        raise InvalidBody(f"Name the place once: by {spot.param} or by its code.", param=spot.param)
    if spot.id is not None:
        found = places.get(spot.id)
    else:
        named = by_code.get(spot.code or "", [])
        if len(named) > 1:  # a load carrier leaves a closed row at each site it was at
            named = [p for p in named if not p.closed] or named
        exact = [p for p in named if p.path == spot.code]
        if len(named) > 1 and not exact:
            paths = ", ".join(sorted(p.path for p in named)[:5])
            raise UnknownLocation(
                f"Several places have the code {spot.code}: {paths}. Give the full path.", param=spot.param
            )
        found = next(iter(exact or named), None)
    if found is None:
        raise UnknownLocation(f"There is no place {spot.code or spot.id}.", param=spot.param)
    if not found.keeps_level or found.site_id is None:
        raise LocationKeepsNoStock(param=spot.param)
    return found


async def landed(tx: Tx, posting: Posting) -> Posting:
    """A posting whose moves bring available goods to a place, with the condition they may have there: what a hold covers, what
    expired, or what waits for its certificate is not for sale because it was carried. The hold remembers what it took.

    The digest stays that of what was told, so a retry is the same posting. One query, two more where a hold takes goods.
    """
    coming = [m for m in posting.moves if m.to_condition == 0 and m.from_location != m.to_location]
    found = await lots.arrivals(tx.conn, [(m.variant, m.lot, m.to_location) for m in coming], now=tx.now)
    if not found:
        return posting
    moves, taken = [], dict[UUID, list[lots.HeldLine]]()
    for m in posting.moves:
        there = found.get((m.variant, m.lot, m.to_location)) if m in coming else None
        if there is not None:
            m = msgspec.structs.replace(m, to_condition=int(Condition[there.condition]))
            if there.hold is not None:
                taken.setdefault(there.hold.id, []).append((m.variant, m.lot, m.to_location, m.quantity))
        moves.append(m)
    if taken and await recorded(tx.conn, posting.id) is None:
        for hold_id in sorted(taken):
            await lots.add_hold_lines(tx.conn, hold_id, taken[hold_id])
    return msgspec.structs.replace(posting, moves=tuple(moves))


def check_instant(tx: Tx, at: datetime | None) -> datetime:
    """When it happened: as told, or now. Raises HappenedAhead."""
    if at is None:
        return tx.now
    if at > tx.now + AHEAD:
        raise HappenedAhead(param="happened_at", now=tx.now.isoformat())
    return at


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a verb, as it answers. `seq` only once it is numbered (`number`)."""

    id: UUID
    state: str
    kind: str
    item: Resolved | None = None
    quantity: int | None = None
    level: dict[str, str | None] | None = None
    seq: int | None = None
    why: str | None = None
    site: UUID | None = None


def level_of(posted: Posted, key: LevelKey, site: SiteKey | None, decimals: int) -> dict[str, str | None]:
    """The level a verb left behind, and its site's, as decimal texts."""
    on_hand, allocated, overdrawn = posted.levels.get(key, (0, 0, 0))
    shown: dict[str, str | None] = {
        "on_hand": format_units(on_hand, decimals),
        "allocated": format_units(allocated, decimals),
        "overdrawn": format_units(overdrawn, decimals),
        "sellable": None, "reserved": None, "available": None,
    }  # fmt: skip
    if site is not None and site in posted.site_levels:
        sellable, reserved, _ = posted.site_levels[site]
        shown["sellable"] = format_units(sellable, decimals)
        shown["reserved"] = format_units(reserved, decimals)
        shown["available"] = format_units(sellable - reserved, decimals)
    return shown


async def number(tx: Tx, outcome: Outcome | None) -> int | None:
    """The number of the transaction's one posting. Takes the stream head, so it is the last thing a request does."""
    if outcome is None or outcome.seq is not None:
        return outcome.seq if outcome is not None else None
    await flush_postings(tx)
    posted: tuple[int, Any] = tx.stash["posted"]
    return posted[0] + 1
