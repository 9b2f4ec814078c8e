"""Keyset paging: an opaque cursor holds the sort values of the last row; never an offset."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from onhand.kit.problem import Problem

MAX_LIMIT = 200
DEFAULT_LIMIT = 50


class InvalidCursor(Problem):
    """The cursor is not one of ours. Start again without it."""

    status = 422


def encode_cursor(values: Sequence[Any]) -> str:
    """Pack the sort values of a row. Times, ids, numbers and text are understood."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return {"t": value.isoformat()}
        if isinstance(value, UUID):
            return {"u": str(value)}
        return value

    raw = json.dumps([plain(v) for v in values], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """Unpack what `encode_cursor` packed, values of the given types; raises InvalidCursor for anything else."""

    def rich(value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {"t"}:
                return datetime.fromisoformat(value["t"])
            if set(value) == {"u"}:
                return UUID(value["u"])
            raise ValueError("unknown cursor value")
        return value

    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw)
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError("wrong cursor size")
        values = [rich(v) for v in values]
        if not all(_fits(value, kind) for value, kind in zip(values, kinds, strict=True)):
            raise ValueError("wrong type")
        return values
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError) as error:
        raise InvalidCursor(param="cursor") from error


def after(
    columns: Sequence[sa.ColumnElement[Any]], cursor: str | None, *, descending: bool = False
) -> sa.ColumnElement[bool]:
    """The WHERE clause that continues behind a cursor, over columns of one common direction."""
    if cursor is None:
        return sa.true()
    values = decode_cursor(cursor, [column.type.python_type for column in columns])
    left = sa.tuple_(*columns)
    right = sa.tuple_(
        *[sa.bindparam(None, v, type_=c.type, unique=True) for c, v in zip(columns, values, strict=True)]
    )
    return left < right if descending else left > right


def _fits(value: Any, wanted: type) -> bool:
    """Whether a value of a cursor is of its column's type, and one the database can hold: a forged one is no fault of ours."""
    if isinstance(value, bool) or not isinstance(value, wanted):
        return False
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= ch <= "\udfff" for ch in value)
    return abs(value) < 2**63 if isinstance(value, int) else True


def cut(rows: Sequence[Any], limit: int, keys: Sequence[str]) -> tuple[list[Any], str | None]:
    """Given `limit + 1` rows fetched, the page and the cursor of the next one (None at the end)."""
    page = list(rows[:limit])
    if len(rows) <= limit or not page:
        return page, None
    last = page[-1]
    get = last.get if isinstance(last, dict) else lambda k: getattr(last, k)
    return page, encode_cursor([get(k) for k in keys])
