"""The verbs of quality."""

from onhand.quality.actions.assign import assign_lots
from onhand.quality.actions.certificates import (
    attach_certificate,
    decide_certificate,
    quarantine_uncertified,
)
from onhand.quality.actions.expiry import expire_lots
from onhand.quality.actions.holds import NewHold, enforce_holds, place_hold, release_hold
from onhand.quality.actions.lots import change_lot, create_lot, set_policy

__all__ = [
    "NewHold",
    "assign_lots",
    "attach_certificate",
    "change_lot",
    "create_lot",
    "decide_certificate",
    "enforce_holds",
    "expire_lots",
    "place_hold",
    "quarantine_uncertified",
    "release_hold",
    "set_policy",
]
