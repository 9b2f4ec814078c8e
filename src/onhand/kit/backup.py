"""Backups of the embedded server: a base every night, its log as it is written, the product's files; all in one folder.

    bases/20261121T014003Z/   base.tar.gz, pg_wal.tar.gz, backup_manifest (PostgreSQL's own), keys, settings.json, manifest.json
    wal/                      every finished segment of the log, packed: with it any instant since the oldest base can be had
    files/                    a mirror of uploaded pictures and documents

A base is whole when its `manifest.json` is there: it is written last, and names every file with its size and SHA-256.
PostgreSQL puts finished segments into a folder beside its cluster; `ship` packs them, syncs them and takes them away.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

import onhand
from onhand.kit.clock import now, rfc3339
from onhand.kit.postgres import MAJOR, SUPERUSER, EmbeddedPostgres
from onhand.kit.problem import Conflict, Problem
from onhand.kit.settings import Settings

FORMAT = 1
LABEL = "%Y%m%dT%H%M%SZ"
SEGMENT = re.compile(r"[0-9A-F]{24}")
_BLOCK = 1 << 20


class NotOurServer(Problem):
    """This database is not the embedded one, so Onhand does not back it up. Use its own means: docs/how/back-up-an-external-server.md says what Onhand needs."""

    status = 409


class BackupFailed(Problem):
    """The backup could not be made; the text says why. Nothing that was there before has changed."""

    status = 500


@dataclass(slots=True)
class Manifest:
    """What a base is. Instants are RFC 3339; `postings` and `events` are the stream head's numbers when it was whole.

    Every instant from `ended_at` on can be had with the log. `tested` is what the last trial restore found.
    """

    label: str
    began_at: str
    ended_at: str
    onhand: str
    postgres: str
    major: str
    system_id: str
    start_segment: str
    postings: int
    events: int
    schema: list[str]
    database_bytes: int
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes on disk, without log and mirror."""
        return sum(int(f["size"]) for f in self.files.values())

    @property
    def ended(self) -> datetime:
        """The first instant it can be restored to."""
        return datetime.fromisoformat(self.ended_at)


def bases_of(folder: Path) -> list[Manifest]:
    """The whole bases of a backup folder, the newest first."""
    out = []
    for path in sorted((folder / "bases").glob("*/manifest.json"), reverse=True):
        with suppress(OSError, ValueError, TypeError):
            out.append(Manifest(**json.loads(path.read_text())))
    return out


def tested(folder: Path, label: str) -> dict[str, Any] | None:
    """What the last trial restore of a base found; None if there was none."""
    with suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads((folder / "bases" / label / "tested.json").read_text())
        return found
    return None


def server_of(settings: Settings) -> EmbeddedPostgres:
    """The embedded server of an installation. Raises NotOurServer when the database is somebody else's."""
    if settings.database_url is not None:
        raise NotOurServer()
    return EmbeddedPostgres.at(settings.data, archive=settings.archiving)


# ── a base ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def take(settings: Settings) -> Manifest:
    """Make a base of the running embedded server, mirror the files, forget what is too old. Blocking.

    Raises NotOurServer, Conflict (another is being made), BackupFailed.
    """
    postgres, folder = server_of(settings), settings.backups
    _private(folder)
    with _only_one(folder / ".base.lock") as mine:
        if not mine:
            raise Conflict("Another backup is being made right now.")
        for half in (folder / "bases").glob("*.part"):
            shutil.rmtree(half, ignore_errors=True)
        _refuse_small_disk(postgres, folder)
        began = now()
        label = began.strftime(LABEL)
        half = _private(folder / "bases") / f"{label}.part"
        half.mkdir(mode=0o700)
        try:
            _copy_cluster(postgres, half, label)
            manifest = _describe(postgres, half, label, began)
            _notes(settings, half)
            manifest.files = {
                p.relative_to(half).as_posix(): {"size": p.stat().st_size, "sha256": digest_of(p)}
                for p in sorted(half.rglob("*"))
                if p.is_file()
            }
            _write(half / "manifest.json", json.dumps(asdict(manifest), indent=1).encode())
            half.rename(folder / "bases" / label)
            _sync_folder(folder / "bases")
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
    mirror_files(settings)
    ship(postgres, folder)
    prune(folder, keep=timedelta(days=max(settings.backup_keep_days, 1)), at=now())
    return manifest


def _copy_cluster(postgres: EmbeddedPostgres, into: Path, label: str) -> None:
    command = [
        str(postgres.bin_dir / "pg_basebackup"), "-h", str(postgres.socket_dir), "-U", SUPERUSER, "-D", str(into / "cluster"),
        "-Ft", "--compress=gzip:1", "-X", "stream", "-c", "fast", "--manifest-checksums=SHA256", "-l", label, "--no-password",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise BackupFailed(f"pg_basebackup said: {done.stderr.strip()[-500:]}")
    for path in (into / "cluster").iterdir():
        path.rename(into / path.name)
    (into / "cluster").rmdir()


def _describe(postgres: EmbeddedPostgres, base: Path, label: str, began: datetime) -> Manifest:
    ranges = json.loads((base / "backup_manifest").read_text())
    first = ranges["WAL-Ranges"][0]
    with psycopg.connect(postgres.url(SUPERUSER), autocommit=True) as conn:
        row = conn.execute(
            "SELECT pg_walfile_name(%s), current_setting('server_version'), pg_database_size(current_database()), clock_timestamp()",
            (first["Start-LSN"],),
        ).fetchone()
        assert row is not None
        head = conn.execute("SELECT posting_n, event_n FROM stream_head").fetchone() if _made(conn) else None
        schema = (
            [r[0] for r in conn.execute("SELECT version_num FROM alembic_version")] if _made(conn) else []
        )
    segment = f"{int(first['Timeline']):08X}{row[0][8:]}"
    return Manifest(
        label=label, began_at=rfc3339(began), ended_at=rfc3339(row[3]), onhand=onhand.__version__, postgres=row[1], major=MAJOR,
        system_id=str(ranges["System-Identifier"]), start_segment=segment, postings=head[0] if head else 0,
        events=head[1] if head else 0, schema=schema, database_bytes=row[2],
    )  # fmt: skip


def _made(conn: psycopg.Connection[Any]) -> bool:
    row = conn.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
    return bool(row and row[0])


def _notes(settings: Settings, base: Path) -> None:
    """How it was set up, without secrets; and the keys of the data directory, without which nobody's second factor works."""
    said: dict[str, Any] = {}
    for name, value in settings.model_dump(mode="json").items():
        secret = "secret" in str(Settings.model_fields[name].annotation).lower()
        said[name] = ("set" if value else None) if secret else value
    _write(base / "settings.json", json.dumps(said, indent=1).encode())
    for key in sorted(settings.data.glob("*.key")):
        _private(base / "keys")
        _write(base / "keys" / key.name, key.read_bytes())


def _refuse_small_disk(postgres: EmbeddedPostgres, folder: Path) -> None:
    with psycopg.connect(postgres.url(SUPERUSER), autocommit=True) as conn:
        row = conn.execute("SELECT pg_database_size(current_database())").fetchone()
    size, free = int(row[0]) if row else 0, shutil.disk_usage(folder).free
    if free < size + (256 << 20):
        raise BackupFailed(
            f"The database has {size >> 20} MB and the disk of {folder} only {free >> 20} MB free. Set ONHAND_BACKUP_DIR to a "
            "larger disk, or lower ONHAND_BACKUP_KEEP_DAYS."
        )


# ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def ship(postgres: EmbeddedPostgres, folder: Path) -> int:
    """Pack the segments PostgreSQL has put aside into the backup folder; how many. Blocking; 0 when another is at it.

    A segment is taken away only after its packed copy is synced under its name. Raises BackupFailed when the archive holds
    another segment of the same name: two servers write into one folder.
    """
    if not postgres.archive_dir.is_dir():
        return 0
    wal = _private(folder / "wal")
    with _only_one(folder / ".wal.lock") as mine:
        if not mine:
            return 0
        ready = sorted(p for p in postgres.archive_dir.iterdir() if p.suffix != ".part" and p.is_file())
        for path in ready:
            target = wal / f"{path.name}.gz"
            if target.exists() and unpacked_digest(target) != digest_of(path):
                raise BackupFailed(
                    f"{target} is the log of another server. Give each installation a backup folder of its own."
                )
            half = target.with_suffix(".part")
            with path.open("rb") as source, half.open("wb") as sink:
                with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1, mtime=0) as packed:
                    shutil.copyfileobj(source, packed, _BLOCK)
                sink.flush()
                os.fsync(sink.fileno())
            shutil.copystat(path, half)  # when it was closed: how far the archive reaches
            half.replace(target)
            _sync_folder(wal)
            path.unlink()
    return len(ready)


def waiting(postgres: EmbeddedPostgres) -> int:
    """How many segments wait to be shipped."""
    with suppress(OSError):
        return sum(p.suffix != ".part" for p in postgres.archive_dir.iterdir())
    return 0


def reaches(folder: Path) -> datetime | None:
    """Up to when the archive holds the log, as far as its files' times say; None when it holds none."""
    times = [p.stat().st_mtime for p in (folder / "wal").glob("*.gz")]
    return datetime.fromtimestamp(max(times), UTC) if times else None


# ── files, and what is too old ───────────────────────────────────────────────────────────────────────────────────────


def mirror_files(settings: Settings) -> int:
    """Copy uploaded files that are not in the backup folder yet; how many. They never change once they have their name."""
    source, target = settings.data / "files", settings.backups / "files"
    if not source.is_dir():
        return 0
    copied = 0
    for path in source.glob("[0-9a-f][0-9a-f]/*"):
        to = target / path.parent.name / path.name
        with suppress(FileNotFoundError):  # removed meanwhile
            if to.exists() and to.stat().st_size == path.stat().st_size:
                continue
            _private(to.parent)
            _write(to, path.read_bytes())
            copied += 1
    return copied


def prune(folder: Path, *, keep: timedelta, at: datetime) -> list[str]:
    """Forget bases that no instant of the last `keep` needs, and the log before the oldest kept; the labels forgotten."""
    bases = bases_of(folder)
    old = [b for b in bases if b.ended <= at - keep]
    gone = old[1:]  # the newest of the old ones still serves the first instants
    for base in gone:
        (folder / "bases" / base.label / "manifest.json").unlink()
        shutil.rmtree(folder / "bases" / base.label, ignore_errors=True)
    kept = [b for b in bases if b not in gone]
    if kept:
        first = min(b.start_segment[8:] for b in kept)
        for path in (folder / "wal").glob("*.gz"):
            if SEGMENT.fullmatch(path.name[:24]) and path.name[8:24] < first:
                path.unlink()
    return [b.label for b in gone]


# ── small tools ──────────────────────────────────────────────────────────────────────────────────────────────────────


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpacked_digest(path: Path) -> str:
    """SHA-256 of what a packed file holds."""
    digest = hashlib.sha256()
    with gzip.open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _write(path: Path, data: bytes) -> None:
    half = path.with_name(path.name + ".part")
    with half.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half.chmod(0o600)
    half.replace(path)


def _private(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _only_one(path: Path) -> Iterator[bool]:
    """Whether we are the only ones at it, in any process; held for the block."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def age_seconds(manifest: Manifest) -> float:
    """How old a base is."""
    return max(0.0, time.time() - manifest.ended.timestamp())
