"""`onhand demo`: what doors mounts. `prepare` fills the database, `play` keeps it selling, `Bar` and `show` tell people."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import httpx2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from onhand.integrations.demo import state as memory
from onhand.integrations.demo.history import Done, post_history
from onhand.integrations.demo.live import DAY_A_MINUTE, Player, Sent
from onhand.integrations.demo.load import Ground, Say, load, load_rest
from onhand.integrations.demo.model import Calendar
from onhand.integrations.demo.places import HOME_ZONE, MOST_STORES
from onhand.integrations.demo.plan import Stock
from onhand.integrations.demo.state import Secrets, State
from onhand.integrations.demo.world import World, find_ids, read_world
from onhand.kit.clock import now
from onhand.kit.database import Database

LIVE_DAYS = 120
"""How many days before today the live replay begins; the months before are history."""


@dataclass(frozen=True, slots=True)
class Options:
    """What may be chosen at the first start. Later starts keep stores and dates and go on where they stopped.

    `live_from`: the first day replayed live; days before it are posted as history. `first`: the first day there is at all.
    """

    stores: int = MOST_STORES
    live_from: date | None = None
    first: date | None = None


@dataclass(slots=True)
class Stage:
    """A demo that is loaded: what to play, from which stock, with which keys."""

    world: World
    stock: Stock
    secrets: Secrets
    history: Done


def new_state(options: Options, at: datetime) -> State:
    """A demo that begins today: its year ends on the last Sunday, and its live part `LIVE_DAYS` ago unless chosen."""
    today = at.astimezone(ZoneInfo(HOME_ZONE)).date()
    calendar = Calendar.on(today)
    first = max(0, calendar.index_of(options.first)) if options.first else 0
    wanted = (
        calendar.index_of(options.live_from) if options.live_from else calendar.index_of(today) - LIVE_DAYS
    )
    live = min(max(first, wanted), calendar.index_of(today))
    return State(calendar.anchor, options.stores, first, live, loaded=False, posted_day=first)


async def prepare(ground: Ground, options: Options) -> Stage:
    """Load what is not there yet and post the history: places, people, all goods ever sold, opening stock, the months before.

    `play` imports the rest of the catalogue, so that the first page need not wait for it.

    Raises NotEmpty for a database in use by somebody, DemoMissing without the extra `demo`.
    """
    async with ground.database.reading() as conn:
        state = await memory.read(conn)
    ground.say("reading the source", 0, 1)
    world = await asyncio.to_thread(read_world, state or new_state(options, now()))
    ground.say("reading the source", 1, 1)
    known = memory.read_secrets(ground.data_dir)
    if world.state.loaded and known is not None:
        secrets = known
        await find_ids(world, ground.database)
    else:
        secrets = await load(ground, world)
    stock = await asyncio.to_thread(_stock_before, world)
    history = await post_history(ground, world, stock)
    return Stage(world, stock, secrets, history)


def _stock_before(world: World) -> Stock:
    """The planned stock at the beginning of the first day that is not wholly posted."""
    stock = world.chain.opening()
    for _ in world.chain.events(stock, world.state.first_day, world.state.posted_day - 1):
        pass
    return stock


async def play(
    stage: Stage, database: Database, base_url: str, *, speed: float = DAY_A_MINUTE, stop: asyncio.Event | None = None,
    last_day: int | None = None,
) -> Sent:  # fmt: skip
    """Replay the rest over HTTP against a running server until `stop` is set (or `last_day` is over).

    Meanwhile imports the half of the catalogue that these stores never sell.
    """
    limits = httpx2.Limits(max_connections=MOST_STORES + 2)
    rest = asyncio.create_task(load_rest(database, stage.world))
    try:
        async with httpx2.AsyncClient(base_url=base_url, timeout=30, limits=limits) as client:
            player = Player(stage.world, stage.stock, database, stage.secrets, client, speed)
            player.stop = stop or player.stop
            player.last_day = player.last_day if last_day is None else last_day
            sent = await player.play()
        if not player.stop.is_set():
            await rest
        return sent
    finally:
        rest.cancel()
        await asyncio.gather(rest, return_exceptions=True)


@contextmanager
def bar(console: Console) -> Iterator[Say]:
    """Progress bars, one a step, for `Ground.say`."""
    columns = (TextColumn("{task.description:>20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def say(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total)
            progress.update(tasks[step], completed=done, total=total)

        yield say


def show(console: Console, secrets: Secrets, url: str) -> None:
    """Print where to go and whom to sign in as."""
    console.print(f"Sign in at [bold]{url}[/bold] as", highlight=False)
    width = max(len(login.email) for login in secrets.logins)
    for login in secrets.logins:
        text = f"  {login.role:<8} {login.email:<{width}}  {login.password}   {login.where}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
