"""Read-side SQL of counting."""

from onhand.counting.reads.counts import BinFilter, get_bin_count, list_bin_counts, list_sheets
from onhand.counting.reads.kept import counts_hold
from onhand.counting.reads.plan import get_plan, get_policy, list_shelves, shelves
from onhand.counting.reads.reports import Span, list_overrides, list_shrinkage
from onhand.counting.reads.reviews import ReviewFilter, list_corrections, list_reviews

__all__ = [
    "BinFilter",
    "ReviewFilter",
    "Span",
    "counts_hold",
    "get_bin_count",
    "get_plan",
    "get_policy",
    "list_bin_counts",
    "list_corrections",
    "list_overrides",
    "list_reviews",
    "list_sheets",
    "list_shelves",
    "list_shrinkage",
    "shelves",
]
