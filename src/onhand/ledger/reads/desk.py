"""What waits for a person: exceptions and approvals; and whether the books hold together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.ledger.reads.common import ACTOR, Scope, actor_of, fetch, in_scope, join_actor, scope_param, shown

Rows = tuple[list[dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionFilter:
    """Which exceptions."""

    exception_id: UUID | None = None
    state: Literal["open", "resolved"] | None = None
    kind: str | None = None
    site_id: UUID | None = None
    variant_id: UUID | None = None
    scope: Scope = None


_EXCEPTIONS = """
SELECT e.id, e.kind, e.site, s.code AS site_code, e.variant, v.sku, v.name, v.unit, v.decimals, e.quantity, e.posting_id,
       e.source_type, e.source_id, e.actor, e.detail, e.opened_at, e.state, e.resolved_at, e.resolved_by, e.resolution,
       coalesce(ru.name, rk.name) AS resolved_by_name, {actor}
  FROM exception e LEFT JOIN location s ON s.id = e.site LEFT JOIN variant v ON v.id = e.variant
  LEFT JOIN app_user ru ON ru.id = e.resolved_by LEFT JOIN api_key rk ON rk.id = e.resolved_by {join}
 WHERE {where} ORDER BY e.opened_at DESC, e.id DESC LIMIT :limit
"""


def _before(column: str, cursor: str | None, parameters: dict[str, Any], alias: str) -> str:
    if cursor is None:
        return "true"
    parameters["c_at"], parameters["c_id"] = decode_cursor(cursor, [datetime, UUID])
    return f"({alias}.{column}, {alias}.id) < (CAST(:c_at AS timestamptz), CAST(:c_id AS uuid))"


async def list_exceptions(
    conn: AsyncConnection, wanted: ExceptionFilter, *, limit: int, cursor: str | None
) -> Rows:
    """A page of exceptions, the newest first, and the next cursor. One query."""
    parameters: dict[str, Any] = {"limit": limit + 1, "scope": scope_param(wanted.scope)}
    where = [in_scope("e.site"), _before("opened_at", cursor, parameters, "e")]
    for name, clause in (
        ("exception_id", "e.id = CAST(:exception_id AS uuid)"),
        ("kind", "e.kind = CAST(:kind AS text)"),
        ("site_id", "e.site = CAST(:site_id AS uuid)"),
        ("variant_id", "e.variant = CAST(:variant_id AS uuid)"),
    ):
        if getattr(wanted, name) is not None:
            parameters[name] = getattr(wanted, name)
            where.append(clause)
    if wanted.state is not None:  # spelt out, so that the partial index of open ones serves
        where.append("e.state = 'open'" if wanted.state == "open" else "e.state = 'resolved'")
    sql = _EXCEPTIONS.format(where=" AND ".join(where), actor=ACTOR, join=join_actor("e.actor"))
    rows = await fetch(conn, sql, parameters)
    following = encode_cursor([rows[limit - 1].opened_at, rows[limit - 1].id]) if len(rows) > limit else None
    return [_exception(row) for row in rows[:limit]], following


def _exception(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "site_id": row.site, "site_code": row.site_code, "variant_id": row.variant,
        "sku": row.sku, "name": row.name, "unit": row.unit,
        "quantity": None if row.quantity is None else shown(row.quantity, row.decimals or 0),
        "posting_id": row.posting_id, "source": {"type": row.source_type, "id": row.source_id},
        "actor": actor_of(row.actor, row.actor_name, row.actor_kind), "detail": row.detail, "opened_at": row.opened_at,
        "state": row.state, "resolved_at": row.resolved_at,
        "resolved_by": actor_of(row.resolved_by, row.resolved_by_name, None) if row.resolved_by else None,
        "resolution": row.resolution, "can": ["resolve"] if row.state == "open" else [],
    }  # fmt: skip


async def get_exception(conn: AsyncConnection, exception_id: UUID, *, scope: Scope) -> dict[str, Any] | None:
    """One exception, or None. One query."""
    rows, _ = await list_exceptions(
        conn, ExceptionFilter(exception_id=exception_id, scope=scope), limit=1, cursor=None
    )
    return rows[0] if rows else None


_APPROVALS = """
SELECT a.id, a.verb, a.site, s.code AS site_code, a.body, a.asked_by, a.asked_by_name, a.asked_at, a.why, a.state,
       a.decided_by, a.decided_at, a.decision_note, {actor}
  FROM approval a LEFT JOIN location s ON s.id = a.site {join}
 WHERE {where} ORDER BY a.asked_at DESC, a.id DESC LIMIT :limit
"""


async def list_approvals(
    conn: AsyncConnection, *, state: str | None, approval_id: UUID | None = None, scope: Scope, caller: UUID, limit: int,
    cursor: str | None,
) -> Rows:  # fmt: skip
    """A page of what waits or waited for a second person, the newest first, and the next cursor. One query.

    `can` is empty for the one who asked.
    """
    parameters: dict[str, Any] = {
        "limit": limit + 1,
        "scope": scope_param(scope),
        "state": state,
        "id": approval_id,
    }
    where = [in_scope("a.site"), _before("asked_at", cursor, parameters, "a")]
    if state is not None:
        where.append("a.state = CAST(:state AS text)")
    if approval_id is not None:
        where.append("a.id = CAST(:id AS uuid)")
    sql = _APPROVALS.format(where=" AND ".join(where), actor=ACTOR, join=join_actor("a.decided_by"))
    rows = await fetch(conn, sql, parameters)
    following = encode_cursor([rows[limit - 1].asked_at, rows[limit - 1].id]) if len(rows) > limit else None
    return [_approval(row, caller) for row in rows[:limit]], following


def _approval(row: Any, caller: UUID) -> dict[str, Any]:
    free = row.state == "waiting" and row.asked_by != caller
    return {
        "id": row.id, "verb": row.verb, "site_id": row.site, "site_code": row.site_code, "request": row.body["shown"],
        "asked_by": {"id": row.asked_by, "kind": "user", "name": row.asked_by_name}, "asked_at": row.asked_at,
        "why": row.why, "state": row.state,
        "decided_by": actor_of(row.decided_by, row.actor_name, row.actor_kind) if row.decided_by else None,
        "decided_at": row.decided_at, "decision_note": row.decision_note,
        "can": ["approve", "reject"] if free else [],
    }  # fmt: skip
