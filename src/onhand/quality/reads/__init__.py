"""Read-side SQL of quality, straight to the shapes of answers."""

from onhand.quality.reads.holds import HoldFilter, affected, get_hold, list_holds
from onhand.quality.reads.life import life_of, serial_sums
from onhand.quality.reads.lots import (
    LotFilter,
    certificate_file,
    find_lots,
    get_lot,
    list_lots,
    list_policies,
    lots_named,
    policy_of,
    scan_lot,
    stock_of,
)
from onhand.quality.reads.preview import Asked, preview

__all__ = [
    "Asked",
    "HoldFilter",
    "LotFilter",
    "affected",
    "certificate_file",
    "find_lots",
    "get_hold",
    "get_lot",
    "life_of",
    "list_holds",
    "list_lots",
    "list_policies",
    "lots_named",
    "policy_of",
    "preview",
    "scan_lot",
    "serial_sums",
    "stock_of",
]
