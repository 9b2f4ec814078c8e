"""What was counted against what the book said: for who approves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import ledger
from onhand.access import Caller
from onhand.counting.reads.counts import can
from onhand.kit.ids import NIL
from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.values import format_units


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFilter:
    """Which counts to look at."""

    state: str | None = None
    site_id: UUID | None = None
    bin_count_id: UUID | None = None
    over_only: bool = False
    scope: frozenset[UUID] | None = None


_REVIEWS = """
SELECT b.id, b.sheet, b.site, s.code AS site_code, b.location, p.code AS location_code, p.path AS location_path, b.state,
       b.round, b.claimed_by, b.happened_at, b.value, b.over, b.lines, b.version, b.updated_at, b.note, b.decided_by,
       b.decided_by_name, b.decided_at, e.actor, e.actor_name, e.unknown, e.complete, e.recorded_at
  FROM bin_count b JOIN count_entry e ON e.id = b.entry JOIN location s ON s.id = b.site JOIN location p ON p.id = b.location
 WHERE {where} ORDER BY b.updated_at DESC, b.id DESC LIMIT :limit
"""


async def list_reviews(
    conn: AsyncConnection, caller: Caller, wanted: ReviewFilter, *, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Counts of bins with every variance, the latest first. Two queries."""
    where, values = ["true"], {"limit": limit + 1}
    parameters: dict[str, Any] = dict(values)
    for name, clause, value in (
        ("state", "b.state = :state", wanted.state), ("site", "b.site = :site", wanted.site_id),
        ("id", "b.id = :id", wanted.bin_count_id),
        ("scope", "b.site = ANY(CAST(:scope AS uuid[]))", None if wanted.scope is None else sorted(wanted.scope)),
    ):  # fmt: skip
        if value is not None:
            where.append(clause)
            parameters[name] = value
    if wanted.over_only:
        where.append("b.over")
    if cursor is not None:
        parameters["at"], parameters["after"] = decode_cursor(cursor, [datetime, UUID])
        where.append("(b.updated_at, b.id) < (CAST(:at AS timestamptz), CAST(:after AS uuid))")
    rows = (await conn.execute(sa.text(_REVIEWS.format(where=" AND ".join(where))), parameters)).all()
    page = rows[:limit]
    following = encode_cursor([page[-1].updated_at, page[-1].id]) if len(rows) > limit else None
    names = await _names(conn, [line for row in page for line in row.lines])
    return [_review(row, caller, names) for row in page], following


@dataclass(frozen=True, slots=True)
class _Names:
    variants: dict[str, Any]
    lots: dict[str, str]


async def _names(conn: AsyncConnection, lines: Sequence[dict[str, Any]]) -> _Names:
    variants = await conn.execute(
        sa.text("SELECT id, sku, name, unit, decimals FROM variant WHERE id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": sorted({x["variant"] for x in lines})},
    )
    lots = await conn.execute(
        sa.text("SELECT id, code FROM lot WHERE id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": sorted({x["lot"] for x in lines if x["lot"]})},
    )
    return _Names({str(r.id): r for r in variants}, {str(r.id): r.code for r in lots})


def _review(row: Any, caller: Caller, names: _Names) -> dict[str, Any]:
    costs = caller.may("costs:read", row.site)
    lines = [_line(x, names, costs=costs) for x in row.lines]
    return {
        "id": row.id, "sheet_id": row.sheet, "site_id": row.site, "site_code": row.site_code, "location_id": row.location,
        "location_code": row.location_code, "location_path": row.location_path, "state": row.state, "round": row.round,
        "counted_by": {"id": row.actor, "name": row.actor_name}, "happened_at": row.happened_at,
        "recorded_at": row.recorded_at, "complete": row.complete, "over": row.over,
        "value": None if not costs or row.value is None else f"{row.value:.2f}",
        "decided_by": None if row.decided_by is None else {"id": row.decided_by, "name": row.decided_by_name},
        "decided_at": row.decided_at, "note": row.note, "version": row.version, "unknown": row.unknown,
        "variances": sum(x["counted"] != x["book"] for x in row.lines), "lines": lines,
        "can": [v for v in can(caller, row.state, row.site, row.claimed_by) if v in ("approve", "recount", "cancel")
                and not (v == "approve" and row.actor == caller.id)],
    }  # fmt: skip


def _line(x: dict[str, Any], names: _Names, *, costs: bool) -> dict[str, Any]:
    variant = names.variants[x["variant"]]
    d = variant.decimals
    wrong = x["counted"] - x["book"]
    cost = None if x["unit_cost"] is None or not costs else Decimal(x["unit_cost"])
    return {
        "variant_id": variant.id, "sku": variant.sku, "name": variant.name, "unit": variant.unit,
        "lot_code": names.lots.get(x["lot"]) if x["lot"] else None, "condition": ledger.Condition(x["condition"]).name,
        "counted": format_units(x["counted"], d), "book": format_units(x["book"], d), "variance": format_units(wrong, d),
        "value": None if cost is None else f"{Decimal(wrong).scaleb(-d) * cost:.2f}", "over": x["over"],
        "on_hand": format_units(x["on_hand"], d), "allocated": format_units(x["allocated"], d),
        "moved_since": format_units(x["on_hand"] - x["book"], d),
    }  # fmt: skip


_CORRECTIONS = """
SELECT c.id, c.counted_level, c.quantity, c.happened_at, c.recorded_at, c.late, k.variant, v.sku, v.name, v.unit, v.decimals,
       k.site, s.code AS site_code, k.location, p.path AS location_path, k.lot, o.code AS lot_code, k.condition,
       k.quantity AS counted, k.variance, k.entry
  FROM count_correction c JOIN counted_level k ON k.id = c.counted_level JOIN variant v ON v.id = k.variant
  JOIN location s ON s.id = k.site JOIN location p ON p.id = k.location LEFT JOIN lot o ON o.id = k.lot
 WHERE {where} ORDER BY c.recorded_at DESC, c.id DESC LIMIT :limit
"""


async def list_corrections(
    conn: AsyncConnection, *, scope: frozenset[UUID] | None, site_id: UUID | None, variant_id: UUID | None, limit: int,
    cursor: str | None,
) -> tuple[list[dict[str, Any]], str | None]:  # fmt: skip
    """What late facts did to counts, the latest first. One query."""
    where = ["true"]
    parameters: dict[str, Any] = {"limit": limit + 1}
    for name, clause, value in (
        ("site", "k.site = :site", site_id), ("variant", "k.variant = :variant", variant_id),
        ("scope", "k.site = ANY(CAST(:scope AS uuid[]))", None if scope is None else sorted(scope)),
    ):  # fmt: skip
        if value is not None:
            where.append(clause)
            parameters[name] = value
    if cursor is not None:
        parameters["at"], parameters["after"] = decode_cursor(cursor, [datetime, UUID])
        where.append("(c.recorded_at, c.id) < (CAST(:at AS timestamptz), CAST(:after AS uuid))")
    rows = (await conn.execute(sa.text(_CORRECTIONS.format(where=" AND ".join(where))), parameters)).all()
    page = rows[:limit]
    following = encode_cursor([page[-1].recorded_at, page[-1].id]) if len(rows) > limit else None
    return [
        {
            "posting_id": r.id, "counted_level_id": r.counted_level, "variant_id": r.variant, "sku": r.sku, "name": r.name,
            "unit": r.unit, "site_id": r.site, "site_code": r.site_code, "location_id": r.location,
            "location_path": r.location_path, "lot_code": r.lot_code if r.lot != NIL else None,
            "condition": ledger.Condition(r.condition).name, "counted": format_units(r.counted, r.decimals),
            "variance": format_units(r.variance, r.decimals), "quantity": format_units(r.quantity, r.decimals),
            "happened_at": r.happened_at, "recorded_at": r.recorded_at, "late_posting_ids": r.late[:50],
        }
        for r in page
    ], following  # fmt: skip
