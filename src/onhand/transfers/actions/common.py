"""What the verbs of transfers share: finding the document, writing it back with its expectations, telling of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from onhand import access, ledger, locations, lots
from onhand.access import Caller
from onhand.kit.ids import NIL, derive_id
from onhand.kit.problem import IdReused, NotFound, Stale
from onhand.kit.tx import Tx
from onhand.ledger import Book, Condition, Goods, Move, Posting, Spot
from onhand.transfers import store
from onhand.transfers.events import TransferClosed, TransferQuantity
from onhand.transfers.model import Arrival, Document, State, Want, due, settled

SOURCE = "transfer_document"
"""What postings of a transfer's steps name as their source. (A one-step transfer is its own source, `transfer`.)"""
IN_TRANSIT, PLACED = "transfer", "placed_transfer"
"""What expectations name as theirs: what is in transit, and what is still to ship (on order at the destination)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """What somebody ships or receives: goods, or a line by its id (then `goods` only says how much); from or to a place.
    `damaged`: how much more of it arrived broken, decimal text as `goods.quantity`."""

    goods: Goods
    line: UUID | None = None
    place: Spot | None = None
    damaged: str = "0"


async def locked(
    tx: Tx, caller: Caller, transfer_id: UUID, *, permission: str, version: int | None = None
) -> Document:
    """The transfer, locked, if the caller may see it and has the permission at the end it concerns.

    Raises NotFound, Forbidden, LocationNotAllowed, Stale.
    """
    document = await store.lock(tx.conn, transfer_id)
    if document is None or not sees(caller, document.from_site, document.to_site):
        raise NotFound("There is no transfer by this id.", param="transfer_id")
    if permission == "transfers:ship":
        caller.require(permission, document.from_site)
    elif permission == "transfers:receive":
        caller.require(permission, document.to_site)
    else:
        at_either_end(caller, document.from_site, document.to_site)
    if version is not None and version != document.version:
        raise Stale(param="If-Match", version=document.version)
    return document


def sees(caller: Caller, *sites: UUID) -> bool:
    """May they see a transfer between these sites: at either end?"""
    return any(caller.may("transfers:read", site) for site in sites)


def at_either_end(caller: Caller, from_site: UUID, to_site: UUID) -> None:
    """Planning needs the permission at one end. Raises Forbidden, LocationNotAllowed."""
    if not caller.may("transfers:write", to_site):
        caller.require("transfers:write", from_site)


async def taken_before(tx: Tx, step_id: UUID, transfer_id: UUID, kind: str, digest: bytes) -> bool:
    """Whether this very step was taken. Raises IdReused for another under the same id."""
    step = await store.find_step(tx.conn, step_id)
    if step is None:
        return False
    same = (step.transfer, step.kind, bytes(step.digest), step.actor) == (
        transfer_id,
        kind,
        digest,
        tx.actor.id,
    )
    if not same:
        raise IdReused(param="id")
    return True


async def understood(
    tx: Tx, document: Document, lines: Sequence[StepLine], *, site: UUID, fresh_lots: bool
) -> list[Want]:
    """What somebody names on a step, by line or by item. Raises NotOnTransfer, UnknownVariant, UomMismatch, BadValue."""
    goods: list[Goods] = []
    for one in lines:
        named = one.goods
        if one.line is not None:
            line = document.line(one.line)
            named = Goods(
                variant_id=line.variant,
                quantity=named.quantity,
                unit=named.unit,
                lot_code=named.lot_code,
                serial_number=named.serial_number,
            )
        goods += [named, Goods(**{**_named(named), "quantity": one.damaged})]
    found = await ledger.understand(tx, goods, fresh_lots=fresh_lots)
    places, _ = await ledger.find_places(tx.conn, [one.place for one in lines if one.place is not None])
    spots = iter(places)
    wants = []
    for n, one in enumerate(lines):
        good, damaged = found[2 * n], found[2 * n + 1]
        place = next(spots) if one.place is not None else None
        _positive(good.quantity, damaged.quantity)
        wants.append(
            Want(
                variant=good.item.variant_id, quantity=good.quantity, sku=good.item.sku, decimals=good.item.decimals,
                line=one.line, lot=good.lot if one.goods.code_of_lot is not None else None,
                place=place.id if place is not None else None, damaged=damaged.quantity,
            )
        )  # fmt: skip
        if place is not None:
            check_site(place, site)
    return wants


def _named(goods: Goods) -> dict[str, Any]:
    return {name: getattr(goods, name) for name in Goods.__dataclass_fields__}


def _positive(good: int, damaged: int) -> None:
    if good < 0 or damaged < 0 or good + damaged == 0:
        raise ledger.InvalidPosting("A quantity that moves is above 0.", param="quantity")


def check_site(place: locations.Place, site: UUID) -> None:
    """Raises LocationKeepsNoStock for a place of another site."""
    if place.site_id != site:
        raise ledger.LocationKeepsNoStock(f"{place.path} is not a place of that site.", param="location_id")


async def write(tx: Tx, document: Document, *, verb_state: State, **head: Any) -> State:
    """Write the document back: lines and parts, what is expected of it, its state. Answers the new state; `ended` tells of it."""
    state = verb_state
    if state is State.shipped and settled(document.lines):
        state = State.received if any(line.shipped for line in document.lines) else State.cancelled
    over = state in (State.received, State.cancelled)
    await store.write_lines(tx.conn, document.id, document.lines)
    await ledger.expect(tx, expectations(document, state, tx.now))
    if over and document.state is not state:
        head["closed_at"] = tx.now
    await store.write_head(tx.conn, document.id, state=state.value, **head)
    return state


async def ended(tx: Tx, document: Document, before: State) -> None:
    """The last word of a verb: `transfer.closed`, if it ended the transfer."""
    if document.state is not before and document.state in (State.received, State.cancelled):
        tx.emit(TransferClosed(**await told(tx, document, document.state)))


def expectations(document: Document, state: State, now: datetime) -> list[ledger.Expectation]:
    """What a transfer lets its sites expect. Pure.

    At the destination what is in transit, and what is still to ship; at the source what is still to leave and not claimed
    (what is claimed there no longer counts as available anyway).
    """
    at = due(document, now)
    placed = state in (State.placed, State.shipped)
    out = []
    for line in document.lines:
        to_ship = line.to_ship if placed else 0
        for part, kind, site, quantity in (
            ("in_transit", IN_TRANSIT, document.to_site, line.in_transit),
            ("supply", PLACED, document.to_site, to_ship),
            ("demand", PLACED, document.from_site, -max(0, to_ship - line.claimed)),
        ):
            out.append(
                ledger.Expectation(
                    source_line=derive_id(str(line.id), part), source_type=kind, source_id=document.id,
                    variant=line.variant, site=site, quantity=quantity, due=at,
                )
            )  # fmt: skip
    return out


async def told(tx: Tx, document: Document, state: State) -> dict[str, Any]:
    """What every event of a transfer says."""
    places = await locations.directory(tx.conn)
    return {
        "transfer_id": document.id, "number": f"T-{document.number}", "state": state.value,
        "from_site_id": document.from_site, "from_site_code": places[document.from_site].code,
        "to_site_id": document.to_site, "to_site_code": places[document.to_site].code,
    }  # fmt: skip


def quantities(arrivals: Sequence[Arrival]) -> tuple[TransferQuantity, ...]:
    """What an event says of the units of a step."""
    return tuple(
        TransferQuantity(
            variant_id=a.line.variant, sku=a.line.sku, lot_id=None if a.lot == NIL else a.lot, outcome=a.outcome.value,
            quantity=a.line.shown(a.quantity),
        )
        for a in arrivals
    )  # fmt: skip


def noted(tx: Tx, action: str, document: Document, before: State, after: State, **said: Any) -> None:
    """The audit entry of a step."""
    access.name_action(tx, action)
    tx.record("transfer", document.id, {"state": before.value}, {"state": after.value, **said})


def digest_lines(lines: Sequence[StepLine]) -> list[Any]:
    """What the digest of a step remembers of its lines."""
    return [
        [str(one.line) if one.line else None, *(_text(v) for v in _named(one.goods).values()), one.damaged,
         _text(one.place.id) if one.place else None, one.place.code if one.place else None]
        for one in lines
    ]  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Exit:
    """Units that leave transit (or, unwritten before, the source): to a place, in a condition if it is a new one."""

    variant: UUID
    lot: UUID
    quantity: int
    origin: UUID
    target: UUID
    condition: int | None = None


async def post_exits(tx: Tx, document: Document, posting: Posting, exits: Sequence[Exit]) -> None:
    """Post units that leave transit. A lot held or recalled on the way stands there in that condition, and keeps it.

    `posting` carries everything but the moves.
    """
    there: dict[tuple[UUID, UUID], set[int]] = {}
    for row in await store.contents(tx.conn, [document.transit]):
        there.setdefault((row.variant, row.lot), set()).add(row.condition)
    coming = [(one.variant, one.lot, one.target) for one in exits if one.condition is None]
    landing = await lots.arrivals(tx.conn, coming, now=tx.now)
    names = []
    for one in exits:
        from_transit = one.origin == document.transit
        for condition in sorted({0} | (there.get((one.variant, one.lot), set()) if from_transit else set())):
            names.append(_exit(one, 1, condition))
        found = landing.get((one.variant, one.lot, one.target)) if one.condition is None else None
        if found is not None:  # held, expired or without certificate at the destination: it lands so
            names.append(msgspec.structs.replace(names[-1], to_condition=int(Condition[found.condition])))

    async def revise(book: Book) -> Sequence[Posting]:
        moves = tuple(split_exits({k: r.on_hand for k, r in book.levels.items()}, exits))
        return [await ledger.landed(tx, msgspec.structs.replace(posting, moves=moves))]

    await ledger.post(tx, [msgspec.structs.replace(posting, moves=tuple(names))], revise=revise)


def split_exits(levels: Mapping[tuple[UUID, UUID, UUID, int], int], exits: Sequence[Exit]) -> list[Move]:
    """Take each exit from the conditions its lot stands in, available first; what is in none is taken from available. Pure."""
    left = dict(levels)
    out = []
    for one in exits:
        rest = one.quantity
        conditions = sorted(k[3] for k in left if k[:3] == (one.variant, one.origin, one.lot))
        for condition in conditions:
            key = (one.variant, one.origin, one.lot, condition)
            part = min(rest, left[key])
            if part > 0:
                out.append(_exit(one, part, condition))
                left[key] -= part
                rest -= part
        if rest:
            out.append(_exit(one, rest, 0))
    return out


def _exit(one: Exit, quantity: int, condition: int) -> Move:
    return Move(
        variant=one.variant, lot=one.lot, quantity=quantity, from_location=one.origin, from_condition=condition,
        to_location=one.target, to_condition=condition if one.condition is None else one.condition,
    )  # fmt: skip
