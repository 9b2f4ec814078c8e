"""Lots and serial numbers as records: create, change; and the policies that rule them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from onhand import catalog, lots
from onhand.kit.problem import InvalidBody, NotFound, Stale
from onhand.kit.tx import Tx
from onhand.ledger import UnknownVariant
from onhand.quality.events import LotChanged
from onhand.values import check_metadata, clean, parse_lot_code

CHANGEABLE = frozenset(
    {"supplier_id", "owner_kind", "owner_id", "made_on", "expires_on", "notes", "external_id", "metadata"}
)
_FACTS = sa.text("SELECT code, kind, variant_id, version FROM lot WHERE id = :id")
_OWNERS = {
    "supplier": sa.text("SELECT 1 FROM supplier WHERE id = :id"),
    "customer": sa.text("SELECT 1 FROM customer WHERE id = :id"),
}


async def say(tx: Tx, lot_id: UUID) -> None:
    """Publish that a lot changed."""
    row = (await tx.conn.execute(_FACTS, {"id": lot_id})).one()
    tx.emit(
        LotChanged(
            lot_id=lot_id, lot_code=row.code, kind=row.kind, variant_id=row.variant_id, version=row.version
        )
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {n: str(v) if isinstance(v, (UUID, date)) else v for n, v in values.items()}


async def create_lot(tx: Tx, *, variant_id: UUID, code: str, given: Mapping[str, Any]) -> UUID:
    """Make a lot of a variant (or a serial number, where its product is tracked so). Its id follows from variant and code.

    One that is there already with the same facts is answered; with others raises LotExists. Raises UnknownVariant, BadValue.
    """
    item = (await catalog.resolve_ids(tx.conn, [variant_id])).get(variant_id)
    if item is None:
        raise UnknownVariant(param="variant_id")
    values = await _checked(tx, given)
    code = parse_lot_code(code)
    lot_id = lots.lot_id(item.variant_id, code)
    kind = "serial" if item.tracking == "serial" else "lot"
    row = {"id": lot_id, "variant_id": item.variant_id, "code": code, "kind": kind, **values}
    if await lots.insert_lot(tx.conn, row):
        tx.record("lot", lot_id, None, _plain(row))
        await say(tx, lot_id)
        return lot_id
    there = await lots.lock_lot(tx.conn, lot_id)
    if there is None or any(getattr(there, name) != value for name, value in values.items()):
        raise lots.LotExists(param="code", lot_id=str(lot_id))
    return lot_id


async def change_lot(tx: Tx, lot_id: UUID, *, version: int | None, changes: Mapping[str, Any]) -> None:
    """Change some facts of a lot (see CHANGEABLE). Raises NotFound, Stale, BadValue."""
    row = await lots.lock_lot(tx.conn, lot_id)
    if row is None:
        raise NotFound("There is no lot with this id.", param="id")
    if version is not None and version != row.version:
        raise Stale(param="If-Match", version=row.version)
    values = await _checked(tx, changes)
    lots.check_dates(values.get("made_on", row.made_on), values.get("expires_on", row.expires_on))
    fresh = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not fresh:
        return
    await lots.update_lot(tx.conn, lot_id, fresh)
    tx.record("lot", lot_id, _plain({n: getattr(row, n) for n in fresh}), _plain(fresh))
    await say(tx, lot_id)


async def _checked(tx: Tx, given: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := set(given) - CHANGEABLE:
        raise InvalidBody(f"{min(unknown)} cannot be changed.", param=min(unknown))
    values = dict(given)
    lots.check_dates(values.get("made_on"), values.get("expires_on"))
    if values.get("notes"):
        values["notes"] = clean(values["notes"], "notes", longest=4000)
    if "metadata" in values:
        values["metadata"] = check_metadata(values["metadata"])
    if ("owner_kind" in values or "owner_id" in values) and (
        (values.get("owner_kind") is None) != (values.get("owner_id") is None)
    ):
        raise InvalidBody("An owner is named by owner_kind and owner_id together.", param="owner_id")
    if values.get("owner_kind") is not None:
        found = await tx.conn.execute(_OWNERS[values["owner_kind"]], {"id": values["owner_id"]})
        if found.first() is None:
            raise NotFound(f"There is no {values['owner_kind']} with this id.", param="owner_id")
    return values


async def set_policy(
    tx: Tx, *, subject: str, subject_id: UUID, needs_certificate: bool, strategy: str, near_expiry_days: int
) -> None:
    """Say what rules the lots of a product, or of one variant over its product's. Raises NotFound."""
    table = {"product": "product", "variant": "variant"}[subject]
    if (
        await tx.conn.execute(sa.text(f"SELECT 1 FROM {table} WHERE id = :id"), {"id": subject_id})
    ).first() is None:
        raise NotFound(f"There is no {subject} with this id.", param=f"{subject}_id")
    values = {
        "subject_id": subject_id, "subject": subject, "needs_certificate": needs_certificate, "strategy": strategy,
        "near_expiry_days": near_expiry_days,
    }  # fmt: skip
    await lots.put_policy(tx.conn, values)
    tx.record("lot_policy", subject_id, None, _plain(values))
