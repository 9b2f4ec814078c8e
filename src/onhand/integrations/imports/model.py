"""What an import is: kinds and their columns, which header fills which column, and why a row was refused. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Literal, Protocol
from unicodedata import combining, normalize
from uuid import UUID

from onhand.kit.problem import Problem
from onhand.kit.tx import Tx
from onhand.values import BatchResult, Column

CHUNK = 2_000
"""Rows handed to a face at once."""

KEPT_ERRORS = 1_000
"""Errors stored and shown; all are counted."""

CellType = Literal["text", "number", "date", "flag"]


class UnknownImportKind(Problem):
    """There is no import of this kind; `kinds` lists them."""

    status = 422


class MappingNotPossible(Problem):
    """The mapping names a column this kind does not have, a header the file does not have, or leaves out a required column."""

    status = 422


class NotATable(Problem):
    """Only CSV and XLSX files can be imported. Upload the table as one of those."""

    status = 422


class ImportRefused(Problem):
    """Some rows have errors, so nothing was imported. Correct them in the file, or in Onhand, and run it again."""

    status = 422


class AlreadyImported(Problem):
    """This very file was imported as opening stock before; again would double it. Reverse that import first, or change the file."""

    status = 409


class ImportNotReady(Problem):
    """This import is at work, or done. Wait for it, or start a new one."""

    status = 409


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """A column of a kind. `aliases` are other headings people use, English and German; `type` says how cells are read."""

    name: str
    description: str
    example: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    type: CellType = "text"

    @classmethod
    def of(
        cls, column: Column, aliases: Mapping[str, Sequence[str]], types: Mapping[str, CellType]
    ) -> ImportColumn:
        """A column a package declares, with what people call it."""
        return cls(
            column.name,
            column.description,
            column.example,
            column.required,
            tuple(aliases.get(column.name, ())),
            types.get(column.name, "text"),
        )


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row was refused. `row` is what a spreadsheet shows beside it; `column` is ours, `header` the file's."""

    row: int
    column: str
    value: str
    code: str
    message: str
    remedy: str
    header: str = ""


@dataclass(slots=True)
class Counts:
    """What became of the rows."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0

    @property
    def ok(self) -> int:
        """Rows without an error."""
        return self.rows - self.failed

    def shape(self) -> dict[str, int]:
        """As the API shows it."""
        return {
            "rows": self.rows,
            "ok": self.ok,
            "failed": self.failed,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
        }


@dataclass(slots=True)
class Run:
    """What a kind's face is told about the import beside its rows. `memory` lasts from the first chunk to `finish`."""

    import_id: UUID
    file_sha256: bytes
    dry_run: bool
    currency: str
    organisation: str
    address: str
    memory: dict[str, Any] = field(default_factory=dict)


class Apply(Protocol):
    """Write a chunk of rows (column → text, empty cells left out); `numbers` are their rows in the file, which problems name."""

    async def __call__(
        self, tx: Tx, run: Run, rows: Sequence[dict[str, str]], numbers: Sequence[int]
    ) -> BatchResult: ...


Finish = Callable[[Tx, Run], Awaitable[BatchResult]]


@dataclass(frozen=True, slots=True)
class ImportKind:
    """A kind of import.

    `key`: the columns that together name a row; twice in one file is an error. `needs`: the permissions to import it, which
    must hold everywhere. `prefixes`: open-ended columns (`option:size`). `finish` runs after the last chunk.
    """

    name: str
    title: str
    columns: tuple[ImportColumn, ...]
    apply: Apply
    key: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    finish: Finish | None = None
    everything: bool = False

    def column(self, name: str) -> ImportColumn | None:
        """The column of this name; an open-ended one is made up."""
        for column in self.columns:
            if column.name == name:
                return column
        if any(name.startswith(prefix) and len(name) > len(prefix) for prefix in self.prefixes):
            return ImportColumn(name, "", "")
        return None


# ── headers and columns ──────────────────────────────────────────────────────────────────────────────────────────────


def plain(text: str) -> str:
    """A heading without what does not matter: case, accents, spaces, punctuation, units in brackets."""
    text = text.replace("ß", "ss").split("(")[0].split("[")[0]
    bare = "".join(ch for ch in normalize("NFKD", text.casefold()) if not combining(ch))
    return "".join(ch for ch in bare if ch.isalnum())


def tidy_headers(cells: Sequence[str]) -> list[str]:
    """The headings of a file, unique and not empty: what people see in the mapping."""
    seen: dict[str, int] = {}
    out: list[str] = []
    for at, cell in enumerate(cells, start=1):
        name = " ".join(cell.split())[:200] or f"Column {at}"
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def suggest_mapping(kind: ImportKind, headers: Sequence[str]) -> dict[str, str]:
    """Column → header, as far as it is plain: by name and aliases first, then by likeness. A header is used once."""
    free = {header: plain(header) for header in headers}
    found: dict[str, str] = {}

    def take(column: str, header: str) -> None:
        found[column] = header
        del free[header]

    for column in kind.columns:
        names = [plain(name) for name in (column.name, *column.aliases)]
        for name in names:
            header = next((h for h, p in free.items() if p == name and p), None)
            if header is not None:
                take(column.name, header)
                break
    for header in list(free):
        prefix = next((p for p in kind.prefixes if header.casefold().startswith(p)), None)
        if prefix is not None and header[len(prefix) :].strip():
            take(prefix + header[len(prefix) :].strip(), header)
    for column in kind.columns:
        if column.name in found or not free:
            continue
        names = [plain(name) for name in (column.name, *column.aliases)]
        score, header = max((max(_alike(p, n) for n in names), h) for h, p in free.items())
        if score >= 0.84:
            take(column.name, header)
    return found


def _alike(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b).ratio() if a and b else 0.0


def check_mapping(kind: ImportKind, mapping: Mapping[str, str], headers: Sequence[str]) -> None:
    """Raises MappingNotPossible with each fault in `details`."""
    faults: list[dict[str, Any]] = []

    def fault(column: str, code: str, text: str) -> None:
        faults.append({"param": f"mapping.{column}", "code": code, "detail": text})

    for column, header in mapping.items():
        if kind.column(column) is None:
            fault(column, "unknown_column", f"{kind.title} have no column {column!r}.")
        if header not in headers:
            fault(column, "unknown_header", f"The file has no column headed {header!r}.")
    for wanted in kind.columns:
        if wanted.required and wanted.name not in mapping:
            fault(wanted.name, "required", f"Say which column of the file holds {wanted.name}.")
    used: dict[str, str] = {}
    for column, header in mapping.items():
        if used.setdefault(header, column) != column:
            fault(column, "header_used_twice", f"{header!r} fills {used[header]} already.")
    if faults:
        raise MappingNotPossible(faults[0]["detail"], param="mapping", details=faults)


class Errors:
    """The errors of an import: counts all, keeps the first KEPT_ERRORS, counts each row once."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self.kept: list[RowError] = []
        self.total = 0
        self._rows: set[int] = set()
        self._mapping = mapping

    @property
    def rows(self) -> int:
        """Rows with at least one error."""
        return len(self._rows)

    def add(self, row: int, column: str, value: str, code: str, message: str, remedy: str) -> None:
        """Note an error."""
        self.total += 1
        self._rows.add(row)
        if len(self.kept) < KEPT_ERRORS:
            header = self._mapping.get(column, "")
            self.kept.append(RowError(row, column, value[:100], code, message, remedy, header))

    def take(self, result: BatchResult) -> None:
        """Note a batch's problems."""
        for p in result.problems:
            self.add(p.row, p.column, p.value, p.code, p.message, p.remedy)
