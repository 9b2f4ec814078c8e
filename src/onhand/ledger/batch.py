"""A batch of postings as the column arrays the lane takes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from onhand.kit.ids import quick7
from onhand.ledger.decide import Directory, Folded, LevelKey, SiteKey, fold
from onhand.ledger.model import Posting

EventRow = tuple[UUID, str, str, UUID | None, datetime, str, str]
"""id, type, subject, site, happened_at, key, data (JSON text)"""

Label = tuple[str, int]
"""The start of a level event's JSON (ids and codes), and the variant's decimals."""


@dataclass(slots=True)
class Arrays:
    """Arguments of the ledger's SQL functions, in their order."""

    levels: list[list[Any]]
    sites: list[list[Any]]
    site_events: list[list[Any]]
    postings: list[list[Any]]
    moves: list[list[Any]]
    claims: list[list[Any]]
    events: list[list[Any]]

    def apply_arguments(self, epoch: int, judged: bool) -> list[Any]:
        """Arguments of the lane."""
        return [
            epoch,
            judged,
            *self.levels,
            *self.sites,
            *self.site_events,
            *self.postings,
            *self.moves,
            *self.claims,
            *self.events,
        ]

    def guard_arguments(self, judged: bool) -> list[Any]:
        """Arguments of `ledger_guard`."""
        return [*self.levels, *self.sites, judged]


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows turned into `width` columns."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def key_columns(
    levels: Sequence[LevelKey], sites: Sequence[SiteKey]
) -> tuple[list[list[Any]], list[list[Any]]]:
    """The arguments of the two lock functions."""
    return columns(levels, 4), columns(sites, 2)


def arrays_of(
    postings: Sequence[Posting],
    events: Sequence[EventRow],
    places: Directory,
    label: Callable[[SiteKey], Label],
) -> Arrays:
    """Fold a batch and lay it out. KeyError for a location the directory does not know."""
    folded = fold(postings, places)
    levels, sites = _level_columns(folded), _site_columns(folded)
    labels = [label(key) for key, _ in folded.sites]
    return Arrays(
        levels=levels,
        sites=sites,
        site_events=[[quick7() for _ in labels], [text for text, _ in labels], [d for _, d in labels]],
        postings=_posting_columns(postings),
        moves=_move_columns(postings, places),
        claims=_claim_columns(postings),
        events=columns(events, 7),
    )


def _level_columns(folded: Folded) -> list[list[Any]]:
    keys = folded.levels
    return [
        [k[0] for k, _ in keys], [k[1] for k, _ in keys], [k[2] for k, _ in keys], [k[3] for k, _ in keys],
        [d.net for _, d in keys], [d.low for _, d in keys],
    ]  # fmt: skip


def _site_columns(folded: Folded) -> list[list[Any]]:
    keys = folded.sites
    return [
        [k[0] for k, _ in keys], [k[1] for k, _ in keys],
        [d.net for _, d in keys], [d.claimed for _, d in keys], [d.low for _, d in keys], [d.dip for _, d in keys],
    ]  # fmt: skip


def _posting_columns(postings: Sequence[Posting]) -> list[list[Any]]:
    return [
        [p.id for p in postings], [p.digest for p in postings], [p.caller for p in postings],
        [p.kind for p in postings], [p.source_type for p in postings], [p.source_id for p in postings],
        [p.actor for p in postings], [p.device for p in postings], [p.happened_at for p in postings],
        [p.reverses for p in postings], [p.reason for p in postings],
    ]  # fmt: skip


def _move_columns(postings: Sequence[Posting], places: Directory) -> list[list[Any]]:
    rows = [
        (
            n, line, m.variant, m.lot, m.from_location, m.from_condition, places[m.from_location].keeps_level,
            m.to_location, m.to_condition, places[m.to_location].keeps_level, m.quantity,
            None if m.unit_cost is None else Decimal(m.unit_cost), m.currency,
        )
        for n, posting in enumerate(postings, 1)
        for line, m in enumerate(posting.moves, 1)
    ]  # fmt: skip
    return columns(rows, 13)


def _claim_columns(postings: Sequence[Posting]) -> list[list[Any]]:
    rows = [
        (n, line, c.reservation, c.variant, c.site, c.quantity)
        for n, posting in enumerate(postings, 1)
        for line, c in enumerate(posting.claims, 1)
    ]
    return columns(rows, 6)
