"""Words and typos, barcodes, options: the pure part of the catalogue."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onhand.catalog import OptionsNotPossible, Product, TrackingNotPossible, Variant, parse_barcode
from onhand.catalog.actions.products import NewProduct, build_product
from onhand.catalog.actions.variants import NewVariant, build_variant
from onhand.catalog.imports import barcode_codes
from onhand.catalog.model import (
    Axis,
    check_attributes,
    check_options,
    index_words,
    lookups,
    missing_options,
    parse_axes,
    plain,
    sku_part,
    variant_name,
)
from onhand.catalog.words import cuts_of, near, one_typo_apart, words_of
from onhand.values import BadValue, Money

WORD = st.text("abcdefgh", min_size=1, max_size=8)


def distance(left: str, right: str) -> int:
    """Damerau-Levenshtein (optimal string alignment), by the book."""
    rows = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(right) + 1)] for i in range(len(left) + 1)]
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            cost = left[i - 1] != right[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
            if i > 1 and j > 1 and left[i - 1] == right[j - 2] and left[i - 2] == right[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(WORD, WORD)
def test_one_typo_is_a_distance_of_one(left: str, right: str) -> None:
    assert one_typo_apart(left, right) == (distance(left, right) <= 1)


@given(WORD, st.integers(0, 3), st.integers(0, 7), st.sampled_from("abcdefgh"))
def test_a_typo_always_shares_a_cut(word: str, kind: int, place: int, letter: str) -> None:
    at = place % len(word)
    typo = [
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    ][kind]
    assert cuts_of(word) & cuts_of(typo)
    assert near(typo, [word, "zzzzzzzz"]) == [word]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Crème brûlée, 2x100 g", ["creme", "brulee", "2x100", "g"]),
        ("GROẞE Straße", ["grosse", "strasse"]),
        ("Tea/Coffee_mix (500ml)", ["tea", "coffee", "mix", "500ml"]),
        ("  ", []),
        ("お茶 緑茶", ["お茶", "緑茶"]),
        ("tea tea TEA", ["tea"]),
    ],
)
def test_texts_become_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text(max_size=200))
def test_words_are_safe_to_ask_for(text: str) -> None:
    for word in words_of(text):
        assert word
        assert "'" not in word
        assert "\\" not in word
        assert not any(char.isspace() or char in "&|!():*" for char in word)


def test_barcodes_know_their_kind_and_level() -> None:
    case = parse_barcode("1400 6381333938".replace(" ", ""), kind=None, quantity="24", level=None, decimals=0)
    assert (case.code, case.kind, case.units, case.level) == ("14006381333938", "gtin", 24, "case")
    each = parse_barcode("4006381333931", kind="gtin", quantity=None, level=None, decimals=3)
    assert (each.code, each.units, each.level) == ("04006381333931", 1000, "each")
    own = parse_barcode("SHELF-7", kind=None, quantity=None, level="pallet", decimals=0)
    assert (own.kind, own.level) == ("other", "pallet")
    assert parse_barcode("4006381333932", kind=None, quantity=None, level=None, decimals=0).kind == "other"
    for bad in (
        {"code": "4006381333932", "kind": "gtin"}, {"code": "", "kind": None}, {"code": "1", "kind": "ean"},
        {"code": "1", "kind": None, "level": "box"}, {"code": "1", "kind": None, "quantity": "0"},
    ):  # fmt: skip
        with pytest.raises(BadValue):
            parse_barcode(**({"quantity": None, "level": None, "decimals": 0} | bad))  # type: ignore[arg-type]


def test_a_scanned_gtin_is_looked_for_in_every_length() -> None:
    assert lookups("036000291452") == ("00036000291452", "036000291452")
    assert lookups("TEA-1") == ("TEA-1",)
    assert lookups("00036000291452") == ("00036000291452",)


def test_option_axes_make_the_missing_variants() -> None:
    axes = parse_axes([("size", ["S", "M"]), ("colour", ["red", "blue"])])
    missing = missing_options(axes, [{"size": "S", "colour": "red"}, {}])
    assert missing == [
        {"size": "S", "colour": "blue"}, {"size": "M", "colour": "red"}, {"size": "M", "colour": "blue"},
    ]  # fmt: skip
    assert missing_options((), []) == []
    assert variant_name("Tee", {"size": "M", "colour": "red"}) == "Tee M / red"
    assert sku_part("Dark Red!") == "DARK-RED"
    assert check_options({"colour": "red", "size": "S"}, axes) == {"size": "S", "colour": "red"}
    for options in ({"size": "S"}, {"size": "XL", "colour": "red"}, {"weight": "1"}):
        with pytest.raises(OptionsNotPossible):
            check_options(options, axes)
    impossible: list[list[tuple[str, list[str]]]] = [
        [("size", [])],
        [("a", ["1"]), ("a", ["2"])],
        [("a", [str(n) for n in range(600)])],
        [(str(n), ["1"]) for n in range(6)],
    ]
    for bad in impossible:
        with pytest.raises((OptionsNotPossible, BadValue)):
            parse_axes(bad)


def test_attributes_are_typed_and_plain() -> None:
    assert check_attributes({"organic": True, "tags": ["a", "b"], "g": 3}) == {
        "organic": True,
        "tags": ["a", "b"],
        "g": 3,
    }
    for value in (1.5, {"a": 1}, [[1]], "x" * 3000, 2**70):
        with pytest.raises(BadValue):
            check_attributes({"a": value})
    with pytest.raises(BadValue):
        check_attributes({str(n): 1 for n in range(101)})


def test_variants_are_built_and_checked() -> None:
    product = build_product(NewProduct(name="Tea", options=[("size", ["S"])], tracking="serial"), uuid4())
    made = build_variant(
        NewVariant(sku="T-S", options={"size": "S"}, list_price=Money(349, "EUR")), uuid4(), product
    )
    assert (made.name, made.list_price_minor, made.unit, made.decimals) == ("Tea S", 349, "each", 0)
    with pytest.raises(TrackingNotPossible):
        build_variant(NewVariant(sku="T", decimals=3), uuid4(), product)
    wrong: list[dict[str, Any]] = [
        {"dimensions_mm": [1, 2]},
        {"weight_g": Decimal(-1)},
        {"cost": Decimal(1)},
        {"sku": " "},
    ]
    for new in wrong:
        with pytest.raises(BadValue):
            build_variant(NewVariant(**({"sku": "T"} | new)), uuid4(), product)


def test_words_of_a_variant_leave_codes_out_of_the_vocabulary() -> None:
    variant = Variant(id=uuid4(), product_id=uuid4(), sku="TEA-100", name="Earl Grey", options={"size": "Large"},
                      attributes={"origin": "Assam", "n": 3})  # fmt: skip
    words, spoken = index_words(variant, "Grey", "Black tea")
    assert words == ["earl", "grey", "black", "tea", "large", "assam", "100"]
    assert spoken == ["earl", "grey", "black", "large", "assam"]


def test_what_the_audit_log_keeps_is_plain() -> None:
    kept = plain(Product(id=uuid4(), name="Tea", options=(Axis("size", ("S",)),)))
    assert kept["options"] == [{"name": "size", "values": ["S"]}]
    assert isinstance(kept["id"], str)


def test_cells_of_barcodes() -> None:
    assert barcode_codes("4006381333931; 14006381333938*24 |x,") == [
        ("4006381333931", None), ("14006381333938", "24"), ("x", None),
    ]  # fmt: skip
