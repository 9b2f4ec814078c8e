"""Which bins and lots serve, and where goods belong: tables and properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onhand.lots import (
    AlreadyReleased,
    Candidate,
    CertificateNotWaiting,
    OpenHold,
    Rules,
    Strategy,
    advance,
    allocate,
    arrival,
)

DAY = date(2026, 11, 21)


def bin_of(
    n: int, free: int, expires: int | None = None, *, lot: int = 0, condition: str = "available", age: int = 0
) -> Candidate:
    return Candidate(
        location=UUID(int=n), lot=UUID(int=lot or n), free=free, condition=condition, sequence=(n,),
        expires_on=None if expires is None else DAY + timedelta(days=expires),
        arrived_at=datetime(2026, 11, 1, tzinfo=UTC) - timedelta(days=age),
    )  # fmt: skip


def picks(plan: object) -> list[tuple[int, int]]:
    return [(c.candidate.location.int, c.quantity) for c in plan.chosen]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("fefo", [(3, 4), (1, 3)]),
        ("fifo", [(2, 6), (1, 1)]),
        ("lifo", [(3, 4), (1, 3)]),
        ("nearest", [(1, 5), (2, 2)]),
        ("fewest_picks", [(2, 6), (3, 1)]),
    ],
)
def test_each_strategy_orders_in_its_own_way(strategy: str, expected: list[tuple[int, int]]) -> None:
    shelf = [bin_of(1, 5, 20, age=5), bin_of(2, 6, 30, age=9), bin_of(3, 4, 10, age=1)]
    assert picks(allocate(shelf, 7, Rules(strategy=Strategy(strategy), ship_on=DAY))) == expected


def test_one_tight_bin_is_better_than_the_fullest() -> None:
    shelf = [bin_of(1, 9), bin_of(2, 4), bin_of(3, 5)]
    assert picks(allocate(shelf, 4, Rules(strategy=Strategy.fewest_picks, ship_on=DAY))) == [(2, 4)]


def test_what_is_too_old_for_the_customer_is_counted_but_not_chosen() -> None:
    shelf = [bin_of(1, 5, 3), bin_of(2, 5, 40), bin_of(3, 5, -1), bin_of(4, 9, 90, condition="recalled")]
    plan = allocate(shelf, 8, Rules(ship_on=DAY, minimum_life_days=30))
    assert (picks(plan), plan.missing, plan.too_old) == ([(2, 5)], 3, 10)


candidates = st.lists(
    st.builds(
        bin_of, st.integers(1, 30), st.integers(-2, 20), st.none() | st.integers(-10, 60), lot=st.integers(1, 9),
        condition=st.sampled_from(["available", "hold", "recalled", "expired", "quarantine"]), age=st.integers(0, 30),
    ),
    max_size=9, unique_by=lambda c: (c.location, c.lot),
)  # fmt: skip
rules = st.builds(
    Rules,
    strategy=st.sampled_from(list(Strategy)),
    ship_on=st.just(DAY),
    minimum_life_days=st.integers(0, 40),
)


@given(candidates, st.integers(1, 60), rules, st.randoms(use_true_random=False))
def test_no_plan_breaks_a_rule(shelf: list[Candidate], quantity: int, rule: Rules, random: object) -> None:
    plan = allocate(shelf, quantity, rule)
    assert sum(c.quantity for c in plan.chosen) + plan.missing == quantity
    assert all(0 < c.quantity <= c.candidate.free for c in plan.chosen)
    assert all(c.candidate.condition == "available" for c in plan.chosen)
    good = [c for c in shelf if c.condition == "available" and c.free > 0
            and (c.expires_on is None or c.expires_on >= rule.good_until)]  # fmt: skip
    assert all(c.candidate in good for c in plan.chosen)
    assert plan.missing == max(0, quantity - sum(c.free for c in good))
    shuffled = list(shelf)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert allocate(shuffled, quantity, rule) == plan


@given(candidates, st.integers(1, 60), st.integers(0, 40))
def test_first_expired_first_out_leaves_nothing_older_behind(
    shelf: list[Candidate], quantity: int, days: int
) -> None:
    rule = Rules(ship_on=DAY, minimum_life_days=days)
    plan = allocate(shelf, quantity, rule)
    taken = {c.candidate: c.quantity for c in plan.chosen}
    dates = [c.candidate.expires_on or date.max for c in plan.chosen]
    assert dates == sorted(dates)
    for c in shelf:
        fit = c.condition == "available" and (c.expires_on is None or c.expires_on >= rule.good_until)
        if fit and c.free > taken.get(c, 0) and dates:
            assert (c.expires_on or date.max) >= dates[-1]


@given(candidates, st.integers(1, 60))
def test_fewest_picks_are_the_fewest(shelf: list[Candidate], quantity: int) -> None:
    plan = allocate(shelf, quantity, Rules(strategy=Strategy.fewest_picks, ship_on=DAY))
    if plan.missing:
        return
    good = [c.free for c in shelf if c.condition == "available" and c.free > 0
            and (c.expires_on is None or c.expires_on >= DAY)]  # fmt: skip
    fewer = range(1, len(plan.chosen))
    assert not any(sum(some) >= quantity for n in fewer for some in combinations(good, n))


def test_the_gravest_reason_says_where_goods_belong() -> None:
    hold, recall = OpenHold(UUID(int=1), "hold"), OpenHold(UUID(int=2), "recalled")
    found = arrival([hold, recall], certified=False, expires_on=DAY - timedelta(days=1), today=DAY)
    assert found is not None
    assert (found.condition, found.hold) == ("recalled", recall)
    expired = arrival([], certified=False, expires_on=DAY - timedelta(days=1), today=DAY)
    assert expired is not None
    assert expired.condition == "expired"
    waiting = arrival([], certified=False, expires_on=DAY, today=DAY)
    assert waiting is not None
    assert waiting.condition == "quarantine"
    assert arrival([], certified=True, expires_on=DAY, today=DAY) is None


def test_states_advance_by_their_table() -> None:
    assert advance("hold", "open", "release") == "released"
    with pytest.raises(AlreadyReleased):
        advance("hold", "released", "release")
    assert advance("certificate", "rejected", "attach") == "waiting"
    with pytest.raises(CertificateNotWaiting):
        advance("certificate", "none", "approve")
