"""Read-side SQL of suppliers and customers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.paging import after, cut
from onhand.parties.model import Kind
from onhand.parties.store import TABLES


async def list_parties(
    conn: AsyncConnection, kind: Kind, *, q: str | None = None, external_id: str | None = None,
    archived: bool | None = False, updated_after: datetime | None = None, limit: int, cursor: str | None,
) -> tuple[list[dict[str, Any]], str | None]:  # fmt: skip
    """A page of suppliers or customers in code order and the next cursor. One query."""
    table = TABLES[kind]
    where: list[sa.ColumnElement[bool]] = [after([table.c.code], cursor)]
    if q:
        like = f"%{q.replace('%', '').replace('_', '')}%"
        where.append(sa.or_(table.c.code.ilike(like), table.c.name.ilike(like), table.c.email.ilike(like)))
    if external_id is not None:
        where.append(table.c.external_id == external_id)
    if archived is not None:
        where.append(table.c.archived_at.is_not(None) if archived else table.c.archived_at.is_(None))
    if updated_after is not None:
        where.append(table.c.updated_at > updated_after)
    rows = await conn.execute(sa.select(table).where(*where).order_by(table.c.code).limit(limit + 1))
    return cut([dict(row._mapping) for row in rows], limit, ["code"])


async def get_party(conn: AsyncConnection, kind: Kind, party_id: UUID) -> dict[str, Any] | None:
    """One supplier or customer, or None."""
    row = (await conn.execute(sa.select(TABLES[kind]).where(TABLES[kind].c.id == party_id))).one_or_none()
    return dict(row._mapping) if row is not None else None


async def resolve_parties(conn: AsyncConnection, kind: Kind, codes: Iterable[str]) -> dict[str, UUID]:
    """Ids by code; unknown ones are left out. One query."""
    table = TABLES[kind]
    wanted = sa.any_(sa.literal(list(codes), sa.ARRAY(sa.Text)))
    return {
        row.code: row.id
        for row in await conn.execute(sa.select(table.c.code, table.c.id).where(table.c.code == wanted))
    }


async def _find(conn: AsyncConnection, kind: Kind, q: str, limit: int) -> list[dict[str, Any]]:
    table = TABLES[kind]
    plain = q.strip().replace("\\", "").replace("%", "").replace("_", "\\_")
    if not plain:
        return []
    rows = await conn.execute(
        sa.select(table.c.id, table.c.code, table.c.name)
        .where(
            sa.or_(table.c.code.ilike(f"{plain}%"), table.c.name.ilike(f"%{plain}%")),
            table.c.archived_at.is_(None),
        )
        .order_by(
            (sa.func.lower(table.c.code) == plain.lower()).desc(), sa.func.length(table.c.name), table.c.code
        )
        .limit(limit)
    )
    return [
        {"kind": kind.value, "id": r.id, "title": r.name, "subtitle": r.code, "match": "words"} for r in rows
    ]


async def find_suppliers(
    conn: AsyncConnection, q: str, limit: int, sites: frozenset[UUID] | None
) -> list[dict[str, Any]]:
    """Suppliers for the search box: a code that begins so, or a name that contains it. They belong to no site."""
    return await _find(conn, Kind.SUPPLIER, q, limit)


async def find_customers(
    conn: AsyncConnection, q: str, limit: int, sites: frozenset[UUID] | None
) -> list[dict[str, Any]]:
    """Customers for the search box."""
    return await _find(conn, Kind.CUSTOMER, q, limit)
