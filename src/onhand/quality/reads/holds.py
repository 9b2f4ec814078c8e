"""Holds: lists, one with what it moved, and what a hold would take before it is placed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import lots
from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.quality import store
from onhand.values import format_units

Scope = frozenset[UUID] | None
Rows = tuple[list[dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFilter:
    """Which holds."""

    hold_id: UUID | None = None
    state: str | None = None
    condition: str | None = None
    lot_id: UUID | None = None
    variant_id: UUID | None = None
    scope: Scope = None


_HOLDS = """
SELECT h.*, l.code AS lot_code, l.variant_id AS lot_variant, coalesce(v.sku, lv.sku) AS sku, p.path AS location_path,
       (SELECT count(*) FROM hold_line n WHERE n.hold_id = h.id) AS levels
  FROM hold h LEFT JOIN lot l ON l.id = h.lot_id LEFT JOIN variant lv ON lv.id = l.variant_id
  LEFT JOIN variant v ON v.id = h.variant_id LEFT JOIN location p ON p.id = h.location_id
 WHERE {where} ORDER BY h.placed_at DESC, h.id DESC LIMIT :limit
"""
_SEEN = "(CAST(:scope AS uuid[]) IS NULL OR h.location_id IS NULL OR p.site_id = ANY(CAST(:scope AS uuid[])))"


async def list_holds(conn: AsyncConnection, wanted: HoldFilter, *, limit: int, cursor: str | None) -> Rows:
    """A page of holds, the newest first, and the next cursor. One query."""
    parameters: dict[str, Any] = {
        "limit": limit + 1,
        "scope": None if wanted.scope is None else sorted(wanted.scope),
    }
    where = [_SEEN]
    for name, clause in (
        ("hold_id", "h.id = CAST(:hold_id AS uuid)"), ("condition", "h.condition = :condition"),
        ("lot_id", "h.lot_id = CAST(:lot_id AS uuid)"),
        ("variant_id", "coalesce(h.variant_id, l.variant_id) = CAST(:variant_id AS uuid)"),
    ):  # fmt: skip
        if getattr(wanted, name) is not None:
            parameters[name] = getattr(wanted, name)
            where.append(clause)
    if wanted.state is not None:  # spelt out, so that the partial index of open ones serves
        where.append("h.state = 'open'" if wanted.state == "open" else "h.state = 'released'")
    if cursor is not None:
        parameters["c_at"], parameters["c_id"] = decode_cursor(cursor, [datetime, UUID])
        where.append("(h.placed_at, h.id) < (CAST(:c_at AS timestamptz), CAST(:c_id AS uuid))")
    rows = list(await conn.execute(sa.text(_HOLDS.format(where=" AND ".join(where))), parameters))
    following = encode_cursor([rows[limit - 1].placed_at, rows[limit - 1].id]) if len(rows) > limit else None
    return [_shape(row) for row in rows[:limit]], following


def _shape(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "state": row.state, "condition": row.condition, "reason": row.reason, "lot_id": row.lot_id,
        "lot_code": row.lot_code, "variant_id": row.variant_id or row.lot_variant, "sku": row.sku,
        "location_id": row.location_id, "location_path": row.location_path, "levels": row.levels,
        "placed_at": row.placed_at, "placed_by_name": row.placed_by_name, "released_at": row.released_at,
        "released_by_name": row.released_by_name, "release_reason": row.release_reason, "version": row.version,
        "can": lots.hold_can(row.state),
    }  # fmt: skip


_LINES = sa.text("""
SELECT n.variant_id, v.sku, v.unit, v.decimals, l.id AS lot_id, l.code AS lot_code, n.location_id, p.path, n.quantity
  FROM hold_line n JOIN variant v ON v.id = n.variant_id JOIN location p ON p.id = n.location_id LEFT JOIN lot l ON l.id = n.lot
 WHERE n.hold_id = :hold AND (CAST(:scope AS uuid[]) IS NULL OR p.site_id = ANY(CAST(:scope AS uuid[])))
 ORDER BY p.path, v.sku, l.code LIMIT 1000
""")


async def get_hold(conn: AsyncConnection, hold_id: UUID, *, scope: Scope) -> dict[str, Any] | None:
    """One hold with what it moved (the first 1,000 lines); None when there is none. Two queries."""
    rows, _ = await list_holds(conn, HoldFilter(hold_id=hold_id, scope=scope), limit=1, cursor=None)
    if not rows:
        return None
    lines = await conn.execute(_LINES, {"hold": hold_id, "scope": None if scope is None else sorted(scope)})
    return {
        **rows[0],
        "lines": [
            {
                "variant_id": r.variant_id, "sku": r.sku, "unit": r.unit, "lot_id": r.lot_id, "lot_code": r.lot_code,
                "location_id": r.location_id, "location_path": r.path, "quantity": format_units(r.quantity, r.decimals),
            }
            for r in lines
        ],
    }  # fmt: skip


_RESERVED = sa.text(
    "SELECT s.variant, s.site, s.sellable, s.reserved FROM site_level s"
    " JOIN unnest(CAST(:variants AS uuid[]), CAST(:sites AS uuid[])) AS k(v, s) ON s.variant = k.v AND s.site = k.s"
)


async def affected(
    conn: AsyncConnection, *, lot_id: UUID | None, variant_id: UUID | None, location_id: UUID | None, scope: Scope
) -> dict[str, Any]:  # fmt: skip
    """What a hold would take out of sale: levels and places, and what of it is reserved beyond what would be left. Two queries."""
    lying = await store.in_scope(conn, lot_id=lot_id, variant_id=variant_id, location_id=location_id)
    seen = [one for one in lying if scope is None or one.site in scope]
    taken: dict[tuple[UUID, UUID], int] = {}
    for one in lying:
        if one.site is not None and one.sells:
            taken[one.variant, one.site] = taken.get((one.variant, one.site), 0) + one.on_hand
    short: dict[tuple[UUID, UUID], int] = {}
    if taken:
        keys = list(taken)
        for row in await conn.execute(
            _RESERVED, {"variants": [v for v, _ in keys], "sites": [s for _, s in keys]}
        ):
            missing = row.reserved - (row.sellable - taken[row.variant, row.site])
            if missing > 0 and row.reserved > 0:
                short[row.variant, row.site] = min(missing, row.reserved)
    return {
        "levels": len(seen), "sites": len({one.site for one in seen}),
        "lines": [
            {
                "variant_id": one.variant, "sku": one.sku, "lot_code": one.lot_code, "location_id": one.location,
                "location_path": one.path, "quantity": format_units(one.on_hand, one.decimals),
                "reserved_short": format_units(short.get((one.variant, one.site), 0), one.decimals) if one.site else "0",
            }
            for one in seen[:200]
        ],
    }  # fmt: skip
