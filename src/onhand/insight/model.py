"""How the overview counts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta


def minute_series(
    found: Mapping[datetime, tuple[int, int]], *, until: datetime, minutes: int = 60
) -> list[tuple[datetime, int, int]]:
    """(minute, units, revenue in minor units) for each of the last `minutes`, zeros where nothing was sold."""
    last = until.replace(second=0, microsecond=0)
    out = []
    for back in range(minutes - 1, -1, -1):
        at = last - timedelta(minutes=back)
        units, revenue = found.get(at, (0, 0))
        out.append((at, units, revenue))
    return out
