"""The ledger: the one kernel. Every change of stock is a posting through one function.

Two doors: `post(tx, postings)` inside your transaction, `Engine.submit(item)` into the next batch of the lane.
"""

from onhand.ledger.engine import Engine, item
from onhand.ledger.events import Adjusted, ExceptionResolved, LevelChanged, Oversold
from onhand.ledger.lane import Item, event_row
from onhand.ledger.model import (
    Claim,
    Condition,
    InsufficientStock,
    Kind,
    Mode,
    Move,
    Outcome,
    Posting,
    Reason,
    Shortage,
    Status,
    UnknownLocation,
    UnknownVariant,
    digest_of,
    opposite,
)
from onhand.ledger.store import Posted, flush_postings, load_directory, post

__all__ = [
    "Adjusted",
    "Claim",
    "Condition",
    "Engine",
    "ExceptionResolved",
    "InsufficientStock",
    "Item",
    "Kind",
    "LevelChanged",
    "Mode",
    "Move",
    "Outcome",
    "Oversold",
    "Posted",
    "Posting",
    "Reason",
    "Shortage",
    "Status",
    "UnknownLocation",
    "UnknownVariant",
    "digest_of",
    "event_row",
    "flush_postings",
    "item",
    "load_directory",
    "opposite",
    "post",
]
