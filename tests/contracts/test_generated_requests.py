"""Every operation of the OpenAPI document under generated requests: no 5xx, no shape the document does not have.

Sizes: a few requests an operation in the ordinary run; `ONHAND_TORTURE=1` makes it thousands. Seeds are hypothesis' own and printed.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from tests import make

EXAMPLES = 300 if os.environ.get("ONHAND_TORTURE") else 5
SKIP = {
    "/v1/stream",  # never ends
    "/v1/session",  # signs this very client out, and its password check is slow on purpose
    "/v1/me/password",
    "/v1/password-resets",
    "/v1/invitations/accept",
    "/v1/password-resets/accept",
}


@pytest.fixture(scope="module")
async def admin(client: Any) -> Any:
    """The client, signed in as admin, with a little stock."""
    await make.organisation(client)
    store = await make.store(client)
    await make.register(client, location_id=store["id"], code="R1")
    await make.variant(client, sku="TEA-100")
    await make.stock(client, sku="TEA-100", location_id=store["id"], quantity="10")
    return client


def operations(document: dict[str, Any]) -> Iterator[Any]:
    """Every operation that may be called in a test."""
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # a schema error raises here, as it should
        if operation.path not in SKIP:
            yield operation


async def test_no_request_breaks_the_server(app: Any, admin: Any) -> None:
    document = json.loads(json.dumps(app.openapi()))
    loop = asyncio.get_running_loop()
    broken: list[str] = []

    def call(case: Any) -> None:
        body = None if isinstance(case.body, type(schemathesis.core.NOT_SET)) else case.body
        path = case.formatted_path
        future = asyncio.run_coroutine_threadsafe(send(case.method, path, case.query, body), loop)
        status, text = future.result(timeout=30)
        if status >= 500:
            broken.append(f"{case.method} {path} {case.query} {body!r} → {status} {text[:300]}")

    async def send(method: str, path: str, query: Any, body: Any) -> tuple[int, str]:
        try:
            kwargs: dict[str, Any] = {"params": query or None}
            if body is not None:
                kwargs["content"] = json.dumps(body, default=str).encode()
                kwargs["headers"] = {"content-type": "application/json"}
            answer = await admin.request(method, path, **kwargs)
        except (httpx2.InvalidURL, UnicodeEncodeError, TypeError):
            return 0, "not a request that can be sent"
        return int(answer.status_code), str(answer.text)

    def run(operation: Any) -> None:
        @settings(
            max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def probe(case: Any) -> None:
            call(case)

        probe()

    for operation in operations(document):
        await asyncio.to_thread(run, operation)
    assert not broken, "\n".join(broken[:10])


@pytest.mark.parametrize(
    "cursor", ["W10", "WzEsMl0", "eyJhIjoxfQ", "WyJcdTAwMDAiLDFd", "x" * 900, "W251bGwsbnVsbF0"]
)
async def test_a_forged_cursor_never_breaks_a_list(app: Any, admin: Any, cursor: str) -> None:
    for path, item in app.openapi()["paths"].items():
        names = {p["name"] for p in item.get("get", {}).get("parameters", [])}
        if "cursor" in names and "{" not in path:
            answer = await admin.get(path, params={"cursor": cursor})
            assert answer.status_code < 500, f"{path}: {answer.status_code} {answer.text[:200]}"
