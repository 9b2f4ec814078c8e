"""Do the counts hold? The rule of docs/why/counts.md, looked at from outside by every verification."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import ledger


def _moved(side: str, more: str) -> str:
    return (
        f"FROM move m WHERE m.variant = k.variant AND m.{side}_location = k.location AND m.{side}_kept AND m.lot = k.lot"
        f" AND m.{side}_condition = k.condition AND m.happened_at <= k.happened_at AND {more}"
    )


_SINCE = "m.seq > k.known AND m.recorded_at >= k.known_at"
_UNSEEN = "m.seq > coalesce((SELECT seq FROM count_cursor), -1) AND m.recorded_at >= k.known_at"
_BROKEN = sa.text(
    "SELECT k.id, k.quantity, x.drift FROM counted_level k CROSS JOIN LATERAL (SELECT"
    f" coalesce((SELECT sum(m.quantity) {_moved('to', _SINCE)}), 0)"
    f" - coalesce((SELECT sum(m.quantity) {_moved('from', _SINCE)}), 0) - k.variance AS drift) x"
    " WHERE x.drift <> 0 AND NOT EXISTS (SELECT FROM reversal r WHERE r.original = k.posting)"
    " AND NOT EXISTS (SELECT FROM counted_level o WHERE o.variant = k.variant AND o.location = k.location AND o.lot = k.lot"
    " AND o.condition = k.condition AND o.happened_at = k.happened_at AND (o.known, o.id) > (k.known, k.id))"
    f" AND NOT EXISTS (SELECT {_moved('to', _UNSEEN)}) AND NOT EXISTS (SELECT {_moved('from', _UNSEEN)})"
    " ORDER BY k.id LIMIT 200"
)


async def counts_hold(conn: AsyncConnection) -> list[ledger.Difference]:
    """Check of the books: at the instant of every count that stands, the book is what was counted.

    Counts with facts before them that the reader has not seen yet are left out: they are about to be corrected.
    """
    return [
        ledger.Difference(
            "counted_levels", "counted_level", f"count {row.id}", "quantity", str(row.quantity + row.drift), str(row.quantity)
        )
        for row in await conn.execute(_BROKEN)
    ]  # fmt: skip
