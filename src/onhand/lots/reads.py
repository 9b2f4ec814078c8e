"""What rules goods that arrive: open holds, certificates that are missing, and expiry on the site's own day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.locations import DEFAULT_DAY_START, business_day
from onhand.lots.model import Arrival, OpenHold, arrival

Goods = tuple[UUID, UUID, UUID]
"""variant, lot (nil: none), location"""

_ARRIVALS = sa.text("""
SELECT k.variant, k.lot, k.location, s.time_zone, s.day_start, l.expires_on,
       l.id IS NULL OR l.certificate_state = 'approved' OR NOT coalesce(pv.needs_certificate, pp.needs_certificate, false)
         AS certified,
       ARRAY(SELECT h.id::text || ' ' || h.condition FROM hold h LEFT JOIN location t ON t.id = h.location_id
              WHERE h.state = 'open' AND (h.lot_id IS NULL OR h.lot_id = k.lot)
                AND (h.variant_id IS NULL OR h.variant_id = k.variant)
                AND (t.id IS NULL OR p.path = t.path OR (p.path > t.path || '/' AND p.path < t.path || '0'))
              ORDER BY h.placed_at) AS holds
  FROM unnest(CAST(:variants AS uuid[]), CAST(:lots AS uuid[]), CAST(:locations AS uuid[])) AS k(variant, lot, location)
  JOIN location p ON p.id = k.location LEFT JOIN location s ON s.id = p.site_id
  LEFT JOIN lot l ON l.id = k.lot LEFT JOIN variant v ON v.id = k.variant
  LEFT JOIN lot_policy pv ON pv.subject_id = v.id LEFT JOIN lot_policy pp ON pp.subject_id = v.product_id
""")


async def arrivals(conn: AsyncConnection, goods: Sequence[Goods], *, now: datetime) -> dict[Goods, Arrival]:
    """Of some goods, those that may not become available where they arrive, and what they become. One query."""
    if not goods:
        return {}
    rows = await conn.execute(
        _ARRIVALS,
        {
            "variants": [g[0] for g in goods],
            "lots": [g[1] for g in goods],
            "locations": [g[2] for g in goods],
        },
    )
    out: dict[Goods, Arrival] = {}
    for row in rows:
        today = business_day(row.time_zone or "UTC", row.day_start or DEFAULT_DAY_START, now)
        holds = [_hold(text) for text in row.holds]
        found = arrival(holds, certified=row.certified, expires_on=row.expires_on, today=today)
        if found is not None:
            out[row.variant, row.lot, row.location] = found
    return out


def _hold(text: str) -> OpenHold:
    key, _, condition = text.partition(" ")
    return OpenHold(UUID(key), condition)


_SERIALS = sa.text("SELECT id FROM lot WHERE id = ANY(CAST(:ids AS uuid[])) AND kind = 'serial'")


async def serials_among(conn: AsyncConnection, lot_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Of some lots, those that are serial numbers. One query."""
    rows: Any = await conn.execute(_SERIALS, {"ids": list(lot_ids)})
    return frozenset(rows.scalars())
