"""The second person: approve or reject what exceeds somebody's limits."""

from __future__ import annotations

from uuid import UUID

import msgspec

from onhand import access, catalog, locations
from onhand.access import Caller
from onhand.kit.problem import NotFound
from onhand.kit.tx import Tx
from onhand.ledger import store
from onhand.ledger.actions.common import Done
from onhand.ledger.actions.corrections import Correction, correct
from onhand.ledger.events import ApprovalDecided
from onhand.ledger.model import AlreadyDecided, OwnApproval


async def approve(tx: Tx, caller: Caller, approval_id: UUID, *, note: str | None = None) -> Done:
    """Approve, which posts it now, in the name of who asked. The stock is judged as it is now.

    Raises NotFound, OwnApproval, AlreadyDecided, Forbidden, and what the correction itself raises (InsufficientStock,
    QuantityStale …): then it goes on waiting.
    """
    found = await _for_decision(tx, caller, approval_id)
    command = msgspec.convert(found.body["command"], Correction)
    item = (await catalog.resolve_ids(tx.conn, [command.variant]))[command.variant]
    place = (await locations.directory(tx.conn))[command.location]
    await _decide(tx, caller, found, "approved", note)
    return await correct(tx, command, caller=None, item=item, place=place, by=found.asked_by)


async def reject(tx: Tx, caller: Caller, approval_id: UUID, *, note: str | None = None) -> None:
    """Reject; nothing is posted. Raises NotFound, OwnApproval, AlreadyDecided, Forbidden."""
    found = await _for_decision(tx, caller, approval_id)
    await _decide(tx, caller, found, "rejected", note)
    access.name_action(tx, "approval.rejected")


async def _for_decision(tx: Tx, caller: Caller, approval_id: UUID) -> store.Approval:
    found = await store.get_approval(tx.conn, approval_id, lock=True)
    if found is None or not caller.may("stock:read", found.site):
        raise NotFound("There is no approval with this id.", param="id")
    caller.require("stock:approve", found.site)
    if found.asked_by == tx.actor.id:
        raise OwnApproval()
    if found.state != "waiting":
        raise AlreadyDecided(f"This was {found.state} before.", state=found.state)
    return found


async def _decide(tx: Tx, caller: Caller, found: store.Approval, state: str, note: str | None) -> None:
    await store.decide_approval(tx.conn, found.id, state=state, by=caller.id, at=tx.now, note=note)
    tx.record("approval", found.id, {"state": found.state}, {"state": state, "decision_note": note})
    tx.emit(
        ApprovalDecided(
            approval_id=found.id,
            verb=found.verb,
            site_id=found.site,
            state=state,
            decided_by=caller.id,
            note=note,
        )
    )
