"""What headings and cells mean, without a database."""

from __future__ import annotations

import pytest

from onhand.integrations.imports import KINDS, cells
from onhand.integrations.imports.cells import MarkVotes
from onhand.integrations.imports.model import (
    MappingNotPossible,
    check_mapping,
    plain,
    suggest_mapping,
    tidy_headers,
)
from onhand.kit.export import unquote_formula
from onhand.values import BadValue


def test_headings_are_made_unique() -> None:
    assert tidy_headers(["SKU", "", " a  b ", "SKU"]) == ["SKU", "Column 2", "a b", "SKU (2)"]


def test_plain_headings() -> None:
    assert plain("Größe (cm)") == "grosse"
    assert plain("Art.-Nr.") == "artnr"


@pytest.mark.parametrize(
    ("kind", "headers", "expected"),
    [
        ("products", ["SKU", "Name", "Price"], {"sku": "SKU", "name": "Name", "list_price": "Price"}),
        (
            "products",
            ["Artikelnummer", "Bezeichnung", "Warengruppe", "EAN", "VK", "EK", "Währung", "Einheit"],
            {
                "sku": "Artikelnummer", "name": "Bezeichnung", "category": "Warengruppe", "barcodes": "EAN",
                "list_price": "VK", "cost": "EK", "currency": "Währung", "unit": "Einheit",
            },
        ),
        (
            "products",
            ["Variant SKU", "Title", "Variant Price", "Option: Size", "option:colour"],
            {"sku": "Variant SKU", "name": "Title", "option:colour": "option:colour"},
        ),
        ("opening_stock", ["Artikel", "Lagerplatz", "Menge", "Charge", "MHD", "EK"],
         {"sku": "Artikel", "location": "Lagerplatz", "quantity": "Menge", "lot_code": "Charge", "expires_on": "MHD", "cost": "EK"}),
        ("suppliers", ["Lieferantennummer", "Firma", "E-Mail", "PLZ", "Ort"],
         {"code": "Lieferantennummer", "name": "Firma", "email": "E-Mail", "postal_code": "PLZ", "city": "Ort"}),
        ("users", ["E-Mail-Adresse", "Name", "Rolle", "Filiale"],
         {"email": "E-Mail-Adresse", "name": "Name", "role": "Rolle", "site": "Filiale"}),
        ("products", ["Produktbeschreibungen", "SKU-Code", "Quantaty"], {}),
    ],
)  # fmt: skip
def test_mappings_are_suggested(kind: str, headers: list[str], expected: dict[str, str]) -> None:
    found = suggest_mapping(KINDS[kind], headers)
    assert {column: found.get(column) for column in expected} == expected
    assert len(set(found.values())) == len(found), "a heading fills one column"


def test_each_kinds_own_headings_map_to_themselves() -> None:
    for kind in KINDS.values():
        names = [column.name for column in kind.columns]
        assert suggest_mapping(kind, names) == {name: name for name in names}


def test_a_wrong_mapping_names_each_fault() -> None:
    with pytest.raises(MappingNotPossible) as refused:
        check_mapping(KINDS["barcodes"], {"sku": "A", "colour": "A", "quantity": "C"}, ["A", "B"])
    assert [(d["param"], d["code"]) for d in refused.value.details] == [
        ("mapping.colour", "unknown_column"),
        ("mapping.quantity", "unknown_header"),
        ("mapping.barcode", "required"),
        ("mapping.colour", "header_used_twice"),
    ]
    check_mapping(KINDS["products"], {"sku": "A", "option:Size": "B"}, ["A", "B"])


@pytest.mark.parametrize(
    ("text", "mark", "read"),
    [
        ("12", None, "12"), ("+12", None, "12"), ("-3", None, "-3"), ("−3", None, "-3"), ("1.50", None, "1.50"),
        ("1,50", None, "1.50"), ("1.234,50", None, "1234.50"), ("1,234.50", None, "1234.50"), ("1.234", ".", "1.234"),
        ("1.234", ",", "1234"), ("1,234", ",", "1.234"), ("1,234", ".", "1234"), ("1 234,5", None, "1234.5"),
        ("1'234.50", None, "1234.50"), ("€ 3,99", None, "3.99"), ("3.99 EUR", None, "3.99"), (".5", None, "0.5"),
        ("-,5", None, "-0.5"), ("1.234.567", None, "1234567"), ("0,001", ",", "0.001"),
    ],
)  # fmt: skip
def test_numbers(text: str, mark: cells.Mark | None, read: str) -> None:
    assert cells.number(text, "cost", mark) == read


@pytest.mark.parametrize(
    ("text", "mark"),
    [("abc", None), ("1.2.3", None), ("1,234", None), ("1.234", None), ("12,50", "."), ("--1", None), ("1e5", None),
     ("=1+1", None), ("١٢", None), ("", None), ("1 2", None)],
)  # fmt: skip
def test_what_is_no_number_or_could_be_two_is_refused(text: str, mark: cells.Mark | None) -> None:
    with pytest.raises(BadValue):
        cells.number(text, "cost", mark)


@pytest.mark.parametrize(
    ("numbers", "delimiter", "mark"),
    [
        (["1,50", "1.234"], ";", ","), (["1.50", "1,234"], ";", "."), (["1.50"], ",", "."), (["1", "2"], ",", "."),
        (["1.234"], ";", None), (["1,50", "1.50"], ";", None), (["1,50"], ",", ","),
    ],
)  # fmt: skip
def test_a_files_numbers_say_their_mark(numbers: list[str], delimiter: str, mark: str | None) -> None:
    votes = MarkVotes()
    for text in numbers:
        votes.add(text)
    assert votes.decide(numeric_cells=False, delimiter=delimiter) == mark


@pytest.mark.parametrize(
    ("text", "read"),
    [("2026-03-31", "2026-03-31"), ("31.3.2026", "2026-03-31"), ("31.03.2026", "2026-03-31"), ("2026/3/1", "2026-03-01"),
     ("20260331", "2026-03-31"), ("31/03/2026", "2026-03-31"), ("03/31/2026", "2026-03-31"), ("2026-03-31T00:00:00", "2026-03-31"),
     ("4/4/2026", "2026-04-04")],
)  # fmt: skip
def test_dates(text: str, read: str) -> None:
    assert cells.day(text, "expires_on") == read


@pytest.mark.parametrize(
    "text", ["03/04/2026", "31.2.2026", "31.3.26", "soon", "2026-13-01", "0000-01-01", "45992"]
)
def test_what_is_no_date_or_could_be_two_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        cells.day(text, "expires_on")


def test_flags() -> None:
    assert [cells.flag(text, "sells") for text in ("Ja", "yes", "X", "1", "nein", "FALSE", "0")] == [
        "true"
    ] * 4 + ["false"] * 3
    with pytest.raises(BadValue):
        cells.flag("maybe", "sells")


def test_examples_are_themselves_readable() -> None:
    for kind in KINDS.values():
        for column in kind.columns:
            if column.example:
                cells.read(column.example, column.name, column.type, ".")
                assert unquote_formula(column.example) == column.example
