"""Approved backorders: how much of a variant may be reserved at a site beyond what is there."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from onhand import catalog, locations
from onhand.access import Caller
from onhand.kit.problem import NotFound
from onhand.kit.tx import Tx
from onhand.ledger import store
from onhand.ledger.events import BackorderChanged
from onhand.ledger.model import MAX_QUANTITY, LocationKeepsNoStock, UnknownLocation
from onhand.values import BadValue, format_units, parse_units


async def set_backorder(
    tx: Tx, caller: Caller, *, variant_id: UUID, site_id: UUID, max_quantity: str | None,
    state: Literal["approved", "ended"] = "approved", note: str | None = None,
) -> None:  # fmt: skip
    """Approve, change or end backorders of a variant at a site. `max_quantity`: how far below zero reservations may take it,
    as decimal text; None: any. What was reserved under it stays. Raises NotFound, UnknownLocation, Forbidden, BadValue."""
    caller.require("stock:backorder", site_id)
    place = (await locations.directory(tx.conn)).get(site_id)
    if place is None:
        raise UnknownLocation(param="site_id")
    if not place.is_site:
        raise LocationKeepsNoStock("Backorders are approved for a store or warehouse.", param="site_id")
    item = (await catalog.resolve_ids(tx.conn, [variant_id])).get(variant_id)
    if item is None:
        raise NotFound("There is no variant with this id.", param="variant_id")
    units = parse_units(max_quantity, item.decimals, "max_quantity") if max_quantity is not None else None
    if units is not None and not 0 <= units <= MAX_QUANTITY:
        raise BadValue("max_quantity", "A limit is zero or above.", "Correct the number, or leave it empty.")
    before = await store.lock_backorder(tx.conn, (item.variant_id, site_id))
    if before is None and state == "ended":
        raise NotFound("No backorders are approved for this variant here.", param="variant_id")
    await store.write_backorder(
        tx.conn,
        {
            "variant": item.variant_id, "site": site_id, "max_quantity": units, "note": note, "approved_by": tx.actor.id,
            "approved_at": tx.now, "ended_at": tx.now if state == "ended" else None,
            "version": before["version"] + 1 if before else 1,
        },
    )  # fmt: skip
    shown = format_units(units, item.decimals) if units is not None else None
    tx.record("backorder", f"{item.variant_id}/{site_id}", _audited(before), {"max_quantity": units, "state": state, "note": note})  # fmt: skip
    tx.emit(
        BackorderChanged(
            variant_id=item.variant_id, sku=item.sku, site_id=site_id, max_quantity=shown, ended=state == "ended"
        )
    )  # fmt: skip


def _audited(before: dict[str, Any] | None) -> dict[str, Any] | None:
    if before is None:
        return None
    state = "ended" if before["ended_at"] else "approved"
    return {"max_quantity": before["max_quantity"], "state": state, "note": before["note"]}
