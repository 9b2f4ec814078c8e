"""Facts the ledger publishes."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from onhand.kit.outbox import Event


class LevelChanged(Event, frozen=True, kw_only=True):
    """A site level changed; one event a site level and batch. Quantities are decimal strings in the variant's unit.

    `delta` is the change of sellable, `seq` the last posting of the batch. Written by `ledger/sql/apply.sql`.
    """

    type: ClassVar[str] = "stock.level_changed"
    needs: ClassVar[str] = "stock:read"
    variant_id: UUID
    sku: str
    site_id: UUID
    site_code: str
    sellable: str
    reserved: str
    available: str
    overdrawn: str
    delta: str
    seq: str

    def subject(self) -> str:
        return f"variant/{self.variant_id}"

    def site(self) -> UUID | None:
        return self.site_id

    def key(self) -> str:
        return f"{self.variant_id}/{self.site_id}"


class Oversold(Event, frozen=True, kw_only=True):
    """A fact took more than was there: `quantity` beyond what was free. An exception was opened to settle it."""

    type: ClassVar[str] = "stock.oversold"
    needs: ClassVar[str] = "stock:read"
    variant_id: UUID
    sku: str
    site_id: UUID
    site_code: str
    quantity: str
    available: str
    posting_id: UUID
    source_type: str
    source_id: UUID

    def subject(self) -> str:
        return f"variant/{self.variant_id}"

    def site(self) -> UUID | None:
        return self.site_id

    def key(self) -> str:
        return f"{self.variant_id}/{self.site_id}"


class Adjusted(Event, frozen=True, kw_only=True):
    """A quantity was corrected with a reason: an adjustment, a stock-set, a count or a reversal."""

    type: ClassVar[str] = "stock.adjusted"
    needs: ClassVar[str] = "stock:read"
    posting_id: UUID
    kind: str
    variant_id: UUID
    sku: str
    location_id: UUID
    location_code: str
    site_id: UUID | None
    quantity: str
    reason: str | None

    def subject(self) -> str:
        return f"variant/{self.variant_id}"

    def site(self) -> UUID | None:
        return self.site_id


class Drifted(Event, frozen=True, kw_only=True):
    """A stored level differs from the sum of its postings. This must never be seen; an exception was opened.

    `row` and `column` say where, `expected` comes from the ledger, `actual` is what is stored.
    """

    type: ClassVar[str] = "stock.drifted"
    needs: ClassVar[str] = "exceptions:read"
    variant_id: UUID | None
    site_id: UUID | None
    table: str
    row: str
    column: str
    expected: str
    actual: str

    def subject(self) -> str:
        return f"variant/{self.variant_id}" if self.variant_id else f"table/{self.table}"

    def site(self) -> UUID | None:
        return self.site_id


class ExceptionResolved(Event, frozen=True, kw_only=True):
    """Somebody settled an exception, with a reason."""

    type: ClassVar[str] = "exception.resolved"
    needs: ClassVar[str] = "exceptions:read"
    exception_id: UUID
    kind: str
    site_id: UUID | None
    resolution: str

    def subject(self) -> str:
        return f"exception/{self.exception_id}"

    def site(self) -> UUID | None:
        return self.site_id


class ApprovalAsked(Event, frozen=True, kw_only=True):
    """Somebody's correction exceeds their limits and waits for a second person."""

    type: ClassVar[str] = "approval.asked"
    needs: ClassVar[str] = "stock:read"
    approval_id: UUID
    verb: str
    site_id: UUID | None
    asked_by: UUID
    asked_by_name: str
    why: str

    def subject(self) -> str:
        return f"approval/{self.approval_id}"

    def site(self) -> UUID | None:
        return self.site_id


class ApprovalDecided(Event, frozen=True, kw_only=True):
    """A second person approved or rejected a correction."""

    type: ClassVar[str] = "approval.decided"
    needs: ClassVar[str] = "stock:read"
    approval_id: UUID
    verb: str
    site_id: UUID | None
    state: str
    decided_by: UUID
    note: str | None

    def subject(self) -> str:
        return f"approval/{self.approval_id}"

    def site(self) -> UUID | None:
        return self.site_id


class ReservedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a reservation's event: `quantity` is what this step did, `open` what is held after it; decimal strings in the
    variant's unit."""

    line: int
    variant_id: UUID
    sku: str
    quantity: str
    open: str


class _ReservationEvent(Event, frozen=True, kw_only=True):
    """What every event of a reservation says; one event a step and site."""

    needs: ClassVar[str] = "stock:read"
    reservation_id: UUID
    kind: str
    state: str
    reference: str | None
    channel_id: UUID | None
    site_id: UUID
    site_code: str
    expires_at: datetime | None
    lines: tuple[ReservedLine, ...]

    def subject(self) -> str:
        return f"reservation/{self.reservation_id}"

    def site(self) -> UUID | None:
        return self.site_id


class ReservationCreated(_ReservationEvent, frozen=True, kw_only=True):
    """Stock of a site was reserved by a basket, an order or a quota."""

    type: ClassVar[str] = "reservation.created"


class ReservationExtended(_ReservationEvent, frozen=True, kw_only=True):
    """A reservation holds until another instant; if it had run out, it was made again."""

    type: ClassVar[str] = "reservation.extended"


class ReservationConsumed(_ReservationEvent, frozen=True, kw_only=True):
    """Reserved goods left: the claim was given back with the very posting that moved them."""

    type: ClassVar[str] = "reservation.consumed"


class ReservationReleased(_ReservationEvent, frozen=True, kw_only=True):
    """Somebody gave reserved stock back."""

    type: ClassVar[str] = "reservation.released"


class ReservationRanOut(_ReservationEvent, frozen=True, kw_only=True):
    """A reservation ran out; what it held is free again."""

    type: ClassVar[str] = "reservation.expired"


class BackorderChanged(Event, frozen=True, kw_only=True):
    """Somebody approved that more of a variant may be reserved at a site than is there, changed how much, or ended it."""

    type: ClassVar[str] = "backorder.changed"
    needs: ClassVar[str] = "stock:read"
    variant_id: UUID
    sku: str
    site_id: UUID
    max_quantity: str | None
    ended: bool

    def subject(self) -> str:
        return f"variant/{self.variant_id}"

    def site(self) -> UUID | None:
        return self.site_id

    def key(self) -> str:
        return f"{self.variant_id}/{self.site_id}"
