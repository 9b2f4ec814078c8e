"""The verb `onhand stress`: progress while it runs, a table, a verdict, and an exit code to build on."""

from __future__ import annotations

import asyncio
import json
import random

import psycopg
from rich.console import Console
from rich.table import Table

from onhand.doors.stress.notes import percentile
from onhand.doors.stress.run import KILLS, Result, stress
from onhand.kit import telemetry
from onhand.kit.problem import Problem
from onhand.kit.settings import Settings


def command(
    *, minutes: float, seed: int | None, database_url: str | None, rival: str | None, as_json: bool
) -> int:
    """Run and print; answers the exit code: 0 nothing oversold, lost or doubled, 1 something was, 2 nothing could be proved."""
    telemetry.setup_logging(Settings(log_level="error"))
    chosen = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    out, progress = Console(), Console(stderr=True)
    if not as_json:
        out.print(f"[bold]{'The rival: ' + rival if rival else 'Onhand'}[/], seed {chosen}, {minutes:g} min")
    with progress.status("starting") as status:
        run = stress(
            minutes=minutes,
            seed=chosen,
            database_url=database_url,
            rival=rival,
            say=lambda text: status.update(text),
        )
        try:
            result = asyncio.run(run)
        except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege, Problem) as error:
            progress.print(f"[red]This cannot be run there:[/] {error}")
            return 2
    if as_json:
        print(json.dumps(result.to_json()))
    else:
        show(result, out)
    return exit_code(result)


def exit_code(result: Result) -> int:
    """0: sound. 1: something was oversold, lost or doubled. 2: a rival was not caught, so this run proves nothing."""
    if result.rival and not result.total("oversold"):
        return 2
    return 0 if result.ok else 1


def show(result: Result, out: Console) -> None:
    """The table and the verdict."""
    table = Table(title=f"{result.cycles} cycles in {result.seconds:.0f} s, seed {result.seed}")
    table.add_column("scenario", no_wrap=True)
    for title in ("rounds", "tries", "acked", "lost", "doubled", "oversold", "broken"):
        table.add_column(title, justify="right")
    for name, row in result.rows.items():
        bad = (row.lost, row.doubled, row.oversold, len(row.broken))
        table.add_row(
            name,
            str(result.rounds[name]),
            f"{result.tries[name]:,}",
            f"{row.acknowledged:,}",
            *(_count(n) for n in bad),
        )
    out.print(table)
    if result.away:
        out.print(_recovery(result))
    if result.verify is not None:
        out.print(f"verify, {result.verified} times: {_count(result.verify)} differences")
    for text in [*result.wrong, *(t for row in result.rows.values() for t in row.broken)][:10]:
        out.print(f"  [red]{text}[/]")
    out.print(verdict(result))


def _count(number: int) -> str:
    return "[green]0[/]" if number == 0 else f"[red]{number:,}[/]"


def _recovery(result: Result) -> Table:
    table = Table(title=f"{KILLS}: from the kill to the first order acknowledged")
    table.add_column("killed")
    for title in ("kills", "p50", "p99", "worst"):
        table.add_column(title, justify="right")
    for way, seconds in result.away.items():
        shown = (percentile(seconds, 0.5), percentile(seconds, 0.99), max(seconds))
        table.add_row(way, str(len(seconds)), *(f"{s:.2f} s" for s in shown if s is not None))
    return table


def verdict(result: Result) -> str:
    """The outcome in one sentence."""
    found = f"{result.total('oversold'):,} units oversold, {result.total('lost'):,} orders lost, {result.total('doubled'):,} doubled"
    if result.rival:
        if not result.total("oversold"):
            return f"[yellow]The {result.rival} rival got away with it: this run was too short to prove anything.[/]"
        return f"[red]Caught: the {result.rival} rival left {found}. This is what check-then-act does.[/]"
    if result.ok:
        return f"[green]Sound: {result.total('acknowledged'):,} orders acknowledged, {found}; the books verify.[/]"
    return f"[red]Not sound: {found}. Please report it with the seed {result.seed}.[/]"
