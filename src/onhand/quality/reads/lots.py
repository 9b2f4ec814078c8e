"""Lots and serial numbers: lists, one with its stock, and what search box and scanner find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import lots
from onhand.kit.clock import now
from onhand.kit.ids import NIL
from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.ledger import Condition
from onhand.values import format_units

Scope = frozenset[UUID] | None
Rows = tuple[list[dict[str, Any]], str | None]
State = Literal["sound", "held", "recalled", "expired", "uncertified"]
SCOPED = "(CAST(:scope AS uuid[]) IS NULL OR p.site_id = ANY(CAST(:scope AS uuid[])))"
NOT_NIL = f"CAST('{NIL}' AS uuid)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LotFilter:
    """Which lots. `expires_within`: days from today; `state` as lists show it; `scope`: the sites whose stock is summed."""

    lot_id: UUID | None = None
    q: str | None = None
    code: str | None = None
    kind: str | None = None
    variant_id: UUID | None = None
    sku: str | None = None
    state: State | None = None
    certificate_state: str | None = None
    expires_within: int | None = None
    in_stock: bool | None = None
    updated_after: datetime | None = None
    scope: Scope = None


_STATE = """CASE
  WHEN EXISTS (SELECT FROM hold h WHERE h.lot_id = l.id AND h.state = 'open' AND h.condition = 'recalled') THEN 'recalled'
  WHEN EXISTS (SELECT FROM hold h WHERE h.lot_id = l.id AND h.state = 'open') THEN 'held'
  WHEN l.expires_on < CAST(:today AS date) THEN 'expired'
  WHEN l.certificate_state <> 'approved' AND coalesce(pv.needs_certificate, pp.needs_certificate, false) THEN 'uncertified'
  ELSE 'sound' END"""
_LISTED = f"""
SELECT x.*, (SELECT jsonb_object_agg(q.condition, q.total) FROM (
          SELECT n.condition, sum(n.on_hand) AS total FROM level n JOIN location p ON p.id = n.location
           WHERE n.lot = x.id AND n.lot <> {NOT_NIL} AND n.on_hand <> 0 AND {SCOPED} GROUP BY n.condition) q) AS totals
  FROM (SELECT l.*, v.sku, v.name, v.unit, v.decimals, su.name AS supplier_name, f.name AS file_name,
               coalesce(os.name, oc.name) AS owner_name, coalesce(pv.near_expiry_days, pp.near_expiry_days, 30) AS near_days,
               coalesce(pv.needs_certificate, pp.needs_certificate, false) AS needs_certificate, {_STATE} AS lot_state
          FROM lot l JOIN variant v ON v.id = l.variant_id
          LEFT JOIN supplier su ON su.id = l.supplier_id LEFT JOIN file f ON f.id = l.certificate_file
          LEFT JOIN supplier os ON os.id = l.owner_id AND l.owner_kind = 'supplier'
          LEFT JOIN customer oc ON oc.id = l.owner_id AND l.owner_kind = 'customer'
          LEFT JOIN lot_policy pv ON pv.subject_id = v.id LEFT JOIN lot_policy pp ON pp.subject_id = v.product_id
         WHERE {{where}}) x
 WHERE {{later}} ORDER BY {{order}} LIMIT :limit
"""
_CLAUSES = (
    ("lot_id", "l.id = CAST(:lot_id AS uuid)"),
    ("q", 'lower(l.code) COLLATE "C" LIKE :q'),
    ("code", "l.code = :code"),
    ("kind", "l.kind = :kind"),
    ("variant_id", "l.variant_id = CAST(:variant_id AS uuid)"),
    ("sku", "v.sku = :sku"),
    ("certificate_state", "l.certificate_state = :certificate_state"),
    ("expires_within", "l.expires_on <= CAST(:until AS date)"),
    ("updated_after", "l.updated_at > CAST(:updated_after AS timestamptz)"),
)
_IN_STOCK = f"EXISTS (SELECT FROM level n WHERE n.lot = l.id AND n.lot <> {NOT_NIL} AND n.on_hand > 0)"


async def list_lots(conn: AsyncConnection, wanted: LotFilter, *, limit: int, cursor: str | None) -> Rows:
    """A page of lots by code (those that expire soon: by expiry), and the next cursor. One query."""
    today = now().date()
    parameters: dict[str, Any] = {
        "limit": limit + 1, "today": today, "scope": None if wanted.scope is None else sorted(wanted.scope)
    }  # fmt: skip
    where = ["true"]
    for name, clause in _CLAUSES:
        value = getattr(wanted, name)
        if value is not None:
            parameters[name] = value
            where.append(clause)
    if wanted.q is not None:
        parameters["q"] = begins(wanted.q)
    if wanted.expires_within is not None:
        parameters.pop("expires_within")
        parameters["until"] = today + timedelta(days=wanted.expires_within)
    if wanted.in_stock is not None:
        where.append(_IN_STOCK if wanted.in_stock else f"NOT {_IN_STOCK}")
    later = ["true"]
    if wanted.state is not None:
        parameters["lot_state"] = wanted.state
        later.append("x.lot_state = :lot_state")
    by_date = wanted.expires_within is not None
    if cursor is not None:
        kinds = [str, UUID]
        first, parameters["c_id"] = decode_cursor(cursor, kinds)
        parameters["c_first"] = first
        first_sql = "CAST(CAST(:c_first AS text) AS date)" if by_date else "CAST(:c_first AS text)"
        column = "x.expires_on" if by_date else "x.code"
        later.append(f"({column}, x.id) > ({first_sql}, CAST(:c_id AS uuid))")
    sql = _LISTED.format(
        where=" AND ".join(where), later=" AND ".join(later), order="x.expires_on, x.id" if by_date else "x.code, x.id"
    )  # fmt: skip
    rows = list(await conn.execute(sa.text(sql), parameters))
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = encode_cursor([last.expires_on.isoformat() if by_date else last.code, last.id])
    return [_shape(row, today) for row in rows[:limit]], following


def begins(text: str) -> str:
    """A LIKE pattern of what begins with a text, in small letters."""
    return text.strip().lower().replace("\\", "").replace("%", "").replace("_", "\\_") + "%"


def _shape(row: Any, today: date) -> dict[str, Any]:
    totals = {
        Condition(int(c)).name: format_units(int(n), row.decimals) for c, n in (row.totals or {}).items()
    }
    on_hand = sum(int(n) for n in (row.totals or {}).values())
    left = None if row.expires_on is None else (row.expires_on - today).days
    return {
        "id": row.id, "code": row.code, "kind": row.kind, "state": row.lot_state, "variant_id": row.variant_id,
        "sku": row.sku, "name": row.name, "unit": row.unit, "made_on": row.made_on, "expires_on": row.expires_on,
        "days_left": left, "near_expiry": left is not None and left <= row.near_days,
        "supplier_id": row.supplier_id, "supplier_name": row.supplier_name,
        "owner": None if row.owner_id is None else {"kind": row.owner_kind, "id": row.owner_id, "name": row.owner_name or ""},
        "certificate": {
            "state": row.certificate_state, "needed": row.needs_certificate, "file_name": row.file_name,
            "by": row.certificate_by_name, "at": row.certificate_at, "note": row.certificate_note,
        },
        "on_hand": format_units(on_hand, row.decimals), "by_condition": dict(sorted(totals.items())),
        "notes": row.notes, "external_id": row.external_id, "metadata": row.metadata, "version": row.version,
        "created_at": row.created_at, "updated_at": row.updated_at, "can": lots.lot_can(row.certificate_state),
    }  # fmt: skip


async def get_lot(conn: AsyncConnection, lot_id: UUID, *, scope: Scope) -> dict[str, Any] | None:
    """One lot with its stock by place and condition, and the holds on it; None when there is none. Three queries."""
    rows, _ = await list_lots(conn, LotFilter(lot_id=lot_id, scope=scope), limit=1, cursor=None)
    if not rows:
        return None
    return {
        **rows[0],
        "stock": await stock_of(conn, lot_id, scope=scope),
        "holds": await _holds_on(conn, lot_id),
    }


_STOCK = sa.text(f"""
SELECT n.location, p.path, p.code, p.site_id, s.code AS site_code, n.condition, n.on_hand, n.allocated, v.decimals
  FROM level n JOIN variant v ON v.id = n.variant JOIN location p ON p.id = n.location LEFT JOIN location s ON s.id = p.site_id
 WHERE n.lot = :lot AND n.lot <> {NOT_NIL} AND n.on_hand <> 0 AND {SCOPED} ORDER BY p.path, n.condition
""")


async def stock_of(conn: AsyncConnection, lot_id: UUID, *, scope: Scope) -> list[dict[str, Any]]:
    """Where a lot lies, by place and condition. One query."""
    rows = await conn.execute(_STOCK, {"lot": lot_id, "scope": None if scope is None else sorted(scope)})
    return [
        {
            "location_id": r.location, "location_code": r.code, "location_path": r.path, "site_id": r.site_id,
            "site_code": r.site_code, "condition": Condition(r.condition).name,
            "on_hand": format_units(r.on_hand, r.decimals), "allocated": format_units(r.allocated, r.decimals),
        }
        for r in rows
    ]  # fmt: skip


async def certificate_file(conn: AsyncConnection, lot_id: UUID) -> UUID | None:
    """The file of a lot's certificate; None when there is none. One query."""
    row = (
        await conn.execute(sa.text("SELECT certificate_file FROM lot WHERE id = :id"), {"id": lot_id})
    ).first()
    return row.certificate_file if row is not None else None


_HOLDS = sa.text(
    "SELECT id, condition, reason, placed_at, placed_by_name FROM hold WHERE lot_id = :lot AND state = 'open'"
    " ORDER BY placed_at DESC"
)


async def _holds_on(conn: AsyncConnection, lot_id: UUID) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in await conn.execute(_HOLDS, {"lot": lot_id})]


async def lots_named(
    conn: AsyncConnection, code: str, *, kind: str | None, scope: Scope
) -> list[dict[str, Any]]:
    """The lots (or serials) of every variant that carry a code, each with its stock."""
    rows, _ = await list_lots(conn, LotFilter(code=code, kind=kind, scope=scope), limit=50, cursor=None)
    return [{**row, "stock": await stock_of(conn, row["id"], scope=scope)} for row in rows]


_POLICIES = """
SELECT y.subject, y.subject_id, y.needs_certificate, y.strategy, y.near_expiry_days, y.version, y.updated_at,
       coalesce(v.sku, pr.name) AS title
  FROM lot_policy y LEFT JOIN variant v ON v.id = y.subject_id LEFT JOIN product pr ON pr.id = y.subject_id
 WHERE {where} ORDER BY y.subject_id LIMIT :limit
"""


async def list_policies(conn: AsyncConnection, *, limit: int, cursor: str | None) -> Rows:
    """A page of policies, and the next cursor. One query."""
    where, parameters = "true", {"limit": limit + 1}
    if cursor is not None:
        where, parameters["after"] = "y.subject_id > :after", decode_cursor(cursor, [UUID])[0]
    rows = list(await conn.execute(sa.text(_POLICIES.format(where=where)), parameters))
    following = encode_cursor([rows[limit - 1].subject_id]) if len(rows) > limit else None
    return [_policy(row) for row in rows[:limit]], following


async def policy_of(conn: AsyncConnection, subject_id: UUID) -> dict[str, Any] | None:
    """The policy of a product or variant; None when it has none of its own."""
    row = (
        await conn.execute(
            sa.text(_POLICIES.format(where="y.subject_id = :id")), {"id": subject_id, "limit": 1}
        )
    ).one_or_none()
    return None if row is None else _policy(row)


def _policy(row: Any) -> dict[str, Any]:
    return {
        "product_id": row.subject_id if row.subject == "product" else None,
        "variant_id": row.subject_id if row.subject == "variant" else None, "title": row.title,
        "needs_certificate": row.needs_certificate, "strategy": row.strategy, "near_expiry_days": row.near_expiry_days,
        "version": row.version, "updated_at": row.updated_at,
    }  # fmt: skip


_FIND = sa.text(
    "SELECT l.id, l.code, l.kind, v.sku, v.name FROM lot l JOIN variant v ON v.id = l.variant_id"
    ' WHERE lower(l.code) COLLATE "C" LIKE :q ORDER BY lower(l.code) COLLATE "C", l.id LIMIT :limit'
)


async def find_lots(
    conn: AsyncConnection, q: str, limit: int, sites: frozenset[UUID] | None
) -> list[dict[str, Any]]:
    """Lots and serial numbers for the search box: a code that begins so. One query."""
    if len(q.strip()) < 2:
        return []
    rows = await conn.execute(_FIND, {"q": begins(q), "limit": limit})
    return [
        {"kind": "lot", "id": r.id, "title": r.code, "subtitle": f"{r.sku} · {r.name}", "match": "words"}
        for r in rows
    ]


_SCAN = sa.text(
    "SELECT id, code, kind, variant_id FROM lot WHERE code = :code ORDER BY kind DESC, id LIMIT 2"
)


async def scan_lot(conn: AsyncConnection, code: str) -> dict[str, Any] | None:
    """The serial number or lot that was scanned, where only one variant carries the code. One query."""
    rows = (await conn.execute(_SCAN, {"code": code.strip()})).all()
    if len(rows) != 1:
        return None
    row = rows[0]
    return {"kind": "lot", "id": row.id, "code": row.code, "lot_kind": row.kind, "variant_id": row.variant_id}
