"""The verbs of transfers over HTTP. Shipments, receipts and resolutions are resources one creates; their id is their posting's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from onhand import ledger
from onhand.access import CallerDep, needs
from onhand.kit.web import APIRouter, IfMatch, Writes
from onhand.ledger import Reason, Spot
from onhand.transfers import actions
from onhand.transfers.api import shapes
from onhand.transfers.api.bodies import (
    LpnMoveBody,
    ProposalBody,
    ReceiptBody,
    ShipmentBody,
    TransferBody,
    TransferChangeBody,
    TransferResolutionBody,
    WhyBody,
)
from onhand.transfers.api.views import shown
from onhand.transfers.model import Outcome

router = APIRouter()


@router.post(
    "/v1/transfers",
    status_code=201,
    response_model=shapes.TransferOut,
    dependencies=[needs("stock:move")],
)
async def create_transfer(tx: Writes, caller: CallerDep, body: TransferBody) -> Any:
    """Send goods from one site to another in one step (all lines, or none), or with `mode: document` plan a transfer.

    In one step needs `stock:move` at both sites; a document needs `transfers:write` at one of them.
    """
    if body.mode == "instant":
        return await _instant(tx, caller, body)
    new = actions.NewTransfer(
        id=body.id, source=body.source(), target=body.target(), lines=[line.goods() for line in body.lines],
        reserves=body.reserve, expected_at=body.expected_at, note=body.note, external_id=body.external_id,
    )  # fmt: skip
    made = await actions.draft(tx, caller, new, place=body.place)
    return {
        "id": made.id, "seq": None, "state": made.state.value, "lines": len(made.lines), "number": f"T-{made.number}",
        "version": 2 if body.place else 1,
    }  # fmt: skip


async def _instant(tx: Writes, caller: CallerDep, body: TransferBody) -> dict[str, Any]:
    lines = [
        ledger.TransferLine(
            goods=line.goods(),
            source=Spot(id=line.from_location_id, param="from_location_id")
            if line.from_location_id
            else None,
            target=Spot(id=line.to_location_id, param="to_location_id") if line.to_location_id else None,
        )
        for line in body.lines
    ]
    what = await ledger.transfer(
        tx,
        caller,
        id=body.id,
        lines=lines,
        happened_at=body.happened_at,
        source=body.source(),
        target=body.target(),
    )
    return {"id": what.id, "seq": str(what.seq), "state": "posted", "lines": len(lines)}


@router.post(
    "/v1/transfers/proposals",
    status_code=201,
    response_model=shapes.ProposalOut,
    dependencies=[needs("transfers:write", at=("to_site_id",))],
)
async def create_proposal(tx: Writes, caller: CallerDep, body: ProposalBody) -> Any:
    """Draft the transfers that bring a site to its minimums, from the sites with most to spare; one draft a source."""
    made = await actions.propose(
        tx, caller, id=body.id, target=Spot(id=body.to_site_id, param="to_site_id"), variants=body.variant_ids,
        source=Spot(id=body.from_site_id, param="from_site_id") if body.from_site_id else None,
        expected_at=body.expected_at,
    )  # fmt: skip
    rows = [await shown(tx.conn, caller, one.id) for one in made.drafts]
    return {
        "data": [{k: v for k, v in row.items() if k not in ("lines", "steps", "can")} for row in rows],
        "unmet": [{"variant_id": v, "sku": sku, "quantity": quantity} for v, sku, quantity in made.unmet],
    }


@router.patch(
    "/v1/transfers/{transfer_id}",
    response_model=shapes.TransferDetail,
    dependencies=[needs("transfers:write")],
)
async def change_transfer(
    tx: Writes, caller: CallerDep, transfer_id: UUID, body: TransferChangeBody, version: IfMatch
) -> Any:
    """Change a draft; once placed, its note and date."""
    await actions.change(
        tx, caller, transfer_id, version=version, changes=body.changes(),
        lines=[line.goods() for line in body.lines] if body.lines is not None else None,
    )  # fmt: skip
    return await shown(tx.conn, caller, transfer_id)


@router.post(
    "/v1/transfers/{transfer_id}/place",
    response_model=shapes.TransferDetail,
    dependencies=[needs("transfers:write")],
)
async def place_transfer(tx: Writes, caller: CallerDep, transfer_id: UUID, version: IfMatch) -> Any:
    """Place a draft: the source may ship it, and its goods are claimed there."""
    await actions.place(tx, caller, transfer_id, version=version)
    return await shown(tx.conn, caller, transfer_id)


@router.post(
    "/v1/transfers/{transfer_id}/cancel",
    response_model=shapes.TransferDetail,
    dependencies=[needs("transfers:write")],
)
async def cancel_transfer(
    tx: Writes, caller: CallerDep, transfer_id: UUID, body: WhyBody, version: IfMatch
) -> Any:
    """Cancel a transfer of which nothing was shipped; what it claimed is free again."""
    await actions.cancel(tx, caller, transfer_id, version=version, reason=body.reason)
    return await shown(tx.conn, caller, transfer_id)


@router.post(
    "/v1/transfers/{transfer_id}/close",
    response_model=shapes.TransferDetail,
    dependencies=[needs("transfers:write")],
)
async def close_transfer(
    tx: Writes, caller: CallerDep, transfer_id: UUID, body: WhyBody, version: IfMatch
) -> Any:
    """Send no more of it. What is in transit is still received or settled."""
    await actions.close(tx, caller, transfer_id, version=version, reason=body.reason)
    return await shown(tx.conn, caller, transfer_id)


@router.post(
    "/v1/transfers/{transfer_id}/shipments",
    status_code=201,
    response_model=shapes.StepDone,
    dependencies=[needs("transfers:ship")],
)
async def create_shipment(tx: Writes, caller: CallerDep, transfer_id: UUID, body: ShipmentBody) -> Any:
    """Ship goods of a transfer: they leave the source and stand in transit. All lines, or none."""
    step, _ = await actions.ship(
        tx, caller, transfer_id, id=body.id, lines=[line.step() for line in body.lines], happened_at=body.happened_at,
        note=body.note,
    )  # fmt: skip
    return {"id": step, "transfer": await shown(tx.conn, caller, transfer_id)}


@router.post(
    "/v1/transfers/{transfer_id}/receipts",
    status_code=201,
    response_model=shapes.StepDone,
    dependencies=[needs("transfers:receive")],
)
async def create_transfer_receipt(tx: Writes, caller: CallerDep, transfer_id: UUID, body: ReceiptBody) -> Any:
    """Receive goods of a transfer, good or damaged. What is short stays in transit until it arrives or is settled."""
    step, _ = await actions.receive(
        tx, caller, transfer_id, id=body.id, lines=[line.step(line.damaged) for line in body.lines],
        target=Spot(id=body.location_id) if body.location_id else None, happened_at=body.happened_at, note=body.note,
        complete=body.complete, accept_over=body.accept_over,
    )  # fmt: skip
    return {"id": step, "transfer": await shown(tx.conn, caller, transfer_id)}


@router.post(
    "/v1/transfers/{transfer_id}/resolutions",
    status_code=201,
    response_model=shapes.StepDone,
    dependencies=[needs("transfers:read")],
)
async def create_transfer_resolution(
    tx: Writes, caller: CallerDep, transfer_id: UUID, body: TransferResolutionBody
) -> Any:
    """Say what became of goods that did not arrive. `returned` needs `transfers:ship` at the source (they arrive there), the
    others `transfers:receive` at the destination."""
    step, _ = await actions.settle(
        tx, caller, transfer_id, id=body.id, outcome=Outcome(body.outcome), lines=[line.step() for line in body.lines],
        reason=Reason(body.reason), place=Spot(id=body.location_id) if body.location_id else None,
        happened_at=body.happened_at, note=body.note,
    )  # fmt: skip
    return {"id": step, "transfer": await shown(tx.conn, caller, transfer_id)}


@router.post(
    "/v1/lpn-moves",
    status_code=201,
    response_model=shapes.LpnMoveOut,
    dependencies=[needs("stock:move")],
)
async def create_lpn_move(tx: Writes, caller: CallerDep, body: LpnMoveBody) -> Any:
    """Move a load carrier with all that is on it. Within a site no stock moves; between sites its contents do, in one posting."""
    moved = await actions.move_lpn(
        tx, caller, id=body.id, happened_at=body.happened_at,
        lpn=Spot(id=body.lpn_id, code=body.lpn_code, param="lpn_id"),
        target=Spot(id=body.to_location_id, code=body.to_location_code, param="to_location_id"),
    )  # fmt: skip
    return {
        "id": moved.id, "lpn_id": moved.lpn_id, "path": moved.path, "site_id": moved.site_id, "lines": moved.lines,
    }  # fmt: skip
