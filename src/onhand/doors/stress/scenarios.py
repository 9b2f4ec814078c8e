"""What clients do to a system: the last unit, a hot variant, baskets, retry storms, cancelled calls, kills under load.

Every scenario keeps notes of its own over variants of its own; a round is seeded, so that the same seed orders the same.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from onhand.doors.stress.ground import Ground
from onhand.doors.stress.notes import Answer, Notes, Order, units
from onhand.doors.stress.system import System, until_certain
from onhand.kit.ids import uuid7

CALLERS = 64


@dataclass(slots=True)
class Stage:
    """A system with the notes of every scenario."""

    system: System
    pick: random.Random
    callers: int = CALLERS
    notes: dict[str, Notes] = field(default_factory=dict)
    away: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from each kill to the first order acknowledged after it, by what was killed."""

    def of(self, scenario: str) -> Notes:
        """The notes of one scenario."""
        return self.notes.setdefault(scenario, Notes())

    async def stock(self, notes: Notes, goods: dict[str, int]) -> None:
        """Stock goods and note it."""
        await self.system.stock(goods)
        notes.stocked.update(goods)

    async def certain(self, notes: Notes, orders: Sequence[Order]) -> list[Answer]:
        """Order all at once, each until its answer is certain."""
        picks = [random.Random(self.pick.random()) for _ in orders]
        return await asyncio.gather(
            *(until_certain(self.system, notes, o, p) for o, p in zip(orders, picks, strict=True))
        )


def skus(first: int, count: int) -> list[str]:
    """Some of the shop's variants."""
    return [f"P{n}" for n in range(first, first + count)]


async def last_unit(stage: Stage, notes: Notes) -> None:
    """One unit, 64 callers at once: exactly one gets it."""
    sku = stage.pick.choice(skus(1, 8))
    left = 1 + notes.stocked[sku] - units(notes.taken.values())[sku]
    await stage.stock(notes, {sku: 1})
    answers = await stage.certain(notes, [Order(uuid7(), ((sku, 1),)) for _ in range(stage.callers)])
    winners = answers.count(Answer.taken)
    if winners != max(0, left):
        notes.broken.append(f"{winners} of {stage.callers} callers got the last {left} of {sku}")


async def hot_variant(stage: Stage, notes: Notes) -> None:
    """Everybody wants the same: as much is taken as there is, and nobody is refused what was there."""
    sku = "P9"
    await stage.stock(notes, {sku: stage.callers})
    orders = [Order(uuid7(), ((sku, stage.pick.randint(1, 3)),)) for _ in range(2 * stage.callers)]
    answers = await stage.certain(notes, orders)
    left = notes.stocked[sku] - sum(o.lines[0][1] for o in notes.taken.values())
    refused = [o.lines[0][1] for o, a in zip(orders, answers, strict=True) if a is Answer.refused]
    if refused and min(refused) <= left:
        notes.broken.append(f"an order of {min(refused)} was refused with {left} left in the end")


async def baskets(stage: Stage, notes: Notes) -> None:
    """Baskets that name the same variant twice: the demand is summed before it is judged. A basket is taken whole or not."""
    wanted = skus(10, 4)
    await stage.stock(notes, {sku: stage.pick.randint(8, 20) for sku in wanted})
    orders = []
    for _ in range(stage.callers // 2):
        lines = [
            (stage.pick.choice(wanted), stage.pick.randint(1, 3)) for _ in range(stage.pick.randint(2, 5))
        ]
        orders.append(Order(uuid7(), (*lines, lines[0])))
    facts = skus(14, 2)  # sales that happened, with nothing on the shelf: all must be in the books
    await stage.stock(notes, dict.fromkeys(facts, 0))
    for _ in range(stage.callers // 4):
        line = (stage.pick.choice(facts), stage.pick.randint(1, 3))
        orders.append(Order(uuid7(), (line, line), fact=True))
    await stage.certain(notes, orders)


async def retry_storm(stage: Stage, notes: Notes) -> None:
    """Every order comes 2 to 50 times at once, some copies with another content: one effect, and one content only."""
    sku, sold = stage.pick.choice(skus(16, 4)), stage.pick.choice(skus(20, 4))
    await stage.stock(notes, {sku: 12, sold: 0})
    orders: list[Order] = []
    for n in range(6):
        order = Order(uuid7(), ((sold if n % 2 else sku, stage.pick.randint(1, 3)),), fact=bool(n % 2))
        copies = [order] * stage.pick.randint(2, 50)
        edited = replace(order, lines=((order.lines[0][0], order.lines[0][1] + 1),))
        orders += [*copies, *([edited] * stage.pick.choice((0, 0, 1, 5)))]
    stage.pick.shuffle(orders)
    answers = await stage.certain(notes, orders)
    taken = {(o.id, o.lines) for o, a in zip(orders, answers, strict=True) if a is Answer.taken}
    for order, answer in zip(orders, answers, strict=True):
        if answer is Answer.reused and order.id not in {i for i, _ in taken}:
            notes.broken.append(f"order {order.id} was called reused, but acted under no content")
    if len(taken) != len({i for i, _ in taken}):
        notes.broken.append("an order was acknowledged with two contents")


async def hang_ups(stage: Stage, notes: Notes) -> None:
    """Clients cut the line in the middle of a request, or are cancelled, and ask again: one effect."""
    sku, sold = stage.pick.choice(skus(24, 4)), stage.pick.choice(skus(28, 4))
    await stage.stock(notes, {sku: stage.callers // 2, sold: 0})
    orders = [
        Order(uuid7(), ((sold if n % 3 == 0 else sku, 1),), fact=n % 3 == 0) for n in range(stage.callers)
    ]
    waits = [stage.pick.choice((0.0, 0.001, 0.003, 0.01, 0.03)) for _ in orders]
    await asyncio.gather(*(stage.system.hang_up(o, w) for o, w in zip(orders, waits, strict=True)))
    await stage.certain(notes, orders)


Round = Callable[[Stage, Notes], Awaitable[None]]
ROUNDS: dict[str, tuple[Round, int]] = {
    "last unit": (last_unit, 4),
    "hot variant": (hot_variant, 1),
    "baskets": (baskets, 1),
    "retry storm": (retry_storm, 1),
    "hang-ups": (hang_ups, 1),
}
"""Scenario → its round, and how often it is played in one cycle."""


@dataclass(slots=True)
class Load:
    """Clients that order one after another, all the time, while something is killed."""

    stage: Stage
    notes: Notes
    clients: int = 16
    stopping: bool = False
    last_taken: float = 0.0

    async def run(self) -> None:
        """Order until `stopping`; then every order under way is brought to its end."""
        await asyncio.gather(
            *(self._client(random.Random(self.stage.pick.random())) for _ in range(self.clients))
        )

    async def _client(self, pick: random.Random) -> None:
        scarce, sold = skus(32, 8), skus(40, 20)
        while not self.stopping:
            fact = pick.random() < 0.7
            order = Order(uuid7(), ((pick.choice(sold if fact else scarce), 1),), fact=fact)
            answer = await until_certain(self.stage.system, self.notes, order, pick)
            if (
                fact and answer is Answer.taken
            ):  # facts go through the server that is killed, web orders through our lane
                self.last_taken = time.monotonic()

    async def until_taken(self, task: asyncio.Task[None], since: float) -> float:
        """Wait until an order is acknowledged after `since`; answers when. Raises what ended the load, TimeoutError after a
        minute."""
        async with asyncio.timeout(60):
            while self.last_taken <= since:
                if task.done():
                    task.result()
                await asyncio.sleep(0.01)
        return self.last_taken


async def kills(stage: Stage, notes: Notes, ground: Ground, ways: Sequence[str]) -> None:
    """kill -9 under load, in the order of `ways`: what was acknowledged before is there, what was not can be asked again."""
    await stage.stock(notes, dict.fromkeys(skus(40, 20), 0))
    load = Load(stage, notes)
    task = asyncio.create_task(load.run())
    try:
        for n, way in enumerate(ways):
            if n % 5 == 0:  # there is always something to win
                await stage.stock(notes, dict.fromkeys(skus(32, 8), 25))
            await load.until_taken(task, time.monotonic())
            await asyncio.sleep(stage.pick.uniform(0.05, 0.5))
            before = time.monotonic()
            await asyncio.to_thread(ground.kill, way, stage.pick)
            await asyncio.sleep(0.05)
            stage.away.setdefault(way, []).append(await load.until_taken(task, time.monotonic()) - before)
            notes.rounds += 1
    finally:
        load.stopping = True
        await task
