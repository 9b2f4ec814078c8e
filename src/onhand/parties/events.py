"""Facts about suppliers and customers that others may read. They carry ids and codes, no personal data."""

from typing import ClassVar
from uuid import UUID

from onhand.kit.outbox import Event


class SupplierChanged(Event, frozen=True, kw_only=True):
    """A supplier was created or changed."""

    type: ClassVar[str] = "supplier.changed"
    needs: ClassVar[str] = "parties:read"

    supplier_id: UUID
    code: str
    version: int

    def subject(self) -> str:
        """`supplier/<id>`."""
        return f"supplier/{self.supplier_id}"


class CustomerChanged(Event, frozen=True, kw_only=True):
    """A customer was created or changed."""

    type: ClassVar[str] = "customer.changed"
    needs: ClassVar[str] = "parties:read"

    customer_id: UUID
    code: str
    version: int

    def subject(self) -> str:
        """`customer/<id>`."""
        return f"customer/{self.customer_id}"


class PartiesImported(Event, frozen=True, kw_only=True):
    """Many suppliers or customers were created or changed at once; load what you show again."""

    type: ClassVar[str] = "parties.imported"
    needs: ClassVar[str] = "parties:read"

    kind: str
    created: int
    updated: int

    def subject(self) -> str:
        """`parties/<kind>`."""
        return f"parties/{self.kind}"
