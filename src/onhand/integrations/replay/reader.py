"""Reads an export row by row: CSV (plain or gzip, any usual delimiter and encoding) or Parquet. Never the whole file at once."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from onhand.integrations.replay.mapping import ReplayMapping

Row = list[str]
_SNIFF = 64 * 1024


class Progress(io.RawIOBase):
    """A file that knows how far it was read, so that a bar can say so for compressed files too."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("rb", buffering=0)
        self.total = path.stat().st_size
        self.done = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads and counts."""
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.done += len(data)
        return len(data)

    def close(self) -> None:
        """Closes the file below."""
        self._file.close()
        super().close()


class Export:
    """An opened export: `headers`, `rows()` once, and `read` (0 to 1) for a progress bar."""

    def __init__(self, headers: list[str], rows: Iterator[Row], progress: Progress | None) -> None:
        self.headers = headers
        self._rows = rows
        self._progress = progress
        self._parquet_read = 0.0

    def rows(self) -> Iterator[Row]:
        """Every row as texts, in file order; short rows are filled up with empty cells."""
        return self._rows

    @property
    def read(self) -> float:
        """How much of the file has been read, 0 to 1."""
        if self._progress is None:
            return self._parquet_read
        return self._progress.done / max(1, self._progress.total)

    def note(self, share: float) -> None:
        """Parquet readers say how far they are."""
        self._parquet_read = share


@contextmanager
def open_export(path: Path) -> Iterator[Export]:
    """Open an export by its name's ending. Raises ReplayMapping when it is not a table."""
    if not path.is_file():
        raise ReplayMapping(f"There is no file {path}.", param="file")
    if path.suffix == ".parquet":
        yield _parquet(path)
        return
    progress = Progress(path)
    try:
        with _text(path, progress) as text:
            yield _csv(path, text, progress)
    finally:
        progress.close()


@contextmanager
def _text(path: Path, progress: Progress) -> Iterator[IO[str]]:
    raw = io.BufferedReader(progress, 256 * 1024)
    binary = cast(IO[bytes], gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw)
    with io.TextIOWrapper(binary, encoding=_encoding(path), newline="") as text:
        yield text


def _head(path: Path) -> bytes:
    if path.suffix == ".gz":
        with gzip.open(path) as packed:
            return packed.read(_SNIFF)
    with path.open("rb") as plain:
        return plain.read(_SNIFF)


def _encoding(path: Path) -> str:
    """UTF-8 (with or without a mark), UTF-16 by its mark, else Windows-1252, as spreadsheets write it."""
    head = _head(path)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        head.rsplit(b"\n", 1)[0].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _csv(path: Path, text: IO[str], progress: Progress) -> Export:
    head = _head(path).decode(_encoding(path), errors="replace").split("\n", 1)[0]
    delimiter = max(",;\t|", key=head.count)
    reader = csv.reader(text, delimiter=delimiter)
    headers = [cell.strip() for cell in next(reader, [])]
    if len(headers) < 2 or len(set(headers)) != len(headers):
        raise ReplayMapping(f"The first line of {path.name} must name each column once.", param="file")
    return Export(headers, _filled(reader, len(headers)), progress)


def _filled(rows: Iterator[Row], width: int) -> Iterator[Row]:
    for row in rows:
        if row:
            yield row if len(row) >= width else row + [""] * (width - len(row))


def _parquet(path: Path) -> Export:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise ReplayMapping(
            'Parquet files need the extra: pip install "onhand[parquet]".', param="file"
        ) from None
    file = pq.ParquetFile(path)
    export = Export(list(file.schema_arrow.names), iter(()), None)
    export._rows = _batches(file, export)
    return export


def _batches(file: Any, export: Export) -> Iterator[Row]:
    done = 0
    for batch in file.iter_batches(batch_size=20_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield [_cell(value) for value in row]
        done += batch.num_rows
        export.note(done / max(1, file.metadata.num_rows))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)
