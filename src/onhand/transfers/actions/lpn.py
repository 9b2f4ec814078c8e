"""Moving a load carrier (pallet, tote, cart) with all that is on it.

Within a site its parent changes and no stock moves. Between sites the contents move in the ledger, in one posting: a level
belongs to a site, so the carrier is another row of the tree there (docs/why/lot-owner-and-lpn.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from onhand import access, ledger, locations
from onhand.access import Caller
from onhand.kit.problem import InvalidBody
from onhand.kit.tx import Tx
from onhand.ledger import Book, Condition, Kind, Mode, Move, Posting, Spot
from onhand.locations import MOVABLE_KINDS, Place
from onhand.transfers import store
from onhand.transfers.model import NotMovable

_STAYS = (Condition.hold, Condition.quarantine, Condition.recalled)
"""Conditions in which goods do not leave a site on a load carrier."""


@dataclass(frozen=True, slots=True)
class LpnMoved:
    """Where a load carrier is now. `lpn_id` is another than before where it went to another site; `lines`: levels moved."""

    id: UUID
    lpn_id: UUID
    path: str
    site_id: UUID
    lines: int


async def move_lpn(
    tx: Tx, caller: Caller, *, id: UUID | None, lpn: Spot, target: Spot, happened_at: datetime | None = None
) -> LpnMoved:
    """Move a load carrier to a place. Raises NotMovable, LocationClosed, LotHeld (held, quarantined or recalled goods would
    leave the site), InsufficientStock (some of it is reserved there), LocationCodeTaken, UnknownLocation, Forbidden."""
    (carrier, end), places = await ledger.find_places(tx.conn, [lpn, target])
    if carrier.kind not in MOVABLE_KINDS:
        raise NotMovable(f"{carrier.path} is a {carrier.kind}.", param=lpn.param)
    for place, spot in ((carrier, lpn), (end, target)):
        caller.require("stock:move", place.site_id)
        if place.closed:
            raise ledger.LocationClosed(f"{place.path} is closed.", param=spot.param)
    if end.path == carrier.path or end.path.startswith(f"{carrier.path}/"):
        raise InvalidBody("A load carrier cannot stand on itself.", param=target.param)
    access.name_action(tx, "lpn.moved")
    assert end.site_id is not None
    step = tx.new_id(id)
    if carrier.site_id == end.site_id:
        moved = await locations.change_location(tx, carrier.id, version=None, changes={"parent_id": end.id})
        return LpnMoved(step, carrier.id, moved.path, end.site_id, 0)
    old = [p.id for p in places.values() if p.path == carrier.path or p.path.startswith(f"{carrier.path}/")]
    ids = await locations.carry_to_site(tx, carrier.id, end)
    count = await _carry(tx, step, old, ids, places, ledger.check_instant(tx, happened_at))
    await locations.close_carried(tx, list(ids))
    return LpnMoved(step, ids[carrier.id], f"{end.path}/{carrier.code}", end.site_id, count)


async def _carry(
    tx: Tx, step: UUID, old: Sequence[UUID], ids: dict[UUID, UUID], places: Mapping[UUID, Place], at: datetime
) -> int:
    keys = [(r.variant, r.location, r.lot, r.condition) for r in await store.contents(tx.conn, old)]
    if not keys:
        return 0
    _refuse_held([key[3] for key in keys])

    def posting(quantities: dict[tuple[UUID, UUID, UUID, int], int]) -> Posting:
        moves = tuple(
            Move(
                variant=v, lot=lot, quantity=quantities[v, place, lot, c], from_location=place, from_condition=c,
                to_location=ids[place], to_condition=c,
            )
            for v, place, lot, c in keys if quantities[v, place, lot, c] > 0
        )  # fmt: skip
        return Posting(
            id=step, kind=Kind.transfer.value, source_type="lpn_move", source_id=step, actor=tx.actor.id,
            caller=tx.actor.id, happened_at=at, mode=Mode.strict, moves=moves,
            digest=ledger.digest_of("lpn_move", sorted(str(i) for i in old), sorted(str(i) for i in ids.values())),
        )  # fmt: skip

    async def revise(book: Book) -> Sequence[Posting]:
        found = posting({key: book.levels[key].on_hand for key in keys})
        return [found] if found.moves else []

    await ledger.post(tx, [posting(dict.fromkeys(keys, 1))], revise=revise)
    tx.record(
        "posting", step, None,
        {"kind": "transfer", "lpn": places[old[0]].path, "lines": len(keys)},
    )  # fmt: skip
    return len(keys)


def _refuse_held(conditions: Sequence[int]) -> None:
    held = sorted({Condition(c).name for c in conditions if Condition(c) in _STAYS})
    if held:
        raise ledger.LotHeld(
            f"Goods on it are in condition {', '.join(held)}; they stay at this site until that is lifted.",
            param="lpn_id", conditions=held,
        )  # fmt: skip
