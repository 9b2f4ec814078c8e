"""Write-side SQL of the point of sale. The rider statements run in the lane, one array a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.pos.model import SoldRow
from onhand.pos.tables import register, sale, sale_line, tender

RIDERS = {
    "sale": "SELECT rider_sale($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    "sale_line": "SELECT rider_sale_line($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    "tender": "SELECT rider_tender($1, $2, $3, $4, $5)",
    "pos_exception": """
INSERT INTO exception (id, kind, site, variant, quantity, posting_id, source_type, source_id, actor, detail)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::bigint[], $6::uuid[], $7::text[], $8::uuid[],
                     $9::uuid[], $10::jsonb[]) ON CONFLICT DO NOTHING
""",
}
"""Document rows the lane writes with the postings of sales (`sql/riders.sql`)."""


async def insert_register(conn: AsyncConnection, values: dict[str, Any]) -> None:
    """A new register."""
    await conn.execute(sa.insert(register).values(values))


async def lock_sale(conn: AsyncConnection, sale_id: UUID) -> sa.Row[Any] | None:
    """A sale, locked until the transaction ends."""
    return (await conn.execute(sa.select(sale).where(sale.c.id == sale_id).with_for_update())).one_or_none()


async def lines_of(conn: AsyncConnection, sale_id: UUID) -> dict[int, SoldRow]:
    """The lines of a sale with the decimals of their variants."""
    rows = await conn.execute(
        sa.text(
            "SELECT l.line, l.variant, l.code, l.quantity, l.refunded, coalesce(v.decimals, 0) AS decimals, l.tax, l.total"
            " FROM sale_line l LEFT JOIN variant v ON v.id = l.variant WHERE l.sale = :sale ORDER BY l.line"
        ),
        {"sale": sale_id},
    )
    return {
        r.line: SoldRow(r.line, r.variant, r.code, r.quantity, r.refunded, r.decimals, r.tax, r.total)
        for r in rows
    }


async def insert_sale(
    conn: AsyncConnection,
    head: dict[str, Any],
    lines: Sequence[dict[str, Any]],
    tenders: Sequence[dict[str, Any]],
) -> None:
    """A sale document of an ordinary transaction (a refund)."""
    await conn.execute(sa.insert(sale).values(head))
    if lines:
        await conn.execute(sa.insert(sale_line), list(lines))
    if tenders:
        await conn.execute(sa.insert(tender), list(tenders))


async def count_refunded(conn: AsyncConnection, sale_id: UUID, line: int, quantity: int) -> None:
    """Note that some of a line came back."""
    await conn.execute(
        sa.update(sale_line)
        .where(sale_line.c.sale == sale_id, sale_line.c.line == line)
        .values(refunded=sale_line.c.refunded + quantity)
    )


async def set_state(conn: AsyncConnection, sale_id: UUID, state: str) -> None:
    """Advance a sale's state."""
    await conn.execute(sa.update(sale).where(sale.c.id == sale_id).values(state=state))
