"""Onhand: the stock system of record for businesses with many places."""

__version__ = "0.1.0"
