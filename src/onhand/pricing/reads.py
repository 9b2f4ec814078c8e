"""Read-side SQL of tax codes."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.paging import after, cut
from onhand.pricing.model import show_rate
from onhand.pricing.tables import tax_code


def _shape(row: Any) -> dict[str, Any]:
    return {**row._mapping, "rate": show_rate(row.rate)}


async def list_tax_codes(
    conn: AsyncConnection,
    *,
    q: str | None = None,
    archived: bool | None = False,
    limit: int,
    cursor: str | None,
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of tax codes by code and the next cursor. One query."""
    where: list[sa.ColumnElement[bool]] = [after([tax_code.c.code], cursor)]
    if q:
        like = f"%{q.replace('%', '').replace('_', '')}%"
        where.append(sa.or_(tax_code.c.code.ilike(like), tax_code.c.name.ilike(like)))
    if archived is not None:
        where.append(tax_code.c.archived_at.is_not(None) if archived else tax_code.c.archived_at.is_(None))
    rows = await conn.execute(sa.select(tax_code).where(*where).order_by(tax_code.c.code).limit(limit + 1))
    return cut([_shape(row) for row in rows], limit, ["code"])


async def get_tax_code(conn: AsyncConnection, tax_code_id: UUID) -> dict[str, Any] | None:
    """One tax code, or None."""
    row = (await conn.execute(sa.select(tax_code).where(tax_code.c.id == tax_code_id))).one_or_none()
    return _shape(row) if row is not None else None
