"""Thin routes for the hot path: msgspec in, msgspec out, no framework between (docs/why/intake.md).

Declared like any route – permission, limits, schemas – and merged into the same OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from onhand.kit.problem import InvalidBody, LimitExceeded, UnsupportedMedia

Enter = Callable[[Request, str], Awaitable[Any]]
Handle = Callable[[Request, Any, Any], Awaitable[tuple[int, Any, bool]]]
"""(request, decoded body, caller) → (status, answer, replayed)"""


@dataclass(frozen=True, slots=True)
class Intake:
    """One thin route. `enter` authenticates and checks the permission; unknown fields are refused by the body type.

    A GET has no body (`body` is None): its handler reads the query, which `parameters` describe as OpenAPI does.
    """

    path: str
    permission: str
    at: tuple[str, ...]
    enter: Enter
    body: Any
    answer: Any
    handle: Handle
    summary: str
    status: int = 201
    max_body: int = 8 << 20
    tags: tuple[str, ...] = ()
    schema: Any = None
    """The body as documented, where `body` defers decoding of its parts."""
    method: str = "POST"
    parameters: tuple[dict[str, Any], ...] = ()
    description: str = ""

    def endpoint(self) -> Callable[[Request], Awaitable[Response]]:
        """The Starlette endpoint."""
        if self.method == "GET":
            return self._asked()
        decode = msgspec.json.Decoder(self.body).decode
        encode = msgspec.json.Encoder().encode
        enter, handle, permission, max_body = self.enter, self.handle, self.permission, self.max_body

        async def endpoint(request: Request) -> Response:
            caller = await enter(request, permission)
            if not request.headers.get("content-type", "").startswith("application/json"):
                raise UnsupportedMedia("Send the body as application/json.", param="Content-Type")
            raw = await request.body()
            if len(raw) > max_body:
                raise LimitExceeded(f"At most {max_body >> 20} MB here.", limit=max_body)
            status, answer, replayed = await handle(request, read_body(decode, raw), caller)
            headers = {"Idempotent-Replayed": "true"} if replayed else None
            return Response(
                encode(answer), status_code=status, headers=headers, media_type="application/json"
            )

        return endpoint

    def _asked(self) -> Callable[[Request], Awaitable[Response]]:
        encode = msgspec.json.Encoder().encode
        enter, handle, permission = self.enter, self.handle, self.permission

        async def endpoint(request: Request) -> Response:
            caller = await enter(request, permission)
            status, answer, _ = await handle(request, None, caller)
            return Response(encode(answer), status_code=status, media_type="application/json")

        return endpoint


def read_body(decode: Callable[[bytes], Any], raw: bytes) -> Any:
    """Decode, or raise InvalidBody naming the field."""
    try:
        return decode(raw)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text, _, path = str(error).partition(" - at `")
        param = path.rstrip("`").removeprefix("$").lstrip(".").replace("[...]", "[]") or None
        raise InvalidBody(f"{text}.", param=param) from error


def add_to_openapi(document: dict[str, Any], intakes: Sequence[Intake], problem: dict[str, Any]) -> None:
    """Merge the thin routes into an OpenAPI 3.1 document."""
    types = [t for i in intakes for t in (i.schema or i.body or i.answer, i.answer)]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    document.setdefault("components", {}).setdefault("schemas", {}).update(components)
    for n, intake in enumerate(intakes):
        operation: dict[str, Any] = {
            "summary": intake.summary,
            "operationId": intake.path.strip("/").replace("/", "_").replace("-", "_"),
            "tags": list(intake.tags),
            "x-permission": intake.permission,
            "responses": {
                str(intake.status): {
                    "description": "Recorded." if intake.method == "POST" else "Found.",
                    "content": {"application/json": {"schema": schemas[2 * n + 1]}},
                },
                "default": problem,
            },
        }
        if intake.body is not None:
            content = {"application/json": {"schema": schemas[2 * n]}}
            operation["requestBody"] = {"required": True, "content": content}
        if intake.parameters:
            operation["parameters"] = list(intake.parameters)
        if intake.description:
            operation["description"] = intake.description
        if intake.at:
            operation["x-location"] = list(intake.at)
        document["paths"].setdefault(intake.path, {})[intake.method.lower()] = operation
