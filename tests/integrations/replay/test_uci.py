"""The UCI file ends on the control totals beside it, exactly, by translation alone."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import pytest

from onhand.integrations.replay.mapping import named
from onhand.integrations.replay.model import DocumentKind, Fate, Report, differences, translate
from onhand.integrations.replay.reader import open_export

_ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("ONHAND_DATA", _ROOT / ".." / "shared" / "data"))
UCI = DATA / "a_transactions" / "uci_online_retail"


@pytest.mark.data
def test_the_uci_file_ends_on_its_control_totals() -> None:
    if not UCI.is_dir():
        pytest.skip("third-party data not present")
    mapping = named("uci_online_retail")
    assert mapping is not None
    report = Report()
    ids = set()
    documents = 0
    began = time.monotonic()
    with open_export(next(UCI.glob("online_retail*.csv.gz"))) as export:
        for document in translate(mapping, export.headers, export.rows(), report):
            ids.add(document.id)
            documents += 1
    print(f"{time.monotonic() - began:.2f}s", report.fates, report.documents, report.why)
    with (UCI / "control_totals_by_month.csv").open() as file:
        control = list(csv.DictReader(file))
    totals = {month: month_totals.row() for month, month_totals in report.months.items()}
    assert differences(totals, control) == []
    assert len(ids) == documents == report.documents.total()
    assert report.reconciles
    assert report.rows == 320_705
    assert report.fates[Fate.rejected] == 0
    assert (
        report.documents[DocumentKind.adjustment] == report.fates[Fate.write_off] + report.fates[Fate.found]
    )
