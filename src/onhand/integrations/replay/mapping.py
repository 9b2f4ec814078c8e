"""Which column of an export means what, and the rules for lines that are no plain sale. Pure.

A mapping is saved as JSON and used again for the next file of the same source.
"""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from onhand.kit.problem import Problem

FIELDS: dict[str, tuple[str, ...]] = {
    "document": (
        "invoiceno", "invoice", "invoicenumber", "receipt", "receiptno", "receiptnumber", "receiptid", "transactionid",
        "transaction", "orderid", "orderno", "ordernumber", "basketid", "ticket", "saleid", "documentno", "bonnummer", "belegnr",
    ),
    "sku": ("sku", "stockcode", "itemcode", "productcode", "productid", "itemid", "article", "articleno", "variantsku", "plu", "artikelnummer"),
    "quantity": ("quantity", "qty", "units", "menge", "anzahl", "itemquantity", "lineitemquantity"),
    "happened_at": (
        "happenedat", "invoicedate", "date", "datetime", "timestamp", "transactiontimestamp", "soldat", "createdat", "saledate",
        "transactiondate", "datum", "time",
    ),
    "unit_price": ("unitprice", "price", "itemprice", "lineitemprice", "preis", "einzelpreis"),
    "amount": ("amount", "net", "linetotal", "salesvalue", "nettotal", "total", "betrag"),
    "description": ("description", "name", "itemname", "productname", "title", "bezeichnung", "lineitemname"),
    "customer": ("customerid", "customer", "customerno", "kundennummer", "householdid"),
    "place": ("store", "storeid", "location", "locationcode", "shop", "site", "branch", "outlet", "filiale"),
    "register": ("register", "registerid", "till", "tillid", "terminal", "pos", "kasse"),
    "currency": ("currency", "currencycode", "waehrung"),
}  # fmt: skip
"""What a replay understands, with the headers it recognises by itself (letters and digits only, small)."""

REQUIRED = ("document", "sku", "quantity", "happened_at")


class ReplayMapping(Problem):
    """The mapping does not fit the file: a column is missing, named twice, or a rule cannot be read."""


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How to read one source. `columns` maps our field to the file's header.

    `source` names where the files come from; with the document number it makes every id, so keep it for ever.
    `returns` is a pattern of document numbers that are returns; `non_stock` are patterns (`*` and `?`) of codes that are
    money, not goods. Times without an offset are read in `time_zone`; `date_format` is a strptime pattern, ISO 8601 if unset.
    """

    source: str
    columns: dict[str, str]
    time_zone: str = "UTC"
    currency: str = "EUR"
    place: str | None = None
    register: str | None = None
    date_format: str | None = None
    decimal_comma: bool = False
    returns: str = "^C"
    non_stock: tuple[str, ...] = ()

    def check(self, headers: list[str]) -> None:
        """Raise ReplayMapping when the file lacks a mapped column, or a needed field is not mapped."""
        for name, header in self.columns.items():
            if name not in FIELDS:
                raise ReplayMapping(f"There is no field {name!r}; there are {', '.join(FIELDS)}.", param=name)
            if header not in headers:
                raise ReplayMapping(
                    f"The file has no column {header!r} for {name}. It has {', '.join(headers)}.", param=name
                )
        missing = [name for name in REQUIRED if name not in self.columns]
        if missing:
            raise ReplayMapping(
                f"Say which column is the {missing[0]}: --column {missing[0]}=HEADER.",
                param=missing[0],
                missing=missing,
            )
        if "unit_price" not in self.columns and "amount" not in self.columns:
            raise ReplayMapping(
                "Say which column is the unit_price or the line's amount.", param="unit_price"
            )
        if not self.source.strip():
            raise ReplayMapping("Give the source a name with --source.", param="source")
        try:
            re.compile(self.returns)
            ZoneInfo(self.time_zone)
        except (re.error, KeyError, ValueError) as wrong:
            raise ReplayMapping(
                f"The mapping has a rule that cannot be read: {wrong}.", param="returns"
            ) from wrong


def suggest(headers: list[str]) -> dict[str, str]:
    """The columns recognised by their headers. Each header serves one field, each field takes its best header."""
    plain = {re.sub(r"[^a-z0-9]", "", header.lower()): header for header in reversed(headers)}
    found: dict[str, str] = {}
    for name, known in FIELDS.items():
        match = next(
            (plain[word] for word in known if word in plain and plain[word] not in found.values()), None
        )
        if match is not None:
            found[name] = match
    return found


def named(name: str) -> Mapping | None:
    """A mapping that comes with Onhand, by its name; None when there is no such."""
    path = Path(__file__).parent / "mappings" / f"{name}.json"
    return load(path) if re.fullmatch(r"[a-z0-9_]+", name) and path.is_file() else None


def load(path: Path) -> Mapping:
    """A saved mapping. Raises ReplayMapping with what is wrong in it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mapping)
    except (msgspec.DecodeError, OSError) as wrong:
        raise ReplayMapping(f"{path.name} is not a mapping: {wrong}.", param="mapping") from wrong


def dump(mapping: Mapping) -> bytes:
    """A mapping as JSON for people."""
    return msgspec.json.format(msgspec.json.encode(mapping), indent=2) + b"\n"
