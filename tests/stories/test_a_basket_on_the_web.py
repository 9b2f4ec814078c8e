"""A basket on the web: it holds the last pair of shoes while a till sells, and nobody is sold what is not there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests import make

from onhand.kit.ids import uuid7
from onhand.ledger import Expectation, expect, expire_due


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """One store with a till, a warehouse, and a web shop that sells from both and keeps one of each back."""
    await make.organisation(client)
    store = await make.store(client)
    depot = await make.store(client, code="W1", name="Depot", kind="warehouse")
    till = await make.register(client, location_id=store["id"], code="R1")
    web = await make.post(
        client,
        "/v1/channels",
        {"code": "web", "name": "Web shop", "site_ids": [store["id"], depot["id"]], "buffer": "0"},
    )
    return {"store": store, "depot": depot, "till": till, "web": web}


async def shoes(client: Any, shop: dict[str, Any], quantity: str, *, at: str = "store") -> str:
    """A fresh pair of shoes, so many of them; answers the SKU."""
    found = await make.variant(client, name="Red shoes, 42")
    if quantity != "0":
        await make.stock(client, sku=found["sku"], location_id=shop[at]["id"], quantity=quantity)
    return str(found["sku"])


def basket(sku: str, quantity: str = "1", **fields: Any) -> dict[str, Any]:
    return {
        "id": str(uuid7()),
        "site_code": "S01",
        "channel": "web",
        "lines": [{"sku": sku, "quantity": quantity}],
        **fields,
    }


async def ask(client: Any, sku: str, **more: Any) -> dict[str, Any]:
    answer = await client.get("/v1/availability", params={"sku": sku, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"][0]
    return found


async def test_a_basket_holds_the_last_pair_while_a_till_sells(client: Any, shop: dict[str, Any]) -> None:
    sku = await shoes(client, shop, "1")
    mine = basket(sku, reference="B-17")
    held = await make.post(client, "/v1/reservations", mine)
    assert (held["kind"], held["reference"], held["lines"][0]["claimed"]) == ("basket", "B-17", "1")
    assert (await ask(client, sku, channel="web"))["atp"] == "0"

    other = await client.post("/v1/reservations", json=basket(sku))
    assert (other.status_code, other.json()["code"]) == (409, "insufficient_stock")
    assert other.json()["shortages"][0] | {"variant_id": "", "place_id": ""} == {
        "variant_id": "", "place_id": "", "sku": sku, "place": "S01", "missing": "1", "available": "0",
    }  # fmt: skip

    again = await client.post("/v1/reservations", json=mine)  # the shop asks again after a timeout
    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["seq"] == held["seq"]
    changed = await client.post("/v1/reservations", json={**mine, "reference": "B-18"})
    assert changed.json()["code"] == "id_reused"

    # the shopper pays; the pair leaves, and its claim with it
    done = await make.post(client, f"/v1/reservations/{held['id']}/consume", {"id": str(uuid7())}, status=200)
    assert (done["reservation"]["state"], done["reservation"]["can"]) == ("consumed", [])
    level = (await client.get("/v1/site-levels", params={"sku": sku})).json()["data"][0]
    assert (level["sellable"], level["reserved"], level["available"]) == ("0", "0", "0")


async def test_the_till_sells_what_the_basket_held_and_the_basket_is_told(
    client: Any, shop: dict[str, Any]
) -> None:
    """A till tells what happened: the pair is gone. The basket cannot have it, and the difference is an exception."""
    sku = await shoes(client, shop, "1")
    held = await make.post(client, "/v1/reservations", basket(sku))
    sale = make.sale(register="R1", lines=[make.line(sku=sku)])
    told = await make.post(client, "/v1/pos/sales", sale)
    assert told["oversold"][0]["quantity"] == 1
    answer = await client.post(f"/v1/reservations/{held['id']}/consume", json={"id": str(uuid7())})
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_stock")
    opened = (await client.get("/v1/exceptions", params={"state": "open", "kind": "oversold"})).json()["data"]
    assert sku in [e["sku"] for e in opened]
    await make.post(
        client, f"/v1/reservations/{held['id']}/release", {"reason": "sold in the shop"}, status=200
    )


async def test_what_a_shopper_forgets_is_free_again(client: Any, shop: dict[str, Any], app: Any) -> None:
    sku = await shoes(client, shop, "1")
    held = await make.post(client, "/v1/reservations", basket(sku, expires_in=1))
    async with app.state.database.writing() as tx:
        await tx.conn.execute(
            sa.text("UPDATE reservation SET expires_at = clock_timestamp() WHERE id = :id"),
            {"id": held["id"]},
        )
    async with app.state.database.writing() as tx:
        assert await expire_due(tx) == 1
    found = (await client.get(f"/v1/reservations/{held['id']}")).json()
    assert (found["state"], found["can"]) == ("expired", ["consume", "extend"])
    won = await make.post(client, "/v1/reservations", basket(sku))
    late = await client.post(f"/v1/reservations/{held['id']}/consume", json={})
    assert (late.status_code, late.json()["code"]) == (409, "reservation_expired")
    await make.post(client, f"/v1/reservations/{won['id']}/release", {}, status=200)
    back = await make.post(client, f"/v1/reservations/{held['id']}/extend", {"expires_in": 600}, status=200)
    assert (back["reservation"]["state"], back["reservation"]["version"]) == ("open", 3)


async def test_a_quick_hand_gets_the_last_of_many(client: Any, shop: dict[str, Any]) -> None:
    sku = await shoes(client, shop, "5")
    answers = await asyncio.gather(*[client.post("/v1/reservations", json=basket(sku)) for _ in range(20)])
    assert sorted(a.status_code for a in answers) == [201] * 5 + [409] * 15
    assert (await ask(client, sku))["available"] == "0"


async def test_a_channel_keeps_some_back_but_what_is_available_does_not_change(
    client: Any, shop: dict[str, Any]
) -> None:
    sku = await shoes(client, shop, "3")
    variant = (await client.get("/v1/variants", params={"q": sku})).json()["data"][0]
    path = f"/v1/channels/{shop['web']['id']}"
    changed = await client.patch(
        path, json={"buffer": "1"}, headers={"If-Match": str(shop["web"]["version"])}
    )
    assert changed.status_code == 200, changed.text
    stale = await client.patch(path, json={"buffer": "9"}, headers={"If-Match": str(shop["web"]["version"])})
    assert stale.status_code == 412

    async def atp() -> tuple[str, str]:
        for _ in range(100):  # what the server remembers of channels is forgotten by the event
            found = await ask(client, sku, channel="web")
            if found["atp"] != before[0]:
                break
            await asyncio.sleep(0.05)
        return found["atp"], found["available"]

    before = ["3"]
    assert await atp() == ("2", "3")
    before = ["2"]
    body = {"variant_id": variant["id"], "site_id": shop["store"]["id"], "buffer": "5"}
    assert (await client.put(f"{path}/buffers", json=body)).status_code == 200
    assert await atp() == ("0", "3")
    assert (await ask(client, sku))["atp"] == "3"
    assert [r["buffer"] for r in (await client.get(f"{path}/buffers")).json()["data"]] == ["5"]
    await client.put(f"{path}/buffers", json={**body, "buffer": None})
    await client.patch(path, json={"buffer": "0"})


async def test_expected_goods_may_be_promised_for_later(client: Any, shop: dict[str, Any], app: Any) -> None:
    sku = await shoes(client, shop, "2")
    variant = (await client.get("/v1/variants", params={"q": sku})).json()["data"][0]
    instant = datetime.now(UTC)
    async with app.state.database.writing() as tx:
        await expect(
            tx,
            [
                Expectation(
                    source_line=uuid7(), source_type="purchase_order", source_id=uuid7(), variant=UUID(variant["id"]),
                    site=UUID(shop["store"]["id"]), quantity=quantity, due=instant + timedelta(days=days),
                )
                for quantity, days in ((10, 3), (-4, 5), (50, -1))
            ],
        )  # fmt: skip
    for days, atp in ((1, "2"), (4, "12"), (6, "8")):
        until = (instant + timedelta(days=days)).isoformat()
        assert (await ask(client, sku, until=until))["atp"] == atp
    assert (await ask(client, sku))["atp"] == "2"


async def test_an_order_takes_what_there_is_and_waits_for_the_rest(client: Any, shop: dict[str, Any]) -> None:
    sku = await shoes(client, shop, "2")
    variant = (await client.get("/v1/variants", params={"q": sku})).json()["data"][0]
    line = {"sku": sku, "quantity": "5"}
    order = {"kind": "order", "site_code": "S01", "reference": "SO-1"}
    refused = await client.post(
        "/v1/reservations", json={**order, "lines": [{**line, "policy": "backorder"}]}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "backorder_not_approved")
    approved = await client.put(
        "/v1/backorders",
        json={
            "variant_id": variant["id"],
            "site_id": shop["store"]["id"],
            "max_quantity": "10",
            "note": "on its way",
        },
    )
    assert approved.status_code == 200, approved.text
    held = await make.post(client, "/v1/reservations", {**order, "lines": [{**line, "policy": "backorder"}]})
    assert held["lines"][0]["claimed"] == "5"
    assert (await ask(client, sku))["available"] == "-3"
    assert (await ask(client, sku, channel="web"))["atp"] == "0"
    row = (await client.get("/v1/backorders", params={"variant_id": variant["id"]})).json()["data"][0]
    assert (row["beyond"], row["max_quantity"], row["state"]) == ("3", "10", "approved")
    below = (await client.get("/v1/site-levels", params={"below": "zero"})).json()["data"]
    assert sku in [r["sku"] for r in below]
    other = await shoes(client, shop, "2")
    some = {
        **order,
        "reference": "SO-2",
        "lines": [{"sku": other, "quantity": "5", "policy": "what_there_is"}],
    }
    assert (await make.post(client, "/v1/reservations", some))["lines"][0]["claimed"] == "2"


async def test_who_holds_it_and_until_when(client: Any, shop: dict[str, Any]) -> None:
    sku = await shoes(client, shop, "9")
    variant = (await client.get("/v1/variants", params={"q": sku})).json()["data"][0]
    made = [
        await make.post(client, "/v1/reservations", basket(sku, str(n), expires_in=3600 * n)) for n in (1, 2)
    ]
    made.append(
        await make.post(client, "/v1/reservations", basket(sku, "3", kind="order", reference="SO-77"))
    )
    asked = {"variant_id": variant["id"], "state": "open"}
    page = (await client.get("/v1/reservations", params={**asked, "limit": 2})).json()
    rest = (await client.get("/v1/reservations", params={**asked, "cursor": page["next_cursor"]})).json()
    assert [r["id"] for r in page["data"] + rest["data"]] == [r["id"] for r in reversed(made)]
    soon = (await client.get("/v1/reservations", params={**asked, "expires_within": 3 * 3600})).json()["data"]
    assert [r["id"] for r in soon] == [made[0]["id"], made[1]["id"]]
    named = (await client.get("/v1/reservations", params={"reference": "SO-77"})).json()["data"]
    assert [r["lines"][0]["open"] for r in named] == ["3"]
    preview = {"preview": True, "lines": [{"line": 1, "quantity": "2"}]}
    shown = await make.post(client, f"/v1/reservations/{made[2]['id']}/release", preview, status=200)
    assert (shown["state"], shown["lines"][0]["quantity"], shown["reservation"]["lines"][0]["open"]) == (
        "preview",
        "2",
        "3",
    )
    await make.post(client, f"/v1/reservations/{made[2]['id']}/release", {"id": str(uuid7())}, status=200)
    left = (await client.get("/v1/reservations", params=asked)).json()["data"]
    assert len(left) == 2
    file = await client.get("/v1/reservations", params={"format": "csv"})
    assert "SO-77" in file.text


async def test_what_is_not_understood_says_so_and_changes_nothing(client: Any, shop: dict[str, Any]) -> None:
    sku = await shoes(client, shop, "2")
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"lines": []}, "invalid_body", "lines"),
        ({"lines": [{"sku": sku, "quantity": "0"}]}, "invalid_body", "lines[0].quantity"),
        ({"lines": [{"sku": sku, "quantity": "1.5"}]}, "invalid_body", "lines[0].quantity"),
        ({"lines": [{"quantity": "1"}]}, "invalid_body", "lines[0].sku"),
        ({"lines": [{"sku": "NOBODY", "quantity": "1"}]}, "unknown_variant", "lines[0].sku"),
        ({"site_code": "NOWHERE"}, "unknown_location", "site_id"),
        ({"site_code": None}, "invalid_body", "site_id"),
        ({"channel": "nowhere"}, "unknown_channel", "channel"),
        ({"expires_in": 5, "expires_at": "2030-01-01T00:00:00Z"}, "invalid_body", "expires_at"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "invalid_body", "expires_at"),
        ({"kind": "wish"}, "invalid_body", "kind"),
    ]
    for change, code, param in wrong:
        answer = await client.post("/v1/reservations", json={**basket(sku), **change})
        assert (answer.status_code, answer.json()["code"], answer.json().get("param")) == (
            422,
            code,
            param,
        ), change
    assert (await ask(client, sku))["available"] == "2"
    for params in (
        {},
        {"sku": sku, "site_code": "NO"},
        {"sku": sku, "until": "soon"},
        {"sku": sku, "what": "1"},
    ):
        assert (await client.get("/v1/availability", params=params)).status_code == 422, params
    found = (await client.get("/v1/availability", params=[("sku", sku), ("sku", "NOBODY")])).json()
    assert (found["unknown"], len(found["data"])) == (["NOBODY"], 1)


async def test_many_questions_at_once_are_few_reads(client: Any, shop: dict[str, Any], app: Any) -> None:
    sku = await shoes(client, shop, "4")
    levels = app.state.onhand.promises.levels
    before = levels.reads
    answers = await asyncio.gather(*[ask(client, sku) for _ in range(50)])
    assert {a["available"] for a in answers} == {"4"}
    assert levels.reads - before < 25


async def test_the_steps_are_told_in_order(client: Any, shop: dict[str, Any]) -> None:
    sku = await shoes(client, shop, "2")
    held = await make.post(client, "/v1/reservations", basket(sku, "2"))
    await make.post(client, f"/v1/reservations/{held['id']}/extend", {"expires_in": 900}, status=200)
    some = {"lines": [{"line": 1, "quantity": "1"}]}
    await make.post(client, f"/v1/reservations/{held['id']}/release", some, status=200)
    await make.post(client, f"/v1/reservations/{held['id']}/consume", {}, status=200)
    told, after = [], "0"
    while True:
        page = (await client.get("/v1/events", params={"after": after, "limit": "1000"})).json()
        told += [e for e in page["data"] if e["subject"] == f"reservation/{held['id']}"]
        if not page["data"]:
            break
        after = page["through"]
    assert [e["type"] for e in told] == [
        f"reservation.{step}" for step in ("created", "extended", "released", "consumed")
    ]
    assert [(e["data"]["lines"][0]["quantity"], e["data"]["lines"][0]["open"]) for e in told] == [
        ("2", "2"),
        ("2", "2"),
        ("1", "1"),
        ("1", "0"),
    ]
    log = (await client.get("/v1/audit", params={"entity": "reservation", "entity_id": held["id"]})).json()[
        "data"
    ]
    assert {row["action"] for row in log} >= {
        "reservation.created",
        "reservation.release",
        "reservation.consume",
    }


async def test_a_storefront_asks_by_its_key_and_only_what_it_may(client: Any, shop: dict[str, Any]) -> None:
    """The thin way by API key answers as the ordinary one does; a key of one store sees that store."""
    import httpx2

    sku = await shoes(client, shop, "3")
    await make.stock(client, sku=sku, location_id=shop["depot"]["id"], quantity="4")
    made = await make.post(
        client,
        "/v1/api-keys",
        {
            "name": "Web",
            "scopes": ["stock:read", "stock:reserve"],
            "location_ids": [shop["store"]["id"]],
            "expires_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        },
    )
    by_key = {"authorization": f"Bearer {made['secret']}"}
    async with httpx2.AsyncClient(transport=client._transport, base_url="https://onhand.test") as web:
        found = (await web.get("/v1/availability", params={"sku": sku}, headers=by_key)).json()["data"][0]
        assert [(s["site_code"], s["available"]) for s in found["sites"]] == [("S01", "3")]
        assert (await ask(client, sku))["available"] == "7"
        held = await web.post("/v1/reservations", json=basket(sku), headers=by_key)
        assert held.status_code == 201, held.text
        elsewhere = {**basket(sku), "site_code": "W1"}
        refused = await web.post("/v1/reservations", json=elsewhere, headers=by_key)
        assert (refused.status_code, refused.json()["code"]) == (403, "location_not_allowed")
        assert (await web.get("/v1/availability", params={"sku": sku})).status_code == 401
