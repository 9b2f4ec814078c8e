"""Who gets what of what is free, what a reservation may do next, and how claims and goods are folded. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onhand.kit.problem import InvalidBody
from onhand.ledger.decide import Book, LevelRow, SiteRow, decide, fold
from onhand.ledger.model import Claim, Mode, Status
from onhand.ledger.reservations import (
    TRANSITIONS,
    Held,
    MoreThanReserved,
    Policy,
    ReservationEnded,
    ReservationKind,
    State,
    Wish,
    advance,
    can,
    claims_of,
    ends_at,
    share,
    take_from,
)
from tests.ledger.test_judge import shop

V, W, S = UUID(int=1), UUID(int=2), UUID(int=3)
ALL, SOME, BACK = Policy.all_or_nothing, Policy.what_there_is, Policy.backorder
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def wishes(*told: tuple[int, Policy]) -> list[Wish]:
    return [Wish(V, S, quantity, policy) for quantity, policy in told]


@pytest.mark.parametrize(
    ("told", "free", "limit", "got", "missing"),
    [
        ([(2, ALL)], 2, "none", (2,), 0),
        ([(3, ALL)], 2, "none", (3,), 1),
        ([(1, ALL), (2, ALL)], 2, "none", (1, 2), 1),  # lines of one variant are summed
        ([(5, SOME)], 2, "none", (2,), 0),
        ([(5, SOME), (5, SOME)], 7, "none", (5, 2), 0),
        ([(5, SOME), (2, ALL)], 3, "none", (1, 2), 0),  # all or nothing comes first, wherever it stands
        ([(1, SOME)], 0, "none", (0,), 1),  # nothing at all is no reservation
        ([(1, SOME)], -4, "none", (0,), 1),
        ([(5, BACK)], 2, "none", (5,), 3),  # nobody approved it
        ([(5, BACK)], 2, 3, (5,), 0),
        ([(5, BACK)], 2, 2, (5,), 1),
        ([(5, BACK)], -2, None, (5,), 0),
        ([(4, BACK), (3, BACK)], 2, 5, (4, 3), 0),
        ([(4, BACK), (4, BACK)], 2, 5, (4, 4), 1),
        ([(2, SOME), (2, BACK)], 2, None, (0, 2), 0),
    ],
)
def test_sharing(told, free, limit, got, missing) -> None:  # type: ignore[no-untyped-def]
    approved = {} if limit == "none" else {(V, S): limit}
    found = share(wishes(*told), {(V, S): free}, approved)
    assert found.quantities == got
    assert sum(s.quantity for s in found.shortages) == missing
    assert found.beyond == (not missing and sum(got) > max(free, 0) and bool(approved))


@given(
    told=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(list(Policy))), min_size=1, max_size=6),
    free=st.integers(-5, 20),
    limit=st.one_of(st.just("none"), st.none(), st.integers(0, 9)),
)
def test_never_more_is_given_than_there_is_or_was_approved(
    told: list[tuple[int, Policy]], free: int, limit: object
) -> None:
    approved: dict[tuple[UUID, UUID], int | None] = {} if limit == "none" else {(V, S): limit}  # type: ignore[dict-item]
    found = share(wishes(*told), {(V, S): free}, approved)
    if found.shortages:
        return
    given_out = sum(found.quantities)
    bound = free if not approved else (None if limit is None else max(free, free + int(str(limit))))
    assert bound is None or given_out <= max(bound, 0)
    for (asked, policy), quantity in zip(told, found.quantities, strict=True):
        assert quantity == asked if policy is not SOME else 0 <= quantity <= asked


def test_what_a_reservation_may_do_next() -> None:
    assert can(State.open) == ["consume", "extend", "release"]
    assert can(State.expired) == ["consume", "extend"]
    assert can(State.consumed) == can(State.released) == []
    assert advance(State.open, "expire") is State.expired
    for state in (State.consumed, State.released):
        with pytest.raises(ReservationEnded) as refused:
            advance(state, "release")
        assert refused.value.data["state"] == state.value
    assert set(TRANSITIONS) == set(State)


def test_taking_some_of_a_line() -> None:
    lines = [Held(1, V, S, ALL, 5, claimed=5, consumed=2), Held(2, W, S, ALL, 3, claimed=3, expired=3)]
    assert [(x.line, q) for x, q in take_from(lines, None)] == [(1, 3)]
    assert [(x.line, q) for x, q in take_from(lines, None, lapsed=True)] == [(1, 3), (2, 3)]
    assert [(x.line, q) for x, q in take_from(lines, [(1, 1), (1, 2)])] == [(1, 3)]
    with pytest.raises(MoreThanReserved):
        take_from(lines, [(1, 2), (1, 2)])
    with pytest.raises(InvalidBody):
        take_from(lines, [(9, 1)])
    with pytest.raises(InvalidBody):
        take_from(lines, [(1, 0)])


def test_claims_are_summed_by_variant_and_site() -> None:
    key, other = (V, S), (W, S)
    assert claims_of(W, [(key, 2), (other, 1), (key, 3), (other, -1)]) == (Claim(W, V, S, 5),)


def test_when_it_ends() -> None:
    basket, order = ReservationKind.basket, ReservationKind.order
    assert ends_at(basket, now=NOW, expires_at=None, expires_in=None) == NOW + timedelta(minutes=15)
    assert ends_at(order, now=NOW, expires_at=None, expires_in=None) is None
    assert ends_at(order, now=NOW, expires_at=None, expires_in=60) == NOW + timedelta(minutes=1)
    for wrong in (NOW, NOW - timedelta(seconds=1), NOW + timedelta(days=900), NOW.replace(tzinfo=None)):
        with pytest.raises(InvalidBody):
            ends_at(basket, now=NOW, expires_at=wrong, expires_in=None)
    with pytest.raises(InvalidBody):
        ends_at(basket, now=NOW, expires_at=NOW + timedelta(hours=1), expires_in=60)


def test_goods_of_a_claim_given_back_take_from_nobody() -> None:
    """The last unit is reserved; the one it is reserved for takes it, even where facts have overdrawn the site."""
    world, places = shop()
    variant, reservation = uuid4(), uuid4()
    site = world.places["S1"]
    for sellable, reserved in ((1, 1), (1, 4)):
        book = Book({}, {})
        book.levels[variant, site, UUID(int=0), 0] = LevelRow(on_hand=1)
        book.sites[variant, site] = SiteRow(sellable, reserved, max(0, reserved - sellable))
        world.variants["SHOE"] = variant
        plain = world.posting(world.move("SHOE", 1, "S1", "customer"))
        assert decide(book, [[plain]], places)[0][0].status is Status.insufficient_stock
        more = world.posting(
            world.move("SHOE", 1, "S1", "customer"), claims=(Claim(reservation, variant, site, -1),)
        )
        assert decide(book, [[more]], places)[0][0].status is Status.posted
        row = book.sites[variant, site]
        assert (row.sellable, row.reserved) == (0, reserved - 1)
        assert fold([more], places).sites[0][1].low is None


def test_an_approved_backorder_overdraws_but_oversells_nothing() -> None:
    world, places = shop()
    variant, site = uuid4(), world.places["S1"]
    book = Book({}, {(variant, site): SiteRow(2, 0, 0)})
    claim = Claim(uuid4(), variant, site, 5)
    strict = world.posting(kind="reserve", claims=(claim,))
    assert decide(book, [[strict]], places)[0][0].status is Status.insufficient_stock
    approved = world.posting(kind="reserve", claims=(claim,), mode=Mode.backorder)
    outcome = decide(book, [[approved]], places)[0][0]
    assert (outcome.status, outcome.oversold) == (Status.posted, ())
    assert book.sites[variant, site] == SiteRow(2, 5, 3)
