"""`onhand replay FILE`: what doors mounts. Options become a mapping; the report says what each line became and why."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from onhand.integrations.replay import mapping as maps
from onhand.integrations.replay.actions import Before, Each, Missing, Replayed, Say, rehearse, replay
from onhand.integrations.replay.mapping import Mapping, ReplayMapping
from onhand.integrations.replay.model import Fate, Line, Rejected, differences
from onhand.integrations.replay.reader import open_export
from onhand.kit.database import Database
from onhand.ledger import Engine

Opened = Callable[[], AbstractAsyncContextManager[tuple[Database, Engine]]]
"""Brings the database up and starts the posting lane; doors knows how."""

SHOWN = 10
"""How many rejected lines are printed; the report file has them all."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command. `mapping` is the name of one that comes with Onhand, or a JSON file; the rest changes it."""

    file: Path
    mapping: str | None = None
    columns: list[str] = field(default_factory=list)
    source: str | None = None
    place: str | None = None
    register: str | None = None
    time_zone: str | None = None
    currency: str | None = None
    date_format: str | None = None
    returns: str | None = None
    non_stock: list[str] = field(default_factory=list)
    decimal_comma: bool | None = None
    save_mapping: Path | None = None
    dry_run: bool = False
    create_missing: bool = False
    cover_opening: bool = False
    control: Path | None = None
    report: Path | None = None


def mapping_of(options: Options, headers: list[str]) -> Mapping:
    """The saved or named mapping, else one suggested from the headers; changed by the options. Raises ReplayMapping."""
    saved: Mapping | None = None
    if options.mapping is not None:
        saved = maps.named(options.mapping) or maps.load(Path(options.mapping))
    found = saved or Mapping(
        source=options.source or options.file.name.split(".")[0], columns=maps.suggest(headers)
    )
    columns = dict(found.columns)
    for text in options.columns:
        name, equals, header = text.partition("=")
        if not equals:
            raise ReplayMapping(f"{text!r} should read FIELD=HEADER, such as sku=StockCode.", param="column")
        columns[name.strip()] = header.strip()
    changes = {
        name: value
        for name in (
            "source",
            "place",
            "register",
            "time_zone",
            "currency",
            "date_format",
            "returns",
            "decimal_comma",
        )
        if (value := getattr(options, name)) is not None
    }
    if options.non_stock:
        changes["non_stock"] = tuple(options.non_stock)
    result = msgspec.structs.replace(found, columns=columns, **changes)
    result.check(headers)
    return result


async def replay_command(options: Options, opened: Opened, console: Console) -> int:
    """Run it; answers the exit code: 0, or 1 when lines were rejected, postings refused or control totals missed."""
    with open_export(options.file) as export:
        mapping = mapping_of(options, export.headers)
    if options.save_mapping is not None:
        options.save_mapping.write_bytes(maps.dump(mapping))
    with told(options.report) as each:
        done = await _run(options, mapping, opened, console, each)
    show(console, done, mapping)
    wrong = check_control(console, done, options.control) if options.control is not None else []
    return 1 if wrong or done.refused or done.report.rejected or not done.report.reconciles else 0


async def _run(
    options: Options, mapping: Mapping, opened: Opened, console: Console, each: Each | None
) -> Replayed:
    if options.dry_run:
        with bar(console) as say:
            report = rehearse(options.file, mapping, say, each)
        return Replayed(report, totals={month: totals.row() for month, totals in report.months.items()})
    async with opened() as (database, engine):
        with bar(console) as say:
            return await replay(
                database, engine, options.file, mapping, say=say, each=each,
                missing=Missing.create if options.create_missing else Missing.keep,
                before=Before.cover if options.cover_opening else Before.nothing,
            )  # fmt: skip


def check_control(console: Console, done: Replayed, control: Path) -> list[str]:
    """Compare with a control file and say so."""
    with control.open(newline="") as file:
        wrong = differences(done.totals, list(csv.DictReader(file)))
    if wrong:
        console.print(f"[red]The totals differ from {control.name}:[/red]")
        for text in wrong:
            console.print(f"  {text}")
    else:
        console.print(f"[green]All totals equal {control.name}, exactly.[/green]")
    return wrong


def show(console: Console, done: Replayed, mapping: Mapping) -> None:
    """Print what became of the lines, why, and the totals by month."""
    report = done.report
    console.print(
        f"Source [bold]{mapping.source}[/bold]: {report.rows:,} lines, {report.documents.total():,} documents."
    )
    fates = Table("lines become", "count", "for example")
    for fate, count in report.fates.most_common():
        examples = report.examples.get(fate, [])
        shown = (
            f"{examples[0].document} {examples[0].sku} × {examples[0].quantity}: {examples[0].why}"
            if examples
            else ""
        )
        fates.add_row(fate.value, f"{count:,}", shown)
    console.print(fates)
    for rejected in report.rejected[:SHOWN]:
        console.print(f"[red]line {rejected.row}, {rejected.column}[/red] {rejected.value!r}: {rejected.why}")
    for number, why in done.refused[:SHOWN]:
        console.print(f"[red]document {number}[/red]: {why}")
    if done.outcomes:
        console.print(
            "Postings: " + ", ".join(f"{count:,} {what}" for what, count in done.outcomes.most_common())
        )
    console.print(_totals(done.totals))


def _totals(totals: dict[str, dict[str, Decimal]]) -> Table:
    names = list(next(iter(totals.values()), {}))
    table = Table("month", *names)
    for month, row in sorted(totals.items()):
        table.add_row(month, *(f"{row[name]:,f}" for name in names))
    return table


@contextmanager
def told(path: Path | None) -> Iterator[Each | None]:
    """Writes a CSV report as the file is read: every line, what it becomes, and why."""
    if path is None:
        yield None
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "document", "sku", "quantity", "becomes", "why"])

        def each(line: Line | Rejected) -> None:
            if isinstance(line, Rejected):
                why = f"{line.column} {line.value!r}: {line.why}"
                writer.writerow([line.row, line.document, "", "", Fate.rejected.value, why])
            else:
                writer.writerow([line.row, line.document, line.sku, line.quantity, line.fate.value, line.why])

        yield each


@contextmanager
def bar(console: Console) -> Iterator[Say]:
    """A progress bar a step."""
    with Progress(console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def say(step: str, share: float) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=1.0)
            progress.update(tasks[step], completed=share)

        yield say
