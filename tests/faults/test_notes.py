"""The judge of `onhand stress` itself: each kind of wrong book is called by its name."""

from __future__ import annotations

from uuid import UUID

import pytest

from onhand.doors.stress.cli import exit_code, verdict
from onhand.doors.stress.notes import Answer, Book, Judgement, Notes, Order, judge, percentile
from onhand.doors.stress.run import Result

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def notes() -> Notes:
    """Ten stocked; three and four taken, five refused."""
    made = Notes()
    made.stocked["TEA"] = 10
    made.note(Order(A, (("TEA", 3),)), Answer.taken)
    made.note(Order(B, (("TEA", 2), ("TEA", 2))), Answer.taken)
    made.note(Order(C, (("TEA", 5),)), Answer.refused)
    return made


def test_a_right_book_is_right() -> None:
    assert judge(notes(), Book({"TEA": 3}, {A: 1, B: 1})) == Judgement(acknowledged=2)


@pytest.mark.parametrize(
    ("book", "wrong"),
    [
        (Book({"TEA": 3}, {A: 1}), "lost"),
        (Book({"TEA": 3}, {A: 2, B: 1}), "doubled"),
        (Book({"TEA": 3}, {A: 1, B: 1, C: 1}), "doubled"),
        (Book({"TEA": 4}, {A: 1, B: 1}), "broken"),
    ],
    ids=["an order that is not there", "an order twice", "a refused order", "a level that does not add up"],
)
def test_a_wrong_book_is_called_by_its_name(book: Book, wrong: str) -> None:
    found = judge(notes(), book)
    assert not found.ok
    assert getattr(found, wrong)


def test_more_promised_than_there_was_is_oversold() -> None:
    made = notes()
    made.note(Order(UUID(int=4), (("TEA", 5),)), Answer.taken)
    assert judge(made, Book({"TEA": -2}, {A: 1, B: 1, UUID(int=4): 1})).oversold == 2


def test_facts_may_go_below_zero_and_are_not_oversold() -> None:
    made = Notes()
    made.note(Order(A, (("RICE", 5),), fact=True), Answer.taken)
    assert judge(made, Book({"RICE": -5}, {A: 1})).ok


def test_percentiles() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([1.0], 0.99) == 1.0


def test_exit_codes_and_verdicts() -> None:
    sound = Result(None, 1, rows={"last unit": Judgement(acknowledged=5)}, verify=0)
    assert exit_code(sound) == 0
    assert "Sound" in verdict(sound)
    lossy = Result(None, 1, rows={"last unit": Judgement(acknowledged=5, lost=1)}, verify=0)
    assert exit_code(lossy) == 1
    assert "seed 1" in verdict(lossy)
    drifting = Result(None, 1, rows={"last unit": Judgement(acknowledged=5)}, verify=2)
    assert exit_code(drifting) == 1
    caught = Result("naive", 1, rows={"last unit": Judgement(acknowledged=5, oversold=3)})
    assert exit_code(caught) == 1
    assert "Caught" in verdict(caught)
    assert exit_code(Result("naive", 1, rows={"last unit": Judgement(acknowledged=5)})) == 2
