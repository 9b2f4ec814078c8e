"""Planning a transfer: draft it, change it, place it, cancel it, or send no more of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from onhand import ledger, locations
from onhand.access import Caller
from onhand.kit.ids import derive_id
from onhand.kit.problem import InvalidBody
from onhand.kit.tx import Tx
from onhand.ledger import Claim, Goods, Kind, Mode, Posting, Spot
from onhand.transfers import store
from onhand.transfers.actions.common import SOURCE, at_either_end, ended, locked, noted, told, write
from onhand.transfers.events import TransferPlaced
from onhand.transfers.model import TRANSITIONS, Document, Line, State, TransferState, advance

MAX_LINES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
    """What is needed to plan one. `reserves`: placing it claims the goods at the source."""

    source: Spot
    target: Spot
    lines: Sequence[Goods]
    id: UUID | None = None
    reserves: bool = True
    expected_at: datetime | None = None
    note: str | None = None
    external_id: str | None = None


async def draft(tx: Tx, caller: Caller, new: NewTransfer, *, place: bool = False) -> Document:
    """Plan a transfer; with `place` it is placed at once.

    Raises IdReused, UnknownLocation, LocationKeepsNoStock, UnknownVariant, InsufficientStock (placing), Forbidden, BadValue.
    """
    (start, end), _ = await ledger.find_places(tx.conn, [new.source, new.target])
    for spot, site in ((new.source, start), (new.target, end)):
        if not site.is_site:
            raise ledger.LocationKeepsNoStock(
                f"{site.path} is no store or warehouse; name the site.", param=spot.param
            )
    if start.id == end.id:
        raise InvalidBody(
            "A transfer needs two different sites; use a move inside one.", param=new.target.param
        )
    at_either_end(caller, start.id, end.id)
    transfer_id = tx.new_id(new.id)
    lines = await _lines(tx, transfer_id, new.lines)
    transit = await locations.ensure_transit(tx, end)
    number = await store.insert(
        tx.conn,
        {
            "id": transfer_id, "from_site": start.id, "to_site": end.id, "transit": transit, "reserves": new.reserves,
            "expected_at": new.expected_at, "note": new.note, "external_id": new.external_id,
            "created_by": tx.actor.id, "created_at": tx.now,
        },
    )  # fmt: skip
    await store.write_lines(tx.conn, transfer_id, lines)
    document = Document(
        transfer_id, number, State.draft, start.id, end.id, transit, new.reserves, new.expected_at, new.note, 1, None, None,
        lines,
    )  # fmt: skip
    await _step(tx, document, "created")
    tx.record(
        "transfer", transfer_id, None,
        {"number": f"T-{number}", "from": start.path, "to": end.path, "lines": len(lines)},
    )  # fmt: skip
    if place:
        await _place(tx, document)
    return document


async def _lines(tx: Tx, transfer_id: UUID, goods: Sequence[Goods]) -> list[Line]:
    if not 1 <= len(goods) <= MAX_LINES:
        raise InvalidBody(f"A transfer has 1 to {MAX_LINES} lines.", param="lines")
    found = await ledger.understand(tx, goods)
    for n, line in enumerate(found):
        if line.quantity <= 0:
            raise InvalidBody("A quantity that moves is above 0.", param=f"lines[{n}].quantity")
    return [
        Line(
            derive_id(str(transfer_id), "line", str(tx.now.timestamp()), str(n)), n, one.item.variant_id, one.item.sku,
            one.item.decimals, one.lot, one.quantity,
        )
        for n, one in enumerate(found, 1)
    ]  # fmt: skip


async def _step(tx: Tx, document: Document, kind: str, note: str | None = None) -> None:
    await store.add_step(
        tx.conn, id=derive_id(str(document.id), kind), transfer_id=document.id, kind=kind, happened_at=tx.now,
        recorded_at=tx.now, actor=tx.actor.id, digest=ledger.digest_of(kind), note=note,
    )  # fmt: skip


async def change(
    tx: Tx, caller: Caller, transfer_id: UUID, *, version: int | None, changes: dict[str, Any],
    lines: Sequence[Goods] | None = None,
) -> Document:  # fmt: skip
    """Change note, date, claim (`reserves`) or lines; once placed only note and date.

    Raises NotFound, Stale, TransferState, and as `draft`.
    """
    document = await locked(tx, caller, transfer_id, permission="transfers:write", version=version)
    advance(document.state, "change")
    if document.state is not State.draft and (lines is not None or "reserves" in changes):
        raise TransferState(
            "Lines are changed while it is a draft. Close it, and plan another for what else is needed.",
            state=document.state.value, can=sorted(TRANSITIONS[document.state]),
        )  # fmt: skip
    before = {name: getattr(document, name) for name in changes}
    for name, value in changes.items():
        setattr(document, name, value)
    if lines is not None:
        document.lines = await _lines(tx, document.id, lines)
        await store.replace_lines(tx.conn, document.id, document.lines)
    await write(tx, document, verb_state=document.state, **changes)
    tx.record(
        "transfer", document.id, _plain(before), _plain(changes) | ({"lines": len(lines)} if lines else {})
    )
    return document


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}


async def place(tx: Tx, caller: Caller, transfer_id: UUID, *, version: int | None) -> Document:
    """Place a draft: the source may ship it, and its goods are claimed there if it reserves.

    Raises InsufficientStock where the source has less to give, NotFound, Stale, TransferState.
    """
    document = await locked(tx, caller, transfer_id, permission="transfers:write", version=version)
    await _place(tx, document)
    return document


async def _place(tx: Tx, document: Document) -> None:
    before, state = document.state, advance(document.state, "place")
    document.placed_at = tx.now
    if document.reserves:
        for line in document.lines:
            line.claimed = line.to_ship
        await _claim(tx, document, "place", Kind.reserve, {line.id: line.claimed for line in document.lines})
    await write(tx, document, verb_state=state, placed_at=tx.now)
    await _step(tx, document, "placed")
    noted(tx, "transfer.placed", document, before, state)
    document.state = state
    tx.emit(
        TransferPlaced(
            **await told(tx, document, state), expected_at=document.expected_at, reserves=document.reserves
        )
    )


async def _claim(tx: Tx, document: Document, verb: str, kind: Kind, quantities: dict[UUID, int]) -> None:
    """Claim (above zero) or give back (below) what lines hold at the source."""
    claims = tuple(
        Claim(document.id, line.variant, document.from_site, quantities[line.id])
        for line in document.lines if quantities.get(line.id)
    )  # fmt: skip
    if not claims:
        return
    await ledger.post(
        tx,
        [
            Posting(
                id=derive_id(str(document.id), verb), kind=kind.value, source_type=SOURCE, source_id=document.id,
                actor=tx.actor.id, caller=tx.actor.id, happened_at=tx.now, moves=(), claims=claims, mode=Mode.strict,
                digest=ledger.digest_of("transfer", verb, document.id),
            )
        ],
    )  # fmt: skip


async def cancel(
    tx: Tx, caller: Caller, transfer_id: UUID, *, version: int | None, reason: str | None
) -> Document:
    """Cancel a transfer of which nothing left; claimed goods are free again. Raises NotFound, Stale, TransferState."""
    document = await locked(tx, caller, transfer_id, permission="transfers:write", version=version)
    state = advance(document.state, "cancel")
    await _drop(tx, document, "cancel")
    await write(tx, document, verb_state=state)
    await _step(tx, document, "cancelled", reason)
    before, document.state = document.state, state
    noted(tx, "transfer.cancelled", document, before, state, reason=reason)
    await ended(tx, document, before)
    return document


async def close(
    tx: Tx, caller: Caller, transfer_id: UUID, *, version: int | None, reason: str | None
) -> Document:
    """Send no more: what is still to ship is dropped and its claim given back; what is in transit is still received.

    Raises NotFound, Stale, TransferState.
    """
    document = await locked(tx, caller, transfer_id, permission="transfers:write", version=version)
    state = advance(document.state, "close")
    await _drop(tx, document, "close")
    after = await write(tx, document, verb_state=state)
    await _step(tx, document, "closed", reason)
    before, document.state = document.state, after
    noted(tx, "transfer.closed", document, before, after, reason=reason)
    await ended(tx, document, before)
    return document


async def _drop(tx: Tx, document: Document, verb: str) -> None:
    freed = {line.id: -line.claimed for line in document.lines}
    for line in document.lines:
        line.dropped += line.to_ship
        line.claimed = 0
    await _claim(tx, document, verb, Kind.release, freed)
