"""Refund goods of a sale, void a sale, open a register."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from onhand import ledger, locations
from onhand.kit.ids import NIL
from onhand.kit.problem import InvalidBody, NotFound
from onhand.kit.tx import Tx
from onhand.pos import reads, store
from onhand.pos.events import RegisterChanged, SaleRefunded, SaleVoided
from onhand.pos.model import (
    SaleHasRefunds,
    SaleVoidedAlready,
    SoldRow,
    UnknownRegister,
    match_refund,
    minor_units,
)
from onhand.values.errors import BadValue
from onhand.values.money import CURRENCY_EXPONENTS
from onhand.values.quantity import format_units


@dataclass(frozen=True, slots=True)
class RefundLine:
    """A line of the sale that comes back: how much (decimal string), the money given back, and in which condition."""

    line: int
    quantity: str
    amount: str
    condition: ledger.Condition = ledger.Condition.available


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A refund against a sale."""

    id: UUID
    sale_id: UUID
    register: str
    happened_at: datetime
    lines: Sequence[RefundLine]
    tenders: Sequence[tuple[str, str, str | None]]


async def refund(tx: Tx, order: RefundOrder) -> dict[str, Any]:
    """Take goods back against a sale: lock the sale → never more than was sold → stock back → money document → event.

    Raises NotFound, UnknownRegister, SaleVoidedAlready, RefundExceedsSale, InvalidBody.
    """
    sold = await store.lock_sale(tx.conn, order.sale_id)
    if sold is None or sold.refund_of is not None:
        raise NotFound("There is no sale by this id.", param="sale_id")
    if sold.state == "voided":
        raise SaleVoidedAlready()
    till = await reads.find_till(tx.conn, order.register)
    if till is None:
        raise UnknownRegister(param="register")
    lines = await store.lines_of(tx.conn, order.sale_id)
    matched = match_refund(lines, [(line.line, line.quantity) for line in order.lines])
    customer = locations.virtual_id("customer")
    went = lots_that_went(await ledger.recorded(tx.conn, order.sale_id), lines.values())
    moves = tuple(
        ledger.Move(row.variant, customer, till.location, part, lot=lot, to_condition=int(want.condition))
        for (row, quantity), want in zip(matched, order.lines, strict=True)
        if row.variant is not None
        for lot, part in came_back(went, row.variant, quantity)
    )
    posting = ledger.Posting(
        id=order.id, kind=ledger.Kind.return_.value, source_type="refund", source_id=order.id, actor=tx.actor.id,
        happened_at=order.happened_at, moves=moves, mode=ledger.Mode.fact, device=till.id, caller=tx.actor.id,
        digest=ledger.digest_of(order.sale_id, [(w.line, w.quantity, w.amount) for w in order.lines]),
    )  # fmt: skip
    await ledger.post(tx, [posting])
    for row, quantity in matched:
        await store.count_refunded(tx.conn, order.sale_id, row.line, quantity)
    total, units = await _write_refund(tx, order, till.id, till.location, till.site, sold.currency, matched)
    left = sum(r.quantity - r.refunded for r in lines.values() if r.quantity > 0) - sum(q for _, q in matched)
    await store.set_state(tx.conn, order.sale_id, "refunded" if left <= 0 else "partly_refunded")
    tx.record(
        "sale",
        order.sale_id,
        {"state": sold.state},
        {"state": "refunded" if left <= 0 else "partly_refunded"},
    )
    exponent = CURRENCY_EXPONENTS[sold.currency]
    tx.emit(
        SaleRefunded(
            refund_id=order.id, sale_id=order.sale_id, register=till.code, site_id=till.site, site_code=till.site_code,
            happened_at=order.happened_at, total=format_units(total, exponent), currency=sold.currency, units=units,
        )
    )  # fmt: skip
    found = await reads.get_sale(tx.conn, order.id)
    assert found is not None
    return found


def lots_that_went(
    sold: ledger.Recorded | None, lines: Iterable[SoldRow]
) -> dict[UUID, list[tuple[UUID, int]]]:
    """Per variant the lots a sale took, in its order, without what came back of it before. Pure."""
    back: dict[UUID, int] = {}
    for row in lines:
        if row.variant is not None:
            back[row.variant] = back.get(row.variant, 0) + row.refunded
    went: dict[UUID, list[tuple[UUID, int]]] = {}
    for move in sold.moves if sold is not None else ():
        if move.lot == NIL or move.to_location != locations.virtual_id("customer"):
            continue
        before = min(back.get(move.variant, 0), move.quantity)
        back[move.variant] = back.get(move.variant, 0) - before
        if move.quantity > before:
            went.setdefault(move.variant, []).append((move.lot, move.quantity - before))
    return went


def came_back(
    went: dict[UUID, list[tuple[UUID, int]]], variant: UUID, quantity: int
) -> list[tuple[UUID, int]]:
    """The lots a returned quantity is of; what the sale named no lot for is of none. Uses up `went`. Pure."""
    out: list[tuple[UUID, int]] = []
    pool = went.get(variant, [])
    while quantity and pool:
        lot, left = pool.pop(0)
        part = min(left, quantity)
        out.append((lot, part))
        quantity -= part
        if left > part:
            pool.insert(0, (lot, left - part))
    return [*out, (NIL, quantity)] if quantity else out


async def _write_refund(
    tx: Tx, order: RefundOrder, register: UUID, location: UUID, site: UUID, currency: str,
    matched: Sequence[tuple[SoldRow, int]],
) -> tuple[int, int]:  # fmt: skip
    exponent = CURRENCY_EXPONENTS[currency]
    line_rows, total, taxes, units = [], 0, 0, 0
    for n, ((row, quantity), want) in enumerate(zip(matched, order.lines, strict=True), 1):
        amount = _amount(want.amount, exponent, f"lines[{n - 1}].amount")
        tax = row.tax_in(amount)
        total, taxes = total + amount, taxes + tax
        units += quantity if row.decimals == 0 else 1
        line_rows.append(
            {
                "sale": order.id, "line": n, "variant": row.variant, "quantity": -quantity, "net": tax - amount, "tax": -tax,
                "discount": 0, "total": -amount, "unit_price": 0, "code": row.sku, "told_quantity": want.quantity,
            }
        )  # fmt: skip
    tenders = [
        {"sale": order.id, "line": n, "kind": kind, "amount": -_amount(amount, exponent, f"tenders[{n - 1}].amount"), "reference": ref}
        for n, (kind, amount, ref) in enumerate(order.tenders, 1)
    ]  # fmt: skip
    head = {
        "id": order.id, "register": register, "location": location, "site": site, "happened_at": order.happened_at,
        "actor": tx.actor.id, "refund_of": order.sale_id, "net": taxes - total, "tax": -taxes, "discount": 0, "total": -total,
        "units": -units, "line_count": len(line_rows), "currency": currency, "state": "completed",
    }  # fmt: skip
    await store.insert_sale(tx.conn, head, line_rows, tenders)
    return total, units


def _amount(text: str, exponent: int, param: str) -> int:
    try:
        value = minor_units(text, exponent)
    except BadValue as error:
        raise InvalidBody(str(error), param=param) from error
    if value < 0:
        raise InvalidBody("An amount given back is not negative.", param=param)
    return value


async def void(tx: Tx, *, void_id: UUID, sale_id: UUID, reason: str) -> dict[str, Any]:
    """Void a whole sale: its posting is reversed at the sale's own instant, and the document says so.

    Raises NotFound, SaleVoidedAlready, SaleHasRefunds.
    """
    sold = await store.lock_sale(tx.conn, sale_id)
    if sold is None or sold.refund_of is not None:
        raise NotFound("There is no sale by this id.", param="sale_id")
    if sold.state == "voided":
        raise SaleVoidedAlready()
    if sold.state != "completed":
        raise SaleHasRefunds()
    original = await ledger.recorded(tx.conn, sale_id)
    moves = ledger.opposite(original.moves) if original is not None else ()
    posting = ledger.Posting(
        id=void_id, kind=ledger.Kind.reverse.value, source_type="sale", source_id=sale_id, actor=tx.actor.id,
        happened_at=sold.happened_at, moves=moves, mode=ledger.Mode.fact, device=sold.register, reverses=sale_id,
        reason=reason, caller=tx.actor.id, digest=ledger.digest_of("void", sale_id, reason),
    )  # fmt: skip
    await ledger.post(tx, [posting])
    await store.set_state(tx.conn, sale_id, "voided")
    tx.record("sale", sale_id, {"state": sold.state}, {"state": "voided", "reason": reason})
    place = await reads.get_sale(tx.conn, sale_id)
    assert place is not None
    tx.emit(SaleVoided(sale_id=sale_id, site_id=sold.site, site_code=place["site_code"], reason=reason))
    return place


async def open_register(
    tx: Tx, *, register_id: UUID | None, code: str, name: str, location_id: UUID, external_id: str | None,
    metadata: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """A new register at a place of a store. Raises InvalidBody when the code is taken or the place keeps no stock."""
    place = (await locations.directory(tx.conn)).get(location_id)
    if place is None or place.site_id is None:
        raise InvalidBody("A register stands in a store or a place inside one.", param="location_id")
    if await reads.find_till(tx.conn, code) is not None:
        raise InvalidBody(f"There is already a register {code}.", param="code")
    new_id = tx.new_id(register_id)
    values = {
        "id": new_id, "code": code, "name": name, "location_id": location_id, "external_id": external_id, "metadata": metadata,
    }  # fmt: skip
    await store.insert_register(tx.conn, values)
    tx.record("register", new_id, None, {"code": code, "name": name, "location_id": str(location_id)})
    tx.emit(RegisterChanged(register_id=new_id, code=code, site_id=place.site_id))
    found = await reads.get_register(tx.conn, new_id)
    assert found is not None
    return found
