"""What the verbs of quality look up before they post: levels by lot, variant and place, and lots that ask for something."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_NIL = "CAST('00000000-0000-0000-0000-000000000000' AS uuid)"


@dataclass(frozen=True, slots=True)
class Lying:
    """Goods as they lie: a level with what it is of and where. Quantities in smallest units."""

    variant: UUID
    lot: UUID
    location: UUID
    condition: int
    on_hand: int
    allocated: int
    sku: str
    decimals: int
    lot_code: str | None
    expires_on: date | None
    lot_since: datetime | None
    path: str
    site: UUID | None
    site_code: str
    time_zone: str | None
    day_start: time | None
    sells: bool

    @property
    def goods(self) -> tuple[UUID, UUID, UUID]:
        """variant, lot, location"""
        return self.variant, self.lot, self.location


_LYING = """
SELECT l.variant, l.lot, l.location, l.condition, l.on_hand, l.allocated, v.sku, v.decimals, o.code AS lot_code, o.expires_on,
       o.created_at AS lot_since, p.path, p.site_id AS site, coalesce(s.code, p.code) AS site_code, s.time_zone, s.day_start,
       p.sells
  FROM level l JOIN variant v ON v.id = l.variant JOIN location p ON p.id = l.location
  LEFT JOIN location s ON s.id = p.site_id LEFT JOIN lot o ON o.id = l.lot {join}
 WHERE {where} ORDER BY p.path, v.sku, l.lot
"""


async def _lying(
    conn: AsyncConnection, where: str, parameters: dict[str, Any], join: str = ""
) -> list[Lying]:
    sql = _LYING.format(where=where, join=join)
    return [Lying(*row) for row in await conn.execute(sa.text(sql), parameters)]


async def in_scope(
    conn: AsyncConnection, *, lot_id: UUID | None, variant_id: UUID | None, location_id: UUID | None, condition: int = 0
) -> list[Lying]:  # fmt: skip
    """What lies on hand in a condition of a lot, of a variant, in a place and everything in it; of all that are given."""
    where = ["l.condition = :condition", "l.on_hand > 0"]
    given: dict[str, Any] = {"condition": condition}
    if lot_id is not None:
        where.append(f"l.lot = :lot AND l.lot <> {_NIL}")  # spelt out, so that the partial index serves
        given["lot"] = lot_id
    if variant_id is not None:
        where.append("l.variant = :variant")
        given["variant"] = variant_id
    if location_id is not None:
        where.append(
            "l.location = ANY(ARRAY(SELECT b.id FROM location t JOIN location b ON b.path = t.path"
            " OR (b.path > t.path || '/' AND b.path < t.path || '0') WHERE t.id = :location))"
        )
        given["location"] = location_id
    return await _lying(conn, " AND ".join(where), given)


async def of_goods(
    conn: AsyncConnection, goods: Collection[tuple[UUID, UUID]], *, condition: int
) -> list[Lying]:
    """What lies on hand in a condition of some (variant, lot), wherever it is."""
    pairs = list(goods)
    return await _lying(
        conn, "l.condition = :condition AND l.on_hand > 0",
        {"condition": condition, "variants": [v for v, _ in pairs], "lots": [o for _, o in pairs]},
        "JOIN unnest(CAST(:variants AS uuid[]), CAST(:lots AS uuid[])) AS k(v, o) ON l.variant = k.v AND l.lot = k.o",
    )  # fmt: skip


async def expired(conn: AsyncConnection, *, before: date) -> list[Lying]:
    """What lies available of lots whose last good day is before a date (the latest of all sites: each site decides)."""
    return await _lying(
        conn, f"o.expires_on < :before AND l.lot <> {_NIL} AND l.condition = 0 AND l.on_hand > 0", {"before": before}
    )  # fmt: skip


_CERTIFIED_ONLY = """ARRAY(SELECT x.id FROM lot_policy y JOIN variant x ON x.id = y.subject_id WHERE y.needs_certificate
  UNION SELECT x.id FROM lot_policy y JOIN variant x ON x.product_id = y.subject_id WHERE y.needs_certificate)"""


async def uncertified(conn: AsyncConnection) -> list[Lying]:
    """What lies available of lots whose policy waits for a certificate that is not approved. Looks at those variants only."""
    return await _lying(
        conn, f"l.variant = ANY({_CERTIFIED_ONLY}) AND l.lot <> {_NIL} AND l.condition = 0 AND l.on_hand > 0"
        " AND o.certificate_state <> 'approved' AND coalesce(pv.needs_certificate, pp.needs_certificate)",
        {}, "LEFT JOIN lot_policy pv ON pv.subject_id = v.id LEFT JOIN lot_policy pp ON pp.subject_id = v.product_id",
    )  # fmt: skip


async def lotless(conn: AsyncConnection, *, variants: Sequence[UUID]) -> list[Lying]:
    """Where some variants are below zero under no lot: sold without saying of which."""
    return await _lying(
        conn, f"l.variant = ANY(CAST(:variants AS uuid[])) AND l.lot = {_NIL} AND l.condition = 0 AND l.on_hand < 0",
        {"variants": list(variants)},
    )  # fmt: skip


async def lot_stock(conn: AsyncConnection, *, variants: Sequence[UUID], sites: Sequence[UUID]) -> list[Lying]:
    """What lies available of some variants' lots at some sites, in places that sell."""
    return await _lying(
        conn, f"l.variant = ANY(CAST(:variants AS uuid[])) AND l.lot <> {_NIL} AND l.condition = 0 AND l.on_hand > 0"
        " AND p.site_id = ANY(CAST(:sites AS uuid[])) AND p.sells AND o.kind = 'lot'",
        {"variants": list(variants), "sites": list(sites)},
    )  # fmt: skip


_TRACKED = sa.text(
    "SELECT v.id FROM variant v JOIN product p ON p.id = v.product_id"
    " WHERE p.tracking = 'lot' AND v.id > :after ORDER BY v.id LIMIT :limit"
)


async def tracked_variants(conn: AsyncConnection, *, after: UUID, limit: int) -> list[UUID]:
    """Variants kept by lot, a page at a time in order of id."""
    return list((await conn.execute(_TRACKED, {"after": after, "limit": limit})).scalars())


async def acted(conn: AsyncConnection, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which posting ids acted before."""
    rows = await conn.execute(
        sa.text("SELECT id FROM posting_key WHERE id = ANY(CAST(:ids AS uuid[]))"), {"ids": list(ids)}
    )
    return frozenset(rows.scalars())


async def only_one(conn: AsyncConnection, what: str) -> None:
    """Wait until nobody else does the same: one run at a time, until the transaction ends."""
    await conn.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"), {"what": what})


_OPEN = sa.text("SELECT id FROM hold WHERE state = 'open' ORDER BY placed_at, id")
_HELD = sa.text("SELECT variant_id, lot, location_id, quantity FROM hold_line WHERE hold_id = :hold")
_HELD_OF_LOT = sa.text(
    "SELECT coalesce(sum(n.quantity), 0) FROM hold_line n JOIN hold h ON h.id = n.hold_id"
    " WHERE h.state = 'open' AND h.condition = 'quarantine' AND n.lot = :lot"
)


async def open_holds(conn: AsyncConnection) -> list[UUID]:
    """The open holds, the oldest first."""
    return list((await conn.execute(_OPEN)).scalars())


async def held_lines(conn: AsyncConnection, hold_id: UUID) -> list[tuple[UUID, UUID, UUID, int]]:
    """What a hold moved: variant, lot, location, quantity."""
    rows = await conn.execute(_HELD, {"hold": hold_id})
    return [(row.variant_id, row.lot, row.location_id, row.quantity) for row in rows]


async def held_in_quarantine(conn: AsyncConnection, lot_id: UUID) -> int:
    """How much of a lot open holds put into quarantine."""
    return int((await conn.execute(_HELD_OF_LOT, {"lot": lot_id})).scalar_one())
