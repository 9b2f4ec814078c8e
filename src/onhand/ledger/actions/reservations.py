"""What can be done with a reservation: extend, consume, release; and what the clock does: expire.

Every verb locks the document first, then the levels it may touch, decides under both, and writes lines, state and posting in
one commit. So a verb and the clock never both have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from onhand import access, catalog, locations
from onhand.access import Caller
from onhand.catalog import Resolved
from onhand.kit.ids import NIL, uuid7
from onhand.kit.outbox import Event
from onhand.kit.problem import InvalidBody, NotFound, Stale
from onhand.kit.tx import Tx
from onhand.ledger import store
from onhand.ledger.actions.common import Spot, find_places
from onhand.ledger.actions.reserve import missing
from onhand.ledger.batch import EventRow
from onhand.ledger.decide import Book, SiteKey
from onhand.ledger.events import (
    ReservationConsumed,
    ReservationExtended,
    ReservationRanOut,
    ReservationReleased,
    ReservedLine,
)
from onhand.ledger.lane import event_row
from onhand.ledger.model import Claim, Kind, Move, Posting, Shortage, digest_of
from onhand.ledger.reservations import (
    Held,
    Reservation,
    ReservationExpired,
    State,
    advance,
    claims_of,
    ends_at,
    take_from,
)
from onhand.locations import Place, virtual_id
from onhand.values import format_units, parse_units

Wanted = Sequence[tuple[int, str]]
"""Line numbers with quantities as decimal text."""
Taken = list[tuple[Held, int]]
_EVENTS: dict[str, Callable[..., Any]] = {
    "extend": ReservationExtended,
    "consume": ReservationConsumed,
    "release": ReservationReleased,
    "expire": ReservationRanOut,
}
_CANDIDATES = 20
"""Places of a site looked at for goods of one variant."""


@dataclass(slots=True)
class Step:
    """One verb on one locked reservation: what its lines mean, and what it did."""

    held: Reservation
    items: dict[UUID, Resolved]
    places: dict[UUID, Place]
    taken: Taken = field(default_factory=list)

    def quantities(self, wanted: Wanted | None) -> list[tuple[int, int]] | None:
        """Quantities as people write them, in smallest units. Raises BadValue; a line there is not is left to `take_from`."""
        if wanted is None:
            return None
        decimals = {line.line: self.items[line.variant].decimals for line in self.held.lines}
        return [
            (n, parse_units(text, decimals.get(n, 0), f"lines[{i}].quantity"))
            for i, (n, text) in enumerate(wanted)
        ]

    def rows(self, verb: str, at: datetime) -> list[EventRow]:
        """The events as the ledger writes them with a posting."""
        return [event_row(event, at) for event in self.events(verb)]

    def events(self, verb: str) -> list[Event]:
        """What is told of it, one event a site."""
        by_site: dict[UUID, list[ReservedLine]] = {}
        for line, quantity in self.taken:
            item = self.items[line.variant]
            by_site.setdefault(line.site, []).append(
                ReservedLine(
                    line=line.line, variant_id=line.variant, sku=item.sku, quantity=format_units(quantity, item.decimals),
                    open=format_units(line.open, item.decimals),
                )
            )  # fmt: skip
        held = self.held
        return [
            _EVENTS[verb](
                reservation_id=held.id, kind=held.kind.value, state=held.state.value, reference=held.reference,
                channel_id=held.channel_id, site_id=site, site_code=self.places[site].code, expires_at=held.expires_at,
                lines=tuple(lines),
            )
            for site, lines in by_site.items()
        ]  # fmt: skip

    def refuse_expired(self, shortages: Sequence[Shortage]) -> None:
        """Raise ReservationExpired with what is missing."""
        told: Any = missing(shortages, self.items, self.places)
        raise ReservationExpired(**told)


async def _locked(
    tx: Tx, caller: Caller | None, reservation_id: UUID, needs: Sequence[str], *, version: int | None = None
) -> Step:
    """The reservation, locked, with what its lines name. `caller` None: an upper floor has asked already.

    Raises NotFound, Forbidden, Stale.
    """
    held = await store.lock_reservation(tx.conn, reservation_id)
    seen = held is not None and (caller is None or any(caller.may("stock:read", site) for site in held.sites))
    if held is None or not seen:
        raise NotFound("There is no reservation with this id.", param="reservation_id")
    if caller is not None:
        for site in held.sites:
            for permission in needs:
                caller.require(permission, site)
    if version is not None and version != held.version:
        raise Stale(param="If-Match", version=held.version)
    return await _understood(tx, held)


async def _understood(tx: Tx, held: Reservation, places: dict[UUID, Place] | None = None) -> Step:
    found = await catalog.resolve_ids(tx.conn, {line.variant for line in held.lines})
    return Step(held, found, places if places is not None else await locations.directory(tx.conn))


def _posting(
    tx: Tx, kind: Kind, held: Reservation, *, id: UUID, digest: bytes, claims: Sequence[Claim] = (),
    moves: Sequence[Move] = (), reason: str | None = None,
) -> Posting:  # fmt: skip
    return Posting(
        id=id, kind=kind.value, source_type="reservation", source_id=held.id, actor=tx.actor.id, caller=tx.actor.id,
        happened_at=tx.now, moves=tuple(moves), claims=tuple(claims), digest=digest, reason=reason,
    )  # fmt: skip


def _every_key(held: Reservation) -> tuple[Claim, ...]:
    """Names each site level of a reservation, so that it is locked."""
    return tuple(Claim(held.id, key[0], key[1], -1) for key in dict.fromkeys(x.key for x in held.lines))


async def _write(tx: Tx, step: Step, verb: str, *, reason: str | None = None) -> None:
    """Write lines and state down, and note the step for the audit log."""
    held = step.held
    held.version += 1
    await store.write_reservations(tx.conn, [held])
    access.name_action(tx, f"reservation.{verb}")
    shown = [
        f"{step.items[line.variant].sku} {format_units(q, step.items[line.variant].decimals)}" for line, q in step.taken
    ]  # fmt: skip
    end = held.expires_at.isoformat() if held.expires_at else None
    tx.record(
        "reservation", held.id, {"version": held.version - 1},
        {"version": held.version, "state": held.state.value, verb: shown, "expires_at": end, "reason": reason},
    )  # fmt: skip


async def release(
    tx: Tx, caller: Caller | None, *, reservation_id: UUID, id: UUID | None = None, lines: Wanted | None = None,
    reason: str | None = None, version: int | None = None,
) -> Step:  # fmt: skip
    """Give back some of a reservation's lines, or everything it holds. Safe to repeat with the same id.

    Raises NotFound, Forbidden, Stale, ReservationEnded, MoreThanReserved, InvalidBody, BadValue, IdReused.
    """
    posting_id = tx.new_id(id)
    again = await store.acted(tx.conn, [posting_id])
    step = await _locked(tx, caller, reservation_id, ["stock:reserve"], version=None if again else version)
    held, digest = step.held, digest_of("release", reservation_id, lines)

    async def revise(book: Book) -> Sequence[Posting]:
        target = advance(held.state, "release")
        step.taken = take_from(held.lines, step.quantities(lines))
        claims = claims_of(held.id, [(line.key, -quantity) for line, quantity in step.taken])
        for line, quantity in step.taken:
            line.released += quantity
        if not any(line.open for line in held.lines):
            held.state = target
        return [_posting(tx, Kind.release, held, id=posting_id, digest=digest, claims=claims, reason=reason)]

    named = _posting(tx, Kind.release, held, id=posting_id, digest=digest, claims=_every_key(held))
    await store.post(tx, [named], revise=revise, events=lambda _l, _p: step.rows("release", tx.now))
    if step.taken:
        await _write(tx, step, "release", reason=reason)
    return step


async def preview_release(
    tx: Tx, caller: Caller, *, reservation_id: UUID, lines: Wanted | None = None
) -> Step:
    """What a release would give back; writes nothing. Raises as `release`."""
    step = await _locked(tx, caller, reservation_id, ["stock:reserve"])
    advance(step.held.state, "release")
    step.taken = take_from(step.held.lines, step.quantities(lines))
    return step


async def extend(
    tx: Tx, caller: Caller | None, *, reservation_id: UUID, id: UUID | None = None, expires_at: datetime | None = None,
    expires_in: int | None = None, version: int | None = None,
) -> Step:  # fmt: skip
    """Let a reservation hold until another instant. One that has run out is made again, if all it held is still free.

    Raises NotFound, Forbidden, Stale, ReservationEnded, ReservationExpired, InvalidBody, IdReused.
    """
    posting_id = tx.new_id(id)
    again = await store.acted(tx.conn, [posting_id])
    step = await _locked(tx, caller, reservation_id, ["stock:reserve"], version=None if again else version)
    held, digest = step.held, digest_of("extend", reservation_id, expires_at, expires_in)
    end = ends_at(held.kind, now=tx.now, expires_at=expires_at, expires_in=expires_in)
    if held.state is State.open and not held.lapsed:
        step.taken = [(line, line.open) for line in held.lines if line.open]
        held.expires_at = end
        return await _extended(tx, step)
    done: list[bool] = []

    async def revise(book: Book) -> Sequence[Posting]:
        target = advance(held.state, "extend")
        back = (
            [(line, line.expired) for line in held.lines if line.expired]
            if held.state is State.expired
            else []
        )
        if held.lapsed or back:
            need = {line.key: 0 for line in held.lines if line.open}
            for line, quantity in back:
                need[line.key] = need.get(line.key, 0) + quantity
            _check_free(step, book, need)
        step.taken = [(line, line.open + line.expired) for line in held.lines]
        for line, quantity in back:
            line.expired -= quantity
        held.state, held.expires_at = target, end
        done.append(True)
        claims = claims_of(held.id, [(line.key, quantity) for line, quantity in back])
        return (
            [_posting(tx, Kind.reserve, held, id=posting_id, digest=digest, claims=claims)] if claims else []
        )

    named = _posting(tx, Kind.reserve, held, id=posting_id, digest=digest, claims=_every_key(held))
    posted = await store.post(tx, [named], revise=revise, events=lambda _l, _p: step.rows("extend", tx.now))
    if done and posted.outcomes:
        await _write(tx, step, "extend")
    return await _extended(tx, step) if done and not posted.outcomes else step


async def _extended(tx: Tx, step: Step) -> Step:
    """Only its end has changed; no claim did, so no posting carries the event."""
    for event in step.events("extend"):
        tx.emit(event)
    await _write(tx, step, "extend")
    return step


def _check_free(step: Step, book: Book, need: Mapping[SiteKey, int]) -> None:
    """An expired reservation may go on only with what is still free. Raises ReservationExpired."""
    short = []
    for key, quantity in need.items():
        row = book.sites[key]
        left = row.sellable - row.reserved
        if left < quantity:
            short.append(Shortage(key[0], key[1], quantity - left, left))
    if short:
        step.refuse_expired(short)


async def consume(
    tx: Tx, caller: Caller | None, *, reservation_id: UUID, id: UUID | None = None, lines: Wanted | None = None,
    source: Spot | None = None, version: int | None = None,
) -> Step:  # fmt: skip
    """Reserved goods leave to the customer: the claim is given back in the posting that moves them, so nobody comes between.

    Where no place is named, they are taken from where most of the variant lies free at the site. What has expired is looked
    at again: it may go if it is still free. Raises NotFound, Forbidden, Stale, ReservationEnded, ReservationExpired,
    MoreThanReserved, InsufficientStock, InvalidBody, BadValue, IdReused.
    """
    posting_id = tx.new_id(id)
    again = await store.acted(tx.conn, [posting_id])
    needs = ["stock:reserve", "stock:move"]
    step = await _locked(tx, caller, reservation_id, needs, version=None if again else version)
    held = step.held
    digest = digest_of(
        "consume", reservation_id, lines, source.id if source else None, source.code if source else None
    )
    candidates = await _candidates(tx, step, source)

    async def revise(book: Book) -> Sequence[Posting]:
        lapsed = held.lapsed or held.state is State.expired
        step.taken = take_from(held.lines, step.quantities(lines), lapsed=lapsed)
        advance(held.state, "consume")
        moves = _moves(step.taken, candidates, book)
        claims = _given_back(step, book, lapsed=lapsed)
        if not any(line.open for line in held.lines):
            ran_out = any(line.expired for line in held.lines)
            held.state = State.expired if ran_out else advance(held.state, "consume")
        return [_posting(tx, Kind.ship, held, id=posting_id, digest=digest, claims=claims, moves=moves)]

    named = _posting(
        tx, Kind.ship, held, id=posting_id, digest=digest, claims=_every_key(held),
        moves=[_out(line.variant, at, lot, 1) for line in held.lines for at, lot in candidates[line.key]],
    )  # fmt: skip
    await store.post(tx, [named], revise=revise, events=lambda _l, _p: step.rows("consume", tx.now))
    if step.taken:
        await _write(tx, step, "consume")
    return step


def _given_back(step: Step, book: Book, *, lapsed: bool) -> tuple[Claim, ...]:
    """Book what is consumed on the lines, and answer the claims given back. Of a lapsed reservation nothing stays held."""
    held = step.held
    if lapsed:
        need: dict[SiteKey, int] = {}
        for line, quantity in step.taken:
            need[line.key] = need.get(line.key, 0) + quantity
        for line in held.lines:
            if line.key in need:
                need[line.key] -= line.open
        _check_free(step, book, need)
    back: list[tuple[SiteKey, int]] = []
    for line, quantity in step.taken:
        held_part = min(quantity, line.open)
        back.append((line.key, -held_part))
        line.expired -= quantity - held_part
        line.consumed += quantity
    if lapsed:
        for line in held.lines:
            back.append((line.key, -line.open))
            line.expired += line.open
    return claims_of(held.id, back)


def _out(variant: UUID, place: UUID, lot: UUID, quantity: int) -> Move:
    return Move(
        variant=variant, from_location=place, to_location=virtual_id("customer"), quantity=quantity, lot=lot
    )  # fmt: skip


async def _candidates(tx: Tx, step: Step, source: Spot | None) -> dict[SiteKey, list[tuple[UUID, UUID]]]:
    """Where goods of each line may be taken from, as (place, lot), the best first."""
    keys = list(dict.fromkeys(line.key for line in step.held.lines))
    place: Place | None = None
    if source is not None:
        place = (await find_places(tx.conn, [source]))[0][0]
        if any(place.site_id != site for _, site in keys):
            raise InvalidBody(
                "This place does not belong to the site of the reservation.", param=source.param
            )
    free = await store.free_levels(tx.conn, [v for v, _ in keys], [s for _, s in keys])
    found: dict[SiteKey, list[tuple[UUID, UUID]]] = {}
    for key in keys:
        here = [(f.location, f.lot) for f in free if (f.variant, f.site) == key and f.free > 0]
        if place is not None:
            here = [(at, lot) for at, lot in here if at == place.id]
        fallback = (place.id if place is not None else key[1], NIL)
        found[key] = here[:_CANDIDATES] or [fallback]
    return found


def _moves(taken: Taken, candidates: Mapping[SiteKey, Sequence[tuple[UUID, UUID]]], book: Book) -> list[Move]:
    """Take quantities from places by what the locked levels say; what none has is asked of the first, for the judge to name."""
    used: dict[tuple[UUID, UUID, UUID], int] = {}
    for line, quantity in taken:
        left = quantity
        for at, lot in candidates[line.key]:
            row = book.levels.get((line.variant, at, lot, 0))
            have = (row.on_hand - row.allocated if row else 0) - used.get((line.variant, at, lot), 0)
            part = min(left, max(0, have))
            if part:
                used[line.variant, at, lot] = used.get((line.variant, at, lot), 0) + part
                left -= part
        if left:
            at, lot = candidates[line.key][0]
            used[line.variant, at, lot] = used.get((line.variant, at, lot), 0) + left
    return [_out(variant, at, lot, quantity) for (variant, at, lot), quantity in used.items()]


async def expire_due(tx: Tx, *, limit: int = 200) -> int:
    """Give back what reservations hold whose end has come, by the database's clock; how many. Those that somebody works on
    just now are left for the next time."""
    due = await store.lock_due(tx.conn, limit=limit)
    if not due:
        return 0
    places = await locations.directory(tx.conn)
    variants = {line.variant for held in due for line in held.lines}
    found = await catalog.resolve_ids(tx.conn, variants)
    postings, rows = [], []
    for held in due:
        step = Step(held, found, places, [(line, line.open) for line in held.lines if line.open])
        claims = claims_of(held.id, [(line.key, -quantity) for line, quantity in step.taken])
        for line, quantity in step.taken:
            line.expired += quantity
        held.state, held.version = advance(held.state, "expire"), held.version + 1
        rows += step.rows("expire", tx.now)
        if claims:
            digest = digest_of("expire", held.id, held.version)
            postings.append(_posting(tx, Kind.expire, held, id=uuid7(), digest=digest, claims=claims))
    if postings:
        await store.post(tx, postings, events=lambda _l, _p: rows)
    await store.write_reservations(tx.conn, due)
    return len(due)
