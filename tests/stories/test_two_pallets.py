"""Two pallets leave, one arrives short and one box is crushed."""

from __future__ import annotations

from typing import Any

from tests import make

from onhand.kit.ids import uuid7


async def test_two_pallets_leave_one_arrives_short_and_one_box_is_crushed(client: Any, app: Any) -> None:
    # The warehouse has 100 boxes of tea and 100 of coffee; the store has none and asks for 48 of each.
    await make.organisation(client)
    warehouse = await make.store(client, code="W1", name="Warehouse", kind="warehouse")
    store = await make.store(client)
    for sku, name in (("TEA", "Earl Grey"), ("COFFEE", "Crema")):
        await make.variant(client, sku=sku, name=name)
        await make.stock(client, sku=sku, location_id=warehouse["id"], quantity="100")
    asked = {
        "id": str(uuid7()), "mode": "document", "place": True, "from_site_code": "W1", "to_site_code": "S01",
        "lines": [{"sku": "TEA", "quantity": "48"}, {"sku": "COFFEE", "quantity": "48"}],
    }  # fmt: skip
    made = await make.post(client, "/v1/transfers", asked)
    path = f"/v1/transfers/{made['id']}"

    async def level(site: Any, sku: str) -> dict[str, str]:
        rows = (await client.get("/v1/site-levels", params={"site_id": site["id"], "sku": sku})).json()[
            "data"
        ]
        return dict(rows[0]) if rows else {}

    # Nobody else can sell what was promised to the store.
    assert (await level(warehouse, "TEA"))["available"] == "52"

    # Two pallets leave, one of each. The net is bad: the message of the second is sent twice.
    for sku in ("TEA", "COFFEE"):
        pallet = {"id": str(uuid7()), "lines": [{"sku": sku, "quantity": "48"}], "note": f"pallet of {sku}"}
        await make.post(client, f"{path}/shipments", pallet)
        again = await client.post(f"{path}/shipments", json=pallet)
        assert again.headers["idempotent-replayed"] == "true"
    assert (await level(warehouse, "TEA"))["on_hand"] == "52"
    assert (await client.get("/v1/transfers/totals")).json()["data"][2]["in_transit_units"] == "96"

    # The tea is whole. Of the coffee 45 arrive, and one of these boxes is crushed.
    await make.post(client, f"{path}/receipts", {"lines": [{"sku": "TEA", "quantity": "48"}]})
    short = {"lines": [{"sku": "COFFEE", "quantity": "44", "damaged": "1"}], "complete": True}
    after = (await make.post(client, f"{path}/receipts", short))["transfer"]
    assert after["state"] == "shipped", "three boxes are still somewhere"
    coffee = after["lines"][1]
    assert (coffee["received"], coffee["damaged"], coffee["in_transit"]) == ("44", "1", "3")
    at_store = await level(store, "COFFEE")
    assert (at_store["available"], at_store["on_hand"], at_store["in_transit"]) == ("44", "45", "3")
    opened = (await client.get("/v1/exceptions", params={"kind": "short_receipt", "state": "open"})).json()[
        "data"
    ]
    assert [e["quantity"] for e in opened] == ["3"]

    # One turns up behind the door, one had never left the dock, and one is gone.
    for outcome in ("found", "returned", "lost"):
        answer = await make.post(
            client, f"{path}/resolutions",
            {"id": str(uuid7()), "outcome": outcome, "lines": [{"sku": "COFFEE", "quantity": "1"}]},
        )  # fmt: skip
    done = answer["transfer"]
    assert done["state"] == "received"
    assert done["lines"][1]["in_transit"] == "0"
    assert (await level(store, "COFFEE"))["available"] == "45"
    assert (await level(warehouse, "COFFEE"))["available"] == "53"
    assert not (await client.get("/v1/exceptions", params={"kind": "short_receipt", "state": "open"})).json()[
        "data"
    ]

    # Whoever asks later sees the whole story, and the books agree to the last box.
    assert [s["kind"] for s in done["steps"]] == [
        "created", "placed", "shipment", "shipment", "receipt", "receipt", "resolution", "resolution", "resolution",
    ]  # fmt: skip
    from onhand.ledger.verify import verify

    async with app.state.database.engine.connect() as conn:
        report = await verify(conn)
    assert report.ok, report.differences
