"""Write-side SQL of suppliers and customers."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.problem import Conflict, IdReused
from onhand.parties.model import Kind, Party, PartyCodeTaken
from onhand.parties.tables import customer, supplier

TABLES = {Kind.SUPPLIER: supplier, Kind.CUSTOMER: customer}
_NAMES = [f.name for f in fields(Party)]


def columns(kind: Kind) -> list[sa.Column[Any]]:
    """The columns of a Party, in its order."""
    return [TABLES[kind].c[name] for name in _NAMES]


async def lock(conn: AsyncConnection, kind: Kind, party_id: UUID) -> Party | None:
    """One party, locked, or None."""
    query = sa.select(*columns(kind)).where(TABLES[kind].c.id == party_id).with_for_update(key_share=True)
    row = (await conn.execute(query)).one_or_none()
    return Party(**row._mapping) if row is not None else None


async def by_code(conn: AsyncConnection, kind: Kind, codes: Iterable[str]) -> dict[str, Party]:
    """Parties by code, locked in code order."""
    table = TABLES[kind]
    wanted = sa.any_(sa.literal(list(codes), sa.ARRAY(sa.Text)))
    query = (
        sa.select(*columns(kind))
        .where(table.c.code == wanted)
        .order_by(table.c.code)
        .with_for_update(key_share=True)
    )
    return {row.code: Party(**row._mapping) for row in await conn.execute(query)}


async def external_ids(conn: AsyncConnection, kind: Kind, wanted: Iterable[str]) -> dict[str, str]:
    """Which codes have some external ids."""
    table = TABLES[kind]
    known = sa.any_(sa.literal(list(wanted), sa.ARRAY(sa.Text)))
    rows = await conn.execute(
        sa.select(table.c.external_id, table.c.code).where(table.c.external_id == known)
    )
    return {row.external_id: row.code for row in rows}


async def _run(
    conn: AsyncConnection, kind: Kind, statement: sa.Executable, rows: Sequence[dict[str, Any]]
) -> None:
    try:
        await conn.execute(statement, rows)
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if name == f"{kind.value}_pkey":
            raise IdReused(param="id") from error
        if name == f"{kind.value}_code_key":
            raise PartyCodeTaken(param="code") from error
        if name == f"{kind.value}_external_id_key":
            raise Conflict(f"Another {kind.value} has this external_id.", param="external_id") from error
        raise


async def insert(conn: AsyncConnection, kind: Kind, parties: Sequence[Party]) -> None:
    """Writes new parties. Raises IdReused, PartyCodeTaken, Conflict (external_id)."""
    if parties:
        await _run(conn, kind, sa.insert(TABLES[kind]), [{n: getattr(p, n) for n in _NAMES} for p in parties])


async def update(conn: AsyncConnection, kind: Kind, parties: Sequence[Party]) -> None:
    """Rewrites parties as given (the caller raised `version`). Raises like `insert`."""
    table, names = TABLES[kind], [name for name in _NAMES if name != "id"]
    values: dict[str, Any] = {n: sa.bindparam(f"new_{n}", type_=table.c[n].type) for n in names}
    values["updated_at"] = sa.func.clock_timestamp()
    statement = sa.update(table).where(table.c.id == sa.bindparam("key")).values(values)
    if parties:
        await _run(
            conn,
            kind,
            statement,
            [{"key": p.id, **{f"new_{n}": getattr(p, n) for n in names}} for p in parties],
        )
