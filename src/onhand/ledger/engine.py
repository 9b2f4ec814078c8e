"""The one lane: postings queue, and whatever queued while a batch was in flight becomes the next batch.

One transaction a batch, one call of `ledger_guard` and `ledger_write`. While the database works on one batch, the next is laid
out and sent, so neither side waits for the other (docs/why/two-halves.md). The optimistic path assumes nobody is short and all ids are new; where
that fails, the locked path reads, judges in memory in arrival order (`decide`) and writes. The lane is its own task, never
cancelled by a request; a connection in doubt is closed and the batch repeated, and its ids say what had already committed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

import asyncpg
import structlog

from onhand.kit import signal
from onhand.kit.database import is_away
from onhand.kit.ids import quick
from onhand.kit.problem import InternalError, Problem, Unavailable
from onhand.ledger import lane, sql
from onhand.ledger.batch import EventRow
from onhand.ledger.decide import Directory, variants_of
from onhand.ledger.lane import Item, RiderRows, Stale
from onhand.ledger.model import LevelTooLarge, Outcome, Posting, check_shape
from onhand.ledger.wire import ConnectionLostError, Flight, OutOfTurnError, Wire

log = structlog.get_logger("onhand.lane")

RETRIES = 5
RECONNECT_SECONDS = 12.0
_SHARED = 16
"""Fewer items than this are not divided into two batches: each has a price of its own."""
_CONNECTION_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    ConnectionError,
    OSError,
)
_TRY_AGAIN = (
    asyncpg.exceptions.DeadlockDetectedError,
    asyncpg.exceptions.SerializationError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.UniqueViolationError,
)

_DISK = (asyncpg.exceptions.InsufficientResourcesError, asyncpg.exceptions.PostgresIOError)
_DISK_FAILS = (
    "The database's disk failed to write it. Send it again with the same id, and have the disk looked at."
)
_NO_ROOM = "The database has no room left. Send it again with the same id."
_AWAY = "The database is away; whether this was posted is not known. Retry with the same id."

LoadDirectory = Callable[[], Awaitable[tuple[int, Directory]]]


@dataclass(slots=True)
class Entry:
    """What one caller handed in: items judged one by one, or as one group (all or nothing)."""

    items: Sequence[Item]
    group: bool
    riders: RiderRows
    answer: asyncio.Future[list[Outcome]]


@dataclass(slots=True)
class Batch:
    """What goes into one transaction: laid out, and sent, as far as it is."""

    entries: list[Entry]
    ready: lane.Ready | None = None
    flight: Flight | None = None

    @property
    def size(self) -> int:
        """How many items."""
        return sum(len(e.items) for e in self.entries)


@dataclass(slots=True)
class Stats:
    """What the lane did since it started."""

    batches: int = 0
    postings: int = 0
    locked_batches: int = 0
    retries: int = 0
    reconnects: int = 0


@dataclass(slots=True)
class Engine:
    """The posting lane of this process.

    `riders` maps a name to a statement over column arrays: document rows written in the same transaction, opaque to the
    ledger, only for items that post.
    """

    url: str
    load_directory: LoadDirectory
    riders: dict[str, str] = field(default_factory=dict)
    batch_size: int = 512
    queue_size: int = 8192
    stats: Stats = field(default_factory=Stats)
    places: Directory = field(default_factory=dict)
    epoch: int = 0
    _queue: deque[Entry] = field(default_factory=deque)
    _queued: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _conn: asyncpg.Connection | None = None
    _wire: Wire | None = None
    _labels: lane.LabelCache = field(default_factory=lambda: lane.LabelCache())
    _closing: bool = False

    @property
    def queued(self) -> int:
        """Postings that wait for the lane."""
        return self._queued

    async def start(self) -> None:
        """Connect, load the directory, and begin; waits a while for a database that is away."""
        deadline = time.monotonic() + RECONNECT_SECONDS
        while True:
            try:
                await self._connect()
                break
            except _CONNECTION_LOST:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
        self._task = asyncio.create_task(self._run(), name="posting lane")

    async def stop(self) -> None:
        """Take no more, finish what is queued, and close."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._disconnect()

    async def submit(self, item: Item, riders: RiderRows | None = None) -> Outcome:
        """Post one item into the next batch; answers when it is committed or refused.

        Raises Unavailable (503) when the queue is full, the database is away, or the server is stopping.
        """
        return (await self.submit_many([item], riders))[0]

    async def submit_many(
        self, items: Sequence[Item], riders: RiderRows | None = None, *, group: bool = False
    ) -> list[Outcome]:
        """Post several items in order: each judged by itself, or as one group that posts wholly or not at all.

        `riders` are written once if any item posts. Raises as `submit`.
        """
        if not items:
            return []
        for item in items:
            check_shape(item.posting)
        if self._closing:
            raise Unavailable("The server is stopping. Send it again in a moment.", retry_after=2)
        if self._queued + len(items) > self.queue_size and self._queued:
            raise Unavailable("More is waiting to be posted than this server takes at once.", retry_after=1)
        answer: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._queue.append(Entry(items, group, riders or {}, answer))
        self._queued += len(items)
        self._wake.set()
        return await answer  # a caller that goes away cancels its own answer, never the batch

    async def _run(self) -> None:
        batch: Batch | None = None
        while True:
            if batch is None:
                if not self._queue:
                    if self._closing:
                        return
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                batch = self._make_ready(self._take())
            if batch.flight is None:
                self._send(batch)
            posting = asyncio.create_task(self._post_safely(batch))
            behind = await self._ahead(posting, batch)
            (await posting)()
            batch = behind

    async def _ahead(self, posting: asyncio.Task[Callable[[], None]], front: Batch) -> Batch | None:
        """While a batch is under way: when as much has queued up behind it, take that, lay it out, and send it behind."""
        posting.add_done_callback(lambda _: self._wake.set())
        while not posting.done():
            if self._queue and self._queued >= min(front.size, self.batch_size):
                batch = self._make_ready(self._take(front.size))
                if front.flight is not None and not front.flight.landed:
                    self._send(batch)  # else the one before is being judged, and may not be overtaken
                return batch
            self._wake.clear()
            await self._wake.wait()
        return None

    def _make_ready(self, entries: list[Entry]) -> Batch:
        """Lay a batch out, as far as that can be done without asking the database."""
        wire = self._wire
        variants = variants_of([i.posting for e in entries for i in e.items])
        if wire is None or not self._labels.knows(variants):
            return Batch(entries)
        try:
            ready = lane.make_ready(entries, self.places, self.epoch, self._labels, self.riders, wire)
        except Exception:  # it will fail again in its turn, where its entries are told apart
            return Batch(entries)
        return Batch(entries, ready)

    def _send(self, batch: Batch) -> None:
        """Send a batch that is laid out for this connection and directory."""
        wire, ready = self._wire, batch.ready
        if wire is None or ready is None or ready.calls is None or not ready.counts(self.epoch, wire):
            return
        with suppress(
            Exception
        ):  # the connection is lost then, or was closed; that is found out when it is posted
            batch.flight = wire.send(ready.calls)

    async def _post_safely(self, batch: Batch) -> Callable[[], None]:
        """Commit a batch; answers what tells its callers."""
        try:
            return await self._post(batch)
        except Exception as error:  # the lane itself never dies
            log.exception("lane_failed", postings=batch.size)
            return partial(
                _answer_all, batch.entries, InternalError() if not isinstance(error, Problem) else error
            )

    def _take(self, flying: int = 0) -> list[Entry]:
        """The next batch: half of what is under way or waiting, so that two batches of one size take turns."""
        most = min(self.batch_size, max(_SHARED, (self._queued + flying + 1) // 2))
        entries = [self._queue.popleft()]
        count = len(entries[0].items)
        while self._queue and count + len(self._queue[0].items) <= most:
            entry = self._queue.popleft()
            count += len(entry.items)
            entries.append(entry)
        self._queued -= count
        return entries

    async def _post(self, batch: Batch) -> Callable[[], None]:
        """Commit one batch, whatever it takes: retries, reconnects, and at worst one entry at a time."""
        deadline = time.monotonic() + RECONNECT_SECONDS
        entries, doubt, tries, locked = batch.entries, False, 0, False
        while True:
            try:
                if batch.flight is not None and batch.flight.wire is not self._wire:
                    doubt, batch.flight = True, None  # the connection it left on is gone
                if self._wire is None:
                    await self._connect()
                outcomes, locked = await self._attempt(batch, locked=locked or doubt)
                self.stats.locked_batches += locked
                return partial(self._answer, entries, outcomes, doubt)
            except _TRY_AGAIN:
                tries, locked = tries + 1, True
                self.stats.retries += 1
                if tries > RETRIES:
                    busy = Unavailable("The books are busy. Send it again with the same id.", retry_after=1)
                    return partial(_answer_all, entries, busy)
                await asyncio.sleep(random.uniform(0, 0.01 * tries))
            except OutOfTurnError:
                pass  # now it is its turn
            except Stale:
                await self._load()
            except _CONNECTION_LOST as error:
                doubt = True
                log.warning("lane_connection_lost", error=repr(error))
                await self._disconnect()
                if time.monotonic() > deadline:
                    return partial(_answer_all, entries, Unavailable(_AWAY, retry_after=2))
                await asyncio.sleep(random.uniform(0.02, 0.15))
            except _DISK as error:  # nobody's mistake
                log.error("lane_disk", error=repr(error))
                full = isinstance(error, asyncpg.exceptions.InsufficientResourcesError)
                return partial(
                    _answer_all, entries, Unavailable(_NO_ROOM if full else _DISK_FAILS, retry_after=5)
                )
            except Exception as error:
                return await self._isolate(entries, error)

    async def _attempt(self, batch: Batch, *, locked: bool) -> tuple[list[list[Outcome]], bool]:
        conn, wire = self._conn, self._wire
        assert conn is not None
        assert wire is not None
        entries, flight = batch.entries, batch.flight
        if not locked:
            try:
                outcomes = await lane.optimistic(
                    conn, entries, self.places, self.epoch, self._labels, self.riders,
                    wire=wire, ready=batch.ready, flight=flight,
                )  # fmt: skip
            finally:
                batch.flight = None
            if outcomes is not None:
                return outcomes, False
        return await lane.locked(conn, entries, self.places, self.epoch, self._labels, self.riders), True

    async def _isolate(self, entries: list[Entry], error: Exception) -> Callable[[], None]:
        """A batch failed for a reason of its own content: post its entries one by one, so only the bad one fails."""
        if len(entries) > 1:
            for entry in entries:
                (await self._post(Batch([entry])))()
            return _nothing
        if isinstance(error, asyncpg.exceptions.NumericValueOutOfRangeError):
            error = LevelTooLarge(param="quantity")
        if not isinstance(error, Problem):
            log.error("lane_entry_failed", error=repr(error), riders=sorted(entries[0].riders))
            error = InternalError()
        return partial(_answer_all, entries, error)

    def _answer(self, entries: list[Entry], outcomes: list[list[Outcome]], doubt: bool) -> None:
        self.stats.batches += 1
        for entry, answers in zip(entries, outcomes, strict=True):
            self.stats.postings += len(answers)
            if not entry.answer.done():
                entry.answer.set_result([lane.after_doubt(a) for a in answers] if doubt else answers)
        signal.woke()

    async def _connect(self) -> None:
        await self._disconnect()
        self._conn = await lane.connect(self.url)
        self._wire = await Wire.connect(self.url, {"application_name": "onhand-lane", **lane.SESSION})
        await self._wire.prepare([*self.riders.values(), sql.APPLY])
        self.stats.reconnects += 1
        await self._load()

    async def _load(self) -> None:
        try:
            self.epoch, places = await self.load_directory()
        except Exception as error:
            if is_away(error):
                raise ConnectionLostError(repr(error)) from error
            raise
        self.places = {
            quick(key): replace(place, site_id=quick(place.site_id)) if place.site_id else place
            for key, place in places.items()
        }
        self._labels.clear()

    async def _disconnect(self) -> None:
        conn, self._conn = self._conn, None
        wire, self._wire = self._wire, None
        for one in (conn, wire):
            if one is not None:
                with suppress(Exception):
                    one.terminate()


def _nothing() -> None:
    """Nobody waits."""


def _answer_all(entries: Sequence[Entry], error: Problem) -> None:
    for entry in entries:
        if not entry.answer.done():
            entry.answer.set_exception(error)
            entry.answer.exception()  # an abandoned caller is no reason for a warning


def item(posting: Posting, *, riders: RiderRows | None = None, events: Sequence[EventRow] = ()) -> Item:
    """One posting with the document rows and events that go with it."""
    return Item(posting, riders or {}, events)
