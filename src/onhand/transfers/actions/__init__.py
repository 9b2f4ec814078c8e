"""The verbs of transfers: plan, ship, receive, settle; proposals from what is needed; load carriers moved with their contents."""

from onhand.transfers.actions.common import StepLine
from onhand.transfers.actions.lpn import move_lpn
from onhand.transfers.actions.plan import NewTransfer, cancel, change, close, draft, place
from onhand.transfers.actions.propose import Proposed, propose
from onhand.transfers.actions.receive import receive
from onhand.transfers.actions.settle import settle
from onhand.transfers.actions.ship import ship

__all__ = [
    "NewTransfer",
    "Proposed",
    "StepLine",
    "cancel",
    "change",
    "close",
    "draft",
    "move_lpn",
    "place",
    "propose",
    "receive",
    "settle",
    "ship",
]
