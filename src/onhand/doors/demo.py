"""`onhand demo`: the database, the history, the server, and the tills that sell through it."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from datetime import date

from rich.console import Console

from onhand import access
from onhand.doors import cli, wiring
from onhand.integrations.demo import cli as play
from onhand.integrations.demo.live import DAY_A_MINUTE
from onhand.integrations.demo.load import Ground
from onhand.kit import jobs, telemetry
from onhand.kit.database import Database
from onhand.kit.postgres import EmbeddedPostgres
from onhand.kit.settings import Settings


async def run_demo(
    settings: Settings, out: Console, *, speed: float | None, live_from: date | None, stores: int
) -> None:
    """Prepare what is missing, serve, and sell until a signal says stop."""
    telemetry.setup_logging(settings)
    url = f"http://localhost:{settings.port}"
    async with wiring.database_up(settings) as urls:
        async with wiring.opened(settings, urls) as (database, engine):
            vault = access.Access.open(database, settings)
            with play.bar(out) as say:
                ground = Ground(database, engine, settings.data, vault.vault.hash_password, say)
                stage = await play.prepare(ground, play.Options(stores=stores, live_from=live_from))
            vault.close()
        ready, stop = asyncio.Event(), asyncio.Event()
        server = asyncio.create_task(cli.listen(settings, urls, ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({server, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if ready.is_set():
            play.show(out, stage.secrets, url)
            out.print(f"Selling live at [bold]{url}[/] – Ctrl-C stops, the next start goes on from there.")
            await _sell(settings, urls, stage, url, speed, stop, server)
        waiting.cancel()
        await server


async def _sell(
    settings: Settings, urls: wiring.Urls, stage: play.Stage, url: str, speed: float | None, stop: asyncio.Event,
    server: asyncio.Task[None],
) -> None:  # fmt: skip
    """Tills sell until the server stops; a till that fails says so and the server goes on."""
    database = Database.open(urls.app, pool_size=2)
    wiring.hooks(database)
    async with database.writing(action="demo") as tx:
        await jobs.defer_later(tx, "verify", "Verify the books")
    tills = asyncio.create_task(play.play(stage, database, url, speed=speed or DAY_A_MINUTE, stop=stop))
    await asyncio.wait({server, tills}, return_when=asyncio.FIRST_COMPLETED)
    if tills.done() and not tills.cancelled() and (error := tills.exception()) is not None:
        telemetry.log(__name__).error("tills_stopped", error=repr(error))
    await asyncio.wait({server})
    stop.set()
    tills.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await tills
    await database.close()


def erase_demo(settings: Settings, out: Console) -> None:
    """Delete the demo's data directory, after stopping its server. Refuses a directory that holds no demo."""
    if not (settings.data / "demo.json").is_file():
        out.print(f"There is no demo in {settings.data}; nothing was deleted.")
        return
    embedded = EmbeddedPostgres.at(settings.data)
    embedded.stop()
    shutil.rmtree(embedded.data_dir, ignore_errors=True)
    shutil.rmtree(settings.data)
    out.print("The demo is gone.")
