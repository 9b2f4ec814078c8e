"""What hurt users of other systems, and must not hurt here: transfers."""

from __future__ import annotations

from typing import Any

from tests import make

from onhand.kit.ids import uuid7


async def test_pain_23_a_short_receipt_has_somewhere_to_go(client: Any, app: Any) -> None:
    """frappe/erpnext#52221, odoo/odoo#179787: what did not arrive stayed nowhere, and its value with it. Here it stands in
    transit, with quantity and value, until a person says what became of it."""
    await make.organisation(client)
    await make.store(client, code="W1", name="Warehouse", kind="warehouse")
    await make.store(client)
    await make.variant(client, sku="TEA", cost={"amount": "2.50", "currency": "EUR"})
    warehouse = (await client.get("/v1/locations", params={"q": "W1"})).json()["data"][0]
    await make.stock(client, sku="TEA", location_id=warehouse["id"], quantity="10")
    body = {
        "id": str(uuid7()), "mode": "document", "place": True, "from_site_code": "W1", "to_site_code": "S01",
        "lines": [{"sku": "TEA", "quantity": "10"}],
    }  # fmt: skip
    await make.post(client, "/v1/transfers", body)
    path = f"/v1/transfers/{body['id']}"
    await make.post(client, f"{path}/shipments", {})
    after = (await make.post(client, f"{path}/receipts", {"lines": [{"sku": "TEA", "quantity": "7"}]}))[
        "transfer"
    ]
    assert after["in_transit_units"] == "3"
    assert after["in_transit_value"] == {"amount": "7.50", "currency": "EUR"}
    assert "resolve" in after["can"]
    listed = (await client.get("/v1/transfers", params={"aged_over_hours": 0, "state": "shipped"})).json()[
        "data"
    ]
    assert [t["id"] for t in listed] == [body["id"]], "it is on the list of what is on the way, and ages"
    for outcome, quantity in (("lost", "1"), ("returned", "2")):
        lines = [{"sku": "TEA", "quantity": quantity}]
        after = (await make.post(client, f"{path}/resolutions", {"outcome": outcome, "lines": lines}))[
            "transfer"
        ]
    assert (after["state"], after["in_transit_units"], after["in_transit_value"]) == (
        "received", "0", {"amount": "0.00", "currency": "EUR"},
    )  # fmt: skip


async def test_pain_1_what_a_transfer_claimed_cannot_drift_from_it(client: Any, app: Any) -> None:
    """odoo/odoo#62139: a reserved counter drifted, and transfers could neither be validated nor cancelled. Here the claim is
    ledger: given back by the very posting that ships, closes or cancels, and held against the documents by the check."""
    warehouse = (await client.get("/v1/locations", params={"q": "W1"})).json()["data"][0]

    async def reserved() -> str:
        params = {"site_id": warehouse["id"], "sku": "TEA"}
        return str((await client.get("/v1/site-levels", params=params)).json()["data"][0]["reserved"])

    for end in ("cancel", "close"):
        body = {
            "id": str(uuid7()), "mode": "document", "place": True, "from_site_code": "W1", "to_site_code": "S01",
            "lines": [{"sku": "TEA", "quantity": "2"}],
        }  # fmt: skip
        await make.post(client, "/v1/transfers", body)
        assert await reserved() == "2"
        if end == "close":
            await make.post(
                client, f"/v1/transfers/{body['id']}/shipments", {"lines": [{"sku": "TEA", "quantity": "1"}]}
            )
            assert await reserved() == "1"
        await make.post(client, f"/v1/transfers/{body['id']}/{end}", {}, status=200)
        assert await reserved() == "0"
    from onhand.ledger.verify import verify

    async with app.state.database.engine.connect() as conn:
        report = await verify(conn)
    assert report.ok, report.differences
