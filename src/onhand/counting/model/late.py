"""What becomes of a count when a fact arrives late. Pure (docs/why/counts.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Checked:
    """A count of one level, looked at again. All in smallest units.

    `happened_at` is the instant the shelf was counted, `known` the last posting the count had seen. `drift`: how far the
    book at that instant, as known now, stands from what was counted. `corrected`: what corrections of this very count sum
    up to. A `voided` count (its posting was reversed) says nothing any more, so its corrections go, too.
    """

    id: UUID
    happened_at: datetime
    known: int
    drift: int
    corrected: int = 0
    voided: bool = False


def corrections(counts: Iterable[Checked]) -> list[tuple[Checked, int]]:
    """By how much to correct which counts of one level, each at its own instant, so that every count holds again.

    The first count after the late fact takes the whole of it; later ones are right then by themselves, for a correction at an
    instant moves the book of every later one. Of two counts of the same instant only the last one is believed.
    """
    last: dict[datetime, Checked] = {}
    voided = []
    for count in counts:
        if count.voided:
            voided.append(count)
            continue
        other = last.get(count.happened_at)
        if other is None or (count.known, count.id.bytes) > (other.known, other.id.bytes):
            last[count.happened_at] = count
    out: list[tuple[Checked, int]] = []
    moved = 0
    for count in sorted([*last.values(), *voided], key=lambda c: (c.happened_at, not c.voided)):
        change = -count.corrected if count.voided else -(count.drift + moved)
        if change != 0:
            out.append((count, change))
            moved += change
    return out
