"""What each line of an export becomes, and why. Pure: no clock, no database, decimals only.

The rules in one table (docs/how/replay.md explains them):

| line | becomes |
|---|---|
| a code that is money, not goods (postage, fees, discounts) | service: on the document, passes through no shelf |
| quantity 0 | receipt_only: on the document, moves nothing |
| quantity below 0, document number of a return, or a price | return: goods come back |
| quantity below 0, no price | write_off: goods are gone, with a reason |
| quantity above 0 in a document without any price or customer | found: goods turned up, with a reason |
| quantity above 0 | sale, also at price zero (a gift or a sample) |
| cannot be read | rejected, with the reason |
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fnmatch import translate as wildcard
from uuid import UUID
from zoneinfo import ZoneInfo

from onhand.integrations.replay.mapping import Mapping
from onhand.kit.ids import derive_id
from onhand.values import BadValue, parse_sku

LARGEST = Decimal(10) ** 12


class Fate(StrEnum):
    """What one line of the file becomes; each line has exactly one."""

    sale = "sale"
    return_ = "return"
    write_off = "write_off"
    found = "found"
    service = "service"
    receipt_only = "receipt_only"
    rejected = "rejected"


class DocumentKind(StrEnum):
    """What a group of lines is posted as."""

    sale = "sale"
    refund = "refund"
    adjustment = "adjustment"


@dataclass(slots=True)
class Line:
    """One line. `row` counts from 1 below the headers; `quantity` keeps the file's sign; `net` is what was charged."""

    row: int
    document: str
    sku: str
    quantity: Decimal
    price: Decimal
    net: Decimal
    at: datetime
    month: str
    description: str
    customer: str
    place: str
    register: str
    fate: Fate = Fate.sale
    why: str = ""


@dataclass(slots=True)
class Document:
    """Lines that are posted together under one derived id. A refund's and an adjustment's quantities are above zero."""

    id: UUID
    kind: DocumentKind
    number: str
    happened_at: datetime
    place: str
    register: str
    customer: str
    lines: list[Line]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be read: where, and what to do."""

    row: int
    document: str
    column: str
    value: str
    why: str


@dataclass(slots=True)
class MonthTotals:
    """Control totals of one month, in exact decimals; the columns of a control file."""

    lines: int = 0
    invoices: int = 0
    cancel_lines: int = 0
    net_quantity: Decimal = Decimal(0)
    sold_quantity: Decimal = Decimal(0)
    returned_or_written_off: Decimal = Decimal(0)
    net_value: Decimal = Decimal(0)
    codes: set[str] = field(default_factory=set)
    documents: set[str] = field(default_factory=set)

    def add(self, line: Line, *, cancelled: bool) -> None:
        """Count a line in."""
        self.lines += 1
        self.cancel_lines += cancelled
        self.net_quantity += line.quantity
        if line.quantity > 0:
            self.sold_quantity += line.quantity
        else:
            self.returned_or_written_off += line.quantity
        self.net_value += line.net
        self.codes.add(line.sku)
        self.documents.add(line.document)

    def row(self) -> dict[str, Decimal]:
        """The totals by name, all as decimals."""
        return {
            "lines": Decimal(self.lines),
            "invoices": Decimal(len(self.documents)),
            "cancel_lines": Decimal(self.cancel_lines),
            "net_quantity": self.net_quantity,
            "sold_quantity": self.sold_quantity,
            "returned_or_written_off": self.returned_or_written_off,
            "net_value": self.net_value,
            "stock_codes": Decimal(len(self.codes)),
        }


@dataclass(slots=True)
class Report:
    """What became of a file: every line counted once in `fates`, totals by month, examples of each fate.

    `skus` are the codes with the longest name seen, `decimals` how finely they are counted; `lowest` is the lowest running
    stock by place and code, beginning at zero. `each` is told of every line once it is judged.
    """

    rows: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    months: dict[str, MonthTotals] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    examples: dict[Fate, list[Line]] = field(default_factory=dict)
    documents: Counter[DocumentKind] = field(default_factory=Counter)
    skus: dict[str, str] = field(default_factory=dict)
    decimals: dict[str, int] = field(default_factory=dict)
    services: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    first_at: datetime | None = None
    each: Callable[[Line | Rejected], None] | None = None
    balance: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    lowest: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    @property
    def reconciles(self) -> bool:
        """Every row has exactly one fate."""
        return self.rows == self.fates.total()


class Reader:
    """Reads rows by a mapping. Parsed times are remembered: the lines of one receipt share theirs."""

    def __init__(self, mapping: Mapping, headers: list[str]) -> None:
        mapping.check(headers)
        self._mapping = mapping
        self._at = {name: headers.index(header) for name, header in mapping.columns.items()}
        self._zone = ZoneInfo(mapping.time_zone)
        self._times: dict[str, datetime] = {}

    def line(self, row: int, cells: list[str]) -> Line | Rejected:
        """One row read, or why it cannot be."""
        said: dict[str, str] = {name: cells[at].strip() for name, at in self._at.items()}
        try:
            quantity = self._number(said["quantity"], "quantity")
            price, net = self._price(said, quantity)
            document = said["document"]
            if not document:
                raise BadValue(
                    "document", "The line has no document number.", "Fill it in or leave the line out."
                )
            at = self._time(said["happened_at"])
            sku = parse_sku(said["sku"])
        except BadValue as bad:
            return Rejected(
                row,
                said.get("document", ""),
                bad.field,
                said.get(bad.field, "")[:80],
                f"{bad.message} {bad.remedy}",
            )
        return Line(
            row=row, document=document, sku=sku, quantity=quantity, price=price, net=net,
            at=at.astimezone(UTC), month=f"{at:%Y-%m}", description=said.get("description", ""),
            customer=said.get("customer", ""), place=said.get("place") or self._mapping.place or "",
            register=said.get("register") or self._mapping.register or "",
        )  # fmt: skip

    def _number(self, text: str, name: str) -> Decimal:
        plain = text.replace(".", "").replace(",", ".") if self._mapping.decimal_comma else text
        try:
            value = Decimal(plain)
        except InvalidOperation:
            raise BadValue(
                name, f"{text[:40]!r} is not a number.", "Correct it, or map another column."
            ) from None
        if not value.is_finite() or abs(value) > LARGEST:
            raise BadValue(name, f"{text[:40]!r} is not an amount we can keep.", "Correct it.")
        return value

    def _price(self, said: dict[str, str], quantity: Decimal) -> tuple[Decimal, Decimal]:
        if "unit_price" in said and "amount" in said:
            return self._number(said["unit_price"], "unit_price"), self._number(said["amount"], "amount")
        if "unit_price" in said:
            price = self._number(said["unit_price"], "unit_price")
            return price, price * quantity
        net = self._number(said["amount"], "amount")
        return (net / quantity if quantity else net), net

    def _time(self, text: str) -> datetime:
        known = self._times.get(text)
        if known is not None:
            return known
        try:
            at = (
                datetime.strptime(text, self._mapping.date_format)
                if self._mapping.date_format
                else datetime.fromisoformat(text)
            )
        except ValueError:
            raise BadValue(
                "happened_at", f"{text[:40]!r} is not a time.", "Give the pattern with --date-format."
            ) from None
        if len(self._times) > 10_000:
            self._times.clear()
        local = at.replace(tzinfo=self._zone) if at.tzinfo is None else at.astimezone(self._zone)
        self._times[text] = local
        return local


_REASONS: tuple[tuple[str, str], ...] = (
    (r"damag|wet|rust|broke|crack|crush|mould|fault|smudg|thrown? away|incorrectly made|unsale", "damaged"),
    (r"lost|missing|mia\b|shortage|mystery", "shrinkage"),
    (r"stolen|theft", "theft"),
    (r"given away|charity|donat", "donation"),
    (r"expired|out of date", "expired"),
    (r"count|check|stock ?take", "cycle_count"),
    (r"found", "found"),
    (r"ebay|dotcom|amazon|sold|sets?\b|sample|display|showroom|mailout", "other"),
)
_REASON_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), reason) for pattern, reason in _REASONS)


def reason_of(description: str) -> str:
    """The adjustment reason that a note such as "thrown away - wet" speaks of; `correction` when it says nothing."""
    return next((reason for pattern, reason in _REASON_PATTERNS if pattern.search(description)), "correction")


class Rules:
    """Judges lines by a mapping's patterns."""

    def __init__(self, mapping: Mapping) -> None:
        self._returns = re.compile(mapping.returns) if mapping.returns else None
        self._non_stock = (
            re.compile("|".join(wildcard(p) for p in mapping.non_stock)) if mapping.non_stock else None
        )
        self._services: dict[str, bool] = {}

    def is_return(self, document: str) -> bool:
        """Whether the document's number says that it is a return."""
        return self._returns is not None and self._returns.search(document) is not None

    def is_service(self, sku: str) -> bool:
        """Whether a code stands for money, not goods."""
        if self._non_stock is None:
            return False
        known = self._services.get(sku)
        if known is None:
            known = self._services[sku] = self._non_stock.fullmatch(sku) is not None
        return known

    def judge(self, lines: list[Line]) -> None:
        """Give each line of one document its fate and the reason for it."""
        returned = self.is_return(lines[0].document)
        unpriced = not any(line.price for line in lines) and not any(line.customer for line in lines)
        for line in lines:
            line.fate, line.why = self._judge(line, returned=returned, unpriced=unpriced)

    def _judge(self, line: Line, *, returned: bool, unpriced: bool) -> tuple[Fate, str]:
        if not line.quantity:
            return Fate.receipt_only, "quantity 0"
        if self.is_service(line.sku):
            return Fate.service, f"{line.sku} is no goods"
        if line.quantity < 0:
            if returned:
                return Fate.return_, "document number of a return"
            if line.price:
                return Fate.return_, "negative quantity with a price"
            return Fate.write_off, f"negative quantity without a price: {reason_of(line.description)}"
        if unpriced:
            return Fate.found, f"document without price and customer: {reason_of(line.description)}"
        return Fate.sale, "sale" if line.price else "sale at price zero"


def groups(lines: Iterable[Line | Rejected]) -> Iterator[tuple[int, list[Line]] | Rejected]:
    """Runs of lines with the same document number, each with the number's occurrence (1 for its first run)."""
    seen: Counter[str] = Counter()
    run: list[Line] = []
    for line in lines:
        if isinstance(line, Rejected):
            yield line
            continue
        if run and (line.document != run[0].document or line.place != run[0].place):
            yield seen[run[0].document], run
            run = []
        if not run:
            seen[line.document] += 1
        run.append(line)
    if run:
        yield seen[run[0].document], run


def documents(source: str, occurrence: int, lines: list[Line]) -> Iterator[Document]:
    """The documents that one judged run of lines becomes: at most one sale, one refund, and an adjustment a correction.

    The id comes from source, document number, occurrence and part alone, so a second run makes the same.
    """
    first = lines[0]
    at = min(line.at for line in lines)
    parts: dict[DocumentKind, list[Line]] = {}
    for line in lines:
        if line.fate in (Fate.write_off, Fate.found):
            yield Document(
                id=_id(source, first.document, occurrence, f"line {line.row - first.row + 1}"),
                kind=DocumentKind.adjustment, number=first.document, happened_at=line.at, place=line.place,
                register=line.register, customer=line.customer, lines=[line], reason=reason_of(line.description),
            )  # fmt: skip
        elif line.fate is not Fate.rejected:
            parts.setdefault(_part(line), []).append(line)
    for kind, members in parts.items():
        yield Document(
            id=_id(source, first.document, occurrence, kind), kind=kind, number=first.document, happened_at=at,
            place=first.place, register=first.register, customer=first.customer, lines=members,
        )  # fmt: skip


def _part(line: Line) -> DocumentKind:
    return DocumentKind.refund if line.quantity < 0 else DocumentKind.sale


def _id(source: str, document: str, occurrence: int, part: str) -> UUID:
    return derive_id("replay", source, document, str(occurrence), part)


_EXAMPLES = 5


def translate(
    mapping: Mapping, headers: list[str], rows: Iterable[list[str]], report: Report
) -> Iterator[Document]:
    """Every document of an export, in file order; the report is filled on the way.

    Rows that cannot be read are in `report.rejected` and move nothing. Raises ReplayMapping before the first row.
    """
    reader, rules = Reader(mapping, headers), Rules(mapping)
    read = (reader.line(number, cells) for number, cells in enumerate(rows, start=1))
    for group in groups(read):
        if isinstance(group, Rejected):
            report.rows += 1
            report.fates[Fate.rejected] += 1
            report.rejected.append(group)
            if report.each is not None:
                report.each(group)
            continue
        occurrence, lines = group
        rules.judge(lines)
        _count(report, rules, lines)
        for document in documents(mapping.source, occurrence, lines):
            report.documents[document.kind] += 1
            yield document


def _count(report: Report, rules: Rules, lines: list[Line]) -> None:
    cancelled = rules.is_return(lines[0].document)
    for line in lines:
        report.rows += 1
        report.fates[line.fate] += 1
        report.why[line.why] += 1
        if report.each is not None:
            report.each(line)
        report.months.setdefault(line.month, MonthTotals()).add(line, cancelled=cancelled)
        examples = report.examples.setdefault(line.fate, [])
        if len(examples) < _EXAMPLES:
            examples.append(line)
        report.places.add(line.place)
        if report.first_at is None or line.at < report.first_at:
            report.first_at = line.at
        _balance(report, line)
        if line.fate is Fate.service or (line.fate is Fate.receipt_only and rules.is_service(line.sku)):
            report.services.add(line.sku)
        if len(line.description) > len(report.skus.get(line.sku, "")) or line.sku not in report.skus:
            report.skus[line.sku] = line.description


def _balance(report: Report, line: Line) -> None:
    exponent = line.quantity.normalize().as_tuple().exponent
    digits = max(0, -exponent) if isinstance(exponent, int) else 0
    report.decimals[line.sku] = max(report.decimals.get(line.sku, 0), digits)
    if line.fate in (Fate.sale, Fate.return_):
        change = -line.quantity
    elif line.fate in (Fate.write_off, Fate.found):
        change = line.quantity
    else:
        return
    key = (line.place, line.sku)
    now = report.balance[key] = report.balance.get(key, Decimal(0)) + change
    if now < report.lowest.get(key, Decimal(0)):
        report.lowest[key] = now


def differences(totals: dict[str, dict[str, Decimal]], control: list[dict[str, str]]) -> list[str]:
    """What differs from a control file, in words; empty when every total of every month is exactly equal.

    The control's first column names the month. Columns it lacks are not compared.
    """
    said: list[str] = []
    months = set(totals)
    for wanted in control:
        name, *columns = wanted
        month = wanted[name]
        months.discard(month)
        have = totals.get(month)
        if have is None:
            said.append(f"{month}: nothing there")
            continue
        for column in columns:
            if column in have and have[column] != Decimal(wanted[column]):
                said.append(f"{month} {column}: {have[column]} instead of {wanted[column]}")
    said.extend(f"{month}: not in the control file" for month in sorted(months))
    return said
