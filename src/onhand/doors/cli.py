"""Verbs for people: serve, verify, demo, replay, stress, bench; those of keep_cli.py."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvicorn
from rich.console import Console
from rich.table import Table

from onhand.doors import keep_cli
from onhand.kit.problem import Problem
from onhand.kit.settings import Settings

if TYPE_CHECKING:
    from onhand.doors import wiring
    from onhand.integrations.replay.cli import Options as ReplayOptions
    from onhand.kit.database import Database
    from onhand.ledger import Engine
    from onhand.ledger import verify as books

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Onhand: the stock system of record.",
)
out = Console()


def main() -> None:
    """The `onhand` command. A SIGTERM ends a command as Ctrl-C does: in order."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    cli()


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (ONHAND_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (ONHAND_PORT).")] = None,
) -> None:
    """Bring the database up, migrate it, and serve the API and the console."""
    overrides: dict[str, Any] = {k: v for k, v in {"host": host, "port": port}.items() if v is not None}
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(run_server(Settings(**overrides)))


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one: a third less work a request."""
    try:
        import uvloop
    except ImportError:  # Windows and PyPy
        return None
    return uvloop.new_event_loop


async def run_server(settings: Settings) -> None:
    """Serve until a signal says stop; requests in flight end, the lane drains, the embedded server stops."""
    from onhand.doors import wiring
    from onhand.kit import telemetry

    telemetry.setup_logging(settings)
    async with wiring.database_up(settings) as urls:
        await listen(settings, urls)


async def listen(settings: Settings, urls: wiring.Urls, ready: asyncio.Event | None = None) -> None:
    """Serve on a database that is up; `ready` is set once requests are answered."""
    from onhand.doors import http

    config = uvicorn.Config(
        http.create_app(settings, urls), host=settings.host, port=settings.port, log_config=None, access_log=False,
        server_header=False, timeout_graceful_shutdown=10, proxy_headers=False,
    )  # fmt: skip
    server = _Server(config)
    told = asyncio.create_task(_tell(server, ready)) if ready is not None else None
    try:
        await server.serve()
    finally:
        if told is not None:
            told.cancel()


class _Server(uvicorn.Server):
    """Listeners of the stream hold their connections for ever; a stop lets them go first, then drains the rest.

    Signals are taken by the event loop and not raised again, so that what surrounds the server (the lane, the embedded
    PostgreSQL) is stopped in order.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: Any) -> None:
        hub = getattr(self.config.app, "state", None) and self.config.app.state.hub  # type: ignore[union-attr]
        if hub:
            hub.close()
        super().handle_exit(sig, frame)


async def _tell(server: Any, ready: asyncio.Event) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn tells of it by this flag only
        await asyncio.sleep(0.05)
    ready.set()


@cli.command()
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Recompute every level from the ledger and name each difference; exit code 1 if there is one."""
    sys.exit(asyncio.run(_verify(as_json)))


async def _verify(as_json: bool) -> int:
    from onhand.doors import wiring
    from onhand.kit.database import Database
    from onhand.ledger import verify as books

    settings = Settings()
    async with wiring.database_up(settings) as urls:
        database = Database.open(urls.app, pool_size=2)
        wiring.hooks(database)
        wiring.register()
        try:
            report = await books.run(database)
        finally:
            await database.close()
    if as_json:
        print(json.dumps({**asdict(report), "ok": report.ok}))
    else:
        _show(report)
    return 0 if report.ok else 1


def _show(report: books.Report) -> None:
    table = Table(
        title=f"{report.postings:,} postings, {report.moves:,} moves, {report.events:,} events in {report.seconds:.1f} s"
    )
    table.add_column("check")
    table.add_column("differences", justify="right")
    for name, count in report.checks.items():
        table.add_row(name, "[green]0[/]" if count == 0 else f"[red]{count}[/]")
    out.print(table)
    for found in report.differences[:50]:
        out.print(
            f"[red]{found.table}.{found.column}[/] {found.row}: expected {found.expected}, is {found.actual}"
        )
    out.print(
        "[green]The books hold together.[/]" if report.ok else "[red]The books do not hold together.[/]"
    )


@cli.command()
def demo(
    speed: Annotated[float | None, typer.Option(help="Data seconds a real second; the default plays a day in a minute.")] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day replayed live; days before it are history.")] = None,
    stores: Annotated[int, typer.Option(min=1, max=20, help="How many stores, the busiest first.")] = 20,
    port: Annotated[int | None, typer.Option(help="Port to listen on (ONHAND_PORT).")] = None,
    erase: Annotated[bool, typer.Option("--erase", help="Delete the demo with everything in it, and stop.")] = False,
) -> None:  # fmt: skip
    """A real grocery chain's year: loads it, then replays it live in twenty stores. Goes on where it stopped."""
    from onhand.doors.demo import erase_demo, run_demo

    overrides: dict[str, Any] = {"demo": True, "require_admin_totp": False, "log_level": "warning"}
    if port is not None:
        overrides["port"] = port
    settings = Settings(**overrides)
    if erase:
        erase_demo(settings, out)
        return
    asyncio.run(
        run_demo(settings, out, speed=speed, live_from=start.date() if start else None, stores=stores)
    )


@cli.command()
def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, CSV.gz or Parquet.")],
    mapping: Annotated[str | None, typer.Option(help="A mapping that comes with Onhand, or a JSON file.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="FIELD=HEADER, such as sku=StockCode; may be repeated.")] = None,
    source: Annotated[str | None, typer.Option(help="Name of the source; ids are derived from it, so keep it.")] = None,
    place: Annotated[str | None, typer.Option(help="Code of the store, where the file names none.")] = None,
    register: Annotated[str | None, typer.Option(help="Code of the register, where the file names none.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Time zone of the file's times.")] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of the file's amounts.")] = None,
    date_format: Annotated[str | None, typer.Option(help="How times are written, such as %d.%m.%Y %H:%M.")] = None,
    returns: Annotated[str | None, typer.Option(help="How returns are marked.")] = None,
    non_stock: Annotated[list[str] | None, typer.Option(help="A code that is no goods; may be repeated.")] = None,
    decimal_comma: Annotated[bool | None, typer.Option(help="Amounts are written 1.234,50.")] = None,
    save_mapping: Annotated[Path | None, typer.Option(help="Write the mapping used to a JSON file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what each line would become; change nothing.")] = False,
    create_missing: Annotated[bool, typer.Option("--create-missing", help="Create stores and variants nobody knows.")] = False,
    cover_opening: Annotated[bool, typer.Option("--cover-opening", help="Post opening stock that covers the sales.")] = False,
    control: Annotated[Path | None, typer.Option(help="A CSV of control totals by month to end on exactly.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write what became of each line to a CSV.")] = None,
) -> None:  # fmt: skip
    """Take a till's or shop's own export of sales and post it as what happened."""
    from onhand.integrations.replay.cli import Options

    options = Options(
        file=file, mapping=mapping, columns=column or [], source=source, place=place, register=register, time_zone=time_zone,
        currency=currency, date_format=date_format, returns=returns, non_stock=non_stock or [], decimal_comma=decimal_comma,
        save_mapping=save_mapping, dry_run=dry_run, create_missing=create_missing, cover_opening=cover_opening,
        control=control, report=report,
    )  # fmt: skip
    try:
        sys.exit(asyncio.run(_replay(options)))
    except Problem as problem:
        out.print(f"[red]{problem.detail}[/]")
        sys.exit(2)


async def _replay(options: ReplayOptions) -> int:
    from onhand.doors import wiring
    from onhand.integrations.replay.cli import replay_command

    settings = Settings()

    @asynccontextmanager
    async def books_open() -> AsyncIterator[tuple[Database, Engine]]:
        async with wiring.database_up(settings) as urls, wiring.opened(settings, urls) as pair:
            yield pair

    return await replay_command(options, books_open, out)


@cli.command()
def stress(
    minutes: Annotated[float, typer.Option(min=0.01, help="How long; a cycle under way is finished.")] = 1.0,
    seed: Annotated[int | None, typer.Option(help="Order the same as an earlier run.")] = None,
    database_url: Annotated[str | None, typer.Option(help="A server on which a scratch database is made, and dropped again. Default: a temporary one.")] = None,
    rival: Annotated[str | None, typer.Option(help="Put a rival through it instead: naive (check, then act).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:  # fmt: skip
    """Prove that nothing is oversold, lost or doubled: last units, retry storms, cut lines, kill -9 under load."""
    from onhand.doors.stress.cli import command

    if rival not in (None, "naive"):
        raise typer.BadParameter("naive is the only rival", param_hint="--rival")
    sys.exit(command(minutes=minutes, seed=seed, database_url=database_url, rival=rival, as_json=as_json))


keep_cli.add_to(cli)

bench_cli = typer.Typer(
    no_args_is_help=True, help="Measure claims of speed against a named rival in the same run."
)
cli.add_typer(bench_cli, name="bench")


@bench_cli.callback()
def _bench() -> None:
    """Keeps `posting` a verb of its own."""


@bench_cli.command()
def posting(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a claim.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="A claim; may be repeated.")] = None,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, help="Length of one round's side.")] = 4.0,
) -> None:
    """The posting lane against a hand-written transaction a sale in the same server's own pgbench."""
    from onhand.kit.migrate import checkout

    sys.path.insert(0, str(checkout()))
    from bench.__main__ import main as measure

    words = [w for claim in only or [] for w in ("--only", claim)]
    sys.exit(
        measure(
            [*words, "--rounds", str(rounds), "--seconds", str(seconds), *(["--json"] if as_json else [])]
        )
    )
