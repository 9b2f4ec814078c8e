"""The first calls of the README work as printed."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import httpx2

from onhand.doors.docs import ROOT
from onhand.kit.clock import now, rfc3339

README = (ROOT / "README.md").read_text()


def bodies() -> list[tuple[str, dict[str, Any]]]:
    """(path, body) of every `post` in the README, in order."""
    return [
        (path, json.loads(body))
        for path, body in re.findall(r"^post (/v1/\S+) '(\{.*?\})'$", README, re.M | re.S)
    ]


def sale() -> dict[str, Any]:
    """The sale the README records."""
    found = re.search(r"curl -s \$U/v1/pos/sales .*? -d '(\{.*?\]\})'$", README, re.M | re.S)
    assert found is not None
    body: dict[str, Any] = json.loads(found[1])
    return body


async def test_the_first_calls(client: httpx2.AsyncClient) -> None:
    answers: dict[str, Any] = {}
    assert [path for path, _ in bodies()][:2] == ["/v1/setup", "/v1/locations"]
    for path, body in bodies():
        if path == "/v1/registers":
            body["location_id"] = answers["/v1/locations"]["id"]
        if path == "/v1/api-keys":
            body["expires_at"] = rfc3339(now() + timedelta(days=30))
        answer = await client.post(path, json=body)
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"
        answers[path] = answer.json()
    client.cookies.clear()
    key = {"Authorization": f"Bearer {answers['/v1/api-keys']['secret']}"}

    first = await client.post("/v1/pos/sales", json=sale(), headers=key)
    assert first.status_code == 201, first.text
    assert first.json()["status"] == "posted"
    again = await client.post("/v1/pos/sales", json=sale(), headers=key)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["seq"] == first.json()["seq"]
    other = await client.post("/v1/pos/sales", json=sale() | {"currency": "USD"}, headers=key)
    assert other.json()["code"] == "id_reused"

    levels = (await client.get("/v1/site-levels?q=TEA-100", headers=key)).json()["data"]
    assert levels[0]["available"] == "8"
    feed = (
        await client.get("/v1/events?after=0&types=sale.completed,stock.level_changed", headers=key)
    ).json()
    assert [e["type"] for e in feed["data"]] == [
        "stock.level_changed",
        "sale.completed",
        "stock.level_changed",
    ]
    assert feed["through"] == feed["head"]
