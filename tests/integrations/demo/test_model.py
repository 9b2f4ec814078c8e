"""The demo's rules, case by case."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from onhand.integrations.demo.model import (
    LAST_DAY,
    YEAR,
    Calendar,
    SoldLine,
    Tender,
    cost_of,
    demo_id,
    in_store_gtin,
    median,
    sold,
    source_day,
    tenders,
)
from onhand.integrations.demo.names import brand, category, department, humanise, product_name, size
from onhand.integrations.demo.places import MOST_STORES, stores
from onhand.values import is_gtin

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize("today", [date(2026, 11, 21) + timedelta(days=n) for n in range(8)])
def test_the_last_day_is_a_sunday_not_after_today_and_less_than_a_week_ago(today: date) -> None:
    calendar = Calendar.on(today)
    last = calendar.day_of(LAST_DAY)
    assert last.weekday() == 6
    assert timedelta(0) <= today - last < timedelta(days=7)
    assert calendar.day_of(0).weekday() == 6
    assert calendar.index_of(today) - LAST_DAY == (today - last).days


@pytest.mark.parametrize(
    "index", [0, 1, 77, LAST_DAY, LAST_DAY + 1, LAST_DAY + YEAR, LAST_DAY + YEAR + 1, 3 * YEAR + 5]
)
def test_every_day_shows_a_day_of_the_source_with_the_same_weekday(index: int) -> None:
    day, cycle = source_day(index)
    assert 0 <= day <= LAST_DAY
    assert day % 7 == index % 7
    assert (day, cycle) == (index, 0) if index <= LAST_DAY else cycle >= 1
    assert len({source_day(i) for i in range(2 * YEAR)}) == 2 * YEAR


def test_local_time_of_day_stays_across_the_change_of_clocks() -> None:
    calendar = Calendar.on(date(2026, 11, 21))
    for index in range(LAST_DAY + 1):
        at = calendar.instant(index, 17 * 3600 + 30 * 60, NEW_YORK).astimezone(NEW_YORK)
        assert (at.hour, at.minute) == (17, 30)
        assert at.date() == calendar.day_of(index)


def test_ids_are_stable_ordered_by_time_and_of_version_8() -> None:
    at = datetime(2026, 11, 21, 12, tzinfo=NEW_YORK)
    first = demo_id(at, "sale", "7", "0")
    assert first == demo_id(at, "sale", "7", "0") != demo_id(at, "sale", "7", "1")
    assert first.version == 8
    assert first.variant == "specified in RFC 4122"
    assert first < demo_id(at + timedelta(milliseconds=1), "sale", "0", "0")


@pytest.mark.parametrize(
    ("quantity", "prepaid", "value", "retail", "match", "line"),
    [
        (2, False, 355, 178, 45, SoldLine(units=2, gross=578, discount=223, net=355)),
        (0, False, 0, 0, 0, SoldLine(units=0, gross=0, discount=0, net=0)),
        (12345, False, 2901, 1, 0, SoldLine(units=12345, gross=2902, discount=1, net=2901)),
        (1, True, 2000, 0, 0, SoldLine(units=0, gross=2000, discount=0, net=2000)),
    ],
)
def test_a_line_is_shelf_price_less_discounts(
    quantity: int, prepaid: bool, value: int, retail: int, match: int, line: SoldLine
) -> None:
    assert sold(quantity=quantity, prepaid=prepaid, value=value, retail=retail, match=match) == line
    assert line.gross - line.discount == line.net


@pytest.mark.parametrize(
    ("total", "coupons", "seed", "paid"),
    [
        (1000, 0, 5, [Tender("card", 1000)]),
        (1000, 0, 2, [Tender("cash", 1000)]),
        (1000, 150, 5, [Tender("voucher", 150), Tender("card", 850)]),
        (100, 150, 5, [Tender("voucher", 100)]),
        (0, 0, 5, [Tender("card", 0)]),
        (0, 150, 5, [Tender("card", 0)]),
    ],
)
def test_tenders_add_up_to_the_total(total: int, coupons: int, seed: int, paid: list[Tender]) -> None:
    assert tenders(total, coupons, seed) == paid
    assert sum(t.amount for t in paid) == total


def test_shop_numbers_are_good_gtins_of_the_range_that_is_free_for_shops() -> None:
    codes = {in_store_gtin(product) for product in (25671, 18316298, 5978656)}
    assert len(codes) == 3
    assert all(is_gtin(code) and code.startswith("20") and len(code) == 13 for code in codes)


def test_the_median_is_a_price_somebody_paid() -> None:
    assert median([100, 199, 200, 300]) == 199
    assert median([5]) == 5


def test_cost_is_a_share_of_the_price_by_department() -> None:
    assert cost_of(200, "GROCERY", fuel=False) == 148
    assert cost_of(236, None, fuel=True) == 219
    assert cost_of(1, "PASTRY", fuel=False) == 0
    assert cost_of(100, "SOMETHING NEW", fuel=False) == 70


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SFT DRNK 2 LITER BTL CARB INCL", "Soft Drink 2 Liter Bottle Carbonated"),
        ("POTATO CHIPS", "Potato Chips"),
        ("CAN DOG FOOD (SKIPPY/PEDIGREE/", "Can Dog Food"),
        ("PICKLE/RELISH/PKLD VEG", "Pickle/Relish/Pickled Vegetable"),
        ("CHOCOLATE COVERED W/NUTS", "Chocolate Covered with Nuts"),
        ("HERBS PARSLEY", "Herbs Parsley"),
        ("DVD S", "DVD S"),
        ("", ""),
        (None, ""),
    ],
)
def test_abbreviations_are_spelled_out(text: str | None, name: str) -> None:
    assert humanise(text) == name


@pytest.mark.parametrize(
    ("text", "pack"),
    [
        ("14.5 OZ", "14.5 oz"),
        ("AB    8 OZ", "8 oz"),
        ("1 GA", "1 gal"),
        ("750ML", "750 ml"),
        ("12 OZ/6 CT", "12 oz/6 ct"),
        (None, ""),
        ("MINI", ""),
    ],
)
def test_pack_sizes_are_tidied(text: str | None, pack: str) -> None:
    assert size(text) == pack


def test_names_read_like_a_shelf_edge() -> None:
    name = product_name(
        product_type="POTATO CHIPS", category_text="BAG SNACKS", maker=brand(69, "Private"), pack="11.5 OZ"
    )
    assert name == "Harvest Lane Potato Chips, 11.5 oz"
    assert (
        product_name(product_type=None, category_text=None, maker="Norgate", pack=None)
        == "Norgate Grocery Item"
    )
    assert department("DRUG GM") == "Health & General Merchandise"
    assert "/" not in category("BAKED BREAD/BUNS/ROLLS")
    assert brand(5072, "National") == brand(5072, "National") != brand(5073, "National")


def test_every_store_has_its_own_code_name_and_clock() -> None:
    chain = stores(list(range(300, 300 + MOST_STORES)))
    assert [s.code for s in chain[:2]] == ["S01", "S02"]
    assert len({s.code for s in chain}) == len({s.name for s in chain}) == MOST_STORES
    assert len({ZoneInfo(s.time_zone).key for s in chain}) == 3
    with pytest.raises(ValueError, match="towns"):
        stores(list(range(MOST_STORES + 1)))
