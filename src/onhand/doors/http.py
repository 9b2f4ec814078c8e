"""The HTTP server: mounts every package's routes, the middleware, the lane, the stream and the console."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import onhand
from onhand import access
from onhand.doors import console, wiring
from onhand.doors.express import Express
from onhand.doors.live import Hub
from onhand.doors.upkeep import background
from onhand.kit import telemetry, worker
from onhand.kit.clock import now
from onhand.kit.database import is_away
from onhand.kit.ids import uuid7
from onhand.kit.intake import Intake, add_to_openapi
from onhand.kit.problem import (
    InternalError,
    InvalidBody,
    LimitExceeded,
    MethodNotAllowed,
    NotFound,
    Problem,
    Unavailable,
)
from onhand.kit.settings import Settings
from onhand.values.errors import BadValue

log = structlog.get_logger("onhand.http")

ROUTERS = (
    "onhand.access", "onhand.catalog.api", "onhand.locations.api", "onhand.parties.api", "onhand.pricing.api",
    "onhand.channels.api",
    "onhand.ledger.api", "onhand.pos.api", "onhand.counting.api", "onhand.quality.api", "onhand.transfers.api", "onhand.insight.api",
    "onhand.integrations.imports.api", "onhand.doors.ops_api", "onhand.doors.stream_api", "onhand.doors.keep_api",
)  # fmt: skip

BODY_LIMIT = 1 << 20
UPLOAD_LIMIT = 51 << 20
"""50 MB of file, and what surrounds it in a form."""
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]
API_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


class App(FastAPI):
    """The application. What tills send by key takes the express lines, before any middleware."""

    express: Express | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = self.express.line_of(scope) if self.express is not None and scope["type"] == "http" else None
        if line is None or self.express is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self.express.run(line, scope, receive, send)


def create_app(settings: Settings, urls: wiring.Urls | None = None) -> FastAPI:
    """The application on a database that is up and migrated."""
    if urls is None:
        assert settings.database_url is not None
        app_url = settings.app_database_url or settings.database_url
        urls = wiring.Urls(settings.database_url.get_secret_value(), app_url.get_secret_value())
    objects = wiring.Onhand.assemble(settings, urls)
    app = App(
        title="Onhand", version=onhand.__version__, lifespan=_lifespan, openapi_url=None, docs_url=None, redoc_url=None,
        description="The stock system of record. `reserved` is what orders, baskets and quotas have claimed at a site and "
        "nobody has taken yet; `available` = sellable − reserved.",
        generate_unique_id_function=lambda route: f"{route.name}",
    )  # fmt: skip
    app.state.settings = settings
    app.state.started_at = now()
    app.state.database = objects.database
    app.state.access = objects.access
    app.state.engine = objects.engine
    app.state.onhand = objects
    app.state.hub = Hub(
        objects.database,
        on_event={"register.changed": objects.desk.forget, "channel.changed": objects.promises.forget},
    )
    mount(app, [*objects.counter.intakes(), *objects.promises.intakes()])
    return app


def mount(app: App, intakes: list[Intake]) -> None:
    """Routes, refusals, OpenAPI, middleware, and the console behind everything."""
    for name in ROUTERS:
        app.include_router(import_module(name).router)
    for intake in intakes:
        endpoint = access.declare(intake.permission, at=intake.at)(intake.endpoint())
        app.router.routes.append(Route(intake.path, endpoint, methods=[intake.method], name=intake.path))
    for path, probe in (
        ("/healthz", telemetry.healthz),
        ("/readyz", telemetry.readyz),
        ("/metrics", telemetry.metrics),
    ):
        app.router.routes.append(Route(path, access.declare("public")(probe), methods=["GET"]))
    app.router.routes.append(Route("/v1/openapi.json", access.declare("public")(_openapi), methods=["GET"]))
    app.router.routes.append(
        Route("/v1/{path:path}", access.declare("public")(_nothing), methods=_METHODS, name="nothing")
    )
    console.mount(app)
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            add_to_openapi(document, intakes, _PROBLEM_RESPONSE)
            shape_openapi(document)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    access.check_routes(app, exempt=())
    app.add_exception_handler(Problem, _on_problem)  # type: ignore[arg-type]
    app.add_exception_handler(BadValue, _on_bad_value)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _on_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _on_http)  # type: ignore[arg-type]
    app.add_exception_handler(DataError, _on_data)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _on_crash)
    app.add_middleware(access.AccessMiddleware)
    app.add_middleware(Front)
    app.express = Express(intakes, [*HEADERS, *API_HEADERS])


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    objects: wiring.Onhand = app.state.onhand
    await wiring.prepare(objects.database)
    await objects.engine.start()
    await app.state.hub.start()
    tasks = [asyncio.create_task(objects.access.gate.keep_house(), name="access upkeep")]
    if objects.settings.jobs_concurrency:
        tasks.append(asyncio.create_task(worker.run_worker(objects.database, objects.settings), name="jobs"))
    tasks += background(objects)
    try:
        yield
    finally:
        app.state.stopping = True
        await app.state.hub.stop()
        await objects.promises.close()
        await objects.engine.stop()  # the lane drains: what was accepted is committed
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task
        objects.access.close()
        await objects.database.close()


class Front:
    """The outermost layer: request id, security headers, body limits, metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        api = scope["path"].startswith("/v1/")
        extra = [(b"x-request-id", request_id.encode()), *HEADERS, *(API_HEADERS if api else ())]
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                present = {name for name, _ in headers}
                headers += [(name, value) for name, value in extra if name not in present]
            await send(message)

        limit = _limit_of(scope)
        refused = _too_large(scope, limit)
        if refused is not None:
            response = access.refusal(refused, Request(scope))
            await response(scope, receive, send_with_headers)
        else:
            await self.app(scope, _limited(receive, limit), send_with_headers)
        route = scope.get("route")
        telemetry.observe_request(
            method=scope["method"], route=getattr(route, "path", None) or ("other" if api else "console"), status=status,
            seconds=time.perf_counter() - started,
        )  # fmt: skip


def _limit_of(scope: Scope) -> int:
    path = scope["path"]
    if path.startswith(("/v1/files", "/v1/imports")):
        return UPLOAD_LIMIT
    return 8 * BODY_LIMIT if path.startswith("/v1/pos/") else BODY_LIMIT


def _too_large(scope: Scope, limit: int) -> Problem | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            return LimitExceeded(f"A request body has at most {limit >> 20} MB here.", limit=limit)
    return None


def _limited(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def receive_limited() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                raise LimitExceeded(f"A request body has at most {limit >> 20} MB here.", limit=limit)
        return message

    return receive_limited


async def _on_problem(request: Request, problem: Problem) -> Response:
    if problem.status >= 500:
        log.warning("refused", code=problem.code, detail=problem.detail)
    return access.refusal(problem, request)


async def _on_bad_value(request: Request, error: BadValue) -> Response:
    return access.refusal(InvalidBody(f"{error.message} {error.remedy}".strip(), param=error.field), request)


async def _on_invalid(request: Request, error: RequestValidationError) -> Response:
    details = [_detail(e) for e in error.errors()]
    first = details[0] if details else {"param": None, "detail": None}
    problem = InvalidBody(f"{first['param']}: {first['detail']}", param=first["param"], details=details)
    return access.refusal(problem, request)


def _detail(error: Any) -> dict[str, Any]:
    path = [str(p) if not isinstance(p, int) else p for p in error["loc"]]
    where = path[1:] if path and path[0] in ("body", "query", "path", "header") else path
    param = ""
    for part in where:
        param += f"[{part}]" if isinstance(part, int) else f".{part}" if param else str(part)
    text = str(error["msg"]).removeprefix("Value error, ")
    return {"param": param or None, "code": error["type"], "detail": text}


async def _on_http(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        return access.refusal(NotFound(), request)
    if error.status_code == 405:
        return access.refusal(MethodNotAllowed(), request)
    problem = InvalidBody(str(error.detail))
    return access.refusal(problem, request)


async def _on_data(request: Request, error: DataError) -> Response:
    """A value the database cannot hold (a NUL character, a number beyond its range) that no field's own check caught."""
    log.warning("value_refused_by_database", error=str(error.orig))
    return access.refusal(
        InvalidBody("A value is out of range, or holds a character that cannot be stored."), request
    )


async def _on_crash(request: Request, error: Exception) -> Response:
    if is_away(error):
        log.warning("database_away", path=request.scope["path"], error=repr(error)[:300])
        return access.refusal(
            Unavailable("The database is away. Send it again in a moment.", retry_after=1), request
        )
    log.error("crashed", path=request.scope["path"], exc_info=error)
    return access.refusal(InternalError(), request)


_PROBLEM_RESPONSE = {
    "description": "A refusal (RFC 9457); see docs/errors.md.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "retryable"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "param": {"type": "string"},
        "request_id": {"type": "string"},
        "retryable": {"type": "boolean"},
        "details": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    },
    "additionalProperties": True,
}


def shape_openapi(document: dict[str, Any]) -> None:
    """One problem schema for every refusal, and no framework's own."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _PROBLEM_RESPONSE


_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


async def _nothing(request: Request) -> Response:
    raise NotFound("There is no such address in the API; docs/openapi.json lists them all.")


async def _openapi(request: Request) -> Response:
    import orjson

    return Response(orjson.dumps(request.app.openapi()), media_type="application/json")


def routes_of(app: FastAPI) -> Iterable[str]:
    """Every path template, for documentation."""
    return sorted({getattr(r, "path", "") for r in app.routes})
