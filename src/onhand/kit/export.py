"""Every list as a file: `?format=csv` or `?format=xlsx` gives all matching rows.

In a list endpoint, write `fetch` as the page query you have anyway and let `listing` choose between a page and a file::

    SUPPLIERS = ("code", "name", Column("credit_limit", number=True), Column("address.city", title="city"))

    @router.get("/v1/suppliers", response_model=Page[SupplierOut], dependencies=[needs("parties:read")])
    async def list_suppliers(conn: Reads, limit: Limit = LIMIT, cursor: Cursor = None, q: str | None = None,
                             format: Format = None) -> Any:
        async def fetch(limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
            return await reads.list_suppliers(conn, q=q, limit=limit, cursor=cursor)

        return await listing(fetch, limit=limit, cursor=cursor, format=format, name="suppliers", columns=SUPPLIERS)

The file is complete before its first byte is sent: an error half-way is a problem document, never a short file that looks
whole. It is written to a temporary file, row by row, so memory does not grow with the list.
"""

from __future__ import annotations

import asyncio
import csv
import io
import os
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
import xlsxwriter
from fastapi import Query
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from onhand.kit.clock import now, rfc3339
from onhand.kit.problem import LimitExceeded
from onhand.kit.web import page

MAX_ROWS = 1_000_000
"""Rows one file holds at most; a spreadsheet ends at 1,048,576."""

CHUNK = 1_000
"""Rows fetched at once for a file."""

FileFormat = Literal["csv", "xlsx"]
Format = Annotated[
    FileFormat | None, Query(description="Instead of one page, all matching rows as a file: `csv` or `xlsx`.")
]
Fetch = Callable[[int, str | None], Awaitable[tuple[Sequence[Any], str | None]]]

MEDIA_TYPES: dict[FileFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

_FORMULA = re.compile(r"'*[=+\-@\t\r\0＝＋－＠]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file. `key` is a field of the row, dots reach into nested ones (`list_price.amount`).

    `title` is its heading (default: the key with dots as underscores, which the importer knows again). `number`: decimal
    texts become numeric cells; anything else stays text, so that codes keep their leading zeros.
    """

    key: str
    title: str | None = None
    number: bool = False

    @property
    def heading(self) -> str:
        """What stands in the first row."""
        return self.title or self.key.replace(".", "_")


def quote_formula(text: str) -> str:
    """Text that a spreadsheet would run as a formula, with a single quote in front (OWASP ASVS 5.0, 1.2.10).

    `unquote_formula` undoes it exactly: a text that already looks quoted gets one more.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unquote_formula(text: str) -> str:
    """The text as it was before `quote_formula`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


async def listing(
    fetch: Fetch,
    *,
    limit: int,
    cursor: str | None,
    format: FileFormat | None,
    name: str,
    columns: Sequence[Column | str],
) -> dict[str, Any] | Response:
    """The answer of a list endpoint: one page, or with `format` a file of every row from `cursor` on.

    `fetch(limit, cursor)` returns rows (mappings or objects with attributes) and the next cursor.
    Raises LimitExceeded when there are more than MAX_ROWS rows.
    """
    if format is None:
        rows, following = await fetch(limit, cursor)
        return page(rows, following)
    return await export_response(format, columns, _all(fetch, cursor), name=name)


async def _all(fetch: Fetch, cursor: str | None) -> AsyncIterator[Any]:
    while True:
        rows, cursor = await fetch(CHUNK, cursor)
        for row in rows:
            yield row
        if cursor is None:
            return


async def export_response(
    format: FileFormat, columns: Sequence[Column | str], rows: AsyncIterator[Any], *, name: str
) -> Response:
    """All rows as an attachment `<name>-<date>.<format>`. Raises LimitExceeded beyond MAX_ROWS rows."""
    handle, path = tempfile.mkstemp(prefix="onhand-export-", suffix=f".{format}")
    os.close(handle)
    try:
        await write_table(Path(path), format, columns, rows)
    except BaseException:
        remove_file(path)
        raise
    return FileResponse(
        path,
        media_type=MEDIA_TYPES[format],
        filename=f"{re.sub(r'[^a-z0-9_-]+', '-', name.lower())}-{now():%Y-%m-%d}.{format}",
        content_disposition_type="attachment",
        headers={"X-Content-Type-Options": "nosniff"},
        background=BackgroundTask(remove_file, path),
    )


def remove_file(path: str) -> None:
    """Delete a temporary file that may be gone already."""
    with suppress(FileNotFoundError):
        Path(path).unlink()


async def write_table(
    path: Path, format: FileFormat, columns: Sequence[Column | str], rows: AsyncIterator[Any]
) -> int:
    """Write rows into a file, in chunks on a thread; returns how many."""
    wanted = [column if isinstance(column, Column) else Column(column) for column in columns]
    writer = _CsvWriter(path, wanted) if format == "csv" else _XlsxWriter(path, wanted)
    count = 0
    chunk: list[Any] = []
    try:
        async for row in rows:
            count += 1
            if count > MAX_ROWS:
                raise LimitExceeded(
                    f"A file holds at most {MAX_ROWS:,} rows; narrow the filter.", limit=MAX_ROWS
                )
            chunk.append(row)
            if len(chunk) >= CHUNK:
                await asyncio.to_thread(writer.write, chunk)
                chunk = []
        await asyncio.to_thread(writer.write, chunk)
    finally:
        await asyncio.to_thread(writer.close)
    return count


def cell(row: Any, column: Column) -> str | int | float | Decimal | None:
    """One cell of a row: numbers of number columns as numbers, everything else as text; None when empty."""
    value: Any = row
    for part in column.key.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
        if value is None:
            return None
    if column.number:
        return _number(value)
    return _text(value)


def _number(value: Any) -> str | int | float | Decimal:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return value
    text = str(value)
    return Decimal(text) if re.fullmatch(r"-?\d{1,24}(\.\d{1,24})?", text, re.ASCII) else text


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return rfc3339(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (int, float, Decimal, UUID)):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(v, (str, UUID)) for v in value):
        return ", ".join(str(v) for v in value)
    return orjson.dumps(value, default=str).decode()


class _CsvWriter:
    """RFC 4180 in UTF-8; with a byte order mark, without which Excel shows accents as two characters."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._csv = csv.writer(self._file)
        self._columns = columns
        self._csv.writerow([quote_formula(column.heading) for column in columns])

    def write(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self._csv.writerow([self._plain(cell(row, column)) for column in self._columns])

    @staticmethod
    def _plain(value: str | int | float | Decimal | None) -> str:
        if value is None:
            return ""
        return (
            quote_formula(value)
            if isinstance(value, str)
            else f"{value:f}"
            if isinstance(value, Decimal)
            else str(value)
        )

    def close(self) -> None:
        self._file.close()


class _XlsxWriter:
    """One sheet, a bold frozen heading; strings are never formulas or links."""

    LONGEST = 32_767

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._book = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self._sheet = self._book.add_worksheet("Export")
        self._columns = columns
        bold = self._book.add_format({"bold": True})
        self._sheet.freeze_panes(1, 0)
        for at, column in enumerate(columns):
            self._sheet.set_column(at, at, max(10, min(40, len(column.heading) + 4)))
        for at, column in enumerate(columns):
            self._sheet.write_string(0, at, quote_formula(column.heading), bold)
        self._at = 1

    def write(self, rows: Iterable[Any]) -> None:
        for row in rows:
            for at, column in enumerate(self._columns):
                value = cell(row, column)
                if value is None:
                    continue
                if isinstance(value, str):
                    self._sheet.write_string(self._at, at, quote_formula(value)[: self.LONGEST])
                elif _exact(value):
                    self._sheet.write_number(self._at, at, value)
                else:
                    self._sheet.write_string(self._at, at, f"{value:f}")
            self._at += 1

    def close(self) -> None:
        self._book.close()


def _exact(value: int | float | Decimal) -> bool:
    """Whether a spreadsheet's 15 significant digits hold this number."""
    return isinstance(value, float) or len(Decimal(value).normalize().as_tuple().digits) <= 15


def csv_text(columns: Sequence[Column | str], rows: Iterable[Any]) -> str:
    """A small table as CSV text (templates, error lists)."""
    wanted = [column if isinstance(column, Column) else Column(column) for column in columns]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([quote_formula(column.heading) for column in wanted])
    for row in rows:
        writer.writerow([_CsvWriter._plain(cell(row, column)) for column in wanted])
    return out.getvalue()
