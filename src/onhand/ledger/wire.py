"""The lane's fast connection: a batch's statements leave in one pipeline, with arrays laid out in PostgreSQL's binary format.

libpq through `psycopg.pq`. One round trip a batch instead of one a statement, a few dozen nanoseconds an array element
(docs/why/wire.md), and a batch may be sent while the one before is still under way. Errors are raised as asyncpg's classes, so
that the lane handles one family of them.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Any

import asyncpg
import msgspec
import psycopg
from psycopg import pq


class ConnectionLostError(ConnectionError):
    """The connection ended or is in doubt; what was under way may or may not be committed."""


class OutOfTurnError(Exception):
    """The batch before it on the same connection failed, so this one was not tried: send it again in its turn."""


Row = tuple[bytes | None, ...]
Call = tuple[str, Sequence[Sequence[Any] | int | bool]]
"""A statement and its arguments: arrays, and for the ledger's own call the epoch and the judged flag."""

_COMMAND_SECONDS = 60.0
_HEAD = Struct("!iiIii").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BEGIN, _COMMIT = "BEGIN", "COMMIT"
_ABORTED = b"25P02"
_NULL = b"\xff\xff\xff\xff"
_INT4 = Struct("!i").pack
_FIXED: dict[tuple[str, int], Callable[..., bytes]] = {}


def _fixed(code: str, size: int, values: Sequence[Any]) -> bytes:
    """Elements of a fixed-width type, each with its length before it."""
    count = len(values)
    pack = _FIXED.get((code, count))
    if pack is None:
        if len(_FIXED) > 4096:
            _FIXED.clear()
        pack = _FIXED[code, count] = Struct("!" + f"i{code}" * count).pack
    flat: list[Any] = [size] * (2 * count)
    flat[1::2] = values
    try:
        return pack(*flat)
    except StructError:
        one = Struct(f"!i{code}").pack
        return b"".join([_NULL if v is None else one(size, v) for v in values])


def _int8(values: Sequence[Any]) -> bytes:
    return _fixed("q", 8, values)


def _int4(values: Sequence[Any]) -> bytes:
    return _fixed("i", 4, values)


def _int2(values: Sequence[Any]) -> bytes:
    return _fixed("h", 2, values)


def _bool(values: Sequence[Any]) -> bytes:
    return b"".join([b"\0\0\0\1\1" if v else b"\0\0\0\1\0" for v in values])


def _uuid(values: Sequence[Any]) -> bytes:
    try:
        return b"\0\0\0\x10" + b"\0\0\0\x10".join([v.bytes for v in values])
    except AttributeError:
        return b"".join([_NULL if v is None else b"\0\0\0\x10" + v.bytes for v in values])


def _text(values: Sequence[Any]) -> bytes:
    out = []
    for value in values:
        if value is None:
            out.append(_NULL)
        else:
            raw = value.encode()
            out += (_INT4(len(raw)), raw)
    return b"".join(out)


def _bytea(values: Sequence[Any]) -> bytes:
    return b"".join([_NULL if v is None else _INT4(len(v)) + v for v in values])


def _jsonb(values: Sequence[Any]) -> bytes:
    out = []
    for value in values:
        raw = b"{}" if value == {} else msgspec.json.encode(value)
        out.append(_NULL if value is None else _INT4(len(raw) + 1) + b"\1" + raw)
    return b"".join(out)


def _timestamptz(values: Sequence[Any]) -> bytes:
    numbers: list[int | None] = []
    last: datetime | None = None
    number: int | None = None
    for value in values:
        if value is not last:
            last, number = value, None if value is None else (value - _EPOCH) // _MICROSECOND
        numbers.append(number)
    return _int8(numbers)


_ARRAYS: dict[int, tuple[int, Callable[[Sequence[Any]], bytes]]] = {
    2951: (2950, _uuid), 1016: (20, _int8), 1007: (23, _int4), 1005: (21, _int2), 1000: (16, _bool), 1009: (25, _text),
    1001: (17, _bytea), 3807: (3802, _jsonb), 1185: (1184, _timestamptz),
}  # fmt: skip
"""Array type → element type and the encoder of its elements."""
_NUMERIC_ARRAY = 1231
_EMPTY = {array: _HEAD(0, 0, element, 0, 0)[:12] for array, (element, _) in _ARRAYS.items()}


def encode(oid: int, value: Any) -> tuple[bytes, int]:
    """An argument as bytes, with libpq's format code (1 binary, 0 text)."""
    known = _ARRAYS.get(oid)
    if known is not None:
        if not value:
            return _EMPTY[oid], 1
        element, elements = known
        count, first = len(value), value[0]
        head = _HEAD(1, 1, element, count, 1)  # the server looks for NULLs itself
        if (
            count > 1 and first is value[-1] and value.count(first) == count
        ):  # one value all along, as many columns have
            return head + elements(value[:1]) * count, 1
        return head + elements(value), 1
    if oid == _NUMERIC_ARRAY:
        return ("{" + ",".join(["NULL" if v is None else str(v) for v in value]) + "}").encode(), 0
    if oid == 20:
        return Struct("!q").pack(value), 1
    if oid == 16:
        return (b"\1" if value else b"\0"), 1
    raise TypeError(f"the lane has no encoder for type {oid}")


@dataclass(frozen=True, slots=True)
class LaidOut:
    """Calls in binary, bound to the connection whose statements they name."""

    wire: Wire
    calls: list[tuple[bytes, list[tuple[bytes, int]]]]


@dataclass(slots=True, eq=False)
class Flight:
    """One transaction that was sent: what it answered, once it has landed."""

    wire: Wire
    statements: int
    landed: bool = False
    row: Row = ()
    error: Exception | None = None


class Wire:
    """One connection in pipeline mode. `send` sends the statements of one transaction, `answer` waits for its last row.

    Transactions run in the order in which they were sent. One that fails takes those sent behind it along: nothing of them is
    done, and they answer OutOfTurnError.
    """

    def __init__(self, conn: psycopg.AsyncConnection[Any]) -> None:
        self._conn = conn
        self._pg = conn.pgconn
        self._known: dict[str, tuple[bytes, list[int]]] = {}
        # libpq closes its own socket when it finds the server gone, also in the middle of sending
        self._fd = os.dup(conn.fileno())
        self._flights: deque[Flight] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._ended = False

    @classmethod
    async def connect(cls, url: str, options: dict[str, str]) -> Wire:
        """Connect with session settings. Raises ConnectionLostError while the server is away."""
        try:
            conn = await psycopg.AsyncConnection.connect(
                url,
                autocommit=True,
                connect_timeout=5,
                options=" ".join(f"-c {k}={v}" for k, v in options.items()),
            )
        except psycopg.OperationalError as error:
            raise ConnectionLostError(str(error)) from error
        wire = cls(conn)
        wire._pg.nonblocking = 1
        wire._pg.enter_pipeline_mode()
        return wire

    @property
    def backend_pid(self) -> int:
        """The server process of this connection."""
        return self._pg.backend_pid

    @property
    def in_flight(self) -> int:
        """Transactions sent and not yet answered."""
        return len(self._flights)

    def terminate(self) -> None:
        """Close at once, whatever is under way."""
        self._pg.finish()
        self._ended = True
        self._wake()
        self._let_go()

    async def prepare(self, statements: Iterable[str]) -> None:
        """Make statements known to the server; `lay_out` needs them."""
        for statement in (_BEGIN, *statements, _COMMIT):
            if statement not in self._known:
                await self._prepare(statement)

    def lay_out(self, calls: Sequence[Call]) -> LaidOut:
        """The calls in binary, ready to be sent on this very connection. What cannot be encoded fails here, before anything
        is sent."""
        out = []
        for statement, arguments in ((_BEGIN, ()), *calls, (_COMMIT, ())):
            name, oids = self._known[statement]
            out.append((name, [encode(oid, a) for oid, a in zip(oids, arguments, strict=True)]))
        return LaidOut(self, out)

    def send(self, laid_out: LaidOut) -> Flight:
        """Send BEGIN, the calls and COMMIT, behind what is under way. Raises ConnectionLostError."""
        pg = self._pg
        try:
            for name, encoded in laid_out.calls:
                pg.send_query_prepared(
                    name, [v for v, _ in encoded], [f for _, f in encoded], result_format=1
                )
            pg.pipeline_sync()
        except psycopg.OperationalError as error:
            raise ConnectionLostError(str(error)) from error
        except BaseException:
            self.terminate()  # half of it may be on its way
            raise
        finally:
            self._wake()  # where the socket was full, libpq read what had come, and nobody else would notice
        flight = Flight(self, len(laid_out.calls))
        self._flights.append(flight)
        return flight

    async def answer(self, flight: Flight) -> Row:
        """The first row of a transaction's last call, in binary, once it is committed.

        Raises what a statement refused (nothing is written then), OutOfTurnError, ConnectionLostError when it is not known what
        was committed.
        """
        try:
            while not flight.landed:
                await self._land()
        except psycopg.OperationalError as error:
            raise ConnectionLostError(str(error)) from error
        except BaseException:
            self.terminate()  # answers may be on their way, and would be taken for the next batch's
            raise
        if flight.error is not None:
            raise flight.error
        return flight.row

    async def transact(self, laid_out: LaidOut) -> Row:
        """Send and wait for the answer."""
        return await self.answer(self.send(laid_out))

    async def _land(self) -> None:
        """Read what the first in line answered; where it failed, also what was sent behind it, and roll back."""
        if not self._flights:
            raise ConnectionLostError("the answer was given up")
        first = self._flights[0]
        await self._read(first)
        if first.error is not None:
            while self._flights:
                await self._read(self._flights[0])
            await self._rollback()

    async def _read(self, flight: Flight) -> None:
        """Read a transaction's results: its row, or its error."""
        results = await self._results(flight.statements)
        failed = next((r for r in results if r.status == pq.ExecStatus.FATAL_ERROR), None)
        if failed is not None:
            aborted = failed.error_field(pq.DiagnosticField.SQLSTATE) == _ABORTED
            flight.error = OutOfTurnError() if aborted else _error(failed)
        elif results[-1].command_status != b"COMMIT":
            raise ConnectionLostError(f"COMMIT answered {results[-1].command_status!r}")
        else:
            row = results[-2]
            flight.row = tuple(row.get_value(0, n) for n in range(row.nfields)) if row.ntuples else ()
        flight.landed = True
        self._flights.popleft()

    async def _prepare(self, statement: str) -> None:
        name = f"s{len(self._known)}".encode()
        try:
            self._pg.send_prepare(name, statement.encode())
            self._pg.send_describe_prepared(name)
            self._pg.pipeline_sync()
            results = await self._results(2)
        except psycopg.OperationalError as error:
            raise ConnectionLostError(str(error)) from error
        for result in results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                raise _error(result)
        self._known[statement] = name, [results[1].param_type(n) for n in range(results[1].nparams)]

    async def _rollback(self) -> None:
        if self._pg.status == pq.ConnStatus.BAD:
            return  # gone, and its transaction with it
        if self._pg.transaction_status != pq.TransactionStatus.IDLE:
            self._pg.send_query_params(b"ROLLBACK", None)
            self._pg.pipeline_sync()
            await self._results(1)

    async def _results(self, count: int) -> list[pq.abc.PGresult]:
        """The results of `count` statements and the sync after them."""
        pg, out = self._pg, []
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                while pg.flush():
                    await self._ready(write=True)
                    pg.consume_input()
                while True:
                    while pg.is_busy():
                        await self._ready(write=bool(pg.flush()))  # what was sent behind goes on meanwhile
                        pg.consume_input()
                    result = pg.get_result()
                    if result is None:
                        if pg.status == pq.ConnStatus.BAD:
                            raise ConnectionLostError("the connection ended")
                        continue
                    if result.status == pq.ExecStatus.PIPELINE_SYNC:
                        break
                    out.append(result)
        except TimeoutError:
            raise ConnectionLostError("the server did not answer") from None
        if pg.status == pq.ConnStatus.BAD:
            raise ConnectionLostError("the connection ended")
        if len(out) != count:
            failed = next((r for r in out if r.status == pq.ExecStatus.FATAL_ERROR), None)
            raise _error(failed) if failed else ConnectionLostError("the server answered out of step")
        return out

    async def _ready(self, *, write: bool = False) -> None:
        """Wait until the socket can be read (or written), or something was sent."""
        if self._ended:
            raise ConnectionLostError("the connection was closed")
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        loop.add_reader(self._fd, self._wake)
        if write:
            loop.add_writer(self._fd, self._wake)
        try:
            await self._waiting
        finally:
            self._waiting = None
            loop.remove_reader(self._fd)
            if write:
                loop.remove_writer(self._fd)
            self._let_go()

    def _let_go(self) -> None:
        """Close the socket once the connection has ended and the loop does not watch it any more."""
        if self._ended and self._waiting is None and self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def first_and_instant(row: Sequence[bytes | None]) -> tuple[int, datetime]:
    """What `sql.APPLY` answers: the number before the first posting's, and the instant of recording."""
    first, at = row[0], row[1]
    if first is None or at is None:
        raise ConnectionLostError("the ledger answered nothing")
    return int.from_bytes(first), _EPOCH + timedelta(microseconds=int.from_bytes(at))


def _error(result: pq.abc.PGresult) -> Exception:
    """What the server refused, as asyncpg words it."""
    state = result.error_field(pq.DiagnosticField.SQLSTATE)
    text = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY)
    if state is None:
        return ConnectionLostError(result.get_error_message())
    fields = {"S": "ERROR", "V": "ERROR", "C": state.decode(), "M": (text or b"").decode(errors="replace")}
    error: Exception = asyncpg.PostgresError.new(fields)
    return error
