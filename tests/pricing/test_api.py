"""Tax codes: rates as exact shares, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from onhand import access
from onhand.kit.clock import now
from onhand.kit.ids import uuid7
from onhand.pricing import parse_rate
from onhand.pricing.model import show_rate
from onhand.values import BadValue


@pytest.fixture(scope="module")
async def boss(app: Any) -> AsyncIterator[httpx2.AsyncClient]:
    async with app.state.database.writing() as tx:
        made = await access.make_key(
            tx, caller=access.SYSTEM, key_id=uuid7(), name="test", scopes=["catalog:read", "catalog:write"],
            location_ids=None, expires_at=now() + timedelta(days=1),
        )  # fmt: skip
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    headers = {"authorization": f"Bearer {made.text}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as http:
        yield http


def refused(answer: Any, status: int, code: str, param: str | None = None) -> None:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert param is None or answer.json().get("param") == param, answer.text


async def test_tax_codes(boss: httpx2.AsyncClient) -> None:
    answer = await boss.post("/v1/tax-codes", json={"code": "STD", "name": "Standard", "rate": "0.190"})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["rate"], made["version"]) == ("0.19", 1)
    refused(
        await boss.post("/v1/tax-codes", json={"code": "STD", "name": "x", "rate": "0"}),
        409,
        "tax_code_taken",
        "code",
    )
    refused(
        await boss.post("/v1/tax-codes", json={"code": "X", "name": "x", "rate": "19"}),
        422,
        "invalid_body",
        "rate",
    )
    path = f"/v1/tax-codes/{made['id']}"
    changed = await boss.patch(path, json={"rate": "0.16"}, headers={"If-Match": "1"})
    assert (changed.json()["rate"], changed.json()["version"]) == ("0.16", 2)
    refused(await boss.patch(path, json={"rate": "0.2"}, headers={"If-Match": "1"}), 412, "stale")
    assert [
        row["code"] for row in (await boss.get("/v1/tax-codes", params={"q": "stand"})).json()["data"]
    ] == ["STD"]
    assert (await boss.patch(path, json={"archived": True})).json()["archived_at"] is not None
    assert (await boss.get("/v1/tax-codes")).json()["data"] == []


@pytest.mark.parametrize(("text", "rate"), [("0.19", "0.19"), ("0", "0"), ("1", "1"), ("0.077500", "0.0775")])
def test_rates_go_there_and_back(text: str, rate: str) -> None:
    assert show_rate(parse_rate(text)) == rate
    assert parse_rate(rate) == Decimal(text)


@pytest.mark.parametrize("text", ["-0.1", "19%", "1.5", "0.1234567", "", "NaN"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(BadValue):
        parse_rate(text)
