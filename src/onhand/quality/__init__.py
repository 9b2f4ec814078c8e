"""Quality: lots and serials over HTTP, certificates, holds and recalls, expiry, which lots serve, and lots of what tills sold."""

from onhand.quality.actions import (
    NewHold,
    assign_lots,
    decide_certificate,
    enforce_holds,
    expire_lots,
    place_hold,
    quarantine_uncertified,
    release_hold,
)
from onhand.quality.events import LotChanged, LotExpired, LotRecalled, StockHeld, StockReleased
from onhand.quality.reads import find_lots, scan_lot, serial_sums

__all__ = [
    "LotChanged",
    "LotExpired",
    "LotRecalled",
    "NewHold",
    "StockHeld",
    "StockReleased",
    "assign_lots",
    "decide_certificate",
    "enforce_holds",
    "expire_lots",
    "find_lots",
    "place_hold",
    "quarantine_uncertified",
    "release_hold",
    "scan_lot",
    "serial_sums",
]
