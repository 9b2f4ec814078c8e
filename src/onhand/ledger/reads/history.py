"""A variant's history at a place, its chart, and where a number comes from.

An entry is a move seen from the places asked about: plus what came in, minus what went out; a move inside them is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import catalog, locations
from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.kit.problem import InvalidBody, NotFound
from onhand.ledger.reads.common import (
    ACTOR,
    Scope,
    actor_of,
    condition_name,
    fetch,
    in_scope,
    inside,
    join_actor,
    scope_param,
    shown,
)

Measure = Literal["on_hand", "sellable", "reserved"]
Rows = tuple[list[dict[str, Any]], str | None]
MAX_DAYS = 1100


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """A variant at one site, at one place with everything in it, or everywhere the caller sees; as recorded up to a seq."""

    variant_id: UUID
    site_id: UUID | None = None
    location_id: UUID | None = None
    measure: Measure = "on_hand"
    through_seq: int | None = None
    scope: Scope = None


def _place(alias: str, side: str, wanted: HistoryFilter) -> str:
    """That one side of a move lies in the places asked about, and counts for the measure."""
    terms = [f"m.{side}_kept", in_scope(f"{alias}.site_id")]
    if wanted.site_id is not None:
        terms.append(f"{alias}.site_id = CAST(:site_id AS uuid)")
    if wanted.location_id is not None:
        terms.append(
            f"{alias}.id = ANY(ARRAY(SELECT b.id FROM location t JOIN location b ON {inside('b', 't')}"
            " WHERE t.id = CAST(:location_id AS uuid)))"
        )
    if wanted.measure == "sellable":
        terms.append(f"{alias}.sells AND m.{side}_condition = 0")
    return " AND ".join(terms)


def _arm(side: str, other: str, sign: str, wanted: HistoryFilter) -> str:
    return f"""
  SELECT m.seq, m.line, m.happened_at, m.recorded_at, m.variant, {sign} m.quantity AS quantity, m.lot,
         m.{side}_condition AS condition, a.id AS location_id, a.code AS location_code, o.code AS other_code
    FROM move m JOIN location a ON a.id = m.{side}_location JOIN location o ON o.id = m.{other}_location
   WHERE m.variant = ANY(CAST(:family AS uuid[])) AND {_place("a", side, wanted)}
     AND ({_place("o", other, wanted)}) IS NOT TRUE
     AND m.seq <= coalesce(CAST(:through AS bigint), m.seq)"""


def _entries(wanted: HistoryFilter) -> str:
    if wanted.measure == "reserved":
        return f"""
  SELECT c.seq, c.line, p.happened_at, c.recorded_at, c.variant, c.quantity,
         CAST('00000000-0000-0000-0000-000000000000' AS uuid) AS lot, CAST(0 AS smallint) AS condition,
         s.id AS location_id, s.code AS location_code, CAST(NULL AS text) AS other_code
    FROM claim c JOIN location s ON s.id = c.site JOIN posting p ON p.seq = c.seq AND p.recorded_at = c.recorded_at
   WHERE c.variant = ANY(CAST(:family AS uuid[])) AND {in_scope("c.site")}
     AND c.site = coalesce(CAST(:site_id AS uuid), c.site) AND c.seq <= coalesce(CAST(:through AS bigint), c.seq)"""
    return _arm("from", "to", "-", wanted) + "\n  UNION ALL" + _arm("to", "from", "", wanted)


_PAGE = """
WITH entry AS ({entries}),
page AS (SELECT * FROM entry e WHERE {after} ORDER BY e.happened_at DESC, e.seq DESC, e.line DESC LIMIT :limit),
top AS (SELECT happened_at, seq, line FROM page ORDER BY happened_at DESC, seq DESC, line DESC LIMIT 1),
opening AS (SELECT sum(e.quantity) AS total FROM entry e, top t WHERE (e.happened_at, e.seq, e.line) <= (t.happened_at, t.seq, t.line))
SELECT e.*, (SELECT total FROM opening) - coalesce(sum(e.quantity) OVER (ORDER BY e.happened_at DESC, e.seq DESC, e.line DESC
         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS balance,
       p.id AS posting_id, p.kind, p.source_type, p.source_id, p.actor, p.reason, g.code AS lot_code, {actor}
  FROM page e JOIN posting p ON p.seq = e.seq AND p.recorded_at = e.recorded_at LEFT JOIN lot g ON g.id = e.lot {join}
 ORDER BY e.happened_at DESC, e.seq DESC, e.line DESC
"""


async def _subject(conn: AsyncConnection, wanted: HistoryFilter) -> tuple[dict[str, Any], Any]:
    """The parameters all queries share, and the variant. Two queries. Raises NotFound."""
    known = (await catalog.resolve_ids(conn, [wanted.variant_id])).get(wanted.variant_id)
    if known is None:
        raise NotFound("There is no variant with this id.", param="variant_id")
    family = await catalog.families(conn, [known.variant_id])
    parameters = {
        "family": family[known.variant_id],
        "site_id": wanted.site_id,
        "location_id": wanted.location_id,
        "through": wanted.through_seq,
        "scope": scope_param(wanted.scope),
    }
    return parameters, known


async def history(conn: AsyncConnection, wanted: HistoryFilter, *, limit: int, cursor: str | None) -> Rows:
    """A page of entries in the order of the world, newest first, each with the balance after it; and the next cursor.

    Three queries. Rows of variants merged into this one count as its own. Raises NotFound.
    """
    parameters, known = await _subject(conn, wanted)
    parameters["limit"] = limit + 1
    after = "true"
    if cursor is not None:
        for name, value in zip(
            ("c_at", "c_seq", "c_line"), decode_cursor(cursor, [datetime, int, int]), strict=True
        ):
            parameters[name] = value
        after = (
            "e.happened_at <= CAST(:c_at AS timestamptz) AND (e.happened_at, e.seq, e.line)"
            " < (CAST(:c_at AS timestamptz), CAST(:c_seq AS bigint), CAST(:c_line AS int))"
        )
    sql = _PAGE.format(entries=_entries(wanted), after=after, actor=ACTOR, join=join_actor("p.actor"))
    rows = await fetch(conn, sql, parameters)
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = encode_cursor([rows[-1].happened_at, rows[-1].seq, rows[-1].line])
    return [_shape(row, known.decimals) for row in rows], following


def _shape(row: Any, decimals: int) -> dict[str, Any]:
    return {
        "seq": str(row.seq), "posting_id": row.posting_id, "kind": row.kind, "happened_at": row.happened_at,
        "recorded_at": row.recorded_at, "quantity": shown(row.quantity, decimals), "balance": shown(row.balance, decimals),
        "source": {"type": row.source_type, "id": row.source_id}, "reason": row.reason,
        "actor": actor_of(row.actor, row.actor_name, row.actor_kind), "lot_code": row.lot_code,
        "condition": condition_name(row.condition), "location_id": row.location_id, "location_code": row.location_code,
        "other_code": row.other_code,
    }  # fmt: skip


_CHART = """
SELECT width_bucket(e.happened_at, CAST(:edges AS timestamptz[])) AS bucket, sum(e.quantity)::bigint AS quantity
  FROM ({entries}) e GROUP BY 1
"""


async def chart(
    conn: AsyncConnection, wanted: HistoryFilter, *, first: date | None, last: date | None, now: datetime
) -> list[dict[str, Any]]:
    """What was on hand at the end of each business day, `first` to `last` (default: the 30 days up to today).

    Days are the site's (UTC where no site is named). Three queries. Raises NotFound, InvalidBody.
    """
    parameters, known = await _subject(conn, wanted)
    zone, start = await _day_of(conn, wanted)
    last = last or locations.business_day(zone, start, now)
    first = first or last - timedelta(days=29)
    days = (last - first).days + 1
    if not 0 < days <= MAX_DAYS:
        raise InvalidBody(f"A chart shows 1 to {MAX_DAYS} days; `from` comes before `to`.", param="from")
    edges = [locations.day_begins(zone, start, first + timedelta(days=n)) for n in range(days + 1)]
    parameters["edges"] = edges
    rows = await fetch(conn, _CHART.format(entries=_entries(wanted)), parameters)
    change = {row.bucket: row.quantity for row in rows}
    balance, points = change.get(0, 0), []
    for n in range(days):
        balance += change.get(n + 1, 0)
        points.append({"at": first + timedelta(days=n), "on_hand": shown(balance, known.decimals)})
    return points


async def _day_of(conn: AsyncConnection, wanted: HistoryFilter) -> tuple[str, Any]:
    rows = await fetch(
        conn,
        "SELECT s.time_zone, s.day_start FROM location p JOIN location s ON s.id = p.site_id"
        " WHERE p.id = coalesce(CAST(:site_id AS uuid), CAST(:location_id AS uuid))",
        {"site_id": wanted.site_id, "location_id": wanted.location_id},
    )
    zone = rows[0].time_zone if rows and rows[0].time_zone else "UTC"
    start = rows[0].day_start if rows and rows[0].day_start else datetime.min.time()
    return zone, start


_EXPLAIN = """
WITH entry AS ({entries}),
part AS (SELECT p.kind, sum(e.quantity)::bigint AS quantity FROM entry e
           JOIN posting p ON p.seq = e.seq AND p.recorded_at = e.recorded_at GROUP BY p.kind)
SELECT NULL AS label, ({value})::bigint AS quantity, (SELECT posting_n FROM stream_head) AS seq
UNION ALL SELECT kind, quantity, NULL FROM part
"""
_VALUES = {
    "on_hand": "SELECT coalesce(sum(l.on_hand), 0) FROM level l JOIN location a ON a.id = l.location"
    " WHERE l.variant = ANY(CAST(:family AS uuid[])) AND a.site_id = coalesce(CAST(:site_id AS uuid), a.site_id)",
    "sellable": "SELECT coalesce(sum(s.sellable), 0) FROM site_level s"
    " WHERE s.variant = ANY(CAST(:family AS uuid[])) AND s.site = coalesce(CAST(:site_id AS uuid), s.site)",
    "reserved": "SELECT coalesce(sum(s.reserved), 0) FROM site_level s"
    " WHERE s.variant = ANY(CAST(:family AS uuid[])) AND s.site = coalesce(CAST(:site_id AS uuid), s.site)",
}
_SCOPED = {"on_hand": "a.site_id", "sellable": "s.site", "reserved": "s.site"}


async def explain(conn: AsyncConnection, wanted: HistoryFilter, *, limit: int) -> dict[str, Any]:
    """A number with the exact rows it is made of: its value now, the sum of each kind of posting, and the newest rows.

    `agrees` says whether the sums meet the value. All is as of one posting number, `after_seq`. Six queries. Raises NotFound.
    """
    parameters, known = await _subject(conn, wanted)
    value_sql = f"{_VALUES[wanted.measure]} AND {in_scope(_SCOPED[wanted.measure])}"
    if wanted.measure == "on_hand" and wanted.site_id is None:
        value_sql = value_sql.replace(" AND a.site_id = coalesce(CAST(:site_id AS uuid), a.site_id)", "")
    rows = await fetch(conn, _EXPLAIN.format(entries=_entries(wanted), value=value_sql), parameters)
    head = next(row for row in rows if row.seq is not None)
    parts = sorted((row for row in rows if row.seq is None), key=lambda row: -abs(row.quantity))
    through = HistoryFilter(
        variant_id=wanted.variant_id, site_id=wanted.site_id, measure=wanted.measure, through_seq=head.seq, scope=wanted.scope
    )  # fmt: skip
    entries, _ = await history(conn, through, limit=limit, cursor=None)
    return {
        "value": shown(head.quantity, known.decimals), "unit": known.unit, "rows": entries,
        "parts": [{"label": row.label, "value": shown(row.quantity, known.decimals)} for row in parts],
        "after_seq": str(head.seq), "agrees": head.quantity == sum(row.quantity for row in parts),
    }  # fmt: skip
