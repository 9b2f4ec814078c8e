"""Record what a till says happened: the posting, the document rows and the event of a sale, ready for the lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any
from uuid import UUID

import msgspec

from onhand.catalog import Resolved
from onhand.kit.ids import NIL, derive_id, quick
from onhand.kit.problem import InvalidBody
from onhand.ledger import Item, Kind, Mode, Move, Posting, digest_of, event_row
from onhand.pos.events import SaleCompleted, SoldLine
from onhand.pos.model import LineIn, NamedLot, SaleIn, Taken, Till, minor_units, take_from
from onhand.values.errors import BadValue
from onhand.values.money import CURRENCY_EXPONENTS
from onhand.values.quantity import format_units, parse_units

Named = Mapping[tuple[UUID, str], NamedLot]
"""The lots and serial numbers that lines name, by variant and code."""
NOTHING: Named = {}
SALE, SALE_LINE, TENDER, EXCEPTION = "sale", "sale_line", "tender", "pos_exception"


def sale_item(
    sale: SaleIn,
    till: Till,
    known: Mapping[str, Resolved],
    *,
    actor: UUID,
    customer_place: UUID,
    named: Named = NOTHING,
) -> tuple[Item, list[int]]:
    """The posting with its document rows and event, and the numbers of unresolved lines. `named`: the lots that lines name.

    Raises InvalidBody naming the field that is not understood.
    """
    exponent = CURRENCY_EXPONENTS.get(sale.currency)
    if exponent is None:
        raise InvalidBody(f"{sale.currency} is not a currency in use.", param="currency")
    if sale.happened_at.tzinfo is None:
        raise InvalidBody("happened_at needs an offset, such as 2026-11-21T08:30:00Z.", param="happened_at")
    basket = _Basket(sale, till, exponent, quick(sale.id), actor, customer_place, named)
    for n, line in enumerate(sale.lines, 1):
        basket.add(n, line, known.get(line.code))
    return basket.item(), basket.unresolved


class _Basket(msgspec.Struct):
    """A sale while its lines are read: moves, document rows and sums."""

    sale: SaleIn
    till: Till
    exponent: int
    id: UUID
    actor: UUID
    customer_place: UUID
    named: Named
    moves: list[Move] = msgspec.field(default_factory=list)
    lines: list[tuple[Any, ...]] = msgspec.field(default_factory=list)
    exceptions: list[tuple[Any, ...]] = msgspec.field(default_factory=list)
    sold: list[SoldLine] = msgspec.field(default_factory=list)
    unresolved: list[int] = msgspec.field(default_factory=list)
    units: int = 0
    net: int = 0
    tax: int = 0
    discount: int = 0
    total: int = 0

    def add(self, n: int, line: LineIn, what: Resolved | None) -> None:
        """One line: what it moves, its row, and what the event says of it."""
        exponent = self.exponent
        total = _minor(line.total, exponent, n, "total")
        tax = _minor(line.tax, exponent, n, "tax")
        discount = _minor(line.discount, exponent, n, "discount")
        net = total - tax if line.net is None else _minor(line.net, exponent, n, "net")
        if what is None:
            _check_number(line.quantity, n)
            self.unresolved.append(n)
            self.exceptions.append(_unresolved_row(self.sale, self.till, n, line, self.actor))
            variant, sku, name, quantity, shown = None, line.code, line.description or "", 0, line.quantity
        else:
            quantity = _smallest(line, what, n)
            variant, sku, name = what.variant_id, what.sku, what.name
            shown = format_units(quantity, what.decimals)
            if line.lot_code is None and line.serial_number is None:
                self._move(what, quantity)
            else:
                self._move_named(n, line, what, quantity)
        self.lines.append(
            (
                self.id, n, variant, quantity, net, tax, discount, total, _unit_price(line, n), sku, line.quantity,
                line.description, line.lot_code, line.serial_number,
            )
        )  # fmt: skip
        self.sold.append(
            SoldLine(
                variant_id=variant, sku=sku, name=name, quantity=shown, total=format_units(total, exponent)
            )
        )
        self.net += net
        self.tax += tax
        self.discount += discount
        self.total += total

    def _move(self, what: Resolved, quantity: int) -> None:
        if quantity > 0:
            self.moves.append(Move(what.variant_id, self.till.location, self.customer_place, quantity))
        elif quantity < 0:  # handed back within the same basket
            self.moves.append(Move(what.variant_id, self.customer_place, self.till.location, -quantity))
        self.units += quantity if what.decimals == 0 else (quantity > 0) - (quantity < 0)

    def _move_named(self, n: int, line: LineIn, what: Resolved, quantity: int) -> None:
        """A line that names a lot or serial number: of that, where it lies; what cannot be right opens an exception."""
        code = line.serial_number or line.lot_code or ""
        taken = take_from(
            self.named.get((what.variant_id, code)), quantity, till=self.till.location, tracking=what.tracking
        )
        if quantity:
            away, lot = quantity > 0, taken.lot or NIL
            self.moves.append(
                Move(
                    what.variant_id, taken.location if away else self.customer_place,
                    self.customer_place if away else taken.location, abs(quantity), lot=quick(lot),
                    from_condition=taken.condition if away else 0,
                )
            )  # fmt: skip
            self.units += quantity if what.decimals == 0 else (quantity > 0) - (quantity < 0)
        if taken.trouble is not None:
            self.exceptions.append(
                _trouble_row(self.sale, self.till, n, code, what, quantity, taken, self.actor)
            )

    def item(self) -> Item:
        """The posting with its rows and its event."""
        sale, till = self.sale, self.till
        head = (
            self.id, till.id, till.location, till.site, sale.happened_at, self.actor, sale.customer_id, None, self.net,
            self.tax, self.discount, self.total, self.units, len(sale.lines), sale.currency, sale.number, "completed",
        )  # fmt: skip
        tenders = [
            (self.id, n, _minor(t.amount, self.exponent, n, "amount", "tenders"), t.kind, t.reference)
            for n, t in enumerate(sale.tenders, 1)
        ]
        event = SaleCompleted(
            sale_id=self.id, number=sale.number, register=till.code, site_id=till.site, site_code=till.site_code,
            happened_at=sale.happened_at, total=format_units(self.total, self.exponent), currency=sale.currency,
            units=self.units, lines=tuple(self.sold),
        )  # fmt: skip
        posting = Posting(
            id=self.id, kind=Kind.sell.value, source_type="sale", source_id=self.id, actor=self.actor,
            happened_at=sale.happened_at, moves=tuple(self.moves), digest=digest_of(sale), mode=Mode.fact, device=till.id,
            caller=self.actor,
        )  # fmt: skip
        riders: dict[str, Sequence[tuple[Any, ...]]] = {SALE: [head], SALE_LINE: self.lines}
        if tenders:
            riders[TENDER] = tenders
        if self.exceptions:
            riders[EXCEPTION] = self.exceptions
        return Item(posting, riders, [event_row(event, sale.happened_at)])


def _minor(text: str, exponent: int, n: int, field: str, of: str = "lines") -> int:
    if text == "0":
        return 0
    try:
        return minor_units(text, exponent)
    except BadValue as error:
        raise InvalidBody(str(error), param=f"{of}[{n - 1}].{field}") from error


def _smallest(line: LineIn, what: Resolved, n: int) -> int:
    """The told quantity in smallest units: in the variant's unit, or as many scans of a barcode that stands for several."""
    try:
        if line.barcode is None:
            return parse_units(line.quantity, what.decimals)
        scans = Fraction(line.quantity) * what.quantity_factor
    except (BadValue, ValueError, ZeroDivisionError) as error:
        raise InvalidBody(str(error), param=f"lines[{n - 1}].quantity") from error
    if scans.denominator != 1 or "/" in line.quantity:
        raise InvalidBody(
            f"{line.quantity} of {what.sku} is finer than its unit.", param=f"lines[{n - 1}].quantity"
        )
    return scans.numerator


def _check_number(text: str, n: int) -> None:
    try:
        if not Decimal(text).is_finite():
            raise InvalidOperation
    except InvalidOperation as error:
        raise InvalidBody(f"{text[:30]!r} is not a quantity.", param=f"lines[{n - 1}].quantity") from error


def _unit_price(line: LineIn, n: int) -> Decimal:
    text = line.unit_price
    try:
        if text is not None:
            price = Decimal(text)
            if not price.is_finite() or abs(price) >= 10**14:
                raise InvalidOperation
            return round(price, 6)
        quantity = Decimal(line.quantity)
        return round(Decimal(line.total) / quantity, 6) if quantity else Decimal(0)
    except InvalidOperation as error:
        raise InvalidBody(f"{text} is not a price.", param=f"lines[{n - 1}].unit_price") from error


def _trouble_row(
    sale: SaleIn, till: Till, n: int, code: str, what: Resolved, quantity: int, taken: Taken, actor: UUID
) -> tuple[Any, ...]:
    detail = {"code": code, "line": n, "register": till.code, "condition": taken.condition}
    if taken.lot is not None:
        detail["lot_id"] = str(taken.lot)
    kind = taken.trouble or ""
    return (
        derive_id(kind, str(sale.id), str(n)), kind, till.site, what.variant_id, abs(quantity), sale.id, "sale", sale.id,
        actor, detail,
    )  # fmt: skip


def _unresolved_row(sale: SaleIn, till: Till, n: int, line: LineIn, actor: UUID) -> tuple[Any, ...]:
    detail = {
        "code": line.code,
        "quantity": line.quantity,
        "total": line.total,
        "line": n,
        "register": till.code,
    }
    if line.description:
        detail["description"] = line.description
    return (
        derive_id("unresolved", str(sale.id), str(n)), "unresolved_item", till.site, None, None, sale.id, "sale", sale.id,
        actor, detail,
    )  # fmt: skip
