"""Reads of the ledger, straight in the API's shape; a fixed number of queries each."""

from onhand.ledger.reads.common import Scope
from onhand.ledger.reads.desk import (
    ExceptionFilter,
    get_exception,
    list_approvals,
    list_exceptions,
)
from onhand.ledger.reads.history import HistoryFilter, Measure, chart, explain, history
from onhand.ledger.reads.integrity import integrity
from onhand.ledger.reads.levels import LevelFilter, Rollup, list_levels
from onhand.ledger.reads.postings import PostingFilter, get_posting, list_postings
from onhand.ledger.reads.reservations import (
    ReservationFilter,
    Rows,
    get_reservation,
    list_backorders,
    list_reservations,
)
from onhand.ledger.reads.site_levels import Below, StockFilter, list_site_levels, stock_matrix

__all__ = [
    "Below",
    "ExceptionFilter",
    "HistoryFilter",
    "LevelFilter",
    "Measure",
    "PostingFilter",
    "ReservationFilter",
    "Rollup",
    "Rows",
    "Scope",
    "StockFilter",
    "chart",
    "explain",
    "get_exception",
    "get_posting",
    "get_reservation",
    "history",
    "integrity",
    "list_approvals",
    "list_backorders",
    "list_exceptions",
    "list_levels",
    "list_postings",
    "list_reservations",
    "list_site_levels",
    "stock_matrix",
]
