"""Values go there and back without losing anything, and refuse what they are not."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onhand.values import (
    CURRENCY_EXPONENTS,
    STANDARD_UNITS,
    BadValue,
    Gtin,
    Money,
    Quantity,
    UnitMismatch,
    check_digit,
    clean,
    convert,
    element_string,
    exact_units,
    expand_upc_e,
    format_cost,
    format_units,
    is_gtin,
    parse_code,
    parse_cost,
    parse_fraction,
    parse_gtin,
    parse_lot_code,
    parse_sku,
    parse_sscc,
    parse_units,
    read_scan,
    short_gtin,
    split,
    to_units,
)

UNITS = st.integers(-(2**62), 2**62)
DECIMALS = st.integers(0, 6)
UNIT = st.sampled_from(sorted(STANDARD_UNITS.values(), key=lambda unit: unit.code))


# -- quantities


@given(UNITS, DECIMALS)
def test_a_quantity_goes_to_text_and_back(units: int, decimals: int) -> None:
    text = format_units(units, decimals)
    assert parse_units(text, decimals) == units
    assert Fraction(text) == Quantity(units, decimals).amount
    assert str(Quantity.parse(text, decimals)) == text


@pytest.mark.parametrize(
    ("text", "decimals", "units"),
    [("1.250", 3, 1250), ("-3", 0, -3), ("+7", 0, 7), ("0.1", 1, 1), (" 12 ", 0, 12), ("1.5000", 1, 15), ("-0.5", 2, -50), ("-0", 0, 0)],
)  # fmt: skip
def test_quantities_read(text: str, decimals: int, units: int) -> None:
    assert parse_units(text, decimals) == units


@pytest.mark.parametrize(
    "text", ["", "1,5", "1e3", "NaN", "inf", "0x10", "1.", ".5", "١٢", "1 000", "--1", "9" * 30]
)
def test_quantities_refused(text: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_units(text, 3)
    assert caught.value.field == "quantity"
    assert caught.value.remedy


def test_a_quantity_finer_than_the_item_is_refused_not_rounded() -> None:
    with pytest.raises(BadValue, match="whole numbers only"):
        parse_units("1.5", 0)
    with pytest.raises(BadValue, match="at most 2 decimals"):
        parse_units("1.505", 2)
    with pytest.raises(BadValue, match="0 to 6"):
        parse_units("1", 7)


@given(st.text(max_size=40))
def test_any_text_is_a_quantity_or_a_clear_refusal(text: str) -> None:
    try:
        parse_units(text, 2)
    except BadValue as refusal:
        assert refusal.remedy  # noqa: PT017


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_shares_add_up_to_the_whole(total: int, weights: list[int]) -> None:
    if sum(weights) == 0:
        with pytest.raises(BadValue):
            split(total, weights)
        return
    parts = split(total, weights)
    assert sum(parts) == total
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))


# -- units


@given(st.fractions(), UNIT, UNIT)
def test_a_conversion_goes_there_and_back(amount: Fraction, source, target) -> None:  # type: ignore[no-untyped-def]
    if source.dimension != target.dimension:
        with pytest.raises(UnitMismatch):
            convert(amount, source, target)
        return
    assert convert(convert(amount, source, target), target, source) == amount


@given(st.fractions(min_value=-(10**9), max_value=10**9), DECIMALS)
def test_a_remainder_is_handed_back_never_lost(amount: Fraction, decimals: int) -> None:
    converted = to_units(amount, decimals)
    assert Fraction(converted.units, 10**decimals) + converted.remainder == amount
    assert abs(converted.remainder) < Fraction(1, 10**decimals)
    assert converted.remainder == 0 or (converted.remainder > 0) == (amount > 0)


def test_known_conversions() -> None:
    unit = STANDARD_UNITS
    assert convert(Fraction(1), unit["lb"], unit["oz"]) == 16
    assert convert(Fraction(1), unit["gal"], unit["qt"]) == 4
    assert convert(Fraction(1), unit["gal"], unit["floz"]) == 128
    assert convert(Fraction(1), unit["gal"], unit["pt"]) == 8
    assert convert(Fraction(1), unit["gal_imp"], unit["pt_imp"]) == 8
    assert convert(Fraction(1), unit["yd"], unit["in"]) == 36
    assert convert(Fraction("2.5"), unit["kg"], unit["g"]) == 2500
    assert exact_units(convert(Fraction(3), unit["dozen"], unit["each"]), 0, unit="each") == 36
    with pytest.raises(BadValue, match="does not come out even in kg"):
        exact_units(convert(Fraction(1), unit["oz"], unit["kg"]), 3, unit="kg")
    with pytest.raises(BadValue, match="whole number of each"):
        exact_units(Fraction(1, 2), 0, unit="each")


@pytest.mark.parametrize("text", ["", "1/0", "1e5", "abc", "٣", "1/2/3", "inf"])
def test_fractions_refused(text: str) -> None:
    with pytest.raises(BadValue):
        parse_fraction(text)


def test_fractions_read() -> None:
    assert parse_fraction("1/3") == Fraction(1, 3)
    assert parse_fraction("1.25") == Fraction(5, 4)


# -- money


@given(UNITS, st.sampled_from(sorted(CURRENCY_EXPONENTS)))
def test_money_goes_to_text_and_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    try:
        assert Money.parse(money.amount, currency) == money
    except BadValue:
        assert len(money.amount) > 18


def test_money_arithmetic_is_exact() -> None:
    assert Money.parse("12.34", "eur") == Money(1234, "EUR")
    assert Money(1234, "JPY").amount == "1234"
    assert Money(-1234, "BHD").amount == "-1.234"
    assert Money(1, "EUR").times(Fraction(5, 2)) == Money(2, "EUR")  # half to even
    assert [part.minor for part in Money(100, "EUR").split([1, 1, 1])] == [34, 33, 33]
    assert str(Money(5, "EUR") + Money(6, "EUR") - Money(1, "EUR")) == "0.10 EUR"
    assert -Money(1, "EUR") == Money(-1, "EUR")
    for amount, currency in (("1.234", "EUR"), ("1.5", "JPY"), ("1,50", "EUR"), ("1", "XXX"), ("", "EUR")):
        with pytest.raises(BadValue):
            Money.parse(amount, currency)
    with pytest.raises(BadValue, match="cannot be added"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(BadValue, match="capitals"):
        Money(1, "eur")


@given(st.decimals(0, 10**13, places=6))
def test_costs_go_there_and_back(cost: Decimal) -> None:
    assert parse_cost(format_cost(cost)) == cost


def test_costs_refused() -> None:
    for text in ("-1", "1.0000001", "x", "9" * 18):
        with pytest.raises(BadValue):
            parse_cost(text)
    assert format_cost(Decimal("2.5")) == "2.50"
    assert format_cost(Decimal("0.123456")) == "0.123456"


# -- GTINs and scans


@given(
    st.sampled_from([7, 11, 12, 13]).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n)),
    st.integers(1, 9),
)
def test_a_gtin_is_found_out_by_one_wrong_digit(payload: str, change: int) -> None:
    code = f"{payload}{check_digit(payload)}"
    assert is_gtin(code)
    assert Gtin.parse(code).code == code.zfill(14) == str(Gtin.parse(code))
    for place, digit in enumerate(code):
        wrong = f"{code[:place]}{(int(digit) + change) % 10}{code[place + 1 :]}"
        assert not is_gtin(wrong)
        with pytest.raises(BadValue, match="check digit is"):
            parse_gtin(wrong)


def test_gtins_as_people_know_them() -> None:
    assert parse_gtin("4006381333931") == "04006381333931"
    assert parse_gtin("0 36000 29145 2") == "00036000291452"
    assert short_gtin("04006381333931") == "4006381333931"
    assert short_gtin("00000096385074") == "96385074"
    assert Gtin.parse("14006381333938").short == "14006381333938"
    assert expand_upc_e("04252614") == "00042100005264"
    assert expand_upc_e("04252615") is None
    assert expand_upc_e("01234565") == "00012345000065"
    for text in ("", "123", "abcdefgh", "40063813339310000", "٤٠٠٦٣٨١٣٣٣٩٣١"):
        with pytest.raises(BadValue):
            parse_gtin(text)
    assert parse_sscc("106141412345678908") == "106141412345678908"
    with pytest.raises(BadValue):
        parse_sscc("106141412345678907")


def test_scans_understood() -> None:
    for text in (
        "]d2010950600013435217251231" + "10AB-1\x1d21S9",
        "(01)09506000134352(17)251231(10)AB-1(21)S9",
        "\x1d010950600013435217251231" + "10AB-1\x1d21S9",
        "https://id.gs1.org/01/09506000134352/10/AB-1/21/S9?17=251231",
    ):
        scan = read_scan(text)
        assert (scan.gtin, scan.lot_code, scan.serial_number) == ("09506000134352", "AB-1", "S9"), text
        assert scan.expiry == date(2025, 12, 31)
        assert scan.lookup[0] == "09506000134352"
    weighed = read_scan("]C1" + "01095060001343523103001250" + "3012")
    assert weighed.weight_kg == Decimal("1.250")
    assert weighed.count == 12
    assert read_scan("(02)09506000134352(37)24(00)106141412345678908").sscc == "106141412345678908"


def test_a_bare_gtin_wins_over_a_message_that_looks_alike() -> None:
    scan = read_scan("9506000134352")
    assert scan.gtin == "09506000134352"
    assert not scan.elements


def test_plain_codes_stay_plain() -> None:
    for code in ("TEA-100", "85123A", "15056", "(broken", "]d2junk", "http://example.org/x"):
        scan = read_scan(code)
        assert scan.gtin is None
        assert scan.lot_code is None
    assert read_scan(" TEA-100\r\n").lookup == ["TEA-100"]
    with pytest.raises(BadValue):
        read_scan("  ")


@given(st.text(max_size=60))
def test_any_scan_is_understood_or_refused(text: str) -> None:
    for given_text in (text, f"]d2{text}", f"({text}", f"01{text}", f"https://x/{text}"):
        try:
            assert read_scan(given_text).lookup
        except BadValue as refusal:
            assert refusal.field == "code"  # noqa: PT017


LOT = st.text("ABCDEFGHIJ0123456789-./", min_size=1, max_size=20)


@given(
    st.text("0123456789", min_size=13, max_size=13), LOT, LOT, st.dates(date(1990, 1, 1), date(2060, 12, 31))
)
def test_element_strings_go_there_and_back(payload: str, lot: str, serial: str, expiry: date) -> None:
    gtin = f"{payload}{check_digit(payload)}"
    scan = read_scan("]d2" + element_string(gtin=gtin, lot_code=lot, serial_number=serial, expiry=expiry))
    assert (scan.gtin, scan.lot_code, scan.serial_number, scan.expiry) == (gtin, lot, serial, expiry)


def test_element_strings_refused() -> None:
    with pytest.raises(BadValue):
        element_string(gtin="123")
    with pytest.raises(BadValue):
        element_string(gtin="09506000134352", lot_code="x" * 21)


# -- codes


def test_codes_are_composed_and_visible() -> None:
    assert parse_sku("Tea\u0301 1 ") == "Te\u00e1 1"
    assert parse_lot_code("L-2026/11") == "L-2026/11"
    for hidden in ("TEA\u202e1", "TEA\x001", "TEA\u200b", "TEA\n1", "a\u2066b", "a\ud800"):
        with pytest.raises(BadValue, match="invisible or control"):
            parse_sku(f"x{hidden}x")
    for text in ("", "   ", "x" * 65):
        with pytest.raises(BadValue, match="1 to 64"):
            parse_sku(text)
    with pytest.raises(BadValue, match="slash"):
        parse_code("A/1")


@given(st.text(max_size=80))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    try:
        once = clean(text, "sku", longest=64)
    except BadValue:
        return
    assert clean(once, "sku", longest=64) == once
