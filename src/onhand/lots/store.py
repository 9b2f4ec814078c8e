"""Lots by variant and code: found, or made on first sight."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.ids import derive_id
from onhand.kit.tx import Tx
from onhand.lots import tables as tables
from onhand.values import parse_lot_code

LotKey = tuple[UUID, str]
"""variant, lot code"""


@dataclass(frozen=True, slots=True)
class NewLot:
    """A lot as somebody names it; `expires_on` where the label says so."""

    variant_id: UUID
    code: str
    expires_on: date | None = None


def lot_id(variant_id: UUID, code: str) -> UUID:
    """The id of a lot: the same wherever the same variant and code are named, so nobody has to look it up first."""
    return derive_id("onhand", "lot", str(variant_id), code)


_ENSURE = sa.text(
    "INSERT INTO lot (id, variant_id, code, expires_on) SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:variants AS uuid[]),"
    " CAST(:codes AS text[]), CAST(:expiries AS date[])) ON CONFLICT (variant_id, code)"
    " DO UPDATE SET expires_on = coalesce(lot.expires_on, excluded.expires_on)"
    " WHERE lot.expires_on IS NULL AND excluded.expires_on IS NOT NULL"
)
_FIND = sa.text(
    "SELECT l.id, l.variant_id, l.code FROM lot l"
    " JOIN unnest(CAST(:variants AS uuid[]), CAST(:codes AS text[])) AS w(v, c) ON l.variant_id = w.v AND l.code = w.c"
)


async def ensure(tx: Tx, lots: Sequence[NewLot]) -> dict[LotKey, UUID]:
    """The ids of lots, made where they are new; a date is added where none was known. One query.

    Raises BadValue for a code that is none.
    """
    wanted: dict[LotKey, NewLot] = {}
    for new in lots:
        code = parse_lot_code(new.code)
        key = (new.variant_id, code)
        if key not in wanted or wanted[key].expires_on is None:
            wanted[key] = NewLot(new.variant_id, code, new.expires_on)
    ordered = sorted(wanted.values(), key=lambda n: (n.variant_id.bytes, n.code))
    if ordered:
        await tx.conn.execute(
            _ENSURE,
            {
                "ids": [lot_id(n.variant_id, n.code) for n in ordered],
                "variants": [n.variant_id for n in ordered],
                "codes": [n.code for n in ordered],
                "expiries": [n.expires_on for n in ordered],
            },
        )
    return {key: lot_id(*key) for key in wanted}


async def find(conn: AsyncConnection, keys: Sequence[LotKey]) -> dict[LotKey, UUID]:
    """The ids of lots that exist; unknown ones are left out. One query."""
    rows = await conn.execute(_FIND, {"variants": [v for v, _ in keys], "codes": [c for _, c in keys]})
    return {(row.variant_id, row.code): row.id for row in rows}


async def copy(tx: Tx, lot_ids: Sequence[UUID], *, variant_id: UUID) -> dict[UUID, UUID]:
    """For each of some lots, the lot of the same code and expiry of another variant, made where it is new. Two queries."""
    if not lot_ids:
        return {}
    rows = await tx.conn.execute(
        sa.text("SELECT id, code, expires_on FROM lot WHERE id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": list(lot_ids)},
    )
    old = {row.id: NewLot(variant_id, row.code, row.expires_on) for row in rows}
    ids = await ensure(tx, list(old.values()))
    return {lot: ids[variant_id, new.code] for lot, new in old.items()}
