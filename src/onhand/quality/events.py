"""Facts that quality publishes. Quantities are decimal strings in the variant's unit."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from onhand.kit.outbox import Event


class LotChanged(Event, frozen=True, kw_only=True):
    """A lot or serial number was made or changed, or its certificate was."""

    type: ClassVar[str] = "lot.changed"
    needs: ClassVar[str] = "stock:read"
    lot_id: UUID
    lot_code: str
    kind: str
    variant_id: UUID
    version: int

    def subject(self) -> str:
        return f"lot/{self.lot_id}"


class LotRecalled(Event, frozen=True, kw_only=True):
    """A lot was recalled: whoever sold or keeps some of it should stop, wherever they are."""

    type: ClassVar[str] = "lot.recalled"
    needs: ClassVar[str] = "stock:read"
    lot_id: UUID
    lot_code: str
    variant_id: UUID
    sku: str
    hold_id: UUID
    reason: str

    def subject(self) -> str:
        return f"lot/{self.lot_id}"


class StockHeld(Event, frozen=True, kw_only=True):
    """A hold (None: a policy) took goods of a site out of sale, into `condition`. `levels`: how many levels; `quantity` where
    it is of one variant."""

    type: ClassVar[str] = "stock.held"
    needs: ClassVar[str] = "stock:read"
    hold_id: UUID | None
    condition: str
    reason: str
    site_id: UUID | None
    site_code: str
    levels: int
    variant_id: UUID | None
    sku: str | None
    quantity: str | None
    lot_id: UUID | None
    lot_code: str | None

    def subject(self) -> str:
        return f"hold/{self.hold_id}" if self.hold_id is not None else f"lot/{self.lot_id}"

    def site(self) -> UUID | None:
        return self.site_id


class StockReleased(Event, frozen=True, kw_only=True):
    """Goods of a site left a hold, or were certified. `condition` is what they lay in; `source` a hold or a lot."""

    type: ClassVar[str] = "stock.released"
    needs: ClassVar[str] = "stock:read"
    source_type: str
    source_id: UUID
    condition: str
    reason: str
    site_id: UUID | None
    site_code: str
    levels: int
    variant_id: UUID | None
    sku: str | None
    quantity: str | None
    lot_id: UUID | None
    lot_code: str | None

    def subject(self) -> str:
        return f"{self.source_type}/{self.source_id}"

    def site(self) -> UUID | None:
        return self.site_id


class LotExpired(Event, frozen=True, kw_only=True):
    """Goods of a lot went out of sale at a site, the day after their last good day there."""

    type: ClassVar[str] = "lot.expired"
    needs: ClassVar[str] = "stock:read"
    lot_id: UUID
    lot_code: str
    variant_id: UUID
    sku: str
    expires_on: date
    site_id: UUID | None
    site_code: str
    quantity: str

    def subject(self) -> str:
        return f"lot/{self.lot_id}"

    def site(self) -> UUID | None:
        return self.site_id
