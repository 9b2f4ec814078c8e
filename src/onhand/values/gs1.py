"""What a scanner read: GTINs, GS1 element strings, GS1 Digital Links, or a plain code of our own.

Wraps `biip`. Three of its traps are handled here: bracketed text needs `parse_hri`; a bare EAN-13 that starts with 95 also
parses as a GS1 message "(95)…", so a good GTIN wins; and it raises on odd input, where a scan should simply be a plain code.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message

from onhand.values.errors import BadValue
from onhand.values.gtin import expand_upc_e, is_gtin

FNC1 = "\x1d"
_GS1_SYMBOLS = ("]C1", "]d2", "]Q3", "]e0", "]e1", "]e2", "]J1")
_WEIGHT_AI = "310"  # net weight in kilograms; its last digit gives the decimals
LONGEST_SCAN = 512


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan, understood. `text` is what to look up when nothing else is known; the rest is None when not carried.

    `gtin` has 14 digits; `count` is AI 30/37, `weight_kg` AI 310n, `elements` maps every application identifier to its raw
    value. `expiry` is AI 17, `best_before` AI 15, `produced` AI 11; a day "00" means the last day of the month.
    """

    text: str
    gtin: str | None = None
    sscc: str | None = None
    lot_code: str | None = None
    serial_number: str | None = None
    expiry: date | None = None
    best_before: date | None = None
    produced: date | None = None
    count: int | None = None
    weight_kg: Decimal | None = None
    elements: dict[str, str] = field(default_factory=dict)

    @property
    def lookup(self) -> list[str]:
        """Codes to look for, best first: the GTIN if there is one, then the text as scanned."""
        return [code for code in dict.fromkeys((self.gtin, self.sscc, self.text)) if code]


def _strip_symbology(text: str) -> tuple[str, bool]:
    """Removes an AIM symbology prefix such as "]d2"; says whether it announces GS1 element strings."""
    if len(text) > 3 and text[0] == "]" and text[1].isalpha():
        return text[3:], text[:3] in _GS1_SYMBOLS
    return text, False


def _from_elements(text: str, parts: list[GS1ElementString]) -> Scan:
    raw = {part.ai.ai: part.value for part in parts}
    dates = {part.ai.ai: part.date for part in parts if part.date is not None}
    weight = next((part.decimal for part in parts if part.ai.ai.startswith(_WEIGHT_AI)), None)
    count = raw.get("37", raw.get("30"))
    gtin = raw.get("01", raw.get("02"))
    return Scan(
        text=text,
        gtin=gtin if gtin and is_gtin(gtin) else None,
        sscc=raw.get("00"),
        lot_code=raw.get("10"),
        serial_number=raw.get("21"),
        expiry=dates.get("17"),
        best_before=dates.get("15"),
        produced=dates.get("11"),
        count=int(count) if count else None,
        weight_kg=weight,
        elements=raw,
    )


def _message(text: str) -> list[GS1ElementString] | None:
    try:
        parse = GS1Message.parse_hri if text.startswith("(") else GS1Message.parse
        return list(parse(text).element_strings)
    except (ParseError, ValueError, InvalidOperation):
        return None


def _link(text: str) -> list[GS1ElementString] | None:
    try:
        return list(GS1DigitalLinkURI.parse(text).element_strings)
    except (ParseError, ValueError, InvalidOperation):
        return None


def read_scan(code: str) -> Scan:
    """Understands one scan. Anything unknown is a plain code; only empty or very long input raises `BadValue`.

    Order: a bare GTIN with a right check digit, then an announced GS1 message (symbology prefix, FNC1 or brackets), a Digital
    Link, an unannounced message that starts with 00, 01 or 02, a UPC-E, and last the text itself.
    """
    body, announced = _strip_symbology(code.strip(" \t\r\n"))
    text = body.lstrip(FNC1)
    if not text or len(text) > LONGEST_SCAN:
        raise BadValue(
            "code", "The scan is empty or too long.", f"Scan again: 1 to {LONGEST_SCAN} characters."
        )
    if is_gtin(text):
        return Scan(text=text, gtin=text.zfill(14))
    if text.lower().startswith(("http://", "https://")):
        parts = _link(text)
    else:
        looks_like_one = len(text) >= 16 and text[:2] in ("00", "01", "02") and text[:16].isdigit()
        said_so = announced or FNC1 in body or text.startswith("(")
        parts = _message(text) if said_so or looks_like_one else None
    if parts:
        return _from_elements(text, parts)
    return Scan(text=text, gtin=expand_upc_e(text))


def element_string(*, gtin: str, lot_code: str | None = None, serial_number: str | None = None,
                   expiry: date | None = None) -> str:  # fmt: skip
    """Builds the text of a GS1 barcode: fixed-length parts first, variable ones closed by FNC1 (no FNC1 in front)."""
    if not is_gtin(gtin):
        raise BadValue(
            "gtin", f"{gtin[:20]!r} is not a GTIN.", "Give 8, 12, 13 or 14 digits with a right check digit."
        )
    text = f"01{gtin.zfill(14)}"
    if expiry is not None:
        text += f"17{expiry:%y%m%d}"
    tail = [f"{ai}{value}" for ai, value in (("10", lot_code), ("21", serial_number)) if value]
    for part in tail:
        if len(part) > 22 or not part.isascii() or not part.isprintable():
            raise BadValue(
                "lot_code", f"{part[2:40]!r} does not fit a GS1 barcode.", "Use 1 to 20 plain characters."
            )
    return text + FNC1.join(tail)
