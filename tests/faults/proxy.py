"""A line between the application and PostgreSQL that breaks around COMMIT, when nobody can know whether it took effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
WAYS = ("before", "sent", "answered")
"""Cut before COMMIT is passed on, right after it, or when its answer has come back but not been handed over."""


@dataclass(slots=True)
class Line:
    """A proxy of the server's socket. `plan` is asked at every COMMIT how the connection ends; None: it does not."""

    folder: Path
    plan: Callable[[], str | None] = lambda: None
    cuts: dict[str, int] = field(default_factory=dict)

    def url(self, url: str) -> str:
        """A URL of the server's, through this line."""
        return f"{url.partition('host=')[0]}host={self.folder}"

    async def carry(self, target: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until it ends or is cut."""
        there, back = await asyncio.open_unix_connection(str(target / SOCKET))
        cut: asyncio.Event = asyncio.Event()
        swallow = asyncio.Event()
        pumps = {
            asyncio.create_task(self._up(reader, back, cut, swallow)),
            asyncio.create_task(self._down(there, writer, cut, swallow)),
            asyncio.create_task(cut.wait()),
        }
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        for end in (writer, back):
            end.transport.abort()

    async def _up(
        self,
        reader: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        cut: asyncio.Event,
        swallow: asyncio.Event,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                how = self.plan() if b"COMMIT" in data else None
                if how is not None:
                    self.cuts[how] = self.cuts.get(how, 0) + 1
                if how == "before":
                    cut.set()
                    return
                if how == "answered":
                    swallow.set()
                back.write(data)
                await back.drain()
                if how == "sent":
                    cut.set()
                    return

    async def _down(
        self,
        there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cut: asyncio.Event,
        swallow: asyncio.Event,
    ) -> None:
        with suppress(OSError):
            while data := await there.read(1 << 16):
                if swallow.is_set() and b"COMMIT" in data:  # the command's completion names itself
                    cut.set()
                    return
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def line_to(target: Path, folder: Path) -> AsyncIterator[Line]:
    """A line to the server whose socket is in `target`; its own is in `folder`."""
    line = Line(folder)
    server = await asyncio.start_unix_server(lambda r, w: line.carry(target, r, w), str(folder / SOCKET))
    try:
        yield line
    finally:
        server.close()
