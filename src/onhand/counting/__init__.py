"""Counting: which places are counted when, blind counts with recounts and approval, and counts that stay right when facts
arrive late."""

from onhand.counting.actions import Kept, keep_right, note_count, reclassify
from onhand.counting.events import CountApproved, CountChanged, CountCorrected

__all__ = [
    "CountApproved",
    "CountChanged",
    "CountCorrected",
    "Kept",
    "keep_right",
    "note_count",
    "reclassify",
]
