"""The judge and the guard agree: what the optimistic guard lets through, the judge would have posted, to the same book."""

from __future__ import annotations

import random
from collections import defaultdict
from uuid import UUID, uuid4

from hypothesis import example, given, settings
from hypothesis import strategies as st

from onhand.kit.ids import derive_id
from onhand.ledger import Status
from onhand.ledger.decide import Book, Directory, Folded, LevelRow, SiteRow, decide, fold
from onhand.locations import Place, virtual_id
from tests.ledger.histories import cut, history
from tests.ledger.world import World


def _place(code: str, kind: str, site: UUID | None, *, sells: bool = True, keeps: bool = True) -> Place:
    place_id = (
        derive_id("judge", code) if site is not None or kind in ("warehouse", "store") else virtual_id(kind)
    )
    return Place(
        id=place_id, code=code, name=code, path=code, kind=kind, role=None, parent_id=None, site_id=site or (place_id if keeps and kind != "transit" else None),
        sells=sells, keeps_level=keeps, closed=False, time_zone=None, day_start=None,
    )  # fmt: skip


def shop() -> tuple[World, Directory]:
    """The places of the histories, without a database."""
    world = World()
    found = [_place("W1", "warehouse", None), _place("S1", "store", None), _place("S2", "store", None)]
    found += [_place(f"W1/{c}", "bin", found[0].id, sells=c != "Q") for c in "ABQ"]
    found += [_place("transit", "transit", None, sells=False)]
    found += [_place(k, k, None, sells=False, keeps=False) for k in ("customer", "supplier", "adjustment")]
    world.places = {p.code: p.id for p in found}
    return world, {p.id: p for p in found}


def guard(book: Book, folded: Folded) -> bool:
    """The optimistic guard, as `ledger_guard` of sql/apply.sql has it."""
    for key, d in folded.levels:
        level = book.levels[key]
        if d.low is not None and level.on_hand - level.allocated + d.low < 0:
            return False
    for key2, d in folded.sites:
        site = book.sites[key2]
        if d.low is not None and site.sellable - site.reserved + d.low < 0:
            return False
        if d.dip is not None and site.sellable - site.reserved + d.dip < 0:
            return False
    return True


def empty() -> Book:
    return Book(defaultdict(LevelRow), defaultdict(SiteRow))


def plain(book: Book) -> tuple[object, ...]:
    """What a book says, without keys nothing happened to."""
    levels = {
        k: (r.on_hand, r.overdrawn) for k, r in book.levels.items() if (r.on_hand, r.overdrawn) != (0, 0)
    }
    sites = {
        k: (r.sellable, r.reserved, r.overdrawn)
        for k, r in book.sites.items()
        if (r.sellable, r.reserved, r.overdrawn) != (0, 0, 0)
    }
    return levels, sites


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
@example(seed=256)  # a key below zero, given and taken as much in one batch
def test_what_the_guard_lets_through_the_judge_posts(seed: int) -> None:
    rng = random.Random(seed)
    world, places = shop()
    variants = [uuid4(), uuid4()]
    book = empty()
    for batch in cut(history(world, variants, rng, 30), rng):
        fresh = [p for g in batch for p in g if p.id not in book.known and p.reverses not in book.reversed]
        fresh = list({p.id: p for p in fresh}.values())
        fresh = list({p.reverses or p.id: p for p in fresh}.values())
        held = {p.id for p in fresh if p.mode == "strict" and p.reverses is None and any(
            m.to_location == virtual_id("customer") and m.from_condition for m in p.moves)}  # fmt: skip
        fresh = [p for p in fresh if p.id not in held]
        folded = fold(fresh, places)
        passes = guard(book, folded)
        expected = {k: book.levels[k].on_hand + d.net for k, d in folded.levels}
        outcomes = [o for group in decide(book, [[p] for p in fresh], places) for o in group]
        if passes:
            assert all(o.status is Status.posted and not o.oversold for o in outcomes)
            assert {k: book.levels[k].on_hand for k in expected} == expected


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_batch_is_the_same_as_one_by_one(seed: int) -> None:
    rng = random.Random(seed)
    world, places = shop()
    groups = history(world, [uuid4(), uuid4()], rng, 40)
    one, whole, cuts = empty(), empty(), empty()
    singly = [decide(one, [g], places)[0] for g in groups]
    together = decide(whole, groups, places)
    in_parts = [o for batch in cut(groups, rng) for o in decide(cuts, batch, places)]
    assert singly == together == in_parts
    assert plain(one) == plain(whole) == plain(cuts)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_book_keeps_its_invariants(seed: int) -> None:
    rng = random.Random(seed)
    world, places = shop()
    book = empty()
    for group in history(world, [uuid4()], rng, 60):
        facts = any(p.mode == "fact" for p in group)
        before = {k: r.overdrawn for k, r in book.sites.items()}
        decide(book, [group], places)
        for key, row in book.levels.items():
            assert row.on_hand + row.overdrawn >= 0, key
        for key2, site in book.sites.items():
            assert site.sellable - site.reserved + site.overdrawn >= 0
            assert facts or site.overdrawn <= before.get(key2, 0), "only facts may overdraw"
            sellable = sum(r.on_hand for k, r in book.levels.items() if k[0] == key2[0] and k[3] == 0
                           and places[k[1]].site_id == key2[1] and places[k[1]].sells)  # fmt: skip
            assert site.sellable == sellable


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_refused_group_leaves_no_trace(seed: int) -> None:
    rng = random.Random(seed)
    world, places = shop()
    book = empty()
    for group in history(world, [uuid4()], rng, 60):
        before = plain(book)
        outcomes = decide(book, [group], places)[0]
        if not all(o.ok for o in outcomes):
            assert plain(book) == before
            assert len(group) == 1 or all(not o.ok for o in outcomes)
