"""Transfers as tables: which step follows which, what leaves, what arrived, and where every unit ends."""

from __future__ import annotations

from uuid import UUID

import pytest

from onhand.kit.ids import NIL, uuid7
from onhand.transfers import model
from onhand.transfers.model import (
    Document,
    Line,
    Need,
    NothingInTransit,
    NothingToShip,
    NotOnTransfer,
    Outcome,
    OverReceipt,
    OverShipment,
    Part,
    State,
    TransferState,
    Want,
    advance,
    allowed,
    match_receipt,
    plan_shipment,
    propose,
    resolve,
    settled,
)

TEA, RICE, LOT = UUID(int=1), UUID(int=2), UUID(int=77)
VERBS = ("change", "place", "ship", "receive", "resolve", "close", "cancel")
TABLE = """
            change   place    ship     receive  resolve  close    cancel
draft       draft    placed   -        -        -        -        cancelled
placed      placed   -        shipped  shipped  -        -        cancelled
shipped     shipped  -        shipped  shipped  shipped  shipped  -
received    -        -        -        -        received -        -
cancelled   -        -        -        -        -        -        -
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines()[1:])
def test_transitions(row: str) -> None:
    before, *after = row.split()
    for verb, expected in zip(VERBS, after, strict=True):
        if expected == "-":
            with pytest.raises(TransferState) as refused:
                advance(State(before), verb)
            assert refused.value.data["state"] == before
        else:
            assert advance(State(before), verb) == expected


def line(number: int = 1, variant: UUID = TEA, requested: int = 10, lot: UUID = NIL, **parts: int) -> Line:
    made = Line(
        UUID(int=100 + number), number, variant, "TEA" if variant == TEA else "RICE", 0, lot, requested
    )
    if parts:
        made.parts[lot] = Part(lot, **parts)
    return made


def document(*lines: Line) -> Document:
    return Document(
        uuid7(), 1, State.shipped, uuid7(), uuid7(), uuid7(), True, None, None, 1, None, None, list(lines)
    )


def want(quantity: int, *, variant: UUID = TEA, damaged: int = 0, lot: UUID | None = None) -> Want:
    return Want(variant, quantity, "TEA" if variant == TEA else "RICE", 0, lot=lot, damaged=damaged)


def test_what_makes_sense_of_what_is_allowed() -> None:
    assert allowed(State.shipped, to_ship=False, in_transit=True, lost=False) == [
        "change",
        "receive",
        "resolve",
    ]
    assert allowed(State.shipped, to_ship=True, in_transit=False, lost=False) == ["change", "ship", "close"]
    assert allowed(State.received, to_ship=False, in_transit=False, lost=False) == []
    assert allowed(State.received, to_ship=False, in_transit=False, lost=True) == ["resolve"]


def test_shipping_without_lines_ships_what_is_left() -> None:
    found = plan_shipment(document(line(shipped=4), line(2, RICE, 3)), [])
    assert [(p.line.sku, p.quantity) for p in found] == [("TEA", 6), ("RICE", 3)]
    with pytest.raises(NothingToShip):
        plan_shipment(document(line(shipped=10)), [])


def test_two_lines_of_one_item_are_shipped_one_after_the_other_and_never_beyond() -> None:
    both = document(line(requested=4), line(2, requested=5))
    assert [(p.line.number, p.quantity) for p in plan_shipment(both, [want(6)])] == [(1, 4), (2, 2)]
    assert [p.quantity for p in plan_shipment(both, [want(3), want(3)])] == [3, 1, 2]
    with pytest.raises(OverShipment) as refused:
        plan_shipment(both, [want(10)])
    assert refused.value.data["left"] == "9"
    with pytest.raises(NotOnTransfer):
        plan_shipment(both, [want(1, variant=RICE)])


RECEIPTS = """
shipped  good  damaged  accept  → received  damaged  over  in transit
10       10    0        no        10        0        0     0
10       7     1        no        7         1        0     2
10       9     1        no        9         1        0     0
10       11    0        no        11        0        1     0
10       12    0        no        refused
10       12    0        yes       12        0        2     0
10       9     3        yes       9         3        2     0
5        6     0        no        refused
0        2     0        yes       2         0        2     0
"""


@pytest.mark.parametrize("row", RECEIPTS.strip().splitlines()[1:])
def test_receipts(row: str) -> None:
    shipped, good, damaged, accept, *expected = row.split()
    one = line(shipped=int(shipped))
    asked = [want(int(good), damaged=int(damaged))]
    if expected == ["refused"]:
        with pytest.raises(OverReceipt):
            match_receipt(document(one), asked, accept_over=accept == "yes")
        return
    found = match_receipt(document(one), asked, accept_over=accept == "yes")
    for a in found:
        part = a.line.part(a.lot)
        part.shipped += a.quantity if a.over else 0
        part.count(a.outcome, a.quantity)
    over = sum(a.quantity for a in found if a.over)
    part = one.part(NIL)
    assert [part.received, part.damaged, over, part.in_transit] == [int(n) for n in expected]


def test_what_nobody_shipped_becomes_a_line_only_when_accepted() -> None:
    one = document(line(shipped=5))
    with pytest.raises(NotOnTransfer):
        match_receipt(one, [want(2, variant=RICE)], accept_over=False, new_line=uuid7())
    found = match_receipt(one, [want(2, variant=RICE)], accept_over=True, new_line=uuid7())
    assert [(a.line.number, a.line.requested, a.over) for a in found] == [(2, 0, True)]


def test_a_lot_that_is_not_on_the_way_is_none_of_the_others() -> None:
    one = line(shipped=5, lot=LOT)
    with pytest.raises(OverReceipt):
        match_receipt(document(one), [want(5, lot=UUID(int=78))], accept_over=False)
    found = match_receipt(document(one), [want(5)], accept_over=False)
    assert [(a.lot, a.quantity) for a in found] == [(LOT, 5)]


def test_what_is_short_is_lost_or_returned_never_more_than_is_on_the_way() -> None:
    one = line(shipped=10, received=7)
    assert [s.quantity for s in resolve(one, Outcome.lost, 3, lot=None)] == [3]
    with pytest.raises(NothingInTransit) as refused:
        resolve(one, Outcome.returned, 4, lot=None)
    assert refused.value.data["in_transit"] == "3"


def test_what_was_written_off_can_be_found_again() -> None:
    one = line(shipped=10, received=7, lost=2)
    found = resolve(one, Outcome.found, 3, lot=None)
    assert [(s.quantity, s.was_lost) for s in found] == [(1, False), (2, True)]
    with pytest.raises(NothingInTransit):
        resolve(one, Outcome.found, 4, lot=None)


def test_settled() -> None:
    assert settled([line(shipped=10, received=7, lost=3)])
    assert not settled([line(shipped=10, received=7)])
    assert not settled([line(shipped=9, received=9)])


def test_a_proposal_takes_the_site_that_covers_most_first() -> None:
    a, b = UUID(int=11), UUID(int=12)
    given, unmet = propose([Need(TEA, 6), Need(RICE, 4)], {a: {TEA: 100}, b: {TEA: 6, RICE: 3}})
    assert given == {a: [Need(TEA, 6)], b: [Need(RICE, 3)]} or given == {b: [Need(TEA, 6), Need(RICE, 3)]}
    assert unmet == [Need(RICE, 1)]
    assert propose([Need(TEA, 1)], {}) == ({}, [Need(TEA, 1)])


def test_every_refusal_of_transfers_is_a_problem_with_a_text() -> None:
    for name in (
        "TransferState",
        "OverReceipt",
        "OverShipment",
        "NothingInTransit",
        "NotOnTransfer",
        "NotMovable",
    ):
        assert len(getattr(model, name).text()) > 20
