"""HTTP of the point of sale: registers, sales, refunds, voids; the till's hot path is `intake`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, Field

from onhand import ledger
from onhand.access import CallerDep, needs
from onhand.kit.export import Column, Format, listing
from onhand.kit.paging import DEFAULT_LIMIT
from onhand.kit.problem import NotFound
from onhand.kit.web import APIRouter, Body, Cursor, Id, Instant, Limit, Out, Page, Reads, Text, Writes, page
from onhand.pos import reads
from onhand.pos.actions.refund import RefundLine, RefundOrder, open_register, refund, void

router = APIRouter(tags=["pos"])


class RegisterOut(Out):
    """A till device and where it sells from."""

    id: UUID
    code: str
    name: str
    location_id: UUID
    site_id: UUID
    external_id: str | None
    metadata: dict[str, Any]
    version: int


class RegisterBody(Body):
    """A new register."""

    id: Id | None = None
    code: Text = Field(min_length=1, max_length=60)
    name: Text = Field(min_length=1, max_length=200)
    location_id: Id
    external_id: Text | None = Field(default=None, max_length=200)
    metadata: dict[str, Any] = Field(default_factory=dict)


class SaleOut(Out):
    """A sale as lists show it. Amounts are decimal strings of `currency`."""

    id: UUID
    number: str | None
    register_code: str = Field(alias="register")
    site_id: UUID
    site_code: str
    happened_at: datetime
    recorded_at: datetime
    currency: str
    total: str
    tax: str
    net: str
    discount: str
    units: int
    line_count: int
    state: str
    refund_of: UUID | None
    customer_id: UUID | None


class SaleLineOut(Out):
    """One line: quantity in `unit`, `refunded` of it came back. `resolved` is false while nobody knows its code."""

    line: int
    variant_id: UUID | None
    sku: str
    name: str
    unit: str | None
    quantity: str
    refunded: str
    unit_price: str
    net: str
    tax: str
    discount: str
    total: str
    lot_code: str | None
    serial_number: str | None
    resolved: bool


class TenderOut(Out):
    """How some of it was paid."""

    kind: str
    amount: str
    reference: str | None


class SaleDetail(SaleOut):
    """A sale with everything on the receipt; `can` names the verbs its state allows."""

    lines: list[SaleLineOut]
    tenders: list[TenderOut]
    refunds: list[UUID]
    can: list[str]


class RefundLineBody(Body):
    """`quantity` of line number `line` comes back, `amount` is given back."""

    line: int = Field(ge=1, le=1000)
    quantity: Text = Field(min_length=1, max_length=24)
    amount: Text = Field(min_length=1, max_length=24)
    condition: Literal["available", "quarantine", "damaged"] = "available"


class TenderBody(Body):
    """How money was given back."""

    kind: Literal["cash", "card", "voucher", "other"]
    amount: Text = Field(min_length=1, max_length=24)
    reference: Text | None = Field(default=None, max_length=100)


class RefundBody(Body):
    """A refund against a sale; never more than was sold."""

    id: Id | None = None
    sale_id: Id
    register_code: Text = Field(alias="register", min_length=1, max_length=60)
    happened_at: Instant
    lines: list[RefundLineBody] = Field(min_length=1, max_length=1000)
    tenders: list[TenderBody] = Field(default_factory=list, max_length=20)


class VoidBody(Body):
    """Void a whole sale."""

    id: Id | None = None
    sale_id: Id
    reason: Text = Field(min_length=1, max_length=500)


@router.get("/v1/registers", dependencies=[needs("locations:read")], response_model=Page[RegisterOut])
async def list_registers(
    conn: Reads, caller: CallerDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Any:
    """Registers by code."""
    return page(
        *await reads.list_registers(conn, sites=caller.sites("locations:read"), limit=limit, cursor=cursor)
    )


@router.post(
    "/v1/registers",
    status_code=201,
    dependencies=[needs("locations:write", at="location_id")],
    response_model=RegisterOut,
)
async def create_register(tx: Writes, body: RegisterBody) -> Any:
    """Open a register."""
    return await open_register(
        tx, register_id=body.id, code=body.code, name=body.name, location_id=body.location_id,
        external_id=body.external_id, metadata=body.metadata,
    )  # fmt: skip


@router.get("/v1/sales", dependencies=[needs("sales:read")], response_model=Page[SaleOut])
async def list_sales(
    conn: Reads,
    caller: CallerDep,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    site_id: UUID | None = None,
    register: Annotated[str | None, Query(max_length=60)] = None,
    state: Literal["completed", "partly_refunded", "refunded", "voided"] | None = None,
    q: Annotated[str | None, Query(max_length=100, description="The sale's number.")] = None,
    happened_after: AwareDatetime | None = None,
    happened_before: AwareDatetime | None = None,
    format: Format = None,
) -> Any:
    """Sales, the newest first."""
    wanted = reads.SaleFilter(
        sites=caller.sites("sales:read"), site_id=site_id, register=register, state=state, q=q,
        happened_after=happened_after, happened_before=happened_before,
    )  # fmt: skip

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_sales(conn, wanted, limit=rows, cursor=at)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="sales",
        columns=("id", "number", "site_code", "register", "happened_at", "recorded_at", Column("units", number=True),
                 Column("line_count", number=True), Column("net", number=True), Column("tax", number=True),
                 Column("discount", number=True), Column("total", number=True), "currency", "state", "refund_of"),
    )  # fmt: skip


@router.get("/v1/sales/{sale_id}", dependencies=[needs("sales:read")], response_model=SaleDetail)
async def get_sale(conn: Reads, caller: CallerDep, sale_id: UUID) -> Any:
    """A sale with its lines, tenders and refunds."""
    found = await reads.get_sale(conn, sale_id)
    if found is None or not caller.may("sales:read", found["site_id"]):
        raise NotFound("There is no sale by this id.", param="sale_id")
    return found


@router.post(
    "/v1/pos/refunds", status_code=201, dependencies=[needs("pos:refund")], response_model=SaleDetail
)
async def create_refund(tx: Writes, caller: CallerDep, body: RefundBody) -> Any:
    """Refund goods of a sale. The answer is the refund's own document, with negative amounts."""
    till = await reads.find_till(tx.conn, body.register_code)
    if till is not None:
        caller.require("pos:refund", till.site)
    order = RefundOrder(
        id=tx.new_id(body.id), sale_id=body.sale_id, register=body.register_code, happened_at=body.happened_at,
        lines=[RefundLine(x.line, x.quantity, x.amount, ledger.Condition[x.condition]) for x in body.lines],
        tenders=[(t.kind, t.amount, t.reference) for t in body.tenders],
    )  # fmt: skip
    return await refund(tx, order)


@router.post("/v1/pos/voids", status_code=201, dependencies=[needs("pos:refund")], response_model=SaleDetail)
async def create_void(tx: Writes, caller: CallerDep, body: VoidBody) -> Any:
    """Void a whole sale; its stock goes back."""
    site = await reads.sale_site(tx.conn, body.sale_id)
    if site is not None:
        caller.require("pos:refund", site)
    return await void(tx, void_id=tx.new_id(body.id), sale_id=body.sale_id, reason=body.reason)
