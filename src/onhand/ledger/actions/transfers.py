"""Moves between places and conditions, and one-step transfers between sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from onhand import access
from onhand.access import Caller
from onhand.kit.problem import InvalidBody
from onhand.kit.tx import Tx
from onhand.ledger import store
from onhand.ledger.actions.common import (
    Done,
    Goods,
    Line,
    Spot,
    check_instant,
    find_places,
    landed,
    level_of,
    number,
    understand,
)
from onhand.ledger.decide import Directory
from onhand.ledger.model import (
    Condition,
    InvalidPosting,
    Kind,
    LocationKeepsNoStock,
    Move,
    Posting,
    digest_of,
)
from onhand.locations import Place
from onhand.values import format_units

MAX_LINES = 500


async def move(
    tx: Tx, caller: Caller, *, id: UUID | None, source: Spot, target: Spot, goods: Goods,
    from_condition: Condition = Condition.available, to_condition: Condition | None = None,
    happened_at: datetime | None = None, reason: str | None = None,
) -> Done:  # fmt: skip
    """Move a quantity from a place and condition to another. In one place, a change of condition is a hold or its release.

    Raises InsufficientStock, UnknownVariant, UnknownLocation, LocationClosed, Forbidden, IdReused, HappenedAhead, BadValue.
    """
    (start, end), _ = await find_places(tx.conn, [source, target])
    for place in (start, end):
        caller.require("stock:move", place.site_id)
    line = (await understand(tx, [goods]))[0]
    condition = from_condition if to_condition is None else to_condition
    at = check_instant(tx, happened_at)
    moves: tuple[Move, ...] = (
        Move(
            variant=line.item.variant_id, lot=line.lot, quantity=_positive(line.quantity), from_location=start.id,
            from_condition=int(from_condition), to_location=end.id, to_condition=int(condition),
        ),
    )  # fmt: skip
    kind = _kind(start, end, from_condition, condition)
    posting = Posting(
        id=tx.new_id(id), kind=kind.value, source_type="move", source_id=tx.new_id(id), actor=tx.actor.id,
        caller=tx.actor.id, happened_at=at, moves=moves, digest=digest_of("move", moves, happened_at, reason), reason=reason,
    )  # fmt: skip
    posting = await landed(tx, posting)
    condition = Condition(posting.moves[0].to_condition)
    posted = await store.post(tx, [posting])
    outcome = posted.outcomes[0]
    if outcome.seq is None:
        access.name_action(tx, "stock.moved")
        tx.record(
            "posting", posting.id, None,
            {
                "kind": kind.value, "sku": line.item.sku, "quantity": format_units(line.quantity, line.item.decimals),
                "from": f"{start.path} {from_condition.name}", "to": f"{end.path} {condition.name}", "reason": reason,
            },
        )  # fmt: skip
    key = (line.item.variant_id, end.id, line.lot, int(condition))
    site = (line.item.variant_id, end.site_id) if end.site_id is not None else None
    level = level_of(posted, key, site, line.item.decimals)
    return Done(posting.id, "posted", kind.value, line.item, line.quantity, level, await number(tx, outcome))


def _positive(quantity: int) -> int:
    if quantity <= 0:
        raise InvalidPosting("A quantity that moves is above 0.", param="quantity")
    return quantity


def _kind(start: Place, end: Place, before: Condition, after: Condition) -> Kind:
    if start.id == end.id and before is not after:
        return Kind.release_hold if after is Condition.available else Kind.hold
    return Kind.move if start.site_id == end.site_id else Kind.transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLine:
    """Goods to send; from and to a place of the two sites, where somebody says so."""

    goods: Goods
    source: Spot | None = None
    target: Spot | None = None


async def transfer(
    tx: Tx, caller: Caller, *, id: UUID | None, source: Spot, target: Spot, lines: Sequence[TransferLine],
    happened_at: datetime | None = None,
) -> Done:  # fmt: skip
    """Send goods from one site to another in one step: they leave and arrive at once, all of them or none.

    Where no place is named, goods are taken from where most of the variant lies free for sale, and put where the variant
    already lies at the other site, else in the site itself. Raises as `move`.
    """
    if not 1 <= len(lines) <= MAX_LINES:
        raise InvalidBody(f"A transfer has 1 to {MAX_LINES} lines.", param="lines")
    (start, end), places = await find_places(tx.conn, [source, target])
    for place, spot in ((start, source), (end, target)):
        caller.require("stock:move", place.site_id)
        if not place.is_site:
            raise LocationKeepsNoStock(
                f"{place.path} is no store or warehouse; name the site.", param=spot.param
            )
    if start.id == end.id:
        raise InvalidBody("A transfer needs two different sites; use a move inside one.", param=target.param)
    goods = await understand(tx, [line.goods for line in lines])
    asked = tuple((g.item.variant_id, g.lot, _positive(g.quantity)) for g in goods)
    moves = await _plan(tx, start, end, lines, goods, places)
    posting = Posting(
        id=tx.new_id(id), kind=Kind.transfer.value, source_type="transfer", source_id=tx.new_id(id), actor=tx.actor.id,
        caller=tx.actor.id, happened_at=check_instant(tx, happened_at), moves=tuple(moves),
        digest=digest_of("transfer", start.id, end.id, asked, happened_at),
    )  # fmt: skip
    posted = await store.post(tx, [await landed(tx, posting)])
    outcome = posted.outcomes[0]
    if outcome.seq is None:
        access.name_action(tx, "stock.transferred")
        tx.record(
            "posting",
            posting.id,
            None,
            {"kind": "transfer", "from": start.path, "to": end.path, "lines": len(lines)},
        )
    return Done(posting.id, "posted", Kind.transfer.value, quantity=len(lines), seq=await number(tx, outcome))


async def _plan(
    tx: Tx, start: Place, end: Place, lines: Sequence[TransferLine], goods: Sequence[Line], places: Directory
) -> list[Move]:
    """Choose where goods come from and go to. What is short is left to the judge: it is asked of the last place."""
    named, _ = await find_places(
        tx.conn, [s for line in lines for s in (line.source, line.target) if s is not None]
    )
    chosen = iter(named)
    free = await store.free_levels(tx.conn, [g.item.variant_id for g in goods], [start.id, end.id])
    moves: list[Move] = []
    for line, one in zip(lines, goods, strict=True):
        source = _inside(next(chosen), start, "from_location_id") if line.source is not None else None
        target = _inside(next(chosen), end, "to_location_id") if line.target is not None else None
        here = [f for f in free if f.variant == one.item.variant_id and f.lot == one.lot]
        to = target.id if target is not None else next((f.location for f in here if f.site == end.id), end.id)
        if source is not None:
            taken = [(source.id, one.quantity)]
        else:
            taken = _take([f for f in here if f.site == start.id], one.quantity, start.id)
        moves += [
            Move(
                variant=one.item.variant_id,
                lot=one.lot,
                from_location=place,
                to_location=to,
                quantity=quantity,
            )
            for place, quantity in taken
        ]
    return moves


def _inside(place: Place, site: Place, param: str) -> Place:
    if place.site_id != site.id:
        raise LocationKeepsNoStock(f"{place.path} is not a place of {site.path}.", param=param)
    return place


def _take(free: list[store.FreeLevel], quantity: int, otherwise: UUID) -> list[tuple[UUID, int]]:
    """Take a quantity from levels in their order, noting what was taken; what none has is asked of the first."""
    taken: list[tuple[UUID, int]] = []
    left = quantity
    for level in free:
        part = min(left, level.free)
        if part > 0:
            taken.append((level.location, part))
            level.free -= part
            left -= part
    if left:
        first = taken[0][0] if taken else (free[0].location if free else otherwise)
        taken = [(p, q + left if p == first else q) for p, q in taken] or [(first, left)]
    return taken
