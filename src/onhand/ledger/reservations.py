"""What a reservation is: its states, its lines, and who gets how much of what is free. Pure.

A reservation is a document over claims. What it holds at a site changes only by postings, so the sum of claims of its lines is
what the lines say is open, always; `onhand verify` compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from onhand.kit.problem import InvalidBody, Problem
from onhand.ledger.decide import SiteKey
from onhand.ledger.model import Claim, Shortage

MAX_LINES = 200
BASKET_SECONDS = 15 * 60
"""How long a basket holds where nobody says."""
LONGEST = timedelta(days=400)
"""The longest a reservation with an end may hold."""


class ReservationKind(StrEnum):
    """Who holds it: a shopper's basket (always with an end), an order, or a till's quota."""

    basket = "basket"
    order = "order"
    quota = "quota"


class Policy(StrEnum):
    """What a line wants when there is not enough: everything or nothing of the reservation, whatever there is, or the missing
    part as an approved backorder."""

    all_or_nothing = "all_or_nothing"
    what_there_is = "what_there_is"
    backorder = "backorder"


class State(StrEnum):
    """Open while something is held; then how it ended."""

    open = "open"
    consumed = "consumed"
    released = "released"
    expired = "expired"


class ReservationExpired(Problem):
    """This reservation has run out, and what it held is no longer free. Reserve again; `shortages` says what is missing."""

    status = 409


class ReservationEnded(Problem):
    """This reservation has ended; `state` says how. Make a new one."""

    status = 409


class MoreThanReserved(Problem):
    """More was asked of a line than it still holds; `open` says what is left."""

    status = 409


class BackorderNotApproved(Problem):
    """More is wanted than is there, and nobody approved backorders of this variant at this site, or not that many."""

    status = 409


TRANSITIONS: Mapping[State, Mapping[str, State]] = {
    State.open: {
        "consume": State.consumed,
        "extend": State.open,
        "release": State.released,
        "expire": State.expired,
    },
    State.expired: {"consume": State.consumed, "extend": State.open},
    State.consumed: {},
    State.released: {},
}
"""State → verb → the state once nothing is left open; while some is, it stays open. An expired one is looked at again: it may
be consumed or extended if what it held is still free."""

BY_PEOPLE = ("consume", "extend", "release")
"""Verbs that somebody may ask for; `expire` is the clock's."""


def can(state: State) -> list[str]:
    """What may be done with a reservation in a state."""
    return [verb for verb in BY_PEOPLE if verb in TRANSITIONS[state]]


def advance(state: State, verb: str) -> State:
    """The state a verb leads to. Raises ReservationEnded."""
    target = TRANSITIONS[state].get(verb)
    if target is None:
        raise ReservationEnded(state=state.value)
    return target


@dataclass(slots=True)
class Held:
    """A line as it stands, in smallest units: what was claimed in all, and what became of it."""

    line: int
    variant: UUID
    site: UUID
    policy: Policy
    requested: int
    claimed: int = 0
    consumed: int = 0
    released: int = 0
    expired: int = 0

    @property
    def open(self) -> int:
        """What it holds now."""
        return self.claimed - self.consumed - self.released - self.expired

    @property
    def key(self) -> SiteKey:
        """The site level it claims on."""
        return (self.variant, self.site)


@dataclass(slots=True)
class Reservation:
    """A reservation and its lines. `lapsed`: its end has come, by the database's clock, swept or not."""

    id: UUID
    kind: ReservationKind
    state: State
    expires_at: datetime | None
    version: int
    lines: list[Held]
    channel_id: UUID | None = None
    reference: str | None = None
    lapsed: bool = False

    @property
    def sites(self) -> set[UUID]:
        """Where it claims."""
        return {line.site for line in self.lines}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a line asks for, in smallest units."""

    variant: UUID
    site: UUID
    quantity: int
    policy: Policy = Policy.all_or_nothing


@dataclass(frozen=True, slots=True)
class Shared:
    """Who gets what: a quantity a wish; what is missing; whether something goes beyond what is there, as approved."""

    quantities: tuple[int, ...]
    shortages: tuple[Shortage, ...]
    beyond: bool = False


_FIRST = (Policy.all_or_nothing, Policy.backorder, Policy.what_there_is)


def share(
    wishes: Sequence[Wish], free: Mapping[SiteKey, int], approved: Mapping[SiteKey, int | None]
) -> Shared:
    """Share out what is free. Wishes of one variant and site are summed: those for all or nothing come first, then approved
    backorders, then those content with what there is; within a policy in their order.

    `free`: sellable − reserved by variant and site, may be below zero. `approved`: how far below zero backorders may take
    it (None: any; absent: not at all).
    """
    left = dict(free)
    got = [0] * len(wishes)
    beyond = False
    short: dict[SiteKey, int] = {}
    for policy in _FIRST:
        for n, wish in enumerate(wishes):
            if wish.policy is not policy:
                continue
            key = (wish.variant, wish.site)
            have = left.get(key, 0)
            if policy is Policy.what_there_is:
                got[n] = min(wish.quantity, max(0, have))
            else:
                got[n] = wish.quantity
                bound = _bound(policy, key, have, approved)
                if bound is not None and wish.quantity > bound:
                    short[key] = short.get(key, 0) + wish.quantity - max(0, bound)
                beyond = beyond or (policy is Policy.backorder and wish.quantity > have)
            left[key] = have - got[n]
    shortages = [
        Shortage(variant, site, missing, free.get((variant, site), 0))
        for (variant, site), missing in short.items()
    ]
    if not any(got) and not shortages:
        for key in dict.fromkeys((w.variant, w.site) for w in wishes):
            wanted = sum(w.quantity for w in wishes if (w.variant, w.site) == key)
            shortages.append(Shortage(key[0], key[1], wanted, free.get(key, 0)))
    return Shared(tuple(got), tuple(shortages), beyond and not shortages)


def _bound(policy: Policy, key: SiteKey, have: int, approved: Mapping[SiteKey, int | None]) -> int | None:
    """The most such a wish may take; None: any."""
    if policy is Policy.backorder and key in approved:
        limit = approved[key]
        return None if limit is None else have + limit
    return have


def claims_of(reservation: UUID, lines: Sequence[tuple[SiteKey, int]]) -> tuple[Claim, ...]:
    """One claim a variant and site, summed over lines; signed."""
    summed: dict[SiteKey, int] = {}
    for key, quantity in lines:
        summed[key] = summed.get(key, 0) + quantity
    return tuple(Claim(reservation, key[0], key[1], quantity) for key, quantity in summed.items() if quantity)


def take_from(
    lines: Sequence[Held], wanted: Sequence[tuple[int, int]] | None, *, lapsed: bool = False
) -> list[tuple[Held, int]]:
    """Which lines give how much: those named with their quantities (smallest units), or everything open.

    `lapsed`: what has expired counts as if it were still held. Raises InvalidBody for a line there is not, MoreThanReserved.
    """

    def left(line: Held) -> int:
        return line.open + (line.expired if lapsed else 0)

    if wanted is None:
        return [(line, left(line)) for line in lines if left(line)]
    by_number = {line.line: line for line in lines}
    out: dict[int, int] = {}
    for index, (number, quantity) in enumerate(wanted):
        line = by_number.get(number)
        if line is None:
            raise InvalidBody("The reservation has no such line.", param=f"lines[{index}].line")
        if quantity <= 0:
            raise InvalidBody("A quantity is above 0.", param=f"lines[{index}].quantity")
        out[number] = out.get(number, 0) + quantity
        if out[number] > left(line):
            raise MoreThanReserved(param=f"lines[{index}].quantity", line=number, open_units=left(line))
    return [(by_number[number], quantity) for number, quantity in out.items()]


def ends_at(
    kind: ReservationKind, *, now: datetime, expires_at: datetime | None, expires_in: int | None
) -> datetime | None:
    """When a reservation ends: as told, or for a basket in a quarter of an hour. Raises InvalidBody."""
    if expires_at is not None and expires_in is not None:
        raise InvalidBody("Say either when it ends or in how many seconds.", param="expires_at")
    if expires_in is not None:
        expires_at = now + timedelta(seconds=expires_in)
    if expires_at is None:
        return now + timedelta(seconds=BASKET_SECONDS) if kind is ReservationKind.basket else None
    if expires_at.tzinfo is None:
        raise InvalidBody("expires_at needs an offset, such as 2026-11-21T08:30:00Z.", param="expires_at")
    if not now < expires_at <= now + LONGEST:
        raise InvalidBody(
            f"A reservation ends in the future, within {LONGEST.days} days.", param="expires_at"
        )
    return expires_at
