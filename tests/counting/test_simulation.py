"""Counting while the shop sells: 2,000 days, each with sales, picks, thefts, counts and recounts, a till and a phone without a
network, approvals late in the day, counts reversed. At the end of each day the book equals the shelves.

In memory, but with the real judge (`ledger.decide`), the real meaning of counts (`spread`, `variances`) and the real rule for
late facts (`corrections`). The seed is printed; `ONHAND_SIMULATION_SEED` runs it again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from onhand.counting.model import Checked, CountedLine, LevelThen, corrections, spread, variances
from onhand.kit.ids import NIL
from onhand.ledger import Mode, Move, Posting, Status, digest_of
from onhand.ledger.decide import Book, LevelRow, SiteRow, decide
from onhand.locations import Place, virtual_id

DAYS = int(os.environ.get("ONHAND_SIMULATION_DAYS", "2000"))
SEED = int(os.environ.get("ONHAND_SIMULATION_SEED", "0")) or Random().randrange(1, 2**32)
MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
SHOP = UUID(int=100)
BINS = [UUID(int=101), UUID(int=102)]
GOODS = [UUID(int=1), UUID(int=2), UUID(int=3)]


def place(id: UUID, kind: str, *, keeps: bool) -> Place:
    """A place of the directory."""
    site = SHOP if keeps else None
    return Place(id=id, code=kind, name=kind, path=f"{kind}{id.int}", kind=kind, role=None, parent_id=None, site_id=site,
                 sells=keeps, keeps_level=keeps, closed=False, time_zone=None, day_start=None)  # fmt: skip


PLACES = {b: place(b, "bin", keeps=True) for b in BINS} | {
    virtual_id(kind): place(virtual_id(kind), kind, keeps=False)
    for kind in ("customer", "adjustment", "supplier")
}


@dataclass
class Entry:
    """A move as recorded: its number, when it happened, what it did to a level."""

    seq: int
    at: datetime
    key: tuple[UUID, UUID]
    delta: int
    posting: UUID


@dataclass
class Count:
    """One level as counted."""

    id: UUID
    key: tuple[UUID, UUID]
    at: datetime
    known: int
    variance: int
    posting: UUID
    corrected: int = 0
    voided: bool = False


@dataclass
class Day:
    """One day: the shelves as they are, the ledger as it was told, and what waits to be told."""

    random: Random
    truth: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
    book: Book = field(default_factory=lambda: Book({}, {}))
    moves: list[Entry] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    waiting: list[tuple[datetime, Posting]] = field(default_factory=list)
    submitted: list[tuple[datetime, UUID, datetime, dict[UUID, int]]] = field(default_factory=list)
    seq: int = 0
    cursor: int = 0
    made: int = 0
    late: int = 0

    def level(self, key: tuple[UUID, UUID]) -> int:
        """What the book says now."""
        row = self.book.levels.get((*key, NIL, 0))
        return row.on_hand if row else 0

    def fresh(self) -> UUID:
        """A new id."""
        self.made += 1
        return UUID(int=10_000 + self.made)

    def fact(self, variant: UUID, source: UUID, target: UUID, quantity: int, at: datetime) -> Posting:
        """What happened."""
        moves = (Move(variant=variant, from_location=source, to_location=target, quantity=quantity),)
        new = self.fresh()
        return Posting(id=new, kind="sell", source_type="test", source_id=new, actor=NIL, happened_at=at, moves=moves,
                       digest=digest_of(str(new)), mode=Mode.fact)  # fmt: skip

    def record(self, *postings: Posting) -> None:
        """The ledger hears of something: judged as in the house, numbered, written down."""
        for posting in postings:
            for move in posting.moves:
                for end in (move.from_location, move.to_location):
                    if PLACES[end].keeps_level:
                        self.book.levels.setdefault((move.variant, end, NIL, 0), LevelRow())
                        self.book.sites.setdefault((move.variant, SHOP), SiteRow())
            assert decide(self.book, [[posting]], PLACES)[0][0].status is Status.posted
            self.seq += 1
            for move in posting.moves:
                if PLACES[move.from_location].keeps_level:
                    key = (move.variant, move.from_location)
                    self.moves.append(Entry(self.seq, posting.happened_at, key, -move.quantity, posting.id))
                if PLACES[move.to_location].keeps_level:
                    key = (move.variant, move.to_location)
                    self.moves.append(Entry(self.seq, posting.happened_at, key, move.quantity, posting.id))

    def happen(self, variant: UUID, source: UUID, target: UUID, at: datetime, *, told: bool = True) -> None:
        """Something happens to the shelves; the ledger hears at once, later, or (theft) never."""
        quantity = self.random.randint(1, 4)
        if source in BINS:
            quantity = min(quantity, self.truth.get((variant, source), 0))
        if quantity == 0:
            return
        if source in BINS:
            self.truth[variant, source] -= quantity
        if target in BINS:
            self.truth[variant, target] = self.truth.get((variant, target), 0) + quantity
        if not told:
            return
        posting = self.fact(variant, source, target, quantity, at)
        if self.random.random() < 0.6:
            self.record(posting)
        else:
            self.waiting.append((at + timedelta(minutes=self.random.randint(1, 900)), posting))

    def count_bin(self, where: UUID, at: datetime) -> None:
        """Somebody counts a bin; it is approved now, or much later."""
        seen = {v: q for (v, b), q in self.truth.items() if b == where and q > 0}
        self.submitted.append(
            (at + timedelta(minutes=self.random.choice([0, 0, 5, 60, 400])), where, at, seen)
        )

    def approve(self, where: UUID, at: datetime, seen: dict[UUID, int]) -> None:
        """What `post_bin` does: the levels at that instant as known now, the variances, one posting, the levels as counted."""
        levels = [
            LevelThen(v, NIL, 0, self.level((v, where)) - sum(m.delta for m in self.moves if m.key == (v, where) and m.at > at))
            for v in GOODS
        ]  # fmt: skip
        counted = spread([CountedLine(v, q) for v, q in seen.items()], levels, complete=True)
        for variant in GOODS:
            counted.setdefault((variant, NIL, 0), 0)  # a bin counted as a whole covers what no line names
        found, known = variances(counted, levels, lambda _: (0, None)), self.seq
        posting = self.fresh()
        moves = tuple(
            Move(
                variant=v.variant, quantity=abs(v.quantity),
                from_location=where if v.quantity < 0 else virtual_id("adjustment"),
                to_location=virtual_id("adjustment") if v.quantity < 0 else where,
            )
            for v in found
            if v.quantity != 0
        )  # fmt: skip
        if moves:
            self.record(
                Posting(id=posting, kind="count", source_type="bin_count", source_id=posting, actor=NIL, happened_at=at,
                        moves=moves, digest=digest_of(str(posting)), mode=Mode.fact)
            )  # fmt: skip
        self.counts += [
            Count(self.fresh(), (v.variant, where), at, known, v.quantity, posting) for v in found
        ]

    def keep_right(self) -> None:
        """What the reader does: every level that new moves touch before a count that did not know them."""
        fresh = [m for m in self.moves if m.seq > self.cursor]
        self.cursor = self.seq
        keys = {
            m.key for m in fresh for c in self.counts if c.key == m.key and c.at >= m.at and c.known < m.seq
        }
        for key in sorted(keys):
            since = min(m.at for m in fresh if m.key == key)
            of = {c.id: c for c in self.counts if c.key == key and c.at >= since}
            checked = [
                Checked(
                    c.id, c.at, c.known,
                    sum(m.delta for m in self.moves if m.key == key and m.seq > c.known and m.at <= c.at) - c.variance,
                    c.corrected, c.voided,
                )
                for c in of.values()
            ]  # fmt: skip
            for count, change in corrections(checked):
                out = change < 0
                elsewhere = virtual_id("adjustment")
                self.record(
                    self.fact(key[0], key[1] if out else elsewhere, elsewhere if out else key[1], abs(change), count.happened_at)
                )  # fmt: skip
                of[count.id].corrected += change
                self.late += 1

    def reverse_a_count(self) -> None:
        """Somebody reverses a count's posting: exactly its opposite, at its own instant; the count says nothing any more."""
        posted = sorted({c.posting for c in self.counts if not c.voided and c.variance}, key=lambda i: i.int)
        if not posted:
            return
        wrong = self.random.choice(posted)
        for entry in [m for m in self.moves if m.posting == wrong]:
            variant, where = entry.key
            out, elsewhere = entry.delta > 0, virtual_id("adjustment")
            self.record(
                self.fact(
                    variant,
                    where if out else elsewhere,
                    elsewhere if out else where,
                    abs(entry.delta),
                    entry.at,
                )
            )
        for count in self.counts:
            count.voided = count.voided or count.posting == wrong

    def pass_time(self, now: datetime) -> None:
        """What was waiting and is due by now gets told, in any order."""
        for due in [w for w in self.waiting if w[0] <= now]:
            self.waiting.remove(due)
            self.record(due[1])
        for due_count in [s for s in self.submitted if s[0] <= now]:
            self.submitted.remove(due_count)
            self.approve(*due_count[1:])
        if self.random.random() < 0.3:
            self.keep_right()


def live(random: Random) -> Day:
    """A day from morning to the end of the night, when the last device has told everything."""
    day, now = Day(random), MORNING
    customer, supplier = virtual_id("customer"), virtual_id("supplier")
    for _ in range(random.randint(10, 60)):
        now += timedelta(minutes=random.choice([0, 1, 7, 20]))  # several things may happen at one instant
        variant, where = random.choice(GOODS), random.choice(BINS)
        other = BINS[1 - BINS.index(where)]
        what = random.random()
        if what < 0.2:
            day.happen(variant, supplier, where, now)
        elif what < 0.6:
            day.happen(variant, where, customer, now)
        elif what < 0.75:
            day.happen(variant, where, other, now)
        elif what < 0.8:
            day.happen(variant, where, customer, now, told=False)
        elif what < 0.97:
            now += timedelta(seconds=1)  # nothing happens to the bin in the moment it is counted
            day.count_bin(where, now)
            now += timedelta(seconds=1)
        else:
            day.reverse_a_count()
        day.pass_time(now)
    now += timedelta(minutes=1)
    for where in BINS:
        day.count_bin(where, now)  # the last count of the day sees whatever was taken
    end = now + timedelta(days=2)
    for _ in range(4):
        day.happen(random.choice(GOODS), random.choice(BINS), customer, now + timedelta(minutes=1))
    day.pass_time(end)
    day.keep_right()
    return day


def test_two_thousand_days_end_with_the_truth_in_the_book() -> None:
    print(f"seed {SEED}")
    random, late, counts = Random(SEED), 0, 0
    for number in range(DAYS):
        day = live(random)
        late, counts = late + day.late, counts + len(day.counts)
        for key in {(v, b) for v in GOODS for b in BINS}:
            assert day.level(key) == day.truth.get(key, 0), f"seed {SEED}, day {number}, level {key}"
        day.keep_right()
        assert day.cursor == day.seq
    print(f"{DAYS} days, {counts} levels counted, {late} corrections by late facts")
    assert late > DAYS
