"""Products over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from onhand.access import CallerDep, needs
from onhand.catalog import actions, reads
from onhand.catalog.actions import NewProduct
from onhand.catalog.api.shapes import (
    Archived,
    GenerateBody,
    NewProductBody,
    ProductChanges,
    ProductId,
    ProductOut,
    Search,
    Tracking,
)
from onhand.catalog.reads import CatalogFilter
from onhand.kit.export import Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.web import LIMIT, APIRouter, Body, Cursor, IfMatch, Limit, Page, Reads, Text, Writes

router = APIRouter(tags=["catalog"])
FILE_COLUMNS = ("id", "external_id", "name", "category_name", "tracking", "description", "archived_at")


def _given(body: Body) -> dict[str, Any]:
    given = {name: getattr(body, name) for name in body.model_fields_set if name not in ("id", "archived")}
    if "options" in given:
        given["options"] = [(option.name, option.values) for option in given["options"]]
    return given


async def _shown(conn: Any, product_id: UUID, caller: Any) -> dict[str, Any]:
    found = await reads.get_product(conn, product_id, costs=caller.may("costs:read"))
    if found is None:
        raise NotFound("There is no product with this id.")
    return found


@router.get("/v1/products", response_model=Page[ProductOut], dependencies=[needs("catalog:read")])
async def list_products(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, q: Search = None,
    category_id: UUID | None = None, tracking: Tracking | None = None, external_id: Text | None = None,
    archived: Archived = False, updated_after: datetime | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """Products by name, each with its variants. `category_id` includes everything below it."""
    wanted = CatalogFilter(
        q=q, category_id=category_id, tracking=tracking, external_id=external_id, archived=archived,
        updated_after=updated_after,
    )  # fmt: skip
    costs = caller.may("costs:read")

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_products(conn, wanted, limit=rows, cursor=at, costs=costs)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="products", columns=FILE_COLUMNS
    )


@router.post(
    "/v1/products", response_model=ProductOut, status_code=201, dependencies=[needs("catalog:write")]
)
async def create_product(tx: Writes, caller: CallerDep, body: NewProductBody) -> Any:
    """Makes a product."""
    made = await actions.create_product(tx, NewProduct(id=body.id, **_given(body)))
    return await _shown(tx.conn, made.id, caller)


@router.get("/v1/products/{product_id}", response_model=ProductOut, dependencies=[needs("catalog:read")])
async def get_product(conn: Reads, caller: CallerDep, product_id: ProductId) -> Any:
    """One product with its variants."""
    return await _shown(conn, product_id, caller)


@router.patch("/v1/products/{product_id}", response_model=ProductOut, dependencies=[needs("catalog:write")])
async def change_product(
    tx: Writes, caller: CallerDep, product_id: ProductId, body: ProductChanges, version: IfMatch
) -> Any:
    """Changes a product."""
    await actions.change_product(tx, product_id, version=version, changes=_given(body))
    if "archived" in body.model_fields_set:
        await actions.archive_product(tx, product_id, archived=body.archived)
    return await _shown(tx.conn, product_id, caller)


@router.post(
    "/v1/products/{product_id}/variants/generate",
    response_model=ProductOut,
    dependencies=[needs("catalog:write")],
)
async def generate_variants(
    tx: Writes, caller: CallerDep, product_id: ProductId, body: GenerateBody | None = None
) -> Any:
    """Makes the variants the product's options ask for and that are not there yet."""
    how = body or GenerateBody()
    await actions.generate_variants(
        tx, product_id, sku_prefix=how.sku_prefix, unit=how.unit, decimals=how.decimals
    )
    return await _shown(tx.conn, product_id, caller)
