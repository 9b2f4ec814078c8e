"""What every route says about itself: the permission it needs and where, or that it is open. Nothing is open by omission."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from fastapi import Depends, FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onhand.access.gate import (
    PLAIN_COOKIE,
    SAFE_METHODS,
    SECURE_COOKIE,
    Access,
    check_media_type,
    check_same_site,
    session_token,
)
from onhand.access.model import (
    PERMISSIONS,
    SESSION_ABSOLUTE,
    Caller,
    LocationNotAllowed,
    PlaceMissing,
    TotpSetupRequired,
)
from onhand.kit.problem import Problem, Unauthenticated

F = TypeVar("F", bound=Callable[..., Any])

PUBLIC, SIGNED_IN = "public", "signed-in"


def access_of(request: HTTPConnection) -> Access:
    """The process's access objects."""
    found: Access = request.app.state.access
    return found


async def authenticate(request: HTTPConnection) -> Caller | None:
    """Whose request this is, or None. Works for FastAPI and plain Starlette routes; asked twice, it answers from the request."""
    scope = request.scope
    state = scope.setdefault("state", {})
    if "caller" in state:
        known: Caller | None = state["caller"]
        return known
    access: Access = scope["app"].state.access
    caller = await access.gate.authenticate(request)
    state["caller"] = caller
    if caller is not None:
        state["actor"] = caller.actor
    return caller


async def current_caller(request: Request) -> Caller:
    """The caller; raises Unauthenticated when there is none."""
    caller = await authenticate(request)
    if caller is None:
        raise Unauthenticated()
    return caller


CallerDep = Annotated[Caller, Depends(current_caller)]
"""The caller, in a handler's signature."""


async def refresh(request: HTTPConnection, caller: Caller) -> Caller | None:
    """The caller with their rights as of now (at most 4 s old); None once their session or key has ended."""
    return await access_of(request).gate.refresh(caller)


async def still_valid(request: HTTPConnection, caller: Caller) -> bool:
    """Does a stream's caller still hold exactly the rights it started with? Ask every second or two; end on no."""
    return await access_of(request).gate.still_valid(caller)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a route says: the permission (or `public`, `signed-in`), and the fields that name the place it acts on."""

    permission: str
    at: tuple[str, ...] = ()
    before_totp: bool = False

    async def __call__(self, request: Request) -> None:
        if self.permission == PUBLIC:
            await authenticate(request)
            return
        caller = await current_caller(request)
        if caller.held_back and not self.before_totp:
            raise TotpSetupRequired()
        if self.permission == SIGNED_IN:
            return
        caller.require(self.permission)
        if self.at and caller.sites(self.permission) is not None:
            await self._check_places(request, caller)

    async def _check_places(self, request: Request, caller: Caller) -> None:
        """Every place the request names, in path, query or body, must be one of the caller's."""
        access, named = access_of(request), False
        ids: list[UUID | None] = []
        for name in self.at:
            values = [str(v) for v in await _values(request, name)]
            named = named or bool(values)
            if name.rpartition(".")[2] in _codes():
                ids += await access.gate.locations_of(name.rpartition(".")[2], values) if values else []
            else:
                ids += [_uuid(v) for v in values]
        if not named and request.method not in SAFE_METHODS:
            raise PlaceMissing(param=self.at[0].rpartition(".")[2])
        known = await access.gate.sites_of({i for i in ids if i is not None})
        scope = caller.sites(self.permission)
        for place in ids:
            site = known.get(place) if place is not None else None
            if scope is not None and (site is None or site not in scope):
                raise LocationNotAllowed(needs=self.permission)


def _codes() -> Iterable[str]:
    from onhand.access.gate import RESOLVERS

    return RESOLVERS.codes


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _values(request: Request, name: str) -> list[Any]:
    """All values a field has anywhere in the request: `location_id`, or within lists `lines.location_id`."""
    found: list[Any] = []
    if "." not in name:
        found += [request.path_params[name]] if name in request.path_params else []
        found += request.query_params.getlist(name)
    media = request.headers.get("content-type", "")
    if request.method not in SAFE_METHODS and not media.startswith("multipart/"):
        try:
            body = await request.json()  # the very parse the handler gets, so both see the same place
        except ValueError:
            body = None  # the handler's own reader names what is wrong with it
        found += _inside(body, name.split("."))
    return [v for v in found if v is not None]


def _inside(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _inside(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _inside(value[path[0]], path[1:])


def needs(permission: str, *, at: str | tuple[str, ...] = ()) -> Any:
    """The dependency that lets only callers with a permission in: `dependencies=[needs("stock:adjust", at="location_id")]`.

    `at` names the fields (path, query or body; `lines.location_id` inside lists) that say where: a caller bound to places is
    refused (`location_not_allowed`) elsewhere. Without `at` the handler asks `caller.require(permission, site)` or filters by
    `caller.sites(permission)`. Raises ValueError for a permission there is not.
    """
    if permission not in PERMISSIONS:
        raise ValueError(f"there is no permission {permission!r}")
    return Depends(Declaration(permission, (at,) if isinstance(at, str) else at))


def public() -> Any:
    """The dependency of a route anybody may use."""
    return Depends(Declaration(PUBLIC))


def signed_in() -> Any:
    """The dependency of a route that needs no permission, but a caller; what it shows depends on who that is."""
    return Depends(Declaration(SIGNED_IN))


def oneself() -> Any:
    """The same for a route about one's own account, open also to those who still have to set up their second factor."""
    return Depends(Declaration(SIGNED_IN, before_totp=True))


def declare(permission: str, *, at: str | tuple[str, ...] = ()) -> Callable[[F], F]:
    """The same for plain Starlette endpoints, as a decorator: the endpoint itself calls `enter(request)` first.

    `permission` may also be `public`.
    """
    if permission not in PERMISSIONS and permission not in (PUBLIC, SIGNED_IN):
        raise ValueError(f"there is no permission {permission!r}")

    def mark(endpoint: F) -> F:
        endpoint.__access__ = Declaration(permission, (at,) if isinstance(at, str) else at)  # type: ignore[attr-defined]
        return endpoint

    return mark


async def enter(request: HTTPConnection, permission: str) -> Caller:
    """For plain Starlette endpoints: the caller, who has the permission somewhere; raises the same refusals as `needs`."""
    caller = await authenticate(request)
    if caller is None:
        raise Unauthenticated()
    if caller.held_back:
        raise TotpSetupRequired()
    caller.require(permission)
    return caller


# --- every route declares itself --------------------------------------------------------------------------------


class UndeclaredRouteError(RuntimeError):
    """Routes without a permission; start-up stops here, for a forgotten one would be open to everybody."""


def declarations(app: FastAPI) -> dict[tuple[str, str], Declaration | None]:
    """(method, path) → what the route says, None when it says nothing."""
    out: dict[tuple[str, str], Declaration | None] = {}
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        endpoint = getattr(route, "endpoint", None) or getattr(route, "app", None)
        found: Declaration | None = getattr(endpoint, "__access__", None)
        if dependant is not None:
            said = [d.call for d in dependant.dependencies if isinstance(d.call, Declaration)]
            found = said[0] if said else found
        for method in sorted(getattr(route, "methods", None) or {"*"}):
            if method != "HEAD":
                out[method, str(route.path)] = found
    return out


def check_routes(app: FastAPI, *, exempt: Iterable[str] = ()) -> None:
    """Call once all routes are mounted. Raises UndeclaredRouteError naming each route that says nothing.

    Remembers which routes are public (all others answer 401 before any body is read), and writes each route's permission
    into the OpenAPI document as `x-permission` and `x-location`. `exempt`: paths of mounted static files and the like.
    """
    said = declarations(app)
    left = sorted(
        f"{method} {path}" for (method, path), d in said.items() if d is None and path not in set(exempt)
    )
    if left:
        raise UndeclaredRouteError(
            "Each route says what it needs (`dependencies=[needs(…)]` or `[public()]`); these do not: "
            + ", ".join(left)
        )
    app.state.public_routes = frozenset(key for key, d in said.items() if d is None or d.permission == PUBLIC)
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        return stamp_openapi(app, plain())

    app.openapi = openapi  # type: ignore[method-assign]


def stamp_openapi(app: FastAPI, document: dict[str, Any]) -> dict[str, Any]:
    """Add `x-permission` and, where the request names its place, `x-location` to each operation."""
    for (method, path), said in declarations(app).items():
        operation = document.get("paths", {}).get(path, {}).get(method.lower())
        if operation is None or said is None:
            continue
        operation["x-permission"] = said.permission
        if said.at:
            operation["x-location"] = list(said.at)
    return document


# --- the middleware ----------------------------------------------------------------------------------------------


class AccessMiddleware:
    """Before any route: refuse cross-site requests, find the caller, and stop nameless ones short of everything not public.

    Sets `request.state.caller` and `request.state.actor`; hands a session whose owner's rights changed its new token.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        try:
            if not any(
                name == b"authorization" for name, _ in scope["headers"]
            ):  # no browser sends that by itself
                check_same_site(request)
                check_media_type(request)
            caller = await authenticate(request)
            if caller is None and scope["type"] == "http" and not _open_to_all(request):
                raise Unauthenticated()
        except Problem as problem:
            await refusal(problem, request)(scope, receive, send)
            return
        token = session_token(request) if caller is not None and caller.session_id else None
        fresh = await access_of(request).gate.rotate(token) if token else None
        if fresh is None:
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _with_cookie(send, session_cookie(request, fresh)))


def _with_cookie(send: Send, cookie: str) -> Send:
    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if "set-cookie" not in headers:  # signing out says more than a new token
                headers.append("set-cookie", cookie)
        await send(message)

    return send_with_cookie


def _open_to_all(request: HTTPConnection) -> bool:
    """Is this outside of the API, or one of its public routes (they have no path parameters)?"""
    path, method = request.scope["path"], request.scope["method"]
    if not path.startswith("/v1/"):
        return True
    routes: frozenset[tuple[str, str]] = getattr(request.app.state, "public_routes", frozenset())
    return (method, path) in routes or (method == "HEAD" and ("GET", path) in routes)


def refusal(problem: Problem, request: HTTPConnection) -> Response:
    """The answer to a refused request, for places where no exception handler reaches."""
    request_id = request.scope.get("state", {}).get("request_id")
    headers = {"Cache-Control": "no-store"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="onhand"'
    return Response(
        orjson.dumps(problem.body(request_id), default=str),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=headers,
    )


# --- cookies -----------------------------------------------------------------------------------------------------


def _plain_http(request: HTTPConnection) -> bool:
    """Must this browser get a cookie that works without TLS? Only where the owner said so, or Safari talks to localhost."""
    access = access_of(request)
    url = access.settings.public_url or ""
    if request.url.scheme in ("https", "wss") or url.startswith("https:"):
        return False
    if url.startswith("http:") and not _loopback(urlsplit(url).hostname):
        return True
    agent = request.headers.get("user-agent", "")
    return (
        _loopback(request.url.hostname)
        and "Safari/" in agent
        and "Chrome/" not in agent
        and "Chromium/" not in agent
    )


def stays_signed_in(request: HTTPConnection) -> bool:
    """Would a browser keep the session cookie this address hands out? Not over plain HTTP from another machine."""
    secure = request.url.scheme in ("https", "wss") or (
        access_of(request).settings.public_url or ""
    ).startswith("https:")
    return secure or _plain_http(request) or _loopback(request.url.hostname)


def _loopback(host: str | None) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


def session_cookie(request: HTTPConnection, token: str | None) -> str:
    """The Set-Cookie value that hands over a session token (None: takes it away).

    `__Host-`, Secure, HttpOnly, SameSite=Strict. Chromium and Firefox accept Secure cookies from http://localhost; Safari
    does not, and gets one without there.
    """
    plain = _plain_http(request)
    name = PLAIN_COOKIE if plain else SECURE_COOKIE
    cookie: SimpleCookie = SimpleCookie()
    cookie[name] = token or ""
    morsel = cookie[name]
    morsel["path"], morsel["httponly"], morsel["samesite"] = "/", True, "Strict"
    morsel["max-age"] = int(SESSION_ABSOLUTE.total_seconds()) if token else 0
    if not plain:
        morsel["secure"] = True
    return morsel.OutputString()
