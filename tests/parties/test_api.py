"""Suppliers and customers: over HTTP, from files, in the search."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from onhand import access, parties
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.parties import Kind
from onhand.parties.model import check_address, check_email
from onhand.values import BadValue


@pytest.fixture(scope="module")
async def boss(app: Any) -> AsyncIterator[httpx2.AsyncClient]:
    async with app.state.database.writing() as tx:
        made = await access.make_key(
            tx, caller=access.SYSTEM, key_id=uuid7(), name="test", scopes=["parties:read", "parties:write"],
            location_ids=None, expires_at=now() + timedelta(days=1),
        )  # fmt: skip
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    headers = {"authorization": f"Bearer {made.text}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as http:
        yield http


def refused(answer: Any, status: int, code: str, param: str | None = None) -> None:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert param is None or answer.json().get("param") == param, answer.text


@pytest.mark.parametrize("path", ["/v1/suppliers", "/v1/customers"])
async def test_from_birth_to_archive(boss: httpx2.AsyncClient, path: str) -> None:
    body = {
        "code": "ACME",
        "name": "Acme",
        "email": "a@acme.example",
        "address": {"city": "Köln", "country": "de"},
        "external_id": "e1",
    }
    answer = await boss.post(path, json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["address"]["city"], made["address"]["country"], made["version"]) == ("Köln", "DE", 1)
    refused(await boss.post(path, json={"code": "ACME", "name": "x"}), 409, "party_code_taken", "code")
    refused(
        await boss.post(path, json={"code": "B", "name": "x", "external_id": "e1"}),
        409,
        "conflict",
        "external_id",
    )
    refused(
        await boss.post(path, json={"code": "B", "name": "x", "email": "nobody"}),
        422,
        "invalid_body",
        "email",
    )
    refused(
        await boss.post(path, json={"code": "B", "name": "x", "address": {"country": "1"}}),
        422,
        "invalid_body",
        "address.country",
    )
    one = f"{path}/{made['id']}"
    changed = await boss.patch(one, json={"phone": "1", "address": None}, headers={"If-Match": "1"})
    assert (changed.json()["phone"], changed.json()["address"], changed.json()["version"]) == ("1", None, 2)
    refused(await boss.patch(one, json={"phone": "2"}, headers={"If-Match": "1"}), 412, "stale")
    refused(await boss.patch(one, json={"name": ""}), 422, "invalid_body", "name")
    assert [row["code"] for row in (await boss.get(path, params={"q": "acm"})).json()["data"]] == ["ACME"]
    assert (await boss.patch(one, json={"archived": True})).json()["archived_at"] is not None
    assert (await boss.get(path)).json()["data"] == []
    assert len((await boss.get(path, params={"archived": True})).json()["data"]) == 1
    assert (await boss.patch(one, json={"archived": False})).json()["archived_at"] is None
    refused(await boss.get(f"{path}/{uuid4()}"), 404, "not_found")


async def test_from_a_file(db: Database) -> None:
    rows: list[dict[str, str | None]] = [
        {"code": "F1", "name": "One", "city": "Bonn", "country": "de", "external_id": "f1"},
        {"code": "F2", "name": "Two", "email": "two@example.com"},
        {"code": "", "name": "Nobody"},
        {"code": "F3", "name": "Three", "email": "three"},
        {"code": "F4", "name": "Four", "external_id": "f1"},
        {"code": "F5", "name": "Five", "country": "Germany"},
    ]
    async with db.writing() as tx:
        first = await parties.upsert_parties(tx, Kind.SUPPLIER, rows, first_row=2)
    assert (first.created, [(p.row, p.column) for p in first.problems]) == (
        2, [(4, "code"), (5, "email"), (6, "external_id"), (7, "country")],
    )  # fmt: skip
    async with db.writing() as tx:
        again = await parties.upsert_parties(tx, Kind.SUPPLIER, [rows[0], {"code": "F2", "name": "Zwei"}])
    assert (again.created, again.updated, again.unchanged) == (0, 1, 1)
    async with db.reading() as conn:
        known = await parties.resolve_parties(conn, Kind.SUPPLIER, ["F1", "F2", "F9"])
        assert set(known) == {"F1", "F2"}
        shown = await parties.get_party(conn, Kind.SUPPLIER, known["F2"])
        hits = await parties.find_suppliers(conn, "zwei", 5, None)
        assert await parties.find_customers(conn, "zwei", 5, None) == []
    assert shown is not None
    assert (shown["name"], shown["email"], shown["version"]) == ("Zwei", "two@example.com", 2)
    assert [hit["id"] for hit in hits] == [known["F2"]]


def test_addresses_and_mail() -> None:
    assert check_address({"city": " ", "line1": None}) is None
    assert check_address({"country": "gb"}) == {"country": "GB"}
    with pytest.raises(BadValue):
        check_address({"planet": "Earth"})
    for bad in ("", "a@b", "a b@c.de", "@c.de", "a@b@c.de"):
        with pytest.raises(BadValue):
            check_email(bad)
