"""Lots: which batch of a variant a unit belongs to."""

from onhand.lots.store import LotKey, NewLot, copy, ensure, find, lot_id

__all__ = ["LotKey", "NewLot", "copy", "ensure", "find", "lot_id"]
