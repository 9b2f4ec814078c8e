"""Reversals: a posting is undone once, by its exact opposite, at the instant it happened."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from onhand import access, catalog, locations
from onhand.access import Caller
from onhand.kit.problem import NotFound
from onhand.kit.tx import Tx
from onhand.ledger import store
from onhand.ledger.actions.common import number
from onhand.ledger.events import Adjusted
from onhand.ledger.lane import event_row
from onhand.ledger.model import (
    AlreadyReversed,
    Condition,
    Kind,
    Mode,
    Move,
    NotReversible,
    Posting,
    digest_of,
    opposite,
    reversal_refused,
)
from onhand.ledger.store import Recorded
from onhand.locations import Place
from onhand.values import format_units


@dataclass(frozen=True, slots=True)
class Reversal:
    """A reversal and what it needs to be shown."""

    posting: Posting
    items: dict[UUID, catalog.Resolved]
    places: dict[UUID, Place]
    seq: int | None = None


def reversing(
    original: Recorded, *, id: UUID, actor: UUID, reason: str | None, mode: Mode = Mode.strict,
    source: tuple[str, UUID] | None = None,
) -> Posting:  # fmt: skip
    """The posting that undoes another: opposite moves, the original's `happened_at`, linked to it. Pure.

    `source`: the document that undoes it (a void, for instance); without one, the reversal stands for itself.
    """
    source_type, source_id = source or ("reversal", id)
    return Posting(
        id=id, kind=Kind.reverse.value, source_type=source_type, source_id=source_id, actor=actor, caller=actor,
        happened_at=original.happened_at, moves=opposite(original.moves), reverses=original.id, reason=reason, mode=mode,
        digest=digest_of("reverse", original.id, reason),
    )  # fmt: skip


async def preview_reversal(
    tx: Tx, caller: Caller, *, posting_id: UUID, reason: str, id: UUID | None
) -> Reversal:
    """What a reversal would write; writes nothing. Raises NotFound, NotReversible, AlreadyReversed, Forbidden."""
    original = await store.recorded(tx.conn, posting_id)
    places = await locations.directory(tx.conn)
    _check(caller, original, places)
    assert original is not None
    if original.reversed_by is not None:
        raise AlreadyReversed(reversed_by=str(original.reversed_by))
    items = await catalog.resolve_ids(tx.conn, [m.variant for m in original.moves])
    posting = reversing(original, id=tx.new_id(id), actor=tx.actor.id, reason=reason)
    return Reversal(posting, items, places)


async def reverse(tx: Tx, caller: Caller, *, posting_id: UUID, reason: str, id: UUID | None) -> Reversal:
    """Undo a posting, once. It takes the original's `happened_at`, so that the past reads as if it had never been.

    Raises NotFound, NotReversible (with the step that does it instead), AlreadyReversed, InsufficientStock when what came
    in has left already, Forbidden, IdReused.
    """
    original = await store.recorded(tx.conn, posting_id)
    places = await locations.directory(tx.conn)
    _check(caller, original, places)
    assert original is not None
    items = await catalog.resolve_ids(tx.conn, [m.variant for m in original.moves])
    posting = reversing(original, id=tx.new_id(id), actor=tx.actor.id, reason=reason)
    posted = await store.post(
        tx, [posting],
        events=lambda labels, directory: [event_row(e, posting.happened_at) for e in _events(posting, items, places)],
    )  # fmt: skip
    outcome = posted.outcomes[0]
    if outcome.seq is None:
        access.name_action(tx, "posting.reversed")
        tx.record("posting", posting_id, {"reversed_by": None}, {"reversed_by": posting.id, "reason": reason})
    return Reversal(posting, items, places, await number(tx, outcome))


def _check(caller: Caller, original: Recorded | None, places: dict[UUID, Place]) -> None:
    """May they, and can it be undone this way?"""
    if original is None:
        raise NotFound("There is no posting with this id.", param="posting_id")
    sites = {places[at].site_id for m in original.moves for at in (m.from_location, m.to_location)} - {None}
    if not any(caller.may("stock:read", site) for site in sites) and caller.sites("stock:read") is not None:
        raise NotFound("There is no posting with this id.", param="posting_id")
    for site in sites:
        caller.require("stock:reverse", site)
    refusal = reversal_refused(original.kind, original.source_type)
    if refusal is not None:
        raise NotReversible(refusal, param="posting_id", kind=original.kind)


def _events(
    posting: Posting, items: dict[UUID, catalog.Resolved], places: dict[UUID, Place]
) -> list[Adjusted]:
    """A correction event for each place whose stock changes."""
    out = []
    for move in posting.moves:
        item = items[move.variant]
        for at, sign in ((places[move.from_location], -1), (places[move.to_location], 1)):
            if at.keeps_level:
                out.append(
                    Adjusted(
                        posting_id=posting.id, kind=posting.kind, variant_id=move.variant, sku=item.sku, location_id=at.id,
                        location_code=at.code, site_id=at.site_id, reason=posting.reason,
                        quantity=format_units(sign * move.quantity, item.decimals),
                    )
                )  # fmt: skip
    return out


def shown_lines(reversal: Reversal) -> list[dict[str, str]]:
    """The lines of a reversal as answers show them."""
    return [_shown(m, reversal) for m in reversal.posting.moves]


def _shown(move: Move, reversal: Reversal) -> dict[str, str]:
    item, places = reversal.items[move.variant], reversal.places
    return {
        "variant_id": str(move.variant), "sku": item.sku, "unit": item.unit,
        "quantity": format_units(move.quantity, item.decimals),
        "from_code": places[move.from_location].code, "from_condition": Condition(move.from_condition).name,
        "to_code": places[move.to_location].code, "to_condition": Condition(move.to_condition).name,
    }  # fmt: skip
