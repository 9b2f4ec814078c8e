"""Transfers of lots and serial numbers, and of goods that are held or recalled while the truck drives; load carriers by code."""

from __future__ import annotations

from typing import Any

import pytest
from tests import make

from onhand.kit.ids import uuid7


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """A warehouse and a store; yoghurt by lot, telephones by serial number."""
    await make.organisation(client)
    warehouse = await make.store(client, code="W1", name="Warehouse", kind="warehouse")
    store = await make.store(client, code="S1", name="Mitte")
    for sku, tracking in (("YOG", "lot"), ("PHONE", "serial")):
        variant = await make.variant(client, sku=sku, name=sku.title())
        answer = await client.patch(f"/v1/products/{variant['product_id']}", json={"tracking": tracking})
        assert answer.status_code == 200, answer.text
    yog = (await client.get("/v1/variants", params={"sku": "YOG"})).json()["data"][0]
    for code, day in (("LATE", "2031-05-01"), ("SOON", "2031-01-01")):
        await make.post(client, "/v1/lots", {"variant_id": yog["id"], "code": code, "expires_on": day})
        await put(client, "YOG", warehouse, "10", lot_code=code)
    for serial in ("P-1", "P-2"):
        await put(client, "PHONE", warehouse, "1", serial_number=serial)
    return {"W1": warehouse, "S1": store, "yog": yog}


async def put(client: Any, sku: str, place: dict[str, Any], quantity: str, **named: str) -> None:
    body = {"sku": sku, "location_id": place["id"], "quantity": quantity, "reason": "found", **named}
    await make.post(client, "/v1/adjustments", {"id": str(uuid7()), **body})


async def planned(client: Any, sku: str, quantity: str, **line: str) -> str:
    body = {
        "id": str(uuid7()), "mode": "document", "place": True, "from_site_code": "W1", "to_site_code": "S1",
        "lines": [{"sku": sku, "quantity": quantity, **line}],
    }  # fmt: skip
    await make.post(client, "/v1/transfers", body)
    return f"/v1/transfers/{body['id']}"


async def levels(client: Any, place: str, sku: str) -> dict[tuple[str | None, str], str]:
    rows = (await client.get("/v1/levels", params={"site_id": place, "sku": sku})).json()["data"]
    return {(r["lot_code"], r["condition"]): r["on_hand"] for r in rows if r["on_hand"] != "0"}


async def test_the_lot_that_expires_first_leaves_first_and_each_lot_is_accounted_for(
    client: Any, shop: dict[str, Any]
) -> None:
    path = await planned(client, "YOG", "12")
    shipped = (await make.post(client, f"{path}/shipments", {}))["transfer"]
    assert {x["lot_code"]: x["in_transit"] for x in shipped["lines"][0]["lots"]} == {
        "SOON": "10",
        "LATE": "2",
    }
    some = {
        "lines": [
            {"sku": "YOG", "quantity": "2", "lot_code": "LATE"},
            {"sku": "YOG", "quantity": "9", "lot_code": "SOON"},
        ]
    }
    after = (await make.post(client, f"{path}/receipts", some))["transfer"]
    assert {x["lot_code"]: x["in_transit"] for x in after["lines"][0]["lots"]} == {"SOON": "1", "LATE": "0"}
    lost = {"outcome": "lost", "lines": [{"sku": "YOG", "quantity": "1", "lot_code": "SOON"}]}
    assert (await make.post(client, f"{path}/resolutions", lost))["transfer"]["state"] == "received"
    assert await levels(client, shop["S1"]["id"], "YOG") == {
        ("LATE", "available"): "2",
        ("SOON", "available"): "9",
    }


async def test_a_serial_number_travels_as_itself(client: Any, shop: dict[str, Any]) -> None:
    path = await planned(client, "PHONE", "1")
    one = {"lines": [{"sku": "PHONE", "quantity": "1", "serial_number": "P-2"}]}
    await make.post(client, f"{path}/shipments", one)
    done = (await make.post(client, f"{path}/receipts", one))["transfer"]
    assert done["state"] == "received"
    assert await levels(client, shop["S1"]["id"], "PHONE") == {("P-2", "available"): "1"}
    assert await levels(client, shop["W1"]["id"], "PHONE") == {("P-1", "available"): "1"}


async def test_a_lot_recalled_on_its_way_arrives_recalled(client: Any, shop: dict[str, Any]) -> None:
    path = await planned(client, "YOG", "4", lot_code="LATE")
    await make.post(client, f"{path}/shipments", {})
    late = (await client.get("/v1/lots", params={"code": "LATE"})).json()["data"][0]
    await make.post(
        client, "/v1/holds", {"lot_id": late["id"], "condition": "recalled", "reason": "glass in it"}
    )
    done = (await make.post(client, f"{path}/receipts", {}))["transfer"]
    assert done["state"] == "received"
    there = await levels(client, shop["S1"]["id"], "YOG")
    assert there["LATE", "recalled"] == "6", "the four that arrived, and the two that were there"
    assert ("LATE", "available") not in there


async def test_a_pallet_is_found_by_its_code_wherever_it_is(client: Any, shop: dict[str, Any]) -> None:
    body = {"code": "PAL-9", "name": "Pallet 9", "kind": "pallet", "parent_id": shop["W1"]["id"]}
    await make.post(client, "/v1/locations", body)
    scan = {
        "sku": "PHONE",
        "serial_number": "P-1",
        "quantity": "1",
        "from_location_code": "W1",
        "to_location_code": "PAL-9",
    }
    await make.post(client, "/v1/moves", scan)  # scan to scan: from, goods, to
    away = await make.post(client, "/v1/lpn-moves", {"lpn_code": "PAL-9", "to_location_code": "S1"})
    assert away["lines"] == 1
    assert (await client.get("/v1/scan", params={"code": "PAL-9"})).json()["id"] == away["lpn_id"]
    await make.post(client, "/v1/moves", {**scan, "from_location_code": "PAL-9", "to_location_code": "S1"})
    back = await make.post(client, "/v1/lpn-moves", {"lpn_code": "PAL-9", "to_location_code": "W1"})
    assert (back["path"], back["lines"]) == ("W1/PAL-9", 0), "empty, it goes home without a posting"
    shelf = await make.post(
        client, "/v1/locations", {"code": "OLD", "name": "Old", "kind": "zone", "parent_id": shop["S1"]["id"]}
    )
    closed = await client.patch(f"/v1/locations/{shelf['id']}", json={"closed_at": "2026-01-01T00:00:00Z"})
    assert closed.status_code == 200, closed.text
    answer = await client.post("/v1/lpn-moves", json={"lpn_code": "PAL-9", "to_location_id": shelf["id"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "location_closed")


async def test_the_books_agree(app: Any) -> None:
    from onhand.ledger.verify import verify

    async with app.state.database.engine.connect() as conn:
        report = await verify(conn)
    assert report.ok, report.differences[:5]
