"""What can be done with tax codes: create and change."""

from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from onhand.kit.problem import InvalidBody, NotFound, Stale
from onhand.kit.tx import Tx
from onhand.pricing import store
from onhand.pricing.events import TaxCodeChanged
from onhand.pricing.model import TaxCode, show_rate
from onhand.values import clean, parse_code


def checked(tax: TaxCode) -> TaxCode:
    """The same tax code with each text cleaned and checked. Raises `BadValue`."""
    return replace(
        tax,
        code=parse_code(tax.code),
        name=clean(tax.name, "name", longest=200),
        external_id=clean(tax.external_id, "external_id", longest=200) if tax.external_id else None,
    )


def audited(tax: TaxCode) -> dict[str, Any]:
    """A tax code as the audit log keeps it."""
    out = {f.name: getattr(tax, f.name) for f in fields(TaxCode)}
    archived = tax.archived_at.isoformat() if tax.archived_at else None
    return {**out, "id": str(tax.id), "rate": show_rate(tax.rate), "archived_at": archived}


def _say(tx: Tx, before: TaxCode | None, after: TaxCode) -> None:
    tx.record("tax_code", after.id, audited(before) if before else None, audited(after))
    tx.emit(
        TaxCodeChanged(
            tax_code_id=after.id, code=after.code, rate=show_rate(after.rate), version=after.version
        )
    )


async def create_tax_code(
    tx: Tx, *, code: str, name: str, rate: Decimal, tax_code_id: UUID | None = None, external_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> TaxCode:  # fmt: skip
    """Makes a tax code; `rate` is a share (0.19). Raises TaxCodeTaken, IdReused, Conflict, BadValue."""
    made = checked(
        TaxCode(
            id=tx.new_id(tax_code_id), code=code, name=name, rate=rate, external_id=external_id,
            metadata=dict(metadata or {}),
        )
    )  # fmt: skip
    await store.insert(tx.conn, made)
    _say(tx, None, made)
    return made


async def change_tax_code(
    tx: Tx, tax_code_id: UUID, *, version: int | None, changes: Mapping[str, Any]
) -> TaxCode:
    """Changes name, code, rate, external_id, metadata; `archived` true or false. Past sales keep what they charged.

    Raises NotFound, Stale, TaxCodeTaken, Conflict, BadValue.
    """
    if unknown := set(changes) - {"code", "name", "rate", "external_id", "metadata", "archived"}:
        raise InvalidBody(f"{min(unknown)} cannot be changed.", param=min(unknown))
    before = await store.lock(tx.conn, tax_code_id)
    if before is None:
        raise NotFound("There is no tax code with this id.", param="id")
    if version is not None and version != before.version:
        raise Stale(param="If-Match", version=before.version)
    fresh = dict(changes)
    archived = fresh.pop("archived", None)
    after = checked(replace(before, **fresh))
    if archived is not None:
        after = replace(after, archived_at=(before.archived_at or tx.now) if archived else None)
    if after == before:
        return before
    after = replace(after, version=before.version + 1)
    await store.update(tx.conn, after)
    _say(tx, before, after)
    return after
