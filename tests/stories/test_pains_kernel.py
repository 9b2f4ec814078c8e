"""What people suffer from elsewhere in the books themselves, as tests of our own: none of it happens here."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
import sqlalchemy as sa
from tests import make

from onhand.kit.ids import uuid7
from onhand.ledger import verify


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """A store with a till and a depot."""
    await make.organisation(client)
    store = await make.store(client)
    depot = await make.store(client, code="W01", name="Depot", kind="warehouse")
    await make.register(client, location_id=store["id"], code="R1")
    return {"store": store, "depot": depot}


async def on_hand(client: Any, sku: str, site: str = "S01") -> str:
    rows = (await client.get("/v1/site-levels", params={"sku": sku})).json()["data"]
    return str(next(row["on_hand"] for row in rows if row["site_code"] == site))


async def test_pain_11_no_crumbs_of_a_unit_are_left(client: Any, shop: dict[str, Any]) -> None:
    """A kilogram of cheese, sold in thirds by a scale that rounds to the gram: a gram is left, and it can be sold. The shelf is
    then empty to the last digit, not 0.0003 away from it. A finer amount than the unit knows is refused, by name."""
    sku = str((await make.variant(client, name="Gouda", unit="kg", decimals=3))["sku"])
    await make.stock(client, sku=sku, location_id=shop["store"]["id"], quantity="1")
    for _ in range(3):
        line = make.line(sku=sku, quantity="0.333", total="4.00")
        await make.post(client, "/v1/pos/sales", make.sale(register="R1", lines=[line]))
    assert await on_hand(client, sku) == "0.001"
    take = {"sku": sku, "location_code": "S01", "quantity": "-0.0003", "reason": "damaged"}
    refused = await client.post("/v1/adjustments", json=take)
    assert (refused.status_code, refused.json()["param"]) == (422, "quantity"), refused.text
    last = make.line(sku=sku, quantity="0.001", total="0.01")
    await make.post(client, "/v1/pos/sales", make.sale(register="R1", lines=[last]))
    assert await on_hand(client, sku) == "0.000"
    move = {"sku": sku, "quantity": "0.001", "from_location_code": "S01", "to_location_code": "W01"}
    answer = await client.post("/v1/moves", json=move)
    assert answer.json()["code"] == "insufficient_stock", "nothing is left that could block or be moved"


async def test_pain_13_a_rush_meets_no_deadlock_and_no_serialization_failure(
    client: Any, shop: dict[str, Any], app: Any
) -> None:
    """Tills sell, the web reserves, the depot sends, and somebody corrects: forty at once, over the same four items in every order.
    Each is answered at the first try, and the sum is what arithmetic says."""
    skus = [str((await make.variant(client))["sku"]) for _ in range(4)]
    for sku in skus:
        await make.stock(client, sku=sku, location_id=shop["store"]["id"], quantity="1000")
        await make.stock(client, sku=sku, location_id=shop["depot"]["id"], quantity="1000")
    rng, left, engine = random.Random(13), dict.fromkeys(skus, 1000), app.state.database.engine
    deadlocks = sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    async with engine.connect() as conn:
        before = (await conn.execute(deadlocks)).scalar_one()

    async def one(n: int) -> int:
        some = rng.sample(skus, 3)
        if n % 4 == 0:
            lines = [{"sku": sku, "quantity": "1"} for sku in some]
            body = {"id": str(uuid7()), "kind": "order", "site_code": "S01", "lines": lines}
            return int((await client.post("/v1/reservations", json=body)).status_code)
        if n % 4 == 1:
            goods = [{"sku": sku, "quantity": "2"} for sku in some]
            for sku in some:
                left[sku] += 2
            body = {"from_site_code": "W01", "to_site_code": "S01", "lines": goods}
            return int((await client.post("/v1/transfers", json=body)).status_code)
        if n % 4 == 2:
            left[some[0]] += 1
            body = {"sku": some[0], "location_code": "S01", "quantity": "1", "reason": "found"}
            return int((await client.post("/v1/adjustments", json=body)).status_code)
        for sku in some:
            left[sku] -= 1
        sale = make.sale(register="R1", lines=[make.line(sku=sku) for sku in some])
        return int((await client.post("/v1/pos/sales", json=sale)).status_code)

    for _ in range(5):
        assert set(await asyncio.gather(*[one(n) for n in range(40)])) == {201}
    assert {sku: await on_hand(client, sku) for sku in skus} == {sku: str(n) for sku, n in left.items()}
    async with engine.connect() as conn:
        assert (await conn.execute(deadlocks)).scalar_one() == before
    async with engine.connect() as conn:
        report = await verify.verify(conn)
    assert report.ok, report.differences[:5]
