"""Site levels, and the matrix of variants and sites. The quantities people sell by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import catalog
from onhand.ledger.reads.common import (
    Scope,
    cost_of,
    fetch,
    in_scope,
    page_of,
    price_of,
    row_after,
    scope_param,
    shown,
)

Below = Literal["minimum", "zero"]
Rows = tuple[list[dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFilter:
    """Which stock. `below`: available is less than the minimum set for the site, or than zero. A category includes what
    is below it."""

    variant_id: UUID | None = None
    sku: str | None = None
    site_id: UUID | None = None
    q: str | None = None
    category_id: UUID | None = None
    below: Below | None = None
    scope: Scope = None
    unstocked: bool = False
    """Whether a list of everything shows variants that never were in stock, too."""


_OVERSOLD = "(SELECT e.variant, e.site FROM exception e WHERE e.kind = 'oversold' UNION SELECT b.variant, b.site FROM backorder b)"
"""Whatever is below zero was oversold once or has approved backorders, which name it; no index on a quantity is needed."""

_BASE: dict[Below | None, str] = {
    None: "site_level s",
    "minimum": "minimum n LEFT JOIN site_level s ON s.variant = n.variant_id AND s.site = n.site_id",
    "zero": f"{_OVERSOLD} n JOIN site_level s ON s.variant = n.variant AND s.site = n.site",
}
_IDS: dict[Below | None, tuple[str, str]] = {
    None: ("s.variant", "s.site"),
    "minimum": ("n.variant_id", "n.site_id"),
    "zero": ("s.variant", "s.site"),
}
_BELOW: dict[Below | None, str] = {
    None: "true",
    "minimum": "coalesce(s.sellable - s.reserved, 0) < n.minimum",
    "zero": "s.sellable - s.reserved < 0",
}
_PAGE = """
WITH page AS (
  SELECT v.id AS variant_id, v.sku, v.name, v.unit, v.decimals, v.list_price_minor, v.list_price_currency, v.cost,
         v.cost_currency, p.id AS site_id, p.code AS site_code, p.path, coalesce(s.sellable, 0) AS sellable,
         coalesce(s.reserved, 0) AS reserved, coalesce(s.overdrawn, 0) AS overdrawn
    FROM {base} JOIN variant v ON v.id = {variant} JOIN location p ON p.id = {site}
   WHERE {where} ORDER BY v.sku, p.path LIMIT :limit)
SELECT page.*, h.on_hand, x.on_order, x.in_transit, m.minimum
  FROM page
  LEFT JOIN LATERAL (SELECT sum(l.on_hand)::bigint AS on_hand FROM level l JOIN location b ON b.id = l.location
                      WHERE l.variant = page.variant_id AND b.site_id = page.site_id) h ON true
  LEFT JOIN LATERAL (SELECT sum(e.quantity) FILTER (WHERE e.source_type <> 'transfer')::bigint AS on_order,
                            sum(e.quantity) FILTER (WHERE e.source_type = 'transfer')::bigint AS in_transit
                       FROM expectation e WHERE e.variant = page.variant_id AND e.site = page.site_id AND e.quantity > 0) x ON true
  LEFT JOIN minimum m ON m.variant_id = page.variant_id AND m.site_id = page.site_id
 ORDER BY page.sku, page.path
"""


def _variant_where(wanted: StockFilter, parameters: dict[str, Any]) -> list[str]:
    where = []
    if wanted.variant_id is not None:
        parameters["variant_id"] = wanted.variant_id
        where.append("v.id = CAST(:variant_id AS uuid)")
    if wanted.sku is not None:
        parameters["sku"] = wanted.sku
        where.append("v.sku = CAST(:sku AS text)")
    words = catalog.word_query(wanted.q) if wanted.q else None
    if words is not None:
        parameters["words"] = words
        where.append("v.words @@ CAST(:words AS tsquery)")
    if wanted.category_id is not None:
        parameters["category_id"] = wanted.category_id
        where.append(
            "v.product_id IN (SELECT pr.id FROM product pr JOIN category c ON c.id = pr.category_id"
            " WHERE c.ancestors @> ARRAY[CAST(:category_id AS uuid)])"
        )
    return where


async def list_site_levels(
    conn: AsyncConnection, wanted: StockFilter, *, limit: int, cursor: str | None, costs: bool
) -> Rows:
    """A page of site levels in order of SKU and site, and the next cursor. One query; cost only with `costs`."""
    parameters: dict[str, Any] = {"limit": limit + 1, "scope": scope_param(wanted.scope)}
    where = [in_scope("p.id"), *_variant_where(wanted, parameters), _BELOW[wanted.below]]
    if wanted.site_id is not None:
        parameters["site_id"] = wanted.site_id
        where.append("p.id = CAST(:site_id AS uuid)")
    where.append(row_after([("v.sku", "text"), ("p.path", "text")], cursor, parameters))
    variant, site = _IDS[wanted.below]
    sql = _PAGE.format(base=_BASE[wanted.below], variant=variant, site=site, where=" AND ".join(where))
    rows, following = page_of(await fetch(conn, sql, parameters), limit, ["sku", "path"])
    return [_shape_site(row, costs=costs) for row in rows], following


def _shape_site(row: Any, *, costs: bool) -> dict[str, Any]:
    d = row.decimals
    return {
        "variant_id": row.variant_id, "sku": row.sku, "name": row.name, "unit": row.unit,
        "site_id": row.site_id, "site_code": row.site_code,
        "on_hand": shown(row.on_hand, d), "sellable": shown(row.sellable, d), "reserved": shown(row.reserved, d),
        "available": shown(row.sellable - row.reserved, d), "on_order": shown(row.on_order, d),
        "in_transit": shown(row.in_transit, d), "overdrawn": shown(row.overdrawn, d),
        "minimum": None if row.minimum is None else shown(row.minimum, d),
        "list_price": price_of(row.list_price_minor, row.list_price_currency),
        "cost": cost_of(row.cost, row.cost_currency) if costs else None,
    }  # fmt: skip


_VARIANTS = """
SELECT v.id AS variant_id, v.sku, v.name, v.unit, v.decimals, c.name AS category_name
  FROM variant v JOIN product pr ON pr.id = v.product_id LEFT JOIN category c ON c.id = pr.category_id
 WHERE v.merged_into IS NULL AND v.archived_at IS NULL AND {where}
 ORDER BY v.sku LIMIT :limit
"""
_CELLS = f"""
SELECT coalesce(s.variant, h.variant) AS variant_id, coalesce(s.site, h.site) AS site_id, coalesce(h.on_hand, 0) AS on_hand,
       coalesce(s.sellable, 0) AS sellable, coalesce(s.reserved, 0) AS reserved
  FROM (SELECT s.variant, s.site, s.sellable, s.reserved FROM site_level s
         WHERE s.variant = ANY(CAST(:variants AS uuid[])) AND {in_scope("s.site")}) s
  FULL JOIN (SELECT l.variant, p.site_id AS site, sum(l.on_hand)::bigint AS on_hand
               FROM level l JOIN location p ON p.id = l.location
              WHERE l.variant = ANY(CAST(:variants AS uuid[])) AND {in_scope("p.site_id")}
              GROUP BY l.variant, p.site_id) h ON h.variant = s.variant AND h.site = s.site
"""
_ON_ORDER = f"""
SELECT e.variant AS variant_id, sum(e.quantity) FILTER (WHERE e.source_type <> 'transfer')::bigint AS on_order,
       sum(e.quantity) FILTER (WHERE e.source_type = 'transfer')::bigint AS in_transit FROM expectation e
 WHERE e.variant = ANY(CAST(:variants AS uuid[])) AND e.quantity > 0 AND {in_scope("e.site")}
 GROUP BY e.variant
"""


def _some_site(wanted: StockFilter, parameters: dict[str, Any]) -> list[str]:
    """Variants that are below something at a site the caller sees."""
    if wanted.below is None:
        return []
    variant, site = _IDS[wanted.below]
    where = f"{_BELOW[wanted.below]} AND {in_scope(site)}"
    if wanted.site_id is not None:
        parameters["site_id"] = wanted.site_id
        where += f" AND {site} = CAST(:site_id AS uuid)"
    return [f"v.id IN (SELECT {variant} FROM {_BASE[wanted.below]} WHERE {where})"]


async def stock_matrix(conn: AsyncConnection, wanted: StockFilter, *, limit: int, cursor: str | None) -> Rows:
    """A page of variants in SKU order, each with totals and a cell per site the caller sees; and the next cursor.

    Three queries. Without a filter, variants that never were in stock are left out unless `unstocked` asks for them; a search
    finds them, with an empty `sites`.
    """
    parameters: dict[str, Any] = {"limit": limit + 1, "scope": scope_param(wanted.scope)}
    where = [*_variant_where(wanted, parameters), *_some_site(wanted, parameters)]
    if not where and not wanted.unstocked:
        where.append("EXISTS (SELECT FROM site_level s WHERE s.variant = v.id)")
    where.append(row_after([("v.sku", "text")], cursor, parameters))
    rows = await fetch(conn, _VARIANTS.format(where=" AND ".join(where)), parameters)
    page, following = page_of(rows, limit, ["sku"])
    if not page:
        return [], None
    parameters["variants"] = [row.variant_id for row in page]
    cells: dict[UUID, list[Any]] = {row.variant_id: [] for row in page}
    for cell in await fetch(conn, _CELLS, parameters):
        cells[cell.variant_id].append(cell)
    expected = {row.variant_id: row for row in await fetch(conn, _ON_ORDER, parameters)}
    return [_shape_row(row, cells[row.variant_id], expected.get(row.variant_id)) for row in page], following


def _shape_row(row: Any, cells: Sequence[Any], expected: Any | None) -> dict[str, Any]:
    d = row.decimals
    sites = {
        str(c.site_id): {
            "on_hand": shown(c.on_hand, d),
            "available": shown(c.sellable - c.reserved, d),
            "reserved": shown(c.reserved, d),
        }
        for c in cells
        if c.site_id is not None
    }
    placed = [c for c in cells if c.site_id is not None]
    return {
        "variant_id": row.variant_id, "sku": row.sku, "name": row.name, "unit": row.unit,
        "category_name": row.category_name,
        "totals": {
            "on_hand": shown(sum(c.on_hand for c in placed), d),
            "available": shown(sum(c.sellable - c.reserved for c in placed), d),
            "reserved": shown(sum(c.reserved for c in placed), d),
            "on_order": shown(expected.on_order if expected else 0, d),
            "in_transit": shown(expected.in_transit if expected else 0, d),
        },
        "sites": sites,
    }  # fmt: skip
