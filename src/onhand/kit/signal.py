"""Wake-ups inside one process: something was committed, look at the stream. A lost wake-up costs time, never data."""

from __future__ import annotations

import asyncio

_waiters: set[asyncio.Event] = set()


def woke() -> None:
    """Wake everyone in this process who waits for new events."""
    for waiter in _waiters:
        waiter.set()


class Waiter:
    """A subscription to wake-ups; `wait` returns on the next one or after the timeout."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        _waiters.add(self._event)

    async def wait(self, timeout: float) -> None:
        """Sleep until woken, at most `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()

    def close(self) -> None:
        """Stop being woken."""
        _waiters.discard(self._event)
