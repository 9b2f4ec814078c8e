"""Write-side SQL of transfers: the document with its lines and parts, its steps, and the exceptions it opens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.ids import uuid7
from onhand.kit.problem import Conflict, IdReused
from onhand.transfers.model import Document, Line, Part, State
from onhand.transfers.tables import transfer, transfer_line, transfer_part, transfer_step, transfer_step_line


async def insert(conn: AsyncConnection, values: dict[str, Any]) -> int:
    """A new transfer; answers its number. Raises IdReused, Conflict (external_id)."""
    try:
        found = await conn.execute(sa.insert(transfer).values(values).returning(transfer.c.number))
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if name == "transfer_pkey":
            raise IdReused(param="id") from error
        if "external_id" in name:
            raise Conflict("Another transfer has this external_id.", param="external_id") from error
        raise
    return int(found.scalar_one())


_HEAD = [
    transfer.c[name]
    for name in (
        "id", "number", "state", "from_site", "to_site", "transit", "reserves", "expected_at", "note", "version",
        "placed_at", "shipped_at",
    )
]  # fmt: skip
_LINES = sa.text(
    "SELECT l.id, l.number, l.variant, v.sku, v.decimals, l.lot, l.requested, l.dropped, l.claimed FROM transfer_line l"
    " JOIN variant v ON v.id = l.variant WHERE l.transfer = :id ORDER BY l.number"
)
_PARTS = sa.text(
    "SELECT p.line, p.lot, p.shipped, p.received, p.damaged, p.lost, p.returned FROM transfer_part p"
    " JOIN transfer_line l ON l.id = p.line LEFT JOIN lot o ON o.id = p.lot WHERE l.transfer = :id"
    " ORDER BY l.number, o.expires_on NULLS LAST, p.lot"
)


async def lock(conn: AsyncConnection, transfer_id: UUID) -> Document | None:
    """A transfer with its lines and parts, locked until the transaction ends; None when there is none."""
    row = (
        await conn.execute(sa.select(*_HEAD).where(transfer.c.id == transfer_id).with_for_update())
    ).one_or_none()
    if row is None:
        return None
    lines = {r.id: Line(*r) for r in await conn.execute(_LINES, {"id": transfer_id})}
    for line_id, *part in await conn.execute(_PARTS, {"id": transfer_id}):
        lines[line_id].parts[part[0]] = Part(*part)
    head = dict(row._mapping) | {"state": State(row.state)}
    return Document(**head, lines=list(lines.values()))


async def write_lines(conn: AsyncConnection, transfer_id: UUID, lines: Sequence[Line]) -> None:
    """Write lines and their parts as they are now. Two statements."""
    if not lines:
        return
    rows = [
        {
            "id": line.id, "transfer": transfer_id, "number": line.number, "variant": line.variant, "lot": line.lot,
            "requested": line.requested, "dropped": line.dropped, "claimed": line.claimed,
        }
        for line in lines
    ]  # fmt: skip
    new = pg.insert(transfer_line).values(rows)
    changed = {name: new.excluded[name] for name in ("requested", "dropped", "claimed")}
    await conn.execute(new.on_conflict_do_update(index_elements=["id"], set_=changed))
    parts = [
        {
            "line": line.id, "lot": p.lot, "shipped": p.shipped, "received": p.received, "damaged": p.damaged,
            "lost": p.lost, "returned": p.returned,
        }
        for line in lines for p in line.parts.values()
    ]  # fmt: skip
    if parts:
        fresh = pg.insert(transfer_part).values(parts)
        counts = {
            name: fresh.excluded[name] for name in ("shipped", "received", "damaged", "lost", "returned")
        }
        await conn.execute(fresh.on_conflict_do_update(index_elements=["line", "lot"], set_=counts))


async def replace_lines(conn: AsyncConnection, transfer_id: UUID, lines: Sequence[Line]) -> None:
    """Other lines for a draft."""
    await conn.execute(sa.delete(transfer_line).where(transfer_line.c.transfer == transfer_id))
    await write_lines(conn, transfer_id, lines)


async def write_head(conn: AsyncConnection, transfer_id: UUID, **values: Any) -> None:
    """Change fields of a transfer, and its version."""
    await conn.execute(
        sa.update(transfer)
        .where(transfer.c.id == transfer_id)
        .values(**values, version=transfer.c.version + 1, updated_at=sa.func.clock_timestamp())
    )


async def find_step(conn: AsyncConnection, step_id: UUID) -> Any | None:
    """A step that was taken before: its transfer, kind, digest and actor; None when there is none."""
    return (
        await conn.execute(
            sa.select(
                transfer_step.c.transfer, transfer_step.c.kind, transfer_step.c.digest, transfer_step.c.actor
            ).where(transfer_step.c.id == step_id)
        )
    ).one_or_none()


async def add_step(
    conn: AsyncConnection, *, id: UUID, transfer_id: UUID, kind: str, happened_at: datetime, recorded_at: datetime,
    actor: UUID, digest: bytes, note: str | None = None, lines: Sequence[dict[str, Any]] = (),
) -> None:  # fmt: skip
    """Write down a step and what moved with it. Raises IdReused."""
    try:
        await conn.execute(
            sa.insert(transfer_step).values(
                id=id, transfer=transfer_id, kind=kind, happened_at=happened_at, recorded_at=recorded_at, actor=actor,
                digest=digest, note=note,
            )
        )  # fmt: skip
    except IntegrityError as error:
        raise IdReused(param="id") from error
    if lines:
        numbered = [{"step": id, "number": n, **line} for n, line in enumerate(lines, 1)]
        await conn.execute(sa.insert(transfer_step_line).values(numbered))


_SHIPPED_FROM = sa.text(
    "SELECT DISTINCT ON (s.line) s.line, s.location FROM transfer_step_line s JOIN transfer_line l ON l.id = s.line"
    " JOIN transfer_step t ON t.id = s.step WHERE l.transfer = :id AND s.outcome = 'shipped' AND NOT s.over"
    " ORDER BY s.line, t.recorded_at DESC"
)


async def shipped_from(conn: AsyncConnection, transfer_id: UUID) -> dict[UUID, UUID]:
    """Line → the place it last left from."""
    return {row.line: row.location for row in await conn.execute(_SHIPPED_FROM, {"id": transfer_id})}


_OPEN = sa.text(
    "INSERT INTO exception (id, kind, site, variant, quantity, posting_id, source_type, source_id, actor, detail)"
    " VALUES (:id, :kind, :site, :variant, :quantity, :posting, 'transfer', :source, :actor, :detail)"
)


async def open_exception(
    conn: AsyncConnection, *, kind: str, site: UUID, line: Line, quantity: int, posting: UUID, document: Document,
    actor: UUID,
) -> None:  # fmt: skip
    """Something about a transfer that a person should look at."""
    detail = {"transfer": f"T-{document.number}", "sku": line.sku, "quantity": line.shown(quantity)}
    values = {
        "id": uuid7(), "kind": kind, "site": site, "variant": line.variant, "quantity": quantity, "posting": posting,
        "source": document.id, "actor": actor, "detail": Jsonb(detail),
    }  # fmt: skip
    await conn.execute(_OPEN, values)


_SETTLE = sa.text(
    "UPDATE exception SET state = 'resolved', resolved_at = :at, resolved_by = :by, resolution = :resolution"
    " WHERE source_type = 'transfer' AND source_id = :source AND kind = 'short_receipt' AND state = 'open'"
    " AND variant = ANY(CAST(:variants AS uuid[]))"
)


async def settle_short(
    conn: AsyncConnection, document: Document, variants: Sequence[UUID], *, by: UUID, at: datetime
) -> None:
    """What was short of some variants is settled."""
    if variants:
        values = {"at": at, "by": by, "resolution": "settled on the transfer", "source": document.id}
        await conn.execute(_SETTLE, {**values, "variants": list(variants)})


async def open_of_variant(conn: AsyncConnection, variant: UUID) -> int | None:
    """The number of a placed or shipped transfer of a variant, if there is one."""
    found = await conn.execute(
        sa.text(
            "SELECT t.number FROM transfer_line l JOIN transfer t ON t.id = l.transfer"
            " WHERE l.variant = :variant AND t.state IN ('placed', 'shipped') LIMIT 1"
        ),
        {"variant": variant},
    )
    return found.scalar_one_or_none()


async def repoint_drafts(conn: AsyncConnection, keep: UUID, merge: UUID) -> None:
    """Lines of drafts follow a variant that was merged; a lot of the old one is forgotten."""
    await conn.execute(
        sa.text(
            "UPDATE transfer_line l SET variant = :keep, lot = CAST(:nil AS uuid) FROM transfer t"
            " WHERE t.id = l.transfer AND t.state = 'draft' AND l.variant = :merge"
        ),
        {"keep": keep, "merge": merge, "nil": "00000000-0000-0000-0000-000000000000"},
    )


_NEEDS = sa.text(
    "SELECT m.variant_id AS variant, m.minimum - coalesce(s.sellable - s.reserved, 0)"
    " - coalesce((SELECT sum(e.quantity) FROM expectation e WHERE e.variant = m.variant_id AND e.site = m.site_id), 0)::bigint AS needed"
    " FROM minimum m JOIN variant v ON v.id = m.variant_id AND v.archived_at IS NULL AND v.merged_into IS NULL"
    " LEFT JOIN site_level s ON s.variant = m.variant_id AND s.site = m.site_id"
    " WHERE m.site_id = :site AND (CAST(:variants AS uuid[]) IS NULL OR m.variant_id = ANY(CAST(:variants AS uuid[])))"
    " AND coalesce(s.sellable - s.reserved, 0) < m.minimum ORDER BY v.sku"
)
_DRAFTED = sa.text(
    "SELECT l.variant, sum(l.requested)::bigint AS quantity FROM transfer_line l JOIN transfer t ON t.id = l.transfer"
    " WHERE t.state = 'draft' AND t.to_site = :site GROUP BY l.variant"
)


async def needs(conn: AsyncConnection, site: UUID, variants: Sequence[UUID] | None) -> list[tuple[UUID, int]]:
    """What a site lacks to its minimums, less what is expected there and what drafts already ask for."""
    drafted = {r.variant: r.quantity for r in await conn.execute(_DRAFTED, {"site": site})}
    rows = await conn.execute(
        _NEEDS, {"site": site, "variants": list(variants) if variants is not None else None}
    )
    found = [(r.variant, int(r.needed) - int(drafted.get(r.variant, 0))) for r in rows]
    return [(variant, needed) for variant, needed in found if needed > 0]


_SURPLUS = sa.text(
    "SELECT s.site, s.variant, s.sellable - s.reserved - coalesce(m.minimum, 0)"
    " + least(0, coalesce((SELECT sum(e.quantity) FROM expectation e WHERE e.variant = s.variant AND e.site = s.site"
    "                       AND e.quantity < 0), 0))::bigint AS spare"
    " FROM site_level s JOIN location p ON p.id = s.site AND p.closed_at IS NULL"
    " LEFT JOIN minimum m ON m.variant_id = s.variant AND m.site_id = s.site"
    " WHERE s.variant = ANY(CAST(:variants AS uuid[])) AND s.site <> :site"
    " AND (CAST(:source AS uuid) IS NULL OR s.site = CAST(:source AS uuid))"
)


async def surplus(
    conn: AsyncConnection, variants: Sequence[UUID], *, site: UUID, source: UUID | None
) -> dict[UUID, dict[UUID, int]]:
    """Site → variant → what it can spare above its own minimum and planned demand; not of `site` itself."""
    out: dict[UUID, dict[UUID, int]] = {}
    for row in await conn.execute(_SURPLUS, {"variants": list(variants), "site": site, "source": source}):
        if row.spare > 0:
            out.setdefault(row.site, {})[row.variant] = int(row.spare)
    return out


_CONTENTS = sa.text(
    "SELECT l.variant, l.location, l.lot, l.condition, l.on_hand FROM level l"
    " WHERE l.location = ANY(CAST(:places AS uuid[])) AND (l.on_hand <> 0 OR l.allocated <> 0)"
)


async def contents(conn: AsyncConnection, places: Sequence[UUID]) -> list[Any]:
    """What lies in some places: variant, location, lot, condition, on_hand. Nothing is locked."""
    return list(await conn.execute(_CONTENTS, {"places": list(places)}))
