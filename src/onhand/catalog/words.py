"""The words of the search: how text becomes words, and when two words are one typo apart. Pure.

Typos are found as in SymSpell (W. Garbe, 2012): two words at a Damerau-Levenshtein distance of one share at least one text
made by leaving out at most one letter; the few candidates that share one are then compared exactly.
"""

import re
import unicodedata
from collections.abc import Iterable

MAX_WORDS = 64
LONGEST_WORD = 40
SHORTEST_TYPO = 4
"""Words shorter than this are never taken for misspelt: half the catalogue would be one letter away."""

_WORD = re.compile(r"[^\W_]+")
_SPELT_OUT = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


def words_of(*texts: str) -> list[str]:
    """The distinct words of some texts in order: lower case, without accents, letters and digits only, at most 64."""
    found: dict[str, None] = {}
    for text in texts:
        stripped = text.lower() if text.isascii() else _without_accents(text)
        for word in _WORD.findall(stripped):
            found.setdefault(word[:LONGEST_WORD])
            if len(found) >= MAX_WORDS:
                return list(found)
    return list(found)


def _without_accents(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_SPELT_OUT))
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return unicodedata.normalize("NFKC", bare.casefold()).translate(_SPELT_OUT)


def cuts_of(word: str) -> set[str]:
    """The word itself and every text made by leaving out one of its letters."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def can_be_misspelt(word: str) -> bool:
    """Whether typos are looked for: long enough, and not a bare number (one digit off is another thing)."""
    return len(word) >= SHORTEST_TYPO and not word.isdigit()


def one_typo_apart(left: str, right: str) -> bool:
    """Equal, or one letter added, left out, changed, or swapped with its neighbour (Damerau-Levenshtein distance <= 1)."""
    if left == right:
        return True
    if abs(len(left) - len(right)) > 1:
        return False
    short, long = sorted((left, right), key=len)
    start = next((i for i, char in enumerate(short) if char != long[i]), len(short))
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    return short[start + 1 :] == long[start + 1 :] or (
        short[start : start + 2] == long[start : start + 2][::-1] and short[start + 2 :] == long[start + 2 :]
    )


def near(word: str, candidates: Iterable[str]) -> list[str]:
    """Those of the candidates that are one typo away from `word`, or it itself, sorted."""
    return sorted({candidate for candidate in candidates if one_typo_apart(word, candidate)})
