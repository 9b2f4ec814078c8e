"""The live hub: one reader of the stream a process, any number of listeners, each with a cursor of its own.

A listener that falls behind the ring reads pages from the database, so a slow one costs nothing but its own time.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import structlog
from starlette.requests import Request

from onhand.access import Caller
from onhand.kit import outbox
from onhand.kit.database import Database
from onhand.kit.outbox import Event, StoredEvent
from onhand.kit.signal import Waiter

log = structlog.get_logger("onhand.live")

RING = 20_000
PAGE = 1_000
HEARTBEAT = 15.0
RECHECK = 2.0
SOURCE = "onhand"


def may_see(event: StoredEvent, caller: Caller) -> bool:
    """Whether a caller may see an event: its type's permission, at its site if it has one."""
    kind = Event.registry.get(event.type)
    needs = kind.needs if kind is not None else "events:read"
    return (
        bool(caller.may(needs, event.site))
        if event.site is not None
        else caller.sites(needs) is None or _anywhere(caller, needs)
    )


def _anywhere(caller: Caller, needs: str) -> bool:
    scope = caller.sites(needs)
    return scope is None or len(scope) > 0


@dataclass(slots=True)
class Hub:
    """Reads the stream once for everybody in this process."""

    database: Database
    ring: deque[StoredEvent] = field(default_factory=lambda: deque(maxlen=RING))
    head: int = 0
    on_event: dict[str, Callable[[], None]] = field(default_factory=dict)
    """event type → what this process forgets when it hears of it"""
    _listeners: int = 0
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    _task: asyncio.Task[None] | None = None
    _stopping: bool = False

    async def start(self) -> None:
        """Begin at the present head."""
        async with self.database.engine.connect() as conn:
            _, self.head = await outbox.head(conn)
        self._task = asyncio.create_task(self._run(), name="live hub")

    def close(self) -> None:
        """Let every listener end; safe to call from a signal handler of the event loop."""
        self._stopping = True
        asyncio.get_running_loop().create_task(self._wake_all())

    async def _wake_all(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    async def stop(self) -> None:
        """End every listener and the reader."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
        await self._wake_all()

    async def _run(self) -> None:
        waiter = Waiter()
        try:
            while True:
                await waiter.wait(1.0)
                try:
                    while await self._advance():
                        pass
                except Exception as error:
                    log.warning("hub_read_failed", error=repr(error))
                    await asyncio.sleep(0.5)
                # Let a burst gather: at most 50 reads a second, and 5 while nobody listens.
                await asyncio.sleep(0.02 if self._listeners else 0.2)
        finally:
            waiter.close()

    async def _advance(self) -> bool:
        async with self.database.engine.connect() as conn:
            if self._listeners == 0:
                await self._skip(conn)
                return False
            events = await outbox.read_after(conn, self.head, PAGE)
        for event in events:
            self.ring.append(event)
            forget = self.on_event.get(event.type)
            if forget is not None:
                forget()
        if events:
            self.head = events[-1].sequence
            async with self._moved:
                self._moved.notify_all()
        return len(events) == PAGE

    async def _skip(self, conn: Any) -> None:
        """Nobody listens: only look whether something happened that this process must forget."""
        _, head = await outbox.head(conn)
        if head > self.head:
            for kind in await outbox.types_between(conn, self.head, head, list(self.on_event)):
                self.on_event[kind]()
            self.ring.clear()
            self.head = head

    async def follow(self, after: int) -> AsyncIterator[list[StoredEvent]]:
        """Events after a cursor, for ever, in pages; an empty page is a heartbeat."""
        self._listeners += 1
        try:
            if self._listeners == 1:
                self.ring.clear()
            while not self._stopping:
                page = await self._page(after)
                if page:
                    after = page[-1].sequence
                    yield page
                    continue
                try:
                    async with asyncio.timeout(HEARTBEAT), self._moved:
                        await self._moved.wait_for(lambda: self.head > after or self._stopping)  # noqa: B023
                except TimeoutError:
                    yield []
        finally:
            self._listeners -= 1

    async def _page(self, after: int) -> list[StoredEvent]:
        if self.ring and self.ring[0].sequence <= after + 1:
            first = self.ring[0].sequence
            start = max(0, after + 1 - first)
            return [self.ring[i] for i in range(start, min(start + PAGE, len(self.ring)))]
        async with self.database.engine.connect() as conn:
            return await outbox.read_after(conn, after, PAGE)


def frame(event: StoredEvent) -> bytes:
    """One event as SSE."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.sequence,
        event.type.encode(),
        event.cloud_event(SOURCE),
    )


async def sse(
    hub: Hub, request: Request, caller: Caller, *, after: int, types: Collection[str] | None,
    still_valid: Callable[[Caller], Any],
) -> AsyncIterator[bytes]:  # fmt: skip
    """The SSE frames of one listener: events he may see, `through` where others were hidden, heartbeats; ends when his
    rights end."""
    yield b"retry: 1000\n\n"
    async with hub.database.engine.connect() as conn:
        oldest = await outbox.oldest(conn)
        _, head = await outbox.head(conn)
    if after < oldest - 1 or after > head:
        yield b'event: reset\nid: %d\ndata: {"after":"%d","through":"%d"}\n\n' % (head, head, head)
        after = head
    checked, told = time.monotonic(), after
    async for events in hub.follow(after):
        if time.monotonic() - checked > RECHECK:
            if not await still_valid(caller) or await request.is_disconnected():
                return
            checked = time.monotonic()
        if not events:
            yield b": heartbeat\n\n"
            continue
        seen = [e for e in events if (types is None or e.type in types) and may_see(e, caller)]
        chunk = b"".join(frame(e) for e in seen)
        through = events[-1].sequence
        if not seen or seen[-1].sequence < through:
            chunk += b'event: through\nid: %d\ndata: {"after":"%d","through":"%d"}\n\n' % (
                through,
                told,
                through,
            )
        told = through
        yield chunk
