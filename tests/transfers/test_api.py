"""Transfers over HTTP: shapes, permissions at both ends, retries, ages, proposals, load carriers; one step as ever."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from tests import make

from onhand.kit.ids import uuid7


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """A warehouse with a bin, two stores; tea with a case barcode, rice by the kilogram."""
    await make.organisation(client)
    warehouse = await make.store(client, code="W1", name="Warehouse", kind="warehouse")
    rack = await make.post(
        client, "/v1/locations", {"code": "A", "name": "A", "kind": "bin", "parent_id": warehouse["id"]}
    )
    stores = [await make.store(client, code=code, name=code) for code in ("S1", "S2")]
    tea = await make.variant(
        client, sku="TEA", barcodes=[{"code": "4006381333931", "quantity": "12", "level": "case"}],
        cost={"amount": "2.00", "currency": "EUR"},
    )  # fmt: skip
    rice = await make.variant(client, sku="RICE", unit="kg", decimals=3)
    await make.stock(client, sku="TEA", location_id=rack["id"], quantity="1000")
    await make.stock(client, sku="RICE", location_id=rack["id"], quantity="100")
    return {
        "W1": warehouse["id"], "A": rack["id"], "S1": stores[0]["id"], "S2": stores[1]["id"], "tea": tea["id"],
        "rice": rice["id"],
    }  # fmt: skip


async def key(client: Any, app: Any, shop: dict[str, Any], *scopes: str, places: list[str]) -> Any:
    made = await make.post(
        client, "/v1/api-keys",
        {
            "name": "key", "scopes": list(scopes), "location_ids": [shop[p] for p in places],
            "expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        },
    )  # fmt: skip
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app, client=("127.0.0.1", 1)), base_url="https://onhand.test",
        headers={"authorization": f"Bearer {made['secret']}"},
    )  # fmt: skip


def a_transfer(
    shop: dict[str, Any], *, sku: str = "TEA", quantity: str = "10", to: str = "S1", **more: Any
) -> dict[str, Any]:
    return {
        "id": str(uuid7()), "mode": "document", "from_site_id": shop["W1"], "to_site_id": shop[to],
        "lines": [{"sku": sku, "quantity": quantity}], **more,
    }  # fmt: skip


async def refused(client: Any, path: str, body: dict[str, Any], status: int, code: str) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def site_level(client: Any, shop: dict[str, Any], site: str, sku: str = "TEA") -> dict[str, Any]:
    rows = (await client.get("/v1/site-levels", params={"site_id": shop[site], "sku": sku})).json()["data"]
    return dict(rows[0]) if rows else {"available": "0", "on_order": "0", "in_transit": "0", "on_hand": "0"}


async def test_the_present_body_is_a_transfer_in_one_step(client: Any, shop: dict[str, Any]) -> None:
    body = {
        "id": str(uuid7()), "from_site_code": "W1", "to_site_code": "S2", "lines": [{"sku": "TEA", "quantity": "5"}],
    }  # fmt: skip
    made = await make.post(client, "/v1/transfers", body)
    assert made["state"] == "posted"
    assert made["seq"]
    assert made["lines"] == 1
    again = await client.post("/v1/transfers", json=body)
    assert again.headers["idempotent-replayed"] == "true"
    assert (await site_level(client, shop, "S2"))["available"] == "5"
    assert (await client.get(f"/v1/transfers/{made['id']}")).status_code == 404, (
        "it is a posting, no document"
    )


async def test_a_document_from_draft_to_received(client: Any, shop: dict[str, Any]) -> None:
    body = a_transfer(shop, quantity="24", note="for the weekend")
    made = await make.post(client, "/v1/transfers", body)
    assert (made["state"], made["version"], made["seq"]) == ("draft", 1, None)
    path = f"/v1/transfers/{body['id']}"
    found = (await client.get(path)).json()
    assert found["can"] == ["change", "place", "cancel"]
    changed = await client.patch(
        path, json={"lines": [{"barcode": "4006381333931", "quantity": "1"}]}, headers={"if-match": "1"}
    )
    assert changed.json()["lines"][0]["requested"] == "12"
    stale = await client.post(f"{path}/place", json={}, headers={"if-match": "1"})
    assert stale.json()["code"] == "stale"
    before = await site_level(client, shop, "W1")
    placed = (await client.post(f"{path}/place", json={}, headers={"if-match": "2"})).json()
    assert placed["can"] == ["change", "ship", "cancel"]
    assert placed["lines"][0]["claimed"] == "12"
    assert int((await site_level(client, shop, "W1"))["available"]) == int(before["available"]) - 12

    shipped = await make.post(client, f"{path}/shipments", {"id": str(uuid7())})
    assert shipped["transfer"]["state"] == "shipped"
    assert shipped["transfer"]["in_transit_value"] == {"amount": "24.00", "currency": "EUR"}
    assert shipped["transfer"]["steps"][-1]["lines"][0]["place"] == "W1/A"
    level = await site_level(client, shop, "S1")
    assert (level["in_transit"], level["on_hand"], level["available"]) == ("12", "0", "0"), (
        "on its way, not for sale"
    )
    transit = (await client.get("/v1/locations", params={"kind": "transit"})).json()["data"]
    assert "TRANSIT-S1" in [place["code"] for place in transit]
    matrix = (await client.get("/v1/stock-matrix", params={"q": "Earl", "limit": 5})).json()["data"]
    row = next(r for r in matrix if r["sku"] == "TEA")
    assert row["totals"]["in_transit"] == "12"

    done = await make.post(client, f"{path}/receipts", {"id": str(uuid7())})
    assert done["transfer"]["state"] == "received"
    assert done["transfer"]["progress"] == 100
    assert done["transfer"]["can"] == []
    assert (await site_level(client, shop, "S1"))["available"] == "12"
    await refused(client, f"{path}/shipments", {}, 409, "transfer_state")
    await refused(client, f"{path}/cancel", {}, 409, "transfer_state")
    kinds = [s["kind"] for s in done["transfer"]["steps"]]
    assert kinds == ["created", "placed", "shipment", "receipt"]
    events = (await client.get("/v1/events", params={"limit": 200})).json()["data"]
    told = [e["type"] for e in events if e["subject"] == f"transfer/{body['id']}"]
    assert told == ["transfer.placed", "transfer.shipped", "transfer.received", "transfer.closed"]


async def test_retries_and_concurrent_retries_of_a_step_post_once(client: Any, shop: dict[str, Any]) -> None:
    body = a_transfer(shop, place=True)
    assert (await make.post(client, "/v1/transfers", body))["state"] == "placed"
    path = f"/v1/transfers/{body['id']}/shipments"
    step = {"id": str(uuid7()), "lines": [{"sku": "TEA", "quantity": "4"}]}
    answers = await asyncio.gather(*(client.post(path, json=step) for _ in range(4)))
    assert {a.status_code for a in answers} <= {201, 409}
    again = await client.post(path, json=step)
    assert again.status_code == 201
    assert again.json()["transfer"]["lines"][0]["shipped"] == "4"
    found = (await client.get(f"/v1/transfers/{body['id']}")).json()
    assert found["lines"][0]["shipped"] == "4"
    await refused(client, path, {**step, "lines": [{"sku": "TEA", "quantity": "5"}]}, 422, "id_reused")
    await make.post(client, f"/v1/transfers/{body['id']}/close", {"reason": "enough"}, status=200)
    await make.post(client, f"/v1/transfers/{body['id']}/receipts", {})


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "param"),
    [
        ("shipments", {"lines": [{"sku": "TEA", "quantity": "11"}]}, 409, "over_shipment", "quantity"),
        ("shipments", {"lines": [{"sku": "RICE", "quantity": "1"}]}, 422, "not_on_transfer", "sku"),
        ("shipments", {"lines": [{"sku": "NONE", "quantity": "1"}]}, 422, "unknown_variant", "sku"),
        ("shipments", {"lines": [{"sku": "TEA", "quantity": "0"}]}, 422, "invalid_posting", "quantity"),
        ("shipments", {"lines": [{"sku": "TEA", "quantity": "1.5"}]}, 422, "invalid_body", None),
        ("shipments", {"happened_at": "2099-01-01T00:00:00Z"}, 422, "happened_ahead", "happened_at"),
        ("receipts", {"lines": [{"sku": "TEA", "quantity": "3"}]}, 409, "over_receipt", "quantity"),
        (
            "resolutions",
            {"outcome": "lost", "lines": [{"sku": "TEA", "quantity": "1"}]},
            409,
            "transfer_state",
            None,
        ),
        ("resolutions", {"outcome": "eaten", "lines": []}, 422, "invalid_body", None),
    ],
)
async def test_refusals_change_nothing(
    client: Any,
    shop: dict[str, Any],
    path: str,
    body: dict[str, Any],
    status: int,
    code: str,
    param: str | None,
) -> None:
    made = a_transfer(shop, place=True)
    await make.post(client, "/v1/transfers", made)
    before = (await client.get(f"/v1/transfers/{made['id']}")).json()
    problem = await refused(client, f"/v1/transfers/{made['id']}/{path}", body, status, code)
    if param:
        assert problem["param"] == param
    after = (await client.get(f"/v1/transfers/{made['id']}")).json()
    assert {k: v for k, v in after.items() if k != "age_hours"} == {
        k: v for k, v in before.items() if k != "age_hours"
    }
    await make.post(client, f"/v1/transfers/{made['id']}/cancel", {"reason": "test"}, status=200)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to_site_code": "W1", "to_site_id": None}, "invalid_body"),
        ({"to_site_id": None, "to_site_code": "A"}, "location_keeps_no_stock"),
        ({"to_site_id": None, "to_site_code": "NOWHERE"}, "unknown_location"),
        ({"lines": [{"sku": "TEA", "quantity": "-1"}]}, "invalid_body"),
        ({"lines": [{"sku": "TEA", "quantity": "99999"}], "place": True}, "insufficient_stock"),
    ],
)
async def test_what_cannot_be_planned(
    client: Any, shop: dict[str, Any], change: dict[str, Any], code: str
) -> None:
    answer = await client.post("/v1/transfers", json={**a_transfer(shop), **change})
    assert answer.json()["code"] == code, answer.text


async def test_ship_at_the_source_receive_at_the_destination(
    client: Any, app: Any, shop: dict[str, Any]
) -> None:
    every = ("transfers:read", "transfers:write", "transfers:ship", "transfers:receive", "stock:move")
    body = a_transfer(shop)
    async with (
        await key(client, app, shop, *every, places=["W1"]) as source,
        await key(client, app, shop, *every, places=["S1"]) as target,
        await key(client, app, shop, *every, places=["S2"]) as stranger,
    ):
        await make.post(target, "/v1/transfers", body)  # the store asks
        path = f"/v1/transfers/{body['id']}"
        await refused(stranger, "/v1/transfers", a_transfer(shop), 403, "location_not_allowed")
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.post(f"{path}/place", json={})).status_code == 404
        assert body["id"] not in [t["id"] for t in (await stranger.get("/v1/transfers")).json()["data"]]
        placed = await make.post(source, f"{path}/place", {}, status=200)
        assert placed["can"] == ["change", "ship", "cancel"]
        assert (await target.get(path)).json()["can"] == ["change", "cancel"]
        await refused(target, f"{path}/shipments", {}, 403, "location_not_allowed")
        await make.post(source, f"{path}/shipments", {})
        await refused(source, f"{path}/receipts", {}, 403, "location_not_allowed")
        lost = {"outcome": "lost", "lines": [{"sku": "TEA", "quantity": "1"}]}
        await refused(source, f"{path}/resolutions", lost, 403, "location_not_allowed")
        await refused(
            target, f"{path}/resolutions", {**lost, "outcome": "returned"}, 403, "location_not_allowed"
        )
        assert (await stranger.post(f"{path}/receipts", json={})).status_code == 404
        done = await make.post(target, f"{path}/receipts", {})
        assert done["transfer"]["state"] == "received"
        instant = {
            "from_site_id": shop["W1"], "to_site_id": shop["S1"], "lines": [{"sku": "TEA", "quantity": "1"}],
        }  # fmt: skip
        await refused(target, "/v1/transfers", instant, 403, "location_not_allowed")


async def test_the_list_knows_ages_and_what_is_overdue(client: Any, app: Any, shop: dict[str, Any]) -> None:
    old = a_transfer(shop, place=True, expected_at=(datetime.now(UTC) - timedelta(days=1)).isoformat())
    new = a_transfer(shop, place=True)
    for body in (old, new):
        await make.post(client, "/v1/transfers", body)
        await make.post(client, f"/v1/transfers/{body['id']}/shipments", {})
    async with app.state.database.writing() as tx:
        await tx.conn.execute(
            sa.text("UPDATE transfer SET shipped_at = shipped_at - interval '50 hours' WHERE id = :id"),
            {"id": old["id"]},
        )
    aged = (await client.get("/v1/transfers", params={"aged_over_hours": 48})).json()["data"]
    assert [t["id"] for t in aged] == [old["id"]]
    assert aged[0]["age_hours"] == 50
    overdue = (await client.get("/v1/transfers", params={"overdue": "true"})).json()["data"]
    assert [t["id"] for t in overdue] == [old["id"]]
    totals = {t["state"]: t for t in (await client.get("/v1/transfers/totals")).json()["data"]}
    assert totals["shipped"]["transfers"] == 2
    assert totals["shipped"]["overdue"] == 1
    assert totals["shipped"]["in_transit_units"] == "20"
    assert totals["shipped"]["in_transit_value"] == {"amount": "40.00", "currency": "EUR"}
    page = (await client.get("/v1/transfers", params={"limit": 1, "state": "open"})).json()
    rest = (
        await client.get(
            "/v1/transfers", params={"limit": 50, "state": "open", "cursor": page["next_cursor"]}
        )
    ).json()
    assert {t["id"] for t in [*page["data"], *rest["data"]]} >= {old["id"], new["id"]}
    file = await client.get("/v1/transfers", params={"format": "csv"})
    assert "in_transit_units" in file.text
    found = (await client.get("/v1/search", params={"q": aged[0]["number"]})).json()
    assert old["id"] in str(found)
    for body in (old, new):
        await make.post(client, f"/v1/transfers/{body['id']}/receipts", {})


async def test_from_what_is_below_its_minimum_to_drafts_in_one_step(
    client: Any, shop: dict[str, Any]
) -> None:
    for sku, minimum in (("tea", "200"), ("rice", "2.5")):
        answer = await client.put(
            "/v1/minimums", json={"variant_id": shop[sku], "site_id": shop["S2"], "minimum": minimum}
        )
        assert answer.status_code in (200, 201, 204), answer.text
    have = (await site_level(client, shop, "S2"))["available"]
    body = {"id": str(uuid7()), "to_site_id": shop["S2"]}
    made = await make.post(client, "/v1/transfers/proposals", body)
    assert made["unmet"] == []
    assert [t["from_site_code"] for t in made["data"]] == ["W1"]
    found = (await client.get(f"/v1/transfers/{made['data'][0]['id']}")).json()
    assert {line["sku"]: line["requested"] for line in found["lines"]} == {
        "TEA": str(200 - int(have)),
        "RICE": "2.500",
    }
    again = await client.post("/v1/transfers/proposals", json=body)
    assert again.headers["idempotent-replayed"] == "true"
    await refused(client, "/v1/transfers/proposals", {"to_site_id": shop["S2"]}, 409, "nothing_needed")


async def test_a_pallet_moves_with_what_is_on_it(client: Any, shop: dict[str, Any]) -> None:
    pallet = await make.post(
        client,
        "/v1/locations",
        {"code": "PAL-7", "name": "Pallet 7", "kind": "pallet", "parent_id": shop["W1"]},
    )
    tote = await make.post(
        client, "/v1/locations", {"code": "T-1", "name": "Tote", "kind": "tote", "parent_id": pallet["id"]}
    )
    for place, quantity in ((pallet, "30"), (tote, "6")):
        await make.post(
            client, "/v1/moves",
            {"from_location_id": shop["A"], "to_location_id": place["id"], "sku": "TEA", "quantity": quantity},
        )  # fmt: skip
    inside = await make.post(client, "/v1/lpn-moves", {"lpn_code": "PAL-7", "to_location_code": "W1/A"})
    assert (inside["path"], inside["lines"], inside["lpn_id"]) == ("W1/A/PAL-7", 0, pallet["id"])
    before = {s: int((await site_level(client, shop, s))["on_hand"]) for s in ("W1", "S1")}
    away = await make.post(client, "/v1/lpn-moves", {"lpn_id": pallet["id"], "to_location_id": shop["S1"]})
    assert (away["path"], away["lines"]) == ("S1/PAL-7", 2)
    after = {s: int((await site_level(client, shop, s))["on_hand"]) for s in ("W1", "S1")}
    assert after == {"W1": before["W1"] - 36, "S1": before["S1"] + 36}
    rows = (await client.get("/v1/levels", params={"location_id": away["lpn_id"]})).json()["data"]
    assert {r["location_path"]: r["on_hand"] for r in rows if r["on_hand"] != "0"} == {
        "S1/PAL-7": "30",
        "S1/PAL-7/T-1": "6",
    }
    back = await make.post(client, "/v1/lpn-moves", {"lpn_id": away["lpn_id"], "to_location_code": "W1/A"})
    assert back["lpn_id"] == pallet["id"], "at home it is the place it was"
    assert (await site_level(client, shop, "W1"))["on_hand"] == str(before["W1"])


async def test_load_carriers_refuse_clearly(client: Any, shop: dict[str, Any]) -> None:
    cart = await make.post(
        client, "/v1/locations", {"code": "CART", "name": "Cart", "kind": "cart", "parent_id": shop["S1"]}
    )
    await make.stock(client, sku="TEA", location_id=cart["id"], quantity="5")
    hold = {
        "from_location_id": cart["id"],
        "to_location_id": cart["id"],
        "sku": "TEA",
        "quantity": "1",
        "to_condition": "hold",
    }
    await make.post(client, "/v1/moves", hold)
    problem = await refused(
        client, "/v1/lpn-moves", {"lpn_id": cart["id"], "to_location_id": shop["S2"]}, 409, "lot_held"
    )
    assert problem["conditions"] == ["hold"]
    await refused(
        client, "/v1/lpn-moves", {"lpn_id": shop["A"], "to_location_id": shop["S2"]}, 422, "not_movable"
    )
    await refused(
        client, "/v1/lpn-moves", {"lpn_id": cart["id"], "to_location_id": cart["id"]}, 422, "invalid_body"
    )
    await client.patch(f"/v1/locations/{shop['S2']}", json={"closed": True})
    rows = (await client.get("/v1/levels", params={"location_id": cart["id"]})).json()["data"]
    assert {r["condition"]: r["on_hand"] for r in rows} == {"available": "4", "hold": "1"}


async def test_the_books_agree(app: Any) -> None:
    from onhand.ledger.verify import verify

    async with app.state.database.engine.connect() as conn:
        report = await verify(conn)
    assert report.ok, report.differences[:5]
