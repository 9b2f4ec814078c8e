"""A reference model of the ledger, as plain as it can be: a list of what happened, and sums over it when somebody asks. Pure.

It shares no code with the product. Quantities are never kept, only added up; a request is tried line by line on a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Place = tuple[str, str]
"""location and condition"""

SITES = {"W1/A": "W1", "W1/B": "W1", "W1/Q": "W1", "S1": "S1", "S2": "S2"}
"""Places that keep stock → the site they belong to. All others are outside: goods come from there and vanish there."""
SELLING = {"W1/A", "W1/B", "S1", "S2"}
ENDS = {"customer", "production"}
"""Where held stock may not go at a request."""


@dataclass(frozen=True)
class Line:
    """Goods from a place to a place."""

    sku: str
    source: Place
    target: Place
    quantity: int


@dataclass(frozen=True)
class Promise:
    """Goods promised at a site (positive), or given back (negative)."""

    sku: str
    site: str
    quantity: int


@dataclass(frozen=True)
class Deed:
    """Something that happened, or is asked for."""

    id: str
    lines: tuple[Line, ...] = ()
    promises: tuple[Promise, ...] = ()
    fact: bool = False
    undoes: str | None = None


@dataclass
class Model:
    """What happened, in order."""

    deeds: list[Deed] = field(default_factory=list)

    def on_hand(self, sku: str, place: Place) -> int:
        """Came in minus went out."""
        return sum(
            line.quantity * ((line.target == place) - (line.source == place))
            for deed in self.deeds
            for line in deed.lines
            if line.sku == sku
        )

    def sellable(self, sku: str, site: str) -> int:
        """What lies for sale at a site."""
        return sum(self.on_hand(sku, (at, "available")) for at in SELLING if SITES[at] == site)

    def reserved(self, sku: str, site: str) -> int:
        """What is promised there."""
        return sum(p.quantity for d in self.deeds for p in d.promises if (p.sku, p.site) == (sku, site))

    def free(self, sku: str, site: str) -> int:
        """What may still be promised or taken."""
        return self.sellable(sku, site) - self.reserved(sku, site)

    def overdrawn(self, sku: str, site: str) -> int:
        """How much more was promised or taken than there is."""
        return max(0, -self.free(sku, site))

    def tell(self, deed: Deed) -> str:
        """Judge one deed and keep it if it stands. Answers the word of the ledger, for facts with what was oversold."""
        for before in self.deeds:
            if before.id == deed.id:
                same = (before.lines, before.promises, before.fact, before.undoes) == (
                    deed.lines, deed.promises, deed.fact, deed.undoes,
                )  # fmt: skip
                return "already_posted" if same else "id_reused"
        if deed.undoes is not None and any(d.undoes == deed.undoes for d in self.deeds):
            return "already_reversed"
        if not deed.fact:
            if deed.undoes is None and any(
                line.target[0] in ENDS and line.source[1] != "available" for line in deed.lines
            ):
                return "lot_held"
            if self._short(deed):
                return "insufficient_stock"
        keys = {
            (line.sku, SITES[p[0]])
            for line in deed.lines
            for p in (line.source, line.target)
            if p[0] in SITES
        }
        keys |= {(p.sku, p.site) for p in deed.promises}
        before_it = {key: self.overdrawn(*key) for key in keys}
        self.deeds.append(deed)
        oversold = sum(max(0, self.overdrawn(*key) - before_it[key]) for key in keys)
        return f"posted, oversold {oversold}" if oversold else "posted"

    def tell_all(self, deeds: Sequence[Deed]) -> list[str]:
        """All of them, or none: the first that is refused undoes the rest."""
        kept, answers = len(self.deeds), list[str]()
        for deed in deeds:
            answers.append(self.tell(deed))
            if not answers[-1].startswith(("posted", "already_posted")):
                del self.deeds[kept:]
                return (
                    ["group_refused"] * (len(answers) - 1)
                    + [answers[-1]]
                    + ["group_refused"] * (len(deeds) - len(answers))
                )
        return answers

    def _short(self, deed: Deed) -> bool:
        """Whether a line takes more than is free when its turn comes, at its place or at its site.

        What is given back comes first, and goods that leave for it take nothing from anybody else.
        """
        trial = Model(list(self.deeds))
        given: dict[tuple[str, str], int] = {}
        for promise in deed.promises:
            if promise.quantity < 0:
                trial.deeds.append(Deed("", (), (promise,)))
                given[promise.sku, promise.site] = (
                    given.get((promise.sku, promise.site), 0) - promise.quantity
                )
        for line in deed.lines:
            trial.deeds.append(Deed("", (line,)))
            at, condition = line.source
            if at in SITES and trial.on_hand(line.sku, line.source) < 0:
                return True
            leaves = at in SELLING and condition == "available"
            arrives = line.target[0] in SELLING and line.target[1] == "available"
            if leaves and not (arrives and SITES[at] == SITES[line.target[0]]):
                key = (line.sku, SITES[at])
                if given.get(key, 0) >= line.quantity:
                    given[key] -= line.quantity
                elif trial.free(*key) < 0:
                    return True
        for promise in deed.promises:
            if promise.quantity > 0:
                trial.deeds.append(Deed("", (), (promise,)))
                if trial.free(promise.sku, promise.site) < 0:
                    return True
        return False
