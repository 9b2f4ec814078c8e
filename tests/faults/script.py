"""A short history that passes every await of the ledger's two doors, told the same way each time from its number.

Whatever is done to it in between, what every posting of it comes to in the end is known beforehand.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from onhand.kit.database import Database
from onhand.kit.ids import derive_id, uuid7
from onhand.kit.outbox import bump_directory
from onhand.kit.problem import Problem
from onhand.ledger import (
    Engine,
    ExceptionResolved,
    Item,
    Mode,
    Move,
    Posting,
    Status,
    digest_of,
    opposite,
    post,
)
from onhand.ledger.store import load_directory
from tests.ledger.world import START, World

RIDERS = {"note": "INSERT INTO note SELECT * FROM unnest($1::bigint[])"}
"""A document row a posting; the table refuses numbers below zero, so that a poisoned one can be sent along."""
MAKE_NOTE = ("CREATE TABLE note (n bigint CHECK (n > 0))", "GRANT SELECT, INSERT ON note TO PUBLIC")
Acked = Callable[[UUID], None]


@dataclass(frozen=True, slots=True)
class Sent:
    """Postings handed in together; `note` goes with the first of them. `never`: what is poisoned must not get in."""

    postings: tuple[Posting, ...]
    note: int = 0
    never: bool = False
    reused: bool = False

    def items(self) -> list[Item]:
        """As the lane takes them."""
        riders = {"note": [(self.note,)]} if self.note else {}
        return [Item(p, riders if n == 0 else {}) for n, p in enumerate(self.postings)]


@dataclass(frozen=True, slots=True)
class Step:
    """What is handed in at once. `before`: "stale" makes the directory in memory old, "cut" ends the lane's connections."""

    sent: tuple[Sent, ...]
    before: str = ""


@dataclass(slots=True)
class Script:
    """The history of one number; ids and notes are its own."""

    world: World
    number: str
    steps: list[Step] = field(default_factory=list)
    _count: int = 0

    @classmethod
    def write(cls, world: World, number: str, *, cut: bool = True, large: bool = False) -> Script:
        """The history by heart. `cut`: the network ends the lane's connections; `large`: more than a socket takes at once."""
        s = cls(world, number)
        got = s.sent(s.move("TEA", 10, "supplier", "S1"), fact=True)
        sold, lost = (
            s.sent(s.move("TEA", 1, "S1", "customer")),
            s.sent(s.move("SALT", 3, "S2", "customer"), fact=True),
        )
        pair = Sent(
            (s.posting(s.move("TEA", 1, "S1", "S2")), s.posting(s.move("TEA", 1, "S2", "W1/A"))), s.note()
        )
        undo = s.posting(*opposite(sold.postings[0].moves), fact=True, reverses=sold.postings[0].id)
        poison = Sent((s.posting(s.move("TEA", 1, "S1", "customer")),), note=-1, never=True)
        edited = s.posting(s.move("TEA", 2, "S1", "customer"), fact=True, id=got.postings[0].id)
        s.steps = [
            Step((got, pair, sold)),
            Step((lost,)),
            Step((sold, Sent((undo,)))),
            Step((Sent((edited,), reused=True),)),
            Step((s.sent(s.move("TEA", 1, "S1", "customer")),), "stale"),
            Step((got, s.sent(s.move("SALT", 1, "S2", "customer"), fact=True)), "stale"),
            Step((s.sent(s.move("TEA", 1, "S1", "customer")), poison)),
            Step(
                (s.sent(s.world.move("TEA", 1, "supplier", "S1", lot=derive_id("lot", number))),)
            ),  # a level never seen
            Step(
                (got, *[s.sent(s.move("TEA", 1, "supplier", "S1"), fact=True) for _ in range(15)])
            ),  # two batches, sent
            # one behind the other; the first fails, and takes the second along
        ]
        if cut:
            s.steps.append(Step((s.sent(s.move("TEA", 1, "S1", "customer")),), "cut"))
        if large:
            s.steps.append(Step((s.sent(*[s.move("TEA", 1, "supplier", "W1/B")] * 6000),)))
        return s

    def note(self) -> int:
        """A number of this script's own."""
        self._count += 1
        return derive_id("note", self.number, str(self._count)).int & ((1 << 62) - 1) | 1

    def move(self, sku: str, quantity: int, source: str, target: str) -> Move:
        """A move by codes."""
        return self.world.move(sku, quantity, source, target)

    def posting(self, *moves: Move, fact: bool = False, **more: Any) -> Posting:
        """A posting whose id follows from the script's number."""
        self._count += 1
        posting_id = more.pop("id", None) or derive_id("script", self.number, str(self._count))
        mode = Mode.fact if fact else Mode.strict
        return Posting(
            id=posting_id, kind="reverse" if more else "move", source_type="test", source_id=posting_id, actor=UUID(int=1),
            happened_at=START, moves=moves, mode=mode, digest=digest_of(mode.value, moves), **more,
        )  # fmt: skip

    def sent(self, *moves: Move, fact: bool = False) -> Sent:
        """One posting with its note."""
        return Sent((self.posting(*moves, fact=fact),), self.note())

    def everything(self) -> Iterator[Sent]:
        """All that is handed in, in order."""
        for step in self.steps:
            yield from step.sent

    def expected(self) -> dict[UUID, int]:
        """Posting id → how often it stands in the books in the end: once, or never."""
        out: dict[UUID, int] = {}
        for sent in self.everything():
            for posting in sent.postings:
                out[posting.id] = max(out.get(posting.id, 0), 0 if sent.never else 1)
        return out

    def notes(self) -> set[int]:
        """The document rows of the end."""
        return {sent.note for sent in self.everything() if sent.note > 0}


def engine_on(url: str, database: Database) -> Engine:
    """A lane with the notes' rider."""

    async def load() -> Any:
        async with database.engine.connect() as conn:
            return await load_directory(conn)

    return Engine(url=url, load_directory=load, riders=dict(RIDERS), batch_size=8)


async def play(
    script: Script, engine: Engine, done: set[UUID], stale: Callable[[], None], callers: list[Any]
) -> None:
    """Tell it to a lane; whatever is answered `ok` is acknowledged. Refusals of any kind are met with a shrug."""
    for step in script.steps:
        if step.before == "stale":
            await asyncio.to_thread(stale)
        elif step.before == "cut":
            _cut(engine)
        tasks = [
            asyncio.create_task(hand_in(engine, sent, done.add))
            for sent in step.sent
            if _in_order(sent, done)
        ]
        callers[:] = tasks
        await asyncio.gather(*tasks, return_exceptions=True)


def _in_order(sent: Sent, done: set[UUID]) -> bool:
    """An edited posting makes sense after the first one only."""
    return not sent.reused or sent.postings[0].id in done


def _cut(engine: Engine) -> None:
    """The network ends the lane's connections, whatever they are at."""
    if engine._conn is not None:
        engine._conn.terminate()
    if engine._wire is not None:
        with suppress(OSError), socket.socket(fileno=os.dup(engine._wire._fd)) as line:
            line.shutdown(socket.SHUT_RDWR)


async def hand_in(engine: Engine, sent: Sent, acked: Acked) -> None:
    """Hand in what belongs together; note what is acknowledged."""
    items = sent.items()
    outcomes = (
        [await engine.submit(items[0])] if len(items) == 1 else await engine.submit_many(items, group=True)
    )
    for posting, outcome in zip(sent.postings, outcomes, strict=True):
        if outcome.ok:
            assert not sent.reused, "an edited posting was acknowledged"
            acked(posting.id)
        elif sent.reused:
            assert outcome.status is Status.id_reused


async def play_at_the_door(script: Script, database: Database, done: set[UUID], callers: list[Any]) -> None:
    """Tell it to the door inside a transaction, one after another; notes are written by the transaction itself."""
    for step in script.steps:
        for sent in step.sent:
            if not _in_order(sent, done):
                continue
            task = asyncio.create_task(_through_the_door(database, sent, done.add))
            callers[:] = [task]
            with suppress(Problem, asyncio.CancelledError, Exception):
                await task


async def _through_the_door(database: Database, sent: Sent, acked: Acked) -> None:
    """A transaction as documents have it: postings decided under the locks, a row, an event, a changed directory."""

    async def decided(book: object) -> Sequence[Posting]:
        return sent.postings

    async def afterwards() -> None:
        """What is done once it is committed."""

    async with database.writing(action="test") as tx:
        posted = await post(tx, sent.postings, revise=decided)
        if sent.note and any(o.status is Status.posted for o in posted.outcomes):
            await tx.conn.exec_driver_sql("INSERT INTO note VALUES (%s)", (sent.note,))
            await bump_directory(tx)
            tx.emit(ExceptionResolved(exception_id=uuid7(), kind="test", site_id=None, resolution=""))
            tx.after_commit.append(afterwards)
    for posting, outcome in zip(sent.postings, posted.outcomes, strict=True):
        assert outcome.ok
        assert not sent.reused
        acked(posting.id)


async def finish(script: Script, engine: Engine, done: set[UUID]) -> None:
    """Ask again with the same ids for all that was not acknowledged, as every client does, until the answers are certain."""
    for sent in script.everything():
        if sent.never or sent.reused or all(p.id in done for p in sent.postings):
            continue
        await hand_in(engine, sent, done.add)


def missing(script: Script, done: Sequence[UUID] | set[UUID]) -> list[UUID]:
    """What should have been acknowledged by the end, and was not."""
    return [i for i, n in script.expected().items() if n and i not in done]
