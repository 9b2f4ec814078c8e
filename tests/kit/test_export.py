"""Lists as files: numbers stay numbers, formulas stay text, errors never look like short files."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import python_calamine
from fastapi.responses import FileResponse

from onhand.kit import export
from onhand.kit.export import Column, export_response, listing, quote_formula, unquote_formula, write_table
from onhand.kit.problem import LimitExceeded

EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "\0=1", "'=1", "''=1", "=cmd|' /C calc'!A0", "＝1+1"]
PLAIN = ["tea", "", "'s-Hertogenbosch", "a=b", "1-2", "Ünïcødé", "4006381333931", "007"]


async def rows_of(rows: Sequence[Any]) -> AsyncIterator[Any]:
    for row in rows:
        yield row


@pytest.mark.parametrize("text", EVIL)
def test_what_a_spreadsheet_would_run_is_quoted_and_comes_back(text: str) -> None:
    quoted = quote_formula(text)
    assert quoted[0] == "'"
    assert unquote_formula(quoted) == text


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_left_alone(text: str) -> None:
    assert quote_formula(text) == text
    assert unquote_formula(text) == text


async def test_csv_keeps_numbers_codes_and_nested_values(tmp_path: Path) -> None:
    columns: list[Column | str] = [
        "sku",
        Column("qty", number=True),
        Column("price.amount", number=True),
        "tags",
    ]
    rows = [
        {"sku": "007", "qty": "-3", "price": {"amount": "1.50"}, "tags": ["a", "b"]},
        {"sku": "=1", "qty": "n/a", "price": None, "tags": None},
    ]
    assert await write_table(tmp_path / "a.csv", "csv", columns, rows_of(rows)) == 2
    read = list(csv.reader(io.StringIO((tmp_path / "a.csv").read_text("utf-8-sig"))))
    assert read == [
        ["sku", "qty", "price_amount", "tags"],
        ["007", "-3", "1.50", "a, b"],
        ["'=1", "n/a", "", ""],
    ]


async def test_xlsx_has_numeric_cells_and_no_formulas(tmp_path: Path) -> None:
    rows = [{"sku": text, "qty": "12.5"} for text in EVIL + PLAIN[2:]]
    rows.append({"sku": "https://x.example", "qty": str(Decimal("12345678901234567.5"))})
    await write_table(tmp_path / "a.xlsx", "xlsx", ["sku", Column("qty", number=True)], rows_of(rows))
    sheet = python_calamine.load_workbook(tmp_path / "a.xlsx").get_sheet_by_index(0).to_python()
    assert [row[1] for row in sheet[1:-1]] == [12.5] * (len(rows) - 1)
    assert sheet[-1] == ["https://x.example", "12345678901234567.5"]
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


async def test_listing_walks_every_page_into_the_file() -> None:
    asked: list[tuple[int, str | None]] = []

    async def fetch(limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
        asked.append((limit, cursor))
        at = int(cursor or 0)
        return [{"n": n} for n in range(at, min(at + 2, 5))], str(at + 2) if at + 2 < 5 else None

    assert await listing(fetch, limit=2, cursor=None, format=None, name="n", columns=["n"]) == {
        "data": [{"n": 0}, {"n": 1}],
        "next_cursor": "2",
        "has_more": True,
    }
    answer = await listing(fetch, limit=2, cursor=None, format="csv", name="Site levels", columns=["n"])
    assert isinstance(answer, FileResponse)
    written = Path(answer.path)
    assert written.read_text("utf-8-sig").split() == ["n", "0", "1", "2", "3", "4"]  # noqa: ASYNC240
    assert answer.headers["content-disposition"].startswith('attachment; filename="site-levels-')
    assert answer.background is not None
    await answer.background()
    assert not written.exists()  # noqa: ASYNC240


async def test_an_error_half_way_is_an_error_and_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(export, "MAX_ROWS", 3)
    with pytest.raises(LimitExceeded):
        await export_response("xlsx", ["n"], rows_of([{"n": n} for n in range(9)]), name="n")
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240
