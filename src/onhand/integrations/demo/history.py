"""Posts the demo's past at full speed: the same sales a till would send, through the ledger's own lane a day at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from onhand import pos
from onhand.integrations.demo import state as memory
from onhand.integrations.demo.load import Ground
from onhand.integrations.demo.places import registers
from onhand.integrations.demo.plan import Receipt, Stock, Transfer
from onhand.integrations.demo.world import CUSTOMER, World, key_id, quick
from onhand.kit.problem import Conflict
from onhand.ledger import Item, Outcome

_CUSTOMER = quick(CUSTOMER)

KEEP_DAYS = 7
"""How often progress is kept. What was posted since is posted again after a crash, and changes nothing."""


@dataclass(slots=True)
class Done:
    """What was posted: receipts and lines sold, and lines that went to stores and warehouse."""

    receipts: int = 0
    lines: int = 0
    moved: int = 0
    oversold: int = 0


@dataclass(slots=True)
class Chunk:
    """What is posted together: all from one supply of the stores to the next, about a day.

    `short` are the receipts that the plan sees going beyond stock. They are posted by themselves after `items` (but before
    the next supply): a batch without them takes the lane's fast path.
    """

    day: int
    items: list[Item]
    short: list[Item]
    receipts: int = 0
    lines: int = 0
    moved: int = 0


async def find_tills(ground: Ground, world: World) -> dict[str, pos.Till]:
    """The stores' tills by code."""
    tills: dict[str, pos.Till] = {}
    async with ground.database.reading() as conn:
        for place in world.places:
            for code in registers(place.code):
                till = await pos.find_till(conn, code)
                if till is None:
                    raise Conflict(f"The demo's till {code} is gone.")
                tills[code] = replace(till, location=quick(till.location), site=quick(till.site))
    return tills


def chunks(world: World, stock: Stock, tills: dict[str, pos.Till], first: int, last: int) -> Iterator[Chunk]:
    """The days `first` to `last`, cut where the stores are supplied. A chunk's `day` is the day it ends on."""
    chunk = Chunk(first, [], [])
    for event in world.chain.events(stock, first, last):
        if isinstance(event, Receipt):
            item = sale_item(world, tills, event)
            (chunk.short if event.oversold else chunk.items).append(item)
            chunk.receipts += 1
            chunk.lines += len(item.riders["sale_line"])
            chunk.day = event.day
            continue
        if chunk.receipts:
            yield chunk
            chunk = Chunk(event.day, [], [])
        item = world.transfer(event) if isinstance(event, Transfer) else world.delivery(event)
        chunk.items.append(item)
        chunk.moved += len(item.posting.moves)
    if chunk.items or chunk.short:
        yield chunk


def sale_item(world: World, tills: dict[str, pos.Till], event: Receipt) -> Item:
    """A receipt as the point of sale itself would post it."""
    sale = world.tills.sale(event.receipt, event.day, event.cycle)
    till = tills[sale.register]
    actor = key_id(world.places[world.sales.store[event.receipt]].code)
    return pos.sale_item(sale, till, world.variants, actor=actor, customer_place=_CUSTOMER)[0]


async def post_history(ground: Ground, world: World, stock: Stock) -> Done:
    """Post every day from where the demo stands to the first live day; `stock` (as of that day) follows along.

    The next chunk is prepared while the database works on the present one.
    """
    state = world.state
    if state.posted_day >= state.live_day:
        return Done()
    tills = await find_tills(ground, world)
    done = Done()
    days = state.live_day - state.first_day
    sent: tuple[Chunk, asyncio.Task[list[Outcome]]] | None = None
    for chunk in chunks(world, stock, tills, state.posted_day, state.live_day - 1):
        if sent is not None:
            await _finish(*sent, done)
            if sent[0].day >= world.state.posted_day + KEEP_DAYS:
                await _keep(ground, world, sent[0].day)
                ground.say("history", world.state.posted_day - state.first_day, days)
        sent = (chunk, asyncio.create_task(_submit(ground, chunk)))
        await asyncio.sleep(0)
    if sent is not None:
        await _finish(*sent, done)
    await _keep(ground, world, state.live_day)
    ground.say("history", days, days)
    return done


async def _submit(ground: Ground, chunk: Chunk) -> list[Outcome]:
    outcomes = await ground.engine.submit_many(chunk.items)
    return outcomes + await ground.engine.submit_many(chunk.short)


async def _finish(chunk: Chunk, task: asyncio.Task[list[Outcome]], done: Done) -> None:
    for outcome in await task:
        if not outcome.ok:
            raise Conflict(f"A posting of the demo's history was refused: {outcome.status.value}.")
        done.oversold += len(outcome.oversold)
    done.receipts += chunk.receipts
    done.lines += chunk.lines
    done.moved += chunk.moved


async def _keep(ground: Ground, world: World, day: int) -> None:
    """Remember that every day before `day` is posted."""
    world.state = world.state.at(day)
    async with ground.database.writing(action="demo history") as tx:
        await memory.write(tx.conn, world.state)
