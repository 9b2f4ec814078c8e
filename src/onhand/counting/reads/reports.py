"""Shrinkage at cost, and who set numbers by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import ledger
from onhand.kit.ids import NIL
from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.kit.tx import SYSTEM

AHEAD = timedelta(minutes=10)
"""How much earlier than its instant a fact may have been recorded: clocks of devices run ahead a little."""
REASONS = sorted(r.value for r in ledger.Reason if r.value not in ("opening", "production"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From an instant up to another, at the sites somebody may see."""

    happened_after: datetime
    happened_before: datetime
    site_id: UUID | None = None
    scope: frozenset[UUID] | None = None

    def parameters(self) -> dict[str, Any]:
        """As the statements take them; facts are not recorded before they happen, which leaves months out."""
        return {
            "begin": self.happened_after, "end": self.happened_before, "since": self.happened_after - AHEAD,
            "site": self.site_id, "scope": None if self.scope is None else sorted(self.scope),
        }  # fmt: skip


_WHERE = (
    " m.recorded_at >= CAST(:since AS timestamptz) AND m.happened_at >= CAST(:begin AS timestamptz)"
    " AND m.happened_at < CAST(:end AS timestamptz)"
    " AND (CAST(:site AS uuid) IS NULL OR s.id = CAST(:site AS uuid))"
    " AND (CAST(:scope AS uuid[]) IS NULL OR s.id = ANY(CAST(:scope AS uuid[])))"
)
_VALUE = "m.quantity * coalesce(m.unit_cost, v.cost, 0) / power(10::numeric, v.decimals)"
_SIDES = """
  SELECT m.variant, m.happened_at, m.seq, m.recorded_at, CASE WHEN m.from_kept THEN m.from_location ELSE m.to_location END AS place,
         m.from_kept AS lost, m.quantity, m.unit_cost
    FROM move m JOIN location t ON t.id = CASE WHEN m.from_kept THEN m.to_location ELSE m.from_location END
   WHERE m.from_kept <> m.to_kept AND t.kind IN ('adjustment', 'scrap') AND m.recorded_at >= CAST(:since AS timestamptz)
"""
_SHRINKAGE = f"""
SELECT * FROM (
  SELECT to_char(date_trunc(:period, m.happened_at AT TIME ZONE coalesce(s.time_zone, 'UTC')), 'YYYY-MM-DD') AS period,
         s.id AS site, s.code AS site_code, c.id AS category_id, coalesce(c.path, '') AS category, r.reason,
         count(*) AS lines, coalesce(sum({_VALUE}) FILTER (WHERE m.lost), 0) AS lost,
         coalesce(sum({_VALUE}) FILTER (WHERE NOT m.lost), 0) AS found,
         count(*) FILTER (WHERE coalesce(m.unit_cost, v.cost) IS NULL) AS unpriced
    FROM ({_SIDES}) m JOIN location p ON p.id = m.place JOIN location s ON s.id = p.site_id
    JOIN posting o ON o.seq = m.seq AND o.recorded_at = m.recorded_at
    JOIN variant v ON v.id = m.variant JOIN product d ON d.id = v.product_id LEFT JOIN category c ON c.id = d.category_id
    CROSS JOIN LATERAL (SELECT CASE WHEN o.kind = 'reverse' THEN 'reversal'
      WHEN o.reason = ANY(CAST(:reasons AS text[])) THEN o.reason ELSE 'other' END AS reason) r
   WHERE {_WHERE} AND coalesce(o.reason, '') NOT IN ('opening', 'production')
   GROUP BY 1, 2, 3, 4, 5, 6) x
 WHERE {{after}} ORDER BY period, site_code, category, reason LIMIT :limit
"""


async def list_shrinkage(
    conn: AsyncConnection, span: Span, *, period: str, currency: str, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """What was lost and found, at cost, by period, site, category and reason. One pass over the moves of that time.

    Every correction is in it: counts and what late facts did to them, adjustments, stock-sets, scrap and their reversals.
    """
    parameters = span.parameters() | {"period": period, "limit": limit + 1, "reasons": REASONS}
    behind = "true"
    if cursor is not None:
        values = decode_cursor(cursor, [str, str, str, str])
        parameters |= {f"a{n}": value for n, value in enumerate(values)}
        behind = "(period, site_code, category, reason) > (:a0, :a1, :a2, :a3)"
    rows = (await conn.execute(sa.text(_SHRINKAGE.format(after=behind)), parameters)).all()
    page = rows[:limit]
    following = (
        encode_cursor([page[-1].period, page[-1].site_code, page[-1].category, page[-1].reason])
        if len(rows) > limit
        else None
    )
    return [
        {
            "period": date.fromisoformat(r.period), "site_id": r.site, "site_code": r.site_code,
            "category_id": r.category_id, "category_name": r.category or None, "reason": r.reason, "lines": r.lines,
            "lost": f"{r.lost:.2f}", "found": f"{r.found:.2f}", "net": f"{r.found - r.lost:.2f}",
            "unpriced_lines": r.unpriced, "currency": currency,
        }
        for r in page
    ], following  # fmt: skip


_OVERRIDES = f"""
WITH done AS (
  SELECT o.actor AS actor, s.id AS site, 1 AS what, {_VALUE} AS value, o.kind, false AS over
    FROM ({_SIDES}) m JOIN location p ON p.id = m.place JOIN location s ON s.id = p.site_id
    JOIN posting o ON o.seq = m.seq AND o.recorded_at = m.recorded_at JOIN variant v ON v.id = m.variant
   WHERE {_WHERE} AND o.kind IN ('adjust', 'set') AND coalesce(o.reason, '') <> 'opening'
  UNION ALL
  SELECT b.decided_by, b.site, 1, abs(coalesce(b.value, 0)), 'count', b.over FROM bin_count b JOIN count_entry e ON e.id = b.entry
    JOIN location s ON s.id = b.site
   WHERE b.state = 'posted' AND b.decided_by IS NOT NULL AND b.decided_by <> e.actor
     AND b.decided_at >= CAST(:begin AS timestamptz) AND b.decided_at < CAST(:end AS timestamptz)
     AND (CAST(:site AS uuid) IS NULL OR s.id = CAST(:site AS uuid))
     AND (CAST(:scope AS uuid[]) IS NULL OR s.id = ANY(CAST(:scope AS uuid[]))))
SELECT d.actor, coalesce(u.name, k.name) AS name, CASE WHEN u.id IS NOT NULL THEN 'user' ELSE 'key' END AS kind, d.site,
       s.code AS site_code, count(*) FILTER (WHERE d.kind = 'adjust') AS adjustments,
       count(*) FILTER (WHERE d.kind = 'set') AS stock_sets, count(*) FILTER (WHERE d.kind = 'count') AS counts_approved,
       count(*) FILTER (WHERE d.over) AS over_tolerance,
       coalesce(sum(d.value) FILTER (WHERE d.kind <> 'count'), 0) AS adjusted,
       coalesce(sum(d.value) FILTER (WHERE d.kind = 'count'), 0) AS approved
  FROM done d JOIN location s ON s.id = d.site LEFT JOIN app_user u ON u.id = d.actor LEFT JOIN api_key k ON k.id = d.actor
 WHERE {{after}} GROUP BY d.actor, u.id, u.name, k.name, d.site, s.code ORDER BY d.actor, s.code LIMIT :limit
"""


async def list_overrides(
    conn: AsyncConnection, span: Span, *, currency: str, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Who set numbers by hand, and whose counts they believed beyond tolerance, by person and site."""
    parameters = span.parameters() | {"limit": limit + 1}
    behind = "true"
    if cursor is not None:
        parameters["a0"], parameters["a1"] = decode_cursor(cursor, [UUID, str])
        behind = "(d.actor, s.code) > (CAST(:a0 AS uuid), :a1)"
    rows = (await conn.execute(sa.text(_OVERRIDES.format(after=behind)), parameters)).all()
    page = rows[:limit]
    following = encode_cursor([page[-1].actor, page[-1].site_code]) if len(rows) > limit else None
    return [
        {
            "actor": {"id": r.actor, "kind": "system" if r.actor == NIL else r.kind,
                      "name": SYSTEM.name if r.actor == NIL else r.name or ""},
            "site_id": r.site, "site_code": r.site_code, "adjustments": r.adjustments, "stock_sets": r.stock_sets,
            "counts_approved": r.counts_approved, "over_tolerance": r.over_tolerance,
            "adjusted": f"{r.adjusted:.2f}", "approved": f"{r.approved:.2f}", "currency": currency,
        }
        for r in page
    ], following  # fmt: skip
