"""Units of measure and exact conversions between them, as rational numbers.

Factors: international avoirdupois pound = 0.453 592 37 kg and yard = 0.9144 m (1959 agreement), US gallon = 231 cubic
inches, imperial gallon = 4.546 09 l (UK Weights and Measures Act 1985). All exact by definition.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from onhand.values.errors import BadValue, UnitMismatch
from onhand.values.quantity import MAX_UNITS, check_decimals


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: `factor` is how many of the dimension's base unit (each, g, ml, m, m2, s) one of it is."""

    code: str
    name: str
    dimension: str
    factor: Fraction

    def __post_init__(self) -> None:
        if self.factor <= 0:
            raise BadValue(
                "factor", f"The unit {self.code} has a factor of zero or below.", "Give one above zero."
            )


def _units(dimension: str, rows: Iterable[tuple[str, str, str]]) -> dict[str, Unit]:
    return {code: Unit(code, name, dimension, Fraction(factor)) for code, name, factor in rows}


_COUNT = [("each", "Each", "1"), ("pair", "Pair", "2"), ("dozen", "Dozen", "12"), ("gross", "Gross", "144")]
_MASS = [
    ("mg", "Milligram", "1/1000"), ("g", "Gram", "1"), ("kg", "Kilogram", "1000"), ("t", "Tonne", "1000000"),
    ("oz", "Ounce", "28.349523125"), ("lb", "Pound", "453.59237"),
]  # fmt: skip
_VOLUME = [
    ("ml", "Millilitre", "1"), ("cl", "Centilitre", "10"), ("dl", "Decilitre", "100"), ("l", "Litre", "1000"),
    ("hl", "Hectolitre", "100000"), ("m3", "Cubic metre", "1000000"),
    ("floz", "US fluid ounce", "29.5735295625"), ("pt", "US pint", "473.176473"), ("qt", "US quart", "946.352946"),
    ("gal", "US gallon", "3785.411784"), ("pt_imp", "Imperial pint", "568.26125"),
    ("gal_imp", "Imperial gallon", "4546.09"),
]  # fmt: skip
_LENGTH = [
    ("mm", "Millimetre", "1/1000"), ("cm", "Centimetre", "1/100"), ("m", "Metre", "1"), ("km", "Kilometre", "1000"),
    ("in", "Inch", "0.0254"), ("ft", "Foot", "0.3048"), ("yd", "Yard", "0.9144"),
]  # fmt: skip
_AREA = [
    ("cm2", "Square centimetre", "1/10000"),
    ("m2", "Square metre", "1"),
    ("ft2", "Square foot", "0.09290304"),
]
_TIME = [("s", "Second", "1"), ("min", "Minute", "60"), ("h", "Hour", "3600"), ("d", "Day", "86400")]

STANDARD_UNITS: dict[str, Unit] = {
    **_units("count", _COUNT), **_units("mass", _MASS), **_units("volume", _VOLUME),
    **_units("length", _LENGTH), **_units("area", _AREA), **_units("time", _TIME),
}  # fmt: skip
"""The units every database starts with, by code. Packages may add their own (a "crate24") of the same dimensions."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A conversion into whole counts: `units` counts, and the `remainder` (in the target unit) that did not fit."""

    units: int
    remainder: Fraction


def parse_fraction(text: str, field: str = "quantity") -> Fraction:
    """Reads "12", "1.5" or "1/3" exactly. Raises `BadValue` for anything else, also exponents and infinities."""
    stripped = text.strip()
    allowed = set("0123456789./+-")
    try:
        if not stripped or len(stripped) > 60 or not set(stripped) <= allowed:
            raise ValueError
        return Fraction(stripped)
    except (ValueError, ZeroDivisionError):
        raise BadValue(field, f"{text[:40]!r} is not a number.", 'Write "12", "1.5" or "1/3".') from None


def ratio(source: Unit, target: Unit) -> Fraction:
    """How many `target` make one `source`. Raises `UnitMismatch` across dimensions."""
    if source.dimension != target.dimension:
        raise UnitMismatch(
            "unit",
            f"{source.code} measures {source.dimension}, {target.code} measures {target.dimension}.",
            f"Use a unit of {target.dimension}.",
        )
    return source.factor / target.factor


def convert(amount: Fraction, source: Unit, target: Unit) -> Fraction:
    """`amount` of `source` expressed in `target`, exactly. Raises `UnitMismatch` across dimensions."""
    return amount * ratio(source, target)


def to_units(amount: Fraction, decimals: int) -> Converted:
    """Cuts an exact amount towards zero into counts of 10^-decimals and hands back what is left over.

    `Fraction(units, 10**decimals) + remainder == amount`, always; the remainder has the sign of the amount.
    """
    scale = 10 ** check_decimals(decimals)
    scaled = amount * scale
    units = abs(scaled.numerator) // scaled.denominator
    if units > MAX_UNITS:
        raise BadValue(
            "quantity", "The quantity is larger than any stock we can keep.", "Check it and its unit."
        )
    signed = units if scaled >= 0 else -units
    return Converted(signed, amount - Fraction(signed, scale))


def exact_units(amount: Fraction, decimals: int, *, unit: str, field: str = "quantity") -> int:
    """Like `to_units`, but refuses (`BadValue`) when anything would be left over. `unit` is named in the message."""
    converted = to_units(amount, decimals)
    if converted.remainder:
        raise BadValue(
            field,
            f"This does not come out even in {unit} with {decimals} decimals.",
            f"Give a quantity that is a whole number of {10**-decimals:.{decimals}f} {unit}."
            if decimals
            else f"Give a quantity that is a whole number of {unit}.",
        )
    return converted.units
