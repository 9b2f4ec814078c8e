"""Files people upload: pictures and documents, checked before they are kept and served so that they can do no harm.

What a file is says its content, and its name's ending must agree. Pictures are drawn anew, which drops what was hidden in
them (place, camera, scripts). We make the names on disk; the original name is only a text.

A file is written and synced under its final name before its row is committed: a row without its file cannot be. A file whose
transaction failed has no row and is removed by the clean-up within hours.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
import time
import unicodedata
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import quote
from uuid import UUID

import sqlalchemy as sa
from fastapi.responses import FileResponse
from PIL import Image, ImageOps
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.ids import uuid7
from onhand.kit.jobs import JobContext, periodic
from onhand.kit.problem import IdReused, LimitExceeded, NotFound, Problem
from onhand.kit.settings import Settings
from onhand.kit.tables import file as files_table
from onhand.kit.tabular import check_workbook
from onhand.kit.telemetry import log
from onhand.kit.tx import Tx

PICTURE_BYTES = 15 << 20
DOCUMENT_BYTES = 50 << 20
MAX_PIXELS = 40_000_000
LONGEST_SIDE = 4096
ORPHAN_SECONDS = 6 * 3600
_BLOCK = 256 << 10

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENDINGS = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "pdf": "application/pdf",
    "xlsx": XLSX,
    "csv": "text/csv",
    "tsv": "text/csv",
    "txt": "text/plain",
}
PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
_SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"


class FileRefused(Problem):
    """This kind of file is not taken, or its content is not what its name says. Send PNG, JPEG, WebP, GIF, PDF, CSV, text or XLSX."""

    status = 422


class FileTooLarge(LimitExceeded):
    """This file is larger than files may be; `limit` says how many bytes are allowed."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A kept file. `size` and `sha256` are of the bytes on disk (a picture's change when it is drawn anew)."""

    id: UUID
    name: str
    media_type: str
    size: int
    sha256: bytes
    created_by: UUID
    created_at: datetime


class Upload(Protocol):
    """What arrives: Starlette's UploadFile, or anything that can be read in blocks."""

    async def read(self, size: int = -1) -> bytes:
        """The next bytes, empty at the end."""
        ...


class _Blocks:
    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    async def read(self, size: int = -1) -> bytes:
        return self._data.read(size)


def upload_of(data: bytes) -> Upload:
    """Bytes we have ourselves, as an upload (the demo, tests, generated documents)."""
    return _Blocks(data)


def folder(settings: Settings) -> Path:
    """Where files are kept."""
    return settings.data / "files"


def incoming(settings: Settings) -> Path:
    """Where files stand that are not finished; what is old there is removed by the clean-up. Names are UUIDs."""
    return folder(settings) / "incoming"


def path_of(settings: Settings, file_id: UUID) -> Path:
    """A file's place on disk. The folder is the id's last two digits: those are random, the first ones are the date."""
    return folder(settings) / file_id.hex[-2:] / str(file_id)


def clean_name(name: str) -> str:
    """The original name as a harmless text: its last part, NFC, without control, direction and path characters."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(ch for ch in name if unicodedata.category(ch)[0] != "C" and ch not in '<>:"|?*').strip(
        ". "
    )
    stem, dot, ending = name.rpartition(".")
    return f"{stem[:150]}{dot}{ending[:10]}" if dot else name[:160] or "file"


async def store(
    tx: Tx, settings: Settings, upload: Upload, *, name: str, file_id: UUID | None = None
) -> StoredFile:
    """Check and keep an upload, with this transaction's commit. The same upload under the same id is kept once.

    Raises FileRefused (kind, content against name), FileTooLarge, UnreadableTable or LimitExceeded (workbooks),
    IdReused.
    """
    name = clean_name(name)
    expected = ENDINGS.get(name.rpartition(".")[2].lower()) if "." in name else None
    if expected is None:
        raise FileRefused(param="file", endings=sorted(ENDINGS))
    new = file_id or uuid7()
    target = path_of(settings, new)
    half = incoming(settings) / str(uuid7())
    await asyncio.to_thread(_make_folders, folder(settings), half.parent, target.parent)
    try:
        await _receive(upload, half, PICTURE_BYTES if expected in PICTURES else DOCUMENT_BYTES)
        media_type = await asyncio.to_thread(_check, half, expected)
        size, sha256 = await asyncio.to_thread(_seal, half)
        stored = StoredFile(new, name, media_type, size, sha256, tx.actor.id, tx.now)
        if not await _insert(tx.conn, stored):
            return await _same(tx.conn, stored)
        await asyncio.to_thread(_settle, half, target)
    finally:
        await asyncio.to_thread(_unlink, half)
    tx.record("file", new, None, {"name": name, "media_type": media_type, "size": size})
    return stored


def _make_folders(*folders: Path) -> None:
    for path in folders:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)


async def _receive(upload: Upload, half: Path, limit: int) -> None:
    size = 0
    file: BinaryIO = await asyncio.to_thread(_create, half)
    try:
        while block := await upload.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise FileTooLarge(f"This file may have {limit >> 20} MB.", param="file", limit=limit)
            await asyncio.to_thread(file.write, block)
    finally:
        await asyncio.to_thread(file.close)
    if size == 0:
        raise FileRefused("This file is empty.", param="file")


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def _unlink(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()


def _check(path: Path, expected: str) -> str:
    """The media type the content proves; pictures are replaced by their redrawn selves. Blocking."""
    with path.open("rb") as file:
        start = file.read(4096)
    found = sniff(start)
    if found != expected and not (found == "text/plain" and expected == "text/csv"):
        raise FileRefused(
            f"The name says {expected}, the content says {found or 'something we do not take'}.",
            param="file",
            found=found,
        )
    if expected in PICTURES:
        return _redraw(path)
    if expected == XLSX:
        check_workbook(path)
    return expected


def sniff(start: bytes) -> str | None:
    """The media type by the first bytes; text is what holds no control characters. None: not a kind we take."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    if start.startswith(b"%PDF-"):
        return "application/pdf"
    if start.startswith(b"PK\x03\x04"):
        return XLSX
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text/plain"
    plain = start.replace(b"\0", b"") if start[:64].count(0) * 3 > len(start[:64]) else start
    if re.search(rb"[\x00-\x08\x0b\x0e-\x1f]", plain):
        return None
    return (
        None
        if re.match(rb"\s*(?:<(?:!doctype|html|script|svg|\?xml)|#!|MZ)", plain, re.IGNORECASE)
        else "text/plain"
    )


def _redraw(path: Path) -> str:
    """Decode a picture and write its pixels anew: no metadata, no trailing data, no second file in it. Returns the media type."""
    try:
        with Image.open(path, formats=list(PICTURES.values())) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _too_many_pixels()
            kind = "JPEG" if picture.format == "JPEG" else "WEBP" if picture.format == "WEBP" else "PNG"
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            plain = upright.convert("RGB" if kind == "JPEG" else "RGBA")
    except Problem:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except Exception as error:  # Pillow raises nearly everything for damaged pictures
        raise FileRefused("This picture cannot be read.", param="file") from error
    fresh = Image.new(plain.mode, plain.size)
    fresh.paste(plain)
    fresh.save(path, format=kind, quality=88, optimize=kind == "PNG")
    return f"image/{kind.lower()}"


def _too_many_pixels() -> FileTooLarge:
    return FileTooLarge(
        f"A picture may have {MAX_PIXELS // 1_000_000} megapixels.", param="file", limit=MAX_PIXELS
    )


def _seal(path: Path) -> tuple[int, bytes]:
    """Force the bytes to disk; their number and SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
        os.fsync(file.fileno())
    return path.stat().st_size, digest.digest()


def _settle(half: Path, target: Path) -> None:
    half.replace(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def _insert(conn: AsyncConnection, stored: StoredFile) -> bool:
    values = {name: getattr(stored, name) for name in StoredFile.__dataclass_fields__}
    statement = sa.text(
        "INSERT INTO file (id, name, media_type, size, sha256, created_by, created_at)"
        " VALUES (:id, :name, :media_type, :size, :sha256, :created_by, :created_at) ON CONFLICT (id) DO NOTHING"
    )
    return (await conn.execute(statement, values)).rowcount == 1


async def _same(conn: AsyncConnection, sent: StoredFile) -> StoredFile:
    """The file that has this id already, if it is this very upload again."""
    kept = await get_file(conn, sent.id)
    if (kept.sha256, kept.created_by) != (sent.sha256, sent.created_by):
        raise IdReused(param="id")
    return kept


async def get_file(conn: AsyncConnection, file_id: UUID) -> StoredFile:
    """A file's row; raises NotFound."""
    columns = [files_table.c[name] for name in StoredFile.__dataclass_fields__]
    row = (await conn.execute(sa.select(*columns).where(files_table.c.id == file_id))).one_or_none()
    if row is None:
        raise NotFound("There is no file with this id.")
    return StoredFile(
        row.id, row.name, row.media_type, row.size, bytes(row.sha256), row.created_by, row.created_at
    )


def shape(stored: StoredFile) -> dict[str, object]:
    """A file as the API shows it."""
    return {
        "id": stored.id,
        "name": stored.name,
        "media_type": stored.media_type,
        "size": stored.size,
        "created_at": stored.created_at,
        "url": f"/files/{stored.id}",
    }


def respond(stored: StoredFile, settings: Settings, *, inline: bool = False) -> FileResponse:
    """Serve a file: always as an attachment, only pictures may be shown in place, never with a script that runs.

    Raises NotFound when the file is gone from disk (a backup restored without its files).
    """
    path = path_of(settings, stored.id)
    if not path.is_file():
        log(__name__).error("a file is missing on disk", file=str(stored.id))
        raise NotFound("The content of this file is missing on this server.")
    shown = inline and stored.media_type in PICTURES
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", stored.name)
    return FileResponse(
        path,
        media_type="text/csv; charset=utf-8" if stored.media_type == "text/csv" else stored.media_type,
        headers={
            "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(stored.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": _SANDBOX,
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, max-age=86400, immutable",
        },
    )


async def all_ids(conn: AsyncConnection) -> AsyncIterator[set[UUID]]:
    """The ids of all files, 10,000 at a time."""
    last = UUID(int=0)
    while True:
        query = (
            sa.select(files_table.c.id)
            .where(files_table.c.id > last)
            .order_by(files_table.c.id)
            .limit(10_000)
        )
        found = list((await conn.execute(query)).scalars())
        if not found:
            return
        last = found[-1]
        yield set(found)


@periodic("41 * * * *", kind="file_cleanup")
async def clean_up(ctx: JobContext) -> dict[str, int]:
    """Remove what failed transactions left: files older than ORPHAN_SECONDS without a row, halves of uploads."""
    root = folder(ctx.settings)
    candidates = await asyncio.to_thread(_old_files, root, time.time() - ORPHAN_SECONDS)
    async with ctx.database.engine.connect() as conn:
        async for known in all_ids(conn):
            for file_id in known & candidates.keys():
                del candidates[file_id]
    for path in candidates.values():
        await asyncio.to_thread(_unlink, path)
    return {"removed": len(candidates)}


def _old_files(root: Path, before: float) -> dict[UUID, Path]:
    found: dict[UUID, Path] = {}
    if not root.is_dir():
        return found
    for path in root.glob("*/*"):
        with suppress(OSError, ValueError):
            if path.stat().st_mtime < before:
                found[UUID(path.name)] = path
    return found
