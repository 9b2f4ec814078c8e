"""The one exception of this package: a value that cannot be what it claims to be."""


class BadValue(ValueError):
    """A text or number that is not the value it should be.

    `field` names what was read ("quantity", "gtin"), `message` says what is wrong, `remedy` what to do about it.
    Packages above turn it into their Problem; imports print it beside the row.
    """

    def __init__(self, field: str, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.field = field
        self.message = message
        self.remedy = remedy


class UnitMismatch(BadValue):
    """Two units of different dimensions (kilograms and litres) were asked to convert into each other."""
