"""Files: what they are says their content, what was hidden in them is gone, and no name of theirs reaches the disk."""

from __future__ import annotations

import io
import os
import struct
import time
import zipfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from PIL import Image, PngImagePlugin

from onhand.kit import files
from onhand.kit.database import Database
from onhand.kit.files import FileRefused, FileTooLarge, StoredFile, clean_name, path_of, upload_of
from onhand.kit.jobs import JobContext
from onhand.kit.problem import IdReused, LimitExceeded, NotFound, Problem
from onhand.kit.settings import Settings
from onhand.kit.tx import SYSTEM


@pytest.fixture
async def database(database_urls: tuple[str, str]) -> AsyncIterator[Database]:
    """The application role's database, without files."""
    opened = Database.open(database_urls[1])
    async with opened.engine.begin() as conn:
        await conn.execute(sa.text("DELETE FROM file"))
    yield opened
    await opened.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


async def keep(
    database: Database, settings: Settings, data: bytes, name: str, file_id: UUID | None = None
) -> StoredFile:
    async with database.writing() as tx:
        return await files.store(tx, settings, upload_of(data), name=name, file_id=file_id)


def on_disk(settings: Settings) -> list[Path]:
    return [path for path in files.folder(settings).rglob("*") if path.is_file()]


def picture(kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    made = Image.new("RGB", size, (200, 30, 30))
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", "SECRET-PLACE")
        made.save(out, kind, pnginfo=info)
    elif kind in ("JPEG", "WEBP"):
        exif = Image.Exif()
        exif[0x010E] = "SECRET-PLACE"
        exif[0x0112] = 6
        made.save(out, kind, exif=exif)
    else:
        made.save(out, kind)
    return out.getvalue()


def png_header(side: int) -> bytes:
    """A picture of side by side pixels in a few dozen bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("GIF", "gif")]
)
async def test_pictures_are_drawn_anew(
    database: Database, settings: Settings, kind: str, ending: str
) -> None:
    data = picture(kind) + b"<script>alert(1)</script>PK\x03\x04"
    stored = await keep(database, settings, data, f"a.{ending}")
    kept = path_of(settings, stored.id).read_bytes()
    assert stored.size == len(kept)
    assert b"SECRET" not in kept
    assert b"script" not in kept
    with Image.open(io.BytesIO(kept)) as read:
        assert read.size == ((30, 40) if kind in ("JPEG", "WEBP") else (40, 30)), "turned upright"
        assert f"image/{(read.format or '').lower()}" == stored.media_type


async def test_large_pictures_are_made_smaller_and_bombs_refused(
    database: Database, settings: Settings
) -> None:
    stored = await keep(database, settings, picture("PNG", (5000, 10)), "a.png")
    with Image.open(path_of(settings, stored.id)) as read:
        assert read.width == files.LONGEST_SIDE
    for side in (9_000, 20_000):
        with pytest.raises(FileTooLarge):
            await keep(database, settings, png_header(side), "bomb.png")
    assert len(on_disk(settings)) == 1


async def test_documents_are_kept_as_they_are(database: Database, settings: Settings) -> None:
    for name, data, kind in (
        ("a.pdf", b"%PDF-1.7\n...", "application/pdf"),
        ("a.csv", "sku;n\nä;1\n".encode(), "text/csv"),
        ("a.csv", "sku;n\nä;1\n".encode("utf-16"), "text/csv"),
        ("a.tsv", b"a\tb\n", "text/csv"),
        ("a.txt", b"hello", "text/plain"),
    ):
        stored = await keep(database, settings, data, name)
        assert stored.media_type == kind
        assert path_of(settings, stored.id).read_bytes() == data
    assert {path.stat().st_mode & 0o077 for path in on_disk(settings)} == {0}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", b"<svg onload=alert(1)>"),
        ("a.svg", b"<svg/>"),
        ("a.html", b"<html>"),
        ("a.png", picture("JPEG")),
        ("a.csv", picture("PNG")),
        ("a.csv", b"<html><script>"),
        ("a.csv", b"MZ\x90\x00"),
        ("a.csv", b"\x7fELF\x02\x01"),
        ("a.pdf", b"PK\x03\x04"),
        ("a.xlsx", b"PK\x03\x04 no zip"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0"),
        ("a.png", b"\x89PNG\r\n\x1a\n broken"),
        ("a.exe", b"MZ"),
        ("noending", b"text"),
        ("a.csv", b""),
        ("a.png\0.csv", b"\x89PNG\r\n\x1a\n"),
    ],
)
async def test_what_is_not_what_it_says_is_refused_and_leaves_nothing(
    database: Database, settings: Settings, name: str, data: bytes
) -> None:
    with pytest.raises(Problem):
        await keep(database, settings, data, name)
    assert on_disk(settings) == []


async def test_a_zip_with_another_thing_inside_is_no_workbook(database: Database, settings: Settings) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/workbook.xml", "x")
        archive.writestr("xl/big", bytes(60 << 20))
    with pytest.raises(LimitExceeded):
        await keep(database, settings, out.getvalue(), "a.xlsx")


async def test_size_is_bounded_while_it_arrives(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "DOCUMENT_BYTES", 1000)
    with pytest.raises(FileTooLarge) as refused:
        await keep(database, settings, b"a,b\n" * 300, "a.csv")
    assert refused.value.data["limit"] == 1000
    assert on_disk(settings) == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\x\\report.csv", "report.csv"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie x.txt"),
        ("\u202egnp.exe.txt", "gnp.exe.txt"),
        ("x" * 500 + ".csv", "x" * 150 + ".csv"),
        ("..", "file"),
        ("Preisliste für März.csv", "Preisliste für März.csv"),
    ],
)
async def test_names_are_texts_only(name: str, kept: str) -> None:
    assert clean_name(name) == kept


async def test_a_hostile_name_never_reaches_disk_or_headers(database: Database, settings: Settings) -> None:
    stored = await keep(database, settings, b"hello", '../"; filename=evil.html\r\nX: y/ä.txt')
    assert [path.name for path in on_disk(settings)] == [str(stored.id)]
    answer = files.respond(stored, settings)
    assert (
        answer.headers["content-disposition"] == "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A4.txt"
    )


async def test_answers_are_attachments_in_a_sandbox(database: Database, settings: Settings) -> None:
    text = files.respond(await keep(database, settings, b"hello", "a.txt"), settings, inline=True)
    shown = files.respond(await keep(database, settings, picture("PNG"), "a.png"), settings, inline=True)
    assert text.headers["content-disposition"].startswith("attachment")
    assert shown.headers["content-disposition"].startswith("inline")
    for answer in (text, shown):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]


async def test_the_same_upload_again_is_kept_once(database: Database, settings: Settings) -> None:
    file_id = uuid4()
    first = await keep(database, settings, b"hello", "a.txt", file_id)
    assert await keep(database, settings, b"hello", "a.txt", file_id) == first
    with pytest.raises(IdReused):
        await keep(database, settings, b"other", "a.txt", file_id)
    assert len(on_disk(settings)) == 1
    assert path_of(settings, file_id).read_bytes() == b"hello"


async def test_what_a_failed_transaction_left_is_cleaned_up(database: Database, settings: Settings) -> None:
    async def fails() -> None:
        async with database.writing() as tx:
            await files.store(tx, settings, upload_of(b"hello"), name="lost.txt")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    stored = await keep(database, settings, b"hello", "kept.txt")
    assert len(on_disk(settings)) == 2
    ctx = JobContext(UUID(int=0), "file_cleanup", "", {}, SYSTEM, 1, database, settings)
    assert await files.clean_up(ctx) == {"removed": 0}, "it may be about to commit"
    for path in on_disk(settings):
        os.utime(path, (time.time() - 86_400,) * 2)
    assert await files.clean_up(ctx) == {"removed": 1}
    assert on_disk(settings) == [path_of(settings, stored.id)]


async def test_unknown_files_are_not_found(database: Database, settings: Settings) -> None:
    async with database.reading() as conn:
        with pytest.raises(NotFound):
            await files.get_file(conn, uuid4())
    stored = await keep(database, settings, b"hello", "a.txt")
    path_of(settings, stored.id).unlink()
    with pytest.raises(NotFound):
        files.respond(stored, settings)


def test_refusals_say_what_is_taken() -> None:
    assert "PNG" in FileRefused.text()
