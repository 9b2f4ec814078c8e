"""Money as integer minor units with its ISO 4217 currency, and unit costs as exact decimals. No floats."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from onhand.values.errors import BadValue
from onhand.values.quantity import MAX_UNITS, split

_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
)
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
CURRENCY_EXPONENTS: dict[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    **dict.fromkeys(_FOUR.split(), 4),
}
"""Digits after the point of each currency in use (ISO 4217, list one)."""

_AMOUNT = re.compile(r"([+-]?)([0-9]{1,18})(?:\.([0-9]{1,18}))?", re.ASCII)


def check_currency(code: str, field: str = "currency") -> str:
    """The ISO 4217 code in capitals. Raises `BadValue` for one that is not in use."""
    upper = code.strip().upper()
    if upper not in CURRENCY_EXPONENTS:
        raise BadValue(
            field, f"{code[:10]!r} is not a currency in use.", 'Give the ISO 4217 code, such as "EUR".'
        )
    return upper


def _digits(text: str, places: int, field: str) -> int:
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise BadValue(
            field, f"{text[:40]!r} is not an amount.", 'Write digits with a point, such as "12.50".'
        )
    part = (found.group(3) or "").rstrip("0")
    if len(part) > places:
        raise BadValue(
            field, f"{text[:40]} has more than {places} decimals.", "Round it to what the currency knows."
        )
    scale: int = 10**places
    value = int(found.group(2)) * scale + (int(part.ljust(places, "0")) if part else 0)
    return -value if found.group(1) == "-" else value


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: `minor` counts the currency's smallest unit (cents for EUR, yen for JPY)."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in CURRENCY_EXPONENTS:
            check_currency(self.currency)
            raise BadValue(
                "currency", f"{self.currency!r} is not in capitals.", "Write the code in capitals."
            )
        if abs(self.minor) > MAX_UNITS:
            raise BadValue("amount", "The amount is larger than we can keep.", "Check the number.")

    @classmethod
    def parse(cls, amount: str, currency: str, field: str = "amount") -> "Money":
        """Reads "12.50" with its currency code. Raises `BadValue` when it has more decimals than the currency knows."""
        code = check_currency(currency)
        return cls(_digits(amount, CURRENCY_EXPONENTS[code], field), code)

    @property
    def amount(self) -> str:
        """The decimal text, with as many digits after the point as the currency has."""
        exponent = CURRENCY_EXPONENTS[self.currency]
        if exponent == 0:
            return str(self.minor)
        whole, part = divmod(abs(self.minor), 10**exponent)
        return f"{'-' if self.minor < 0 else ''}{whole}.{part:0{exponent}d}"

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def times(self, factor: Fraction | int) -> "Money":
        """Multiplied exactly, then rounded half to even, away from binary fractions."""
        return Money(round(self.minor * Fraction(factor)), self.currency)

    def split(self, weights: list[int]) -> "list[Money]":
        """Shares that add up to exactly this amount (largest remainder)."""
        return [Money(part, self.currency) for part in split(self.minor, weights)]

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise BadValue(
                "currency",
                f"{other.currency} cannot be added to {self.currency}.",
                "Convert one of them first.",
            )
        return other


COST_DECIMALS = 6


def parse_cost(text: str, field: str = "cost") -> Decimal:
    """Reads a unit cost: zero or above, at most 14 digits before and 6 after the point (numeric(20,6))."""
    value = _digits(text, COST_DECIMALS, field)
    if value < 0:
        raise BadValue(field, f"{text[:40]} is below zero.", "Give a cost of zero or above.")
    if value >= 10**20:
        raise BadValue(field, f"{text[:40]} is larger than we can keep.", "Check the number.")
    return Decimal(value).scaleb(-COST_DECIMALS)


def format_cost(cost: Decimal) -> str:
    """The decimal text of a unit cost without needless zeros, but never fewer than two decimals."""
    text = f"{cost:.{COST_DECIMALS}f}"
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"
