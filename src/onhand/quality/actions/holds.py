"""Holds: take goods out of sale by lot, variant or place, everywhere in one posting batch; and give them back.

Goods that come later under an open hold land on hold: receipts and moves put them there themselves, and `enforce_holds`
(a job) does it for whatever came another way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

import sqlalchemy as sa

from onhand import locations, lots
from onhand.access import Caller
from onhand.kit.problem import Forbidden, IdReused, InvalidBody, NotFound, Stale
from onhand.kit.tx import Tx
from onhand.ledger import Condition, Kind
from onhand.quality import store
from onhand.quality.actions.shift import Shifted, Wanted, by_site, numbered, shift
from onhand.quality.events import LotRecalled, StockHeld, StockReleased


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHold:
    """What to hold: a lot, a variant, or a place with everything in it; of several, the goods that are all of it."""

    id: UUID | None = None
    lot_id: UUID | None = None
    variant_id: UUID | None = None
    location_id: UUID | None = None
    condition: str = "hold"
    reason: str


_LOT = sa.text(
    "SELECT l.code, l.variant_id, v.sku FROM lot l JOIN variant v ON v.id = l.variant_id WHERE l.id = :id"
)
_VARIANT = sa.text("SELECT 1 FROM variant WHERE id = :id AND merged_into IS NULL")
_SITE = sa.text("SELECT site_id FROM location WHERE id = :id AND keeps_level")


async def place_hold(tx: Tx, caller: Caller, new: NewHold) -> UUID:
    """Hold what lies available in the scope, everywhere, in one posting batch. Reserved goods are held too: a fact.

    Raises InvalidBody without a scope, NotFound for one that is nothing, Forbidden outside the caller's places, IdReused.
    """
    if new.lot_id is None and new.variant_id is None and new.location_id is None:
        raise InvalidBody("Say what to hold: a lot, a variant or a place.", param="lot_id")
    await _check_scope(tx, caller, new)
    hold_id = tx.new_id(new.id)
    fresh = await lots.insert_hold(
        tx.conn,
        {
            "id": hold_id, "lot_id": new.lot_id, "variant_id": new.variant_id, "location_id": new.location_id,
            "condition": new.condition, "reason": new.reason, "placed_at": tx.now, "placed_by": tx.actor.id,
            "placed_by_name": tx.actor.name,
        },
    )  # fmt: skip
    if not fresh:
        raise IdReused(param="id")
    tx.record(
        "hold",
        hold_id,
        None,
        {"state": "open", **_scope(new), "condition": new.condition, "reason": new.reason},
    )
    shifted = await _hold_what_lies(tx, hold_id, new, rounds=0)
    if new.condition == "recalled" and new.lot_id is not None:
        lot = (await tx.conn.execute(_LOT, {"id": new.lot_id})).one()
        tx.emit(
            LotRecalled(
                lot_id=new.lot_id, lot_code=lot.code, variant_id=lot.variant_id, sku=lot.sku, hold_id=hold_id, reason=new.reason
            )
        )  # fmt: skip
    _say_held(tx, hold_id, new, shifted)
    return hold_id


def _scope(new: NewHold) -> dict[str, str]:
    named = {"lot_id": new.lot_id, "variant_id": new.variant_id, "location_id": new.location_id}
    return {name: str(value) for name, value in named.items() if value is not None}


async def _check_scope(tx: Tx, caller: Caller, new: NewHold) -> None:
    for sql, value, name in (
        (_LOT, new.lot_id, "lot_id"), (_VARIANT, new.variant_id, "variant_id"), (_SITE, new.location_id, "location_id")
    ):  # fmt: skip
        if value is not None and (await tx.conn.execute(sql, {"id": value})).first() is None:
            raise NotFound(f"There is nothing by this {name}.", param=name)
    site = None
    if new.location_id is not None:
        site = (await tx.conn.execute(_SITE, {"id": new.location_id})).scalar()
    require_hold(caller, site)


def require_hold(caller: Caller, site: UUID | None) -> None:
    """A hold of one site needs the permission there; one of every site needs it everywhere. Raises Forbidden."""
    caller.require("stock:hold", site)
    if site is None and caller.sites("stock:hold") is not None:
        raise Forbidden(
            "This concerns every site, and you may hold stock at some only. Name a place of yours.",
            needs="stock:hold",
        )


async def _hold_what_lies(tx: Tx, hold_id: UUID, scope: NewHold, *, rounds: int) -> list[Shifted]:
    lying = await store.in_scope(
        tx.conn, lot_id=scope.lot_id, variant_id=scope.variant_id, location_id=scope.location_id
    )
    wanted = [Wanted(one, int(Condition[scope.condition])) for one in lying]
    shifted = await shift(
        tx, wanted, kind=Kind.hold, source=("hold", hold_id), reason=scope.reason,
        id_of=numbered("hold", str(hold_id), str(rounds), wanted=wanted),
    )  # fmt: skip
    if shifted:
        await lots.add_hold_lines(
            tx.conn,
            hold_id,
            [
                (s.wanted.lying.variant, s.wanted.lying.lot, s.wanted.lying.location, s.quantity)
                for s in shifted
            ],
        )
        await lots.update_hold(tx.conn, hold_id, {"rounds": rounds + 1})
    return shifted


def _say_held(tx: Tx, hold_id: UUID, scope: NewHold, shifted: Sequence[Shifted]) -> None:
    for one in by_site(shifted):
        tx.emit(StockHeld(hold_id=hold_id, condition=scope.condition, reason=scope.reason, **asdict(one)))


async def enforce_holds(tx: Tx, hold_id: UUID) -> int:
    """Hold what came available under an open hold since; answers how many levels. Somebody working on the hold goes first."""
    row = await lots.lock_hold(tx.conn, hold_id, wait=False)
    if row is None or row.state != "open":
        return 0
    scope = NewHold(
        lot_id=row.lot_id, variant_id=row.variant_id, location_id=row.location_id, condition=row.condition, reason=row.reason
    )  # fmt: skip
    shifted = await _hold_what_lies(tx, hold_id, scope, rounds=row.rounds)
    if shifted:
        tx.record("hold", hold_id, {"rounds": row.rounds}, {"rounds": row.rounds + 1, "levels": len(shifted)})
    _say_held(tx, hold_id, scope, shifted)
    return len(shifted)


async def release_hold(
    tx: Tx, caller: Caller, hold_id: UUID, *, reason: str, version: int | None = None
) -> None:
    """Give back what a hold took, wherever it lies now, in one posting batch.

    What another open hold covers, what expired or waits for a certificate goes there instead of becoming available. Goods
    that somebody else put into the same condition stay. Raises NotFound, AlreadyReleased, Stale, Forbidden.
    """
    row = await lots.lock_hold(tx.conn, hold_id)
    if row is None:
        raise NotFound("There is no hold with this id.", param="id")
    site = None
    if row.location_id is not None:
        site = (await tx.conn.execute(_SITE, {"id": row.location_id})).scalar()
    require_hold(caller, site)
    if version is not None and version != row.version:
        raise Stale(param="If-Match", version=row.version)
    state = lots.advance("hold", row.state, "release")
    done = {
        "state": state,
        "released_at": tx.now,
        "released_by": tx.actor.id,
        "released_by_name": tx.actor.name,
    }
    await lots.update_hold(tx.conn, hold_id, {**done, "release_reason": reason})
    tx.record("hold", hold_id, {"state": row.state}, {"state": state, "reason": reason})
    lines = await store.held_lines(tx.conn, hold_id)
    released = await give_back(
        tx, lines, condition=row.condition, source=("hold", hold_id), reason=reason, round_of=str(row.rounds)
    )
    for one in by_site(released):
        tx.emit(
            StockReleased(
                source_type="hold", source_id=hold_id, condition=row.condition, reason=reason, **asdict(one)
            )
        )


async def give_back(
    tx: Tx, lines: Sequence[lots.HeldLine], *, condition: str, source: tuple[str, UUID], reason: str, round_of: str
) -> list[Shifted]:  # fmt: skip
    """Move held quantities to where they belong now. Goods may have been carried since: what is gone from its place is looked
    for wherever the same variant and lot lies in that condition."""
    held: dict[tuple[UUID, UUID], int] = {}
    for variant, lot, _, quantity in lines:
        held[variant, lot] = held.get((variant, lot), 0) + quantity
    if not held:
        return []
    lying = await store.of_goods(tx.conn, held, condition=int(Condition[condition]))
    sites = frozenset((await locations.sites_of(tx.conn, {place for _, _, place, _ in lines})).values())
    elsewhere = await lots.arrivals(tx.conn, [one.goods for one in lying], now=tx.now)
    wanted: list[Wanted] = []
    passed: dict[UUID, list[lots.HeldLine]] = {}
    for one, most in share_out(lying, lines, sites=sites):
        target = elsewhere.get(one.goods)
        if target is not None and target.hold is not None:
            passed.setdefault(target.hold.id, []).append((one.variant, one.lot, one.location, most))
        if target is None or target.condition != condition:
            wanted.append(Wanted(one, int(Condition[target.condition]) if target else 0, most))
    for other, taken in passed.items():
        await lots.add_hold_lines(tx.conn, other, taken)
    return await shift(
        tx, wanted, kind=Kind.release_hold, source=source, reason=reason,
        id_of=numbered("release", str(source[1]), round_of, wanted=wanted),
    )  # fmt: skip


def share_out(
    lying: Sequence[store.Lying], lines: Sequence[lots.HeldLine], *, sites: frozenset[UUID]
) -> list[tuple[store.Lying, int]]:
    """Which of what lies in a condition is what a hold put there: first what it put in that very place, then what was carried
    within its sites, then what was carried further. Never more than it took. Pure."""
    left: dict[tuple[UUID, UUID], int] = {}
    there: dict[lots.Goods, int] = {}
    for variant, lot, place, quantity in lines:
        left[variant, lot] = left.get((variant, lot), 0) + quantity
        there[variant, lot, place] = there.get((variant, lot, place), 0) + quantity
    taken = dict.fromkeys((one.goods for one in lying), 0)
    near = sorted(lying, key=lambda one: one.site not in sites)
    for order, bound in ((lying, there), (near, None)):
        for one in order:
            free = one.on_hand - taken[one.goods]
            most = min(
                left[one.variant, one.lot], free if bound is None else min(free, bound.get(one.goods, 0))
            )
            taken[one.goods] += most
            left[one.variant, one.lot] -= most
    return [(one, taken[one.goods]) for one in lying if taken[one.goods]]
