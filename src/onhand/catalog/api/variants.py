"""Variants over HTTP: one by one, merged, and many at once."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from onhand.access import CallerDep, needs
from onhand.catalog import actions, reads
from onhand.catalog.actions import NewVariant
from onhand.catalog.actions.variants import BulkChange
from onhand.catalog.api.shapes import (
    Archived,
    BulkBody,
    BulkChanges,
    BulkOut,
    MergeBody,
    MoneyBody,
    NewVariantBody,
    Search,
    Tracking,
    VariantChanges,
    VariantId,
    VariantOut,
    given_barcodes,
    given_variant,
    grams,
    money,
)
from onhand.catalog.reads import CatalogFilter
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.web import LIMIT, APIRouter, Cursor, IfMatch, Limit, Page, Reads, Text, Writes
from onhand.values import check_currency, format_cost, parse_cost

router = APIRouter(tags=["catalog"])
FILE_COLUMNS = (
    "sku", "name", "product_name", "category_name", "unit", "decimals", "tracking",
    Column("barcode_list", title="barcodes"), Column("list_price.amount", title="list_price", number=True),
    Column("cost.amount", title="cost", number=True), Column("list_price.currency", title="currency"), "weight_g",
    "external_id", "archived_at",
)  # fmt: skip


async def _shown(conn: Any, variant_id: UUID, caller: Any) -> dict[str, Any]:
    found = await reads.get_variants(conn, [variant_id], costs=caller.may("costs:read"))
    if variant_id not in found:
        raise NotFound("There is no variant with this id.")
    return found[variant_id]


@router.get("/v1/variants", response_model=Page[VariantOut], dependencies=[needs("catalog:read")])
async def list_variants(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, q: Search = None,
    category_id: UUID | None = None, product_id: UUID | None = None, sku: Text | None = None,
    barcode: Annotated[Text | None, Query(max_length=128)] = None, external_id: Text | None = None,
    tracking: Tracking | None = None, archived: Archived = False, updated_after: datetime | None = None,
    format: Format = None,
) -> Any:  # fmt: skip
    """Variants by SKU. `category_id` includes everything below it; `q` takes words in any order."""
    wanted = CatalogFilter(
        q=q, category_id=category_id, product_id=product_id, sku=sku, barcode=barcode, external_id=external_id,
        tracking=tracking, archived=archived, updated_after=updated_after,
    )  # fmt: skip
    costs = caller.may("costs:read")

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        found, following = await reads.list_variants(conn, wanted, limit=rows, cursor=at, costs=costs)
        if format is not None:
            for row in found:
                row["barcode_list"] = ";".join(f"{b['code']}*{b['quantity']}" for b in row["barcodes"])
        return found, following

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="variants", columns=FILE_COLUMNS
    )


@router.post(
    "/v1/variants", response_model=VariantOut, status_code=201, dependencies=[needs("catalog:write")]
)
async def create_variant(tx: Writes, caller: CallerDep, body: NewVariantBody) -> Any:
    """Makes a variant, and its product when none is named."""
    barcodes = given_barcodes(body.barcodes, body.decimals)
    if body.cost is not None:
        caller.require("costs:read")
    made = await actions.create_variant(tx, NewVariant(id=body.id, barcodes=barcodes, **given_variant(body)))
    return await _shown(tx.conn, made.id, caller)


@router.get("/v1/variants/{variant_id}", response_model=VariantOut, dependencies=[needs("catalog:read")])
async def get_variant(conn: Reads, caller: CallerDep, variant_id: VariantId) -> Any:
    """One variant. One that was merged names its survivor in `merged_into`."""
    return await _shown(conn, variant_id, caller)


@router.patch("/v1/variants/{variant_id}", response_model=VariantOut, dependencies=[needs("catalog:write")])
async def change_variant(
    tx: Writes, caller: CallerDep, variant_id: VariantId, body: VariantChanges, version: IfMatch
) -> Any:
    """Changes a variant. Unit and decimals stay once stock has moved."""
    changes, barcodes = given_variant(body), None
    if "cost" in changes:
        caller.require("costs:read")
    if "barcodes" in body.model_fields_set:
        present = await _shown(tx.conn, variant_id, caller)
        barcodes = given_barcodes(body.barcodes, changes.get("decimals", present["decimals"]))
    await actions.change_variant(tx, variant_id, version=version, changes=changes, barcodes=barcodes)
    return await _shown(tx.conn, variant_id, caller)


@router.post(
    "/v1/variants/{variant_id}/archive", response_model=VariantOut, dependencies=[needs("catalog:write")]
)
async def archive_variant(tx: Writes, caller: CallerDep, variant_id: VariantId) -> Any:
    """Takes a variant out of use; stock and history stay."""
    await actions.archive_variant(tx, variant_id, archived=True)
    return await _shown(tx.conn, variant_id, caller)


@router.post(
    "/v1/variants/{variant_id}/restore", response_model=VariantOut, dependencies=[needs("catalog:write")]
)
async def restore_variant(tx: Writes, caller: CallerDep, variant_id: VariantId) -> Any:
    """Brings an archived variant back."""
    await actions.archive_variant(tx, variant_id, archived=False)
    return await _shown(tx.conn, variant_id, caller)


@router.post(
    "/v1/variant-merges", response_model=VariantOut, status_code=201, dependencies=[needs("catalog:write")]
)
async def merge_variants(tx: Writes, caller: CallerDep, body: MergeBody) -> Any:
    """Makes one variant of two duplicates; answers with the survivor. Past rows keep the id they were written with."""
    kept = await actions.merge_variants(tx, keep_id=body.keep_id, merge_id=body.merge_id)
    return await _shown(tx.conn, kept.id, caller)


def _bulk_given(changes: BulkChanges) -> dict[str, Any]:
    given = {name: getattr(changes, name) for name in changes.model_fields_set}
    if isinstance(given.get("list_price"), MoneyBody):
        given["list_price"] = money(given["list_price"], "changes.list_price")
    if isinstance(given.get("cost"), MoneyBody):
        given["cost_currency"] = check_currency(given["cost"].currency, "changes.cost")
        given["cost"] = parse_cost(given["cost"].amount, "changes.cost")
    elif "cost" in given:
        given["cost"] = parse_cost(given["cost"], "changes.cost") if given["cost"] is not None else None
        if given["cost"] is None:
            given["cost_currency"] = None
    if given.get("weight_g") is not None:
        given["weight_g"] = grams(given["weight_g"])
    return given


def _bulk_row(change: BulkChange, *, costs: bool) -> dict[str, Any]:
    """A row for people: money as money, the cost only for those who may see it."""
    shown: dict[str, Any] = dict(change.changes)
    if {"list_price_minor", "list_price_currency"} & shown.keys():
        shown["list_price"] = tuple(
            {"amount": p.amount, "currency": p.currency} if p else None for p in change.prices
        )
    shown.pop("list_price_minor", None)
    shown.pop("list_price_currency", None)
    if "cost" in shown:
        shown["cost"] = tuple(format_cost(parse_cost(c)) if c is not None else None for c in shown["cost"])
    if not costs:
        shown.pop("cost", None)
        shown.pop("cost_currency", None)
    return {"id": change.id, "label": change.sku, "changes": shown}


@router.post("/v1/variants/bulk", response_model=BulkOut, dependencies=[needs("catalog:write")])
async def bulk_change(tx: Writes, caller: CallerDep, body: BulkBody) -> Any:
    """Changes up to 500 variants alike, all or nothing. With `preview` nothing is written, and the answer says what would be."""
    if body.changes.model_fields_set & {"cost"}:
        caller.require("costs:read")
    report = await actions.bulk_change(tx, body.ids, changes=_bulk_given(body.changes), preview=body.preview)
    rows = [_bulk_row(change, costs=caller.may("costs:read")) for change in report]
    return {"changed": sum(1 for change in report if change.changes), "rows": rows}
