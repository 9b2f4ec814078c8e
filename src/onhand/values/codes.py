"""Codes people and scanners type: SKUs, lot codes, location codes. NFC, visible, bounded."""

import math
import unicodedata
from typing import Any

from onhand.values.errors import BadValue

MAX_CODE = 64
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str, field: str, *, longest: int, shortest: int = 1) -> str:
    """`text` stripped, in Unicode NFC and checked: no control, bidi, invisible or unassigned characters.

    Raises `BadValue` naming the position of what is refused, or the length allowed.
    """
    composed = unicodedata.normalize("NFC", text).strip()
    if not shortest <= len(composed) <= longest:
        said = "is empty" if not composed else f"has {len(composed)} characters"
        raise BadValue(field, f"The {field} {said}.", f"Give {shortest} to {longest} characters.")
    if composed.isascii() and composed.isprintable():
        return composed
    for place, char in enumerate(composed, start=1):
        if unicodedata.category(char) in _REFUSED:
            raise BadValue(
                field,
                f"The {field} holds an invisible or control character (U+{ord(char):04X}) at place {place}.",
                "Type it again without copying hidden characters.",
            )
    return composed


def parse_sku(text: str, field: str = "sku") -> str:
    """A stock-keeping code, 1 to 64 visible characters, exactly as written: "tea-1" and "TEA-1" are two codes."""
    return clean(text, field, longest=MAX_CODE)


def parse_lot_code(text: str, field: str = "lot_code") -> str:
    """A batch code as printed on the goods, 1 to 64 visible characters."""
    return clean(text, field, longest=MAX_CODE)


def parse_code(text: str, field: str = "code") -> str:
    """A short code (location, supplier, tax), 1 to 64 visible characters without spaces at the ends or "/" inside."""
    code = clean(text, field, longest=MAX_CODE)
    if "/" in code:
        raise BadValue(
            field, f"The {field} holds a slash, which separates places in a path.", "Use - or . instead."
        )
    return code


MAX_METADATA = 16_384


def check_metadata(value: dict[str, Any], field: str = "metadata") -> dict[str, Any]:
    """Free JSON an integrator hangs on a record: at most 16 kB, 20 deep, plain text, numbers that JSON can hold."""
    size = _measure(value, field, 0)
    if size > MAX_METADATA:
        raise BadValue(field, f"The {field} is about {size} characters.", f"Keep it below {MAX_METADATA}.")
    return value


def _measure(value: Any, field: str, depth: int) -> int:
    """About how many characters a JSON value takes; raises `BadValue` for what the database could not keep."""
    if depth > 20:
        raise BadValue(field, f"The {field} is nested more than 20 deep.", "Make it flatter.")
    if isinstance(value, str):
        if "\x00" in value or any(0xD800 <= ord(char) <= 0xDFFF for char in value):
            raise BadValue(field, f"The {field} holds a NUL or half a character.", "Leave it out.")
        return len(value) + 2
    if isinstance(value, dict):
        return 2 + sum(
            _measure(k, field, depth) + 2 + _measure(v, field, depth + 1) for k, v in value.items()
        )
    if isinstance(value, list):
        return 2 + sum(1 + _measure(item, field, depth + 1) for item in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadValue(field, f"The {field} holds a number that is none.", "Leave out NaN and Infinity.")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise BadValue(field, f"The {field} holds a number beyond 64 bits.", "Write it as text.")
    return 8
