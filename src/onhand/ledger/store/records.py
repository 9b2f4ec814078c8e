"""Rows beside the postings: approvals, exceptions, what was recorded, what lies free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.ledger.decide import LevelKey
from onhand.ledger.model import Claim, Move


@dataclass(frozen=True, slots=True)
class Approval:
    """Something that waits, or waited, for a second person. `body`: `command` as it will be posted, and `shown`."""

    id: UUID
    verb: str
    site: UUID | None
    body: dict[str, Any]
    asked_by: UUID
    state: str
    why: str
    decision_note: str | None


_APPROVAL = "SELECT id, verb, site, body, asked_by, state, why, decision_note FROM approval WHERE id = :id"


async def get_approval(conn: AsyncConnection, approval_id: UUID, *, lock: bool = False) -> Approval | None:
    """An approval, locked for a decision where asked."""
    sql = _APPROVAL + (" FOR UPDATE" if lock else "")
    row = (await conn.execute(sa.text(sql), {"id": approval_id})).one_or_none()
    return Approval(*row) if row is not None else None


async def add_approval(
    conn: AsyncConnection, *, id: UUID, verb: str, site: UUID | None, body: dict[str, Any], asked_by: UUID,
    asked_by_name: str, asked_at: datetime, why: str,
) -> None:  # fmt: skip
    """Write down what waits."""
    await conn.execute(
        sa.text(
            "INSERT INTO approval (id, verb, site, body, asked_by, asked_by_name, asked_at, why)"
            " VALUES (:id, :verb, :site, :body, :asked_by, :asked_by_name, :asked_at, :why)"
        ),
        {
            "id": id, "verb": verb, "site": site, "body": Jsonb(body), "asked_by": asked_by,
            "asked_by_name": asked_by_name, "asked_at": asked_at, "why": why,
        },
    )  # fmt: skip


async def decide_approval(
    conn: AsyncConnection, approval_id: UUID, *, state: str, by: UUID, at: datetime, note: str | None
) -> None:
    """Write a decision."""
    await conn.execute(
        sa.text(
            "UPDATE approval SET state = :state, decided_by = :by, decided_at = :at, decision_note = :note WHERE id = :id"
        ),
        {"state": state, "by": by, "at": at, "note": note, "id": approval_id},
    )


@dataclass(frozen=True, slots=True)
class Recorded:
    """A posting as it was recorded, and what reversed it."""

    id: UUID
    seq: int
    recorded_at: datetime
    happened_at: datetime
    kind: str
    source_type: str
    source_id: UUID
    actor: UUID
    reverses: UUID | None
    reversed_by: UUID | None
    moves: tuple[Move, ...]
    claims: tuple[Claim, ...]


_RECORDED = sa.text(
    "SELECT p.id, p.seq, p.recorded_at, p.happened_at, p.kind, p.source_type, p.source_id, p.actor, p.reverses, r.by"
    " FROM posting_key k JOIN posting p ON p.seq = k.seq AND p.recorded_at = k.recorded_at"
    " LEFT JOIN reversal r ON r.original = k.id WHERE k.id = :id"
)
_MOVES = sa.text(
    "SELECT variant, from_location, to_location, quantity, lot, from_condition, to_condition, unit_cost::text, currency"
    " FROM move WHERE seq = :seq AND recorded_at = :at ORDER BY line"
)
_CLAIMS = sa.text(
    "SELECT reservation, variant, site, quantity FROM claim WHERE seq = :seq AND recorded_at = :at ORDER BY line"
)


async def recorded(conn: AsyncConnection, posting_id: UUID) -> Recorded | None:
    """A posting by its id, with its lines. Three queries."""
    row = (await conn.execute(_RECORDED, {"id": posting_id})).one_or_none()
    if row is None:
        return None
    where = {"seq": row.seq, "at": row.recorded_at}
    moves = tuple(Move(*m) for m in await conn.execute(_MOVES, where))
    claims = tuple(Claim(*c) for c in await conn.execute(_CLAIMS, where))
    return Recorded(
        id=row.id, seq=row.seq, recorded_at=row.recorded_at, happened_at=row.happened_at, kind=row.kind,
        source_type=row.source_type, source_id=row.source_id, actor=row.actor, reverses=row.reverses, reversed_by=row.by,
        moves=moves, claims=claims,
    )  # fmt: skip


@dataclass(slots=True)
class FreeLevel:
    """What of a variant and lot lies free for sale in a place; `free` is used up while choosing."""

    variant: UUID
    lot: UUID
    location: UUID
    site: UUID
    free: int


_FREE = sa.text(
    "SELECT l.variant, l.lot, l.location, p.site_id, l.on_hand - l.allocated FROM level l JOIN location p ON p.id = l.location"
    " LEFT JOIN lot o ON o.id = l.lot"
    " WHERE l.variant = ANY(CAST(:variants AS uuid[])) AND p.site_id = ANY(CAST(:sites AS uuid[])) AND l.condition = 0"
    " AND p.closed_at IS NULL AND p.sells ORDER BY o.expires_on NULLS LAST, l.on_hand - l.allocated DESC,"
    " p.path"
)


async def free_levels(
    conn: AsyncConnection, variants: Sequence[UUID], sites: Sequence[UUID]
) -> list[FreeLevel]:
    """Where variants lie free for sale at some sites: what expires first, then where most lies. One query; nothing is locked."""
    rows = await conn.execute(_FREE, {"variants": list(variants), "sites": list(sites)})
    return [FreeLevel(*row) for row in rows]


_LEVELS_OF = sa.text(
    "SELECT variant, location, lot, condition FROM level WHERE variant = :variant AND on_hand <> 0"
)


async def levels_of(conn: AsyncConnection, variant: UUID) -> list[LevelKey]:
    """The keys of a variant's levels that hold something. One query."""
    return [tuple(row) for row in await conn.execute(_LEVELS_OF, {"variant": variant})]


async def holding_stock(conn: AsyncConnection, location_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Of some places, those with a level that is not zero. One query. What locations asks before it changes a place."""
    rows = await conn.execute(
        sa.text(
            "SELECT DISTINCT location FROM level WHERE location = ANY(CAST(:ids AS uuid[]))"
            " AND (on_hand <> 0 OR allocated <> 0)"
        ),
        {"ids": list(location_ids)},
    )
    return frozenset(rows.scalars())


async def used_variants(conn: AsyncConnection, variant_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Of some variants, those of which stock ever moved or was claimed. One query. What the catalogue asks."""
    rows = await conn.execute(
        sa.text(
            "SELECT v FROM unnest(CAST(:ids AS uuid[])) AS w(v) WHERE EXISTS (SELECT FROM level l WHERE l.variant = v)"
            " OR EXISTS (SELECT FROM site_level s WHERE s.variant = v)"
        ),
        {"ids": list(variant_ids)},
    )
    return frozenset(rows.scalars())


_RESOLVE = sa.text(
    "UPDATE exception SET state = 'resolved', resolved_at = :at, resolved_by = :by, resolution = :resolution"
    " WHERE id = :id AND state = 'open' RETURNING kind, site"
)
_STATE = sa.text("SELECT kind, site, state FROM exception WHERE id = :id FOR UPDATE")


async def resolve_exception(
    conn: AsyncConnection, exception_id: UUID, *, by: UUID, at: datetime, resolution: str
) -> None:
    """Settle an open exception."""
    await conn.execute(_RESOLVE, {"id": exception_id, "by": by, "at": at, "resolution": resolution})


async def lock_exception(conn: AsyncConnection, exception_id: UUID) -> Any | None:
    """Its kind, site and state, locked; None when there is none."""
    return (await conn.execute(_STATE, {"id": exception_id})).one_or_none()
