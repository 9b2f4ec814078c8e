"""Reservations and approved backorders as answers show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.ledger.reads.common import (
    ACTOR,
    Scope,
    actor_of,
    fetch,
    in_scope,
    join_actor,
    page_of,
    row_after,
    scope_param,
    shown,
)
from onhand.ledger.reservations import State, can

Rows = tuple[list[dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationFilter:
    """Which reservations. `ends_before`: open ones that end before an instant, the next to end first."""

    reservation_id: UUID | None = None
    state: str | None = None
    kind: str | None = None
    variant_id: UUID | None = None
    site_id: UUID | None = None
    channel_id: UUID | None = None
    reference: str | None = None
    ends_before: datetime | None = None
    scope: Scope = None


_OPEN = "l.claimed > l.consumed + l.released + l.expired"
_PAGE = """
SELECT r.id, r.kind, r.state, r.reference, r.channel_id, c.code AS channel_code, r.expires_at, r.created_by, r.created_at,
       r.ended_at, r.version, r.state = 'open' AND r.expires_at <= clock_timestamp() AS lapsed, {actor}
  FROM reservation r LEFT JOIN channel c ON c.id = r.channel_id {join}
 WHERE {where} ORDER BY {order} LIMIT :limit
"""
_LINES = """
SELECT l.reservation, l.line, l.variant, v.sku, v.name, v.unit, v.decimals, l.site, p.code AS site_code, l.policy, l.requested,
       l.claimed, l.consumed, l.released, l.expired
  FROM reservation_line l JOIN variant v ON v.id = l.variant JOIN location p ON p.id = l.site
 WHERE l.reservation = ANY(CAST(:ids AS uuid[])) AND {scope} ORDER BY l.reservation, l.line
"""


def _where(wanted: ReservationFilter, parameters: dict[str, Any]) -> list[str]:
    parameters["scope"] = scope_param(wanted.scope)
    held = "EXISTS (SELECT FROM reservation_line l WHERE l.reservation = r.id AND {})"
    terms = [] if wanted.scope is None else [held.format(in_scope("l.site"))]
    for name, clause in (
        ("reservation_id", "r.id = CAST(:reservation_id AS uuid)"),
        ("kind", "r.kind = CAST(:kind AS text)"),
        ("channel_id", "r.channel_id = CAST(:channel_id AS uuid)"),
        ("reference", "r.reference = CAST(:reference AS text)"),
        ("ends_before", "r.state = 'open' AND r.expires_at IS NOT NULL AND r.expires_at < CAST(:ends_before AS timestamptz)"),
    ):  # fmt: skip
        if getattr(wanted, name) is not None:
            parameters[name] = getattr(wanted, name)
            terms.append(clause)
    if wanted.state is not None:
        terms.append("r.state = 'open'" if wanted.state == "open" else "r.state = CAST(:state AS text)")
        parameters["state"] = wanted.state
    if wanted.variant_id is not None or wanted.site_id is not None:
        lines = [_OPEN] if wanted.state == "open" else []
        if wanted.variant_id is not None:
            parameters["variant_id"] = wanted.variant_id
            lines.append("l.variant = CAST(:variant_id AS uuid)")
        if wanted.site_id is not None:
            parameters["site_id"] = wanted.site_id
            lines.append("l.site = CAST(:site_id AS uuid)")
        matching = f"SELECT l.reservation FROM reservation_line l WHERE {' AND '.join(lines)}"
        terms.append(f"r.id IN ({matching})")
    return terms


async def list_reservations(
    conn: AsyncConnection, wanted: ReservationFilter, *, limit: int, cursor: str | None
) -> Rows:  # fmt: skip
    """A page of reservations with the lines the caller may see, the newest first (the next to end first, where asked for
    those that end), and the next cursor. Two queries."""
    parameters: dict[str, Any] = {"limit": limit + 1}
    where = _where(wanted, parameters)
    if wanted.ends_before is not None:
        order, key = "r.expires_at, r.id", "expires_at"
        where.append(row_after([("r.expires_at", "timestamptz"), ("r.id", "uuid")], cursor, parameters))
    else:
        order, key = "r.created_at DESC, r.id DESC", "created_at"
        if cursor is not None:
            parameters["c_at"], parameters["c_id"] = decode_cursor(cursor, [datetime, UUID])
            where.append("(r.created_at, r.id) < (CAST(:c_at AS timestamptz), CAST(:c_id AS uuid))")
    sql = _PAGE.format(
        where=" AND ".join(where) or "true", order=order, actor=ACTOR, join=join_actor("r.created_by")
    )
    rows = await fetch(conn, sql, parameters)
    following = (
        encode_cursor([getattr(rows[limit - 1], key), rows[limit - 1].id]) if len(rows) > limit else None
    )
    page = rows[:limit]
    lines: dict[UUID, list[dict[str, Any]]] = {row.id: [] for row in page}
    if page:
        seen = {"ids": list(lines), "scope": scope_param(wanted.scope)}
        for line in await fetch(conn, _LINES.format(scope=in_scope("l.site")), seen):
            lines[line.reservation].append(_line(line))
    return [_reservation(row, lines[row.id]) for row in page], following


async def get_reservation(
    conn: AsyncConnection, reservation_id: UUID, *, scope: Scope
) -> dict[str, Any] | None:
    """One reservation, or None. Two queries."""
    wanted = ReservationFilter(reservation_id=reservation_id, scope=scope)
    rows, _ = await list_reservations(conn, wanted, limit=1, cursor=None)
    return rows[0] if rows else None


def _line(row: Any) -> dict[str, Any]:
    quantities = {
        name: shown(getattr(row, name), row.decimals)
        for name in ("requested", "claimed", "consumed", "released", "expired")
    }
    left = row.claimed - row.consumed - row.released - row.expired
    return {
        "line": row.line, "variant_id": row.variant, "sku": row.sku, "name": row.name, "unit": row.unit, "site_id": row.site,
        "site_code": row.site_code, "policy": row.policy, **quantities, "open": shown(left, row.decimals),
    }  # fmt: skip


def _reservation(row: Any, lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "state": row.state, "lapsed": bool(row.lapsed), "reference": row.reference,
        "channel_id": row.channel_id, "channel_code": row.channel_code, "expires_at": row.expires_at,
        "created_by": actor_of(row.created_by, row.actor_name, row.actor_kind), "created_at": row.created_at,
        "ended_at": row.ended_at, "version": row.version, "can": can(State(row.state)), "lines": lines,
    }  # fmt: skip


_BACKORDERS = """
SELECT v.id AS variant_id, v.sku, v.name, v.unit, v.decimals, p.id AS site_id, p.code AS site_code, p.path, b.max_quantity, b.note,
       b.approved_by, b.approved_at, b.ended_at, coalesce(s.reserved - s.sellable, 0) AS beyond, {actor}
  FROM backorder b JOIN variant v ON v.id = b.variant JOIN location p ON p.id = b.site
  LEFT JOIN site_level s ON s.variant = b.variant AND s.site = b.site {join}
 WHERE {where} ORDER BY v.sku, p.path LIMIT :limit
"""


async def list_backorders(
    conn: AsyncConnection, *, scope: Scope, variant_id: UUID | None = None, site_id: UUID | None = None,
    ended: bool | None = False, limit: int, cursor: str | None,
) -> Rows:  # fmt: skip
    """A page of approved backorders by SKU and site, and the next cursor. One query."""
    parameters: dict[str, Any] = {"limit": limit + 1, "scope": scope_param(scope)}
    where = [in_scope("b.site"), row_after([("v.sku", "text"), ("p.path", "text")], cursor, parameters)]
    for name, value in (("variant", variant_id), ("site", site_id)):
        if value is not None:
            parameters[name] = value
            where.append(f"b.{name} = CAST(:{name} AS uuid)")
    if ended is not None:
        where.append("b.ended_at IS NOT NULL" if ended else "b.ended_at IS NULL")
    sql = _BACKORDERS.format(where=" AND ".join(where), actor=ACTOR, join=join_actor("b.approved_by"))
    page, following = page_of(await fetch(conn, sql, parameters), limit, ["sku", "path"])
    return [_backorder(row) for row in page], following


def _backorder(row: Any) -> dict[str, Any]:
    return {
        "variant_id": row.variant_id, "sku": row.sku, "name": row.name, "unit": row.unit, "site_id": row.site_id,
        "site_code": row.site_code,
        "max_quantity": None if row.max_quantity is None else shown(row.max_quantity, row.decimals),
        "beyond": shown(max(0, row.beyond), row.decimals), "note": row.note,
        "approved_by": actor_of(row.approved_by, row.actor_name, row.actor_kind), "approved_at": row.approved_at,
        "state": "ended" if row.ended_at else "approved",
    }  # fmt: skip
