"""Bring a backup back: into a new data directory, to any instant since the oldest base, checked at every step.

Everything is compared with what the manifests say before it is used: the base's files with our manifest, each file of the
cluster with PostgreSQL's own. Then PostgreSQL replays its log up to the instant asked for. Never over data that is there.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tarfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from onhand.kit.backup import SEGMENT, Manifest, bases_of, digest_of, reaches
from onhand.kit.clock import rfc3339
from onhand.kit.postgres import MAJOR, SUPERUSER, EmbeddedPostgres, EmbeddedServerError
from onhand.kit.problem import Problem

RECOVERY_SECONDS = 4 * 3600


class RestoreRefused(Problem):
    """This backup cannot be restored like this; the text says why. Nothing was changed."""

    status = 409


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the base, how many segments of the log lay ready, and how long it took. `files`: documents copied."""

    base: Manifest
    to: datetime | None
    segments: int
    files: int
    seconds: float


def choose(folder: Path, *, to: datetime | None, label: str | None = None) -> Manifest:
    """The base to begin with: the newest that was whole before `to`. Raises RestoreRefused."""
    bases = bases_of(folder)
    if not bases:
        raise RestoreRefused(f"There is no whole backup in {folder}.", param="from")
    if label is not None:
        bases = [b for b in bases if b.label == label]
        if not bases:
            raise RestoreRefused(f"There is no backup {label!r} in {folder}.", param="backup")
    fitting = [b for b in bases if to is None or b.ended <= to]
    if not fitting:
        raise RestoreRefused(
            f"The oldest backup was whole at {bases[-1].ended_at}; nothing before that instant can be restored.",
            param="to",
            earliest=bases[-1].ended_at,
        )
    if fitting[0].major != MAJOR:
        raise RestoreRefused(
            f"This backup was made by PostgreSQL {fitting[0].postgres}; this version of Onhand brings {MAJOR}. Restore it with "
            f"Onhand {fitting[0].onhand}, then run `onhand upgrade-database` with the new version.",
            param="from",
        )
    last = reaches(folder)
    if to is not None and to > fitting[0].ended and (last is None or to > last):
        raise RestoreRefused(
            f"The archived log ends at {rfc3339(last) if last else fitting[0].ended_at}, before the instant asked for. Leave "
            "--to out to get everything there is.",
            param="to",
            latest=rfc3339(last) if last else fitting[0].ended_at,
        )
    return fitting[0]


def restore(
    folder: Path, data_dir: Path, *, to: datetime | None = None, label: str | None = None
) -> tuple[Restored, EmbeddedPostgres]:
    """Restore into `data_dir` and leave the server running, writable. Blocking; hours for very large logs.

    Raises RestoreRefused: data already there, no base old enough, another major, a checksum that does not fit, the log ends
    before `to`.
    """
    started = time.monotonic()
    base = choose(folder, to=to, label=label)
    data_dir = data_dir.expanduser().resolve()
    postgres = EmbeddedPostgres.at(data_dir)
    for place in (data_dir, postgres.data_dir):
        if place.exists() and any(place.iterdir()):
            raise RestoreRefused(
                f"{place} is not empty. A restore never goes over data; give a new folder.", param="data_dir"
            )
    source = folder / "bases" / base.label
    _check(source, base)
    postgres.make_folders()
    try:
        _unpack(source, postgres)
        segments = _lay_log(folder, base, postgres)
        _recover(postgres, to)
        files = _bring_files(folder, source, data_dir)
    except BaseException:
        with suppress(Exception):
            postgres.stop()
        shutil.rmtree(postgres.data_dir, ignore_errors=True)  # it was not there before
        raise
    finally:
        shutil.rmtree(_stage(postgres), ignore_errors=True)
    note = {"from": str(folder), "backup": base.label, "to": rfc3339(to) if to else None}
    (data_dir / "restored.json").write_text(json.dumps(note))
    return Restored(base, to, segments, files, time.monotonic() - started), postgres


def _check(source: Path, base: Manifest) -> None:
    for name, said in base.files.items():
        path = source / name
        if not path.is_file() or path.stat().st_size != said["size"] or digest_of(path) != said["sha256"]:
            raise RestoreRefused(
                f"{path} is missing or not what the manifest says: this backup is damaged. Take another by --backup.",
                param="from",
            )


def _unpack(source: Path, postgres: EmbeddedPostgres) -> None:
    """Unpack the cluster; each file is compared with the server's own manifest of it."""
    manifest = json.loads((source / "backup_manifest").read_text())
    expected = {f["Path"]: f for f in manifest["Files"] if "Path" in f}
    target = postgres.data_dir
    target.mkdir(exist_ok=True, mode=0o700)
    with tarfile.open(source / "base.tar.gz") as packed:
        for member in packed:
            _lay(packed, member, target, expected)
    missing = [name for name, said in expected.items() if said["Size"] and not (target / name).is_file()]
    if missing:
        raise RestoreRefused(f"The backup lacks {missing[0]}: it is damaged.", param="from")
    with tarfile.open(source / "pg_wal.tar.gz") as packed:
        for member in packed:
            _lay(packed, member, target / "pg_wal", {})
    _own_all(postgres, target)


def _lay(packed: tarfile.TarFile, member: tarfile.TarInfo, target: Path, expected: dict[str, Any]) -> None:
    name = member.name.removeprefix("./")
    path = target / name
    if target not in path.resolve().parents and path.resolve() != target:
        raise RestoreRefused(f"The backup names a file outside of itself: {name}.", param="from")
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return
    content = packed.extractfile(member)
    if not member.isfile() or content is None:
        raise RestoreRefused(f"The backup holds {name}, which is no plain file.", param="from")
    digest = hashlib.sha256()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("wb") as file:
        while block := content.read(1 << 20):
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)
    said = expected.get(name)
    if said is not None and said["Checksum"] != digest.hexdigest():
        raise RestoreRefused(
            f"{name} in the backup is not what its manifest says: it is damaged.", param="from"
        )


def _own_all(postgres: EmbeddedPostgres, folder: Path) -> None:
    postgres.own(folder)
    for path in folder.rglob("*"):
        postgres.own(path)


def _stage(postgres: EmbeddedPostgres) -> Path:
    return postgres.data_dir.parent / "restore_wal"


def _lay_log(folder: Path, base: Manifest, postgres: EmbeddedPostgres) -> int:
    """Unpack the log from the base on to where the server can read it."""
    stage = _stage(postgres)
    stage.mkdir(mode=0o700)
    count = 0
    for path in sorted((folder / "wal").glob("*.gz")):
        name = path.name.removesuffix(".gz")
        if SEGMENT.fullmatch(name) and name[8:] < base.start_segment[8:]:
            continue
        with gzip.open(path, "rb") as packed, (stage / name).open("wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)
        count += 1
    _own_all(postgres, stage)
    return count


def _recover(postgres: EmbeddedPostgres, to: datetime | None) -> None:
    conf, signal = postgres.data_dir / "postgresql.auto.conf", postgres.data_dir / "recovery.signal"
    folder = str(_stage(postgres)).replace("%", "%%").replace("'", "''")
    lines = [
        f'restore_command = \'cp "{folder}/%f" "%p"\'',
        "recovery_target_action = 'promote'",
        *([f"recovery_target_time = '{to.isoformat()}'"] if to is not None else []),
    ]
    before = conf.read_text() if conf.exists() else ""
    conf.write_text(before + "".join(f"{line}\n" for line in lines))
    signal.touch(mode=0o600)
    for path in (conf, signal):
        postgres.own(path)
    try:
        postgres.start(seconds=RECOVERY_SECONDS)
        _until_writable(postgres)
    except (EmbeddedServerError, psycopg.Error) as error:
        raise RestoreRefused(_why(postgres, error), param="to") from error
    conf.write_text(before)
    postgres.own(conf)
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as conn:
        conn.execute("SELECT pg_reload_conf()")
        conn.execute("CHECKPOINT")


def _until_writable(postgres: EmbeddedPostgres) -> None:
    end = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < end:
        with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as conn:
            row = conn.execute("SELECT pg_is_in_recovery()").fetchone()
        if row is not None and not row[0]:
            return
        time.sleep(0.1)
    raise EmbeddedServerError("The log was not replayed in time.")


def _why(postgres: EmbeddedPostgres, error: Exception) -> str:
    log = postgres.data_dir / "server.log"
    tail = log.read_text(errors="replace")[-4000:] if log.exists() else str(error)
    if "recovery ended before configured recovery target was reached" in tail:
        return (
            "The archived log ends before the instant asked for. Leave --to out to get everything there is."
        )
    return f"PostgreSQL could not replay its log: {tail[-1500:]}"


def _bring_files(folder: Path, source: Path, data_dir: Path) -> int:
    """Uploaded files, all there are (who has no row is cleaned up by itself), and the keys of the data directory."""
    count = 0
    data_dir.mkdir(parents=True, exist_ok=True)
    for path in (folder / "files").glob("[0-9a-f][0-9a-f]/*"):
        if path.suffix == ".part":
            continue
        to = data_dir / "files" / path.parent.name / path.name
        to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy2(path, to)
        count += 1
    for key in (source / "keys").glob("*.key"):
        shutil.copyfile(key, data_dir / key.name)
        (data_dir / key.name).chmod(0o600)
    return count
