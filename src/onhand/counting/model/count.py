"""A bin is counted: its states, what the lines mean for its levels, and whether the variance stands. Pure.

All quantities are integers in the variant's smallest unit unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from onhand.kit.ids import NIL
from onhand.kit.problem import Problem

FREE = 0
"""The condition available, as levels store it."""

STATES = ("open", "claimed", "recount", "waiting", "posted", "cancelled")
TRANSITIONS: dict[str, dict[str, str]] = {
    "open": {"claim": "claimed", "submit": "waiting", "cancel": "cancelled"},
    "claimed": {"release": "open", "submit": "waiting", "cancel": "cancelled"},
    "recount": {"claim": "claimed", "submit": "waiting", "cancel": "cancelled"},
    "waiting": {"approve": "posted", "recount": "recount", "cancel": "cancelled"},
    "posted": {},
    "cancelled": {},
}
"""State → verb → next state of the count of one bin. What is submitted waits until it is approved, by a person or by the rules."""


class BinCountClosed(Problem):
    """The state of this count does not allow this step; `state` says which it is in."""

    status = 409


class AlreadyCounted(Problem):
    """Somebody else's count of this bin came first, and it is being judged. Yours was not taken."""

    status = 409


class ClaimedByAnother(Problem):
    """Somebody else is counting this bin. Let them finish, or have them release it."""

    status = 409


class RecountByOther(Problem):
    """A recount is done by somebody who has not counted this bin before."""

    status = 409


class OwnCount(Problem):
    """What you counted is approved by somebody else who may approve stock changes here."""

    status = 403


class VarianceTooLarge(Problem):
    """This variance is more than you may correct alone. Somebody with wider limits has to approve it, or it is recounted."""

    status = 403


class UnknownBin(Problem):
    """There is no open place by this id at this site that could be counted."""

    status = 422


class NothingDue(Problem):
    """Nothing more is due here today. Name the places to be counted, or set how many are counted a day."""

    status = 409


class AllBeingCounted(Problem):
    """All of these places are on a sheet already and being counted."""

    status = 409


class NothingCounted(Problem):
    """Say what lies in the bin line by line, or that it is empty."""

    status = 422


class PolicyNotPossible(Problem):
    """These settings of counting do not go together; `detail` says why."""

    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How an organisation counts: shares of value in percent, days a class, when to count again and who may.

    A variance is small when it is within the units or within the percentage of the book, whichever is set, and within the
    value (base currency). Nothing set: any variance is counted again.
    """

    share_a: Decimal = Decimal(80)
    share_b: Decimal = Decimal(15)
    days_a: int = 30
    days_b: int = 90
    days_c: int = 180
    tolerance_units: Decimal | None = Decimal(1)
    tolerance_percent: Decimal | None = Decimal(2)
    tolerance_value: Decimal | None = Decimal(50)
    recount_by: str = "other"
    rounds: int = 2

    @property
    def cadence(self) -> dict[str, int]:
        """Days by class."""
        return {"A": self.days_a, "B": self.days_b, "C": self.days_c}

    def check(self) -> Policy:
        """Itself, or PolicyNotPossible."""
        if self.share_a + self.share_b > 100:
            raise PolicyNotPossible(
                "The shares of A and B are at most 100 percent together.", param="share_b"
            )
        if not self.days_a <= self.days_b <= self.days_c:
            raise PolicyNotPossible("Class A is counted at least as often as B, and B as C.", param="days_b")
        return self


@dataclass(frozen=True, slots=True)
class CountedLine:
    """What somebody counted: of a variant, and where they said so of a lot and in a condition."""

    variant: UUID
    quantity: int
    lot: UUID | None = None
    condition: int | None = None


@dataclass(frozen=True, slots=True)
class LevelThen:
    """A level of the bin at the instant it was counted, as known now: `quantity` then, `on_hand` and `allocated` now."""

    variant: UUID
    lot: UUID
    condition: int
    quantity: int
    on_hand: int = 0
    allocated: int = 0

    @property
    def key(self) -> tuple[UUID, UUID, int]:
        """variant, lot, condition"""
        return self.variant, self.lot, self.condition


Key = tuple[UUID, UUID, int]


def spread(lines: Sequence[CountedLine], levels: Sequence[LevelThen], *, complete: bool) -> dict[Key, int]:
    """What each level of the bin held, given what was counted.

    A line that names lot and condition says it of that level. One that does not is laid out over the levels there are: what
    is held stays held as far as the count goes, then lots in the order of `levels`; what is left over lies available. So a
    variance falls on goods for sale before it falls on held ones. `complete`: the whole bin was counted, so what no line
    names was not there.
    """
    out: dict[Key, int] = {}
    vague: dict[tuple[UUID, UUID | None, int | None], int] = {}
    for line in lines:
        if line.lot is not None and line.condition is not None:
            key = (line.variant, line.lot, line.condition)
            out[key] = out.get(key, 0) + line.quantity
        else:
            group = (line.variant, line.lot, line.condition)
            vague[group] = vague.get(group, 0) + line.quantity
    taken = set(out)
    for group, quantity in sorted(vague.items(), key=lambda g: (g[0][1] is None, g[0][2] is None)):
        _lay_out(group, quantity, [lv for lv in levels if lv.key not in taken], out)
        taken |= set(out)
    if complete:
        for level in levels:
            if level.quantity != 0:
                out.setdefault(level.key, 0)
    return out


def _lay_out(
    group: tuple[UUID, UUID | None, int | None],
    quantity: int,
    levels: Sequence[LevelThen],
    out: dict[Key, int],
) -> None:
    variant, lot, condition = group
    fitting = [
        lv
        for lv in levels
        if lv.variant == variant and lot in (None, lv.lot) and condition in (None, lv.condition)
    ]
    left = quantity
    for level in sorted(fitting, key=lambda lv: lv.condition == FREE):  # stable: lots keep their order
        there = min(left, max(level.quantity, 0))
        out[level.key] = there
        left -= there
    if left > 0 or not fitting:
        free = [lv for lv in fitting if lv.condition == (condition or FREE)]
        key = free[-1].key if free else (variant, lot or NIL, condition or FREE)
        out[key] = out.get(key, 0) + left


@dataclass(frozen=True, slots=True)
class Variance:
    """Counted against the book at that instant. `unit_cost` per unit of the variant (base currency), if known."""

    variant: UUID
    lot: UUID
    condition: int
    counted: int
    book: int
    decimals: int = 0
    unit_cost: Decimal | None = None

    @property
    def quantity(self) -> int:
        """By how much the book is wrong: above zero for goods found."""
        return self.counted - self.book

    @property
    def units(self) -> Decimal:
        """The same in the variant's unit."""
        return Decimal(self.quantity).scaleb(-self.decimals)

    @property
    def value(self) -> Decimal | None:
        """The same at cost; None where no cost is known."""
        return None if self.unit_cost is None else self.units * self.unit_cost


def variances(
    counted: Mapping[Key, int],
    levels: Iterable[LevelThen],
    facts: Callable[[UUID], tuple[int, Decimal | None]],
) -> list[Variance]:
    """One for each level counted, in a fixed order. `facts`: decimals and unit cost of a variant."""
    book = {level.key: level.quantity for level in levels}
    out = []
    for key in sorted(counted, key=lambda k: (k[0].bytes, k[1].bytes, k[2])):
        decimals, cost = facts(key[0])
        out.append(Variance(*key, counted[key], book.get(key, 0), decimals, cost))
    return out


def over_tolerance(found: Variance, policy: Policy) -> bool:
    """Is it more than may be believed at once?"""
    if found.quantity == 0:
        return False
    if policy.tolerance_value is not None and found.value is not None:
        if abs(found.value) > policy.tolerance_value:
            return True
        if policy.tolerance_units is None and policy.tolerance_percent is None:
            return False
    if policy.tolerance_units is not None and abs(found.units) <= policy.tolerance_units:
        return False
    book = Decimal(max(found.book, 0)).scaleb(-found.decimals)
    percent = policy.tolerance_percent
    return percent is None or abs(found.units) > book * percent / 100


class Verdict(StrEnum):
    """What becomes of a count that was submitted."""

    post = "post"
    wait = "wait"
    recount = "recount"


def judge(
    found: Sequence[Variance], policy: Policy, *, count_round: int, within_limits: Callable[[Variance], bool],
    puzzling: bool = False,
) -> Verdict:  # fmt: skip
    """Post it, let it wait for approval, or count again.

    Counted again: beyond tolerance, while rounds are left. Posted at once: nothing differs, or what differs is within
    tolerance and the limits of who counted. `puzzling`: something was found that nobody knows, so a person looks at it.
    """
    wrong = [v for v in found if v.quantity != 0]
    if any(over_tolerance(v, policy) for v in wrong):
        return Verdict.recount if count_round < policy.rounds else Verdict.wait
    if puzzling or not all(within_limits(v) for v in wrong):
        return Verdict.wait
    return Verdict.post


def advance(state: str, verb: str) -> str:
    """The next state. Raises BinCountClosed."""
    following = TRANSITIONS[state].get(verb)
    if following is None:
        raise BinCountClosed(f"This count is {state}; it cannot {verb} now.", state=state)
    return following
