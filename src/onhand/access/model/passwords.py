"""Which passwords are good enough (OWASP ASVS 6.2: length and a block list; no composition rules, no forced change). Pure.

A block list of exact passwords misses `Summer2026!!` when it lists `summer2025!!`. So we spell a password with the pieces
guessers try first (common words, names, years, keyboard walks, runs, repeats) and count the bits left to guess.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from onhand.access.model.refusals import WeakPassword

SHORTEST, LONGEST = 12, 128
_ENOUGH_BITS = 32.0
_NEAR_BITS = 3.0
_LETTER, _DIGIT, _OTHER = math.log2(26), math.log2(10), math.log2(33)
_LEET = str.maketrans("013457@$!", "oieastasi")
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
)
_COLUMNS = ("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "6zhn", "7ujm", "1qay", "2wsx")
_STEPS = frozenset(pair for row in _ROWS + _COLUMNS for a, b in pairwise(row) for pair in (a + b, b + a))
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")


@dataclass(frozen=True, slots=True)
class BlockList:
    """What guessers try first: `words` are pieces, `near` those of the person, `exact` whole passwords (a site's breach list)."""

    words: frozenset[str]
    exact: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()
    longest_word: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "longest_word", max((len(w) for w in self.words | self.near), default=0))

    def with_words(self, extra: Iterable[str]) -> BlockList:
        """The same list, knowing also what is near: the person's name and address, the organisation, and their parts."""
        whole = [text.casefold() for text in extra]
        pieces = {p for text in whole for p in [text, *re.split(r"[\W_]+", text)] if len(p) >= 3}
        return BlockList(words=self.words, exact=self.exact, near=frozenset(pieces))

    @classmethod
    def of_lines(cls, words: Iterable[str], exact: Iterable[str] = ()) -> BlockList:
        """Read list files: one entry a line, `#` starts a comment in the word list."""
        plain = (line.strip().casefold() for line in words)
        return cls(
            words=frozenset(w for line in plain if line and not line.startswith("#") for w in line.split()),
            exact=frozenset(line.rstrip("\r\n").casefold() for line in exact if line.strip()),
        )


def check_password(password: str, *, blocked: BlockList, about: Iterable[str] = ()) -> None:
    """Raises WeakPassword (param `password`) when too short, too long, or soon guessed; `about` names the person and firm."""
    if len(password) < SHORTEST:
        raise WeakPassword(
            f"A password has at least {SHORTEST} characters; a few words in a row do well.", param="password"
        )
    if len(password) > LONGEST:
        raise WeakPassword(f"A password has at most {LONGEST} characters.", param="password")
    folded = unicodedata.normalize("NFKC", password).casefold()
    if folded in blocked.exact or guess_bits(folded, blocked.with_words(about)) < _ENOUGH_BITS:
        raise WeakPassword(param="password")


def guess_bits(folded: str, blocked: BlockList) -> float:
    """About how many bits a guesser needs who spells with common pieces; the cheapest spelling counts."""
    unit = _repeated_unit(folded)
    if unit is not None:
        return guess_bits(unit, blocked) + math.log2(len(folded) / len(unit)) + 1
    plain = folded.translate(_LEET)
    best = [0.0] + [math.inf] * len(folded)
    for start in range(len(folded)):
        if best[start] == math.inf:
            continue
        for end, bits in _pieces(folded, plain, start, blocked):
            best[end] = min(best[end], best[start] + bits)
    return best[-1]


def _repeated_unit(text: str) -> str | None:
    """The shortest unit a text repeats (`abcabc` → `abc`), or None."""
    period = (text + text).find(text, 1)
    return text[:period] if 0 < period < len(text) else None


def _pieces(text: str, plain: str, start: int, blocked: BlockList) -> Iterable[tuple[int, float]]:
    """The pieces that start here: (end, bits). Words also match with digits for letters (`p4ssw0rd`)."""
    char = text[start]
    yield start + 1, _LETTER if char.isalpha() else _DIGIT if char.isdigit() else _OTHER
    word_bits = math.log2(max(len(blocked.words), 2))
    for end in range(start + 3, min(len(text), start + blocked.longest_word) + 1):
        if text[start:end] in blocked.near:
            yield end, _NEAR_BITS
        elif text[start:end] in blocked.words:
            yield end, word_bits
        elif plain[start:end] in blocked.words:
            yield end, word_bits + 1
    if _YEAR.match(text, start):
        yield start + 4, 6.0
    yield from _runs(text, start)


def _runs(text: str, start: int) -> Iterable[tuple[int, float]]:
    """Repeated characters (`!!!!`) and walks over keys or the alphabet (`qwert`, `98765`), three or longer."""
    end = start + 1
    while end < len(text) and text[end] == text[start]:
        end += 1
    if end - start >= 3:
        yield end, 6.0 + math.log2(end - start)
    end = start + 1
    while end < len(text) and text[end - 1 : end + 1] in _STEPS:
        end += 1
    if end - start >= 3:
        yield end, 5.0 + math.log2(end - start)
