"""Late facts: which counts they touch, and what was corrected. The reader goes over the moves by number, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.counting.model import Checked
from onhand.counting.tables import count_correction, count_cursor, counted_level


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the reader has come: the number of a posting, and when it was recorded."""

    seq: int
    recorded_at: datetime


_BEGIN = sa.text(
    "INSERT INTO count_cursor (one, seq, recorded_at)"
    " SELECT 1, coalesce(k.seq, h.posting_n), coalesce(k.at, h.last_recorded_at) FROM stream_head h"
    " LEFT JOIN (SELECT min(known) AS seq, min(known_at) AS at FROM (SELECT known, known_at FROM counted_level"
    " UNION ALL SELECT known, known_at FROM count_cover) x) k ON true ON CONFLICT DO NOTHING"
)


async def lock_cursor(conn: AsyncConnection) -> Cursor | None:
    """Where the reader stands, locked; None while another one is at work. The first time it starts at the oldest count."""
    query = sa.select(count_cursor.c.seq, count_cursor.c.recorded_at).with_for_update(skip_locked=True)
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        await conn.execute(_BEGIN)
        row = (await conn.execute(query)).one_or_none()
    return None if row is None else Cursor(*row)


async def move_cursor(conn: AsyncConnection, through: int) -> None:
    """The reader has seen everything up to a posting."""
    await conn.execute(
        sa.text(
            "UPDATE count_cursor SET seq = :through, recorded_at = coalesce((SELECT p.recorded_at FROM posting p"
            " WHERE p.seq = :through AND p.recorded_at >= count_cursor.recorded_at), recorded_at)"
        ),
        {"through": through},
    )


_MOVES = """
WITH late AS (
  SELECT m.variant, m.to_location AS location, m.lot, m.to_condition AS condition, m.happened_at, m.seq FROM move m
   WHERE m.to_kept AND m.seq > :after AND m.seq <= :through AND m.recorded_at >= :since
  UNION ALL
  SELECT m.variant, m.from_location, m.lot, m.from_condition, m.happened_at, m.seq FROM move m
   WHERE m.from_kept AND m.seq > :after AND m.seq <= :through AND m.recorded_at >= :since
)
"""
_UNLISTED = sa.text(
    _MOVES
    + "SELECT DISTINCT c.entry, c.site, c.location, c.happened_at, c.known, c.known_at, c.posting, l.variant, l.lot,"
    " l.condition FROM late l JOIN count_cover c ON c.location = l.location AND c.happened_at >= l.happened_at"
    " AND c.known < l.seq WHERE NOT EXISTS (SELECT FROM counted_level k WHERE k.entry = c.entry AND k.variant = l.variant"
    " AND k.lot = l.lot AND k.condition = l.condition)"
)
_TOUCHED = sa.text(
    _MOVES + "SELECT l.variant, l.location, l.lot, l.condition, min(l.happened_at) AS since FROM late l"
    " WHERE EXISTS (SELECT FROM counted_level k WHERE k.variant = l.variant AND k.location = l.location AND k.lot = l.lot"
    " AND k.condition = l.condition AND k.happened_at >= l.happened_at AND k.known < l.seq)"
    " GROUP BY l.variant, l.location, l.lot, l.condition"
)


async def unlisted(conn: AsyncConnection, cursor: Cursor, through: int) -> Sequence[Any]:
    """Levels that new moves touch in bins counted as a whole, where no line named them: they held nothing then."""
    where = {"after": cursor.seq, "through": through, "since": cursor.recorded_at}
    return (await conn.execute(_UNLISTED, where)).all()


@dataclass(frozen=True, slots=True)
class Touched:
    """A counted level that new moves touched before some count; `since`: the earliest instant they happened at."""

    variant: UUID
    location: UUID
    lot: UUID
    condition: int
    since: datetime

    @property
    def key(self) -> tuple[UUID, UUID, UUID, int]:
        """variant, location, lot, condition"""
        return self.variant, self.location, self.lot, self.condition


async def touched(conn: AsyncConnection, cursor: Cursor, through: int) -> list[Touched]:
    """The counted levels that facts recorded in (cursor, through] touch at an instant before a count knew of them."""
    where = {"after": cursor.seq, "through": through, "since": cursor.recorded_at}
    return [Touched(*row) for row in await conn.execute(_TOUCHED, where)]


def _late(side: str) -> str:
    return (
        f"coalesce((SELECT sum(m.quantity) FROM move m WHERE m.variant = k.variant AND m.{side}_location = k.location"
        f" AND m.{side}_kept AND m.lot = k.lot AND m.{side}_condition = k.condition AND m.happened_at <= k.happened_at"
        " AND m.seq > k.known AND m.recorded_at >= k.known_at), 0)"
    )


_CHECK = sa.text(
    "SELECT k.variant, k.location, k.lot, k.condition, k.id, k.happened_at, k.known,"
    f" ({_late('to')} - {_late('from')} - k.variance)::bigint AS drift, k.corrected, k.site, k.unit_cost, k.currency,"
    " EXISTS (SELECT FROM reversal r WHERE r.original = k.posting) AS voided"
    " FROM unnest(CAST(:variants AS uuid[]), CAST(:locations AS uuid[]), CAST(:lots AS uuid[]), CAST(:conditions AS int2[]),"
    " CAST(:since AS timestamptz[])) AS w(variant, location, lot, condition, since)"
    " JOIN counted_level k ON k.variant = w.variant AND k.location = w.location AND k.lot = w.lot"
    " AND k.condition = w.condition AND k.happened_at >= w.since"
)


@dataclass(frozen=True, slots=True)
class CheckedLevel:
    """A count looked at again, with what a correction of it needs to know."""

    key: tuple[UUID, UUID, UUID, int]
    checked: Checked
    site: UUID
    unit_cost: Any
    currency: str | None


async def check(conn: AsyncConnection, levels: Sequence[Touched]) -> list[CheckedLevel]:
    """Every count of some levels from an instant on, looked at again. Exact under the levels' locks. One query."""
    rows = await conn.execute(
        _CHECK,
        {
            "variants": [x.variant for x in levels],
            "locations": [x.location for x in levels],
            "lots": [x.lot for x in levels],
            "conditions": [x.condition for x in levels],
            "since": [x.since for x in levels],
        },
    )
    return [
        CheckedLevel(
            (r.variant, r.location, r.lot, r.condition),
            Checked(r.id, r.happened_at, r.known, r.drift, r.corrected, r.voided),
            r.site, r.unit_cost, r.currency,
        )
        for r in rows
    ]  # fmt: skip


_WHICH = sa.text(
    "SELECT k.id, array_agg(DISTINCT p.id) AS late FROM counted_level k JOIN move m ON m.variant = k.variant AND m.lot = k.lot"
    " AND ((m.to_kept AND m.to_location = k.location AND m.to_condition = k.condition)"
    " OR (m.from_kept AND m.from_location = k.location AND m.from_condition = k.condition))"
    " AND m.happened_at <= k.happened_at AND m.seq > greatest(k.known, :after) AND m.recorded_at >= :since"
    " JOIN posting p ON p.seq = m.seq AND p.recorded_at = m.recorded_at AND p.id IS DISTINCT FROM k.posting"
    " WHERE k.id = ANY(:ids) GROUP BY k.id"
)


async def late_postings(
    conn: AsyncConnection, cursor: Cursor, counted: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    """Which postings came late for some counts, since the reader last looked."""
    rows = await conn.execute(
        _WHICH, {"ids": list(counted), "after": cursor.seq, "since": cursor.recorded_at}
    )
    return {row.id: sorted(row.late) for row in rows}


async def insert_corrections(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """What was corrected, linked to the count and to the late facts."""
    if not rows:
        return
    await conn.execute(pg.insert(count_correction), list(rows))
    for row in rows:
        await conn.execute(
            sa.update(counted_level)
            .where(counted_level.c.id == row["counted_level"])
            .values(corrected=counted_level.c.corrected + row["quantity"])
        )
