"""The demo's catalogue and receipts in the words our own doors take: import rows and sales. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from onhand.integrations.demo.model import (
    COUPONS,
    CURRENCY,
    FUEL_DECIMALS,
    Calendar,
    cost_of,
    demo_id,
    in_store_gtin,
    sold,
    tenders,
)
from onhand.integrations.demo.names import brand, category, department, product_name
from onhand.integrations.demo.places import Place, registers
from onhand.integrations.demo.plan import LARGE, Chain
from onhand.integrations.demo.source import Fuel, Sales, SourceProduct
from onhand.pos import LineIn, SaleIn, TenderIn
from onhand.values import format_units

SKU_DIGITS = 8


def sku_of(product: int) -> str:
    """The SKU of a product number of the source."""
    return f"{product:0{SKU_DIGITS}}"


def money(cents: int) -> str:
    """Cents as a decimal string."""
    return format_units(cents, 2)


def variant_rows(products: list[SourceProduct]) -> Iterator[dict[str, str | None]]:
    """An import row (catalog's VARIANT_COLUMNS) for every product and for the two coupons.

    Products that would read the same get "No. 2", "No. 3" …, in order of their number.
    """
    seen: Counter[str] = Counter()
    for product in products:
        maker = brand(product.manufacturer, product.brand)
        name = _name(product, maker)
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name}, No. {seen[name]}"
        fuel = product.fuel is Fuel.volume
        cost = cost_of(product.price, product.department, fuel=product.fuel is not Fuel.no)
        yield {
            "sku": sku_of(product.product),
            "name": name,
            "category": f"{department(product.department)} > {category(product.category)}",
            "unit": "gal" if fuel else "each",
            "decimals": str(FUEL_DECIMALS) if fuel else "0",
            "barcodes": in_store_gtin(product.product),
            "list_price": money(product.price),
            "cost": money(cost),
            "currency": CURRENCY,
            "external_id": f"cj-{product.product}",
            "attribute:brand": maker,
        }
    for number, name in COUPONS.items():
        yield {
            "sku": sku_of(number),
            "name": name,
            "category": "Coupon > Coupons at the till",
            "barcodes": in_store_gtin(number),
            "external_id": f"cj-{number}",
        }


def _name(product: SourceProduct, maker: str) -> str:
    if product.fuel is Fuel.volume:
        return "Regular Unleaded Gasoline"
    if product.fuel is Fuel.prepaid:
        return "Prepaid Gasoline"
    return product_name(
        product_type=product.product_type, category_text=product.category, maker=maker, pack=product.pack
    )


def place_rows(stores: list[Place], warehouse: Place) -> Iterator[dict[str, str | None]]:
    """An import row (locations' LOCATION_COLUMNS) for the warehouse and every store."""
    for place in (warehouse, *stores):
        yield {
            "code": place.code, "name": place.name, "kind": place.kind, "time_zone": place.time_zone, "day_start": "00:00",
            "latitude": place.latitude, "longitude": place.longitude, "external_id": place.external_id,
        }  # fmt: skip


LEAST_MINIMUM = 4
"""Products a store should have fewer of carry no minimum of their own: the lists would be long and say little."""


def minimum_rows(chain: Chain, stores: list[Place]) -> Iterator[dict[str, str | None]]:
    """Import rows (catalog's MINIMUM_COLUMNS): half of what makes the plan send more, where that is not next to nothing."""
    for (store, product), limits in chain.limits.items():
        if LEAST_MINIMUM <= limits.low < LARGE:
            yield {"sku": sku_of(product), "site": stores[store].code, "minimum": str(limits.low // 2)}


class Tills:
    """Writes the receipts of the source as sales of today."""

    def __init__(self, sales: Sales, calendar: Calendar, stores: list[Place], fuel: dict[int, Fuel]) -> None:
        self._sales = sales
        self._calendar = calendar
        self._stores = stores
        self._fuel = fuel
        self._zones = [ZoneInfo(store.time_zone) for store in stores]
        self._registers = [registers(store.code) for store in stores]

    def happened_at(self, receipt: int, day: int) -> datetime:
        """When a receipt happens on a day of the demo."""
        sales = self._sales
        return self._calendar.instant(day, sales.second[receipt], self._zones[sales.store[receipt]])

    def sale(self, receipt: int, day: int, cycle: int) -> SaleIn:
        """A receipt as a till would tell it. The same receipt of the same round always has the same id and content."""
        sales = self._sales
        at = self.happened_at(receipt, day)
        number = sales.number[receipt]
        lines, total, coupons = [], 0, 0
        for n in sales.lines(receipt):
            line = self._line(n)
            total += sales.value[n]
            coupons += sales.coupon[n]
            lines.append(line)
        tills = self._registers[sales.store[receipt]]
        return SaleIn(
            id=demo_id(at, "sale", str(number), str(cycle)),
            register=tills[number % len(tills)],
            happened_at=at,
            currency=CURRENCY,
            number=str(number) if cycle == 0 else f"{number}-{cycle}",
            lines=lines,
            tenders=[
                TenderIn(kind=t.kind, amount=money(t.amount)) for t in tenders(total, coupons, number // 7)
            ],
        )

    def _line(self, n: int) -> LineIn:
        sales = self._sales
        product, quantity = sales.product[n], sales.quantity[n]
        fuel = self._fuel.get(product, Fuel.no)
        line = sold(
            quantity=quantity, prepaid=fuel is Fuel.prepaid, value=sales.value[n], retail=sales.retail[n],
            match=sales.match[n],
        )  # fmt: skip
        decimals = FUEL_DECIMALS if fuel is Fuel.volume else 0
        return LineIn(
            sku=sku_of(product),
            quantity=format_units(line.units, decimals),
            unit_price=_unit_price(line.gross, line.units, decimals),
            discount=money(line.discount),
            net=money(line.net),
            total=money(line.net),
        )


def _unit_price(gross: int, units: int, decimals: int) -> str:
    """The shelf price of one unit (fuel: one gallon), to six decimals where it does not come out even."""
    if units in (0, 1) and decimals == 0:
        return money(gross)
    if not units:
        return "0.00"
    if decimals == 0 and gross % units == 0:
        return money(gross // units)
    return str(round(Decimal(gross * 10**decimals) / Decimal(units * 100), 6))
