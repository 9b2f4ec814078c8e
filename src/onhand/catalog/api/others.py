"""Categories, units and minimums over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path

from onhand.access import CallerDep, needs
from onhand.catalog import actions, reads, store
from onhand.catalog.api.shapes import (
    CategoryChanges,
    CategoryOut,
    MinimumBody,
    MinimumOut,
    NewCategoryBody,
    Search,
    UnitBody,
    UnitOut,
)
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.web import LIMIT, APIRouter, Cursor, IfMatch, Limit, Page, Reads, Writes
from onhand.values import BadValue, format_units, parse_units

router = APIRouter(tags=["catalog"])
Rows = tuple[list[dict[str, Any]], str | None]
CategoryId = Annotated[UUID, Path(description="The category's id.")]


@router.get("/v1/categories", response_model=Page[CategoryOut], dependencies=[needs("catalog:read")])
async def list_categories(
    conn: Reads, limit: Limit = LIMIT, cursor: Cursor = None, q: Search = None, parent_id: UUID | None = None,
    format: Format = None,
) -> Any:  # fmt: skip
    """Categories in path order: parents before what stands in them."""

    async def fetch(rows: int, at: str | None) -> Rows:
        return await reads.list_categories(conn, q=q, parent_id=parent_id, limit=rows, cursor=at)

    columns = ("path", "name", "external_id")
    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="categories", columns=columns)


async def _category(conn: Any, category_id: UUID) -> dict[str, Any]:
    found = await reads.get_category(conn, category_id)
    if found is None:
        raise NotFound("There is no category with this id.")
    return found


@router.post(
    "/v1/categories", response_model=CategoryOut, status_code=201, dependencies=[needs("catalog:write")]
)
async def create_category(tx: Writes, body: NewCategoryBody) -> Any:
    """Makes a category."""
    made = await actions.create_category(
        tx, category_id=body.id, name=body.name, parent_id=body.parent_id, external_id=body.external_id,
        metadata=body.metadata,
    )  # fmt: skip
    return await _category(tx.conn, made.id)


@router.get("/v1/categories/{category_id}", response_model=CategoryOut, dependencies=[needs("catalog:read")])
async def get_category(conn: Reads, category_id: CategoryId) -> Any:
    """One category."""
    return await _category(conn, category_id)


@router.patch(
    "/v1/categories/{category_id}", response_model=CategoryOut, dependencies=[needs("catalog:write")]
)
async def change_category(
    tx: Writes, category_id: CategoryId, body: CategoryChanges, version: IfMatch
) -> Any:
    """Renames or moves a category; everything below follows."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    await actions.change_category(tx, category_id, version=version, changes=changes)
    return await _category(tx.conn, category_id)


@router.get("/v1/units", response_model=Page[UnitOut], dependencies=[needs("catalog:read")])
async def list_units(conn: Reads, limit: Limit = LIMIT, cursor: Cursor = None, format: Format = None) -> Any:
    """Units by code."""

    async def fetch(rows: int, at: str | None) -> Rows:
        return await reads.list_units(conn, limit=rows, cursor=at)

    columns = ("code", "name", "dimension", "numerator", "denominator")
    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="units", columns=columns)


@router.post("/v1/units", response_model=UnitOut, status_code=201, dependencies=[needs("catalog:write")])
async def create_unit(tx: Writes, body: UnitBody) -> Any:
    """Adds a unit. Units never change once they exist."""
    return await actions.create_unit(
        tx, code=body.code, name=body.name, dimension=body.dimension, numerator=body.numerator,
        denominator=body.denominator,
    )  # fmt: skip


@router.get("/v1/minimums", response_model=Page[MinimumOut], dependencies=[needs("catalog:read")])
async def list_minimums(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, variant_id: UUID | None = None,
    site_id: UUID | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """Minimums of variants at sites."""

    async def fetch(rows: int, at: str | None) -> Rows:
        return await reads.list_minimums(
            conn,
            variant_id=variant_id,
            site_id=site_id,
            sites=caller.sites("catalog:read"),
            limit=rows,
            cursor=at,
        )

    columns = ("sku", "site_id", Column("minimum", number=True), "unit")
    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="minimums", columns=columns)


@router.put("/v1/minimums", response_model=MinimumOut, dependencies=[needs("catalog:write", at="site_id")])
async def set_minimum(tx: Writes, body: MinimumBody) -> Any:
    """Sets the minimum of a variant at a site; null removes it."""
    variant = (await store.lock_variants(tx.conn, [body.variant_id])).get(body.variant_id)
    if variant is None:
        raise NotFound("There is no variant with this id.", param="variant_id")
    units = parse_units(body.minimum, variant.decimals, "minimum") if body.minimum is not None else None
    if units is not None and units < 0:
        raise BadValue("minimum", "A minimum is zero or above.", "Correct the number.")
    await actions.set_minimums(tx, [(variant.id, body.site_id, units)])
    shown = format_units(units, variant.decimals) if units is not None else None
    return {
        "variant_id": variant.id,
        "site_id": body.site_id,
        "sku": variant.sku,
        "unit": variant.unit,
        "minimum": shown,
    }
