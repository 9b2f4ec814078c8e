"""Facts about taxes that others may read."""

from typing import ClassVar
from uuid import UUID

from onhand.kit.outbox import Event


class TaxCodeChanged(Event, frozen=True, kw_only=True):
    """A tax code was created or changed; `rate` is a share as a decimal text."""

    type: ClassVar[str] = "tax_code.changed"
    needs: ClassVar[str] = "catalog:read"

    tax_code_id: UUID
    code: str
    rate: str
    version: int

    def subject(self) -> str:
        """`tax_code/<id>`."""
        return f"tax_code/{self.tax_code_id}"
