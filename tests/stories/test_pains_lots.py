"""What other systems get wrong about lots (the numbers are those of docs/why and the list of pains they came from)."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from onhand.lots import Candidate, Rules, Strategy, allocate

SHIP = date(2026, 12, 24)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(-20, 60)), min_size=1, max_size=8),
    st.integers(1, 30), st.sampled_from(list(Strategy)), st.integers(0, 30),
)  # fmt: skip
def test_pain_20_what_expires_before_the_customer_has_it_is_never_picked(
    shelf: list[tuple[int, int | None]], quantity: int, strategy: Strategy, days: int
) -> None:
    """Pain 20: first-expired picking took expired or wrong batches. The filter uses the promised day plus the customer's
    minimum, under every strategy; and of what fits, first expired first out takes the first to expire."""
    candidates = [
        Candidate(
            location=UUID(int=n + 1), lot=UUID(int=n + 100), free=free, sequence=(n,),
            expires_on=None if left is None else SHIP + timedelta(days=left),
        )
        for n, (free, left) in enumerate(shelf)
    ]  # fmt: skip
    rules = Rules(strategy=strategy, ship_on=SHIP, minimum_life_days=days)
    plan = allocate(candidates, quantity, rules)
    good = SHIP + timedelta(days=days)
    assert all(c.candidate.expires_on is None or c.candidate.expires_on >= good for c in plan.chosen)
    fit = [c for c in candidates if c.expires_on is None or c.expires_on >= good]
    if strategy is Strategy.fefo and plan.chosen:
        first = min((c.expires_on or date.max) for c in fit)
        assert (plan.chosen[0].candidate.expires_on or date.max) == first
