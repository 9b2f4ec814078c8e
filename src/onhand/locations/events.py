"""Facts about places that others may read."""

from typing import ClassVar
from uuid import UUID

from onhand.kit.outbox import Event


class LocationChanged(Event, frozen=True, kw_only=True):
    """A place was created or changed."""

    type: ClassVar[str] = "location.changed"
    needs: ClassVar[str] = "locations:read"

    location_id: UUID
    code: str
    path: str
    kind: str
    site_id: UUID | None
    closed: bool
    version: int

    def subject(self) -> str:
        """`location/<id>`."""
        return f"location/{self.location_id}"

    def site(self) -> UUID | None:
        """The site it belongs to; virtual places belong to none."""
        return self.site_id


class LocationsImported(Event, frozen=True, kw_only=True):
    """Many places were created or changed at once; load the tree again."""

    type: ClassVar[str] = "locations.imported"
    needs: ClassVar[str] = "locations:read"

    created: int
    updated: int

    def subject(self) -> str:
        """`locations`."""
        return "locations"
