"""Transfers between sites: planned, shipped, in transit in a real place, received; every unit ends somewhere."""

from onhand.transfers.actions.merge import follow_merge
from onhand.transfers.events import (
    TransferClosed,
    TransferPlaced,
    TransferReceived,
    TransferResolved,
    TransferShipped,
)
from onhand.transfers.reads import document_sums, find_transfers, scan_transfer

__all__ = [
    "TransferClosed",
    "TransferPlaced",
    "TransferReceived",
    "TransferResolved",
    "TransferShipped",
    "document_sums",
    "find_transfers",
    "follow_merge",
    "scan_transfer",
]
