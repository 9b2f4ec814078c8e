"""Judge a batch of postings against the book, in arrival order, in memory. Pure.

`prepare` folds a batch into what the database needs: one delta a key. `decide` is the judge of the locked path; the
optimistic path must agree with it (a property test holds both equal).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from onhand.kit.ids import NIL
from onhand.ledger.model import Condition, Mode, Move, Outcome, Posting, Shortage, Status
from onhand.locations import Place

LevelKey = tuple[UUID, UUID, UUID, int]
"""variant, location, lot, condition"""
SiteKey = tuple[UUID, UUID]
"""variant, site"""

AVAILABLE = int(Condition.available)
_FREE_TO_LEAVE = frozenset({AVAILABLE})


Directory = Mapping[UUID, Place]
"""What the ledger remembers of every location; guarded by `stream_head.directory_epoch`."""


@dataclass(slots=True)
class LevelRow:
    """A level as locked: on hand, allocated to picks, overdrawn by facts."""

    on_hand: int = 0
    allocated: int = 0
    overdrawn: int = 0


@dataclass(slots=True)
class SiteRow:
    """A site level as locked."""

    sellable: int = 0
    reserved: int = 0
    overdrawn: int = 0


class Delta(msgspec.Struct):
    """What a batch does to one key: the net change, the lowest running sum of what is free at any strict line that takes
    (None: there is none), and the lowest at any line that takes, strict or fact."""

    net: int = 0
    claimed: int = 0
    low: int | None = None
    dip: int | None = None

    def took(self, guarded: bool) -> None:
        """Note the running sum after a line that took something."""
        running = self.net - self.claimed
        if self.dip is None or running < self.dip:
            self.dip = running
        if guarded and (self.low is None or running < self.low):
            self.low = running


@dataclass(slots=True)
class Folded:
    """A batch folded to one delta a key, keys in lock order."""

    levels: list[tuple[LevelKey, Delta]]
    sites: list[tuple[SiteKey, Delta]]


def fold(postings: Sequence[Posting], places: Directory) -> Folded:
    """Fold postings in arrival order to one delta a key. KeyError for a location the directory does not know."""
    levels: dict[LevelKey, Delta] = {}
    sites: dict[SiteKey, Delta] = {}
    strict = Mode.strict
    for posting in postings:
        guarded = posting.mode is strict
        if posting.claims:
            _fold_claiming(posting, guarded, places, levels, sites)
            continue
        for move in posting.moves:
            _fold_move(move, guarded, places, levels, sites)
    return Folded(sorted(levels.items(), key=_first), sorted(sites.items(), key=_first))


def _first(item: tuple[tuple[object, ...], Delta]) -> tuple[bytes | int, ...]:
    return tuple(part.bytes if isinstance(part, UUID) else part for part in item[0])  # type: ignore[misc]


def _fold_move(
    move: Move, guarded: bool, places: Directory, levels: dict[LevelKey, Delta], sites: dict[SiteKey, Delta]
) -> None:
    source = places[move.from_location]
    if source.keeps_level:
        key = (move.variant, move.from_location, move.lot, move.from_condition)
        delta = levels.get(key)
        if delta is None:
            delta = levels[key] = Delta()
        delta.net -= move.quantity
        delta.took(guarded)
    target = places[move.to_location]
    if target.keeps_level:
        key = (move.variant, move.to_location, move.lot, move.to_condition)
        delta = levels.get(key)
        if delta is None:
            delta = levels[key] = Delta()
        delta.net += move.quantity
    sold_from = source.site_id if source.sells and move.from_condition == AVAILABLE else None
    sold_to = target.site_id if target.sells and move.to_condition == AVAILABLE else None
    if sold_from == sold_to:
        return  # inside one site's sellable stock: no promise is touched
    if sold_from is not None:
        delta = sites.get((move.variant, sold_from))
        if delta is None:
            delta = sites[move.variant, sold_from] = Delta()
        delta.net -= move.quantity
        delta.took(guarded)
    if sold_to is not None:
        delta = sites.get((move.variant, sold_to))
        if delta is None:
            delta = sites[move.variant, sold_to] = Delta()
        delta.net += move.quantity


def _fold_claiming(
    posting: Posting, guarded: bool, places: Directory, levels: dict[LevelKey, Delta], sites: dict[SiteKey, Delta]
) -> None:  # fmt: skip
    """Claims given back, then moves, then new claims. Goods that leave for a claim given back here take nothing from anybody
    else, so they may leave even where facts have overdrawn the site; the level of their place is guarded as ever."""
    covered: dict[SiteKey, int] = {}
    for claim in posting.claims:
        if claim.quantity < 0:
            key = (claim.variant, claim.site)
            sites.setdefault(key, Delta()).claimed += claim.quantity
            covered[key] = covered.get(key, 0) - claim.quantity
    for move in posting.moves:
        site = places[move.from_location].site_id
        key = (move.variant, site or move.from_location)
        delta = sites.get(key)
        if delta is None or covered.get(key, 0) < move.quantity:
            _fold_move(move, guarded, places, levels, sites)
            continue
        low, dip, before = delta.low, delta.dip, delta.net
        _fold_move(move, guarded, places, levels, sites)
        if delta.net < before:
            delta.low, delta.dip = low, dip
            covered[key] -= move.quantity
    for claim in posting.claims:
        if claim.quantity > 0:
            delta = sites.setdefault((claim.variant, claim.site), Delta())
            delta.claimed += claim.quantity
            delta.took(guarded)


def placed(posting: Posting, places: Directory) -> bool:
    """Whether the directory knows every place and site a posting names."""
    return all(m.from_location in places and m.to_location in places for m in posting.moves) and all(
        c.site in places for c in posting.claims
    )


def variants_of(postings: Iterable[Posting]) -> set[UUID]:
    """Every variant that some postings name."""
    return {m.variant for p in postings for m in p.moves} | {c.variant for p in postings for c in p.claims}


def refused_by_place(posting: Posting, places: Directory) -> Status | None:
    """What the directory alone refuses: unknown or closed places, and held stock on its way to a customer.

    A fact is never refused for these: it happened.
    """
    if not placed(posting, places):
        return Status.unknown_location
    if posting.mode is Mode.fact:
        return None
    for move in posting.moves:
        source, target = places[move.from_location], places[move.to_location]
        if source.closed or target.closed:
            return Status.location_closed
    for claim in posting.claims:
        if claim.quantity > 0 and places[claim.site].closed:
            return Status.location_closed
    for move in posting.moves:
        target = places[move.to_location]
        if (
            target.kind in ("customer", "production")
            and move.from_condition not in _FREE_TO_LEAVE
            and posting.reverses is None
        ):
            return Status.lot_held
    return None


@dataclass(slots=True)
class Book:
    """What the locked path read: the levels it holds, and which ids acted before."""

    levels: dict[LevelKey, LevelRow]
    sites: dict[SiteKey, SiteRow]
    known: dict[UUID, tuple[bytes, UUID, int]] = field(default_factory=dict)
    """posting id → digest, caller, seq"""
    reversed: set[UUID] = field(default_factory=set)
    variants_missing: frozenset[UUID] = frozenset()


def decide(
    book: Book,
    batch: Sequence[Sequence[Posting]],
    places: Directory,
) -> list[list[Outcome]]:
    """Judge groups of postings in arrival order; a group of one is a single posting, a larger one is all or nothing.

    Changes `book` by what it accepts, so a batch is the same as one by one. Outcomes of accepted postings carry no seq:
    that is given under the stream head.
    """
    return [_decide_group(book, group, places) for group in batch]


def _decide_group(book: Book, group: Sequence[Posting], places: Directory) -> list[Outcome]:
    outcomes: list[Outcome] = []
    undo: list[Callable[[], None]] = []
    for posting in group:
        outcome = _decide_one(book, posting, places, undo)
        outcomes.append(outcome)
        if not outcome.ok and len(group) > 1:
            for step in reversed(undo):
                step()
            at = len(outcomes) - 1
            return [outcome if i == at else Outcome(Status.group_refused) for i in range(len(group))]
    return outcomes


def _decide_one(book: Book, posting: Posting, places: Directory, undo: list[Callable[[], None]]) -> Outcome:
    before = acted_before(book.known, posting)
    if before is not None:
        return before
    if posting.reverses is not None and posting.reverses in book.reversed:
        return Outcome(Status.already_reversed)
    if book.variants_missing and not book.variants_missing.isdisjoint(variants_of([posting])):
        return Outcome(Status.unknown_variant)
    refusal = refused_by_place(posting, places)
    if refusal is not None:
        return Outcome(refusal)
    folded = fold([posting], places)
    if posting.mode is Mode.strict:
        shortages = _shortages(book, folded)
        if shortages:
            return Outcome(Status.insufficient_stock, shortages=shortages)
    oversold, lots = _apply(book, folded, undo, approved=posting.mode is Mode.backorder)
    book.known[posting.id] = (posting.digest, posting.caller, 0)
    undo.append(lambda: book.known.__delitem__(posting.id))
    if posting.reverses is not None:
        original = posting.reverses
        book.reversed.add(original)
        undo.append(lambda: book.reversed.discard(original))
    return Outcome(Status.posted, oversold=oversold, lots=lots)


def acted_before(known: Mapping[UUID, tuple[bytes, UUID, int]], posting: Posting) -> Outcome | None:
    """The answer for a posting whose id acted before; None when it did not."""
    found = known.get(posting.id)
    if found is None:
        return None
    digest, caller, seq = found
    if digest != posting.digest or caller != posting.caller:
        return Outcome(Status.id_reused)
    return Outcome(Status.already_posted, seq=seq or None)


def _shortages(book: Book, folded: Folded) -> tuple[Shortage, ...]:
    out = []
    for key, delta in folded.sites:
        if delta.low is not None:
            row = book.sites[key]
            left = row.sellable - row.reserved
            if left + delta.low < 0:
                out.append(Shortage(key[0], key[1], -(left + delta.low), left))
    if out:
        return tuple(out)
    for level_key, delta in folded.levels:
        if delta.low is not None:
            level = book.levels[level_key]
            left = level.on_hand - level.allocated
            if left + delta.low < 0:
                out.append(Shortage(level_key[0], level_key[1], -(left + delta.low), left))
    return tuple(out)


def _apply(
    book: Book, folded: Folded, undo: list[Callable[[], None]], *, approved: bool
) -> tuple[tuple[Shortage, ...], tuple[Shortage, ...]]:
    """Write what was accepted into the book; answers what sites, and what lots in their places, were short of."""
    oversold: list[Shortage] = []
    lots: list[Shortage] = []
    for level_key, delta in folded.levels:
        level = book.levels[level_key]
        undo.append(_restore_level(level, level.on_hand, level.overdrawn))
        level.on_hand += delta.net
        level.overdrawn = max(0, -level.on_hand)
        if level.on_hand < 0 and delta.net < 0 and level_key[2] != NIL:
            short = min(-delta.net, -level.on_hand)
            lots.append(Shortage(level_key[0], level_key[1], short, level.on_hand, level_key[2]))
    for site_key, delta in folded.sites:
        site = book.sites[site_key]
        before = site.overdrawn
        undo.append(_restore_site(site, site.sellable, site.reserved, site.overdrawn))
        site.sellable += delta.net
        site.reserved += delta.claimed
        site.overdrawn = max(0, site.reserved - site.sellable)
        if site.overdrawn > before and not approved:
            oversold.append(
                Shortage(site_key[0], site_key[1], site.overdrawn - before, site.sellable - site.reserved)
            )
    return tuple(oversold), tuple(lots)


def _restore_level(level: LevelRow, on_hand: int, overdrawn: int) -> Callable[[], None]:
    def step() -> None:
        level.on_hand, level.overdrawn = on_hand, overdrawn

    return step


def _restore_site(site: SiteRow, sellable: int, reserved: int, overdrawn: int) -> Callable[[], None]:
    def step() -> None:
        site.sellable, site.reserved, site.overdrawn = sellable, reserved, overdrawn

    return step
