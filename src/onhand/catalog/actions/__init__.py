"""The verbs of the catalogue, one function each."""

from onhand.catalog.actions.common import MergeHook, UseCheck, on_merge, set_use_check
from onhand.catalog.actions.others import (
    change_category,
    create_category,
    create_unit,
    ensure_units,
    set_minimums,
)
from onhand.catalog.actions.products import (
    NewProduct,
    archive_product,
    change_product,
    create_product,
    generate_variants,
)
from onhand.catalog.actions.variants import (
    BulkChange,
    NewVariant,
    archive_variant,
    bulk_change,
    change_variant,
    create_variant,
    merge_variants,
)

__all__ = [
    "BulkChange",
    "MergeHook",
    "NewProduct",
    "NewVariant",
    "UseCheck",
    "archive_product",
    "archive_variant",
    "bulk_change",
    "change_category",
    "change_product",
    "change_variant",
    "create_category",
    "create_product",
    "create_unit",
    "create_variant",
    "ensure_units",
    "generate_variants",
    "merge_variants",
    "on_merge",
    "set_minimums",
    "set_use_check",
]
