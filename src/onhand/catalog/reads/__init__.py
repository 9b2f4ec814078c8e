"""Reads of the catalogue: lists, the resolver of codes, the search."""

from onhand.catalog.reads.lists import (
    CatalogFilter,
    get_category,
    get_product,
    get_variants,
    list_categories,
    list_minimums,
    list_products,
    list_units,
    list_variants,
    minimums,
)
from onhand.catalog.reads.resolve import Lookup, Resolver, families, resolve, resolve_ids, scan_variant
from onhand.catalog.reads.search import (
    Finder,
    Hit,
    Scanner,
    add_finder,
    add_scanner,
    finders,
    products_of_hits,
    scanners,
    search_variants,
)

__all__ = [
    "CatalogFilter",
    "Finder",
    "Hit",
    "Lookup",
    "Resolver",
    "Scanner",
    "add_finder",
    "add_scanner",
    "families",
    "finders",
    "get_category",
    "get_product",
    "get_variants",
    "list_categories",
    "list_minimums",
    "list_products",
    "list_units",
    "list_variants",
    "minimums",
    "products_of_hits",
    "resolve",
    "resolve_ids",
    "scan_variant",
    "scanners",
    "search_variants",
]
