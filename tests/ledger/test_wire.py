"""The lane's connection: what is sent behind another transaction neither stops it nor overtakes it."""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import AsyncIterator

import pytest

from onhand.ledger.lane import SESSION
from onhand.ledger.wire import ConnectionLostError, LaidOut, OutOfTurnError, Wire

COUNT = "SELECT cardinality($1::text[])"
LONG = "SELECT pg_sleep(30), $1::text[]"
REFUSED = "SELECT 1 / cardinality($1::text[])"


@pytest.fixture
async def wire(database_urls: tuple[str, str]) -> AsyncIterator[Wire]:
    made = await Wire.connect(database_urls[1], dict(SESSION))
    await made.prepare([COUNT, REFUSED, LONG])
    yield made
    made.terminate()


def counting(wire: Wire, rows: int, *, length: int = 1, statement: str = COUNT) -> LaidOut:
    return wire.lay_out([(statement, [["x" * length] * (rows - 1) + ["y"] * (rows > 0)])])


async def test_an_answer_that_came_while_the_next_was_sent_is_noticed(wire: Wire) -> None:
    """The next one is larger than a socket takes at once, so libpq reads what has come while it sends: the first one's answer.
    Nothing is left in the socket then that could wake who waits for it."""
    first = wire.send(counting(wire, 3))
    waiting = asyncio.create_task(wire.answer(first))
    await asyncio.sleep(0)  # it waits now
    assert select.select([wire._fd], [], [], 10)[0], "the server has answered, and nobody has read it"
    second = wire.send(counting(wire, 20_000, length=1_000))
    async with asyncio.timeout(20):
        assert await waiting == ((3).to_bytes(4),)
        assert await wire.answer(second) == ((20_000).to_bytes(4),)
    assert wire.in_flight == 0


async def test_a_line_that_breaks_while_the_next_is_sent_is_noticed(wire: Wire) -> None:
    """libpq notices it while it sends, and closes its socket: whoever watched that one would hear nothing more."""
    waiting = asyncio.create_task(wire.answer(wire.send(counting(wire, 1, statement=LONG))))
    await asyncio.sleep(0)
    with socket.socket(fileno=os.dup(wire._fd)) as line:
        line.shutdown(socket.SHUT_RDWR)
    with pytest.raises(ConnectionLostError):
        wire.send(counting(wire, 20_000, length=1_000))
    async with asyncio.timeout(20):
        with pytest.raises(ConnectionLostError):
            await waiting


async def test_who_waits_hears_of_the_end(wire: Wire) -> None:
    """It is closed by us while somebody waits for an answer that takes long."""
    waiting = asyncio.create_task(wire.answer(wire.send(counting(wire, 1, statement=LONG))))
    await asyncio.sleep(0)
    wire.terminate()
    async with asyncio.timeout(20):
        with pytest.raises(ConnectionLostError):
            await waiting
    assert wire._fd == -1


async def test_many_large_ones_behind_one_another_all_arrive(wire: Wire) -> None:
    async with asyncio.timeout(60):
        front = wire.send(counting(wire, 400, length=1_000))
        for n in range(60):
            behind = wire.send(counting(wire, 400 + n, length=1_000))
            await wire.answer(front)
            front = behind
        assert await wire.answer(front) == ((459).to_bytes(4),)


async def test_what_was_sent_behind_a_refused_one_is_not_tried(wire: Wire) -> None:
    refused, behind, last = (
        wire.send(counting(wire, 0, statement=REFUSED)),
        wire.send(counting(wire, 2)),
        wire.send(counting(wire, 3)),
    )
    with pytest.raises(Exception, match="division by zero"):
        await wire.answer(refused)
    for one in (behind, last):
        with pytest.raises(OutOfTurnError):
            await wire.answer(one)
    assert await wire.transact(counting(wire, 4)) == ((4).to_bytes(4),)
