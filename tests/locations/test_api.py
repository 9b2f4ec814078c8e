"""Places over HTTP: shapes, refusals, and people bound to one site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from onhand import access
from onhand.kit.clock import now
from onhand.kit.ids import uuid7


@asynccontextmanager
async def caller(app: Any, *scopes: str, at: str | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with an API key, everywhere or at one place."""
    async with app.state.database.writing() as tx:
        made = await access.make_key(
            tx, caller=access.SYSTEM, key_id=uuid7(), name="test", scopes=scopes,
            location_ids=[UUID(at)] if at else None, expires_at=now() + timedelta(days=1),
        )  # fmt: skip
    headers = {"authorization": f"Bearer {made.text}"}
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as http:
        yield http


@pytest.fixture(scope="module")
async def boss(app: Any) -> AsyncIterator[httpx2.AsyncClient]:
    async with caller(app, "locations:read", "locations:write") as http:
        yield http


async def created(http: Any, **body: Any) -> dict[str, Any]:
    answer = await http.post("/v1/locations", json={"name": str(body["code"]), **body})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: Any, status: int, code: str, param: str | None = None) -> None:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert param is None or answer.json().get("param") == param, answer.text


async def test_a_store_and_what_is_in_it(boss: Any) -> None:
    body = {"id": str(uuid7()), "kind": "store", "time_zone": "Europe/Berlin", "day_start": "06:00", "latitude": 52.52,
            "longitude": 13.405, "external_id": "x1", "metadata": {"m2": 120}}  # fmt: skip
    store = await created(boss, code="S01", **body)
    assert store["id"] == store["site_id"] == body["id"]
    assert (store["day_start"], store["latitude"], store["sells"], store["path"]) == (
        "06:00",
        52.52,
        True,
        "S01",
    )
    dock = await created(boss, code="DOCK", kind="zone", role="receiving", parent_id=store["id"])
    assert (dock["path"], dock["site_id"], dock["sells"], dock["time_zone"]) == (
        "S01/DOCK",
        store["id"],
        False,
        None,
    )
    path = f"/v1/locations/{dock['id']}"
    changed = await boss.patch(path, json={"sells": True, "code": "D1"}, headers={"If-Match": "1"})
    assert (changed.json()["path"], changed.json()["sells"], changed.json()["version"]) == ("S01/D1", True, 2)
    refused(await boss.patch(path, json={"name": "x"}, headers={"If-Match": "1"}), 412, "stale")
    closed = await boss.patch(path, json={"closed_at": now().isoformat()})
    assert closed.json()["closed_at"] is not None
    assert (await boss.patch(path, json={"closed_at": None})).json()["closed_at"] is None
    refused(
        await boss.patch(path, json={"closed_at": "2999-01-01T00:00:00Z"}), 422, "invalid_body", "closed_at"
    )
    listed = (await boss.get("/v1/locations", params={"under": store["id"]})).json()
    assert [row["path"] for row in listed["data"]] == ["S01", "S01/D1"]
    kinds = (await boss.get("/v1/locations", params={"kind": "adjustment"})).json()["data"]
    assert [row["code"] for row in kinds] == ["ADJUSTMENT"]
    assert (await boss.get(path)).json()["code"] == "D1"


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"code": "A/B", "kind": "store"}, 422, "invalid_body", "code"),
        ({"code": "A", "kind": "bin"}, 422, "location_not_possible", "parent_id"),
        ({"code": "A", "kind": "bin", "parent_id": str(uuid4())}, 404, "not_found", "parent_id"),
        ({"code": "A", "kind": "store", "time_zone": "Mars"}, 422, "invalid_body", "time_zone"),
        ({"code": "A", "kind": "store", "day_start": "6"}, 422, "invalid_body", "day_start"),
        ({"code": "A", "kind": "store", "latitude": 1.0}, 422, "invalid_body", "longitude"),
        ({"code": "A", "kind": "shop"}, 422, "invalid_body", None),
        ({"code": "S01", "kind": "store"}, 409, "location_code_taken", "code"),
        ({"code": "B", "kind": "store", "external_id": "x1"}, 409, "conflict", "external_id"),
        ({"code": "T", "kind": "transit", "sells": True}, 422, "location_not_possible", "sells"),
    ],
)
async def test_refusals_name_the_field(
    boss: Any, body: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    refused(await boss.post("/v1/locations", json={"name": "x", **body}), status, code, param)


async def test_people_of_one_site_see_and_change_theirs(app: Any, boss: Any) -> None:
    mine, other = (
        await created(boss, code="MINE", kind="store"),
        await created(boss, code="OTHER", kind="store"),
    )
    async with caller(app, "locations:read", "locations:write", at=mine["id"]) as clerk:
        listed = (await clerk.get("/v1/locations?limit=200")).json()["data"]
        assert {row["code"] for row in listed if row["site_id"]} == {"MINE"}
        assert (await clerk.get(f"/v1/locations/{other['id']}")).status_code == 404
        bin_ = await created(clerk, code="BIN", kind="bin", parent_id=mine["id"])
        refused(
            await clerk.patch(f"/v1/locations/{other['id']}", json={"name": "x"}), 403, "location_not_allowed"
        )
        refused(
            await clerk.post("/v1/locations", json={"code": "N", "name": "N", "kind": "store"}),
            422,
            "place_missing",
        )
        answer = await clerk.patch(f"/v1/locations/{bin_['id']}", json={"parent_id": other["id"]})
        refused(answer, 403, "location_not_allowed")
