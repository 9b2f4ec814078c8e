"""Facts counting publishes. None says what the book holds to who may only count."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from onhand.kit.outbox import Event


class CountChanged(Event, frozen=True, kw_only=True):
    """The count of a bin went on: handed out, claimed, submitted, asked for again, approved, cancelled."""

    type: ClassVar[str] = "count.changed"
    needs: ClassVar[str] = "stock:count"
    bin_count_id: UUID
    sheet_id: UUID
    site_id: UUID
    location_id: UUID
    location_code: str
    state: str
    round: int

    def subject(self) -> str:
        return f"bin_count/{self.bin_count_id}"

    def site(self) -> UUID | None:
        return self.site_id


class CountApproved(Event, frozen=True, kw_only=True):
    """A counted bin was posted, by the rules or by a person. `value`: the variance at cost (base currency), signed."""

    type: ClassVar[str] = "count.approved"
    needs: ClassVar[str] = "stock:read"
    bin_count_id: UUID
    site_id: UUID
    location_id: UUID
    location_code: str
    happened_at: datetime
    approved_by: UUID
    posting_id: UUID | None
    lines: int
    variances: int
    value: str | None

    def subject(self) -> str:
        return f"bin_count/{self.bin_count_id}"

    def site(self) -> UUID | None:
        return self.site_id


class CountCorrected(Event, frozen=True, kw_only=True):
    """A fact came late that happened before a count: the count's correction keeps the book at that instant as counted."""

    type: ClassVar[str] = "count.corrected"
    needs: ClassVar[str] = "stock:read"
    posting_id: UUID
    counted_level_id: UUID
    variant_id: UUID
    sku: str
    location_id: UUID
    site_id: UUID | None
    happened_at: datetime
    quantity: str
    late_posting_ids: tuple[UUID, ...]

    def subject(self) -> str:
        return f"variant/{self.variant_id}"

    def site(self) -> UUID | None:
        return self.site_id
