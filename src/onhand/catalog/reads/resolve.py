"""What a code stands for: one batched query, and a remembered version for the till's hot path."""

import time
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.catalog.events import CHANGES_RESOLVING
from onhand.catalog.model import Found, Resolved, lookups
from onhand.kit.database import Database
from onhand.kit.ids import quick
from onhand.values import STANDARD_UNITS, BadValue, convert, exact_units, parse_fraction, read_scan


class Lookup(Enum):
    """Where to look for a code. ANY: SKUs first, then barcodes."""

    ANY = "any"
    SKU = "sku"
    BARCODE = "barcode"


_SURVIVOR = (
    "s.id, s.decimals, s.unit, p.tracking, s.sku, s.name, s.product_id, p.category_id, s.list_price_minor,"
    " s.list_price_currency, s.cost, s.cost_currency, s.archived_at IS NOT NULL AS archived"
    " FROM hits h JOIN variant v ON v.id = h.hit JOIN variant s ON s.id = coalesce(v.merged_into, v.id)"
    " JOIN product p ON p.id = s.product_id"
)
_RESOLVE = sa.text(
    "WITH hits(code, is_barcode, hit, quantity) AS ("
    " SELECT sku, false, id, NULL::bigint FROM variant WHERE sku = ANY(CAST(:skus AS text[]))"
    " UNION ALL SELECT code, true, variant_id, quantity FROM barcode WHERE code = ANY(CAST(:codes AS text[])))"
    f" SELECT h.code, h.is_barcode, h.quantity, {_SURVIVOR}"
)
_BY_ID = sa.text(
    "WITH hits(hit) AS (SELECT unnest(CAST(:ids AS uuid[])))"
    f" SELECT h.hit, NULL::bigint AS quantity, {_SURVIVOR}"
)


def _resolved(row: Any) -> Resolved:
    factor = row.quantity if row.quantity is not None else 10**row.decimals
    return Resolved(
        quick(row.id), factor, row.decimals, row.unit, row.tracking, row.sku, row.name, row.product_id, row.category_id,
        row.list_price_minor, row.list_price_currency, row.cost, row.cost_currency, row.archived,
    )  # fmt: skip


async def resolve(
    conn: AsyncConnection, codes: Iterable[str], *, by: Lookup = Lookup.ANY
) -> dict[str, Resolved]:
    """What each code stands for; unknown codes are left out. Merged variants answer with their survivor. One query.

    Barcodes are found in every length of a GTIN (a UPC-A scanned as EAN-13 too). Archived variants are found, and say so.
    """
    wanted = {code: lookups(code) for code in set(codes)}
    skus = [] if by is Lookup.BARCODE else list(wanted)
    barcodes = [] if by is Lookup.SKU else list({text for texts in wanted.values() for text in texts})
    rows = await conn.execute(_RESOLVE, {"skus": skus, "codes": barcodes})
    by_sku: dict[str, Resolved] = {}
    by_barcode: dict[str, Resolved] = {}
    for row in rows:
        (by_barcode if row.is_barcode else by_sku)[row.code] = _resolved(row)
    found: dict[str, Resolved] = {}
    for code, texts in wanted.items():
        hit = by_sku.get(code) or next((by_barcode[text] for text in texts if text in by_barcode), None)
        if hit is not None:
            found[code] = hit
    return found


async def resolve_ids(conn: AsyncConnection, variant_ids: Iterable[UUID]) -> dict[UUID, Resolved]:
    """What variant ids stand for: themselves, or the survivor they were merged into. Unknown ones are left out. One query."""
    rows = await conn.execute(_BY_ID, {"ids": list(set(variant_ids))})
    return {row.hit: _resolved(row) for row in rows}


async def families(conn: AsyncConnection, variant_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Every id whose past ledger rows belong to a variant: itself and those merged into it. One query."""
    wanted = list(set(variant_ids))
    rows = await conn.execute(
        sa.text("SELECT id, merged_into FROM variant WHERE merged_into = ANY(CAST(:ids AS uuid[]))"),
        {"ids": wanted},
    )
    out = {variant_id: [variant_id] for variant_id in wanted}
    for row in rows:
        out[row.merged_into].append(row.id)
    return out


async def scan_variant(conn: AsyncConnection, code: str) -> tuple[Found, int] | None:
    """What a scan stands for and how many smallest units it says; None when no variant carries it. One query.

    A weight in the barcode (AI 310n) counts for items kept by weight, a count (AI 30, 37) multiplies the code's quantity.
    """
    try:
        scan = read_scan(code)
    except BadValue:
        return None
    barcodes = await resolve(conn, scan.lookup, by=Lookup.ANY)
    hit = next((barcodes[text] for text in scan.lookup if text in barcodes), None)
    if hit is None:
        return None
    units = hit.quantity_factor * (scan.count or 1)
    measured = STANDARD_UNITS.get(hit.unit)
    if scan.weight_kg is not None and measured is not None and measured.dimension == "mass":
        amount = convert(parse_fraction(str(scan.weight_kg)), STANDARD_UNITS["kg"], measured)
        try:
            units = exact_units(amount, hit.decimals, unit=hit.unit)
        except BadValue:
            units = round(amount * 10**hit.decimals)  # finer than we count: the nearest the shelf can hold
    found = Found(
        hit, scan.gtin or scan.text, scan.lot_code, scan.serial_number, scan.expiry or scan.best_before, scan.weight_kg,
        scan.elements,
    )  # fmt: skip
    return found, units


_FRESH = sa.text(
    "SELECT h.event_n, EXISTS (SELECT 1 FROM outbox o WHERE o.event_n > :seen AND o.event_n <= h.event_n"
    " AND o.type = ANY(CAST(:types AS text[]))) AS changed FROM stream_head h"
)


class Resolver:
    """Remembers what codes stand for, so that a sale costs no query; one for each process.

    Every `every` seconds it asks the stream whether products changed and forgets everything then: answers are never older
    than that. Unknown codes are not remembered. `hits` and `misses` count codes.
    """

    def __init__(self, database: Database, *, every: float = 0.25, keep: int = 500_000) -> None:
        self._database = database
        self._every = every
        self._keep = keep
        self._by_code: dict[Lookup, dict[str, Resolved]] = {by: {} for by in Lookup}
        self._by_id: dict[UUID, Resolved] = {}
        self._seen = -1
        self._checked = 0.0
        self._era = 0
        self.hits = 0
        self.misses = 0

    def forget(self) -> None:
        """Drops everything remembered."""
        self._era += 1
        for known in self._by_code.values():
            known.clear()
        self._by_id.clear()

    async def _refresh(self) -> None:
        now = time.monotonic()
        if self._seen >= 0 and now - self._checked < self._every:
            return
        self._checked = now
        async with self._database.engine.connect() as conn:
            row = (await conn.execute(_FRESH, {"seen": self._seen, "types": list(CHANGES_RESOLVING)})).one()
        if row.changed or self._seen < 0:
            self.forget()
        self._seen = max(self._seen, row.event_n)

    async def resolve(self, codes: Sequence[str], *, by: Lookup = Lookup.ANY) -> dict[str, Resolved]:
        """Like the function `resolve`, from memory where possible; at most one query for what is not known."""
        await self._refresh()
        known, era = self._by_code[by], self._era
        missing = {code for code in codes if code not in known}
        self.misses += len(missing)
        self.hits += len(codes) - len(missing)
        found: dict[str, Resolved] = {}
        if missing:
            async with self._database.engine.connect() as conn:
                found = await resolve(conn, missing, by=by)
            if era == self._era:
                if len(known) > self._keep:
                    known.clear()
                known.update(found)
        return {code: hit for code in codes if (hit := found.get(code) or known.get(code)) is not None}

    async def resolve_ids(self, variant_ids: Sequence[UUID]) -> dict[UUID, Resolved]:
        """Like the function `resolve_ids`, from memory where possible."""
        await self._refresh()
        known, era = self._by_id, self._era
        missing = {variant_id for variant_id in variant_ids if variant_id not in known}
        found: dict[UUID, Resolved] = {}
        if missing:
            async with self._database.engine.connect() as conn:
                found = await resolve_ids(conn, missing)
            if era == self._era:
                if len(known) > self._keep:
                    known.clear()
                known.update(found)
        return {i: hit for i in variant_ids if (hit := found.get(i) or known.get(i)) is not None}
