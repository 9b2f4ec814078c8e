"""Lists and single records of the catalogue, straight in the API's shape. A fixed number of queries each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.catalog.model import shown_barcode
from onhand.catalog.reads.search import prefix_query
from onhand.catalog.store import barcodes_of, ids
from onhand.catalog.tables import category, minimum, product, unit, variant
from onhand.catalog.words import words_of
from onhand.kit.paging import after, cut
from onhand.values import Money, format_cost, format_units

Rows = tuple[list[dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True)
class CatalogFilter:
    """Which products or variants a list shows. `category_id` includes everything below it; `archived` None shows both."""

    q: str | None = None
    category_id: UUID | None = None
    product_id: UUID | None = None
    sku: str | None = None
    barcode: str | None = None
    external_id: str | None = None
    tracking: str | None = None
    archived: bool | None = False
    updated_after: datetime | None = None


_VARIANT = sa.select(
    *[c for c in variant.c if c.name != "words"],
    product.c.name.label("product_name"),
    product.c.category_id,
    product.c.tracking,
    category.c.name.label("category_name"),
).select_from(variant.join(product, product.c.id == variant.c.product_id).outerjoin(category, category.c.id == product.c.category_id))  # fmt: skip


def shape_variant(row: Any, barcodes: Sequence[Any], *, costs: bool) -> dict[str, Any]:
    """A variant as the API shows it; the cost only with `costs`."""
    price = (
        {
            "amount": Money(row.list_price_minor, row.list_price_currency).amount,
            "currency": row.list_price_currency,
        }
        if row.list_price_minor is not None
        else None
    )
    cost = (
        {"amount": format_cost(row.cost), "currency": row.cost_currency}
        if costs and row.cost is not None
        else None
    )
    return {
        "id": row.id, "product_id": row.product_id, "product_name": row.product_name, "sku": row.sku, "name": row.name,
        "options": row.options, "attributes": row.attributes, "unit": row.unit, "decimals": row.decimals,
        "barcodes": [shown_barcode(b, row.decimals) for b in barcodes], "list_price": price, "cost": cost,
        "weight_g": f"{row.weight_g.normalize():f}" if row.weight_g is not None else None,
        "dimensions_mm": row.dimensions_mm, "category_id": row.category_id, "category_name": row.category_name,
        "tracking": row.tracking, "archived_at": row.archived_at, "merged_into": row.merged_into,
        "external_id": row.external_id, "metadata": row.metadata, "version": row.version,
        "created_at": row.created_at, "updated_at": row.updated_at,
    }  # fmt: skip


def _in_category(category_id: UUID) -> sa.ColumnElement[bool]:
    below = sa.select(category.c.id).where(category.c.ancestors.contains([category_id]))
    return product.c.category_id.in_(below)


def word_query(q: str) -> str | None:
    """What people typed as the text of a tsquery over `variant.words`; None when there is no word in it."""
    words = words_of(q)[:8]
    return prefix_query(words) if words else None


def _words_match(q: str) -> sa.ColumnElement[bool]:
    query = word_query(q)
    if query is None:
        return sa.true()
    return variant.c.words.op("@@")(sa.cast(sa.literal(query, sa.Text), sa.dialects.postgresql.TSQUERY))


def _variant_where(wanted: CatalogFilter) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if wanted.q:
        where.append(_words_match(wanted.q))
    if wanted.category_id is not None:
        where.append(_in_category(wanted.category_id))
    for name in ("product_id", "sku", "external_id"):
        if getattr(wanted, name) is not None:
            where.append(variant.c[name] == getattr(wanted, name))
    if wanted.barcode is not None:
        from onhand.catalog.model import lookups
        from onhand.catalog.tables import barcode

        carried = sa.select(barcode.c.variant_id).where(barcode.c.code.in_(lookups(wanted.barcode)))
        where.append(variant.c.id.in_(carried))
    if wanted.tracking is not None:
        where.append(product.c.tracking == wanted.tracking)
    if wanted.archived is not None:
        where.append(
            variant.c.archived_at.is_not(None) if wanted.archived else variant.c.archived_at.is_(None)
        )
    if wanted.updated_after is not None:
        where.append(variant.c.updated_at > wanted.updated_after)
    return where


async def list_variants(
    conn: AsyncConnection, wanted: CatalogFilter, *, limit: int, cursor: str | None, costs: bool
) -> Rows:
    """A page of variants in SKU order and the next cursor. Two queries."""
    query = (
        _VARIANT.where(*_variant_where(wanted), after([variant.c.sku], cursor))
        .order_by(variant.c.sku)
        .limit(limit + 1)
    )
    rows, following = cut(list(await conn.execute(query)), limit, ["sku"])
    codes = await barcodes_of(conn, [row.id for row in rows]) if rows else {}
    return [shape_variant(row, codes.get(row.id, []), costs=costs) for row in rows], following


async def get_variants(
    conn: AsyncConnection, variant_ids: Sequence[UUID], *, costs: bool
) -> dict[UUID, dict[str, Any]]:
    """Variants by id as the API shows them. Two queries."""
    rows = list(await conn.execute(_VARIANT.where(variant.c.id == ids(variant_ids))))
    codes = await barcodes_of(conn, [row.id for row in rows]) if rows else {}
    return {row.id: shape_variant(row, codes.get(row.id, []), costs=costs) for row in rows}


_NAME = sa.func.lower(product.c.name).collate("C")
_PRODUCT = sa.select(product, category.c.name.label("category_name"), _NAME.label("sort_name")).select_from(
    product.outerjoin(category, category.c.id == product.c.category_id)
)


async def _with_variants(conn: AsyncConnection, rows: Sequence[Any], *, costs: bool) -> list[dict[str, Any]]:
    if not rows:
        return []
    query = _VARIANT.where(
        variant.c.product_id == ids(row.id for row in rows), variant.c.merged_into.is_(None)
    )
    variants = list(await conn.execute(query.order_by(variant.c.sku)))
    codes = await barcodes_of(conn, [v.id for v in variants]) if variants else {}
    inside: dict[UUID, list[dict[str, Any]]] = {row.id: [] for row in rows}
    for found in variants:
        inside[found.product_id].append(shape_variant(found, codes.get(found.id, []), costs=costs))
    shown = []
    for row in rows:
        record = dict(row._mapping)
        record.pop("sort_name")
        record["variants"] = inside[row.id]
        shown.append(record)
    return shown


def _product_where(wanted: CatalogFilter) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if wanted.q:
        found = sa.select(variant.c.product_id).where(_words_match(wanted.q), variant.c.merged_into.is_(None))
        named = product.c.name.ilike(f"%{wanted.q.replace('%', '').replace('_', '')}%")
        where.append(sa.or_(product.c.id.in_(found), named))
    if wanted.category_id is not None:
        where.append(_in_category(wanted.category_id))
    for name in ("external_id", "tracking"):
        if getattr(wanted, name) is not None:
            where.append(product.c[name] == getattr(wanted, name))
    if wanted.archived is not None:
        where.append(
            product.c.archived_at.is_not(None) if wanted.archived else product.c.archived_at.is_(None)
        )
    if wanted.updated_after is not None:
        where.append(product.c.updated_at > wanted.updated_after)
    return where


async def list_products(
    conn: AsyncConnection, wanted: CatalogFilter, *, limit: int, cursor: str | None, costs: bool
) -> Rows:
    """A page of products with their variants, in name order, and the next cursor. Three queries."""
    query = (
        _PRODUCT.where(*_product_where(wanted), after([_NAME, product.c.id], cursor))
        .order_by(_NAME, product.c.id)
        .limit(limit + 1)
    )
    rows, following = cut(list(await conn.execute(query)), limit, ["sort_name", "id"])
    return await _with_variants(conn, rows, costs=costs), following


async def get_product(conn: AsyncConnection, product_id: UUID, *, costs: bool) -> dict[str, Any] | None:
    """One product with its variants, or None. Three queries."""
    rows = list(await conn.execute(_PRODUCT.where(product.c.id == product_id)))
    shown = await _with_variants(conn, rows, costs=costs)
    return shown[0] if shown else None


async def list_categories(
    conn: AsyncConnection, *, q: str | None, parent_id: UUID | None, limit: int, cursor: str | None
) -> Rows:
    """A page of categories in path order (parents before their children) and the next cursor. One query."""
    where: list[sa.ColumnElement[bool]] = [after([category.c.path], cursor)]
    if q:
        where.append(category.c.path.ilike(f"%{q.replace('%', '').replace('_', '')}%"))
    if parent_id is not None:
        where.append(category.c.parent_id == parent_id)
    columns = [c for c in category.c if c.name not in ("created_at",)]
    rows = await conn.execute(sa.select(*columns).where(*where).order_by(category.c.path).limit(limit + 1))
    return cut([dict(row._mapping) for row in rows], limit, ["path"])


async def get_category(conn: AsyncConnection, category_id: UUID) -> dict[str, Any] | None:
    """One category, or None."""
    columns = [c for c in category.c if c.name not in ("created_at",)]
    row = (await conn.execute(sa.select(*columns).where(category.c.id == category_id))).one_or_none()
    return dict(row._mapping) if row is not None else None


async def list_units(conn: AsyncConnection, *, limit: int, cursor: str | None) -> Rows:
    """A page of units by code and the next cursor. One query."""
    rows = await conn.execute(
        sa.select(unit).where(after([unit.c.code], cursor)).order_by(unit.c.code).limit(limit + 1)
    )
    return cut([dict(row._mapping) for row in rows], limit, ["code"])


async def list_minimums(
    conn: AsyncConnection, *, variant_id: UUID | None, site_id: UUID | None, sites: frozenset[UUID] | None, limit: int,
    cursor: str | None,
) -> Rows:  # fmt: skip
    """A page of minimums (decimal texts in the variant's unit) and the next cursor. One query."""
    where: list[sa.ColumnElement[bool]] = [after([minimum.c.site_id, minimum.c.variant_id], cursor)]
    if variant_id is not None:
        where.append(minimum.c.variant_id == variant_id)
    if site_id is not None:
        where.append(minimum.c.site_id == site_id)
    if sites is not None:
        where.append(minimum.c.site_id == ids(sites))
    rows = await conn.execute(
        sa.select(
            minimum.c.variant_id,
            minimum.c.site_id,
            minimum.c.minimum,
            variant.c.sku,
            variant.c.decimals,
            variant.c.unit,
        )
        .join(variant, variant.c.id == minimum.c.variant_id)
        .where(*where)
        .order_by(minimum.c.site_id, minimum.c.variant_id)
        .limit(limit + 1)
    )
    shown = [
        {"variant_id": row.variant_id, "site_id": row.site_id, "sku": row.sku, "unit": row.unit,
         "minimum": format_units(row.minimum, row.decimals)}
        for row in rows
    ]  # fmt: skip
    return cut(shown, limit, ["site_id", "variant_id"])


async def minimums(conn: AsyncConnection, pairs: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], int]:
    """Minimums of (variant, site) pairs in smallest units; pairs without one are left out. One query."""
    rows = await conn.execute(
        sa.text(
            "SELECT m.variant_id, m.site_id, m.minimum FROM minimum m"
            " JOIN unnest(CAST(:v AS uuid[]), CAST(:s AS uuid[])) AS w(v, s) ON m.variant_id = w.v AND m.site_id = w.s"
        ),
        {"v": [v for v, _ in pairs], "s": [s for _, s in pairs]},
    )
    return {(row.variant_id, row.site_id): row.minimum for row in rows}
