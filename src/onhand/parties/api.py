"""Suppliers and customers over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, Field

from onhand.access import needs
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.web import LIMIT, APIRouter, Body, Cursor, Id, IfMatch, Limit, Out, Page, Reads, Text, Writes
from onhand.parties import actions, reads
from onhand.parties.model import Kind
from onhand.values import check_metadata

router = APIRouter(tags=["parties"])

FILE_COLUMNS = (
    "code", "name", "email", "phone", Column("address.line1", title="line1"), Column("address.line2", title="line2"),
    Column("address.postal_code", title="postal_code"), Column("address.city", title="city"),
    Column("address.region", title="region"), Column("address.country", title="country"), "external_id", "archived_at",
)  # fmt: skip
PartyId = Annotated[UUID, Path(description="Its id.")]
Search = Annotated[Text | None, Query(max_length=200, description="Part of code, name or e-mail.")]
Archived = Annotated[bool | None, Query(description="true: only archived ones; false: only those in use.")]


LIFE = "Days goods must still be good when they change hands."
Metadata = Annotated[dict[str, Any], AfterValidator(check_metadata)]


class Address(Body):
    """A postal address; `country` has two letters."""

    line1: Text | None = Field(None, max_length=200)
    line2: Text | None = Field(None, max_length=200)
    postal_code: Text | None = Field(None, max_length=200)
    city: Text | None = Field(None, max_length=200)
    region: Text | None = Field(None, max_length=200)
    country: Text | None = Field(None, max_length=2)


class AddressOut(Out):
    """A postal address."""

    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None


class NewPartyBody(Body):
    """A supplier or customer to make."""

    id: Id | None = None
    code: Text = Field(max_length=64)
    name: Text = Field(max_length=200)
    email: Text | None = Field(None, max_length=254)
    phone: Text | None = Field(None, max_length=50)
    address: Address | None = None
    minimum_life_days: int | None = Field(None, ge=0, le=3650, description=LIFE)
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)


class PartyChanges(Body):
    """What to change; fields left out stay. `archived` takes it out of use or brings it back."""

    code: Text = Field("", max_length=64)
    name: Text = Field("", max_length=200)
    email: Text | None = Field(None, max_length=254)
    phone: Text | None = Field(None, max_length=50)
    address: Address | None = None
    minimum_life_days: int | None = Field(None, ge=0, le=3650, description=LIFE)
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)
    archived: bool = False


class PartyOut(Out):
    """A supplier or customer."""

    id: UUID
    code: str
    name: str
    email: str | None
    phone: str | None
    address: AddressOut | None
    minimum_life_days: int | None
    external_id: str | None
    metadata: dict[str, Any]
    archived_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


def _given(body: Body) -> dict[str, Any]:
    given = {name: getattr(body, name) for name in body.model_fields_set if name != "id"}
    if given.get("address") is not None:
        given["address"] = given["address"].model_dump(exclude_none=True)
    return given


async def _shown(conn: Any, kind: Kind, party_id: UUID) -> dict[str, Any]:
    found = await reads.get_party(conn, kind, party_id)
    if found is None:
        raise NotFound(f"There is no {kind.value} with this id.")
    return found


@router.get("/v1/suppliers", response_model=Page[PartyOut], dependencies=[needs("parties:read")])
async def list_suppliers(
    conn: Reads, limit: Limit = LIMIT, cursor: Cursor = None, q: Search = None, external_id: Text | None = None,
    archived: Archived = False, updated_after: datetime | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """Suppliers by code."""

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_parties(
            conn, Kind.SUPPLIER, q=q, external_id=external_id, archived=archived, updated_after=updated_after,
            limit=rows, cursor=at,
        )  # fmt: skip

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="suppliers", columns=FILE_COLUMNS
    )


@router.post("/v1/suppliers", response_model=PartyOut, status_code=201, dependencies=[needs("parties:write")])
async def create_supplier(tx: Writes, body: NewPartyBody) -> Any:
    """Makes a supplier."""
    made = await actions.create_party(tx, Kind.SUPPLIER, party_id=body.id, **_given(body))
    return await _shown(tx.conn, Kind.SUPPLIER, made.id)


@router.get("/v1/suppliers/{supplier_id}", response_model=PartyOut, dependencies=[needs("parties:read")])
async def get_supplier(conn: Reads, supplier_id: PartyId) -> Any:
    """One supplier."""
    return await _shown(conn, Kind.SUPPLIER, supplier_id)


@router.patch("/v1/suppliers/{supplier_id}", response_model=PartyOut, dependencies=[needs("parties:write")])
async def change_supplier(tx: Writes, supplier_id: PartyId, body: PartyChanges, version: IfMatch) -> Any:
    """Changes a supplier."""
    await actions.change_party(tx, Kind.SUPPLIER, supplier_id, version=version, changes=_given(body))
    return await _shown(tx.conn, Kind.SUPPLIER, supplier_id)


@router.get("/v1/customers", response_model=Page[PartyOut], dependencies=[needs("parties:read")])
async def list_customers(
    conn: Reads, limit: Limit = LIMIT, cursor: Cursor = None, q: Search = None, external_id: Text | None = None,
    archived: Archived = False, updated_after: datetime | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """Customers by code."""

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_parties(
            conn, Kind.CUSTOMER, q=q, external_id=external_id, archived=archived, updated_after=updated_after,
            limit=rows, cursor=at,
        )  # fmt: skip

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="customers", columns=FILE_COLUMNS
    )


@router.post("/v1/customers", response_model=PartyOut, status_code=201, dependencies=[needs("parties:write")])
async def create_customer(tx: Writes, body: NewPartyBody) -> Any:
    """Makes a customer."""
    made = await actions.create_party(tx, Kind.CUSTOMER, party_id=body.id, **_given(body))
    return await _shown(tx.conn, Kind.CUSTOMER, made.id)


@router.get("/v1/customers/{customer_id}", response_model=PartyOut, dependencies=[needs("parties:read")])
async def get_customer(conn: Reads, customer_id: PartyId) -> Any:
    """One customer."""
    return await _shown(conn, Kind.CUSTOMER, customer_id)


@router.patch("/v1/customers/{customer_id}", response_model=PartyOut, dependencies=[needs("parties:write")])
async def change_customer(tx: Writes, customer_id: PartyId, body: PartyChanges, version: IfMatch) -> Any:
    """Changes a customer."""
    await actions.change_party(tx, Kind.CUSTOMER, customer_id, version=version, changes=_given(body))
    return await _shown(tx.conn, Kind.CUSTOMER, customer_id)
