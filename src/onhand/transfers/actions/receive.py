"""Receiving: what arrived leaves transit, good or damaged. What arrived beyond what was shipped is a fact with an exception."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from onhand import ledger
from onhand.access import Caller
from onhand.kit.tx import Tx
from onhand.ledger import Claim, Condition, Kind, Mode, Posting, Spot
from onhand.transfers import store
from onhand.transfers.actions.common import (
    SOURCE,
    Exit,
    StepLine,
    check_site,
    digest_lines,
    ended,
    locked,
    noted,
    post_exits,
    quantities,
    taken_before,
    told,
    understood,
    write,
)
from onhand.transfers.events import TransferReceived
from onhand.transfers.model import Arrival, Document, Outcome, State, advance, match_receipt


async def receive(
    tx: Tx, caller: Caller, transfer_id: UUID, *, id: UUID | None, lines: Sequence[StepLine] = (),
    target: Spot | None = None, happened_at: datetime | None = None, note: str | None = None, accept_over: bool = False,
    complete: bool = False,
) -> tuple[UUID, Document]:  # fmt: skip
    """Receive lines, or everything in transit, into `target` (else where the variant lies at the destination already).

    `complete`: nothing more is coming of what was shipped, so what stays in transit opens an exception `short_receipt`.
    What arrived beyond leaves the source in the same posting, as a fact, and opens `over_receipt` there.
    Raises OverReceipt, NotOnTransfer, NothingInTransit, TransferState, NotFound, IdReused.
    """
    document = await locked(tx, caller, transfer_id, permission="transfers:receive")
    step = tx.new_id(id)
    digest = ledger.digest_of(
        "receipt", transfer_id, digest_lines(lines), happened_at, [target.id, target.code] if target else None, complete
    )  # fmt: skip
    if await taken_before(tx, step, transfer_id, "receipt", digest):
        return step, document
    state = advance(document.state, "receive")
    at = ledger.check_instant(tx, happened_at)
    wants = await understood(tx, document, lines, site=document.to_site, fresh_lots=True)
    arrivals = match_receipt(document, wants, accept_over=accept_over, new_line=step)
    places = await _places(tx, document, arrivals, target)
    origins = await _origins(tx, document, arrivals)
    exits = [
        Exit(
            a.line.variant, a.lot, a.quantity, origins[a.line.id] if a.over else document.transit, place,
            int(Condition.damaged) if a.outcome is Outcome.damaged else None,
        )
        for a, place in zip(arrivals, places, strict=True)
    ]  # fmt: skip
    posting = Posting(
        id=step, kind=Kind.transfer.value, source_type=SOURCE, source_id=document.id, actor=tx.actor.id,
        caller=tx.actor.id, happened_at=at, mode=Mode.fact, digest=digest, moves=(),
        claims=_given_back(document, arrivals),
    )  # fmt: skip
    await post_exits(tx, document, posting, exits)
    before = document.state
    await _write(tx, document, Taking(step, at, digest, note, complete), state, arrivals, places)
    noted(tx, "transfer.received", document, before, document.state, receipt=str(step), lines=len(arrivals))
    tx.emit(
        TransferReceived(
            **await told(tx, document, document.state),
            receipt_id=step,
            happened_at=at,
            lines=quantities(arrivals),
        )
    )
    await ended(tx, document, before)
    return step, document


@dataclass(frozen=True, slots=True)
class Taking:
    """A receipt as it is written down."""

    step: UUID
    at: datetime
    digest: bytes
    note: str | None
    complete: bool


async def _write(
    tx: Tx,
    document: Document,
    taking: Taking,
    state: State,
    arrivals: Sequence[Arrival],
    places: Sequence[UUID],
) -> None:
    for a in arrivals:
        part = a.line.part(a.lot)
        if a.over:
            part.shipped += a.quantity
        part.count(a.outcome, a.quantity)
        a.line.claimed = min(a.line.claimed, a.line.to_ship)
    document.state = await write(
        tx, document, verb_state=state, shipped_at=document.shipped_at or taking.at
    )  # new lines before the step that names them
    await store.add_step(
        tx.conn, id=taking.step, transfer_id=document.id, kind="receipt", happened_at=taking.at, recorded_at=tx.now,
        actor=tx.actor.id, digest=taking.digest, note=taking.note,
        lines=[
            {"line": a.line.id, "lot": a.lot, "outcome": a.outcome.value, "quantity": a.quantity, "location": place, "over": a.over}
            for a, place in zip(arrivals, places, strict=True)
        ],
    )  # fmt: skip
    await _exceptions(tx, document, arrivals, taking.step, taking.complete)


def _given_back(document: Document, arrivals: Sequence[Arrival]) -> tuple[Claim, ...]:
    """What arrived beyond had left unwritten: it is no longer to ship, so no longer claimed."""
    out = []
    for line in document.lines:
        over = sum(a.quantity for a in arrivals if a.over and a.line is line)
        freed = line.claimed - min(line.claimed, max(0, line.to_ship - over))
        if freed:
            out.append(Claim(document.id, line.variant, document.from_site, -freed))
    return tuple(out)


async def _origins(tx: Tx, document: Document, arrivals: Sequence[Arrival]) -> dict[UUID, UUID]:
    """Line → where units that arrived beyond will have left from: where the others did, else where most lies."""
    lines = [a.line for a in arrivals if a.over]
    if not lines:
        return {}
    known = await store.shipped_from(tx.conn, document.id)
    usual: dict[UUID, UUID] = {}
    for level in await ledger.free_levels(tx.conn, [line.variant for line in lines], [document.from_site]):
        usual.setdefault(level.variant, level.location)
    return {line.id: known.get(line.id) or usual.get(line.variant, document.from_site) for line in lines}


async def _places(tx: Tx, document: Document, arrivals: Sequence[Arrival], target: Spot | None) -> list[UUID]:
    """Where each arrival goes: the place named, else where the variant lies at the destination, else the site itself."""
    named: UUID | None = None
    if target is not None:
        (place,), _ = await ledger.find_places(tx.conn, [target])
        check_site(place, document.to_site)
        named = place.id
    usual: dict[UUID, UUID] = {}
    if named is None:
        free = await ledger.free_levels(tx.conn, list({a.line.variant for a in arrivals}), [document.to_site])
        for level in free:
            usual.setdefault(level.variant, level.location)
    return [a.place or named or usual.get(a.line.variant, document.to_site) for a in arrivals]


async def _exceptions(
    tx: Tx, document: Document, arrivals: Sequence[Arrival], step: UUID, complete: bool
) -> None:
    for line in document.lines:
        over = sum(a.quantity for a in arrivals if a.over and a.line is line)
        if over:
            await store.open_exception(
                tx.conn, kind="over_receipt", site=document.from_site, line=line, quantity=over, posting=step,
                document=document, actor=tx.actor.id,
            )  # fmt: skip
        if complete and line.in_transit:
            await store.open_exception(
                tx.conn, kind="short_receipt", site=document.to_site, line=line, quantity=line.in_transit, posting=step,
                document=document, actor=tx.actor.id,
            )  # fmt: skip
    done = [line.variant for line in document.lines if line.in_transit == 0]
    await store.settle_short(tx.conn, document, done, by=tx.actor.id, at=tx.now)
