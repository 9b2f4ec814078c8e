"""The point of sale: what tills say happened. A sale is a fact: recorded even beyond stock, with document, audit row and stock
in one commit."""

from onhand.pos.actions.refund import open_register
from onhand.pos.actions.sell import sale_item
from onhand.pos.events import RegisterChanged, SaleCompleted, SaleRefunded, SaleVoided
from onhand.pos.model import LineIn, SaleIn, TenderIn, Till
from onhand.pos.reads import Desk, document_sums, find_sales, find_till, scan_sale
from onhand.pos.store import RIDERS

__all__ = [
    "RIDERS",
    "Desk",
    "LineIn",
    "RegisterChanged",
    "SaleCompleted",
    "SaleIn",
    "SaleRefunded",
    "SaleVoided",
    "TenderIn",
    "Till",
    "document_sums",
    "find_sales",
    "find_till",
    "open_register",
    "sale_item",
    "scan_sale",
]
