"""Corrections: adjust by a signed quantity, set to an absolute one, or report what was counted.

What each means is decided under the level's lock. Adjusting and setting beyond somebody's limits waits for a second person
(`approvals.py`); a count is a fact and waits for nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec

from onhand import access
from onhand.access import Caller
from onhand.catalog import Resolved
from onhand.kit.problem import IdReused
from onhand.kit.tx import Tx
from onhand.ledger import store
from onhand.ledger.actions.common import (
    Done,
    Goods,
    Spot,
    check_instant,
    find_places,
    level_of,
    number,
    understand,
)
from onhand.ledger.batch import EventRow
from onhand.ledger.decide import Book, LevelKey
from onhand.ledger.events import Adjusted, ApprovalAsked
from onhand.ledger.lane import event_row
from onhand.ledger.model import (
    Condition,
    InvalidPosting,
    Kind,
    Mode,
    Move,
    Posting,
    QuantityStale,
    Reason,
    digest_of,
    exceeds,
)
from onhand.locations import Place, virtual_id
from onhand.values import format_cost, format_units

Verb = Literal["adjust", "set", "count"]
NEEDS: dict[Verb, str] = {"adjust": "stock:adjust", "set": "stock:set", "count": "stock:count"}


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A correction understood; all in smallest units. `quantity` is signed for adjust, absolute for set and count.

    `expected`: what on hand must be for a set to hold; None: whatever it is.
    """

    verb: Verb
    id: UUID
    variant: UUID
    location: UUID
    lot: UUID
    condition: int
    quantity: int
    expected: int | None = None
    reason: str | None = None
    note: str | None = None
    unit_cost: str | None = None
    currency: str | None = None
    happened_at: datetime | None = None

    @property
    def key(self) -> LevelKey:
        """The level it corrects."""
        return (self.variant, self.location, self.lot, self.condition)

    @property
    def digest(self) -> bytes:
        """What the id stands for, for ever."""
        return digest_of(msgspec.to_builtins(self))


class NeedsApproval(Exception):
    """Inside the lock it turned out that a second person must decide; never leaves this package."""


@dataclass(frozen=True, slots=True)
class CountTaken:
    """A count as it was judged under its level's lock, in smallest units. `known`: what the ledger knew then; no `posting`
    where nothing differed."""

    id: UUID
    key: LevelKey
    site: UUID
    happened_at: datetime
    quantity: int
    variance: int
    known: store.Known
    posting: UUID | None
    unit_cost: str | None
    currency: str | None


_WATCHERS: list[Callable[[Tx, CountTaken], Awaitable[None]]] = []


def on_count(watcher: Callable[[Tx, CountTaken], Awaitable[None]]) -> None:
    """Tell somebody above of every count, within its transaction (they keep it right when facts arrive late)."""
    if watcher not in _WATCHERS:
        _WATCHERS.append(watcher)


async def adjust(
    tx: Tx, caller: Caller, *, id: UUID | None, spot: Spot, goods: Goods, reason: Reason, note: str | None = None,
    condition: Condition = Condition.available, unit_cost: Decimal | None = None, currency: str | None = None,
    happened_at: datetime | None = None,
) -> Done:  # fmt: skip
    """Correct a level by a signed quantity, with a reason. Goods found carry `unit_cost`, or what the catalogue says.

    Raises InsufficientStock, UnknownVariant, UnknownLocation, LocationClosed, Forbidden, IdReused, HappenedAhead, BadValue.
    """
    line, place = await _understand(tx, caller, "adjust", spot, goods, fresh_lots=True)
    if line.quantity == 0:
        raise InvalidPosting("An adjustment is not 0; say by how much the stock was wrong.", param="quantity")
    if unit_cost is None and line.item.cost is not None:
        unit_cost, currency = line.item.cost, line.item.cost_currency
    correction = Correction(
        verb="adjust", id=tx.new_id(id), variant=line.item.variant_id, location=place.id, lot=line.lot,
        condition=int(condition), quantity=line.quantity, reason=reason.value, note=note,
        unit_cost=format_cost(unit_cost) if unit_cost is not None else None, currency=currency, happened_at=happened_at,
    )  # fmt: skip
    return await correct(tx, correction, caller=caller, item=line.item, place=place)


async def set_quantity(
    tx: Tx, caller: Caller, *, id: UUID | None, spot: Spot, goods: Goods, expected: str | None, reason: Reason,
    note: str | None = None, condition: Condition = Condition.available,
) -> Done:  # fmt: skip
    """Set a level to an absolute quantity, if it is still what the caller saw (`expected`; None: whatever it is).

    Raises QuantityStale with the present quantity, and as `adjust`.
    """
    line, place = await _understand(tx, caller, "set", spot, goods, fresh_lots=True)
    seen = None
    if expected is not None:
        seen = (await understand(tx, [replace(goods, quantity=expected)]))[0].quantity
    correction = Correction(
        verb="set", id=tx.new_id(id), variant=line.item.variant_id, location=place.id, lot=line.lot,
        condition=int(condition), quantity=_not_negative(line.quantity), expected=seen, reason=reason.value, note=note,
        unit_cost=format_cost(line.item.cost) if line.item.cost is not None else None,
        currency=line.item.cost_currency,
    )  # fmt: skip
    return await correct(tx, correction, caller=caller, item=line.item, place=place)


async def count(
    tx: Tx, caller: Caller, *, id: UUID | None, spot: Spot, goods: Goods, happened_at: datetime | None,
    note: str | None = None, condition: Condition = Condition.available,
) -> Done:  # fmt: skip
    """Report what lay in a place at an instant. The variance is against the book at that instant, as known now.

    A fact: always recorded. A later-arriving fact that happened before the count moves the book it was compared with;
    counting hears of every count (`on_count`) and corrects it then. Raises as `adjust`, but never InsufficientStock.
    """
    line, place = await _understand(tx, caller, "count", spot, goods, fresh_lots=True)
    correction = Correction(
        verb="count", id=tx.new_id(id), variant=line.item.variant_id, location=place.id, lot=line.lot,
        condition=int(condition), quantity=_not_negative(line.quantity), reason=Reason.cycle_count.value, note=note,
        unit_cost=format_cost(line.item.cost) if line.item.cost is not None else None,
        currency=line.item.cost_currency, happened_at=happened_at,
    )  # fmt: skip
    return await correct(tx, correction, caller=caller, item=line.item, place=place)


async def _understand(
    tx: Tx, caller: Caller, verb: Verb, spot: Spot, goods: Goods, *, fresh_lots: bool
) -> tuple[Any, Place]:
    places, _ = await find_places(tx.conn, [spot])
    caller.require(NEEDS[verb], places[0].site_id)
    lines = await understand(tx, [goods], fresh_lots=fresh_lots)
    return lines[0], places[0]


def _not_negative(quantity: int) -> int:
    if quantity < 0:
        raise InvalidPosting("A quantity on a shelf is 0 or more.", param="quantity")
    return quantity


async def correct(
    tx: Tx, c: Correction, *, caller: Caller | None, item: Resolved, place: Place, by: UUID | None = None
) -> Done:
    """Post a correction, or ask for a second person. `caller` None: it was approved; `by` then is who asked."""
    actor = by or tx.actor.id
    at = check_instant(tx, c.happened_at)
    if c.verb == "count":
        at = min(at, tx.now)  # a clock that runs ahead must not claim to have seen what is still to happen
    if caller is not None:
        waiting = await _asked_before(tx, c, item)
        if waiting is not None:
            return waiting
    decided: list[int] = []
    known: list[store.Known] = []

    async def revise(book: Book) -> Sequence[Posting]:
        row = book.levels.get(c.key)
        present = row.on_hand if row is not None else 0
        delta = await _delta(tx, c, present, at, item)
        if caller is not None and c.verb != "count":
            why = _too_much(caller, place, item, delta, c)
            if why is not None:
                raise NeedsApproval(why)
        decided.append(delta)
        if c.verb == "count":
            known.append(await store.known_now(tx.conn))
        return [_posting(c, delta, at, actor)] if delta else []

    def told(labels: object, places: object) -> list[EventRow]:
        return [event_row(_event(c, decided[0], item, place), at)] if decided else []

    try:
        posted = await store.post(tx, [_posting(c, 1, at, actor)], events=told, revise=revise)
    except NeedsApproval as need:
        return await _ask(tx, c, item, place, str(need))
    outcome = posted.outcomes[0] if posted.outcomes else None
    fresh = outcome is None or outcome.seq is None
    if known:
        await _tell(tx, c, place, decided[0], at, known[0])
    if fresh:
        access.name_action(
            tx, {"adjust": "stock.adjusted", "set": "stock.set", "count": "stock.counted"}[c.verb]
        )
        tx.record("posting", c.id, None, _shown(c, item, place, decided[0] if decided else None))
    site = (c.variant, place.site_id) if place.site_id is not None else None
    return Done(
        c.id, "posted" if outcome is not None else "unchanged", _KINDS[c.verb], item,
        decided[0] if decided else None, level_of(posted, c.key, site, item.decimals), await number(tx, outcome),
        site=place.site_id,
    )  # fmt: skip


async def _tell(tx: Tx, c: Correction, place: Place, delta: int, at: datetime, known: store.Known) -> None:
    assert place.site_id is not None
    taken = CountTaken(
        id=c.id, key=c.key, site=place.site_id, happened_at=at, quantity=c.quantity, variance=delta, known=known,
        posting=c.id if delta else None, unit_cost=c.unit_cost, currency=c.currency,
    )  # fmt: skip
    for watcher in _WATCHERS:
        await watcher(tx, taken)


_KINDS: dict[Verb, str] = {"adjust": Kind.adjust.value, "set": Kind.set.value, "count": Kind.count_.value}


async def _delta(tx: Tx, c: Correction, present: int, at: datetime, item: Resolved) -> int:
    """By how much the level changes, given what it is under its lock. Raises QuantityStale."""
    if c.verb == "adjust":
        return c.quantity
    if c.verb == "set":
        if c.expected is not None and c.expected != present:
            shown = format_units(present, item.decimals)
            raise QuantityStale(
                f"It was {format_units(c.expected, item.decimals)} when you looked and is {shown} now. Look again and decide.",
                param="expected_quantity", present=shown, unit=item.unit,
            )  # fmt: skip
        return c.quantity - present
    book_then = present - await store.moved_since(tx.conn, c.key, at)
    return c.quantity - book_then


def _too_much(caller: Caller, place: Place, item: Resolved, delta: int, c: Correction) -> str | None:
    limits = caller.limits(place.site_id)
    if limits is None:
        return None
    cost = Decimal(c.unit_cost) if c.unit_cost is not None else None
    return exceeds(
        Decimal(delta).scaleb(-item.decimals), cost, units=limits.adjust_units, value=limits.adjust_value
    )


def _posting(c: Correction, delta: int, at: datetime, actor: UUID) -> Posting:
    """Goods found come from the adjustment place, goods missing go to it."""
    elsewhere = virtual_id("adjustment")
    out = delta < 0
    move = Move(
        variant=c.variant, lot=c.lot, quantity=abs(delta),
        from_location=c.location if out else elsewhere, from_condition=c.condition if out else 0,
        to_location=elsewhere if out else c.location, to_condition=0 if out else c.condition,
        unit_cost=None if out else c.unit_cost, currency=None if out else c.currency,
    )  # fmt: skip
    return Posting(
        id=c.id, kind=_KINDS[c.verb], source_type="adjustment" if c.verb == "adjust" else f"stock_{c.verb}", source_id=c.id,
        actor=actor, caller=actor, happened_at=at, moves=(move,), digest=c.digest, reason=c.reason,
        mode=Mode.fact if c.verb == "count" else Mode.strict,
    )  # fmt: skip


def _event(c: Correction, delta: int, item: Resolved, place: Place) -> Adjusted:
    return Adjusted(
        posting_id=c.id, kind=_KINDS[c.verb], variant_id=c.variant, sku=item.sku, location_id=place.id,
        location_code=place.code, site_id=place.site_id, quantity=format_units(delta, item.decimals), reason=c.reason,
    )  # fmt: skip


def _shown(c: Correction, item: Resolved, place: Place, delta: int | None) -> dict[str, Any]:
    """A correction as the audit log and whoever approves it read it."""
    shown = {
        "verb": c.verb, "variant_id": str(c.variant), "sku": item.sku, "name": item.name, "unit": item.unit,
        "location_id": str(place.id), "location": place.path, "condition": Condition(c.condition).name,
        "quantity": format_units(c.quantity, item.decimals), "reason": c.reason, "note": c.note,
        "expected_quantity": None if c.expected is None else format_units(c.expected, item.decimals),
        "change": None if delta is None else format_units(delta, item.decimals),
        "happened_at": c.happened_at.isoformat() if c.happened_at is not None else None,
    }  # fmt: skip
    return {name: value for name, value in shown.items() if value is not None}


async def _asked_before(tx: Tx, c: Correction, item: Resolved) -> Done | None:
    """The answer for a correction that waited for a second person before; None when it never did or was approved."""
    found = await store.get_approval(tx.conn, c.id)
    if found is None:
        return None
    if found.asked_by != tx.actor.id or msgspec.convert(found.body["command"], Correction).digest != c.digest:
        raise IdReused(param="id")
    if found.state == "approved":
        return None
    state = "waiting_approval" if found.state == "waiting" else "rejected"
    return Done(c.id, state, _KINDS[c.verb], item, why=found.decision_note or found.why)


async def _ask(tx: Tx, c: Correction, item: Resolved, place: Place, why: str) -> Done:
    """Write down that a second person must decide."""
    shown = _shown(c, item, place, None)
    body = {"command": msgspec.to_builtins(c), "shown": shown}
    await store.add_approval(
        tx.conn, id=c.id, verb=c.verb, site=place.site_id, body=body, asked_by=tx.actor.id, asked_by_name=tx.actor.name,
        asked_at=tx.now, why=why,
    )  # fmt: skip
    access.name_action(tx, "approval.asked")
    tx.record("approval", c.id, None, {**shown, "why": why})
    tx.emit(
        ApprovalAsked(
            approval_id=c.id, verb=c.verb, site_id=place.site_id, asked_by=tx.actor.id, asked_by_name=tx.actor.name, why=why
        )
    )  # fmt: skip
    return Done(c.id, "waiting_approval", _KINDS[c.verb], item, why=why)
