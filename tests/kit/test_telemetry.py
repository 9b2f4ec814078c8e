"""Logs nobody else can write into, and probes that tell the truth."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from onhand.kit import telemetry
from onhand.kit.database import Database
from onhand.kit.settings import Settings
from onhand.kit.telemetry import bind_request, log, setup_logging


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


EVIL = 'x\r\n{"level":"info","message":"forged"}\n\x1b[31m\u202e'


def test_json_lines_are_one_line_each_and_hide_secrets() -> None:
    out = io.StringIO()
    setup_logging(Settings(log_format="json"), stream=out)
    bind_request(request_id="r-1")
    log("t").info("signed in", name=EVIL, password="hunter2", api_key="k", empty_token="")
    logging.getLogger("some.library").warning("said %s", EVIL)
    first, second = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (first["message"], first["request_id"], first["level"], first["name"]) == (
        "signed in",
        "r-1",
        "info",
        EVIL,
    )
    assert (first["password"], first["api_key"], first["empty_token"]) == ("…", "…", "")
    assert second["request_id"] == "r-1"


def test_console_lines_cannot_be_forged() -> None:
    out = io.StringIO()
    setup_logging(Settings(log_format="console"), stream=out)
    log("t").warning(EVIL, who=EVIL)
    assert len(out.getvalue().splitlines()) == 1
    assert "\x1b[31m" not in out.getvalue()


def test_the_level_is_kept() -> None:
    out = io.StringIO()
    setup_logging(Settings(log_format="json", log_level="error"), stream=out)
    log("t").info("no")
    logging.getLogger("procrastinate.worker").info("no")
    assert out.getvalue() == ""


def request(
    database: Any = None, *, host: str = "127.0.0.1", token: str | None = None, **headers: str
) -> Any:
    settings = Settings(metrics_token=SecretStr(token) if token else None)
    state = SimpleNamespace(database=database, settings=settings)
    client = SimpleNamespace(host=host)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(app=SimpleNamespace(state=state), headers=named, client=client)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request(), 200),
        (request(host="::1"), 200),
        (request(host="10.0.0.5"), 404),
        (request(x_forwarded_for="1.2.3.4"), 404),
        (request(host=""), 404),
        (request(host="10.0.0.5", token="s", authorization="Bearer s"), 200),
        (request(token="s"), 404),
        (request(token="s", authorization="Bearer ß"), 404),
    ],
)
async def test_metrics_are_for_this_machine_or_who_bears_the_token(asked: Any, status: int) -> None:
    answer = await telemetry.metrics(asked)
    assert answer.status_code == status
    assert (b"onhand_http_requests" in bytes(answer.body)) == (status == 200)


def test_methods_and_routes_are_bounded() -> None:
    telemetry.observe_request(method="BREW", route="/v1/x/{id}", status=418, seconds=0.1)
    found = telemetry.registry.get_sample_value(
        "onhand_http_requests_total", {"method": "other", "route": "/v1/x/{id}", "status": "418"}
    )
    assert found == 1


async def test_ready_says_what_is_missing(
    database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.open(database_urls[1])
    monkeypatch.setattr(telemetry, "expected_heads", lambda: frozenset({"0001"}))
    answer = await telemetry.readyz(request(database))
    assert answer.status_code == 503
    assert json.loads(bytes(answer.body))["checks"]["database"] == "ok"
    monkeypatch.setattr(telemetry, "expected_heads", frozenset)
    assert (await telemetry.readyz(request(database))).status_code == 200
    await database.close()
    gone = Database.open("postgresql://nobody@127.0.0.1:1/nothing")
    answer = await telemetry.readyz(request(gone))
    assert json.loads(bytes(answer.body)) == {
        "status": "not ready",
        "checks": {"database": "no answer", "migrations": "no answer"},
    }
    assert (await telemetry.healthz(request(gone))).status_code == 200
