"""Write-side SQL of reservations and approved backorders. The rider statements run in the lane, one array a column."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.ledger.decide import SiteKey
from onhand.ledger.reservations import Held, Policy, Reservation, ReservationKind, State
from onhand.ledger.tables import backorder, reservation, reservation_line

RESERVATION_RIDERS = {
    "reservation": "SELECT rider_reservation($1, $2, $3, $4, $5, $6)",
    "reservation_line": "SELECT rider_reservation_line($1, $2, $3, $4, $5, $6, $7)",
}
"""Document rows the lane writes with the postings of reservations (`sql/reservations.sql`)."""

HeadRow = tuple[UUID, str, str | None, UUID | None, datetime | None, UUID]
"""id, kind, reference, channel, end, who made it"""
LineRow = tuple[UUID, int, UUID, UUID, str, int, int]
"""reservation, line, variant, site, policy, requested, claimed"""
_HEAD = ("id", "kind", "reference", "channel_id", "expires_at", "created_by")
_LINE = ("reservation", "line", "variant", "site", "policy", "requested", "claimed")


async def insert_reservation(conn: AsyncConnection, head: HeadRow, lines: Sequence[LineRow]) -> None:
    """A reservation with its lines, in an ordinary transaction."""
    await conn.execute(sa.insert(reservation).values(dict(zip(_HEAD, head, strict=True))))
    await conn.execute(sa.insert(reservation_line), [dict(zip(_LINE, line, strict=True)) for line in lines])


_FIELDS = "id, kind, state, expires_at, version, channel_id, reference"
_LOCK = sa.text(f"SELECT {_FIELDS} FROM reservation WHERE id = :id FOR UPDATE")
_DUE = sa.text(
    f"SELECT {_FIELDS} FROM reservation WHERE state = 'open' AND expires_at IS NOT NULL AND expires_at <= clock_timestamp()"
    " ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_LINES = sa.text(
    "SELECT reservation, line, variant, site, policy, requested, claimed, consumed, released, expired FROM reservation_line"
    " WHERE reservation = ANY(CAST(:ids AS uuid[])) ORDER BY reservation, line"
)
_CLOCK = sa.text("SELECT clock_timestamp()")


async def lock_reservation(conn: AsyncConnection, reservation_id: UUID) -> Reservation | None:
    """A reservation, locked until the transaction ends; whether it has lapsed is read under the lock, by the database's
    clock. Three queries."""
    row = (await conn.execute(_LOCK, {"id": reservation_id})).one_or_none()
    if row is None:
        return None
    found = (await _whole(conn, [row]))[0]
    if found.expires_at is not None:
        clock: datetime = (await conn.execute(_CLOCK)).scalar_one()
        found.lapsed = found.expires_at <= clock
    return found


async def lock_due(conn: AsyncConnection, *, limit: int) -> list[Reservation]:
    """Open reservations whose end has come, the longest due first, locked; those somebody else works on are left out."""
    rows = (await conn.execute(_DUE, {"limit": limit})).all()
    found = await _whole(conn, rows) if rows else []
    for one in found:
        one.lapsed = True
    return found


async def _whole(conn: AsyncConnection, rows: Sequence[Any]) -> list[Reservation]:
    by_id = {
        row.id: Reservation(
            id=row.id, kind=ReservationKind(row.kind), state=State(row.state), expires_at=row.expires_at,
            version=row.version, lines=[], channel_id=row.channel_id, reference=row.reference,
        )
        for row in rows
    }  # fmt: skip
    for row in await conn.execute(_LINES, {"ids": list(by_id)}):
        by_id[row.reservation].lines.append(
            Held(
                row.line, row.variant, row.site, Policy(row.policy), row.requested, row.claimed, row.consumed, row.released,
                row.expired,
            )
        )  # fmt: skip
    return list(by_id.values())


_UPDATE = sa.text(
    "UPDATE reservation SET state = v.state, expires_at = v.expires_at, version = v.version,"
    " ended_at = CASE WHEN v.state = 'open' THEN NULL ELSE coalesce(reservation.ended_at, clock_timestamp()) END"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:ends AS timestamptz[]), CAST(:versions AS int4[]))"
    " AS v(id, state, expires_at, version) WHERE reservation.id = v.id"
)
_UPDATE_LINES = sa.text(
    "UPDATE reservation_line l SET claimed = v.claimed, consumed = v.consumed, released = v.released, expired = v.expired"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:lines AS int4[]), CAST(:claimed AS bigint[]), CAST(:consumed AS bigint[]),"
    " CAST(:released AS bigint[]), CAST(:expired AS bigint[])) AS v(id, line, claimed, consumed, released, expired)"
    " WHERE l.reservation = v.id AND l.line = v.line"
)


async def write_reservations(conn: AsyncConnection, changed: Sequence[Reservation]) -> None:
    """Write down how some locked reservations and their lines stand now. Two statements."""
    await conn.execute(
        _UPDATE,
        {
            "ids": [r.id for r in changed], "states": [r.state.value for r in changed],
            "ends": [r.expires_at for r in changed], "versions": [r.version for r in changed],
        },
    )  # fmt: skip
    rows = [(r.id, line) for r in changed for line in r.lines]
    await conn.execute(
        _UPDATE_LINES,
        {
            "ids": [r for r, _ in rows], "lines": [x.line for _, x in rows], "claimed": [x.claimed for _, x in rows],
            "consumed": [x.consumed for _, x in rows], "released": [x.released for _, x in rows],
            "expired": [x.expired for _, x in rows],
        },
    )  # fmt: skip


async def approved_backorders(conn: AsyncConnection, keys: Collection[SiteKey]) -> dict[SiteKey, int | None]:
    """How far below zero backorders may take some variants at sites, in smallest units (None: any). One query; the approvals
    stay as they are until the transaction ends."""
    rows = await conn.execute(
        sa.text(
            "SELECT b.variant, b.site, b.max_quantity FROM backorder b JOIN unnest(CAST(:variants AS uuid[]), CAST(:sites AS uuid[]))"
            " AS k(variant, site) ON b.variant = k.variant AND b.site = k.site WHERE b.ended_at IS NULL"
            " ORDER BY b.variant, b.site FOR SHARE OF b"
        ),
        {"variants": [v for v, _ in keys], "sites": [s for _, s in keys]},
    )
    return {(row.variant, row.site): row.max_quantity for row in rows}


async def lock_backorder(conn: AsyncConnection, key: SiteKey) -> dict[str, Any] | None:
    """An approval of backorders, locked, also one that has ended; or None."""
    query = sa.select(backorder).where(backorder.c.variant == key[0], backorder.c.site == key[1])
    row = (await conn.execute(query.with_for_update())).one_or_none()
    return dict(row._mapping) if row is not None else None


async def write_backorder(conn: AsyncConnection, values: dict[str, Any]) -> None:
    """Write an approval of backorders. It is ended, never removed: what it let happen names it."""
    statement = pg.insert(backorder).values(values)
    changed = {name: statement.excluded[name] for name in values if name not in ("variant", "site")}
    await conn.execute(statement.on_conflict_do_update(index_elements=["variant", "site"], set_=changed))


async def acted(conn: AsyncConnection, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Of some posting ids, those that acted before. One query."""
    rows = await conn.execute(
        sa.text("SELECT id FROM posting_key WHERE id = ANY(CAST(:ids AS uuid[]))"), {"ids": list(ids)}
    )
    return frozenset(rows.scalars())
