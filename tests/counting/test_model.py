"""Counting, pure: classes, plan, what lines mean, tolerances, states, late facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest

from onhand.counting.model import (
    STATES,
    TRANSITIONS,
    BinCountClosed,
    Checked,
    CountedLine,
    LevelThen,
    Policy,
    PolicyNotPossible,
    Shelf,
    Variance,
    Verdict,
    advance,
    classify,
    corrections,
    judge,
    overload,
    per_day,
    plan_days,
    spread,
    variances,
)
from onhand.kit.ids import NIL

TEA, RICE = UUID(int=1), UUID(int=2)
LOT1, LOT2 = UUID(int=11), UUID(int=12)
START = date(2026, 1, 1)
CADENCE = {"A": 30, "B": 90, "C": 180}


# ── classes and plan


def test_classes_by_value_moved() -> None:
    """A is the head that makes up 80 percent, B the next 15, C the rest and what did not move."""
    values = {UUID(int=n): Decimal(v) for n, v in enumerate([700, 100, 90, 60, 30, 20, 0])}
    found = classify(values, share_a=Decimal(80), share_b=Decimal(15))
    assert "".join(found[UUID(int=n)] for n in range(7)) == "AABBCCC"
    assert classify({}, share_a=Decimal(80), share_b=Decimal(15)) == {}
    assert classify({TEA: Decimal(5)}, share_a=Decimal(80), share_b=Decimal(15)) == {TEA: "A"}


def shelves(a: int, b: int, c: int, last: date | None = None) -> list[Shelf]:
    kinds = "A" * a + "B" * b + "C" * c
    return [Shelf(UUID(int=n + 1), f"W1/{n:04}", kind, last) for n, kind in enumerate(kinds)]


@pytest.mark.parametrize("last", [None, START - timedelta(days=1)])
def test_every_bin_is_counted_within_its_cadence_over_a_year(last: date | None) -> None:
    """A site that never counted, and one that counted everything yesterday: both hold every cadence within the capacity."""
    all_shelves = shelves(40, 130, 410, last)
    sizes = {"A": 40, "B": 130, "C": 410}
    capacity = per_day(sizes, CADENCE)
    assert (capacity, overload(sizes, CADENCE, capacity)) == (7, None)
    seen = {s.id: START - timedelta(days=1) for s in all_shelves}
    for day in plan_days(all_shelves, CADENCE, capacity=capacity, today=START, days=365):
        assert len(day.shelves) <= capacity
        assert not day.left_over
        for shelf in day.shelves:
            assert (day.day - seen[shelf.id]).days <= CADENCE[shelf.count_class], shelf
            seen[shelf.id] = day.day
    end = START + timedelta(days=364)
    assert all((end - seen[s.id]).days <= CADENCE[s.count_class] for s in all_shelves)


def test_after_days_without_counting_what_is_due_goes_first() -> None:
    late = shelves(6, 0, 6, START - timedelta(days=200))
    first, second, third = plan_days(late, CADENCE, capacity=5, today=START, days=3)
    assert [s.count_class for s in first.shelves] == ["A"] * 5
    assert len(first.left_over) == 7
    assert [s.count_class for s in second.shelves] == ["A"] + ["C"] * 4
    assert [s.count_class for s in third.shelves][:2] == ["C", "C"]
    assert not third.left_over


def test_the_same_input_gives_the_same_plan() -> None:
    some = shelves(5, 9, 30)
    shuffled = Random(7).sample(some, len(some))
    plans = [plan_days(x, CADENCE, capacity=3, today=START, days=20) for x in (some, shuffled)]
    assert plans[0] == plans[1]


def test_a_capacity_that_cannot_hold_says_what_would() -> None:
    said = overload({"A": 400, "B": 100, "C": 0}, CADENCE, 10)
    assert said == (
        "Counting 400 of class A within 30 days, 100 of class B within 90 days takes 16 places a day, and 10 are set."
        " Raise the capacity to 16, or give a class more days."
    )


def test_settings_go_together() -> None:
    with pytest.raises(PolicyNotPossible):
        Policy(share_a=Decimal(90), share_b=Decimal(20)).check()
    with pytest.raises(PolicyNotPossible):
        Policy(days_a=60, days_b=30).check()


# ── what lines mean

AVAILABLE, HOLD, DAMAGED = 0, 1, 3


@pytest.mark.parametrize(
    ("lines", "levels", "complete", "expected"),
    [
        # what no line names was not there, if the whole bin was counted
        ([(TEA, 5)], [(TEA, NIL, AVAILABLE, 6), (RICE, NIL, AVAILABLE, 2)], True,
         {(TEA, NIL, AVAILABLE): 5, (RICE, NIL, AVAILABLE): 0}),
        ([(TEA, 5)], [(TEA, NIL, AVAILABLE, 6), (RICE, NIL, AVAILABLE, 2)], False, {(TEA, NIL, AVAILABLE): 5}),
        # what is held stays held; the variance falls on what is for sale
        ([(TEA, 7)], [(TEA, NIL, AVAILABLE, 5), (TEA, NIL, HOLD, 3)], True,
         {(TEA, NIL, HOLD): 3, (TEA, NIL, AVAILABLE): 4}),
        ([(TEA, 9)], [(TEA, NIL, AVAILABLE, 5), (TEA, NIL, HOLD, 3)], True,
         {(TEA, NIL, HOLD): 3, (TEA, NIL, AVAILABLE): 6}),
        ([(TEA, 2)], [(TEA, NIL, AVAILABLE, 5), (TEA, NIL, HOLD, 3)], True,
         {(TEA, NIL, HOLD): 2, (TEA, NIL, AVAILABLE): 0}),
        # lots nobody read off: the latest expiry is laid out first, so what is missing is the oldest
        ([(TEA, 5)], [(TEA, LOT2, AVAILABLE, 4), (TEA, LOT1, AVAILABLE, 3)], True,
         {(TEA, LOT2, AVAILABLE): 4, (TEA, LOT1, AVAILABLE): 1}),
        # a lot that was read off is that lot
        ([(TEA, 5, LOT1)], [(TEA, LOT2, AVAILABLE, 4), (TEA, LOT1, AVAILABLE, 3)], True,
         {(TEA, LOT2, AVAILABLE): 0, (TEA, LOT1, AVAILABLE): 5}),
        ([(TEA, 2, LOT1, DAMAGED)], [(TEA, LOT1, AVAILABLE, 3)], True,
         {(TEA, LOT1, DAMAGED): 2, (TEA, LOT1, AVAILABLE): 0}),
        # found, and nobody expected it; a level below zero; an empty bin
        ([(RICE, 4)], [], True, {(RICE, NIL, AVAILABLE): 4}),
        ([(TEA, 4)], [(TEA, NIL, AVAILABLE, -3)], True, {(TEA, NIL, AVAILABLE): 4}),
        ([], [(TEA, NIL, AVAILABLE, -3), (RICE, NIL, AVAILABLE, 0)], True, {(TEA, NIL, AVAILABLE): 0}),
        # the same thing scanned twice is added up
        ([(TEA, 4), (TEA, 1)], [(TEA, NIL, AVAILABLE, 5)], True, {(TEA, NIL, AVAILABLE): 5}),
    ],
)  # fmt: skip
def test_what_lines_mean_for_levels(
    lines: list[tuple[UUID, int]], levels: list[tuple[UUID, UUID, int, int]], complete: bool,
    expected: dict[tuple[UUID, UUID, int], int],
) -> None:  # fmt: skip
    found = spread([CountedLine(*x) for x in lines], [LevelThen(*x) for x in levels], complete=complete)
    assert found == expected


# ── tolerance and verdict


def variance(counted: int, book: int, cost: str | None = "2", decimals: int = 0) -> Variance:
    return Variance(TEA, NIL, 0, counted, book, decimals, None if cost is None else Decimal(cost))


POLICY = Policy(tolerance_units=Decimal(1), tolerance_percent=Decimal(2), tolerance_value=Decimal(50))


@pytest.mark.parametrize(
    ("counted", "book", "cost", "count_round", "within", "puzzling", "verdict"),
    [
        (10, 10, "2", 1, False, False, Verdict.post),  # nothing differs
        (9, 10, "2", 1, True, False, Verdict.post),  # one unit is believed
        (9, 10, "2", 1, False, False, Verdict.wait),  # … by whoever may
        (8, 10, "2", 1, True, False, Verdict.recount),  # two of ten are not
        (8, 10, "2", 2, True, False, Verdict.wait),  # counted twice: a person decides
        (196, 200, "2", 1, True, False, Verdict.post),  # two percent are
        (195, 200, "2", 1, True, False, Verdict.recount),
        (9, 10, "60", 1, True, False, Verdict.recount),  # one unit worth more than is believed
        (1, 0, None, 1, True, False, Verdict.post),  # found, of unknown cost
        (10, 10, "2", 1, True, True, Verdict.wait),  # a code nobody knows
    ],
)  # fmt: skip
def test_verdicts(
    counted: int,
    book: int,
    cost: str | None,
    count_round: int,
    within: bool,
    puzzling: bool,
    verdict: Verdict,
) -> None:
    said = judge(
        [variance(counted, book, cost)], POLICY, count_round=count_round, within_limits=lambda _: within, puzzling=puzzling
    )  # fmt: skip
    assert said is verdict


def test_without_tolerances_every_variance_is_counted_again() -> None:
    strict = Policy(tolerance_units=None, tolerance_percent=None, tolerance_value=None)
    assert judge([variance(9, 10)], strict, count_round=1, within_limits=lambda _: True) is Verdict.recount


def test_variances_in_units_and_at_cost() -> None:
    found = variances({(TEA, NIL, 0): 1500}, [LevelThen(TEA, NIL, 0, 2000)], lambda _: (3, Decimal("2.50")))
    assert [(v.quantity, v.units, v.value) for v in found] == [(-500, Decimal("-0.500"), Decimal("-1.25"))]


# ── states


def test_every_state_leads_somewhere_or_ends() -> None:
    assert set(TRANSITIONS) == set(STATES)
    for state, verbs in TRANSITIONS.items():
        assert set(verbs.values()) <= set(STATES)
        for verb, following in verbs.items():
            assert advance(state, verb) == following
    for ended in ("posted", "cancelled"):
        with pytest.raises(BinCountClosed):
            advance(ended, "submit")


# ── late facts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(hour: int) -> datetime:
    return NOON.replace(hour=hour)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([(1, 10, 0)], []),  # nothing came late
        ([(1, 10, -2)], [(1, 2)]),  # two were sold before the count, and told after it
        ([(1, 10, -2), (2, 12, -2)], [(1, 2)]),  # the first count takes it; the second is right by that
        ([(1, 10, -2), (2, 12, 0)], [(1, 2), (2, -2)]),  # the second knew of the sale already
        ([(1, 10, 0), (2, 12, -3)], [(2, 3)]),  # it happened between them
        ([(1, 10, 5), (2, 10, -2)], [(2, 2)]),  # of two counts of one instant the last is believed
    ],
)
def test_the_first_count_after_a_late_fact_takes_it(
    counts: Sequence[tuple[int, int, int]], expected: list[tuple[int, int]]
) -> None:
    found = corrections([Checked(UUID(int=n), at(hour), n, drift) for n, hour, drift in counts])
    assert [(c.id.int, change) for c, change in found] == expected


def test_a_voided_count_takes_its_corrections_with_it() -> None:
    gone = Checked(UUID(int=1), at(10), 1, drift=7, corrected=2, voided=True)
    later = Checked(UUID(int=2), at(12), 2, drift=2)
    assert [(c.id.int, change) for c, change in corrections([gone, later])] == [(1, -2)]
