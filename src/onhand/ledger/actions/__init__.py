"""The stock verbs, a function each."""

from onhand.ledger.actions.approvals import approve, reject
from onhand.ledger.actions.backorders import set_backorder
from onhand.ledger.actions.common import (
    Done,
    Goods,
    Line,
    Spot,
    check_instant,
    find_places,
    landed,
    understand,
)
from onhand.ledger.actions.corrections import CountTaken, adjust, count, on_count, set_quantity
from onhand.ledger.actions.exceptions import resolve_exception
from onhand.ledger.actions.receipts import Incoming, carry_over, receipt, receive
from onhand.ledger.actions.reservations import consume, expire_due, extend, preview_release, release
from onhand.ledger.actions.reserve import NewLine, NewReservation, reservation_item, reserve
from onhand.ledger.actions.reversals import Reversal, preview_reversal, reverse, reversing, shown_lines
from onhand.ledger.actions.transfers import TransferLine, move, transfer

__all__ = [
    "CountTaken",
    "Done",
    "Goods",
    "Incoming",
    "Line",
    "NewLine",
    "NewReservation",
    "Reversal",
    "Spot",
    "TransferLine",
    "adjust",
    "approve",
    "carry_over",
    "check_instant",
    "consume",
    "count",
    "expire_due",
    "extend",
    "find_places",
    "landed",
    "move",
    "on_count",
    "preview_release",
    "preview_reversal",
    "receipt",
    "receive",
    "reject",
    "release",
    "reservation_item",
    "reserve",
    "resolve_exception",
    "reverse",
    "reversing",
    "set_backorder",
    "set_quantity",
    "shown_lines",
    "transfer",
    "understand",
]
