"""The kinds of import: which package takes the rows, and what people call its columns in English and German."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from onhand import catalog, locations, parties
from onhand.integrations.imports import opening, people
from onhand.integrations.imports.model import CellType, ImportColumn, ImportKind, Run
from onhand.kit.tx import Tx
from onhand.values import BatchResult, Column

Rows = Sequence[dict[str, str]]

ALIASES: Mapping[str, tuple[str, ...]] = {
    "sku": ("item number", "item no", "article number", "article", "code", "part number", "variant sku", "Artikelnummer", "Artikelnr", "Art.-Nr.", "Artikel", "Materialnummer"),
    "name": ("title", "item name", "product title", "label", "Bezeichnung", "Artikelbezeichnung", "Artikelname", "Name", "Benennung", "Firma"),
    "product": ("handle", "product code", "parent sku", "style", "Produkt", "Produktcode", "Vaterartikel"),
    "product_name": ("product title", "Produktname", "Produktbezeichnung"),
    "category": ("product type", "type", "group", "department", "Kategorie", "Warengruppe", "Artikelgruppe"),
    "unit": ("uom", "unit of measure", "Einheit", "Mengeneinheit", "ME"),
    "decimals": ("decimal places", "Nachkommastellen", "Dezimalstellen"),
    "tracking": ("track by", "Verfolgung", "Chargenpflicht"),
    "barcodes": ("barcode", "ean", "gtin", "upc", "EAN-Code", "Strichcode", "Strichcodes"),
    "barcode": ("ean", "gtin", "upc", "scan code", "EAN-Code", "Strichcode"),
    "list_price": ("price", "retail price", "selling price", "variant price", "Preis", "Verkaufspreis", "VK", "Listenpreis"),
    "cost": ("unit cost", "cost price", "purchase price", "cost per item", "Einkaufspreis", "EK", "Kosten", "Stückkosten", "Einstandspreis"),
    "currency": ("currency code", "Währung"),
    "weight_g": ("weight", "grams", "weight in grams", "variant grams", "Gewicht", "Gewicht in Gramm"),
    "description": ("body", "text", "Beschreibung", "Langtext"),
    "external_id": ("external id", "foreign id", "Fremdschlüssel", "Externe ID"),
    "quantity": ("qty", "count", "stock", "on hand", "pieces", "units", "Menge", "Anzahl", "Bestand", "Stückzahl"),
    "level": ("packaging level", "Ebene", "Verpackungsebene"),
    "kind": ("type", "Art", "Typ"),
    "site": ("store", "warehouse", "branch", "Filiale", "Lager", "Standort"),
    "minimum": ("minimum stock", "min", "reorder point", "Mindestbestand", "Meldebestand"),
    "code": ("number", "no", "id", "location code", "supplier number", "customer number", "Code", "Nummer", "Nr", "Lieferantennummer", "Kundennummer", "Kürzel", "Platz"),
    "parent": ("parent path", "inside", "Übergeordnet", "Liegt in", "Gehört zu"),
    "role": ("Rolle", "Aufgabe", "Funktion"),
    "sells": ("sellable", "for sale", "Verkauft", "Verkäuflich"),
    "time_zone": ("timezone", "Zeitzone"),
    "day_start": ("start of day", "business day start", "Tagesbeginn"),
    "latitude": ("lat", "Breite", "Breitengrad"),
    "longitude": ("lon", "lng", "long", "Länge", "Längengrad"),
    "email": ("e-mail", "mail", "email address", "E-Mail-Adresse", "Mailadresse"),
    "phone": ("telephone", "tel", "phone number", "Telefon", "Telefonnummer"),
    "line1": ("address", "street", "address line 1", "Straße", "Adresse", "Anschrift"),
    "line2": ("address line 2", "Adresszusatz", "Zusatz"),
    "postal_code": ("zip", "zip code", "postcode", "PLZ", "Postleitzahl"),
    "city": ("town", "Ort", "Stadt"),
    "region": ("state", "province", "county", "Bundesland"),
    "country": ("country code", "Land", "Ländercode"),
    "location": ("place", "bin", "shelf", "location code", "store", "warehouse", "Ort", "Lagerplatz", "Lagerort", "Platz", "Filiale", "Lager"),
    "lot_code": ("lot", "batch", "batch number", "lot number", "Charge", "Chargennummer", "Los"),
    "expires_on": ("expiry", "expiry date", "best before", "use by", "MHD", "Mindesthaltbarkeit", "Haltbar bis", "Verfallsdatum", "Ablaufdatum"),
    "counted_on": ("date", "as of", "received", "happened at", "Datum", "Stichtag", "Zugangsdatum"),
    "condition": ("status", "Zustand", "Status"),
}  # fmt: skip

TYPES: Mapping[str, CellType] = {
    "decimals": "number", "list_price": "number", "cost": "number", "weight_g": "number", "quantity": "number",
    "minimum": "number", "latitude": "number", "longitude": "number", "sells": "flag", "expires_on": "date",
    "counted_on": "date",
}  # fmt: skip


def columns(declared: Sequence[Column]) -> tuple[ImportColumn, ...]:
    """A package's columns with what people call them."""
    return tuple(ImportColumn.of(column, ALIASES, TYPES) for column in declared)


def _numbered(result: BatchResult, numbers: Sequence[int]) -> BatchResult:
    """The problems with the rows' own numbers instead of their places in the chunk."""
    result.problems = [replace(problem, row=numbers[problem.row]) for problem in result.problems]
    return result


async def _variants(tx: Tx, run: Run, rows: Rows, numbers: Sequence[int]) -> BatchResult:
    return _numbered(
        await catalog.upsert_variants(tx, rows, default_currency=run.currency, first_row=0), numbers
    )


async def _barcodes(tx: Tx, run: Run, rows: Rows, numbers: Sequence[int]) -> BatchResult:
    return _numbered(await catalog.upsert_barcodes(tx, rows, first_row=0), numbers)


async def _minimums(tx: Tx, run: Run, rows: Rows, numbers: Sequence[int]) -> BatchResult:
    if "sites" not in run.memory:
        places = (await locations.directory(tx.conn)).values()
        run.memory["sites"] = {place.code: place.id for place in places if place.is_site}
    return _numbered(await catalog.upsert_minimums(tx, rows, sites=run.memory["sites"], first_row=0), numbers)


async def _locations(tx: Tx, run: Run, rows: Rows, numbers: Sequence[int]) -> BatchResult:
    return _numbered(await locations.upsert_locations(tx, rows, first_row=0), numbers)


async def _suppliers(tx: Tx, run: Run, rows: Rows, numbers: Sequence[int]) -> BatchResult:
    return _numbered(await parties.upsert_parties(tx, parties.Kind.SUPPLIER, rows, first_row=0), numbers)


async def _customers(tx: Tx, run: Run, rows: Rows, numbers: Sequence[int]) -> BatchResult:
    return _numbered(await parties.upsert_parties(tx, parties.Kind.CUSTOMER, rows, first_row=0), numbers)


_KINDS = (
    ImportKind(
        "products", "Products and variants", columns(catalog.VARIANT_COLUMNS), _variants, key=("sku",),
        needs=("catalog:write",), prefixes=("option:", "attribute:"),
    ),
    ImportKind(
        "barcodes", "Barcodes", columns(catalog.BARCODE_COLUMNS), _barcodes, key=("barcode",), needs=("catalog:write",)
    ),
    ImportKind(
        "minimums", "Minimum stock", columns(catalog.MINIMUM_COLUMNS), _minimums, key=("sku", "site"),
        needs=("catalog:write",),
    ),
    ImportKind(
        "locations", "Places", columns(locations.LOCATION_COLUMNS), _locations, key=("parent", "code"),
        needs=("locations:write",),
    ),
    ImportKind(
        "suppliers", "Suppliers", columns(parties.PARTY_COLUMNS), _suppliers, key=("code",), needs=("parties:write",)
    ),
    ImportKind(
        "customers", "Customers", columns(parties.PARTY_COLUMNS), _customers, key=("code",), needs=("parties:write",)
    ),
    ImportKind(
        "users", "Users", columns(people.USER_COLUMNS), people.invite_users, key=("email",), needs=("users:write",),
        everything=True,
    ),
    ImportKind(
        "opening_stock", "Opening stock", columns(opening.OPENING_COLUMNS), opening.take_rows,
        needs=("stock:adjust",), finish=opening.post,
    ),
)  # fmt: skip

KINDS: Mapping[str, ImportKind] = {kind.name: kind for kind in _KINDS}
"""Every kind of import, by name, in the order people need them."""
