"""Lots, serial numbers, certificates, holds and previews over HTTP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests import make

from onhand import access
from onhand.kit.ids import uuid7

TODAY = datetime.now(UTC).date()


def day(offset: int) -> str:
    return (TODAY + timedelta(days=offset)).isoformat()


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """A store with a till, a tea kept by lot, a phone kept by serial number."""
    await make.organisation(client)
    store = await make.store(client)
    other = await make.store(client, code="S02", name="Nord")
    till = await make.register(client, location_id=store["id"], code="R1")
    tea = await tracked(client, "TEA", "lot")
    phone = await tracked(client, "PHONE", "serial")
    return {"store": store, "other": other, "till": till, "tea": tea, "phone": phone}


async def tracked(client: Any, sku: str, tracking: str) -> dict[str, Any]:
    variant = await make.variant(client, sku=sku, name=sku.title())
    answer = await client.patch(f"/v1/products/{variant['product_id']}", json={"tracking": tracking})
    assert answer.status_code == 200, answer.text
    return variant


async def put(
    client: Any, sku: str, place: dict[str, Any], quantity: str = "1", *, status: int = 201, **named: str
) -> Any:
    body = {
        "id": str(uuid7()),
        "sku": sku,
        "location_id": place["id"],
        "quantity": quantity,
        "reason": "found",
        **named,
    }
    return await make.post(client, "/v1/adjustments", body, status=status)


async def lot(client: Any, code: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/v1/lots", params={"code": code})).json()["data"][0]
    return found


async def test_a_lot_is_made_once_and_changed_by_version(client: Any, shop: dict[str, Any]) -> None:
    body = {"variant_id": shop["tea"]["id"], "code": "T-1", "made_on": day(-30), "expires_on": day(200)}
    made = await make.post(client, "/v1/lots", body)
    assert (made["kind"], made["state"], made["days_left"], made["near_expiry"]) == (
        "lot",
        "sound",
        200,
        False,
    )
    assert (await make.post(client, "/v1/lots", body))["id"] == made["id"]
    other = await client.post("/v1/lots", json={**body, "expires_on": day(100)})
    assert (other.status_code, other.json()["code"]) == (409, "lot_exists")
    changed = await client.patch(
        f"/v1/lots/{made['id']}", json={"notes": "shade"}, headers={"If-Match": '"1"'}
    )
    assert (changed.json()["notes"], changed.json()["version"]) == ("shade", 2)
    stale = await client.patch(f"/v1/lots/{made['id']}", json={"notes": "sun"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    wrong = await client.patch(f"/v1/lots/{made['id']}", json={"made_on": day(300)})
    assert (wrong.status_code, wrong.json()["param"]) == (422, "expires_on")
    owner = await client.patch(f"/v1/lots/{made['id']}", json={"owner_kind": "supplier"})
    assert (owner.status_code, owner.json()["param"]) == (422, "owner_id")


async def test_goods_of_somebody_else_say_whose_they_are(client: Any, shop: dict[str, Any]) -> None:
    farm = await make.post(client, "/v1/suppliers", {"code": "FARM", "name": "The Farm"})
    made = await lot(client, "T-1")
    answer = await client.patch(
        f"/v1/lots/{made['id']}",
        json={"owner_kind": "supplier", "owner_id": farm["id"], "supplier_id": farm["id"]},
    )
    assert answer.json()["owner"] == {"kind": "supplier", "id": farm["id"], "name": "The Farm"}
    assert answer.json()["supplier_name"] == "The Farm"


async def test_lists_narrow_and_export(client: Any, shop: dict[str, Any]) -> None:
    for n in range(5):
        await make.post(
            client,
            "/v1/lots",
            {"variant_id": shop["tea"]["id"], "code": f"LIST-{n}", "expires_on": day(n + 1)},
        )
    codes, cursor = [], None
    while True:
        params = {"q": "list-", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/lots", params=params)).json()
        codes += [row["code"] for row in page["data"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert codes == [f"LIST-{n}" for n in range(5)]
    soon = (await client.get("/v1/lots", params={"expires_within": 3, "limit": 2})).json()
    assert [row["code"] for row in soon["data"]] == ["LIST-0", "LIST-1"]
    rest = (await client.get("/v1/lots", params={"expires_within": 3, "cursor": soon["next_cursor"]})).json()
    assert [row["code"] for row in rest["data"]] == ["LIST-2"]
    file = await client.get("/v1/lots", params={"format": "csv", "sku": "TEA"})
    assert file.text.lstrip("\ufeff").startswith("code,kind,state,sku")
    assert len(file.text.splitlines()) == 7


async def test_a_serial_number_names_one_unit(client: Any, shop: dict[str, Any]) -> None:
    await put(client, "PHONE", shop["store"], serial_number="SN-1")
    twice = await put(client, "PHONE", shop["other"], serial_number="SN-1", status=409)
    assert twice["code"] == "serial_already_used"
    many = await put(client, "PHONE", shop["store"], "2", serial_number="SN-9", status=422)
    assert many["param"] == "quantity"
    none = await put(client, "TEA", shop["store"], serial_number="SN-9", status=422)
    assert none["param"] == "serial_number"
    found = (await client.get("/v1/serials/SN-1")).json()["data"]
    assert [(f["sku"], f["kind"], f["stock"][0]["location_code"]) for f in found] == [
        ("PHONE", "serial", "S01")
    ]
    assert (await client.get("/v1/serials/SN-0")).status_code == 404
    scanned = (await client.get("/v1/scan", params={"code": "SN-1"})).json()
    assert (scanned["kind"], scanned["id"]) == ("lot", found[0]["id"])
    hit = (await client.get("/v1/search", params={"q": "SN-1"})).json()
    assert any(r["kind"] == "lot" and r["title"] == "SN-1" for r in hit["data"])


async def test_a_till_that_sells_a_serial_number_twice_is_heard(client: Any, shop: dict[str, Any]) -> None:
    line = make.line(sku="PHONE", serial_number="SN-1", total="300.00")
    for _ in range(2):
        answer = await make.post(client, "/v1/pos/sales", make.sale(register="R1", lines=[line]))
        assert answer["status"] == "posted"  # a fact: both are recorded
    opened = (await client.get("/v1/exceptions", params={"kind": "serial_already_used"})).json()["data"]
    assert [(e["sku"], e["detail"]["code"]) for e in opened] == [("PHONE", "SN-1")]
    found = (await client.get("/v1/serials/SN-1")).json()["data"][0]
    assert (found["on_hand"], found["stock"]) == ("0", [])
    life = (await client.get(f"/v1/lots/{found['id']}/life")).json()["data"]
    assert [e["kind"] for e in life] == ["sell", "adjust"]  # the second sale is of no unit we know


async def test_a_sold_serial_number_comes_back_as_itself(client: Any, shop: dict[str, Any]) -> None:
    await put(client, "PHONE", shop["store"], serial_number="SN-2")
    sale = make.sale(register="R1", lines=[make.line(sku="PHONE", serial_number="SN-2", total="300.00")])
    await make.post(client, "/v1/pos/sales", sale)
    refund = {
        "id": str(uuid7()), "sale_id": sale["id"], "register": "R1", "happened_at": sale["happened_at"],
        "lines": [{"line": 1, "quantity": "1", "amount": "300.00"}], "tenders": [],
    }  # fmt: skip
    await make.post(client, "/v1/pos/refunds", refund)
    found = (await client.get("/v1/serials/SN-2")).json()["data"][0]
    assert found["on_hand"] == "1"


async def test_tills_racing_for_one_serial_number_open_an_exception(
    client: Any, shop: dict[str, Any]
) -> None:
    await put(client, "PHONE", shop["store"], serial_number="SN-3")
    sales = [make.sale(register="R1", lines=[make.line(sku="PHONE", serial_number="SN-3")]) for _ in range(6)]
    answers = await asyncio.gather(*(client.post("/v1/pos/sales", json=sale) for sale in sales))
    assert {a.status_code for a in answers} == {201}
    opened = []
    for kind in ("serial_already_used", "lot_overdrawn"):
        rows = (await client.get("/v1/exceptions", params={"kind": kind})).json()["data"]
        opened += [e for e in rows if e["source"]["id"] in {s["id"] for s in sales}]
    assert len(opened) == 5  # one was right, five are to be settled


async def test_a_certificate_frees_what_waited_for_it(client: Any, shop: dict[str, Any]) -> None:
    await tracked(client, "SERUM", "lot")
    product = (await client.get("/v1/variants", params={"sku": "SERUM"})).json()["data"][0]["product_id"]
    policy = await make.post(client, "/v1/lot-policies", {"product_id": product, "needs_certificate": True})
    assert (policy["needs_certificate"], policy["strategy"]) == (True, "fefo")
    await put(client, "SERUM", shop["store"], "8", lot_code="B-1")
    batch = await lot(client, "B-1")
    assert batch["state"] == "uncertified"
    upload = await client.post(
        "/v1/files",
        files={"file": ("coa.pdf", b"%PDF-1.7 all is well")},
        headers={"origin": "https://onhand.test"},
    )
    assert upload.status_code == 201, upload.text
    attached = await make.post(
        client, f"/v1/lots/{batch['id']}/certificate", {"file_id": upload.json()["id"]}, status=200
    )
    assert attached["certificate"]["state"] == "waiting"
    assert "approve_certificate" in attached["can"]
    file = await client.get(f"/v1/lots/{batch['id']}/certificate")
    assert file.content == b"%PDF-1.7 all is well"
    done = await make.post(
        client, f"/v1/lots/{batch['id']}/certificate-decisions", {"decision": "approve"}, status=200
    )
    assert (done["state"], done["certificate"]["state"], done["by_condition"]) == (
        "sound",
        "approved",
        {"available": "8"},
    )
    again = await client.post(f"/v1/lots/{batch['id']}/certificate-decisions", json={"decision": "reject"})
    assert again.json()["code"] == "certificate_not_waiting"


async def test_a_place_on_hold_and_what_else_holds_it(client: Any, shop: dict[str, Any]) -> None:
    await tracked(client, "OIL", "lot")
    await put(client, "OIL", shop["other"], "6", lot_code="O-1")
    oil = await lot(client, "O-1")
    place = await make.post(client, "/v1/holds", {"location_id": shop["other"]["id"], "reason": "flood"})
    assert place["lines"][0]["quantity"] == "6"
    recall = await make.post(
        client, "/v1/holds", {"lot_id": oil["id"], "condition": "recalled", "reason": "glass in it"}
    )
    assert recall["levels"] == 0  # the flood has it already
    await make.post(client, f"/v1/holds/{place['id']}/release", {"reason": "dry again"}, status=200)
    after = (await client.get(f"/v1/lots/{oil['id']}")).json()
    assert after["by_condition"] == {"recalled": "6"}  # not for sale: it passes on to the recall
    await make.post(client, f"/v1/holds/{recall['id']}/release", {"reason": "none found"}, status=200)
    assert (await client.get(f"/v1/lots/{oil['id']}")).json()["by_condition"] == {"available": "6"}
    nothing = await client.post("/v1/holds", json={"reason": "why not"})
    assert (nothing.status_code, nothing.json()["param"]) == (422, "lot_id")
    listed = (await client.get("/v1/holds", params={"lot_id": oil["id"], "state": "released"})).json()["data"]
    assert [h["id"] for h in listed] == [recall["id"]]


async def test_a_preview_names_bins_and_lots_for_customer_and_day(client: Any, shop: dict[str, Any]) -> None:
    await tracked(client, "YOG", "lot")
    for code, expires, quantity in (("Y-old", 5, "4"), ("Y-mid", 20, "4"), ("Y-new", 60, "10")):
        body = {
            "variant_id": (await client.get("/v1/variants", params={"sku": "YOG"})).json()["data"][0]["id"],
            "code": code,
        }
        await make.post(client, "/v1/lots", {**body, "expires_on": day(expires)})
        await put(client, "YOG", shop["store"], quantity, lot_code=code)
    ask = {"sku": "YOG", "quantity": "6", "location_code": "S01", "ship_on": day(2)}
    plan = await make.post(client, "/v1/allocations/preview", ask, status=200)
    assert [(p["lot_code"], p["quantity"]) for p in plan["lines"]] == [("Y-old", "4"), ("Y-mid", "2")]
    picky = await make.post(
        client, "/v1/customers", {"code": "PICKY", "name": "Picky", "minimum_life_days": 10}
    )
    plan = await make.post(client, "/v1/allocations/preview", {**ask, "customer_id": picky["id"]}, status=200)
    assert [(p["lot_code"], p["quantity"]) for p in plan["lines"]] == [("Y-mid", "4"), ("Y-new", "2")]
    assert (plan["too_old"], plan["minimum_life_days"]) == ("4", 10)
    few = {**ask, "strategy": "fewest_picks"}
    plan = await make.post(client, "/v1/allocations/preview", few, status=200)
    assert [(p["lot_code"], p["quantity"]) for p in plan["lines"]] == [("Y-new", "6")]


async def test_who_may_hold_at_one_store_may_not_recall_everywhere(
    app: Any, client: Any, shop: dict[str, Any]
) -> None:
    async with app.state.database.writing() as tx:
        made = await access.make_key(
            tx, caller=access.SYSTEM, key_id=uuid7(), name="test", scopes=["stock:read", "stock:hold"],
            location_ids=[UUID(shop["other"]["id"])], expires_at=datetime.now(UTC) + timedelta(days=1),
        )  # fmt: skip
    tea = await lot(client, "T-1")
    headers = {"authorization": f"Bearer {made.text}"}
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(
        transport=transport, base_url="https://onhand.test", headers=headers
    ) as bound:
        everywhere = await bound.post("/v1/holds", json={"lot_id": tea["id"], "reason": "rumour"})
        assert everywhere.status_code == 403
        elsewhere = await bound.post(
            "/v1/holds", json={"location_id": shop["store"]["id"], "reason": "rumour"}
        )
        assert elsewhere.status_code == 403
        here = await bound.post(
            "/v1/holds", json={"lot_id": tea["id"], "location_id": shop["other"]["id"], "reason": "rumour"}
        )
        assert here.status_code == 201, here.text
