"""What a transfer is and what may become of its units. Pure.

Every unit that leaves the source ends somewhere: received, damaged, lost or returned. What is neither yet is in transit.
Quantities are integers in the variant's smallest unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from onhand.kit.ids import NIL, derive_id
from onhand.kit.problem import Problem
from onhand.values.quantity import format_units

TOLERANCE_PERCENT = 10
"""How much more than was shipped of a line may arrive without anybody saying that it is so."""

DUE_WITHOUT_DATE = timedelta(days=2)
"""When goods count as due for whom nobody gave a date."""


class State(StrEnum):
    """How far a transfer is. `shipped`: something left, and not everything is settled."""

    draft = "draft"
    placed = "placed"
    shipped = "shipped"
    received = "received"
    cancelled = "cancelled"


TRANSITIONS: Mapping[State, Mapping[str, State]] = {
    State.draft: {"change": State.draft, "place": State.placed, "cancel": State.cancelled},
    State.placed: {
        "change": State.placed, "ship": State.shipped, "receive": State.shipped, "cancel": State.cancelled,
    },
    State.shipped: {
        "change": State.shipped, "ship": State.shipped, "receive": State.shipped, "resolve": State.shipped,
        "close": State.shipped,
    },
    State.received: {"resolve": State.received},
    State.cancelled: {},
}  # fmt: skip
"""State → verb → state. What is shipped becomes received by itself, once every unit is settled (`settled`)."""


class Outcome(StrEnum):
    """Where units of a transfer went."""

    shipped = "shipped"
    received = "received"
    damaged = "damaged"
    lost = "lost"
    returned = "returned"
    found = "found"


class TransferState(Problem):
    """A transfer in this state does not allow that. `state` says what it is, `can` what it allows."""

    status = 409


class NothingToShip(Problem):
    """Everything on this transfer was shipped already, or is not wanted any more."""

    status = 409


class OverShipment(Problem):
    """More would leave than the transfer asks for. `left` says how much is still to ship; plan another transfer for the rest."""

    status = 409


class NothingInTransit(Problem):
    """Not that much of it is on the way. `in_transit` says how much is."""

    status = 409


class OverReceipt(Problem):
    """More arrived than was shipped, beyond the tolerance. Count again; if it is so, send it with `accept_over`."""

    status = 409


class NotOnTransfer(Problem):
    """This transfer has no such line. If it arrived all the same, send the receipt with `accept_over`."""

    status = 422


class NothingNeeded(Problem):
    """Nothing is below its minimum there that another site could spare."""

    status = 409


class NotMovable(Problem):
    """Only pallets, totes and carts are moved with what is on them. For other places move the stock itself."""

    status = 422


@dataclass(slots=True)
class Part:
    """What became of one lot of a line (NIL: no lot)."""

    lot: UUID
    shipped: int = 0
    received: int = 0
    damaged: int = 0
    lost: int = 0
    returned: int = 0

    @property
    def in_transit(self) -> int:
        """What left and is not settled."""
        return self.shipped - self.received - self.damaged - self.lost - self.returned

    def count(self, outcome: Outcome, quantity: int) -> None:
        """Note what became of some units; `found` is received, and no longer lost where it was."""
        name = "received" if outcome is Outcome.found else outcome.value
        setattr(self, name, getattr(self, name) + quantity)


@dataclass(slots=True)
class Line:
    """A line: how much of a variant is wanted, how much of that nobody wants any more (`dropped`), what is claimed at the
    source, and a part a lot. `lot` NIL: any lot."""

    id: UUID
    number: int
    variant: UUID
    sku: str
    decimals: int
    lot: UUID
    requested: int
    dropped: int = 0
    claimed: int = 0
    parts: dict[UUID, Part] = field(default_factory=dict)

    @property
    def shipped(self) -> int:
        """What left of it."""
        return sum(p.shipped for p in self.parts.values())

    @property
    def in_transit(self) -> int:
        """What is on the way of it."""
        return sum(p.in_transit for p in self.parts.values())

    @property
    def to_ship(self) -> int:
        """What is still to leave."""
        return max(0, self.requested - self.dropped - self.shipped)

    def part(self, lot: UUID) -> Part:
        """The part of a lot, made where it is new."""
        return self.parts.setdefault(lot, Part(lot))

    def shown(self, quantity: int) -> str:
        """A quantity of it as decimal text."""
        return format_units(quantity, self.decimals)


@dataclass(slots=True)
class Document:
    """A transfer as its verbs see it, locked."""

    id: UUID
    number: int
    state: State
    from_site: UUID
    to_site: UUID
    transit: UUID
    reserves: bool
    expected_at: datetime | None
    note: str | None
    version: int
    placed_at: datetime | None
    shipped_at: datetime | None
    lines: list[Line] = field(default_factory=list)

    def line(self, line_id: UUID) -> Line:
        """A line by its id. Raises NotOnTransfer."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise NotOnTransfer(param="line_id")

    def of(self, variant: UUID) -> list[Line]:
        """The lines of a variant."""
        return [line for line in self.lines if line.variant == variant]


def advance(state: State, verb: str) -> State:
    """The state a verb leads to. Raises TransferState where it is not allowed."""
    found = TRANSITIONS[state].get(verb)
    if found is None:
        raise TransferState(
            f"This transfer is {state.value}; that does not allow to {verb} it.",
            state=state.value, can=sorted(TRANSITIONS[state]),
        )  # fmt: skip
    return found


def allowed(state: State, *, to_ship: bool, in_transit: bool, lost: bool, shipped: bool = True) -> list[str]:
    """The verbs that make sense now: of those of the state, the ones that have something to act on."""
    sense = {
        "ship": to_ship,
        "close": to_ship and shipped,
        "receive": in_transit,
        "resolve": in_transit or lost,
    }
    return [verb for verb in TRANSITIONS[state] if sense.get(verb, True)]


def settled(lines: Iterable[Line]) -> bool:
    """Nothing is left to ship and nothing is on the way."""
    return all(line.to_ship == 0 and line.in_transit == 0 for line in lines)


def due(document: Document, now: datetime) -> datetime:
    """When its goods are expected."""
    return document.expected_at or (document.placed_at or now) + DUE_WITHOUT_DATE


# -- shipping


@dataclass(frozen=True, slots=True)
class Want:
    """What somebody ships or receives: a variant, of a line if one is named, of a lot if one is named, from or to a place."""

    variant: UUID
    quantity: int
    sku: str
    decimals: int
    line: UUID | None = None
    lot: UUID | None = None
    place: UUID | None = None
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class Pick:
    """A quantity of a line that leaves: of a lot (None: any), from a place (None: wherever it lies)."""

    line: Line
    quantity: int
    lot: UUID | None
    place: UUID | None


def plan_shipment(document: Document, wants: Sequence[Want]) -> list[Pick]:
    """What leaves of which line; without wants everything that is still to ship.

    Raises NotOnTransfer, OverShipment, NothingToShip.
    """
    if not wants:
        picks = [Pick(line, line.to_ship, _own(line), None) for line in document.lines if line.to_ship]
        if not picks:
            raise NothingToShip()
        return picks
    left = {line.id: line.to_ship for line in document.lines}
    picks = []
    for want in wants:
        rest = want.quantity
        lines = _named(document, want)
        for line in lines:
            part = min(rest, left[line.id])
            if part > 0:
                picks.append(Pick(line, part, want.lot or _own(line), want.place))
                left[line.id] -= part
                rest -= part
        if rest:
            total = sum(line.to_ship for line in lines)
            raise OverShipment(
                f"{want.sku}: {format_units(total, want.decimals)} left to ship, {format_units(rest, want.decimals)} too many.",
                param="quantity", sku=want.sku, left=format_units(total, want.decimals),
            )  # fmt: skip
    return picks


def _own(line: Line) -> UUID | None:
    return line.lot if line.lot != NIL else None


def _named(document: Document, want: Want) -> list[Line]:
    lines = [document.line(want.line)] if want.line is not None else document.of(want.variant)
    if want.lot is not None:
        lines = [line for line in lines if line.lot in (NIL, want.lot)]
    if not lines:
        raise NotOnTransfer(f"{want.sku} is not on this transfer.", param="sku", sku=want.sku)
    return lines


# -- receiving


@dataclass(frozen=True, slots=True)
class Arrival:
    """Units of a line and lot that arrived. `over`: more than was on the way, so they left the source unwritten."""

    line: Line
    lot: UUID
    quantity: int
    outcome: Outcome
    place: UUID | None
    over: bool = False


def match_receipt(
    document: Document, wants: Sequence[Want], *, accept_over: bool, new_line: UUID | None = None
) -> list[Arrival]:
    """Match what arrived with what is on the way, good units first; without wants everything on the way arrived well.

    What arrived beyond is `over`: refused beyond the tolerance unless accepted. Something nobody shipped becomes a line of
    its own (ids derived from `new_line`) when accepted. Raises OverReceipt, NotOnTransfer, NothingInTransit.
    """
    if not wants:
        whole = [
            Arrival(line, part.lot, part.in_transit, Outcome.received, None)
            for line in document.lines for part in line.parts.values() if part.in_transit
        ]  # fmt: skip
        if not whole:
            raise NothingInTransit("Nothing is on the way.", in_transit="0")
        return whole
    left = {(line.id, p.lot): p.in_transit for line in document.lines for p in line.parts.values()}
    over: dict[UUID, int] = {}
    out: list[Arrival] = []
    for want in wants:
        lines = _arrived_lines(document, want, accept_over, new_line)
        rest = {Outcome.received: want.quantity, Outcome.damaged: want.damaged}
        for line in lines:
            for part in list(line.parts.values()):
                if want.lot not in (None, part.lot):
                    continue
                for outcome in rest:
                    taken = min(rest[outcome], left[line.id, part.lot])
                    if taken > 0:
                        out.append(Arrival(line, part.lot, taken, outcome, want.place))
                        left[line.id, part.lot] -= taken
                        rest[outcome] -= taken
        last = lines[-1]
        for outcome, quantity in rest.items():
            if quantity:
                lot = want.lot if want.lot is not None else next(reversed(last.parts), last.lot)
                out.append(Arrival(last, lot, quantity, outcome, want.place, over=True))
                over[last.id] = over.get(last.id, 0) + quantity
    if not accept_over:
        _within(document, over)
    return out


def _arrived_lines(document: Document, want: Want, accept_over: bool, new_line: UUID | None) -> list[Line]:
    lines = [document.line(want.line)] if want.line is not None else document.of(want.variant)
    if lines:
        return lines
    if not accept_over or new_line is None:
        raise NotOnTransfer(f"{want.sku} is not on this transfer.", param="sku", sku=want.sku)
    number = len(document.lines) + 1
    line = Line(
        derive_id(str(new_line), "line", str(number)),
        number,
        want.variant,
        want.sku,
        want.decimals,
        want.lot or NIL,
        0,
    )
    document.lines.append(line)
    return [line]


def _within(document: Document, over: Mapping[UUID, int]) -> None:
    for line in document.lines:
        too_many = over.get(line.id, 0)
        if too_many > line.shipped * TOLERANCE_PERCENT // 100:
            raise OverReceipt(
                f"{line.sku}: {line.shown(line.in_transit)} are on the way, {line.shown(too_many)} more arrived.",
                param="quantity", sku=line.sku, in_transit=line.shown(line.in_transit), over=line.shown(too_many),
            )  # fmt: skip


# -- resolving what neither arrived nor was written off


@dataclass(frozen=True, slots=True)
class Settled:
    """Units of a line and lot that somebody settled. `was_lost`: they had been written off before."""

    line: Line
    lot: UUID
    quantity: int
    was_lost: bool = False


def resolve(line: Line, outcome: Outcome, quantity: int, *, lot: UUID | None) -> list[Settled]:
    """Which parts of a line are settled: from what is on the way, and for `found` from what was written off after that.

    Raises NothingInTransit where there is not that much.
    """
    parts = [p for p in line.parts.values() if lot in (None, p.lot)]
    out, rest = [], quantity
    for part in parts:
        taken = min(rest, part.in_transit)
        if taken > 0:
            out.append(Settled(line, part.lot, taken))
            rest -= taken
    for part in parts if outcome is Outcome.found else []:
        taken = min(rest, part.lost)
        if taken > 0:
            out.append(Settled(line, part.lot, taken, was_lost=True))
            rest -= taken
    if rest:
        there = line.shown(sum(p.in_transit for p in parts))
        raise NothingInTransit(
            f"{line.sku}: {there} on the way, {line.shown(rest)} too many.",
            param="quantity",
            sku=line.sku,
            in_transit=there,
        )
    return out


# -- proposals


@dataclass(frozen=True, slots=True)
class Need:
    """What a site lacks of a variant."""

    variant: UUID
    quantity: int


def propose(
    needs: Sequence[Need], surplus: Mapping[UUID, Mapping[UUID, int]]
) -> tuple[dict[UUID, list[Need]], list[Need]]:
    """Choose sources (site → variant → what it can spare) for what is needed: the site that covers most lines whole first,
    then the next. Answers what each gives, and what nobody can."""
    open_ = {need.variant: need.quantity for need in needs}
    given: dict[UUID, list[Need]] = {}
    left = {site: dict(has) for site, has in surplus.items()}
    while open_ and left:
        best = max(left, key=lambda s: (_covers(open_, left[s]), -s.int))
        has = left.pop(best)
        for variant in list(open_):
            part = min(open_[variant], has.get(variant, 0))
            if part > 0:
                given.setdefault(best, []).append(Need(variant, part))
                open_[variant] -= part
                if not open_[variant]:
                    del open_[variant]
    return given, [Need(v, q) for v, q in open_.items()]


def _covers(open_: Mapping[UUID, int], has: Mapping[UUID, int]) -> tuple[int, int]:
    whole = sum(1 for v, q in open_.items() if has.get(v, 0) >= q)
    return whole, sum(1 for v in open_ if has.get(v, 0) > 0)
