"""Verbs for people: serve, verify, demo, replay, bench."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvicorn
from rich.console import Console
from rich.table import Table

from onhand.kit.settings import Settings

if TYPE_CHECKING:
    from onhand.ledger import verify as books

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Onhand: the stock system of record.",
)
out = Console()


def main() -> None:
    """The `onhand` command."""
    cli()


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (ONHAND_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (ONHAND_PORT).")] = None,
) -> None:
    """Bring the database up, migrate it, and serve the API and the console."""
    overrides: dict[str, Any] = {k: v for k, v in {"host": host, "port": port}.items() if v is not None}
    asyncio.run(run_server(Settings(**overrides)))


async def run_server(settings: Settings, *, ready: asyncio.Event | None = None) -> None:
    """Serve until a signal says stop; requests in flight end, the lane drains, the embedded server stops."""
    from onhand.doors import http, wiring
    from onhand.kit import telemetry

    telemetry.setup_logging(settings)
    urls = await asyncio.to_thread(wiring.bring_up, settings)
    try:
        app = http.create_app(settings, urls)
        config = uvicorn.Config(
            app, host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False,
            timeout_graceful_shutdown=10, date_header=True, proxy_headers=False,
        )  # fmt: skip
        server = _Server(config)
        if ready is not None:
            asyncio.get_running_loop().create_task(_tell(server, ready))
        await server.serve()
    finally:
        if urls.embedded is not None and urls.embedded.started_here:
            await asyncio.to_thread(urls.embedded.stop)


class _Server(uvicorn.Server):
    """Listeners of the stream hold their connections for ever; a stop lets them go first, then drains the rest."""

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
    urls = await asyncio.to_thread(wiring.bring_up, settings)
    database = Database.open(urls.app, pool_size=2)
    wiring.hooks(database)
    wiring.register()
    try:
        report = await books.run(database)
    finally:
        await database.close()
        if urls.embedded is not None and urls.embedded.started_here:
            await asyncio.to_thread(urls.embedded.stop)
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
