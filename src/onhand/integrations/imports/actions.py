"""The story of an import: look into the file, suggest, start; then read it through the package that takes its rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import access
from onhand.integrations.imports import cells, store
from onhand.integrations.imports.kinds import KINDS
from onhand.integrations.imports.model import (
    CHUNK,
    CellType,
    Counts,
    Errors,
    ImportKind,
    ImportNotReady,
    ImportRefused,
    NotATable,
    Run,
    UnknownImportKind,
    check_mapping,
    suggest_mapping,
    tidy_headers,
)
from onhand.kit import files, jobs
from onhand.kit.files import StoredFile
from onhand.kit.ids import uuid7
from onhand.kit.jobs import JobContext
from onhand.kit.problem import IdReused
from onhand.kit.settings import Settings
from onhand.kit.tabular import Row, Table, UnreadableTable, open_table
from onhand.kit.tx import Tx
from onhand.values import BadValue

PREVIEW_ROWS = 20


def kind_of(name: str) -> ImportKind:
    """The kind of this name; raises UnknownImportKind."""
    kind = KINDS.get(name)
    if kind is None:
        raise UnknownImportKind(f"There is no import of {name[:40]!r}.", param="kind", kinds=list(KINDS))
    return kind


@contextmanager
def opened(settings: Settings, file: StoredFile) -> Iterator[Table]:
    """The file as a table; its scratch copy is gone afterwards (after a crash, with the files' clean-up). Blocking."""
    copy = files.incoming(settings) / str(uuid7())
    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        yield open_table(files.path_of(settings, file.id), file.media_type, copy)
    finally:
        copy.unlink(missing_ok=True)


def _look(settings: Settings, file: StoredFile) -> tuple[list[str], list[list[str]]]:
    with opened(settings, file) as table:
        rows = list(islice(table.rows(), PREVIEW_ROWS + 1))
    if not rows:
        raise UnreadableTable("This file is empty.", param="file_id")
    headers = tidy_headers(rows[0].cells)
    return headers, [
        [*row.cells[: len(headers)], *[""] * (len(headers) - len(row.cells))] for row in rows[1:]
    ]


async def create(tx: Tx, settings: Settings, *, kind: str, file_id: UUID, import_id: UUID | None) -> UUID:
    """Look into a file and keep what is seen: headings, first rows, and the mapping they suggest.

    Raises UnknownImportKind, NotFound (file), NotATable, UnreadableTable, LimitExceeded, IdReused.
    """
    wanted = kind_of(kind)
    file = await files.get_file(tx.conn, file_id)
    if file.media_type not in ("text/csv", "text/plain", files.XLSX):
        raise NotATable(param="file_id")
    headers, preview = await asyncio.to_thread(_look, settings, file)
    new = tx.new_id(import_id)
    saved = await _saved_that_fits(tx.conn, wanted, headers)
    made = await store.insert(
        tx.conn,
        {
            "id": new, "kind": kind, "file_id": file_id, "file_name": file.name, "file_sha256": file.sha256,
            "headers": headers, "preview": preview, "created_by": tx.actor.id, "created_by_name": tx.actor.name,
            "mapping": saved.get("mapping") or suggest_mapping(wanted, headers), "created_at": tx.now,
            "decimal_mark": saved.get("decimal_mark"),
        },
    )  # fmt: skip
    if not made:
        raise IdReused(param="id")
    tx.record("import", new, None, {"kind": kind, "file": file.name})
    return new


async def _saved_that_fits(conn: AsyncConnection, kind: ImportKind, headers: Sequence[str]) -> dict[str, Any]:
    """The newest saved mapping all of whose headings the file has."""
    for saved in await store.mappings(conn, kind.name):
        if saved["mapping"] and set(saved["mapping"].values()) <= set(headers):
            return saved
    return {}


async def start(
    tx: Tx,
    import_id: UUID,
    *,
    mapping: Mapping[str, str] | None,
    dry_run: bool,
    decimal_mark: str | None,
    save_mapping_as: str | None,
) -> None:
    """Queue the run of an import, dry or real. Raises MappingNotPossible; ImportNotReady while it runs or when it is done."""
    row = await store.get(tx.conn, import_id, lock=True)
    kind = kind_of(row.kind)
    if row.state in ("queued", "running") or row.outcome == "imported":
        raise ImportNotReady(state=row.state)
    chosen = dict(mapping if mapping is not None else row.mapping)
    check_mapping(kind, chosen, row.headers)
    mark = decimal_mark or row.decimal_mark
    if save_mapping_as:
        await save_mapping(tx, kind=row.kind, name=save_mapping_as, mapping=chosen, decimal_mark=mark)
    verb = "Check" if dry_run else "Import"
    job_id = await jobs.defer_later(
        tx, "import", f"{verb} {kind.title.lower()} from {row.file_name}", import_id=str(import_id)
    )
    await store.update(
        tx.conn, import_id, mapping=chosen, decimal_mark=mark, dry_run=dry_run, job_id=job_id, outcome=None, counts=None,
        error_count=0,
    )  # fmt: skip
    tx.record("import", import_id, {"state": row.state}, {"state": "queued", "dry_run": dry_run})


async def save_mapping(
    tx: Tx, *, kind: str, name: str, mapping: Mapping[str, str], decimal_mark: str | None = None
) -> UUID:
    """Keep a mapping for the next file of its kind."""
    kind_of(kind)
    values = {
        "id": uuid7(), "kind": kind, "name": name, "mapping": dict(mapping), "decimal_mark": decimal_mark,
        "created_by": tx.actor.id, "updated_at": tx.now,
    }  # fmt: skip
    saved = await store.save_mapping(tx.conn, values)
    tx.record("import_mapping", saved, None, {"kind": kind, "name": name})
    return saved


# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Reading:
    """A file being read by a mapping."""

    kind: ImportKind
    places: dict[str, int]
    types: dict[str, CellType]
    mark: cells.Mark | None
    errors: Errors
    seen: dict[int, int]
    total: int

    def read(self, row: Row) -> dict[str, str] | None:
        """A row by our columns, empty cells left out; None when a cell cannot be read, or the row came before."""
        found: dict[str, str] = {}
        good = True
        for column, at in self.places.items():
            text = row.cells[at] if at < len(row.cells) else ""
            if not text:
                continue
            try:
                found[column] = cells.read(text, column, self.types[column], self.mark)
            except BadValue as bad:
                self.errors.add(row.number, column, text, "invalid", bad.message, bad.remedy)
                good = False
        for wanted in self.kind.columns:
            if wanted.required and wanted.name not in found and good:
                self.errors.add(
                    row.number, wanted.name, "", "required", f"The {wanted.name} is empty.", "Fill it in."
                )
                good = False
        return found if good and self._is_first(row, found) else None

    def _is_first(self, row: Row, found: Mapping[str, str]) -> bool:
        if not self.kind.key:
            return True
        name = hash(tuple(found.get(column, "") for column in self.kind.key))
        first = self.seen.setdefault(name, row.number)
        if first == row.number:
            return True
        column = self.kind.key[-1]
        self.errors.add(
            row.number, column, found.get(column, ""), "duplicate", f"Row {first} is about the same one.", "Keep one of them."
        )  # fmt: skip
        return False


class _RollBack(Exception):
    """Ends the transaction of a dry run, or of an import with errors."""


async def run(ctx: JobContext) -> dict[str, Any]:
    """The job: read the whole file once to know its size and its decimal mark, then hand it over chunk by chunk.

    Raises ImportRefused when rows have errors and it was no dry run; nothing is kept then but the errors.
    """
    import_id = UUID(ctx.arguments["import_id"])
    async with ctx.database.engine.connect() as conn:
        row = await store.get(conn, import_id)
        file = await files.get_file(conn, row.file_id)
        organisation = await access.get_organisation(conn) or {}
    kind = kind_of(row.kind)
    if row.outcome == "imported":
        raise ImportNotReady("This import is done already.", state="done")
    task = Run(
        import_id, bytes(row.file_sha256), row.dry_run, organisation.get("currency", "EUR"), organisation.get("name", ""),
        ctx.settings.public_url or f"http://{ctx.settings.host}:{ctx.settings.port}",
    )  # fmt: skip
    opening = opened(ctx.settings, file)
    table = await asyncio.to_thread(opening.__enter__)
    try:
        reading = await asyncio.to_thread(_survey, kind, row, table)
        await ctx.progress(0, reading.total, "rows")
        counts = Counts(rows=reading.total)
        try:
            await _all_or_nothing(ctx, task, table, reading, counts)
        except _RollBack:
            await _close_without(ctx, task, reading, counts)
    finally:
        await asyncio.to_thread(opening.__exit__, None, None, None)
    result = {"import_id": str(import_id), "dry_run": row.dry_run, "counts": counts.shape()}
    if reading.errors.total and not row.dry_run:
        raise ImportRefused(
            f"{counts.failed:,} of {counts.rows:,} rows have errors, so nothing was imported.", **result
        )
    return result


def _survey(kind: ImportKind, row: Any, table: Table) -> _Reading:
    """Count the rows and let their numbers say which decimal mark they use. Blocking."""
    places = {column: row.headers.index(header) for column, header in row.mapping.items()}
    known = {column: kind.column(column) for column in places}
    types: dict[str, CellType] = {column: found.type if found else "text" for column, found in known.items()}
    numbers = [at for column, at in places.items() if types[column] == "number"]
    votes, total = cells.MarkVotes(), -1
    for line in table.rows():
        total += 1
        if total:
            for at in numbers:
                if at < len(line.cells) and line.cells[at]:
                    votes.add(line.cells[at])
    mark = row.decimal_mark or votes.decide(numeric_cells=table.numeric_cells, delimiter=table.delimiter)
    return _Reading(kind, places, types, mark, Errors(row.mapping), {}, max(total, 0))


async def _all_or_nothing(
    ctx: JobContext, task: Run, table: Table, reading: _Reading, counts: Counts
) -> None:
    """One transaction for the whole file; raises _RollBack at its end when it must not be kept."""
    async with ctx.writing() as tx:
        if reading.kind.name == "opening_stock":
            await store.refuse_twice(tx.conn, task.import_id, task.file_sha256)
        chunks = _chunks(table, reading)
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            numbers, rows, read = chunk
            if rows:
                _count(counts, reading.errors, await reading.kind.apply(tx, task, rows, numbers))
            await ctx.progress(read, reading.total, "rows")
        if reading.kind.finish is not None and not reading.errors.total:
            _count(counts, reading.errors, await reading.kind.finish(tx, task))
        counts.failed = reading.errors.rows
        if task.dry_run or reading.errors.total:
            raise _RollBack
        await store.update(tx.conn, task.import_id, outcome="imported", counts=counts.shape(), error_count=0)
        await store.replace_errors(tx.conn, task.import_id, [])
        await ctx.finish(tx, {"import_id": str(task.import_id), "dry_run": False, "counts": counts.shape()})


def _count(counts: Counts, errors: Errors, result: Any) -> None:
    counts.created += result.created
    counts.updated += result.updated
    counts.unchanged += result.unchanged
    errors.take(result)


def _chunks(table: Table, reading: _Reading) -> Iterator[tuple[list[int], list[dict[str, str]], int]]:
    """(numbers of the rows, the good rows, lines read so far), at most CHUNK lines at a time. Blocking."""
    numbers, rows, read = list[int](), list[dict[str, str]](), 0
    lines = table.rows()
    next(lines, None)
    for read, line in enumerate(lines, start=1):
        found = reading.read(line)
        if found is not None:
            numbers.append(line.number)
            rows.append(found)
        if read % CHUNK == 0:
            yield numbers, rows, read
            numbers, rows = [], []
    yield numbers, rows, read


async def _close_without(ctx: JobContext, task: Run, reading: _Reading, counts: Counts) -> None:
    """Keep the errors and counts of a run whose transaction was rolled back."""
    async with jobs.quiet(ctx.database) as tx:
        await store.replace_errors(tx.conn, task.import_id, reading.errors.kept)
        outcome = "refused" if reading.errors.total else "checked"
        await store.update(
            tx.conn, task.import_id, outcome=outcome, counts=counts.shape(), error_count=reading.errors.total
        )


def template(kind: ImportKind) -> str:
    """A CSV with the headings and one example row."""
    from onhand.kit.export import Column, csv_text

    wanted = [Column(f"c{at}", title=column.name) for at, column in enumerate(kind.columns)]
    return csv_text(wanted, [{f"c{at}": column.example for at, column in enumerate(kind.columns)}])
