"""Cells as people type them, to texts the packages understand: numbers with a point, dates in ISO form, true and false. Pure.

Nothing is guessed: "1.234" is a thousand to some and a little more than one to others, so a file that does not show which
it means is asked: a price wrong by a thousand is worse than a question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from onhand.integrations.imports.model import CellType
from onhand.values import BadValue

Mark = Literal[".", ","]

_SIGNS = re.compile(r"(?i)^(?:€|\$|£|¥|eur|usd|gbp|chf)\s*|\s*(?:€|\$|£|¥|eur|usd|gbp|chf|%)$")
_SPACES = re.compile(r"(?<=\d)[\s\u00a0\u202f'’](?=\d{3}(?!\d))")
_PLAIN = re.compile(r"[+-]?\d+", re.ASCII)
_GROUPED = {
    ".": re.compile(r"[+-]?\d{1,3}(?:,\d{3})*(?:\.\d+)?|[+-]?\d*\.\d+", re.ASCII),
    ",": re.compile(r"[+-]?\d{1,3}(?:\.\d{3})*(?:,\d+)?|[+-]?\d*,\d+", re.ASCII),
}
_DECIMAL = {"." : re.compile(r"[+-]?\d*\.\d+", re.ASCII), ",": re.compile(r"[+-]?\d*,\d+", re.ASCII)}  # fmt: skip

YES = frozenset({"true", "yes", "y", "1", "x", "ja", "j", "wahr", "on", "oui", "si", "sí"})
NO = frozenset({"false", "no", "n", "0", "nein", "falsch", "off", "non", "-"})


def _bare(text: str) -> str:
    return _SPACES.sub("", _SIGNS.sub("", text.strip())).replace("−", "-")


def marks(text: str) -> frozenset[Mark]:
    """Which decimal marks a number could have been written with; both for whole numbers and for "1.234"."""
    bare = _bare(text)
    if _PLAIN.fullmatch(bare):
        return frozenset((".", ","))
    found: set[Mark] = set()
    candidates: tuple[Mark, Mark] = (".", ",")
    for mark in candidates:
        if _GROUPED[mark].fullmatch(bare) or _DECIMAL[mark].fullmatch(bare):
            found.add(mark)
    return frozenset(found)


@dataclass(slots=True)
class MarkVotes:
    """What a file's numbers say about its decimal mark."""

    points: int = 0
    commas: int = 0

    def add(self, text: str) -> None:
        """Count a cell that can be read one way only."""
        found = marks(text)
        if len(found) == 1:
            if "." in found:
                self.points += 1
            else:
                self.commas += 1

    def decide(self, *, numeric_cells: bool, delimiter: str) -> Mark | None:
        """The mark, or None when the file does not say: then a cell that could be read both ways is refused.

        A comma between cells cannot also stand in their numbers without quotes, so such a file means the point.
        """
        if numeric_cells:
            return "."
        if bool(self.points) != bool(self.commas):
            return "." if self.points else ","
        return "." if delimiter == "," and not self.commas else None


def number(text: str, column: str, mark: Mark | None) -> str:
    """A plain decimal text with a point. Raises BadValue for what is no number, or could be two."""
    bare = _bare(text)
    if _PLAIN.fullmatch(bare):
        return bare.lstrip("+")
    found = marks(text)
    if not found:
        raise BadValue(column, f"{text[:40]!r} is not a number.", 'Write digits, such as "12" or "1.5".')
    if mark is None and len(found) == 2:
        raise BadValue(
            column,
            f"{text[:40]!r} could be two different numbers.",
            "Say which decimal mark the file uses (point or comma).",
        )
    used = mark if mark in found else next(iter(found))
    if mark is not None and mark not in found:
        raise BadValue(
            column,
            f"{text[:40]!r} does not use the decimal {'comma' if mark == ',' else 'point'} of this file.",
            "Write it like the other numbers.",
        )
    other = "," if used == "." else "."
    value = bare.replace(other, "").replace(",", ".").lstrip("+")
    return (
        value.replace("-.", "-0.")
        if value.startswith("-")
        else f"0{value}"
        if value.startswith(".")
        else value
    )


_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})", re.ASCII)
_EITHER = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_HOW = 'Write it as year-month-day, such as "2026-03-31".'


def day(text: str, column: str) -> str:
    """A date in ISO form. Raises BadValue for no date, and for "03/04/2026", which is two."""
    bare = text.strip()
    if found := _ISO.fullmatch(bare) or _COMPACT.fullmatch(bare):
        year, month, of_month = found.groups()
    elif found := _DAY_FIRST.fullmatch(bare):
        of_month, month, year = found.groups()
    elif found := _EITHER.fullmatch(bare):
        first, second, year = found.groups()
        if int(first) <= 12 and int(second) <= 12 and first != second:
            raise BadValue(column, f"{bare} could be two different days.", _HOW)
        month, of_month = (first, second) if int(second) > 12 else (second, first)
    else:
        raise BadValue(column, f"{bare[:40]!r} is not a date.", _HOW)
    try:
        return date(int(year), int(month), int(of_month)).isoformat()
    except ValueError:
        raise BadValue(column, f"There is no day {bare}.", _HOW) from None


def flag(text: str, column: str) -> str:
    """`true` or `false`."""
    word = text.strip().casefold()
    if word in YES:
        return "true"
    if word in NO:
        return "false"
    raise BadValue(column, f"{text[:20]!r} is neither yes nor no.", "Write yes or no.")


def read(text: str, column: str, type: CellType, mark: Mark | None) -> str:
    """A cell by its column's type. Raises BadValue."""
    if type == "number":
        return number(text, column, mark)
    if type == "date":
        return day(text, column)
    if type == "flag":
        return flag(text, column)
    return text


def instant(text: str, column: str) -> datetime | date:
    """A day, or an instant where the cell gives a time with its offset."""
    bare = text.strip()
    try:
        at = datetime.fromisoformat(bare)
    except ValueError:
        return date.fromisoformat(day(bare, column))
    if at.tzinfo is not None:
        return at
    return at.date()
