"""Postings as they were recorded, with their lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.ledger.model import reversal_refused
from onhand.ledger.reads.common import (
    ACTOR,
    Scope,
    actor_of,
    condition_name,
    cost_of,
    fetch,
    in_scope,
    inside,
    join_actor,
    scope_param,
    shown,
)

Rows = tuple[list[dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingFilter:
    """Which postings. `location_id` means the place and everything in it."""

    posting_id: UUID | None = None
    variant_id: UUID | None = None
    location_id: UUID | None = None
    kind: str | None = None
    source_type: str | None = None
    source_id: UUID | None = None
    actor: UUID | None = None
    happened_after: datetime | None = None
    happened_before: datetime | None = None
    recorded_after: datetime | None = None
    scope: Scope = None


_PLACES = f"ARRAY(SELECT b.id FROM location t JOIN location b ON {inside('b', 't')} WHERE t.id = CAST(:location_id AS uuid))"
_AT = f"(m.from_location = ANY({_PLACES}) OR m.to_location = ANY({_PLACES}))"
_LINE = "SELECT true FROM move m WHERE m.seq = p.seq AND m.recorded_at = p.recorded_at"
_SEEN = f"ARRAY(SELECT x.id FROM location x WHERE {in_scope('x.site_id')})"
_VISIBLE = (
    f"(CAST(:scope AS uuid[]) IS NULL OR ({_LINE} AND (m.from_location = ANY({_SEEN}) OR m.to_location = ANY({_SEEN})) LIMIT 1)"
    " OR (SELECT true FROM claim c WHERE c.seq = p.seq AND c.recorded_at = p.recorded_at"
    f" AND {in_scope('c.site')} LIMIT 1))"
)
"""LIMIT keeps these asked row by row from the newest on: a join would read the whole ledger for one page."""
_QUIET = f"""
SELECT count(*) <= 200 AS quiet FROM (SELECT FROM level l WHERE l.location = ANY({_PLACES}) LIMIT 201) few
"""
_OF_PLACE = (
    "p.seq IN (SELECT m.seq FROM level l JOIN move m ON m.variant = l.variant AND m.from_location = l.location AND m.from_kept"
    f" WHERE l.location = ANY({_PLACES}) UNION"
    " SELECT m.seq FROM level l JOIN move m ON m.variant = l.variant AND m.to_location = l.location AND m.to_kept"
    f" WHERE l.location = ANY({_PLACES}))"
)
"""For a place with few levels: all its postings, by the indexes of variant and place."""
_CLAUSES = {
    "posting_id": "(p.seq, p.recorded_at) = (SELECT k.seq, k.recorded_at FROM posting_key k WHERE k.id = CAST(:posting_id AS uuid))",
    "kind": "p.kind = CAST(:kind AS text)",
    "source_type": "p.source_type = CAST(:source_type AS text)",
    "source_id": "p.source_id = CAST(:source_id AS uuid)",
    "actor": "p.actor = CAST(:actor AS uuid)",
    "happened_after": "p.happened_at > CAST(:happened_after AS timestamptz)",
    "happened_before": "p.happened_at < CAST(:happened_before AS timestamptz)",
    "recorded_after": "p.recorded_at > CAST(:recorded_after AS timestamptz)",
}
_OF_VARIANT = (
    "p.seq IN (SELECT m.seq FROM move m WHERE m.variant = CAST(:variant_id AS uuid) AND m.from_kept {at}"
    " UNION SELECT m.seq FROM move m WHERE m.variant = CAST(:variant_id AS uuid) AND m.to_kept {at})"
)
_POSTINGS = """
SELECT p.seq, p.id, p.kind, p.source_type, p.source_id, p.actor, p.device, p.happened_at, p.recorded_at, p.reverses, p.reason,
       r.by AS reversed_by, {actor}
  FROM posting p LEFT JOIN reversal r ON r.original = p.id {join}
 WHERE {where} ORDER BY p.seq DESC LIMIT :limit
"""
_LINES = f"""
SELECT m.seq, m.line, m.variant AS variant_id, v.sku, v.unit, v.decimals, m.lot, o.code AS lot_code, m.quantity, m.unit_cost, m.currency,
       f.id AS from_id, f.code AS from_code, m.from_condition, t.id AS to_id, t.code AS to_code, m.to_condition
  FROM move m JOIN variant v ON v.id = m.variant JOIN location f ON f.id = m.from_location
  JOIN location t ON t.id = m.to_location LEFT JOIN lot o ON o.id = m.lot
 WHERE m.seq = ANY(CAST(:seqs AS bigint[])) AND m.recorded_at BETWEEN :first AND :last
   AND ({in_scope("f.site_id")} OR {in_scope("t.site_id")})
 ORDER BY m.seq, m.line
"""
_CLAIMS = f"""
SELECT c.seq, c.reservation, c.variant AS variant_id, v.sku, v.unit, v.decimals, s.id AS site_id, s.code AS site_code, c.quantity
  FROM claim c JOIN variant v ON v.id = c.variant JOIN location s ON s.id = c.site
 WHERE c.seq = ANY(CAST(:seqs AS bigint[])) AND c.recorded_at BETWEEN :first AND :last AND {in_scope("c.site")}
 ORDER BY c.seq, c.line
"""


async def list_postings(
    conn: AsyncConnection, wanted: PostingFilter, *, limit: int, cursor: str | None, costs: bool
) -> Rows:
    """A page of postings, the newest record first, with the lines the caller may see; and the next cursor. Three queries, four by place."""
    parameters: dict[str, Any] = {"limit": limit + 1, "scope": scope_param(wanted.scope)}
    where = [_VISIBLE]
    for name, clause in _CLAUSES.items():
        value = getattr(wanted, name)
        if value is not None:
            parameters[name] = value
            where.append(clause)
    if wanted.location_id is not None:
        parameters["location_id"] = wanted.location_id
    if wanted.variant_id is not None:
        parameters["variant_id"] = wanted.variant_id
        where.append(_OF_VARIANT.format(at=f"AND {_AT}" if wanted.location_id is not None else ""))
    elif wanted.location_id is not None:
        quiet = (await fetch(conn, _QUIET, parameters))[0].quiet
        where.append(_OF_PLACE if quiet else f"({_LINE} AND {_AT} LIMIT 1)")
    if cursor is not None:
        parameters["before"] = decode_cursor(cursor, [int])[0]
        where.append("p.seq < CAST(:before AS bigint)")
    sql = _POSTINGS.format(where=" AND ".join(where), actor=ACTOR, join=join_actor("p.actor"))
    rows = await fetch(conn, sql, parameters)
    page, following = rows[:limit], None
    if len(rows) > limit:
        following = encode_cursor([page[-1].seq])
    return await _with_lines(conn, page, wanted.scope, costs=costs), following


async def get_posting(
    conn: AsyncConnection, posting_id: UUID, *, scope: Scope, costs: bool
) -> dict[str, Any] | None:
    """One posting with its lines, or None when there is none or the caller may not see it. Three queries."""
    rows, _ = await list_postings(
        conn, PostingFilter(posting_id=posting_id, scope=scope), limit=1, cursor=None, costs=costs
    )
    return rows[0] if rows else None


async def _with_lines(
    conn: AsyncConnection, page: Sequence[Any], scope: Scope, *, costs: bool
) -> list[dict[str, Any]]:
    if not page:
        return []
    parameters = {
        "seqs": [row.seq for row in page],
        "first": min(row.recorded_at for row in page),
        "last": max(row.recorded_at for row in page),
        "scope": scope_param(scope),
    }
    lines: dict[int, list[dict[str, Any]]] = {row.seq: [] for row in page}
    claims: dict[int, list[dict[str, Any]]] = {row.seq: [] for row in page}
    for row in await fetch(conn, _LINES, parameters):
        lines[row.seq].append(_line(row, costs=costs))
    for row in await fetch(conn, _CLAIMS, parameters):
        claims[row.seq].append(
            {
                "reservation_id": row.reservation, "variant_id": row.variant_id, "sku": row.sku, "site_id": row.site_id,
                "site_code": row.site_code, "quantity": shown(row.quantity, row.decimals), "unit": row.unit,
            }
        )  # fmt: skip
    return [_shape(row, lines[row.seq], claims[row.seq]) for row in page]


def _line(row: Any, *, costs: bool) -> dict[str, Any]:
    return {
        "variant_id": row.variant_id, "sku": row.sku, "lot_code": row.lot_code,
        "from": {"location_id": row.from_id, "code": row.from_code, "condition": condition_name(row.from_condition)},
        "to": {"location_id": row.to_id, "code": row.to_code, "condition": condition_name(row.to_condition)},
        "quantity": shown(row.quantity, row.decimals), "unit": row.unit,
        "unit_cost": cost_of(row.unit_cost, row.currency) if costs else None,
    }  # fmt: skip


def _shape(row: Any, lines: list[dict[str, Any]], claims: list[dict[str, Any]]) -> dict[str, Any]:
    free = row.reversed_by is None and reversal_refused(row.kind, row.source_type) is None
    return {
        "id": row.id, "seq": str(row.seq), "kind": row.kind,
        "source": {"type": row.source_type, "id": row.source_id},
        "actor": actor_of(row.actor, row.actor_name, row.actor_kind), "device": row.device,
        "happened_at": row.happened_at, "recorded_at": row.recorded_at, "reason": row.reason,
        "reverses": row.reverses, "reversed_by": row.reversed_by, "lines": lines, "claims": claims,
        "can": ["reverse"] if free else [],
    }  # fmt: skip
