"""What people suffer from elsewhere (docs/why/reservations.md), as tests of our own: none of it happens here."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from tests import make

from onhand.kit.ids import uuid7
from onhand.ledger import verify


@pytest.fixture(scope="module")
async def store(client: Any) -> dict[str, Any]:
    await make.organisation(client)
    return await make.store(client)


async def stocked(client: Any, store: dict[str, Any], quantity: str) -> str:
    sku = str((await make.variant(client))["sku"])
    await make.stock(client, sku=sku, location_id=store["id"], quantity=quantity)
    return sku


def order(sku: str, *quantities: str) -> dict[str, Any]:
    lines = [{"sku": sku, "quantity": q} for q in quantities]
    return {"id": str(uuid7()), "kind": "order", "site_code": "S01", "lines": lines}


async def level(client: Any, sku: str) -> tuple[str, str]:
    row = (await client.get("/v1/site-levels", params={"sku": sku})).json()["data"][0]
    return row["sellable"], row["reserved"]


async def test_pain_1_the_reserved_counter_never_drifts_from_the_reservations(
    client: Any, store: dict[str, Any], app: Any
) -> None:
    """A random day of reserving, shipping, giving back and adjusting; then every number is computed again."""
    rng = random.Random(1)
    skus = [await stocked(client, store, "9") for _ in range(3)]
    made: list[str] = []

    async def act() -> None:
        if rng.random() < 0.5 or not made:
            body = order(rng.choice(skus), *[str(rng.randint(1, 3)) for _ in range(rng.randint(1, 2))])
            if (await client.post("/v1/reservations", json=body)).status_code == 201:
                made.append(body["id"])
            return
        verb = rng.choice(["release", "consume", "consume", "extend"])
        body = {"expires_in": 60} if verb == "extend" else {"lines": [{"line": 1, "quantity": "1"}]}
        answer = await client.post(f"/v1/reservations/{rng.choice(made)}/{verb}", json=body)
        assert answer.status_code in (200, 409), answer.text

    for _ in range(25):
        await asyncio.gather(*[act() for _ in range(4)])
    async with app.state.database.engine.connect() as conn:
        report = await verify.verify(conn)
    assert report.ok, report.differences
    for sku in skus:
        variant = (await client.get("/v1/variants", params={"q": sku})).json()["data"][0]["id"]
        held = (await client.get("/v1/reservations", params={"variant_id": variant, "state": "open"})).json()[
            "data"
        ]
        lines = [x for r in held for x in r["lines"] if x["sku"] == sku]
        assert (await level(client, sku))[1] == str(sum(int(x["open"]) for x in lines))
    tied = (await client.post("/v1/reservations", json=order(skus[0], "1"))).status_code
    assert tied in (201, 409)  # and nothing is stuck


async def test_pain_2_two_buyers_never_get_the_last_unit(client: Any, store: dict[str, Any]) -> None:
    for _ in range(5):
        sku = await stocked(client, store, "1")
        answers = await asyncio.gather(
            *[client.post("/v1/reservations", json=order(sku, "1")) for _ in range(12)]
        )
        assert sorted(a.status_code for a in answers) == [201] + [409] * 11
        assert await level(client, sku) == ("1", "1")


async def test_pain_3_two_lines_of_one_item_are_checked_together(client: Any, store: dict[str, Any]) -> None:
    sku = await stocked(client, store, "3")
    answer = await client.post("/v1/reservations", json=order(sku, "2", "2"))
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_stock")
    assert answer.json()["shortages"][0]["missing"] == "1"
    assert await level(client, sku) == ("3", "0")
    assert (await client.post("/v1/reservations", json=order(sku, "2", "1"))).status_code == 201
    assert await level(client, sku) == ("3", "3")
