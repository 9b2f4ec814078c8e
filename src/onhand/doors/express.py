"""The till's routes without a framework between: the same caller, limits, headers, refusals and metrics, a third of the work.

Only what an API key sends as plain JSON of known length goes here; everything else – a browser's session, a wrong media type,
a body without end – takes the ordinary way through middleware and router, and is answered there.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from onhand import access
from onhand.kit import telemetry
from onhand.kit.database import is_away
from onhand.kit.ids import quick7
from onhand.kit.intake import Intake, read_body
from onhand.kit.problem import InternalError, Problem, Unavailable

log = structlog.get_logger("onhand.http")

Crashed = Callable[[Request, Exception], Awaitable[Response]]


class Line:
    """One route: its decoder, encoder and counters, made once."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.decode = msgspec.json.Decoder(intake.body or msgspec.Raw).decode
        self.encode = msgspec.json.Encoder().encode
        self.seconds = telemetry.HTTP_SECONDS.labels(intake.method, intake.path)
        self.counts: dict[int, Any] = {}

    def observe(self, status: int, seconds: float) -> None:
        """Count one request, as `telemetry.observe_request` does."""
        count = self.counts.get(status)
        if count is None:
            count = self.counts[status] = telemetry.HTTP_REQUESTS.labels(
                self.intake.method, self.intake.path, str(status)
            )
        count.inc()
        self.seconds.observe(seconds)


class Express:
    """The thin routes by path. `line_of` says whether a request may take one."""

    def __init__(self, intakes: Sequence[Intake], headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._lines = {intake.path: Line(intake) for intake in intakes if intake.method == "POST"}
        self._asked = {intake.path: Line(intake) for intake in intakes if intake.method == "GET"}
        self._headers = [(b"content-type", b"application/json"), *headers]

    def line_of(self, scope: Scope) -> Line | None:
        """The line of a request that is all it should be; None sends it the ordinary way."""
        line = self._lines.get(scope["path"])
        if line is None or scope["method"] != "POST":
            return self._asked_of(scope)
        keyed = plain = sized = False
        for name, value in scope["headers"]:
            if name == b"authorization":
                keyed = True
            elif name == b"content-type":
                plain = value == b"application/json"
            elif name == b"content-length":
                sized = value.isdigit() and int(value) <= line.intake.max_body
            elif name in (b"transfer-encoding", b"content-encoding", b"sec-fetch-site", b"origin"):
                return None
        return line if keyed and plain and sized else None

    def _asked_of(self, scope: Scope) -> Line | None:
        """The same for what is only asked: by key, without a body."""
        line = self._asked.get(scope["path"])
        if line is None or scope["method"] != "GET":
            return None
        names = [name for name, _ in scope["headers"]]
        bodied = b"content-length" in names or b"transfer-encoding" in names
        browser = b"sec-fetch-site" in names or b"origin" in names
        return line if b"authorization" in names and not bodied and not browser else None

    async def run(self, line: Line, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        request_id = str(quick7())
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        request = Request(scope, receive)
        intake, extra = line.intake, (b"x-request-id", request_id.encode())
        try:
            caller = await intake.enter(request, intake.permission)
            body_in: Any = None
            if intake.body is not None:
                raw = await _body(receive)
                if raw is None:
                    return  # hung up
                body_in = read_body(line.decode, raw)
            status, answer, replayed = await intake.handle(request, body_in, caller)
        except Exception as error:
            status = await self._refuse(error, request, extra, scope, receive, send)
        else:
            body = line.encode(answer)
            headers = [*self._headers, (b"content-length", b"%d" % len(body)), extra]
            if replayed:
                headers.append((b"idempotent-replayed", b"true"))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        line.observe(status, time.perf_counter() - started)

    async def _refuse(
        self, error: Exception, request: Request, extra: tuple[bytes, bytes], scope: Scope, receive: Receive, send: Send
    ) -> int:  # fmt: skip
        if isinstance(error, Problem):
            problem = error
            if problem.status >= 500:
                log.warning("refused", code=problem.code, detail=problem.detail)
        elif is_away(error):
            log.warning("database_away", error=repr(error)[:300])
            problem = Unavailable("The database is away. Send it again with the same id.", retry_after=1)
        else:
            log.error("crashed", path=scope["path"], exc_info=error)
            problem = InternalError()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] += [h for h in (*self._headers, extra) if h[0] not in present]
            await send(message)

        await access.refusal(problem, request)(scope, receive, send_with_headers)
        return problem.status


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when the client hung up. Its length was checked, and the server holds it to that."""
    message = await receive()
    if message["type"] != "http.request":
        return None
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
    return body
