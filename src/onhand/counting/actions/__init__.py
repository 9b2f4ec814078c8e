"""The verbs of counting."""

from onhand.counting.actions.count import Told, cancel, claim, release, submit
from onhand.counting.actions.decide import approve, recount
from onhand.counting.actions.late import Kept, keep_right, note_count
from onhand.counting.actions.plan import (
    SheetMade,
    change_capacity,
    change_policy,
    make_sheet,
    reclassify,
)

__all__ = [
    "Kept",
    "SheetMade",
    "Told",
    "approve",
    "cancel",
    "change_capacity",
    "change_policy",
    "claim",
    "keep_right",
    "make_sheet",
    "note_count",
    "reclassify",
    "recount",
    "release",
    "submit",
]
