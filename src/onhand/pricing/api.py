"""Tax codes over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, Field

from onhand.access import needs
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.web import LIMIT, APIRouter, Body, Cursor, Id, IfMatch, Limit, Out, Page, Reads, Text, Writes
from onhand.pricing import actions, reads
from onhand.pricing.model import parse_rate
from onhand.values import check_metadata

router = APIRouter(tags=["pricing"])

FILE_COLUMNS = ("code", "name", Column("rate", number=True), "external_id", "archived_at")
TaxCodeId = Annotated[UUID, Path(description="Its id.")]


Metadata = Annotated[dict[str, Any], AfterValidator(check_metadata)]


class NewTaxCodeBody(Body):
    """A tax code to make; `rate` is a share: "0.19" is 19 %."""

    id: Id | None = None
    code: Text = Field(max_length=64)
    name: Text = Field(max_length=200)
    rate: Text = Field(max_length=20, examples=["0.19"])
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)


class TaxCodeChanges(Body):
    """What to change; fields left out stay."""

    code: Text = Field("", max_length=64)
    name: Text = Field("", max_length=200)
    rate: Text = Field("", max_length=20)
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)
    archived: bool = False


class TaxCodeOut(Out):
    """A tax code."""

    id: UUID
    code: str
    name: str
    rate: str
    external_id: str | None
    metadata: dict[str, Any]
    archived_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


async def _shown(conn: Any, tax_code_id: UUID) -> dict[str, Any]:
    found = await reads.get_tax_code(conn, tax_code_id)
    if found is None:
        raise NotFound("There is no tax code with this id.")
    return found


@router.get("/v1/tax-codes", response_model=Page[TaxCodeOut], dependencies=[needs("catalog:read")])
async def list_tax_codes(
    conn: Reads, limit: Limit = LIMIT, cursor: Cursor = None,
    q: Annotated[Text | None, Query(max_length=200)] = None, archived: bool | None = False, format: Format = None,
) -> Any:  # fmt: skip
    """Tax codes by code."""

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_tax_codes(conn, q=q, archived=archived, limit=rows, cursor=at)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="tax-codes", columns=FILE_COLUMNS
    )


@router.post(
    "/v1/tax-codes", response_model=TaxCodeOut, status_code=201, dependencies=[needs("catalog:write")]
)
async def create_tax_code(tx: Writes, body: NewTaxCodeBody) -> Any:
    """Makes a tax code."""
    made = await actions.create_tax_code(
        tx, tax_code_id=body.id, code=body.code, name=body.name, rate=parse_rate(body.rate),
        external_id=body.external_id, metadata=body.metadata,
    )  # fmt: skip
    return await _shown(tx.conn, made.id)


@router.get("/v1/tax-codes/{tax_code_id}", response_model=TaxCodeOut, dependencies=[needs("catalog:read")])
async def get_tax_code(conn: Reads, tax_code_id: TaxCodeId) -> Any:
    """One tax code."""
    return await _shown(conn, tax_code_id)


@router.patch("/v1/tax-codes/{tax_code_id}", response_model=TaxCodeOut, dependencies=[needs("catalog:write")])
async def change_tax_code(tx: Writes, tax_code_id: TaxCodeId, body: TaxCodeChanges, version: IfMatch) -> Any:
    """Changes a tax code; sales that were made keep what they charged."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    if "rate" in changes:
        changes["rate"] = parse_rate(changes["rate"])
    await actions.change_tax_code(tx, tax_code_id, version=version, changes=changes)
    return await _shown(tx.conn, tax_code_id)
