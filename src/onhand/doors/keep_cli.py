"""Verbs that keep the books safe: rebuild, backup, restore, upgrade-database."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from onhand.kit.postgres import EmbeddedPostgres, EmbeddedServerError
from onhand.kit.problem import Problem
from onhand.kit.settings import Settings

out = Console()


def add_to(cli: typer.Typer) -> None:
    """Give the verbs to the command line."""
    for verb in (rebuild, backup, restore):
        cli.command()(verb)
    cli.command("upgrade-database")(upgrade_database)


def rebuild(
    apply: Annotated[bool, typer.Option("--apply", help="Write it. Without, only say what would change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:  # fmt: skip
    """Compute everything derived from the ledger again and put right what differs; says each value it changes.

    Without --apply nothing is changed and the exit code is 1 if something would be. Posting waits while it runs.
    """
    sys.exit(asyncio.run(_rebuild(apply, as_json)))


async def _rebuild(apply: bool, as_json: bool) -> int:
    from onhand.doors import wiring
    from onhand.kit.clock import now
    from onhand.kit.database import Database
    from onhand.kit.tx import SYSTEM, Tx
    from onhand.ledger import rebuild as rebuilding
    from onhand.ledger import verify as books

    async with wiring.database_up(Settings()) as urls:
        database = Database.open(urls.owner, pool_size=2)
        wiring.hooks(database)
        wiring.register()
        try:
            if apply:
                async with database.writing(action="rebuild") as tx:
                    mendings = await rebuilding.rebuild(tx)
                report = await books.run(database)
            else:
                async with database.engine.connect() as conn:  # rolled back at the end of the block
                    mendings = await rebuilding.rebuild(Tx(conn=conn, now=now(), actor=SYSTEM))
                report = None
        finally:
            await database.close()
    ok = report.ok if report is not None else not mendings
    if as_json:
        print(json.dumps({"applied": apply, "ok": ok, "changes": [asdict(m) for m in mendings]}))
        return 0 if ok else 1
    for m in mendings:
        out.print(f"{m.table}  {m.row}  {m.column}: {m.was} → {m.now}", highlight=False, soft_wrap=True)
    said = "put right" if apply else "would change; nothing was written (--apply writes it)"
    count = "1 value" if len(mendings) == 1 else f"{len(mendings)} values"
    out.print(f"{count} {said}." if mendings else "Everything derived is as the ledger says.")
    if report is not None and not report.ok:
        out.print(
            "[red]Something differs that cannot be rebuilt: run onhand verify. A backup brings it back.[/]"
        )
    return 0 if ok else 1


def backup(
    show: Annotated[bool, typer.Option("--list", help="Say which backups there are.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Restore the newest beside it, verify its books, throw it away.")] = False,
) -> None:  # fmt: skip
    """Back the embedded server up, files included, into ONHAND_BACKUP_DIR; the server may run meanwhile."""
    _guarded(lambda: _backup(show, test))


def _backup(show: bool, test: bool) -> int:
    from onhand.doors import upkeep
    from onhand.kit import backup as backups

    settings = Settings()
    postgres = backups.server_of(settings)
    if show:
        return _list(settings)
    if test:
        found = asyncio.run(upkeep.try_restore(settings))
        out.print(
            f"Backup {found['label']} restored in {found['seconds']} s; {found['postings']:,} postings verified."
        )
        return 0
    if not (postgres.data_dir / "PG_VERSION").exists():
        raise backups.BackupFailed(f"There is no database in {settings.data} yet.")
    postgres.start()
    try:
        made = backups.take(settings)
    finally:
        if postgres.started_here:
            postgres.stop()
    out.print(
        f"Backup {made.label} of {made.postings:,} postings in {settings.backups}: {made.size / 1e6:,.1f} MB "
        f"(the database has {made.database_bytes / 1e6:,.1f} MB)."
    )
    return 0


def _list(settings: Settings) -> int:
    from onhand.kit import backup as backups

    found = backups.bases_of(settings.backups)
    for b in found:
        tried = backups.tested(settings.backups, b.label)
        said = (
            "not tried out"
            if tried is None
            else f"tried out {tried['at'][:16]}, {'well' if tried['ok'] else 'BAD'}"
        )
        facts = f"{b.size / 1e6:,.1f} MB, {b.postings:,} postings, PostgreSQL {b.postgres}, {said}"
        out.print(f"{b.label}  restorable from {b.ended_at}: {facts}", highlight=False, soft_wrap=True)
    if not found:
        out.print(f"There is no backup in {settings.backups}.")
    last = backups.reaches(settings.backups)
    if last is not None:
        out.print(f"The archived log reaches to {last.isoformat(timespec='seconds')}.")
    return 0


def restore(
    source: Annotated[Path, typer.Option("--from", exists=True, file_okay=False, help="The backup folder.")],
    data_dir: Annotated[Path, typer.Option(help="A new data directory; it must be empty or not there.")],
    to: Annotated[str | None, typer.Option(help="The instant to restore to, such as 2026-11-21T10:00:00Z. Left out: the last there is.")] = None,
    label: Annotated[str | None, typer.Option("--backup", help="A certain backup to begin with, as --list names it.")] = None,
) -> None:  # fmt: skip
    """Restore the embedded server and its files to any instant, into a new data directory, and verify the books."""
    _guarded(lambda: _restore(source, data_dir, to, label))


def _restore(source: Path, data_dir: Path, to: str | None, label: str | None) -> int:
    from onhand.doors import upkeep
    from onhand.kit import restore as restoring

    instant = instant_of(to)
    done, postgres = restoring.restore(source.resolve(), data_dir, to=instant, label=label)
    try:
        report = asyncio.run(upkeep.verified(postgres))
    finally:
        postgres.stop()
    out.print(
        f"Restored backup {done.base.label} and {done.segments} segments of the log to {data_dir} in {done.seconds:.0f} s; "
        f"{done.files} files.\n{report.postings:,} postings, {report.moves:,} moves verified: "
        + ("the books hold together." if report.ok else f"[red]{len(report.differences)} differences.[/]")
    )
    for d in report.differences[:20]:
        out.print(f"  {d.check} {d.table} {d.row} {d.column}: expected {d.expected}, is {d.actual}")
    out.print(
        f"Start it with ONHAND_DATA_DIR={data_dir} onhand serve. What tills sent since, they send again."
    )
    return 0 if report.ok else 1


def instant_of(text: str | None) -> datetime | None:
    """An instant from the command line. Raises RestoreRefused when it names no zone, or is no time."""
    from onhand.kit.restore import RestoreRefused

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RestoreRefused(f"{text!r} is no instant; write 2026-11-21T10:00:00Z.", param="to") from None
    if found.tzinfo is None:
        raise RestoreRefused(
            f"{text!r} names no time zone; write {text}Z for UTC, or {text}+01:00.", param="to"
        )
    return found


def upgrade_database(
    old_bin: Annotated[Path | None, typer.Option(help="The folder of the old PostgreSQL's programs, if Onhand no longer brings them.")] = None,
) -> None:  # fmt: skip
    """Take the embedded server's data over to the PostgreSQL major this version of Onhand brings; the old one is kept."""
    _guarded(lambda: _upgrade(old_bin))


def _upgrade(old_bin: Path | None) -> int:
    from onhand.kit.backup import NotOurServer
    from onhand.kit.cluster_upgrade import upgrade
    from onhand.kit.postgres import MAJOR

    settings = Settings()
    if settings.database_url is not None:
        raise NotOurServer("The database is not the embedded one; upgrade it by its own means.")
    postgres = EmbeddedPostgres.at(settings.data)
    done = upgrade(postgres, old_bin=old_bin)
    if done.old is None:
        out.print(f"The database is on PostgreSQL {MAJOR} already; there is nothing to do.")
    else:
        out.print(
            f"Upgraded from PostgreSQL {done.found} to {MAJOR}. The old data stands in {done.old}; remove it once you are content. "
            "Run onhand verify, then onhand backup: backups of the old major cannot be restored by this version."
        )
    return 0


def _guarded(verb: object) -> None:
    """Run a verb; a refusal is a sentence and exit code 2, never a traceback."""
    assert callable(verb)
    try:
        sys.exit(verb())
    except Problem as problem:
        out.print(f"[red]{problem.detail}[/]", soft_wrap=True)
        sys.exit(2)
    except EmbeddedServerError as error:
        out.print(f"[red]{error}[/]", soft_wrap=True, markup=True)
        sys.exit(2)
