"""Which bins and lots serve a quantity. Pure: what may not serve is left out first, then one strategy orders the rest.

A lot that is held, expired, or would be too old on the day it reaches the customer is never chosen, whatever the strategy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

_NEVER = date.max


class Strategy(StrEnum):
    """How to choose: first expired first out, first in first out, last in first out, nearest bin, fewest picks."""

    fefo = "fefo"
    fifo = "fifo"
    lifo = "lifo"
    nearest = "nearest"
    fewest_picks = "fewest_picks"


STRATEGIES = tuple(s.value for s in Strategy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What lies in one place of one lot. `free` in smallest units; `arrived_at` when the lot was first seen; `sequence` the
    place's position on the way of the picker (smaller is nearer)."""

    location: UUID
    lot: UUID
    free: int
    condition: str = "available"
    expires_on: date | None = None
    arrived_at: datetime | None = None
    sequence: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the goods must be good for: `ship_on` is the promised day, `minimum_life_days` what the customer wants left then."""

    strategy: Strategy = Strategy.fefo
    ship_on: date
    minimum_life_days: int = 0

    @property
    def good_until(self) -> date:
        """The day the goods must still be good on."""
        return self.ship_on + timedelta(days=self.minimum_life_days)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A quantity taken of one candidate."""

    candidate: Candidate
    quantity: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What serves: `missing` is what nothing serves, `too_old` what lies there but may not serve for its date."""

    chosen: tuple[Chosen, ...]
    missing: int
    too_old: int


def allocate(candidates: Sequence[Candidate], quantity: int, rules: Rules) -> Plan:
    """Choose what serves a quantity (> 0, smallest units). The same candidates in any order give the same plan."""
    lying = [c for c in candidates if c.condition == "available" and c.free > 0]
    fit = [c for c in lying if c.expires_on is None or c.expires_on >= rules.good_until]
    too_old = sum(c.free for c in lying) - sum(c.free for c in fit)
    ordered = _by_fewest(fit, quantity) if rules.strategy is Strategy.fewest_picks else sorted(
        fit, key=_ORDERS[rules.strategy]
    )  # fmt: skip
    chosen, left = [], quantity
    for candidate in ordered:
        if left <= 0:
            break
        part = min(left, candidate.free)
        chosen.append(Chosen(candidate, part))
        left -= part
    return Plan(tuple(chosen), left, too_old)


def _expiry(candidate: Candidate) -> date:
    return candidate.expires_on or _NEVER


def _age(candidate: Candidate) -> float:
    """Seconds since the epoch of its first sight; what nobody knows the age of counts as the oldest."""
    return candidate.arrived_at.timestamp() if candidate.arrived_at is not None else float("-inf")


def _tail(candidate: Candidate) -> tuple[Any, ...]:
    return (candidate.sequence, candidate.location.bytes, candidate.lot.bytes)


_ORDERS: dict[Strategy, Callable[[Candidate], tuple[Any, ...]]] = {
    Strategy.fefo: lambda c: (_expiry(c), _age(c), *_tail(c)),
    Strategy.fifo: lambda c: (_age(c), _expiry(c), *_tail(c)),
    Strategy.lifo: lambda c: (-_age(c), _expiry(c), *_tail(c)),
    Strategy.nearest: lambda c: (c.sequence, _expiry(c), _age(c), *_tail(c)),
}


def _by_fewest(fit: Sequence[Candidate], quantity: int) -> list[Candidate]:
    """The fewest places: taking the fullest first needs the least of them; the last pick is the tightest one that suffices."""
    left = quantity
    rest = sorted(fit, key=lambda c: (-c.free, *_ORDERS[Strategy.fefo](c)))
    out: list[Candidate] = []
    while rest and left > 0:
        enough = [c for c in rest if c.free >= left]
        best = min(enough, key=lambda c: (c.free, *_ORDERS[Strategy.fefo](c))) if enough else rest[0]
        out.append(best)
        rest.remove(best)
        left -= best.free
    return out
