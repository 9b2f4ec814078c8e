"""Imports from CSV and XLSX: products, barcodes, minimums, places, suppliers, customers, users and opening stock.

A file is read in chunks through the same faces people's requests use, in one transaction: all of it, or nothing.
"""

from onhand.integrations.imports import jobs as jobs
from onhand.integrations.imports.kinds import KINDS
from onhand.integrations.imports.model import Counts, ImportColumn, ImportKind, RowError

__all__ = ["KINDS", "Counts", "ImportColumn", "ImportKind", "RowError"]
