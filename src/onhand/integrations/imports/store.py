"""Rows of the imports ⇄ the database, for writing and for screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.integrations.imports.model import AlreadyImported, RowError
from onhand.integrations.imports.tables import import_error, import_mapping, import_run
from onhand.kit import paging
from onhand.kit.problem import NotFound
from onhand.kit.tables import job


async def insert(conn: AsyncConnection, values: Mapping[str, Any]) -> bool:
    """Store a new import; False when the id is taken."""
    statement = pg.insert(import_run).values(**values).on_conflict_do_nothing(index_elements=["id"])
    return (await conn.execute(statement.returning(import_run.c.id))).scalar_one_or_none() is not None


async def update(conn: AsyncConnection, import_id: UUID, **values: Any) -> None:
    """Change an import."""
    await conn.execute(sa.update(import_run).where(import_run.c.id == import_id).values(**values))


_STATE = sa.func.coalesce(job.c.state, "draft").label("state")
_RUNS = sa.select(
    import_run, _STATE, job.c.error.label("job_error"), job.c.done, job.c.total, job.c.unit
).join_from(import_run, job, import_run.c.job_id == job.c.id, isouter=True)


async def get(conn: AsyncConnection, import_id: UUID, *, lock: bool = False) -> Any:
    """An import with the state of its job; raises NotFound."""
    if lock:  # first and alone: a joined row would still be the one from before the wait
        await conn.execute(sa.select(import_run.c.id).where(import_run.c.id == import_id).with_for_update())
    row = (await conn.execute(_RUNS.where(import_run.c.id == import_id))).one_or_none()
    if row is None:
        raise NotFound("There is no import with this id.")
    return row


async def page(
    conn: AsyncConnection, *, kinds: Sequence[str], limit: int, cursor: str | None
) -> tuple[list[Any], str | None]:
    """Imports of some kinds, newest first, and the next page's cursor."""
    keys = [import_run.c.created_at, import_run.c.id]
    query = _RUNS.where(import_run.c.kind.in_(kinds), paging.after(keys, cursor, descending=True))
    rows = (await conn.execute(query.order_by(*[key.desc() for key in keys]).limit(limit + 1))).all()
    return paging.cut(rows, limit, ["created_at", "id"])


async def replace_errors(conn: AsyncConnection, import_id: UUID, errors: Sequence[RowError]) -> None:
    """Keep the errors of the last run only."""
    await conn.execute(sa.delete(import_error).where(import_error.c.import_id == import_id))
    rows = [
        {
            "import_id": import_id, "n": n, "row": e.row, "column": e.column, "header": e.header, "value": e.value,
            "code": e.code, "message": e.message, "remedy": e.remedy,
        }
        for n, e in enumerate(errors)
    ]  # fmt: skip
    if rows:
        await conn.execute(sa.insert(import_error), rows)


async def errors(
    conn: AsyncConnection, import_id: UUID, *, limit: int, cursor: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """The errors kept of an import, in file order."""
    query = sa.select(import_error).where(
        import_error.c.import_id == import_id, paging.after([import_error.c.n], cursor)
    )
    rows = (await conn.execute(query.order_by(import_error.c.n).limit(limit + 1))).mappings().all()
    found, following = paging.cut([dict(row) for row in rows], limit, ["n"])
    wanted = ("row", "column", "header", "value", "code", "message", "remedy")
    return [{name: row[name] for name in wanted} for row in found], following


async def refuse_twice(conn: AsyncConnection, import_id: UUID, sha256: bytes) -> None:
    """Raises AlreadyImported when the same bytes were imported as opening stock by another import. Serialises by file."""
    key = int.from_bytes(sha256[:8], signed=True)
    await conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
    query = sa.select(import_run.c.id).where(
        import_run.c.file_sha256 == sha256,
        import_run.c.kind == "opening_stock",
        import_run.c.outcome == "imported",
        import_run.c.id != import_id,
    )
    before = (await conn.execute(query)).scalars().first()
    if before is not None:
        raise AlreadyImported(import_id=str(before))


async def save_mapping(conn: AsyncConnection, values: Mapping[str, Any]) -> UUID:
    """Store a mapping under its kind and name, in place of one of that name; its id."""
    statement = pg.insert(import_mapping).values(**values)
    changed = {name: values[name] for name in ("mapping", "decimal_mark", "created_by", "updated_at")}
    upsert = statement.on_conflict_do_update(index_elements=["kind", "name"], set_=changed)
    found: UUID = (await conn.execute(upsert.returning(import_mapping.c.id))).scalar_one()
    return found


async def mappings(conn: AsyncConnection, kind: str | None = None) -> list[dict[str, Any]]:
    """Saved mappings, the newest first."""
    query = (
        sa.select(import_mapping).order_by(import_mapping.c.updated_at.desc(), import_mapping.c.id).limit(500)
    )
    if kind is not None:
        query = query.where(import_mapping.c.kind == kind)
    names = ("id", "kind", "name", "mapping", "decimal_mark", "updated_at")
    return [{name: row[name] for name in names} for row in (await conn.execute(query)).mappings()]


async def delete_mapping(conn: AsyncConnection, mapping_id: UUID) -> bool:
    """Forget a saved mapping."""
    return (
        await conn.execute(sa.delete(import_mapping).where(import_mapping.c.id == mapping_id))
    ).rowcount == 1
