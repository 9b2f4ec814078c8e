"""Settling what stayed in transit: lost, returned to the source, or found after all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from onhand import ledger
from onhand.access import Caller
from onhand.kit.tx import Tx
from onhand.ledger import Kind, Mode, Posting, Reason, Spot
from onhand.locations import virtual_id
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
from onhand.transfers.events import TransferResolved
from onhand.transfers.model import (
    Arrival,
    Document,
    NotOnTransfer,
    Outcome,
    Settled,
    Want,
    advance,
    resolve,
)

_KINDS = {Outcome.lost: Kind.scrap, Outcome.returned: Kind.return_, Outcome.found: Kind.transfer}


async def settle(
    tx: Tx, caller: Caller, transfer_id: UUID, *, id: UUID | None, outcome: Outcome, lines: Sequence[StepLine],
    reason: Reason = Reason.shrinkage, place: Spot | None = None, happened_at: datetime | None = None,
    note: str | None = None,
) -> tuple[UUID, Document]:  # fmt: skip
    """Say what became of units that did not arrive. Lost units go to scrap with a reason; returned ones to the source
    (`place`, else where they left from); found ones to the destination, also when they had been written off before.

    Returning needs `transfers:ship` (the goods arrive at the source), the others `transfers:receive`.
    Raises NothingInTransit, NotOnTransfer, TransferState, NotFound, IdReused, Forbidden.
    """
    permission = "transfers:ship" if outcome is Outcome.returned else "transfers:receive"
    document = await locked(tx, caller, transfer_id, permission=permission)
    step = tx.new_id(id)
    digest = ledger.digest_of(
        "resolution", transfer_id, outcome.value, digest_lines(lines), happened_at, reason.value,
        [place.id, place.code] if place else None,
    )  # fmt: skip
    if await taken_before(tx, step, transfer_id, "resolution", digest):
        return step, document
    state = advance(document.state, "resolve")
    at = ledger.check_instant(tx, happened_at)
    site = document.from_site if outcome is Outcome.returned else document.to_site
    wants = await understood(tx, document, lines, site=site, fresh_lots=False)
    found = _settle(document, wants, outcome)
    targets = await _targets(tx, document, found, outcome, site, place)
    why = (
        reason.value if outcome is Outcome.lost else Reason.found.value if outcome is Outcome.found else None
    )
    posting = Posting(
        id=step, kind=_KINDS[outcome].value, source_type=SOURCE, source_id=document.id, actor=tx.actor.id,
        caller=tx.actor.id, happened_at=at, mode=Mode.fact, digest=digest, moves=(), reason=why,
    )  # fmt: skip
    exits = [
        Exit(
            s.line.variant, s.lot, s.quantity, virtual_id("scrap") if s.was_lost else document.transit, target
        )
        for s, target in zip(found, targets, strict=True)
    ]
    await post_exits(tx, document, posting, exits)
    before = document.state
    document.state = await write(tx, document, verb_state=state)
    await store.add_step(
        tx.conn, id=step, transfer_id=document.id, kind="resolution", happened_at=at, recorded_at=tx.now,
        actor=tx.actor.id, digest=digest, note=note,
        lines=[
            {"line": s.line.id, "lot": s.lot, "outcome": outcome.value, "quantity": s.quantity, "location": target,
             "over": s.was_lost}
            for s, target in zip(found, targets, strict=True)
        ],
    )  # fmt: skip
    said = {"outcome": outcome.value, "reason": why, "resolution": str(step)}
    noted(tx, "transfer.resolved", document, before, document.state, **said)
    await _tell(tx, document, step, at, [Arrival(s.line, s.lot, s.quantity, outcome, None) for s in found])
    await ended(tx, document, before)
    return step, document


async def _tell(tx: Tx, document: Document, step: UUID, at: datetime, ends: Sequence[Arrival]) -> None:
    done = [line.variant for line in document.lines if line.in_transit == 0]
    await store.settle_short(tx.conn, document, done, by=tx.actor.id, at=tx.now)
    tx.emit(
        TransferResolved(
            **await told(tx, document, document.state),
            resolution_id=step,
            happened_at=at,
            lines=quantities(ends),
        )
    )


def _settle(document: Document, wants: Sequence[Want], outcome: Outcome) -> list[Settled]:
    """Which units each want settles, counted at once, so that two wants never settle the same unit. Pure."""
    found: list[Settled] = []
    for want in wants:
        lines = [document.line(want.line)] if want.line is not None else document.of(want.variant)
        rest = want.quantity
        for n, line in enumerate(lines):
            there = line.in_transit + (
                sum(p.lost for p in line.parts.values()) if outcome is Outcome.found else 0
            )
            part = rest if n == len(lines) - 1 else min(rest, there)
            if part:
                settled = resolve(line, outcome, part, lot=want.lot)
                for one in settled:
                    counts = line.part(one.lot)
                    if one.was_lost:
                        counts.lost -= one.quantity
                    counts.count(outcome, one.quantity)
                found += settled
                rest -= part
        if not lines:
            raise NotOnTransfer(f"{want.sku} is not on this transfer.", param="sku", sku=want.sku)
    return found


async def _targets(
    tx: Tx, document: Document, found: Sequence[Settled], outcome: Outcome, site: UUID, place: Spot | None
) -> list[UUID]:
    if outcome is Outcome.lost:
        return [virtual_id("scrap")] * len(found)
    if place is not None:
        (named,), _ = await ledger.find_places(tx.conn, [place])
        check_site(named, site)
        return [named.id] * len(found)
    if outcome is Outcome.found:
        return [document.to_site] * len(found)
    origins = await store.shipped_from(tx.conn, document.id)
    return [origins.get(s.line.id, document.from_site) for s in found]
