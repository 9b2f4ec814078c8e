"""What a till says, in tables."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from onhand.catalog import Resolved
from onhand.kit.ids import uuid7
from onhand.kit.problem import InvalidBody
from onhand.pos import LineIn, SaleIn, TenderIn, Till, sale_item
from onhand.pos.model import RefundExceedsSale, SoldRow, match_refund, minor_units
from onhand.values.errors import BadValue

STORE, CUSTOMER, TEA, CHEESE = (UUID(int=n) for n in (1, 2, 3, 4))
TILL = Till(id=UUID(int=9), code="R1", location=STORE, site=STORE, site_code="S01")


def resolved(variant: UUID, sku: str, *, decimals: int = 0, factor: int = 1) -> Resolved:
    return Resolved(
        variant, factor, decimals, "each" if decimals == 0 else "kg", "none", sku, sku.title(), variant, None, 350, "EUR",
        Decimal("1.5"), "EUR", False,
    )  # fmt: skip


KNOWN = {
    "TEA": resolved(TEA, "TEA"),
    "TEA-CASE": resolved(TEA, "TEA", factor=12),
    "CHEESE": resolved(CHEESE, "CHEESE", decimals=3, factor=1000),
}


def told(*lines: LineIn, **fields: Any) -> SaleIn:
    fields = {"currency": "EUR", "happened_at": datetime(2026, 11, 20, 10, tzinfo=UTC), **fields}
    return SaleIn(id=uuid7(), register="R1", lines=list(lines), **fields)


@pytest.mark.parametrize(
    ("text", "exponent", "minor"),
    [("1.99", 2, 199), ("-0.50", 2, -50), ("7", 2, 700), ("7", 0, 7), ("1.500", 2, 150), ("+2.05", 2, 205), ("0.123", 3, 123)],
)  # fmt: skip
def test_amounts_are_exact(text: str, exponent: int, minor: int) -> None:
    assert minor_units(text, exponent) == minor


@pytest.mark.parametrize("text", ["", ".", "1,50", "1.999", "1e3", "NaN", "٣", "--1", "1.-5", "0x10"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        minor_units(text, 2)


@pytest.mark.parametrize(
    ("line", "moves"),
    [
        (LineIn(sku="TEA", quantity="2", total="7"), [(TEA, STORE, CUSTOMER, 2)]),
        (LineIn(sku="TEA", quantity="-1", total="-3.50"), [(TEA, CUSTOMER, STORE, 1)]),
        (LineIn(sku="TEA", quantity="0", total="-0.40"), []),
        (LineIn(barcode="TEA-CASE", quantity="2", total="80"), [(TEA, STORE, CUSTOMER, 24)]),
        (LineIn(sku="CHEESE", quantity="0.250", total="4.10"), [(CHEESE, STORE, CUSTOMER, 250)]),
        (LineIn(barcode="CHEESE", quantity="0.25", total="4.10"), [(CHEESE, STORE, CUSTOMER, 250)]),
        (LineIn(sku="NOBODY", quantity="1", total="1"), []),
    ],
)  # fmt: skip
def test_a_line_becomes_a_move(line: LineIn, moves: list[tuple[UUID, UUID, UUID, int]]) -> None:
    item, unresolved = sale_item(told(line), TILL, KNOWN, actor=UUID(int=7), customer_place=CUSTOMER)
    assert [(m.variant, m.from_location, m.to_location, m.quantity) for m in item.posting.moves] == moves
    assert unresolved == ([1] if line.code == "NOBODY" else [])
    assert len(item.riders["sale_line"]) == 1


@pytest.mark.parametrize(
    ("line", "param"),
    [
        (LineIn(sku="TEA", quantity="0.5", total="1"), "lines[0].quantity"),
        (LineIn(sku="TEA", quantity="many", total="1"), "lines[0].quantity"),
        (LineIn(sku="NOBODY", quantity="Infinity", total="1"), "lines[0].quantity"),
        (LineIn(barcode="TEA-CASE", quantity="0.3", total="1"), "lines[0].quantity"),
        (LineIn(barcode="TEA-CASE", quantity="1/2", total="1"), "lines[0].quantity"),
        (LineIn(sku="TEA", quantity="1", total="1.999"), "lines[0].total"),
        (LineIn(sku="TEA", quantity="1", total="1", tax="x"), "lines[0].tax"),
        (LineIn(sku="TEA", quantity="1", total="1", unit_price="abc"), "lines[0].unit_price"),
    ],
)
def test_nonsense_names_its_field(line: LineIn, param: str) -> None:
    with pytest.raises(InvalidBody) as refused:
        sale_item(told(line), TILL, KNOWN, actor=UUID(int=7), customer_place=CUSTOMER)
    assert refused.value.param == param


def test_the_document_adds_up() -> None:
    sale = told(
        LineIn(sku="TEA", quantity="2", total="7.00", tax="1.12", discount="0.50"),
        LineIn(sku="CHEESE", quantity="0.250", total="4.10", tax="0.27"),
        tenders=[TenderIn(kind="card", amount="11.10")],
    )
    item, _ = sale_item(sale, TILL, KNOWN, actor=UUID(int=7), customer_place=CUSTOMER)
    head = item.riders["sale"][0]
    net, tax, discount, total, units, lines = head[8:14]
    assert (net, tax, discount, total, units, lines) == (971, 139, 50, 1110, 3, 2)
    assert item.riders["tender"][0][2] == 1110
    assert len(item.events) == 1


def test_the_same_sale_has_the_same_digest_and_another_has_not() -> None:
    sale = told(LineIn(sku="TEA", quantity="2", total="7"))
    first, _ = sale_item(sale, TILL, KNOWN, actor=UUID(int=7), customer_place=CUSTOMER)
    again, _ = sale_item(sale, TILL, KNOWN, actor=UUID(int=7), customer_place=CUSTOMER)
    sale.lines[0].quantity = "3"
    other, _ = sale_item(sale, TILL, KNOWN, actor=UUID(int=7), customer_place=CUSTOMER)
    assert first.posting.digest == again.posting.digest != other.posting.digest


LINES = {
    1: SoldRow(1, TEA, "TEA", 3, 1, 0),
    2: SoldRow(2, CHEESE, "CHEESE", 500, 0, 3),
    3: SoldRow(3, None, "NOBODY", 0, 0, 0),
}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([(1, "2")], [(1, 2)]),
        ([(1, "1"), (1, "1")], [(1, 1), (1, 1)]),
        ([(2, "0.5")], [(2, 500)]),
    ],
)
def test_a_refund_takes_what_is_left(wanted: list[tuple[int, str]], expected: list[tuple[int, int]]) -> None:
    assert [(row.line, quantity) for row, quantity in match_refund(LINES, wanted)] == expected


@pytest.mark.parametrize("wanted", [[(1, "3")], [(1, "1"), (1, "2")], [(2, "0.501")]])
def test_a_refund_never_takes_more_than_was_sold(wanted: list[tuple[int, str]]) -> None:
    with pytest.raises(RefundExceedsSale):
        match_refund(LINES, wanted)


@pytest.mark.parametrize("wanted", [[(9, "1")], [(3, "1")], [(1, "0")], [(1, "-1")], [(1, "x")]])
def test_a_refund_names_what_it_does_not_understand(wanted: list[tuple[int, str]]) -> None:
    with pytest.raises(InvalidBody):
        match_refund(LINES, wanted)


@pytest.mark.parametrize(("amount", "tax"), [(700, 112), (350, 56), (1, 0), (0, 0), (175, 28)])
def test_an_amount_given_back_carries_its_share_of_tax(amount: int, tax: int) -> None:
    assert SoldRow(1, TEA, "TEA", 2, 0, 0, tax=112, total=700).tax_in(amount) == tax
