"""What happened when, in order: deliveries to the warehouse, transfers to the stores, receipts. Pure and deterministic.

The source knows only what was sold. So that the shelves of the demo live, stock is planned as a simple chain would do it:
a minimum and a maximum for each product and store from its usual demand, transfers twice a week for what fell below, and
a weekly delivery to the warehouse. It stays life: some shelves run empty, and a sale beyond them is still a sale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, sqrt

from onhand.integrations.demo.model import LAST_DAY, YEAR, source_day
from onhand.integrations.demo.source import Sales

DELIVERY_SECOND = 3 * 3600
"""Local time of a delivery to the warehouse: 03:00, Mondays."""
TRANSFER_SECOND = 5 * 3600 + 1800
"""Local time of the transfers: 05:30, twice a week."""
REVIEW_DAYS = 4
"""The longest time between two transfers to a store."""
COVER_DAYS = 10
SAFETY = 2.0
FUEL_STEP = 100_000
"""Fuel comes by the hundred gallons."""
WAREHOUSE_WEEKS = 8
LARGE = 1000
"""No receipt line of the source has as many pieces; whatever sells by more is fuel."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt of the source on a day of the demo. `cycle` counts the rounds through the source's year.

    `oversold`: by the plan, some line takes more than is there.
    """

    day: int
    cycle: int
    receipt: int
    oversold: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """Goods for one store, from the warehouse: (product, smallest units)."""

    day: int
    store: int
    lines: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Goods for the warehouse, from suppliers: (product, smallest units)."""

    day: int
    lines: list[tuple[int, int]]


Event = Receipt | Transfer | Delivery


@dataclass(frozen=True, slots=True)
class Limits:
    """Below `low` a product is filled up to `high` at its place; smallest units."""

    low: int
    high: int


@dataclass(slots=True)
class Stock:
    """Stock as planned: by (store, product), and the warehouse's by product; and what was sold beyond it.

    `touched` are the products of each store that may need filling up.
    """

    stores: dict[tuple[int, int], int] = field(default_factory=dict)
    warehouse: dict[int, int] = field(default_factory=dict)
    touched: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    lines: int = 0
    oversold_lines: int = 0


def limits_of(units: int, lines: int, biggest: int) -> Limits:
    """Minimum and maximum for a product in a store from a year's units sold, its receipt lines and the biggest of them.

    The minimum covers the days until the next transfer with `SAFETY` standard deviations of a demand that comes in lumps
    of the usual size (compound Poisson: variance = rate x mean square of a lump, here the square of the mean).
    """
    rate = units / (LAST_DAY + 1)
    lump = units / lines
    wait = rate * REVIEW_DAYS
    low = max(ceil(wait + SAFETY * sqrt(wait * lump)), min(biggest, ceil(3 * lump)))
    high = low + max(ceil(rate * COVER_DAYS), ceil(2 * lump))
    if biggest > LARGE:
        return Limits(_up(low, FUEL_STEP), _up(high + FUEL_STEP, FUEL_STEP))
    return Limits(low, high)


def _up(units: int, step: int) -> int:
    return -(-units // step) * step


class Chain:
    """The plan of one chain. `moves_nothing` names products whose lines are on receipts only (prepaid fuel)."""

    def __init__(self, sales: Sales, moves_nothing: frozenset[int] = frozenset()) -> None:
        self.sales = sales
        self._still = moves_nothing
        self.limits: dict[tuple[int, int], Limits] = {}
        self.warehouse_limits: dict[int, Limits] = {}
        self._measure()
        self._days = self._first_receipts()

    def _measure(self) -> None:
        sales = self.sales
        units: dict[tuple[int, int], int] = defaultdict(int)
        lines: dict[tuple[int, int], int] = defaultdict(int)
        biggest: dict[tuple[int, int], int] = defaultdict(int)
        for receipt, store in enumerate(sales.store):
            for at in sales.lines(receipt):
                quantity = sales.quantity[at]
                if quantity and sales.product[at] not in self._still:
                    key = (store, sales.product[at])
                    units[key] += quantity
                    lines[key] += 1
                    biggest[key] = max(biggest[key], quantity)
        total: dict[int, int] = defaultdict(int)
        high: dict[int, int] = defaultdict(int)
        for key in sorted(units):
            limits = self.limits[key] = limits_of(units[key], lines[key], biggest[key])
            total[key[1]] += units[key]
            high[key[1]] += limits.high
        for product, sold in total.items():
            weekly = sold / (YEAR / 7)
            low = ceil(weekly * 2) + high[product] // 2 + 1
            self.warehouse_limits[product] = Limits(low, low + ceil(weekly * WAREHOUSE_WEEKS))

    def _first_receipts(self) -> list[int]:
        """Index of the first receipt of each day of the source, and the end."""
        starts = [len(self.sales)] * (LAST_DAY + 2)
        for receipt in range(len(self.sales) - 1, -1, -1):
            starts[self.sales.day[receipt]] = receipt
        for day in range(LAST_DAY, -1, -1):
            starts[day] = min(starts[day], starts[day + 1])
        return starts

    def opening(self) -> Stock:
        """Stock before the first receipt: every place at its maximum."""
        return Stock(
            stores={key: limits.high for key, limits in self.limits.items()},
            warehouse={product: limits.high for product, limits in self.warehouse_limits.items()},
        )

    def events(self, stock: Stock, first: int, last: int) -> Iterator[Event]:
        """Everything that happens on the days `first` to `last` (both included), in order; `stock` follows along."""
        for day in range(first, last + 1):
            source, cycle = source_day(day)
            supplied = False
            for receipt in range(self._days[source], self._days[source + 1]):
                if not supplied and self.sales.second[receipt] >= TRANSFER_SECOND:
                    supplied = True
                    yield from self._supply(stock, day)
                yield Receipt(day, cycle, receipt, self._sell(stock, receipt))
            if not supplied:
                yield from self._supply(stock, day)

    def _sell(self, stock: Stock, receipt: int) -> bool:
        sales = self.sales
        before = stock.oversold_lines
        store = sales.store[receipt]
        for at in sales.lines(receipt):
            quantity, product = sales.quantity[at], sales.product[at]
            if not quantity or product in self._still:
                continue
            key = (store, product)
            left = stock.stores[key] = stock.stores[key] - quantity
            stock.lines += 1
            stock.oversold_lines += left < 0
            stock.touched[store].add(product)
        return stock.oversold_lines > before

    def _supply(self, stock: Stock, day: int) -> Iterator[Event]:
        if day % 7 == 1:
            delivery = self._delivery(stock, day)
            if delivery.lines:
                yield delivery
        for store in range(len(self.sales.stores)):
            if day % 7 in (store % 7, (store + 3) % 7):
                transfer = self._transfer(stock, store, day)
                if transfer.lines:
                    yield transfer

    def _delivery(self, stock: Stock, day: int) -> Delivery:
        lines = []
        for product, limits in self.warehouse_limits.items():
            have = stock.warehouse[product]
            if have < limits.low:
                lines.append((product, limits.high - have))
                stock.warehouse[product] = limits.high
        return Delivery(day, lines)

    def _transfer(self, stock: Stock, store: int, day: int) -> Transfer:
        lines = []
        products = stock.touched[store]
        for product in sorted(products):
            key = (store, product)
            limits, have = self.limits[key], stock.stores[key]
            if have >= limits.low:
                products.discard(product)
                continue
            sent = min(limits.high - have, max(0, stock.warehouse[product]))
            if sent:
                lines.append((product, sent))
                stock.stores[key] = have + sent
                stock.warehouse[product] -= sent
                products.discard(product)
        return Transfer(day, store, lines)
