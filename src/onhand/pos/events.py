"""Facts the point of sale publishes."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from onhand.kit.outbox import Event


class SoldLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a sale: quantity as a decimal string in the variant's unit, total as a decimal string."""

    variant_id: UUID | None
    sku: str
    name: str
    quantity: str
    total: str


class SaleCompleted(Event, frozen=True, kw_only=True):
    """A sale was recorded, with its stock. `units` counts what was handed over; totals are decimal strings."""

    type: ClassVar[str] = "sale.completed"
    needs: ClassVar[str] = "sales:read"
    sale_id: UUID
    number: str | None
    register: str
    site_id: UUID
    site_code: str
    happened_at: datetime
    total: str
    currency: str
    units: int
    lines: tuple[SoldLine, ...]

    def subject(self) -> str:
        return f"sale/{self.sale_id}"

    def site(self) -> UUID | None:
        return self.site_id

    def key(self) -> str:
        return str(self.site_id)


class SaleRefunded(Event, frozen=True, kw_only=True):
    """Goods of a sale came back, and money was given back."""

    type: ClassVar[str] = "sale.refunded"
    needs: ClassVar[str] = "sales:read"
    refund_id: UUID
    sale_id: UUID
    register: str
    site_id: UUID
    site_code: str
    happened_at: datetime
    total: str
    currency: str
    units: int

    def subject(self) -> str:
        return f"sale/{self.sale_id}"

    def site(self) -> UUID | None:
        return self.site_id

    def key(self) -> str:
        return str(self.site_id)


class SaleVoided(Event, frozen=True, kw_only=True):
    """A sale was voided: its stock went back as it had left."""

    type: ClassVar[str] = "sale.voided"
    needs: ClassVar[str] = "sales:read"
    sale_id: UUID
    site_id: UUID
    site_code: str
    reason: str

    def subject(self) -> str:
        return f"sale/{self.sale_id}"

    def site(self) -> UUID | None:
        return self.site_id

    def key(self) -> str:
        return str(self.site_id)


class RegisterChanged(Event, frozen=True, kw_only=True):
    """A register was opened or changed."""

    type: ClassVar[str] = "register.changed"
    needs: ClassVar[str] = "locations:read"
    register_id: UUID
    code: str
    site_id: UUID

    def subject(self) -> str:
        return f"register/{self.register_id}"

    def site(self) -> UUID | None:
        return self.site_id
