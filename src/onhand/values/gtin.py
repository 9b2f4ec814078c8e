"""GTINs (GS1 General Specifications, section 7.9: check digits) and the other numbers with the same check digit."""

from dataclasses import dataclass

from onhand.values.errors import BadValue

GTIN_LENGTHS = (8, 12, 13, 14)


def check_digit(payload: str) -> int:
    """The GS1 check digit of the digits before it: weights 3 and 1 from the right, the complement to ten."""
    backwards = payload[::-1]
    total = 3 * sum(map(int, backwards[::2])) + sum(map(int, backwards[1::2]))
    return -total % 10


def is_gtin(text: str) -> bool:
    """Whether the text is 8, 12, 13 or 14 ASCII digits ending in their own check digit."""
    return (
        len(text) in GTIN_LENGTHS
        and text.isascii()
        and text.isdigit()
        and check_digit(text[:-1]) == int(text[-1])
    )


def parse_gtin(text: str, field: str = "barcode") -> str:
    """The GTIN-14 (zeros in front) of a GTIN-8, UPC-A, EAN-13 or GTIN-14. Spaces and dashes are dropped.

    Raises `BadValue` for other lengths or a wrong check digit, naming the digit it should have been.
    """
    digits = text.strip().replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in GTIN_LENGTHS:
        raise BadValue(
            field,
            f"{text[:40]!r} is not a GTIN: it needs 8, 12, 13 or 14 digits.",
            'For own codes use the kind "other".',
        )
    right = check_digit(digits[:-1])
    if right != int(digits[-1]):
        raise BadValue(
            field,
            f"{digits} ends in {digits[-1]}, but its check digit is {right}.",
            "Scan it again or look for two swapped digits.",
        )
    return digits.zfill(14)


def short_gtin(gtin14: str) -> str:
    """The shortest form people know: EAN-13 (or UPC-A as EAN-13) unless the indicator digit is above zero; EAN-8 if so."""
    if gtin14.startswith("000000"):
        return gtin14[6:]
    return gtin14.removeprefix("0")


@dataclass(frozen=True, slots=True)
class Gtin:
    """A checked GTIN. `code` is always 14 digits."""

    code: str

    @classmethod
    def parse(cls, text: str) -> "Gtin":
        """Reads any GTIN length; see `parse_gtin` for what is refused."""
        return cls(parse_gtin(text))

    @property
    def short(self) -> str:
        """As printed on a shelf edge: 8 or 13 digits, 14 only for cases and pallets with an indicator digit."""
        return short_gtin(self.code)

    def __str__(self) -> str:
        return self.code


def expand_upc_e(text: str) -> str | None:
    """The GTIN-14 of an 8-digit UPC-E (number system 0 or 1), or None when it is none.

    UPC-E leaves out zeros of a UPC-A; the last of its six digits says where they were (General Specifications 5.2.2.4.2).
    """
    if len(text) != 8 or not (text.isascii() and text.isdigit()) or text[0] not in "01":
        return None
    system, body, check = text[0], text[1:7], text[7]
    last = body[5]
    if last in "012":
        payload = f"{system}{body[:2]}{last}0000{body[2:5]}"
    elif last == "3":
        payload = f"{system}{body[:3]}00000{body[3:5]}"
    elif last == "4":
        payload = f"{system}{body[:4]}00000{body[4]}"
    else:
        payload = f"{system}{body[:5]}0000{last}"
    return f"{payload}{check}".zfill(14) if check_digit(payload) == int(check) else None


def parse_sscc(text: str, field: str = "sscc") -> str:
    """The 18 digits of a serial shipping container code (a pallet's number plate), check digit verified."""
    digits = text.strip().replace(" ", "")
    if (
        len(digits) != 18
        or not (digits.isascii() and digits.isdigit())
        or check_digit(digits[:-1]) != int(digits[-1])
    ):
        raise BadValue(
            field, f"{text[:40]!r} is not an SSCC.", "It needs 18 digits with a right check digit."
        )
    return digits
