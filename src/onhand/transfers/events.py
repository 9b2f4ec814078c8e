"""Facts transfers publish. `placed` is told at the source, which ships next; the others at the destination."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from onhand.kit.outbox import Event


class TransferQuantity(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a variant and lot had which outcome: decimal text in the variant's unit."""

    variant_id: UUID
    sku: str
    lot_id: UUID | None
    outcome: str
    quantity: str


class _TransferEvent(Event, frozen=True, kw_only=True):
    """What all of them say."""

    needs: ClassVar[str] = "transfers:read"
    transfer_id: UUID
    number: str
    state: str
    from_site_id: UUID
    from_site_code: str
    to_site_id: UUID
    to_site_code: str

    def subject(self) -> str:
        return f"transfer/{self.transfer_id}"

    def site(self) -> UUID | None:
        return self.to_site_id

    def key(self) -> str:
        return str(self.transfer_id)


class TransferPlaced(_TransferEvent, frozen=True, kw_only=True):
    """A transfer was placed: the source may ship it. `reserves`: its goods are claimed there."""

    type: ClassVar[str] = "transfer.placed"
    expected_at: datetime | None
    reserves: bool

    def site(self) -> UUID | None:
        return self.from_site_id


class TransferShipped(_TransferEvent, frozen=True, kw_only=True):
    """Goods of a transfer left the source and are in transit."""

    type: ClassVar[str] = "transfer.shipped"
    shipment_id: UUID
    happened_at: datetime
    lines: tuple[TransferQuantity, ...]


class TransferReceived(_TransferEvent, frozen=True, kw_only=True):
    """Goods of a transfer arrived: received or damaged."""

    type: ClassVar[str] = "transfer.received"
    receipt_id: UUID
    happened_at: datetime
    lines: tuple[TransferQuantity, ...]


class TransferResolved(_TransferEvent, frozen=True, kw_only=True):
    """Units in transit were settled otherwise: lost, returned or found."""

    type: ClassVar[str] = "transfer.resolved"
    resolution_id: UUID
    happened_at: datetime
    lines: tuple[TransferQuantity, ...]


class TransferClosed(_TransferEvent, frozen=True, kw_only=True):
    """A transfer is over: every unit is settled, or it was cancelled before anything left."""

    type: ClassVar[str] = "transfer.closed"
