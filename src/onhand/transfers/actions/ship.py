"""Shipping: goods leave the source and stand in transit; what was claimed of them is given back in the same posting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from onhand import ledger
from onhand.access import Caller
from onhand.kit.ids import NIL
from onhand.kit.tx import Tx
from onhand.ledger import Book, Claim, Kind, Mode, Move, Posting
from onhand.transfers import store
from onhand.transfers.actions.common import (
    SOURCE,
    StepLine,
    digest_lines,
    locked,
    noted,
    quantities,
    taken_before,
    told,
    understood,
    write,
)
from onhand.transfers.events import TransferShipped
from onhand.transfers.model import Arrival, Document, Line, Outcome, Pick, advance, plan_shipment


@dataclass(frozen=True, slots=True)
class Taken:
    """A quantity of a line that leaves, of this lot and from this place."""

    line: Line
    lot: UUID
    place: UUID
    quantity: int


async def ship(
    tx: Tx, caller: Caller, transfer_id: UUID, *, id: UUID | None, lines: Sequence[StepLine] = (),
    happened_at: datetime | None = None, note: str | None = None,
) -> tuple[UUID, Document]:  # fmt: skip
    """Ship lines, or everything that is still to ship. Where no place is named, goods are taken from where they lie free
    for sale: the lot that expires first, then where most lies.

    Raises InsufficientStock (nothing leaves), OverShipment, NothingToShip, NotOnTransfer, TransferState, NotFound, IdReused.
    """
    document = await locked(tx, caller, transfer_id, permission="transfers:ship")
    step = tx.new_id(id)
    digest = ledger.digest_of("shipment", transfer_id, digest_lines(lines), happened_at)
    if await taken_before(tx, step, transfer_id, "shipment", digest):
        return step, document
    state = advance(document.state, "ship")
    at = ledger.check_instant(tx, happened_at)
    wants = await understood(tx, document, lines, site=document.from_site, fresh_lots=False)
    picks = plan_shipment(document, wants)
    choices = await _choices(tx, document, picks)
    taken: list[Taken] = []

    def posting(moves: Sequence[Move]) -> Posting:
        return Posting(
            id=step, kind=Kind.transfer.value, source_type=SOURCE, source_id=document.id, actor=tx.actor.id,
            caller=tx.actor.id, happened_at=at, mode=Mode.strict, digest=digest, moves=tuple(moves),
            claims=_given_back(document, picks),
        )  # fmt: skip

    async def revise(book: Book) -> Sequence[Posting]:
        taken[:] = choose(book, picks, choices)
        return [posting([_leaves(document, t) for t in taken])]

    await ledger.post(tx, [posting(_keys(document, picks, choices))], revise=revise)
    await _write(tx, document, step, taken, picks, at, digest, note)
    before = document.state
    document.state = await write(tx, document, verb_state=state, shipped_at=document.shipped_at or at)
    gone = [Arrival(t.line, t.lot, t.quantity, Outcome.shipped, t.place) for t in taken]
    noted(tx, "transfer.shipped", document, before, document.state, shipment=str(step), lines=len(gone))
    tx.emit(
        TransferShipped(
            **await told(tx, document, document.state),
            shipment_id=step,
            happened_at=at,
            lines=quantities(gone),
        )
    )
    return step, document


Choices = list[tuple[UUID, UUID]]
"""(lot, place) a pick may be taken from, in the order they are tried; never empty."""


async def _choices(tx: Tx, document: Document, picks: Sequence[Pick]) -> list[Choices]:
    free = await ledger.free_levels(tx.conn, list({p.line.variant for p in picks}), [document.from_site])
    out = []
    for pick in picks:
        known = [
            (f.lot, f.location)
            for f in free
            if f.variant == pick.line.variant
            and pick.lot in (None, f.lot)
            and pick.place in (None, f.location)
        ]
        out.append(known or [(pick.lot or NIL, pick.place or document.from_site)])
    return out


def choose(book: Any, picks: Sequence[Pick], choices: Sequence[Choices]) -> list[Taken]:
    """Where each pick is taken from, by the levels as locked. What nobody has is asked of the first place, so that the
    judge refuses it and says where. Pure."""
    free = {key: row.on_hand - row.allocated for key, row in book.levels.items()}
    out = []
    for pick, known in zip(picks, choices, strict=True):
        rest = pick.quantity
        taken: dict[tuple[UUID, UUID], int] = {}
        for lot, place in known:
            key = (pick.line.variant, place, lot, 0)
            part = min(rest, free.get(key, 0))
            if part > 0:
                taken[lot, place] = taken.get((lot, place), 0) + part
                free[key] -= part
                rest -= part
        if rest:
            first = next(iter(taken), known[0])
            taken[first] = taken.get(first, 0) + rest
        out += [Taken(pick.line, lot, place, quantity) for (lot, place), quantity in taken.items()]
    return out


def _leaves(document: Document, taken: Taken) -> Move:
    return Move(
        variant=taken.line.variant, lot=taken.lot, from_location=taken.place, to_location=document.transit,
        quantity=taken.quantity,
    )  # fmt: skip


def _keys(document: Document, picks: Sequence[Pick], choices: Sequence[Choices]) -> list[Move]:
    """Moves that name every level a shipment may touch. The destination's are among them: a variant that was never there has a
    row then, and is seen there as in transit."""
    out = []
    for pick, known in zip(picks, choices, strict=True):
        out += [_leaves(document, Taken(pick.line, lot, place, 1)) for lot, place in known]
        out.append(
            Move(
                variant=pick.line.variant,
                from_location=document.transit,
                to_location=document.to_site,
                quantity=1,
            )
        )
    return out


def _given_back(document: Document, picks: Sequence[Pick]) -> tuple[Claim, ...]:
    """What is no longer claimed once the picks have left."""
    return tuple(
        Claim(document.id, line.variant, document.from_site, -min(quantity, line.claimed))
        for line, quantity in _per_line(picks)
        if line.claimed
    )


def _per_line(picks: Sequence[Pick]) -> list[tuple[Line, int]]:
    out: dict[UUID, tuple[Line, int]] = {}
    for pick in picks:
        out[pick.line.id] = (pick.line, out.get(pick.line.id, (pick.line, 0))[1] + pick.quantity)
    return list(out.values())


async def _write(
    tx: Tx, document: Document, step: UUID, taken: Sequence[Taken], picks: Sequence[Pick], at: datetime, digest: bytes,
    note: str | None,
) -> None:  # fmt: skip
    for line, quantity in _per_line(picks):
        line.claimed -= min(quantity, line.claimed)
    for one in taken:
        one.line.part(one.lot).shipped += one.quantity
    await store.add_step(
        tx.conn, id=step, transfer_id=document.id, kind="shipment", happened_at=at, recorded_at=tx.now,
        actor=tx.actor.id, digest=digest, note=note,
        lines=[
            {"line": t.line.id, "lot": t.lot, "outcome": "shipped", "quantity": t.quantity, "location": t.place, "over": False}
            for t in taken
        ],
    )  # fmt: skip
