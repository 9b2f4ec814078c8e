"""Reading tables people upload: CSV in any common encoding and delimiter, and XLSX, row by row and within limits.

A CSV is streamed. An XLSX is first turned into plain CSV by a child process under memory and processor limits
(`python -m onhand.kit.tabular in.xlsx out.csv`), because a small hostile workbook can ask its reader for many gigabytes:
the child dies, the server does not.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import os
import re
import resource
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from onhand.kit.problem import LimitExceeded, Problem

PACKED_BYTES = 50 << 20
UNPACKED_BYTES = 200 << 20
RATIO = 100
MAX_ROWS = 1_000_000
MAX_COLUMNS = 512
MAX_LINE = 1 << 20
MAX_CELL = 32_767
CHILD_MEMORY = 2 << 30
CHILD_SECONDS = 60

_DELIMITERS = ",;\t|"
_FORMULA_QUOTED = re.compile(r"'+[=+\-@\t\r\0＝＋－＠]")


class UnreadableTable(Problem):
    """This file cannot be read as a table. Save it as CSV (UTF-8) or as an Excel workbook (.xlsx) and try again."""

    status = 422


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. `number` is what a spreadsheet shows beside it (the heading is row 1); cells are stripped."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A readable table: a CSV file and how to read it. `numeric_cells`: came from a workbook, numbers carry a point."""

    path: Path
    encoding: str
    delimiter: str
    numeric_cells: bool

    def rows(self) -> Iterator[Row]:
        """All lines that hold anything, the heading first. Blocking: call it on a thread.

        Raises UnreadableTable with the row's number, LimitExceeded beyond MAX_ROWS, MAX_COLUMNS, MAX_LINE or MAX_CELL.
        """
        with self.path.open(encoding=self.encoding, newline="") as file:
            yield from _read_csv(file, self.delimiter, self.encoding)


def open_table(path: Path, media_type: str, scratch: Path) -> Table:
    """Make a file readable as a table; for a workbook this writes the file `scratch`, which the caller deletes. Blocking.

    `media_type` is what kit.files found out, never what a browser said. Raises UnreadableTable or LimitExceeded.
    """
    if path.stat().st_size > PACKED_BYTES:
        raise LimitExceeded(f"A table may have {PACKED_BYTES >> 20} MB.", limit=PACKED_BYTES)
    if media_type in ("text/csv", "text/plain"):
        encoding = sniff_encoding(path)
        return Table(path, encoding, sniff_delimiter(path, encoding), numeric_cells=False)
    if not media_type.endswith("spreadsheetml.sheet"):
        raise UnreadableTable("Only CSV and XLSX files hold tables.")
    check_workbook(path)
    _convert(path, scratch)
    return Table(scratch, "utf-8", ",", numeric_cells=True)


def sniff_encoding(path: Path) -> str:
    """The encoding of a text file: by its byte order mark, else UTF-8 if all of it is, else UTF-16 by its zeros, else cp1252.

    Raises UnreadableTable naming the byte that fits none.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif b"\0" in start:
        candidates = ["utf-16-le" if start[1::2].count(0) > start[0::2].count(0) else "utf-16-be"]
    else:
        candidates = ["utf-8", "cp1252"]
    where = 0
    for encoding in candidates:
        failed = _undecodable(path, encoding)
        if failed is None:
            return encoding
        where = failed
    raise UnreadableTable(
        f"Byte {where + 1} of this file belongs to no text we know ({', '.join(candidates)}). Save it as CSV UTF-8.",
        position=where + 1,
    )


def _undecodable(path: Path, encoding: str) -> int | None:
    """Roughly where decoding fails, None if it does not."""
    decoder = codecs.getincrementaldecoder(encoding)()
    at = 0
    with path.open("rb") as file:
        while True:
            block = file.read(1 << 20)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return at + error.start
            if "\0" in text:
                return at + text.index("\0")
            if not block:
                return None
            at += len(block)


def sniff_delimiter(path: Path, encoding: str) -> str:
    """Comma, semicolon, tab or bar: the one that cuts the first lines into the same number of cells, and most of them."""
    with path.open(encoding=encoding, newline="") as file:
        sample = file.read(64 << 10).splitlines()[:20]
    best, most = ",", (0, 0)
    for delimiter in _DELIMITERS:
        widths = Counter(len(cells) for cells in csv.reader(sample, delimiter=delimiter) if cells)
        if not widths:
            continue
        width, times = widths.most_common(1)[0]
        if width > 1 and (times, width) > most:
            best, most = delimiter, (times, width)
    return best


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise LimitExceeded(f"A line of a table may have {MAX_LINE:,} characters.", limit=MAX_LINE)
        yield line


def _read_csv(file: TextIO, delimiter: str, encoding: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(_lines(file), delimiter=delimiter, strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            if number > MAX_ROWS + 1:
                raise LimitExceeded(f"A table may have {MAX_ROWS:,} rows.", limit=MAX_ROWS)
            if len(cells) > MAX_COLUMNS:
                cells = _narrow(cells)
            cells = [_tidy(text) for text in cells]
            if any(cells):
                if max(map(len, cells)) > MAX_CELL:
                    raise LimitExceeded(
                        f"Row {number}: a cell may hold {MAX_CELL:,} characters.", limit=MAX_CELL
                    )
                yield Row(number, cells)
    except csv.Error as error:
        raise UnreadableTable(
            f"Row {number + 1} cannot be read: {error}. Look for a quote that is not closed."
        ) from error
    except UnicodeDecodeError as error:
        raise UnreadableTable(f"Row {number + 1} is not {encoding}.") from error


def _narrow(cells: list[str]) -> list[str]:
    while cells and not cells[-1].strip():
        cells.pop()
    if len(cells) > MAX_COLUMNS:
        raise LimitExceeded(f"A table may have {MAX_COLUMNS} columns.", limit=MAX_COLUMNS)
    return cells


def _tidy(text: str) -> str:
    text = text.strip(" \t\r\n\u00a0\ufeff")
    return text[1:] if text.startswith("'") and _FORMULA_QUOTED.match(text) else text


# ── workbooks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_workbook(path: Path) -> None:
    """Look into the zip before anything unpacks it. Raises LimitExceeded for bombs, UnreadableTable for no workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableTable("This is not an Excel workbook, or it is damaged.") from error
    if len(entries) > 2_000:
        raise LimitExceeded("This workbook has too many parts.", limit=2_000)
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise UnreadableTable("This is a zip file, but no Excel workbook.")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise UnreadableTable("This workbook is encrypted. Save it without a password.")
    if any(name.endswith("vbaProject.bin") for name in names):
        raise UnreadableTable("This workbook has macros. Save it as a workbook without macros (.xlsx).")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > UNPACKED_BYTES:
        raise LimitExceeded(f"Unpacked, a workbook may have {UNPACKED_BYTES >> 20} MB.", limit=UNPACKED_BYTES)
    if any(
        entry.file_size > 1 << 20 and entry.file_size > RATIO * max(entry.compress_size, 1)
        for entry in entries
    ):
        raise LimitExceeded(
            f"A part of this workbook unpacks to more than {RATIO} times its size.", limit=RATIO
        )


def _convert(path: Path, target: Path) -> None:
    """Run the child. It has its own address space limit: what a hostile sheet makes it allocate is its own end."""
    command = [sys.executable, "-m", "onhand.kit.tabular", str(path), str(target)]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "LC_ALL": "C.UTF-8",
    }
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=CHILD_SECONDS * 2, check=False, env=environment, cwd=target.parent,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise LimitExceeded(
            "This workbook takes too long to read. Save it as CSV and try again.", limit=CHILD_SECONDS
        ) from error
    if done.returncode == 0:
        return
    code, _, said = (
        done.stderr.decode(errors="replace").strip().splitlines()[-1:][0].partition("\t")
        if done.stderr.strip()
        else ("", "", "")
    )
    if code == "limit":
        raise LimitExceeded(said)
    if code == "unreadable":
        raise UnreadableTable(said)
    raise LimitExceeded(
        "This workbook is too large or too damaged to read. Save it as CSV and try again.", limit=CHILD_MEMORY
    )


_FAR_COLUMN = re.compile(rb'<c [^>]{0,80}?r="[A-Z]{3,}\d')
_FAR_ROW = re.compile(rb'<(?:c|row) [^>]{0,80}?r="[A-Z]{0,3}(\d{7,})"')


def _refuse_far_cells(path: Path) -> None:
    """A single cell at XFD1048576 makes a dense reader allocate the whole rectangle: look for such cells first."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if not entry.filename.startswith("xl/worksheets/"):
                continue
            tail = b""
            with archive.open(entry) as part:
                while block := part.read(1 << 20):
                    text = tail + block
                    if _FAR_COLUMN.search(text):
                        raise _ChildError(
                            "limit", f"A table may have {MAX_COLUMNS} columns; this sheet reaches further."
                        )
                    if any(int(found) > MAX_ROWS + 1 for found in _FAR_ROW.findall(text)):
                        raise _ChildError("limit", f"A table may have {MAX_ROWS:,} rows.")
                    tail = text[-200:]


class _ChildError(Exception):
    def __init__(self, code: str, said: str) -> None:
        super().__init__(f"{code}\t{said}")


def _child(source: Path, target: Path) -> None:
    """Write the first sheet that holds anything as UTF-8 CSV, empty lines included so that row numbers stay."""
    resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY, CHILD_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CHILD_SECONDS, CHILD_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (UNPACKED_BYTES * 2, UNPACKED_BYTES * 2))
    _refuse_far_cells(source)
    import python_calamine

    try:
        with python_calamine.CalamineWorkbook.from_path(str(source)) as book:
            for name in book.sheet_names:
                sheet = book.get_sheet_by_name(name)
                if sheet.end is None:
                    continue
                _write_sheet(sheet, target)
                return
    except (python_calamine.CalamineError, ValueError) as error:
        raise _ChildError(
            "unreadable", f"This workbook cannot be read: {' '.join(str(error).split())[:200]}"
        ) from error
    raise _ChildError("unreadable", "This workbook is empty.")


def _write_sheet(sheet: Any, target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for cells in sheet.iter_rows():
            writer.writerow([_cell_text(value) for value in cells] or [""])


def _cell_text(value: Any) -> str:
    """A cell as a person sees it: whole numbers without ".0", at most the 15 digits a spreadsheet keeps, dates in ISO form."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e18:
            return str(int(value))
        text = f"{value:.15g}"
        return f"{float(text):.15f}".rstrip("0").rstrip(".") if "e" in text and abs(value) < 1 else text
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, (dt.datetime, dt.date, dt.time)) else str(value)


def main(arguments: Sequence[str]) -> int:
    """The child process: source and target path; the reason of a refusal on stderr as `code<TAB>text`."""
    try:
        _child(Path(arguments[0]), Path(arguments[1]))
    except _ChildError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
