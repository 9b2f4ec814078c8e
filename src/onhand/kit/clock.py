"""The clock is read at the edges only and travels on from there."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def rfc3339(at: datetime) -> str:
    """`2026-11-21T08:30:00.123456Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
