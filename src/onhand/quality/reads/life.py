"""The whole life of a lot or serial number: every posting that touched it; and whether the serials' book is right."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import ledger
from onhand.kit.ids import NIL
from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.kit.tx import SYSTEM
from onhand.ledger import Condition
from onhand.values import format_units

_LIFE = """
SELECT m.seq, m.line, p.id AS posting_id, p.kind, m.happened_at, m.recorded_at, p.reason, p.source_type, p.source_id,
       m.quantity, v.decimals, m.from_condition, m.to_condition, m.from_location, f.path AS from_path,
       m.to_location, t.path AS to_path, p.actor, coalesce(u.name, k.name) AS actor_name
  FROM move m JOIN posting p ON p.seq = m.seq AND p.recorded_at = m.recorded_at JOIN variant v ON v.id = m.variant
  JOIN location f ON f.id = m.from_location JOIN location t ON t.id = m.to_location
  LEFT JOIN app_user u ON u.id = p.actor LEFT JOIN api_key k ON k.id = p.actor
 WHERE m.lot = :lot AND m.lot <> CAST('{nil}' AS uuid) AND {later}
   AND (CAST(:scope AS uuid[]) IS NULL OR f.site_id = ANY(CAST(:scope AS uuid[])) OR t.site_id = ANY(CAST(:scope AS uuid[])))
 ORDER BY m.seq DESC, m.line DESC LIMIT :limit
"""


async def life_of(
    conn: AsyncConnection, lot_id: UUID, *, scope: frozenset[UUID] | None, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of the moves of a lot, the newest first, and the next cursor. One query."""
    later, parameters = (
        "true",
        {"lot": lot_id, "limit": limit + 1, "scope": None if scope is None else sorted(scope)},
    )
    if cursor is not None:
        later = "(m.seq, m.line) < (CAST(:c_seq AS bigint), CAST(:c_line AS int))"
        parameters["c_seq"], parameters["c_line"] = decode_cursor(cursor, [int, int])
    rows = list(await conn.execute(sa.text(_LIFE.format(nil=NIL, later=later)), parameters))
    following = encode_cursor([rows[limit - 1].seq, rows[limit - 1].line]) if len(rows) > limit else None
    return [_entry(row) for row in rows[:limit]], following


def _entry(row: Any) -> dict[str, Any]:
    return {
        "seq": str(row.seq), "posting_id": row.posting_id, "kind": row.kind, "happened_at": row.happened_at,
        "recorded_at": row.recorded_at, "quantity": format_units(row.quantity, row.decimals), "reason": row.reason,
        "from": {"location_id": row.from_location, "code": row.from_path, "condition": Condition(row.from_condition).name},
        "to": {"location_id": row.to_location, "code": row.to_path, "condition": Condition(row.to_condition).name},
        "source": {"type": row.source_type, "id": row.source_id},
        "actor_name": SYSTEM.name if row.actor == NIL else row.actor_name or "",
    }  # fmt: skip


_SUMS = sa.text("""
SELECT s.lot, s.on_hand, coalesce(n.total, 0) AS total
  FROM serial s LEFT JOIN LATERAL (SELECT sum(l.on_hand) AS total FROM level l WHERE l.lot = s.lot AND l.lot <> CAST(:nil AS uuid)) n ON true
 WHERE s.on_hand <> coalesce(n.total, 0) LIMIT 200
""")


async def serial_sums(conn: AsyncConnection) -> list[ledger.Difference]:
    """Check of the books: what `serial` says of a number is what its levels add up to."""
    rows = await conn.execute(_SUMS, {"nil": NIL})
    return [
        ledger.Difference("serial_levels", "serial", f"lot {r.lot}", "on_hand", str(r.total), str(r.on_hand))
        for r in rows
    ]
