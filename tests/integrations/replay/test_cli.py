"""The command: options become a mapping, a dry run touches nothing, the report names every reason."""

from __future__ import annotations

import csv
import io
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from onhand.integrations.replay.cli import Options, mapping_of, replay_command
from onhand.integrations.replay.mapping import ReplayMapping, load

FILE = """\
Receipt,SKU,Qty,Sold at,Price,Name
1,TEA,2,2011-07-01 09:30,2.50,Earl Grey
C2,TEA,-1,2011-07-02 10:00,2.50,Earl Grey
3,TEA,two,2011-07-02 10:00,2.50,Earl Grey
"""


@asynccontextmanager
async def never() -> Any:
    raise AssertionError("a dry run opens no database")
    yield


def console() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=160, force_terminal=False), text


async def test_a_dry_run_reports_and_touches_nothing(tmp_path: Path) -> None:
    file = tmp_path / "till-7.csv"
    file.write_text(FILE)
    shown, text = console()
    options = Options(
        file=file, place="S01", dry_run=True, save_mapping=tmp_path / "m.json", report=tmp_path / "report.csv"
    )
    assert await replay_command(options, never, shown) == 1  # a line was rejected
    said = text.getvalue()
    assert "till-7" in said
    assert "'two' is not a number" in said
    assert "2011-07" in said
    saved = load(tmp_path / "m.json")
    assert (saved.source, saved.place) == ("till-7", "S01")
    with (tmp_path / "report.csv").open() as report:
        rows = list(csv.DictReader(report))
    assert sorted((row["row"], row["becomes"]) for row in rows) == [
        ("1", "sale"),
        ("2", "return"),
        ("3", "rejected"),
    ]
    assert all(row["why"] for row in rows)


async def test_control_totals_decide_the_exit_code(tmp_path: Path) -> None:
    file, control = tmp_path / "till.csv", tmp_path / "control.csv"
    file.write_text("\n".join(FILE.splitlines()[:3]))
    control.write_text("m,lines,net_quantity,net_value\n2011-07,2,1,2.50\n")
    shown, text = console()
    assert await replay_command(Options(file=file, dry_run=True, control=control), never, shown) == 0
    assert "exactly" in text.getvalue()
    control.write_text("m,lines,net_quantity,net_value\n2011-07,2,1,2.51\n")
    assert await replay_command(Options(file=file, dry_run=True, control=control), never, shown) == 1
    assert "2.50 instead of 2.51" in text.getvalue()


def test_options_change_a_saved_mapping(tmp_path: Path) -> None:
    headers = [
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    ]
    options = Options(
        file=tmp_path / "x.csv", mapping="uci_online_retail", place="WEB", columns=["place=Country"], non_stock=["POST"],
        decimal_comma=True,
    )  # fmt: skip
    mapping = mapping_of(options, headers)
    assert (mapping.source, mapping.place, mapping.columns["place"]) == (
        "uci-online-retail",
        "WEB",
        "Country",
    )
    assert (mapping.non_stock, mapping.decimal_comma, mapping.returns) == (("POST",), True, "^C")
    with pytest.raises(ReplayMapping, match="FIELD=HEADER"):
        mapping_of(Options(file=tmp_path / "x.csv", columns=["sku"]), headers)
    with pytest.raises(ReplayMapping, match="nosuch"):
        mapping_of(Options(file=tmp_path / "x.csv", mapping="nosuch"), headers)
