"""What the clients noted, and whether the books agree with it. Pure.

The books are never asked what they think is right: what was stocked and what was acknowledged are counted by the clients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from uuid import UUID


class Answer(StrEnum):
    """What a client was told of an order; `unknown`: nothing certain, so it asks again with the same id."""

    taken = "taken"
    refused = "refused"
    reused = "reused"
    unknown = "unknown"


@dataclass(frozen=True, slots=True)
class Order:
    """Goods by SKU and quantity (whole units); a SKU may come twice. `fact`: it has happened, and cannot be refused."""

    id: UUID
    lines: tuple[tuple[str, int], ...]
    fact: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """What the system says at the end: units left by SKU, and how often each id stands in it."""

    left: dict[str, int]
    times: dict[UUID, int]


@dataclass(slots=True)
class Notes:
    """What the clients of one scenario know."""

    stocked: Counter[str] = field(default_factory=Counter)
    taken: dict[UUID, Order] = field(default_factory=dict)
    refused: set[UUID] = field(default_factory=set)
    tries: int = 0
    rounds: int = 0
    broken: list[str] = field(default_factory=list)
    """Answers that contradict each other, in words: two winners of one unit, an edited order that was taken as well."""

    def note(self, order: Order, answer: Answer) -> None:
        """Keep what was answered."""
        if answer is Answer.taken:
            before = self.taken.setdefault(order.id, order)
            if before.lines != order.lines:
                self.broken.append(f"order {order.id} was acknowledged with two contents")
        elif answer is Answer.refused:
            self.refused.add(order.id)

    def skus(self) -> list[str]:
        """Every SKU that was stocked or ordered."""
        return sorted({*self.stocked, *(sku for o in self.taken.values() for sku, _ in o.lines)})

    def settle(self, book: Book) -> None:
        """Begin a new page: what was compared is what there is now, and its orders need not be remembered."""
        self.stocked = Counter({sku: book.left.get(sku, 0) for sku in self.skus()})
        self.taken, self.refused, self.broken = {}, set(), []

    def ids(self) -> list[UUID]:
        """Every id that was answered for certain."""
        return [*self.taken, *(self.refused - self.taken.keys())]


@dataclass(slots=True)
class Judgement:
    """How the books of one scenario compare with its notes; all zero and nothing broken when they agree."""

    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    oversold: int = 0
    """Units that requests were promised beyond what was there."""
    broken: list[str] = field(default_factory=list)

    def add(self, more: Judgement) -> None:
        """Count another comparison in."""
        self.acknowledged += more.acknowledged
        self.lost += more.lost
        self.doubled += more.doubled
        self.oversold += more.oversold
        self.broken += more.broken

    @property
    def ok(self) -> bool:
        """Whether the books agree."""
        return not (self.lost or self.doubled or self.oversold or self.broken)


def judge(notes: Notes, book: Book) -> Judgement:
    """Compare the books with the clients' notes.

    Lost: acknowledged, but not there. Doubled: there more often than once, or though it was refused. Oversold: units taken by
    requests beyond what was stocked. Broken: levels that are not what the notes add up to, and contradicting answers.
    """
    found = Judgement(acknowledged=len(notes.taken), broken=list(notes.broken))
    found.lost = sum(book.times.get(i, 0) == 0 for i in notes.taken)
    found.doubled = sum(max(0, book.times.get(i, 0) - 1) for i in notes.taken)
    found.doubled += sum(book.times.get(i, 0) for i in notes.refused - notes.taken.keys())
    gone = units(notes.taken.values())
    by_facts = {sku for o in notes.taken.values() if o.fact for sku, _ in o.lines}
    for sku in notes.skus():
        if sku not in by_facts:
            found.oversold += max(0, gone[sku] - max(0, notes.stocked[sku]))
        expected, left = notes.stocked[sku] - gone[sku], book.left.get(sku, 0)
        if left != expected:
            found.broken.append(f"{sku}: the notes leave {expected}, the books {left}")
    return found


def units(orders: Iterable[Order]) -> Counter[str]:
    """Units by SKU over some orders."""
    out: Counter[str] = Counter()
    for order in orders:
        for sku, quantity in order.lines:
            out[sku] += quantity
    return out


def percentile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that `share` of the values do not exceed; None without values."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None
