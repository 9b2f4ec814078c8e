"""The HTTP edge: one transaction a request, safe retries, strict bodies, pages.

`EdgeRoute` wraps every FastAPI route: a handler that asks for `Writes` gets a transaction, and the route commits it once
the answer is known, with the answer remembered under the client's id in the same commit. A retry gets that answer again.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
import sqlalchemy as sa
from fastapi import APIRouter as FastAPIRouter
from fastapi import Depends, Query, Request, Response
from fastapi.routing import APIRoute
from psycopg.errors import LockNotAvailable
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.paging import DEFAULT_LIMIT, MAX_LIMIT
from onhand.kit.problem import Conflict, IdReused, InFlight, InvalidBody
from onhand.kit.tx import SYSTEM, Actor, Tx

T = TypeVar("T")

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Body(BaseModel):
    """Base of request bodies: strict types, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)


class Out(BaseModel):
    """Base of answers."""

    model_config = ConfigDict(extra="forbid")


class Page(Out, Generic[T]):
    """One page of a list; `next_cursor` asks for the next."""

    data: list[T]
    next_cursor: str | None
    has_more: bool


def page(data: Sequence[Any], next_cursor: str | None) -> dict[str, Any]:
    """The answer of a list."""
    return {"data": list(data), "next_cursor": next_cursor, "has_more": next_cursor is not None}


def _clean(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(ch) == "Cc" and ch not in "\n\t\r" for ch in text):
        raise ValueError("must not contain control characters")
    return text


Text = Annotated[str, AfterValidator(_clean)]
"""Free text: NFC, no control characters."""


def _uuid(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError as error:
            raise ValueError("must be a UUID") from error
    return value


Id = Annotated[UUID, BeforeValidator(_uuid)]
"""A UUID in a strict body (JSON has only strings)."""


def _instant(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError("must be a time such as 2026-11-21T08:30:00Z") from error
        if value.tzinfo is None:
            raise ValueError("needs an offset, such as 2026-11-21T08:30:00Z")
    return value


Instant = Annotated[datetime, BeforeValidator(_instant)]
"""An instant in a strict body: RFC 3339 with an offset."""

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description=f"Rows a page, at most {MAX_LIMIT}.")]
Cursor = Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before.")]
LIMIT = DEFAULT_LIMIT


class Replay(Exception):
    """Not an error: the remembered answer of the first request."""

    def __init__(self, response: Response) -> None:
        self.response = response


class Edge:
    """What one request opened: at most one transaction and one read connection."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.database: Database = request.app.state.database
        self.stack = AsyncExitStack()
        self.tx: Tx | None = None
        self.read: AsyncConnection | None = None
        self.remember: tuple[UUID, str, str] | None = None

    @property
    def actor(self) -> Actor:
        return getattr(self.request.state, "actor", None) or SYSTEM

    async def reads(self) -> AsyncConnection:
        if self.tx is not None:
            return self.tx.conn
        if self.read is None:
            self.read = await self.stack.enter_async_context(self.database.reading())
        return self.read

    async def writes(self) -> Tx:
        if self.tx is not None:
            return self.tx
        request = self.request
        conn = await self.stack.enter_async_context(self.database.engine.connect())
        self.tx = Tx(
            conn=conn,
            now=now(),
            actor=self.actor,
            action=f"{request.method} {request.scope['route'].path}",
            request_id=getattr(request.state, "request_id", ""),
            ip=request.client.host if request.client else "",
            idempotency_key=_key_of(request),
        )
        await self._claim_key()
        return self.tx

    async def _claim_key(self) -> None:
        """Take the retry key; a key that was used answers again, or is refused when the content differs."""
        assert self.tx is not None
        key, digest = await _retry_key(self.request)
        if key is None:
            return
        where = {"caller": self.actor.id, "route": self.tx.action, "key": key}
        try:
            inserted = await self.tx.conn.execute(_CLAIM, {**where, "digest": digest})
        except DBAPIError as error:
            if isinstance(error.orig, LockNotAvailable):
                raise InFlight(retry_after=1) from error
            raise
        if inserted.rowcount == 1:
            self.remember = (self.actor.id, self.tx.action, key)
            return
        first = (await self.tx.conn.execute(_FIRST, where)).one()
        if bytes(first.digest) != digest:
            raise IdReused(param="id")
        if first.status is None or first.body is None:
            raise Conflict("This was done before; its answer held a secret and is shown only once.")
        raise Replay(
            Response(
                content=bytes(first.body),
                status_code=first.status,
                media_type="application/json",
                headers={"Idempotent-Replayed": "true"},
            )
        )

    async def finish(self, response: Response) -> None:
        """Remember the answer and commit."""
        if self.tx is None:
            return
        if self.remember is not None:
            caller, route, key = self.remember
            body = None if self.tx.secret_answer else bytes(response.body)
            await self.tx.conn.execute(
                _REMEMBER,
                {"caller": caller, "route": route, "key": key, "status": response.status_code, "body": body},
            )
        await self.database.commit(self.tx)


_CLAIM = sa.text(
    "INSERT INTO idempotency (caller, route, key, digest) VALUES (:caller, :route, :key, :digest) ON CONFLICT DO NOTHING"
)
_FIRST = sa.text(
    "SELECT digest, status, body FROM idempotency WHERE caller = :caller AND route = :route AND key = :key"
)
_REMEMBER = sa.text(
    "UPDATE idempotency SET status = :status, body = :body WHERE caller = :caller AND route = :route AND key = :key"
)


def _key_of(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= 255:
        raise InvalidBody("An Idempotency-Key has 1 to 255 characters.", param="Idempotency-Key")
    return key


async def _retry_key(request: Request) -> tuple[str | None, bytes]:
    raw = await request.body()
    parsed: Any = None
    if raw and request.headers.get("content-type", "").startswith("application/json"):
        try:
            parsed = orjson.loads(raw)
            raw = orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONDecodeError:
            pass
    digest = hashlib.sha256(
        f"{request.method} {request.url.path}?{request.url.query}\n".encode() + raw
    ).digest()
    key = _key_of(request)
    if key is not None:
        return f"key:{key}", digest
    if request.method == "POST" and isinstance(parsed, dict) and isinstance(parsed.get("id"), str):
        return f"id:{parsed['id']}"[:300], digest
    return None, digest


class EdgeRoute(APIRoute):
    """A route with an edge: commit when the answer is known, roll back on any exception."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def edge_handler(request: Request) -> Response:
            edge = Edge(request)
            request.state.edge = edge
            async with edge.stack:
                try:
                    response = await handle(request)
                except Replay as replay:
                    return replay.response
                await edge.finish(response)
                return response

        return edge_handler


class APIRouter(FastAPIRouter):
    """A router whose routes have an edge. Every package's `api.py` makes one."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("route_class", EdgeRoute)
        super().__init__(**kwargs)


async def _writes(request: Request) -> Tx:
    edge: Edge = request.state.edge
    return await edge.writes()


async def _reads(request: Request) -> AsyncConnection:
    edge: Edge = request.state.edge
    return await edge.reads()


Writes = Annotated[Tx, Depends(_writes)]
"""The request's write transaction; committed by the route."""

Reads = Annotated[AsyncConnection, Depends(_reads)]
"""A read-only connection (the replica's where configured)."""


def if_match(request: Request) -> int | None:
    """The version the client holds, from If-Match (`"3"` or `3`); None when absent."""
    value = request.headers.get("if-match")
    if value is None:
        return None
    text = value.strip().removeprefix("W/").strip('"')
    if not text.isdecimal() or len(text) > 18:
        raise InvalidBody("If-Match carries the document's version, a whole number.", param="If-Match")
    return int(text)


IfMatch = Annotated[int | None, Depends(if_match)]
