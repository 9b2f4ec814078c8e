"""Any history of reservations, told to the ledger and to a model of thirty lines: both always say the same. Small; pure book."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from onhand.ledger.decide import Book, LevelRow, SiteRow, decide
from onhand.ledger.model import Claim, Mode, Posting, Status
from onhand.ledger.reservations import Held, Policy, Wish, claims_of, share, take_from
from tests.ledger.test_judge import shop


@dataclass
class Kept:
    """A reservation as the model keeps it."""

    id: UUID
    lines: list[Held] = field(default_factory=list)


class Reservations(RuleBasedStateMachine):
    """One variant at one site; the book is the judge's, the documents are lines, the model counts."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.world, self.places = shop()
        self.variant, self.site = uuid4(), self.world.places["S1"]
        self.world.variants["SHOE"] = self.variant
        self.book = Book({}, {(self.variant, self.site): SiteRow()})
        self.book.levels[self.variant, self.site, UUID(int=0), 0] = LevelRow()
        self.documents: list[Kept] = []
        self.there = 0

    @property
    def row(self) -> SiteRow:
        return self.book.sites[self.variant, self.site]

    def judge(self, posting: Posting) -> Status:
        return decide(self.book, [[posting]], self.places)[0][0].status

    @rule(quantity=st.integers(1, 6))
    def goods_come(self, quantity: int) -> None:
        came = self.world.posting(self.world.move("SHOE", quantity, "supplier", "S1"), mode=Mode.fact)
        assert self.judge(came) is Status.posted
        self.there += quantity

    @rule(quantity=st.integers(1, 4))
    def a_till_sells(self, quantity: int) -> None:
        sold = self.world.posting(self.world.move("SHOE", quantity, "S1", "customer"), mode=Mode.fact)
        assert self.judge(sold) is Status.posted
        self.there -= quantity

    @rule(
        target=held,
        wanted=st.lists(st.tuples(st.integers(1, 5), st.sampled_from(list(Policy))), min_size=1, max_size=3),
        limit=st.one_of(st.none(), st.integers(0, 5)),
    )
    def somebody_reserves(self, wanted: list[tuple[int, Policy]], limit: int | None) -> Kept:
        key, kept = (self.variant, self.site), Kept(uuid4())
        wishes = [Wish(self.variant, self.site, q, p) for q, p in wanted]
        found = share(wishes, {key: self.row.sellable - self.row.reserved}, {key: limit})
        if not found.shortages:
            claims = claims_of(kept.id, [(key, q) for q in found.quantities])
            mode = Mode.backorder if found.beyond else Mode.strict
            assert self.judge(self.world.posting(kind="reserve", claims=claims, mode=mode)) is Status.posted
            kept.lines = [
                Held(n, self.variant, self.site, p, q, claimed=got)
                for n, ((q, p), got) in enumerate(zip(wanted, found.quantities, strict=True), 1)
            ]
            self.documents.append(kept)
        return kept

    @rule(kept=held, quantity=st.integers(1, 5))
    def it_gives_back(self, kept: Kept, quantity: int) -> None:
        for line in kept.lines:
            part = min(quantity, line.open)
            if part:
                taken = take_from(kept.lines, [(line.line, part)])
                claims = claims_of(kept.id, [(x.key, -q) for x, q in taken])
                assert self.judge(self.world.posting(kind="release", claims=claims)) is Status.posted
                line.released += part

    @rule(kept=held)
    def it_takes_its_goods(self, kept: Kept) -> None:
        """They go exactly when they lie there, whatever tills and others have done to the site."""
        for line, quantity in take_from(kept.lines, None):
            move = self.world.move("SHOE", quantity, "S1", "customer")
            claims = (Claim(kept.id, self.variant, self.site, -quantity),)
            status = self.judge(self.world.posting(move, kind="ship", claims=claims))
            assert status is (Status.posted if self.there >= quantity else Status.insufficient_stock)
            if status is Status.posted:
                line.consumed += quantity
                self.there -= quantity

    @invariant()
    def what_is_reserved_is_what_the_documents_hold(self) -> None:
        assert self.row.reserved == sum(line.open for kept in self.documents for line in kept.lines)
        assert self.row.sellable == self.there
        assert self.row.overdrawn == max(0, self.row.reserved - self.row.sellable)


Reservations.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestReservations = Reservations.TestCase
