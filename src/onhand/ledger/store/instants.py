"""What lay in a place at an instant, as known now; and up to which posting "now" reaches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class PlaceLevel:
    """A level of a place: `then` at the instant asked for, `on_hand` and `allocated` now; smallest units."""

    variant: UUID
    lot: UUID
    condition: int
    then: int
    on_hand: int
    allocated: int


def _since(side: str) -> str:
    return (
        f"coalesce((SELECT sum(m.quantity) FROM move m WHERE m.variant = l.variant AND m.{side}_location = l.location"
        f" AND m.{side}_kept AND m.lot = l.lot AND m.{side}_condition = l.condition"
        " AND m.happened_at > CAST(:at AS timestamptz)), 0)"
    )


_THEN = sa.text(
    "SELECT l.variant, l.lot, l.condition,"
    f" (l.on_hand - {_since('to')} + {_since('from')})::bigint AS quantity, l.on_hand, l.allocated"
    " FROM level l LEFT JOIN lot o ON o.id = l.lot WHERE l.location = :location"
    " AND (CAST(:variants AS uuid[]) IS NULL OR l.variant = ANY(CAST(:variants AS uuid[])))"
    " ORDER BY l.variant, o.expires_on DESC NULLS FIRST, l.lot, l.condition"
)


async def levels_then(
    conn: AsyncConnection, location: UUID, at: datetime, *, variants: list[UUID] | None = None
) -> list[PlaceLevel]:
    """Every level of a place (or those of some variants), with what lay there at an instant. One query.

    Lots come with the latest expiry first. Asked under the levels' locks it is exact.
    """
    rows = await conn.execute(_THEN, {"location": location, "at": at, "variants": variants})
    return [PlaceLevel(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Known:
    """How far the ledger goes for whoever asks now: the last posting's number, and when it was recorded.

    Whoever holds a level's lock knows every posting up to `seq` that touches the level; later ones have higher numbers.
    """

    seq: int
    recorded_at: datetime


async def known_now(conn: AsyncConnection) -> Known:
    """How far the ledger goes now."""
    row = (await conn.execute(sa.text("SELECT posting_n, last_recorded_at FROM stream_head"))).one()
    return Known(int(row.posting_n), row.last_recorded_at)
