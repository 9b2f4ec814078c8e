"""A day at the till: what was sold is recorded, whatever the shelf says, and nothing is lost or doubled."""

from __future__ import annotations

from typing import Any

import pytest
from tests import make

from onhand.kit.ids import uuid7


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """One store with one till; ten packs of tea on the shelf."""
    await make.organisation(client)
    store = await make.store(client)
    till = await make.register(client, location_id=store["id"], code="R1")
    tea = await make.variant(
        client, sku="TEA-100", barcodes=[{"code": "4006381333931", "quantity": "1", "level": "each"}]
    )
    await make.stock(client, sku="TEA-100", location_id=store["id"], quantity="10")
    return {"store": store, "till": till, "tea": tea}


async def level(client: Any, shop: dict[str, Any]) -> str:
    answer = await client.get(
        "/v1/site-levels", params={"variant_id": shop["tea"]["id"], "site_id": shop["store"]["id"]}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"][0]["available"])


async def test_a_sale_takes_its_units_from_the_shelf(client: Any, shop: dict[str, Any]) -> None:
    sale = make.sale(register="R1", lines=[make.line(sku="TEA-100", quantity="2", total="7.00")])
    first = await make.post(client, "/v1/pos/sales", sale)
    assert first["status"] == "posted"
    assert await level(client, shop) == "8"

    again = await client.post("/v1/pos/sales", json=sale)
    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["seq"] == first["seq"]
    assert await level(client, shop) == "8"

    sale["lines"][0]["quantity"] = "3"
    other = await client.post("/v1/pos/sales", json=sale)
    assert other.status_code == 422
    assert other.json()["code"] == "id_reused"


async def test_the_same_item_twice_in_one_basket_counts_twice(client: Any, shop: dict[str, Any]) -> None:
    before = int(await level(client, shop))
    lines = [make.line(sku="TEA-100"), {"barcode": "4006381333931", "quantity": "1", "total": "3.50"}]
    await make.post(client, "/v1/pos/sales", make.sale(register="R1", lines=lines))
    assert int(await level(client, shop)) == before - 2


async def test_a_sale_beyond_stock_is_recorded_and_becomes_an_exception(
    client: Any, shop: dict[str, Any]
) -> None:
    left = int(await level(client, shop))
    sale = make.sale(register="R1", lines=[make.line(sku="TEA-100", quantity=str(left + 3), total="40.00")])
    answer = await make.post(client, "/v1/pos/sales", sale)
    assert answer["oversold"][0]["quantity"] == 3
    assert await level(client, shop) == "-3"
    opened = (await client.get("/v1/exceptions", params={"state": "open", "kind": "oversold"})).json()["data"]
    assert [e["quantity"] for e in opened] == ["3"]
    await make.stock(client, sku="TEA-100", location_id=shop["store"]["id"], quantity="20")


async def test_an_unknown_code_is_kept_as_unresolved(client: Any, shop: dict[str, Any]) -> None:
    sale = make.sale(register="R1", lines=[make.line(sku="NOBODY-KNOWS"), make.line(sku="TEA-100")])
    answer = await make.post(client, "/v1/pos/sales", sale)
    assert answer["unresolved"] == [1]
    found = (await client.get(f"/v1/sales/{sale['id']}")).json()
    assert [row["resolved"] for row in found["lines"]] == [False, True]
    opened = (await client.get("/v1/exceptions", params={"kind": "unresolved_item"})).json()["data"]
    assert opened[0]["detail"]["code"] == "NOBODY-KNOWS"


async def test_never_more_comes_back_than_was_sold(client: Any, shop: dict[str, Any]) -> None:
    sale = make.sale(register="R1", lines=[make.line(sku="TEA-100", quantity="2", total="7.00")])
    await make.post(client, "/v1/pos/sales", sale)
    before = int(await level(client, shop))
    refund = {
        "id": str(uuid7()), "sale_id": sale["id"], "register": "R1", "happened_at": "2026-11-20T11:00:00Z",
        "lines": [{"line": 1, "quantity": "1", "amount": "3.50"}], "tenders": [{"kind": "cash", "amount": "3.50"}],
    }  # fmt: skip
    for _ in range(2):  # the till sends it twice; it happens once
        done = await make.post(client, "/v1/pos/refunds", refund)
        assert done["total"] == "-3.50"
    assert int(await level(client, shop)) == before + 1

    too_much = {**refund, "id": str(uuid7()), "lines": [{"line": 1, "quantity": "2", "amount": "7.00"}]}
    answer = await client.post("/v1/pos/refunds", json=too_much)
    assert answer.status_code == 409
    assert answer.json()["code"] == "refund_exceeds_sale"
    assert answer.json()["returnable"] == "1"
    assert int(await level(client, shop)) == before + 1

    cannot = await client.post("/v1/pos/voids", json={"sale_id": sale["id"], "reason": "mistake"})
    assert cannot.json()["code"] == "sale_has_refunds"


async def test_a_void_puts_everything_back_once(client: Any, shop: dict[str, Any]) -> None:
    before = int(await level(client, shop))
    sale = make.sale(register="R1", lines=[make.line(sku="TEA-100", quantity="4", total="14.00")])
    await make.post(client, "/v1/pos/sales", sale)
    done = await make.post(client, "/v1/pos/voids", {"sale_id": sale["id"], "reason": "wrong customer"})
    assert done["state"] == "voided"
    assert int(await level(client, shop)) == before
    again = await client.post("/v1/pos/voids", json={"sale_id": sale["id"], "reason": "twice"})
    assert again.json()["code"] == "sale_voided_already"


async def test_a_batch_keeps_its_good_sales(client: Any, shop: dict[str, Any]) -> None:
    good = make.sale(register="R1", lines=[make.line(sku="TEA-100")])
    nonsense = {**make.sale(register="R1", lines=[make.line(sku="TEA-100")]), "happened_at": "yesterday"}
    elsewhere = make.sale(register="NOT-OURS", lines=[make.line(sku="TEA-100")])
    answer = await make.post(
        client, "/v1/pos/sale-batches", {"sales": [good, nonsense, elsewhere]}, status=200
    )
    assert [r["status"] for r in answer["results"]] == ["posted", "refused", "refused"]
    assert [r.get("code") for r in answer["results"]] == [None, "invalid_body", "unknown_register"]


async def test_everything_is_on_the_stream_without_a_gap(client: Any, shop: dict[str, Any]) -> None:
    page = (await client.get("/v1/events", params={"after": "0", "limit": "1000"})).json()
    numbers = [int(e["sequence"]) for e in page["data"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert page["through"] == page["head"]
    kinds = {e["type"] for e in page["data"]}
    assert {
        "sale.completed",
        "stock.level_changed",
        "stock.oversold",
        "sale.refunded",
        "sale.voided",
    } <= kinds


async def test_the_overview_adds_up(client: Any, shop: dict[str, Any]) -> None:
    seen = (await client.get("/v1/overview")).json()
    assert [s["code"] for s in seen["sites"]] == ["S01"]
    assert len(seen["minutes"]) == 60
    assert seen["open_exceptions"] >= 2
