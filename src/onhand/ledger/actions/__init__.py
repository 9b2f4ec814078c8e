"""The stock verbs, a function each."""

from onhand.ledger.actions.approvals import approve, reject
from onhand.ledger.actions.common import Done, Goods, Spot
from onhand.ledger.actions.corrections import adjust, count, set_quantity
from onhand.ledger.actions.exceptions import resolve_exception
from onhand.ledger.actions.receipts import Incoming, carry_over, receipt, receive
from onhand.ledger.actions.reversals import Reversal, preview_reversal, reverse, reversing, shown_lines
from onhand.ledger.actions.transfers import TransferLine, move, transfer

__all__ = [
    "Done",
    "Goods",
    "Incoming",
    "Reversal",
    "Spot",
    "TransferLine",
    "adjust",
    "approve",
    "carry_over",
    "count",
    "move",
    "preview_reversal",
    "receipt",
    "receive",
    "reject",
    "resolve_exception",
    "reverse",
    "reversing",
    "set_quantity",
    "shown_lines",
    "transfer",
]
