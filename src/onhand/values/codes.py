"""Codes people and scanners type: SKUs, lot codes, location codes. NFC, visible, bounded."""

import unicodedata

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
