"""Lines of an export, case by case, and what they become."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from onhand.integrations.replay.mapping import Mapping, ReplayMapping, dump, load, named, suggest
from onhand.integrations.replay.model import (
    Document,
    DocumentKind,
    Fate,
    Report,
    differences,
    reason_of,
    translate,
)
from onhand.integrations.replay.reader import open_export

HEADERS = ["no", "sku", "qty", "at", "price", "text", "who"]
MAPPING = Mapping(
    source="till",
    columns={
        "document": "no", "sku": "sku", "quantity": "qty", "happened_at": "at", "unit_price": "price",
        "description": "text", "customer": "who",
    },
    time_zone="Europe/London",
    currency="GBP",
    non_stock=("POST", "gift_*"),
)  # fmt: skip


def run(rows: list[list[str]], mapping: Mapping = MAPPING) -> tuple[list[Document], Report]:
    report = Report()
    return list(translate(mapping, HEADERS, rows, report)), report


def row(
    no: str = "1", sku: str = "TEA", qty: str = "1", price: str = "2.50", text: str = "Tea", who: str = "7"
) -> list[str]:
    return [no, sku, qty, "2011-07-01 09:30:00", price, text, who]


@pytest.mark.parametrize(
    ("line", "fate", "kind"),
    [
        (row(), Fate.sale, DocumentKind.sale),
        (row(price="0"), Fate.sale, DocumentKind.sale),
        (row(qty="0"), Fate.receipt_only, DocumentKind.sale),
        (row(no="C1", qty="-2"), Fate.return_, DocumentKind.refund),
        (row(no="C1", qty="-2", price="0"), Fate.return_, DocumentKind.refund),
        (row(qty="-2"), Fate.return_, DocumentKind.refund),
        (row(qty="-2", price="0.0", text="thrown away"), Fate.write_off, DocumentKind.adjustment),
        (row(qty="3", price="0", text="found", who=""), Fate.found, DocumentKind.adjustment),
        (row(sku="POST"), Fate.service, DocumentKind.sale),
        (row(no="C9", sku="gift_0001_20", qty="-1"), Fate.service, DocumentKind.refund),
        (row(sku="POSTER"), Fate.sale, DocumentKind.sale),
        (row(sku="POST", qty="1", price="-11062.06"), Fate.service, DocumentKind.sale),
    ],
)
def test_each_line_has_one_fate(line: list[str], fate: Fate, kind: DocumentKind) -> None:
    documents, report = run([line])
    assert report.fates == {fate: 1}
    assert [d.kind for d in documents] == [kind]


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (row(qty="two"), "quantity"),
        (row(qty="NaN"), "quantity"),
        (row(price="1e400"), "unit_price"),
        (row(no=" "), "document"),
        (row(sku=""), "sku"),
        ([*row()[:3], "01/07/2011", *row()[4:]], "happened_at"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_its_column_and_a_remedy(line: list[str], column: str) -> None:
    documents, report = run([line, row(no="2")])
    assert len(documents) == 1
    assert report.reconciles
    assert [(r.row, r.column) for r in report.rejected] == [(1, column)]
    assert report.rejected[0].why.endswith(".")


def test_duplicate_lines_are_two_lines_and_a_number_that_comes_again_is_another_document() -> None:
    documents, report = run([row(), row(), row(no="2"), row()])
    assert [(d.number, len(d.lines)) for d in documents] == [("1", 2), ("2", 1), ("1", 1)]
    assert len({d.id for d in documents}) == 3
    assert report.months["2011-07"].row()["invoices"] == 2


def test_a_second_run_makes_the_same_ids_and_another_source_makes_others() -> None:
    rows = [row(), row(qty="-1", price="0"), row(no="C1", qty="-1")]
    first, again = run(rows)[0], run(rows)[0]
    other = Mapping(source="other", columns=MAPPING.columns)
    assert [d.id for d in first] == [d.id for d in again]
    assert all(d.id.version == 8 for d in first)
    assert not {d.id for d in first} & {d.id for d in run(rows, other)[0]}


def test_one_document_may_become_a_sale_a_refund_and_adjustments() -> None:
    documents, _ = run(
        [
            row(),
            row(qty="-1"),
            row(qty="-2", price="0", text="damaged"),
            row(qty="-1", price="0", text="?lost"),
        ]
    )
    assert [(d.kind, d.reason) for d in documents] == [
        (DocumentKind.adjustment, "damaged"),
        (DocumentKind.adjustment, "shrinkage"),
        (DocumentKind.sale, None),
        (DocumentKind.refund, None),
    ]


def test_times_are_read_in_the_sources_zone_and_months_are_local() -> None:
    documents, report = run([[*row()[:3], "2011-08-01 00:30:00", *row()[4:]]])
    assert documents[0].happened_at.isoformat() == "2011-07-31T23:30:00+00:00"
    assert list(report.months) == ["2011-08"]


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        ("wet/rusty", "damaged"),
        ("Thrown away.", "damaged"),
        ("?lost", "shrinkage"),
        ("MIA", "shrinkage"),
        ("Given away", "donation"),
        ("counted", "cycle_count"),
        ("sold as set on dotcom", "other"),
        ("", "correction"),
        ("?", "correction"),
    ],
)
def test_notes_become_reasons(note: str, reason: str) -> None:
    assert reason_of(note) == reason


def test_totals_are_exact_decimals_and_differences_are_named() -> None:
    _, report = run([row(price="0.001"), row(no="C1", qty="-3", price="1.10")])
    totals = {month: t.row() for month, t in report.months.items()}
    assert totals["2011-07"]["net_value"] == Decimal("-3.299")
    control = [{"m": "2011-07", "lines": "2", "net_value": "-3.30"}, {"m": "2011-08", "lines": "1"}]
    assert differences(totals, control) == [
        "2011-07 net_value: -3.299 instead of -3.30",
        "2011-08: nothing there",
    ]


def test_headers_suggest_their_fields() -> None:
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
    known = named("uci_online_retail")
    assert known is not None
    assert suggest(headers) == known.columns
    assert suggest(["Receipt No", "Item Code", "Qty", "Sold at", "Line Total", "Store"]) == {
        "document": "Receipt No", "sku": "Item Code", "quantity": "Qty", "happened_at": "Sold at", "amount": "Line Total",
        "place": "Store",
    }  # fmt: skip


def test_a_mapping_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    file = tmp_path / "mapping.json"
    file.write_bytes(dump(MAPPING))
    assert load(file) == MAPPING
    file.write_text('{"source": "x", "colums": {}}')
    with pytest.raises(ReplayMapping, match="colums"):
        load(file)


@pytest.mark.parametrize(
    ("columns", "param"),
    [
        ({"sku": "sku"}, "document"),
        ({**MAPPING.columns, "sku": "article"}, "sku"),
        ({**MAPPING.columns, "colour": "sku"}, "colour"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(columns: dict[str, str], param: str) -> None:
    with pytest.raises(ReplayMapping) as refused:
        Mapping(source="s", columns=columns).check(HEADERS)
    assert refused.value.param == param


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_any_usual_dress(tmp_path: Path, encoding: str, delimiter: str) -> None:
    file = tmp_path / "export.csv.gz"
    lines = [HEADERS, row(text="Tür£"), row()[:5]]
    file.write_bytes(gzip.compress("\r\n".join(delimiter.join(cells) for cells in lines).encode(encoding)))
    with open_export(file) as export:
        assert export.headers == HEADERS
        rows = list(export.rows())
        assert rows == [row(text="Tür£"), [*row()[:5], "", ""]]
        assert export.read == 1.0


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "export.parquet"
    pq.write_table(pa.table({"no": [7, None], "qty": [2.0, 1.25], "text": ["Tea", None]}), file)
    with open_export(file) as export:
        assert list(export.rows()) == [["7", "2", "Tea"], ["", "1.25", ""]]


def test_decimal_commas_are_read_when_the_mapping_says_so() -> None:
    mapping = Mapping(source="till", columns=MAPPING.columns, decimal_comma=True)
    documents, _ = run([row(qty="1.250,5", price="3,20")], mapping)
    assert documents[0].lines[0].net == Decimal("4001.60")
