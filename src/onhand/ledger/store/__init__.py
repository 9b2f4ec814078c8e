"""Write-side SQL of the ledger: the door inside a transaction, and the rows its verbs read and write beside it."""

from onhand.ledger.store.calls import flush_postings, load_directory
from onhand.ledger.store.goods_in import post_goods_in
from onhand.ledger.store.post import Posted, describe, expect, moved_since, post, refusal
from onhand.ledger.store.records import (
    Approval,
    FreeLevel,
    Recorded,
    add_approval,
    decide_approval,
    free_levels,
    get_approval,
    holding_stock,
    levels_of,
    lock_exception,
    recorded,
    resolve_exception,
    used_variants,
)

__all__ = [
    "Approval",
    "FreeLevel",
    "Posted",
    "Recorded",
    "add_approval",
    "decide_approval",
    "describe",
    "expect",
    "flush_postings",
    "free_levels",
    "get_approval",
    "holding_stock",
    "levels_of",
    "load_directory",
    "lock_exception",
    "moved_since",
    "post",
    "post_goods_in",
    "recorded",
    "refusal",
    "resolve_exception",
    "used_variants",
]
