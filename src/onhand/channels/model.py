"""What a channel is: a shop front, the sites it sells from, and how much it keeps back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from onhand.kit.problem import Problem

MAX_BUFFER = 10**9
"""The largest buffer, in whole units."""


class ChannelCodeTaken(Problem):
    """Another channel has this code. Choose another one, or change that channel."""

    status = 409


class UnknownChannel(Problem):
    """There is no channel by this id or code, or it is archived."""

    status = 422


class ChannelSellsElsewhere(Problem):
    """This channel does not sell from that site. Add the site to the channel, or name one of its sites."""

    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A shop front. `site_ids`: where it sells from. `buffer`: whole units of each variant and site that it does not offer,
    unless a variant has a buffer of its own there."""

    id: UUID
    code: str
    name: str
    buffer: int = 0
    site_ids: Sequence[UUID] = ()
    external_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    archived_at: datetime | None = None
    version: int = 1

    def sells_from(self, site: UUID) -> bool:
        """Whether it offers what a site has."""
        return site in self.site_ids

    def check_site(self, site: UUID, *, param: str = "site_id") -> None:
        """Raises ChannelSellsElsewhere."""
        if not self.sells_from(site):
            raise ChannelSellsElsewhere(f"The channel {self.code} does not sell from there.", param=param)


def buffer_units(default: int, own: int | None, decimals: int) -> int:
    """What a channel keeps back of one variant at one site, in smallest units: the variant's own buffer there, else the
    channel's (whole units)."""
    return own if own is not None else default * 10**decimals
