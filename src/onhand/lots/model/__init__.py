"""Lots and serials, what rules them, and which of them serve a quantity. Pure."""

from onhand.lots.model.allocation import (
    STRATEGIES,
    Candidate,
    Chosen,
    Plan,
    Rules,
    Strategy,
    allocate,
)
from onhand.lots.model.lot import (
    HELD,
    TRANSITIONS,
    AlreadyReleased,
    Arrival,
    CertificateNotWaiting,
    LotExists,
    NewLot,
    NoCertificate,
    OpenHold,
    arrival,
    check_dates,
    hold_can,
    lot_can,
)

__all__ = [
    "HELD",
    "STRATEGIES",
    "TRANSITIONS",
    "AlreadyReleased",
    "Arrival",
    "Candidate",
    "CertificateNotWaiting",
    "Chosen",
    "LotExists",
    "NewLot",
    "NoCertificate",
    "OpenHold",
    "Plan",
    "Rules",
    "Strategy",
    "allocate",
    "arrival",
    "check_dates",
    "hold_can",
    "lot_can",
]
