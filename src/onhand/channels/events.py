"""Facts about channels that others may read."""

from typing import ClassVar
from uuid import UUID

from onhand.kit.outbox import Event


class ChannelChanged(Event, frozen=True, kw_only=True):
    """A channel, its sites or one of its buffers was changed: what it may offer is to be asked anew."""

    type: ClassVar[str] = "channel.changed"
    needs: ClassVar[str] = "channels:read"

    channel_id: UUID
    code: str
    version: int

    def subject(self) -> str:
        """`channel/<id>`."""
        return f"channel/{self.channel_id}"
