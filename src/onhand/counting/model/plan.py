"""Which places are counted when: classes by value moved, a cadence a class, and a day's load within its capacity. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

CLASSES = ("A", "B", "C")


@dataclass(frozen=True, slots=True)
class Shelf:
    """A place to be counted: its path, its class, and the business day it was last counted (None: never)."""

    id: UUID
    path: str
    count_class: str
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """What is counted on a day, most urgent first, and what was due and found no room."""

    day: date
    shelves: tuple[Shelf, ...]
    left_over: tuple[Shelf, ...] = ()


def classify(values: Mapping[UUID, Decimal], *, share_a: Decimal, share_b: Decimal) -> dict[UUID, str]:
    """The class of each variant by the value it moved: A are the largest that make up `share_a` percent of the whole, B the
    next `share_b` percent, C the rest. What moved nothing is C.
    """
    total = sum((v for v in values.values() if v > 0), Decimal(0))
    bound_a, bound_b = total * share_a / 100, total * (share_a + share_b) / 100
    out: dict[UUID, str] = {}
    before = Decimal(0)
    for variant, value in sorted(values.items(), key=lambda pair: (-pair[1], pair[0].bytes)):
        out[variant] = "C" if value <= 0 else "A" if before < bound_a else "B" if before < bound_b else "C"
        before += max(value, Decimal(0))
    return out


def due_on(shelf: Shelf, cadence: Mapping[str, int]) -> date | None:
    """The last day on which it is counted in time; None: it never was, so it is due now."""
    return None if shelf.last is None else shelf.last + timedelta(days=cadence[shelf.count_class])


def per_day(sizes: Mapping[str, int], cadence: Mapping[str, int]) -> int:
    """Places a day that hold every cadence for certain: each class rounded up by itself."""
    return sum(-(-sizes.get(c, 0) // cadence[c]) for c in CLASSES)


def capacity_of(said: int | None, shelves: Iterable[Shelf], cadence: Mapping[str, int]) -> int:
    """Places a day a site counts: what somebody said, and until then what the cadences need."""
    return per_day(Counter(s.count_class for s in shelves), cadence) if said is None else said


def overload(sizes: Mapping[str, int], cadence: Mapping[str, int], capacity: int) -> str | None:
    """Why a capacity cannot hold, and what to do about it; None when it can."""
    need = per_day(sizes, cadence)
    if need <= capacity:
        return None
    parts = ", ".join(
        f"{sizes[c]} of class {c} within {cadence[c]} days" for c in CLASSES if sizes.get(c, 0) > 0
    )
    return (
        f"Counting {parts} takes {need} places a day, and {capacity} are set. Raise the capacity to {need}, or give a class"
        " more days."
    )


def plan_days(
    shelves: Iterable[Shelf], cadence: Mapping[str, int], *, capacity: int, today: date, days: int
) -> list[Day]:
    """What to count on each of the coming days, if every day's work is done. The same input gives the same plan.

    Each class goes round by itself, the longest not counted first, so many a day that it is through exactly within its
    cadence; what is due beyond that (after days without counting) comes on top. A day takes at most `capacity`: first what
    is due, A before B before C; what finds no room is `left_over`. What was counted today counts towards today.
    """
    now = {shelf.id: shelf for shelf in shelves}
    out = []
    for n in range(days):
        day = today + timedelta(days=n)
        made = _day(list(now.values()), cadence, capacity, day)
        for shelf in made.shelves:
            now[shelf.id] = replace(now[shelf.id], last=day)
        out.append(made)
    return out


def _day(shelves: Sequence[Shelf], cadence: Mapping[str, int], capacity: int, day: date) -> Day:
    sizes = Counter(shelf.count_class for shelf in shelves)
    done = Counter(shelf.count_class for shelf in shelves if shelf.last is not None and shelf.last >= day)
    quota = {c: _turn(sizes[c], cadence[c], day) - done[c] for c in CLASSES}
    room = max(0, capacity - done.total())
    wanted: list[tuple[bool, Shelf]] = []
    for shelf in sorted(shelves, key=lambda s: (s.last or date.min, s.path)):
        if shelf.last is not None and shelf.last >= day:
            continue
        due = due_on(shelf, cadence)
        urgent = due is not None and due <= day
        if quota[shelf.count_class] > 0:
            quota[shelf.count_class] -= 1
        elif not urgent:
            continue
        wanted.append((urgent, shelf))
    wanted.sort(key=lambda w: (not w[0], w[1].count_class, w[1].last or date.min, w[1].path))
    left = tuple(shelf for urgent, shelf in wanted[room:] if urgent)
    return Day(day, tuple(shelf for _, shelf in wanted[:room]), left)


def _turn(size: int, cadence: int, day: date) -> int:
    """How many of a class are counted on a day: over any `cadence` days together exactly `size`, as even as can be."""
    n = day.toordinal()
    return (n + 1) * size // cadence - n * size // cadence
