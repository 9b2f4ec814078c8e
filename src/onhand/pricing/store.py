"""Write-side SQL of tax codes."""

from dataclasses import fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.problem import Conflict, IdReused
from onhand.pricing.model import TaxCode, TaxCodeTaken
from onhand.pricing.tables import tax_code

FIELDS = [tax_code.c[f.name] for f in fields(TaxCode)]


async def lock(conn: AsyncConnection, tax_code_id: UUID) -> TaxCode | None:
    """One tax code, locked, or None."""
    query = sa.select(*FIELDS).where(tax_code.c.id == tax_code_id).with_for_update(key_share=True)
    row = (await conn.execute(query)).one_or_none()
    return TaxCode(**row._mapping) if row is not None else None


async def _run(conn: AsyncConnection, statement: sa.Executable) -> None:
    try:
        await conn.execute(statement)
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if name == "tax_code_pkey":
            raise IdReused(param="id") from error
        if name == "tax_code_code_key":
            raise TaxCodeTaken(param="code") from error
        if name == "tax_code_external_id_key":
            raise Conflict("Another tax code has this external_id.", param="external_id") from error
        raise


def _values(tax: TaxCode) -> dict[str, Any]:
    return {f.name: getattr(tax, f.name) for f in fields(TaxCode)}


async def insert(conn: AsyncConnection, tax: TaxCode) -> None:
    """Writes a new tax code. Raises IdReused, TaxCodeTaken, Conflict (external_id)."""
    await _run(conn, sa.insert(tax_code).values(_values(tax)))


async def update(conn: AsyncConnection, tax: TaxCode) -> None:
    """Rewrites a tax code as given. Raises like `insert`."""
    values = {**_values(tax), "updated_at": sa.func.clock_timestamp()}
    await _run(conn, sa.update(tax_code).where(tax_code.c.id == tax.id).values(values))
