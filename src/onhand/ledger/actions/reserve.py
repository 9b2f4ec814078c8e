"""Making a reservation: through the lane where every line wants all or nothing, in a transaction where what it gets is decided
under the locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from onhand import access
from onhand.catalog import Resolved
from onhand.channels import Channel
from onhand.kit.ids import quick
from onhand.kit.tx import Tx
from onhand.ledger import store
from onhand.ledger.batch import EventRow
from onhand.ledger.decide import Book, SiteKey
from onhand.ledger.events import ReservationCreated, ReservedLine
from onhand.ledger.lane import Item, LabelCache, event_row
from onhand.ledger.model import InsufficientStock, Kind, Mode, Outcome, Posting, Shortage
from onhand.ledger.reservations import (
    BackorderNotApproved,
    Policy,
    ReservationKind,
    Shared,
    State,
    Wish,
    claims_of,
    share,
)
from onhand.locations import Place
from onhand.values import format_units

RESERVATION, RESERVATION_LINE = "reservation", "reservation_line"


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line understood: what, where, how much in smallest units, and what it wants when there is not enough."""

    item: Resolved
    site: Place
    quantity: int
    policy: Policy = Policy.all_or_nothing

    @property
    def key(self) -> SiteKey:
        """The site level it claims on."""
        return (self.item.variant_id, self.site.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReservation:
    """A reservation to make. `digest` is of what was asked, so that the same asked again answers the same."""

    id: UUID
    kind: ReservationKind
    lines: Sequence[NewLine]
    actor: UUID
    at: datetime
    digest: bytes
    expires_at: datetime | None = None
    channel: Channel | None = None
    reference: str | None = None

    @property
    def simple(self) -> bool:
        """Whether the guard of the ledger alone decides: every line wants all or nothing."""
        return all(line.policy is Policy.all_or_nothing for line in self.lines)


def reservation_item(new: NewReservation) -> Item:
    """A simple reservation for the lane: the posting with its document rows and events. Pure."""
    quantities = [line.quantity for line in new.lines]
    head, lines = _rows(new, quantities)
    riders: dict[str, Sequence[tuple[Any, ...]]] = {RESERVATION: [head], RESERVATION_LINE: lines}
    return Item(
        _posting(new, quantities, Mode.strict),
        riders,
        [event_row(e, new.at) for e in created_events(new, quantities)],
    )


def _posting(new: NewReservation, quantities: Sequence[int], mode: Mode) -> Posting:
    claims = claims_of(new.id, [(line.key, q) for line, q in zip(new.lines, quantities, strict=True)])
    return Posting(
        id=new.id, kind=Kind.reserve.value, source_type="reservation", source_id=new.id, actor=new.actor, caller=new.actor,
        happened_at=new.at, moves=(), claims=claims, digest=new.digest, mode=mode,
    )  # fmt: skip


def _rows(new: NewReservation, quantities: Sequence[int]) -> tuple[store.HeadRow, list[store.LineRow]]:
    channel = quick(new.channel.id) if new.channel is not None else None
    head = (new.id, new.kind.value, new.reference, channel, new.expires_at, new.actor)
    lines = [
        (new.id, n, line.item.variant_id, line.site.id, line.policy.value, line.quantity, quantity)
        for n, (line, quantity) in enumerate(zip(new.lines, quantities, strict=True), 1)
    ]
    return head, lines


def created_events(new: NewReservation, quantities: Sequence[int]) -> list[ReservationCreated]:
    """What is told of a new reservation, one event a site."""
    by_site: dict[UUID, list[ReservedLine]] = {}
    codes: dict[UUID, str] = {}
    for n, (line, quantity) in enumerate(zip(new.lines, quantities, strict=True), 1):
        codes[line.site.id] = line.site.code
        held = format_units(quantity, line.item.decimals)
        by_site.setdefault(line.site.id, []).append(
            ReservedLine(line=n, variant_id=line.item.variant_id, sku=line.item.sku, quantity=held, open=held)
        )
    return [
        ReservationCreated(
            reservation_id=new.id, kind=new.kind.value, state=State.open.value, reference=new.reference,
            channel_id=new.channel.id if new.channel else None, site_id=site, site_code=codes[site],
            expires_at=new.expires_at, lines=tuple(lines),
        )
        for site, lines in by_site.items()
    ]  # fmt: skip


async def reserve(tx: Tx, new: NewReservation) -> Outcome:
    """Make a reservation in the caller's transaction: what each line gets is decided under the locks of its site levels.

    Raises InsufficientStock with what is missing (also when nothing at all could be held), BackorderNotApproved,
    LocationClosed, UnknownVariant, IdReused.
    """
    keys = list(dict.fromkeys(line.key for line in new.lines))
    wanted = [key for line in new.lines if line.policy is Policy.backorder for key in [line.key]]
    approved = await store.approved_backorders(tx.conn, wanted) if wanted else {}
    wishes = [Wish(*line.key, line.quantity, line.policy) for line in new.lines]
    shared: list[Shared] = []

    async def revise(book: Book) -> Sequence[Posting]:
        rows = {key: book.sites[key] for key in keys if key in book.sites}
        found = share(wishes, {key: row.sellable - row.reserved for key, row in rows.items()}, approved)
        if found.shortages:
            _refuse(new, found.shortages)
        shared.append(found)
        return [_posting(new, found.quantities, Mode.backorder if found.beyond else Mode.strict)]

    def told(labels: object, places: object) -> list[EventRow]:
        return [event_row(e, new.at) for e in created_events(new, shared[0].quantities)]

    placeholder = _posting(new, [line.quantity for line in new.lines], Mode.strict)
    posted = await store.post(tx, [placeholder], events=told, revise=revise)
    if shared:
        head, lines = _rows(new, shared[0].quantities)
        await store.insert_reservation(tx.conn, head, lines)
        access.name_action(tx, "reservation.created")
        tx.record(
            "reservation", new.id, None, {"kind": new.kind.value, "lines": len(lines), "reference": new.reference}
        )  # fmt: skip
    return posted.outcomes[0]


def _refuse(new: NewReservation, shortages: Sequence[Shortage]) -> None:
    """Raise the refusal of what is missing, in words people use."""
    asked = {line.key for line in new.lines if line.policy is Policy.backorder}
    refusal = (
        BackorderNotApproved if any((s.variant, s.place) in asked for s in shortages) else InsufficientStock
    )
    items = {line.item.variant_id: line.item for line in new.lines}
    places = {line.site.id: line.site for line in new.lines}
    raise refusal(**missing(shortages, items, places))


def missing(
    shortages: Sequence[Shortage], items: dict[UUID, Resolved], places: dict[UUID, Place]
) -> dict[str, Any]:  # fmt: skip
    """What is missing where, as a refusal carries it."""
    labels = LabelCache({i: (item.sku, item.decimals) for i, item in items.items()})
    shown = [store.describe(short, labels, places) for short in shortages]
    first = shown[0]
    detail = (
        f"{first['sku']} at {first['place']}: {first['available']} available, {first['missing']} too few."
    )
    return {"detail": detail, "shortages": shown}
