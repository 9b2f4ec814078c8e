"""Postings, moves and claims: what one atomic business fact is. Pure.

Quantities are integers in the variant's smallest unit. A place is a location and a condition; goods come from one place
and go to another, so nothing appears or vanishes (docs/why/moves.md).
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import msgspec

from onhand.kit.ids import NIL, quick
from onhand.kit.problem import Problem

MAX_QUANTITY = 10**15
"""The largest quantity of one line, in smallest units; sums of many lines still fit 64 bits."""


class Condition(IntEnum):
    """Why a unit is or is not for sale. Stored as a small number, shown by name."""

    available = 0
    hold = 1
    quarantine = 2
    damaged = 3
    expired = 4
    recalled = 5


class Kind(StrEnum):
    """What sort of fact a posting is."""

    receive = "receive"
    ship = "ship"
    sell = "sell"
    return_ = "return"
    move = "move"
    transfer = "transfer"
    adjust = "adjust"
    set = "set"
    count_ = "count"
    scrap = "scrap"
    hold = "hold"
    release_hold = "release_hold"
    produce = "produce"
    consume = "consume"
    reserve = "reserve"
    release = "release"
    expire = "expire"
    assign_lot = "assign_lot"
    reverse = "reverse"


class Mode(StrEnum):
    """A request (strict) may be refused; a fact (it happened) is always recorded. A backorder is a claim beyond what is there
    that somebody approved beforehand: it may overdraw a site, and nothing was oversold by it."""

    strict = "strict"
    fact = "fact"
    backorder = "backorder"


class Reason(StrEnum):
    """Why a quantity was corrected."""

    correction = "correction"
    cycle_count = "cycle_count"
    damaged = "damaged"
    shrinkage = "shrinkage"
    theft = "theft"
    expired = "expired"
    donation = "donation"
    found = "found"
    production = "production"
    opening = "opening"
    other = "other"


_NO_LOT = quick(NIL)


class Move(msgspec.Struct, frozen=True, gc=False):
    """`quantity` (> 0, smallest units) of a variant and lot, from a place to a place; `unit_cost` where goods come in."""

    variant: UUID
    from_location: UUID
    to_location: UUID
    quantity: int
    lot: UUID = _NO_LOT
    from_condition: int = 0
    to_condition: int = 0
    unit_cost: str | None = None
    currency: str | None = None


class Claim(msgspec.Struct, frozen=True, gc=False):
    """A reservation's claim on a site: positive takes, negative gives back. `reserved` is the sum of claims."""

    reservation: UUID
    variant: UUID
    site: UUID
    quantity: int


class Posting(msgspec.Struct, frozen=True):
    """One atomic business fact. `digest` is of its canonical content: the same id with another digest is refused."""

    id: UUID
    kind: str
    source_type: str
    source_id: UUID
    actor: UUID
    happened_at: datetime
    moves: tuple[Move, ...]
    digest: bytes
    claims: tuple[Claim, ...] = ()
    mode: Mode = Mode.strict
    device: UUID | None = None
    reverses: UUID | None = None
    reason: str | None = None
    caller: UUID = NIL


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """Open supply (positive) or demand (negative) of a document's line: what of a variant is due at a site, and when."""

    source_line: UUID
    source_type: str
    source_id: UUID
    variant: UUID
    site: UUID
    quantity: int
    due: datetime


def digest_of(*parts: Any) -> bytes:
    """SHA-256 of a canonical encoding of some values; what `posting_key` remembers of an id for ever."""
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).digest()


class Status(StrEnum):
    """What became of one posting. The order here is the precedence when several would apply."""

    posted = "posted"
    already_posted = "already_posted"
    id_reused = "id_reused"
    already_reversed = "already_reversed"
    unknown_variant = "unknown_variant"
    unknown_location = "unknown_location"
    location_closed = "location_closed"
    lot_held = "lot_held"
    insufficient_stock = "insufficient_stock"
    group_refused = "group_refused"


class Shortage(msgspec.Struct, frozen=True, gc=False):
    """How far one key went short: for a request what was missing, for a fact by how much it was oversold."""

    variant: UUID
    place: UUID
    quantity: int
    available: int
    lot: UUID = NIL


class Outcome(msgspec.Struct, frozen=True):
    """The answer for one posting. `oversold` lists what a fact took beyond what was there, per variant and site; `lots` what
    it took of a lot in a place beyond what lay there."""

    status: Status
    seq: int | None = None
    recorded_at: datetime | None = None
    shortages: tuple[Shortage, ...] = ()
    oversold: tuple[Shortage, ...] = ()
    lots: tuple[Shortage, ...] = ()

    @property
    def ok(self) -> bool:
        """Posted now or before, with the same content."""
        return self.status in (Status.posted, Status.already_posted)


class InsufficientStock(Problem):
    """There is not enough stock for this. `shortages` says what is missing where, and what is left."""

    status = 409


class SerialAlreadyUsed(Problem):
    """This serial number names one unit: it cannot be on hand twice, nor leave twice. Look up where it is."""

    status = 409


class LevelTooLarge(Problem):
    """A level would go beyond what can be counted, 9,223,372,036,854,775,807 of its smallest unit. Check the quantity."""

    status = 422


class QuantityStale(Problem):
    """The quantity changed since you read it. `present` is what it is now; decide again."""

    status = 409


class AlreadyReversed(Problem):
    """This posting was reversed before. A reversal happens once; post the opposite as a new fact instead."""

    status = 409


class UnknownVariant(Problem):
    """There is no variant by this id, SKU or barcode. Create it first, or import it."""

    status = 422


class UnknownLocation(Problem):
    """There is no location by this id or code."""

    status = 422


class LocationClosed(Problem):
    """This location is closed. Reopen it, or choose another."""

    status = 409


class LocationKeepsNoStock(Problem):
    """This kind of location keeps no stock; name a store, a warehouse or a place in one."""

    status = 422


class LotHeld(Problem):
    """This stock is on hold, expired or recalled, and may not go to a customer, production or a reservation."""

    status = 409


class GroupRefused(Problem):
    """Another item of this all-or-nothing batch was refused, so none was posted."""

    status = 409


class NotReversible(Problem):
    """This kind of posting is not undone by a reversal; `detail` names the step that does it."""

    status = 409


class HappenedAhead(Problem):
    """`happened_at` lies in the future. Send the instant at which it happened."""

    status = 422


class OwnApproval(Problem):
    """What you asked for is decided by somebody else who may approve stock changes here."""

    status = 403


class AlreadyDecided(Problem):
    """This was approved or rejected before; `state` says which."""

    status = 409


class AlreadyResolved(Problem):
    """This exception was settled before."""

    status = 409


class UomMismatch(Problem):
    """The quantity does not fit this variant's unit. Send it in the unit named, with no more decimals than it has."""

    status = 422


REFUSALS: dict[Status, type[Problem]] = {
    Status.already_reversed: AlreadyReversed,
    Status.unknown_variant: UnknownVariant,
    Status.unknown_location: UnknownLocation,
    Status.location_closed: LocationClosed,
    Status.lot_held: LotHeld,
    Status.insufficient_stock: InsufficientStock,
    Status.group_refused: GroupRefused,
}


class InvalidPosting(Problem):
    """A posting needs at least one line, quantities above zero and below the limit, and two different places a line."""

    status = 422


def check_shape(posting: Posting) -> None:
    """Raise InvalidPosting for what no book could accept."""
    if not posting.moves and not posting.claims and posting.mode is not Mode.fact:
        raise InvalidPosting(
            "A request needs at least one line."
        )  # a fact may move nothing: a receipt of coupons
    for move in posting.moves:
        if not 0 < move.quantity <= MAX_QUANTITY:
            raise InvalidPosting(f"A quantity must be above 0 and at most {MAX_QUANTITY}.", param="quantity")
        if move.from_location == move.to_location and move.from_condition == move.to_condition:
            raise InvalidPosting("A move needs two different places.", param="to_location_id")
    for claim in posting.claims:
        if not 0 < abs(claim.quantity) <= MAX_QUANTITY:
            raise InvalidPosting(f"A claim is not 0 and at most {MAX_QUANTITY}.", param="quantity")


def opposite(moves: tuple[Move, ...]) -> tuple[Move, ...]:
    """The moves that undo some moves."""
    return tuple(
        Move(
            variant=m.variant, lot=m.lot, quantity=m.quantity,
            from_location=m.to_location, from_condition=m.to_condition,
            to_location=m.from_location, to_condition=m.from_condition,
            unit_cost=m.unit_cost, currency=m.currency,
        )
        for m in moves
    )  # fmt: skip


_REVERSAL_REFUSED: dict[str, str] = {
    Kind.reverse: "This is a reversal itself. Post what is right as a new fact instead.",
    Kind.reserve: "A reservation is given back by releasing it.",
    Kind.release: "A release is undone by reserving again.",
    Kind.expire: "An expired reservation is made again, not undone.",
    Kind.assign_lot: "Lots are assigned anew, not undone.",
}
_REVERSED_BY_DOCUMENT: dict[str, str] = {
    "sale": "This belongs to a sale. Void or refund the sale instead, so that the money goes back too.",
    "refund": "This belongs to a refund. Record a new sale instead.",
    "transfer_document": "This belongs to a transfer. Receive, return or settle its goods there instead.",
    "lpn_move": "This moved a load carrier with all that is on it. Move it back instead.",
    "count_correction": "This keeps a count right after a fact came late. Reverse the count, or count again.",
}


def reversal_refused(kind: str, source_type: str) -> str | None:
    """Why a person may not reverse such a posting, and what to do instead; None when they may."""
    return _REVERSAL_REFUSED.get(kind) or _REVERSED_BY_DOCUMENT.get(source_type)


def exceeds(
    quantity: Decimal, unit_cost: Decimal | None, *, units: Decimal | None, value: Decimal | None
) -> str | None:
    """Why a correction needs a second person; None when it is within both limits (None: no limit).

    `quantity` in the variant's unit, either sign; `unit_cost` and `value` in the base currency. Without a known cost the
    value cannot be judged, so a limit of value then asks for a second person.
    """
    if units is not None and abs(quantity) > units:
        return f"{abs(quantity)} units are more than the {units} you may correct alone."
    if value is not None:
        if unit_cost is None:
            return f"The value is not known, and you may correct up to {value} alone."
        if abs(quantity) * unit_cost > value:
            return (
                f"A value of {abs(quantity) * unit_cost:.2f} is more than the {value} you may correct alone."
            )
    return None
