"""Documents of an export as postings: sales through the point of sale's own rules, corrections as adjustments. Pure."""

from __future__ import annotations

from collections.abc import Mapping as Known
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

import msgspec

from onhand import catalog, locations
from onhand.integrations.replay.model import Document, DocumentKind, Line
from onhand.kit.ids import derive_id
from onhand.ledger import Adjusted, Item, Kind, Mode, Move, Posting, digest_of, event_row
from onhand.pos import LineIn, SaleIn, Till, sale_item
from onhand.values import CURRENCY_EXPONENTS, BadValue, format_units, parse_units

CUSTOMER = locations.virtual_id("customer")
SUPPLIER = locations.virtual_id("supplier")
ADJUSTMENT = locations.virtual_id("adjustment")
PRODUCTION = locations.virtual_id("production")

_LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Books:
    """What the database knows of an export: what its codes stand for, its tills by place, which variants are services."""

    source: str
    currency: str
    actor: UUID
    known: Known[str, catalog.Resolved]
    tills: Known[str, Till]
    services: frozenset[UUID]


def plain(number: Decimal) -> str:
    """A decimal as plain digits, without an exponent and without needless zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(amount: Decimal, currency: str) -> str:
    """An amount in the currency's own decimals, rounded half to even: documents count whole minor units."""
    return str(amount.quantize(Decimal(1).scaleb(-CURRENCY_EXPONENTS[currency]), ROUND_HALF_EVEN))


def to_item(document: Document, books: Books) -> Item:
    """The posting of a document with what goes with it. Raises Problem or BadValue for what cannot be posted."""
    if document.kind is DocumentKind.adjustment:
        return _adjustment(document, books)
    return _sale(document, books)


def _sale(document: Document, books: Books) -> Item:
    """A sale, or a return without its sale: the same document with quantities and amounts below zero."""
    till = books.tills[document.place]
    sale = SaleIn(
        id=document.id,
        register=till.code,
        happened_at=document.happened_at,
        currency=books.currency,
        number=document.number[:100],
        lines=[_line(line, books.currency) for line in document.lines],
    )
    item, _ = sale_item(sale, till, books.known, actor=books.actor, customer_place=CUSTOMER)
    posting = msgspec.structs.replace(
        item.posting,
        kind=Kind.return_.value if document.kind is DocumentKind.refund else item.posting.kind,
        moves=tuple(_past_the_shelf(move, books.services) for move in item.posting.moves),
    )
    return Item(posting, item.riders, item.events)


def _line(line: Line, currency: str) -> LineIn:
    return LineIn(
        sku=line.sku,
        quantity=plain(line.quantity),
        unit_price=str(round(line.price, 6)),
        total=money(line.net, currency),
        description=line.description[:_LONGEST_NOTE] or None,
    )


def _past_the_shelf(move: Move, services: frozenset[UUID]) -> Move:
    """A service is made as it is sold: it comes from production, not from a shelf, and a refunded one goes back there."""
    if move.variant not in services:
        return move
    if move.to_location == CUSTOMER:
        return msgspec.structs.replace(move, from_location=PRODUCTION)
    return msgspec.structs.replace(move, to_location=PRODUCTION)


def document_id(source: str, number: str) -> UUID:
    """What names a document of the file in the books: the source of its adjustments."""
    return derive_id("replay", source, "document", number)


def _adjustment(document: Document, books: Books) -> Item:
    line, till = document.lines[0], books.tills[document.place]
    what = books.known.get(line.sku)
    if what is None:
        raise BadValue(
            "sku", f"There is no item {line.sku}.", "Import it first, or replay with --create-missing."
        )
    units = parse_units(plain(abs(line.quantity)), what.decimals)
    gone = line.quantity < 0
    source, target = (till.location, ADJUSTMENT) if gone else (ADJUSTMENT, till.location)
    posting = Posting(
        id=document.id, kind=Kind.adjust.value, source_type="adjustment", source_id=document_id(books.source, document.number),
        actor=books.actor, happened_at=document.happened_at, moves=(Move(what.variant_id, source, target, units),),
        digest=digest_of("replay", document.number, line.sku, plain(line.quantity), document.reason, document.happened_at),
        mode=Mode.fact, device=till.id, reason=document.reason, caller=books.actor,
    )  # fmt: skip
    event = Adjusted(
        posting_id=document.id, kind=Kind.adjust.value, variant_id=what.variant_id, sku=what.sku, location_id=till.location,
        location_code=till.site_code, site_id=till.site, quantity=format_units(-units if gone else units, what.decimals),
        reason=document.reason,
    )  # fmt: skip
    return Item(posting, {}, [event_row(event, document.happened_at)])


def opening_item(
    place: str, lowest: Known[str, Decimal], before: datetime, books: Books, part: str
) -> Item | None:
    """Stock that must have lain in a place before the file begins: as much as its lowest running balance is below zero."""
    till = books.tills[place]
    moves = tuple(
        Move(what.variant_id, SUPPLIER, till.location, parse_units(plain(-low), what.decimals))
        for sku, low in sorted(lowest.items())
        if low < 0 and (what := books.known.get(sku)) is not None
    )
    if not moves:
        return None
    posting_id = derive_id("replay", books.source, "opening", place, part)
    posting = Posting(
        id=posting_id, kind=Kind.receive.value, source_type="opening", source_id=posting_id, actor=books.actor,
        happened_at=before, moves=moves, digest=digest_of("opening", place, [(str(m.variant), m.quantity) for m in moves]),
        mode=Mode.fact, reason="opening", caller=books.actor,
    )  # fmt: skip
    return Item(posting)
