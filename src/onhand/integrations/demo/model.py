"""The rules of the demo: what the source's odd lines mean, which calendar they live in, what things cost. Pure.

Sources of the formulas: "The Complete Journey" user guide (84.51°): shelf price = (sales_value + retail_disc +
coupon_match_disc) / quantity, paid by the customer = sales_value - coupon_disc; the rest comes from the maker's coupon.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from onhand.values import check_digit

CURRENCY = "USD"
YEAR = 364
"""Days after which the live replay begins the source again: 52 weeks, so that Mondays stay Mondays."""
LAST_DAY = 364
"""Index of the source's last day (31 December 2017); its first, 1 January, is day 0."""
FUEL_DECIMALS = 3
COUPONS = {5978648: "Store Coupon", 5978656: "Manufacturer Coupon"}
"""Two product numbers of the source that its product list lacks: coupons, always with quantity 0."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Maps days of the source to days of today. `anchor` is the Sunday on which its last day, a Sunday, is put.

    The shift is a whole number of weeks, so weekday and local time of day stay. The anchor is the last Sunday not after
    the day the demo was loaded; the up to six days since then, and all days to come, are days of the source again.
    """

    anchor: date

    @classmethod
    def on(cls, today: date) -> Calendar:
        """The calendar of a demo loaded on a day."""
        return cls(today - timedelta(days=(today.weekday() + 1) % 7))

    def day_of(self, index: int) -> date:
        """The date of a day counted from the source's first."""
        return self.anchor + timedelta(days=index - LAST_DAY)

    def index_of(self, day: date) -> int:
        """The inverse of `day_of`."""
        return LAST_DAY + (day - self.anchor).days

    def instant(self, index: int, second: int, zone: ZoneInfo) -> datetime:
        """The instant of a second of the local day, in UTC."""
        day = self.day_of(index)
        local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=second)
        return local.astimezone(UTC)


def source_day(index: int) -> tuple[int, int]:
    """Which day of the source is shown on a day index, and in which round (0 is the source's own year)."""
    if index <= LAST_DAY:
        return index, 0
    return (index - 1) % YEAR + 1, (index - 1) // YEAR


def demo_id(at: datetime, *parts: str) -> UUID:
    """A UUIDv8 (RFC 9562, 5.8) that begins with the milliseconds of `at`, like a v7, and is otherwise the parts' SHA-256.

    Ids in order of time keep the indexes of a year's history small and fast; the same receipt always gets the same id.
    """
    digest = int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:10])
    ms = int(at.timestamp() * 1000)
    value = (ms << 80) | (0x8 << 76) | ((digest >> 68) << 64) | (0b10 << 62) | (digest & ((1 << 62) - 1))
    return UUID(int=value)


def in_store_gtin(product: int) -> str:
    """An EAN-13 of the range 20, which GS1 leaves to shops for numbers of their own (General Specifications, 2.1.11)."""
    payload = f"20{product:010}"
    return f"{payload}{check_digit(payload)}"


def is_fuel(product_type: str | None) -> bool:
    """Whether a product is fuel."""
    return product_type is not None and "GASOLINE" in product_type


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One receipt line. `units` in smallest units (fuel: thousandths of a gallon); money in cents.

    `gross` is units at the shelf price, `discount` what card and coupon match took off, `net` what the shop receives.
    """

    units: int
    gross: int
    discount: int
    net: int


def sold(*, quantity: int, prepaid: bool, value: int, retail: int, match: int) -> SoldLine:
    """A source line as a receipt line; amounts in cents.

    Prepaid fuel (an amount of money, always "1", never a volume) and coupons (quantity 0) move nothing.
    """
    return SoldLine(
        units=0 if prepaid else quantity, gross=value + retail + match, discount=retail + match, net=value
    )


@dataclass(frozen=True, slots=True)
class Tender:
    """A payment: kind and cents."""

    kind: str
    amount: int


def tenders(total: int, coupons: int, seed: int) -> list[Tender]:
    """How a receipt was paid: coupons first, up to its total; the rest by card, three times in ten in cash."""
    voucher = min(total, coupons)
    paid = [Tender("voucher", voucher)] if voucher > 0 else []
    if total - voucher > 0 or not paid:
        paid.append(Tender("cash" if seed % 10 < 3 else "card", total - voucher))
    return paid


def median(values: list[int]) -> int:
    """The middle of sorted values; of an even number the lower one, so that it is a price somebody paid."""
    return values[(len(values) - 1) // 2]


_COST_SHARE = {
    "FUEL": 93, "GROCERY": 74, "MEAT": 72, "MEAT-PCKGD": 70, "SPIRITS": 72, "DRUG GM": 66, "NUTRITION": 66, "SEAFOOD": 68,
    "SEAFOOD-PCKGD": 68, "FROZEN GROCERY": 70, "PRODUCE": 60, "DELI": 55, "PASTRY": 48, "FLORAL": 50, "COSMETICS": 58,
    "SALAD BAR": 42, "RESTAURANT": 40, "CHEF SHOPPE": 42, "GARDEN CENTER": 55,
}  # fmt: skip
"""Cost in per cent of the list price, as such departments usually have it."""


def cost_of(price: int, department: str | None, *, fuel: bool) -> int:
    """Unit cost of a list price, in the same unit, by department; rounded half up."""
    share = _COST_SHARE["FUEL"] if fuel else _COST_SHARE.get(department or "", 70)
    return (price * share * 2 + 100) // 200
