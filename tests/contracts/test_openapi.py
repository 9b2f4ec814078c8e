"""The API as documented: every change of it shows in review, and nothing is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from onhand import access
from onhand.access.permit import declarations
from onhand.doors import http
from onhand.doors.docs import reference

UNDOCUMENTED = {
    "/{path:path}",
    "/assets",
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/openapi.json",
    "/v1/{path:path}",
}
"""The console, probes, the document itself, and what answers 404 to all else."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return reference.document()


def test_snapshot(same: Callable[[str, str], None]) -> None:
    same("docs/openapi.json", reference.openapi())


def test_every_route_is_documented_with_its_permission(document: dict[str, Any]) -> None:
    for method, path in declarations(reference.application()):
        if path in UNDOCUMENTED:
            continue
        operation = document["paths"].get(path, {}).get(method.lower())
        assert operation is not None, f"{method} {path} is not in the OpenAPI document"
        needed = operation.get("x-permission")
        assert needed in access.PERMISSIONS or needed in ("public", "signed-in"), f"{method} {path}: {needed}"


def test_every_router_is_mounted() -> None:
    """`mount` skips what is not there, so a misspelt name would go unnoticed."""
    for name in http.ROUTERS:
        assert hasattr(import_module(name), "router"), f"{name} has no router"


def test_every_operation_says_what_it_does_and_is_named_once(document: dict[str, Any]) -> None:
    names: list[str] = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            names.append(operation["operationId"])
            said = operation.get("description") or operation.get("summary") or ""
            assert said.strip(), f"{method} {path} has no description"
            assert "default" in operation["responses"], f"{method} {path} documents no refusal"
    doubles = {n for n in names if names.count(n) > 1}
    assert not doubles, f"operationIds given twice: {sorted(doubles)}"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    parts = document["components"]["schemas"]
    for piece in text.split('"#/components/schemas/')[1:]:
        name = piece.partition('"')[0]
        assert name in parts, name
