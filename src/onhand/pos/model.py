"""What a till says happened. Pure.

A sale is a fact: it is recorded even beyond stock, and a line whose code nobody knows is kept as unresolved, so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from onhand.kit.problem import InvalidBody, Problem
from onhand.values.errors import BadValue
from onhand.values.quantity import format_units, parse_units

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Amount = Annotated[str, msgspec.Meta(min_length=1, max_length=24)]
Note = Annotated[str, msgspec.Meta(max_length=500)]


class LineIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One line of a sale. One of `sku`, `barcode`, `variant_id` says what; quantity and amounts are decimal strings."""

    quantity: Amount
    total: Amount
    sku: Code | None = None
    barcode: Code | None = None
    variant_id: UUID | None = None
    unit_price: Amount | None = None
    net: Amount | None = None
    tax: Amount = "0"
    discount: Amount = "0"
    description: Note | None = None
    lot_code: Code | None = None
    serial_number: Code | None = None

    @property
    def code(self) -> str:
        """What the till named."""
        return self.sku or self.barcode or (str(self.variant_id) if self.variant_id else "")


class TenderIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How some of it was paid: cash, card, voucher or other."""

    kind: Annotated[str, msgspec.Meta(pattern="^(cash|card|voucher|other)$")]
    amount: Amount
    reference: Code | None = None


class SaleIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A sale as the till tells it; `register` is the register's code or id."""

    id: UUID
    register: Code
    happened_at: datetime
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    lines: Annotated[list[LineIn], msgspec.Meta(min_length=1, max_length=1000)]
    tenders: Annotated[list[TenderIn], msgspec.Meta(max_length=20)] = []
    customer_id: UUID | None = None
    number: Code | None = None


class UnknownRegister(Problem):
    """There is no register by this code. Create it under Locations → Registers first."""

    status = 422


class RefundExceedsSale(Problem):
    """More would come back than was sold. `returnable` says how much of the line is left."""

    status = 409


class SaleVoidedAlready(Problem):
    """This sale was voided; there is nothing left to refund or void."""

    status = 409


class SaleHasRefunds(Problem):
    """Part of this sale was refunded, so it can no longer be voided. Refund the rest instead."""

    status = 409


@dataclass(frozen=True, slots=True)
class Till:
    """A register as the intake knows it: where it sells from."""

    id: UUID
    code: str
    location: UUID
    site: UUID
    site_code: str


def check_codes(sale: SaleIn) -> None:
    """Raises InvalidBody for a line that names nothing."""
    for n, line in enumerate(sale.lines):
        if not line.code:
            raise InvalidBody(
                "A line names what was sold: sku, barcode or variant_id.", param=f"lines[{n}].sku"
            )


@dataclass(frozen=True, slots=True)
class NamedLot:
    """A lot or serial number a line named, as it stands: where it lies at the till's site (location, condition, on hand), how
    many units of it there are anywhere, and whether a hold covers it."""

    id: UUID
    kind: str
    held: bool
    anywhere: int
    places: tuple[tuple[UUID, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """Where a line's goods come from (or go back to): the lot (None: none), place and condition. `trouble` is the kind of
    exception to open: the goods went, but the book cannot follow what was named."""

    lot: UUID | None
    location: UUID
    condition: int = 0
    trouble: str | None = None


def take_from(named: NamedLot | None, quantity: int, *, till: UUID, tracking: str) -> Taken:
    """Of which lot and place a sold quantity (below 0: handed back) is, given what the line named.

    A sale is a fact: what cannot be right is recorded under no lot, with an exception that says so.
    """
    if named is None:
        return Taken(None, till, trouble="serial_unknown" if tracking == "serial" else None)
    if quantity < 0:
        used = named.kind == "serial" and named.anywhere > 0
        return Taken(None if used else named.id, till, trouble="serial_already_used" if used else None)
    here = sorted(
        (p for p in named.places if p[2] >= quantity), key=lambda p: (p[1], p[0] != till, -p[2], p[0].bytes)
    )
    if here:
        location, condition, _ = here[0]
        return Taken(named.id, location, condition, "held_stock_sold" if condition or named.held else None)
    if named.kind == "serial":
        return Taken(None, till, trouble="serial_already_used")
    return Taken(None, till, trouble="held_stock_sold" if named.held else None)


def minor_units(text: str, exponent: int) -> int:
    """A decimal string as integer minor units. Raises BadValue."""
    whole, dot, part = text.partition(".")
    digits = whole[1:] if whole[:1] in ("-", "+") else whole
    if not (digits.isascii() and digits.isdecimal() and (not dot or (part.isascii() and part.isdecimal()))):
        raise BadValue(
            "amount", f"{text[:30]!r} is not an amount.", 'Write digits with a point, such as "12.50".'
        )
    if len(part) > exponent:
        if part[exponent:].strip("0"):
            raise BadValue(
                "amount", f"{text} has more than {exponent} decimals.", "Round it to the currency."
            )
        part = part[:exponent]
    value = int(digits + part.ljust(exponent, "0"))
    return -value if whole[:1] == "-" else value


@dataclass(frozen=True, slots=True)
class SoldRow:
    """A line of a sale as it stands: what was sold and what came back, in smallest units."""

    line: int
    variant: UUID | None
    sku: str
    quantity: int
    refunded: int
    decimals: int
    tax: int = 0
    total: int = 0

    def tax_in(self, amount: int) -> int:
        """The tax in an amount given back for this line: its own share of the line's tax, in minor units, half up."""
        if self.total == 0:
            return 0
        return (2 * amount * abs(self.tax) + abs(self.total)) // (2 * abs(self.total))


def match_refund(
    lines: Mapping[int, SoldRow], wanted: Sequence[tuple[int, str]]
) -> list[tuple[SoldRow, int]]:
    """The lines that come back with their quantities in smallest units; never more than was sold.

    Raises InvalidBody for a line the sale does not have, RefundExceedsSale for too much.
    """
    taken: dict[int, int] = {}
    out = []
    for index, (number, text) in enumerate(wanted):
        row = lines.get(number)
        if row is None or row.variant is None:
            raise InvalidBody("The sale has no such line with goods.", param=f"lines[{index}].line")
        try:
            quantity = parse_units(text, row.decimals)
        except BadValue as error:
            raise InvalidBody(str(error), param=f"lines[{index}].quantity") from error
        if quantity <= 0:
            raise InvalidBody("A refund takes back more than 0.", param=f"lines[{index}].quantity")
        left = row.quantity - row.refunded - taken.get(number, 0)
        if quantity > left:
            raise RefundExceedsSale(
                f"Line {number} ({row.sku}): {format_units(max(left, 0), row.decimals)} can still come back.",
                param=f"lines[{index}].quantity",
                returnable=format_units(max(left, 0), row.decimals),
            )
        taken[number] = taken.get(number, 0) + quantity
        out.append((row, quantity))
    return out
