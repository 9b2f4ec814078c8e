"""Lots, serial numbers, their certificates and policies over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Request
from fastapi.responses import Response

from onhand import lots
from onhand.access import CallerDep, needs
from onhand.kit import files
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import InvalidBody, NotFound
from onhand.kit.web import LIMIT, APIRouter, Cursor, IfMatch, Limit, Page, Reads, Text, Writes, page
from onhand.quality import actions, reads
from onhand.quality.api import shapes
from onhand.quality.reads import LotFilter

router = APIRouter()
LotId = Annotated[UUID, Path(description="Its id.")]
FILE_COLUMNS = (
    "code", "kind", "state", "sku", "name", Column("on_hand", number=True), "unit", "made_on", "expires_on", "supplier_name",
    Column("certificate.state", title="certificate"), "external_id", "notes", "created_at",
)  # fmt: skip


async def _shown(conn: Any, caller: Any, lot_id: UUID) -> dict[str, Any]:
    found = await reads.get_lot(conn, lot_id, scope=caller.sites("stock:read"))
    if found is None:
        raise NotFound("There is no lot with this id.", param="id")
    return found


@router.get("/v1/lots", response_model=Page[shapes.LotOut], dependencies=[needs("stock:read")])
async def list_lots(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None,
    q: Annotated[Text | None, Query(max_length=64, description="The beginning of the code.")] = None,
    code: Annotated[Text | None, Query(max_length=64)] = None, kind: Literal["lot", "serial"] | None = None,
    variant_id: UUID | None = None, sku: Annotated[Text | None, Query(max_length=200)] = None,
    state: Literal["sound", "held", "recalled", "expired", "uncertified"] | None = None,
    certificate_state: Literal["none", "waiting", "approved", "rejected"] | None = None,
    expires_within: Annotated[int | None, Query(ge=-3650, le=3650, description="Days from today; ordered by expiry.")] = None,
    in_stock: bool | None = None, updated_after: datetime | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """Lots and serial numbers by code. Stock is summed over the sites you may see."""
    wanted = LotFilter(
        q=q, code=code, kind=kind, variant_id=variant_id, sku=sku, state=state, certificate_state=certificate_state,
        expires_within=expires_within, in_stock=in_stock, updated_after=updated_after, scope=caller.sites("stock:read"),
    )  # fmt: skip

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_lots(conn, wanted, limit=rows, cursor=at)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="lots", columns=FILE_COLUMNS)


@router.post(
    "/v1/lots", response_model=shapes.LotFullOut, status_code=201, dependencies=[needs("lots:write")]
)
async def create_lot(tx: Writes, caller: CallerDep, body: shapes.NewLotBody) -> Any:
    """Makes a lot, or a serial number where the product is tracked so. The same again answers the same lot."""
    lot_id = await actions.create_lot(tx, variant_id=body.variant_id, code=body.code, given=body.given())
    return await _shown(tx.conn, caller, lot_id)


@router.get("/v1/lots/{lot_id}", response_model=shapes.LotFullOut, dependencies=[needs("stock:read")])
async def get_lot(conn: Reads, caller: CallerDep, lot_id: LotId) -> Any:
    """One lot with its stock by place and condition, and the open holds on it."""
    return await _shown(conn, caller, lot_id)


@router.patch("/v1/lots/{lot_id}", response_model=shapes.LotFullOut, dependencies=[needs("lots:write")])
async def change_lot(
    tx: Writes, caller: CallerDep, lot_id: LotId, body: shapes.LotFacts, version: IfMatch
) -> Any:
    """Changes facts of a lot; fields left out stay."""
    await actions.change_lot(tx, lot_id, version=version, changes=body.given())
    return await _shown(tx.conn, caller, lot_id)


@router.get("/v1/lots/{lot_id}/life", response_model=Page[shapes.LifeOut], dependencies=[needs("stock:read")])
async def lot_life(
    conn: Reads, caller: CallerDep, lot_id: LotId, limit: Limit = LIMIT, cursor: Cursor = None
) -> Any:
    """Every move of a lot or serial number, the newest first."""
    scope = caller.sites("stock:read")
    return page(*await reads.life_of(conn, lot_id, scope=scope, limit=limit, cursor=cursor))


@router.get(
    "/v1/serials/{serial_number}", response_model=shapes.SerialsOut, dependencies=[needs("stock:read")]
)
async def get_serial(
    conn: Reads, caller: CallerDep, serial_number: Annotated[Text, Path(max_length=64)]
) -> Any:
    """The unit that carries a serial number, and where it is now. Two variants may use the same number."""
    found = await reads.lots_named(conn, serial_number, kind="serial", scope=caller.sites("stock:read"))
    if not found:
        raise NotFound("There is no serial number like this.")
    return {"data": found}


@router.post(
    "/v1/lots/{lot_id}/certificate", response_model=shapes.LotFullOut, dependencies=[needs("lots:write")]
)
async def attach_certificate(
    tx: Writes, caller: CallerDep, lot_id: LotId, body: shapes.CertificateBody
) -> Any:
    """Attaches a certificate of analysis; it waits for a decision."""
    await actions.attach_certificate(tx, caller, lot_id, file_id=body.file_id)
    return await _shown(tx.conn, caller, lot_id)


@router.get("/v1/lots/{lot_id}/certificate", response_class=Response, dependencies=[needs("stock:read")])
async def download_certificate(request: Request, conn: Reads, lot_id: LotId) -> Any:
    """The certificate's file."""
    row = await reads.certificate_file(conn, lot_id)
    if row is None:
        raise lots.NoCertificate()
    return files.respond(await files.get_file(conn, row), request.app.state.settings)


@router.post(
    "/v1/lots/{lot_id}/certificate-decisions",
    response_model=shapes.LotFullOut,
    dependencies=[needs("lots:approve")],
)
async def decide_certificate(
    tx: Writes, caller: CallerDep, lot_id: LotId, body: shapes.CertificateDecision
) -> Any:
    """Approves or rejects the certificate. Approved, what waited for it becomes available."""
    await actions.decide_certificate(tx, lot_id, verb=body.decision, note=body.note)
    return await _shown(tx.conn, caller, lot_id)


@router.get("/v1/lot-policies", response_model=Page[shapes.PolicyOut], dependencies=[needs("stock:read")])
async def list_policies(conn: Reads, limit: Limit = LIMIT, cursor: Cursor = None) -> Any:
    """The policies of lots; without one, no certificate is needed and what expires first leaves first."""
    return page(*await reads.list_policies(conn, limit=limit, cursor=cursor))


@router.post(
    "/v1/lot-policies",
    response_model=shapes.PolicyOut,
    status_code=201,
    dependencies=[needs("catalog:write")],
)
async def set_policy(tx: Writes, body: shapes.PolicyBody) -> Any:
    """Says what rules the lots of a product or variant, in place of what did."""
    if (body.product_id is None) == (body.variant_id is None):
        raise InvalidBody("Name a product or a variant.", param="product_id")
    subject = "product" if body.product_id is not None else "variant"
    subject_id = body.product_id or body.variant_id
    assert subject_id is not None
    await actions.set_policy(
        tx, subject=subject, subject_id=subject_id, needs_certificate=body.needs_certificate, strategy=body.strategy,
        near_expiry_days=body.near_expiry_days,
    )  # fmt: skip
    found = await reads.policy_of(tx.conn, subject_id)
    assert found is not None
    return found
