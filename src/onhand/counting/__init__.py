"""Counting: which places are counted when, blind counts with recounts and approval, and counts that stay right when facts
arrive late."""

from onhand.counting.actions import Kept, keep_right, note_count, reclassify
from onhand.counting.events import CountApproved, CountChanged, CountCorrected
from onhand.counting.reads import counts_hold

__all__ = [
    "CountApproved",
    "CountChanged",
    "CountCorrected",
    "Kept",
    "counts_hold",
    "keep_right",
    "note_count",
    "reclassify",
]
