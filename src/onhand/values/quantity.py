"""Quantities: an integer count of a variant's smallest unit, and its decimal text. Exact both ways, no floats."""

import re
from dataclasses import dataclass
from fractions import Fraction

from onhand.values.errors import BadValue

MAX_DECIMALS = 6
MAX_UNITS = 2**62
"""Largest count stored: two of them still add up inside a PostgreSQL bigint."""

_DECIMAL = re.compile(r"([+-]?)([0-9]{1,24})(?:\.([0-9]{1,24}))?", re.ASCII)
_SCALES: tuple[int, ...] = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)


def check_decimals(decimals: int) -> int:
    """The number of decimals a variant's quantities carry, 0 to 6; anything else raises `BadValue`."""
    if isinstance(decimals, bool) or not 0 <= decimals <= MAX_DECIMALS:
        raise BadValue(
            "decimals", f"{decimals} decimals are not possible.", "Give a whole number from 0 to 6."
        )
    return decimals


def parse_units(text: str, decimals: int, field: str = "quantity") -> int:
    """Reads a decimal text ("1.250") as whole counts of 10^-decimals of the unit (decimals 3: 1250).

    Raises `BadValue` when the text is no plain decimal number, is finer than `decimals` allow, or is too large.
    Trailing zeros beyond `decimals` are accepted: nothing is lost by dropping them.
    """
    check_decimals(decimals)
    found = _DECIMAL.fullmatch(text.strip())
    if found is None:
        raise BadValue(
            field, f"{text[:40]!r} is not a number.", 'Write digits with a point, such as "12" or "1.5".'
        )
    sign, whole, part = found.group(1), found.group(2), (found.group(3) or "").rstrip("0")
    if len(part) > decimals:
        allowed = "whole numbers only" if decimals == 0 else f"at most {decimals} decimals"
        raise BadValue(
            field,
            f"{text[:40]} is finer than this item is counted ({allowed}).",
            "Round it, or use a smaller unit.",
        )
    units = int(whole) * _SCALES[decimals] + (int(part.ljust(decimals, "0")) if decimals and part else 0)
    if units > MAX_UNITS:
        raise BadValue(
            field, f"{text[:40]} is larger than any stock we can keep.", "Check the number and its unit."
        )
    return -units if sign == "-" else units


def format_units(units: int, decimals: int) -> str:
    """The decimal text of a count, always with exactly `decimals` digits after the point: equal texts, equal numbers."""
    if decimals == 0:
        return str(units)
    whole, part = divmod(abs(units), _SCALES[decimals])
    return f"{'-' if units < 0 else ''}{whole}.{part:0{decimals}d}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity of one variant: `units` counts 10^-`decimals` of the variant's unit."""

    units: int
    decimals: int = 0

    def __post_init__(self) -> None:
        check_decimals(self.decimals)
        if abs(self.units) > MAX_UNITS:
            raise BadValue(
                "quantity", "The quantity is larger than any stock we can keep.", "Check it and its unit."
            )

    @classmethod
    def parse(cls, text: str, decimals: int) -> "Quantity":
        """Reads a decimal text; see `parse_units` for what is refused."""
        return cls(parse_units(text, decimals), decimals)

    def __str__(self) -> str:
        return format_units(self.units, self.decimals)

    @property
    def amount(self) -> Fraction:
        """The exact value in the variant's unit."""
        return Fraction(self.units, _SCALES[self.decimals])


def split(total: int, weights: list[int]) -> list[int]:
    """Shares `total` by non-negative `weights` so that the parts add up to exactly `total` (largest remainder).

    Ties go to the earlier part. Raises `BadValue` when there is nothing to share by.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise BadValue(
            "weights", "Nothing to share by: the weights add up to zero.", "Give at least one weight above 0."
        )
    sign, amount = (-1, -total) if total < 0 else (1, total)
    parts = [amount * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for i in order[: amount - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]
