"""The stock verbs and reads through HTTP: what people see, what is refused, and that retries are safe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import psycopg
import pytest

from onhand.kit.ids import uuid7
from tests import make


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """A warehouse with a bin, two stores, tea by the piece, rice by the kilogram with three decimals."""
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
    return {
        "W1": warehouse["id"], "A": rack["id"], "S1": stores[0]["id"], "S2": stores[1]["id"], "tea": tea["id"],
        "rice": rice["id"],
    }  # fmt: skip


async def key(
    client: Any, app: Any, shop: dict[str, Any], *scopes: str, places: list[str] | None = None
) -> Any:
    """A client with an API key of its own."""
    made = await make.post(
        client, "/v1/api-keys",
        {
            "name": "key", "scopes": list(scopes), "location_ids": [shop[p] for p in places] if places else None,
            "expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        },
    )  # fmt: skip
    other = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app, client=("127.0.0.1", 1)), base_url="https://onhand.test",
        headers={"authorization": f"Bearer {made['secret']}"},
    )  # fmt: skip
    other.key_id = made["id"]  # type: ignore[attr-defined]
    return other


@pytest.fixture
async def second(client: Any, app: Any, shop: dict[str, Any]) -> AsyncIterator[Any]:
    """Somebody else who may approve."""
    async with await key(client, app, shop, "stock:approve", "stock:read", "stock:adjust") as other:
        yield other


async def on_hand(client: Any, **where: str) -> str:
    rows = (await client.get("/v1/levels", params=where)).json()["data"]
    assert len(rows) == 1, rows
    return str(rows[0]["on_hand"])


async def refused(client: Any, path: str, body: dict[str, Any], status: int, code: str) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    problem: dict[str, Any] = answer.json()
    return problem


async def test_an_adjustment_answers_with_the_level_it_left(client: Any, shop: dict[str, Any]) -> None:
    body = {"id": str(uuid7()), "location_id": shop["S1"], "sku": "TEA", "quantity": "10", "reason": "found"}
    first = await client.post("/v1/adjustments", json=body)
    assert first.status_code == 201, first.text
    answer = first.json()
    assert answer["state"] == "posted"
    assert answer["level"] == {
        "on_hand": "10", "allocated": "0", "overdrawn": "0", "sellable": "10", "reserved": "0", "available": "10",
    }  # fmt: skip
    again = await client.post("/v1/adjustments", json=body)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == answer
    await refused(client, "/v1/adjustments", {**body, "quantity": "11"}, 422, "id_reused")
    posting = (await client.get(f"/v1/postings/{body['id']}")).json()
    assert posting["seq"] == answer["seq"]
    assert posting["lines"][0]["unit_cost"] == {"amount": "2.00", "currency": "EUR"}
    assert posting["reason"] == "found"
    assert posting["can"] == ["reverse"]


async def test_goods_are_named_by_barcode_and_counted_in_other_units(
    client: Any, shop: dict[str, Any]
) -> None:
    case = {"location_code": "S1", "barcode": "4006381333931", "quantity": "2", "reason": "found"}
    assert (await make.post(client, "/v1/adjustments", case))["quantity"] == "24"
    grams = {"location_id": shop["S1"], "sku": "RICE", "quantity": "1500", "unit": "g", "reason": "found"}
    assert (await make.post(client, "/v1/adjustments", grams))["quantity"] == "1.500"
    finer = {**grams, "quantity": "0.5"}
    assert (
        "does not come out even"
        in (await refused(client, "/v1/adjustments", finer, 422, "uom_mismatch"))["detail"]
    )
    await refused(client, "/v1/adjustments", {**grams, "unit": "l"}, 422, "uom_mismatch")
    await refused(client, "/v1/adjustments", {**grams, "sku": "NONE"}, 422, "unknown_variant")
    await refused(client, "/v1/adjustments", {**grams, "barcode": "1"}, 422, "invalid_body")
    await refused(client, "/v1/adjustments", {**case, "location_code": "??"}, 422, "unknown_location")
    await refused(
        client, "/v1/adjustments", {**case, "location_code": "CUSTOMER"}, 422, "location_keeps_no_stock"
    )


async def test_too_little_is_refused_with_what_is_left(client: Any, shop: dict[str, Any]) -> None:
    body = {"location_id": shop["S2"], "sku": "TEA", "quantity": "-5", "reason": "damaged"}
    problem = await refused(client, "/v1/adjustments", body, 409, "insufficient_stock")
    assert problem["shortages"][0] | {"variant_id": "", "place_id": ""} == {
        "variant_id": "", "place_id": "", "sku": "TEA", "place": "S2", "missing": "5", "available": "0",
    }  # fmt: skip


async def test_a_stock_set_needs_what_was_seen(client: Any, shop: dict[str, Any]) -> None:
    body = {
        "location_id": shop["A"],
        "sku": "TEA",
        "quantity": "40",
        "expected_quantity": "0",
        "reason": "found",
    }
    assert (await make.post(client, "/v1/stock-sets", body))["level"]["on_hand"] == "40"
    stale = await refused(client, "/v1/stock-sets", {**body, "quantity": "30"}, 409, "quantity_stale")
    assert stale["present"] == "40"
    unasked = {k: v for k, v in body.items() if k != "expected_quantity"}
    await refused(client, "/v1/stock-sets", unasked, 422, "invalid_body")
    blind = await make.post(client, "/v1/stock-sets", {**body, "quantity": "35", "expected_quantity": None})
    assert (blind["quantity"], blind["level"]["on_hand"]) == ("-5", "35")
    same = await make.post(client, "/v1/stock-sets", {**body, "quantity": "35", "expected_quantity": "35"})
    assert (same["state"], same["seq"]) == ("unchanged", None)


async def test_a_count_compares_with_the_book_at_its_instant(client: Any, shop: dict[str, Any]) -> None:
    before = datetime.now(UTC)
    await make.post(
        client, "/v1/adjustments",
        {"location_id": shop["A"], "sku": "RICE", "quantity": "5", "reason": "found", "happened_at": (before - timedelta(hours=2)).isoformat()},
    )  # fmt: skip
    sold = {"location_id": shop["A"], "sku": "RICE", "quantity": "-2", "reason": "donation"}
    await make.post(client, "/v1/adjustments", sold)
    counted = {"location_id": shop["A"], "sku": "RICE", "quantity": "4.5", "happened_at": (before - timedelta(hours=1)).isoformat()}  # fmt: skip
    answer = await make.post(client, "/v1/counts", counted)
    assert (answer["quantity"], answer["level"]["on_hand"]) == ("-0.500", "2.500")
    ahead = {**counted, "happened_at": (before + timedelta(hours=1)).isoformat()}
    await refused(client, "/v1/counts", ahead, 422, "happened_ahead")
    right = {"location_id": shop["A"], "sku": "RICE", "quantity": "2.5"}
    assert (await make.post(client, "/v1/counts", right))["state"] == "unchanged"


async def test_a_move_changes_place_or_condition(client: Any, shop: dict[str, Any]) -> None:
    hold = {
        "from_location_id": shop["A"], "to_location_id": shop["A"], "sku": "TEA", "quantity": "3", "to_condition": "hold",
    }  # fmt: skip
    held = await make.post(client, "/v1/moves", hold)
    assert (held["kind"], held["level"]["on_hand"], held["level"]["available"]) == ("hold", "3", "32")
    back = {**hold, "from_condition": "hold", "to_condition": "available", "quantity": "1"}
    assert (await make.post(client, "/v1/moves", back))["kind"] == "release_hold"
    away = {"from_location_code": "W1/A", "to_location_code": "S2", "sku": "TEA", "quantity": "4"}
    assert (await make.post(client, "/v1/moves", away))["kind"] == "transfer"
    assert await on_hand(client, sku="TEA", location_id=shop["S2"]) == "4"
    nowhere = {**away, "to_location_code": "W1/A"}
    await refused(client, "/v1/moves", nowhere, 422, "invalid_posting")


async def test_a_transfer_moves_all_lines_or_none(client: Any, shop: dict[str, Any]) -> None:
    lines = [{"sku": "TEA", "quantity": "5"}, {"sku": "TEA", "quantity": "6"}]
    body = {"id": str(uuid7()), "from_site_id": shop["W1"], "to_site_code": "S2", "lines": lines}
    answer = await make.post(client, "/v1/transfers", body)
    assert answer["lines"] == 2
    assert await on_hand(client, sku="TEA", location_id=shop["S2"]) == "15"
    too_much = {
        **body,
        "id": str(uuid7()),
        "lines": [{"sku": "TEA", "quantity": "1"}, {"sku": "RICE", "quantity": "99"}],
    }
    problem = await refused(client, "/v1/transfers", too_much, 409, "insufficient_stock")
    assert problem["shortages"][0]["sku"] == "RICE"
    assert await on_hand(client, sku="TEA", location_id=shop["S2"]) == "15"


async def test_a_reversal_is_shown_first_and_happens_once(client: Any, shop: dict[str, Any]) -> None:
    wrong = await make.post(
        client,
        "/v1/adjustments",
        {"location_id": shop["S2"], "sku": "RICE", "quantity": "7", "reason": "found"},
    )
    body = {"id": str(uuid7()), "posting_id": wrong["id"], "reason": "typed the wrong item", "preview": True}
    shown = await make.post(client, "/v1/reversals", body)
    assert shown["state"] == "preview"
    assert [(li["quantity"], li["from_code"], li["to_code"]) for li in shown["lines"]] == [
        ("7.000", "S2", "ADJUSTMENT")
    ]
    assert await on_hand(client, sku="RICE", location_id=shop["S2"]) == "7.000"
    done = await make.post(client, "/v1/reversals", {**body, "preview": False})
    assert done["state"] == "posted"
    assert await on_hand(client, sku="RICE", location_id=shop["S2"]) == "0.000"
    await refused(client, "/v1/reversals", {**body, "id": str(uuid7())}, 409, "already_reversed")
    again = {**body, "id": str(uuid7()), "posting_id": done["id"], "preview": False}
    await refused(client, "/v1/reversals", again, 409, "not_reversible")
    nothing = {**again, "posting_id": str(uuid7())}
    await refused(client, "/v1/reversals", nothing, 404, "not_found")
    original = (await client.get(f"/v1/postings/{wrong['id']}")).json()
    assert (original["reversed_by"], original["can"]) == (done["id"], [])
    undone = (await client.get(f"/v1/postings/{done['id']}")).json()
    assert undone["happened_at"] == original["happened_at"]


async def test_above_a_limit_a_second_person_decides(
    client: Any, app: Any, shop: dict[str, Any], second: Any, database_urls: tuple[str, str]
) -> None:
    async with await key(
        client, app, shop, "stock:adjust", "stock:approve", "stock:read", places=["S1"]
    ) as clerk:
        with psycopg.connect(database_urls[0]) as conn:
            conn.execute("UPDATE api_key SET adjust_units = 5 WHERE id = %s", (clerk.key_id,))
        body = {
            "id": str(uuid7()),
            "location_id": shop["S1"],
            "sku": "TEA",
            "quantity": "-6",
            "reason": "theft",
        }
        asked = await make.post(clerk, "/v1/adjustments", body)
        assert asked["state"] == "waiting_approval"
        assert asked["why"] == "6 units are more than the 5 you may correct alone."
        assert await on_hand(client, sku="TEA", location_id=shop["S1"]) == "34"
        await refused(clerk, f"/v1/approvals/{body['id']}/approve", {}, 403, "own_approval")
        waiting = (await second.get("/v1/approvals", params={"state": "waiting"})).json()["data"]
        assert [(w["verb"], w["request"]["quantity"], w["can"]) for w in waiting] == [
            ("adjust", "-6", ["approve", "reject"])
        ]
        approved = await make.post(second, f"/v1/approvals/{body['id']}/approve", {}, status=200)
        assert approved["level"]["on_hand"] == "28"
        await refused(second, f"/v1/approvals/{body['id']}/reject", {}, 409, "already_decided")
        posting = (await client.get(f"/v1/postings/{body['id']}")).json()
        assert posting["actor"]["id"] == clerk.key_id
        small = {**body, "id": str(uuid7()), "quantity": "-5"}
        assert (await make.post(clerk, "/v1/adjustments", small))["state"] == "posted"
        other = {**body, "id": str(uuid7()), "quantity": "-7"}
        await make.post(clerk, "/v1/adjustments", other)
        rejected = await make.post(
            second, f"/v1/approvals/{other['id']}/reject", {"reason": "look again"}, status=200
        )
        assert (rejected["state"], rejected["decision_note"]) == ("rejected", "look again")


async def test_a_caller_of_one_place_sees_and_changes_only_that(
    client: Any, app: Any, shop: dict[str, Any]
) -> None:
    async with await key(
        client, app, shop, "stock:adjust", "stock:read", "exceptions:read", places=["S1"]
    ) as clerk:
        body = {"location_id": shop["S2"], "sku": "TEA", "quantity": "1", "reason": "found"}
        assert (await clerk.post("/v1/adjustments", json=body)).status_code == 403
        levels = (await clerk.get("/v1/levels", params={"sku": "TEA"})).json()["data"]
        assert {row["location_id"] for row in levels} == {shop["S1"]}
        matrix = (await clerk.get("/v1/stock-matrix")).json()["data"]
        assert all(set(row["sites"]) <= {shop["S1"]} for row in matrix)
        assert all(row["cost"] is None for row in (await clerk.get("/v1/site-levels")).json()["data"])


async def test_every_list_is_a_file_too(client: Any, shop: dict[str, Any]) -> None:
    for path in (
        "levels",
        "site-levels",
        "stock-matrix",
        "postings",
        "exceptions",
        "approvals",
        f"variants/{shop['tea']}/history",
    ):
        answer = await client.get(f"/v1/{path}", params={"format": "csv"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/csv")


async def test_numbers_explain_themselves_after_all_this(client: Any, shop: dict[str, Any]) -> None:
    for variant in ("tea", "rice"):
        for site in ("W1", "S1", "S2"):
            for quantity in ("on_hand", "sellable"):
                found = await client.get(
                    "/v1/explain",
                    params={"variant_id": shop[variant], "site_id": shop[site], "quantity": quantity},
                )
                assert found.json()["agrees"], found.text
    days = (await client.get(f"/v1/variants/{shop['tea']}/chart", params={"site_id": shop["S1"]})).json()
    assert len(days) == 30
    drift = (await client.get("/v1/integrity")).json()["drift"]
    assert drift in (None, 0)  # the nightly verification may have run by now


async def test_one_request_sent_many_times_at_once_acts_once(client: Any, shop: dict[str, Any]) -> None:
    body = {"id": str(uuid7()), "location_id": shop["S2"], "sku": "RICE", "quantity": "1", "reason": "found"}
    before = await on_hand(client, sku="RICE", location_id=shop["S2"])
    answers = await asyncio.gather(*[client.post("/v1/adjustments", json=body) for _ in range(10)])
    assert {a.status_code for a in answers} == {201}
    assert len({a.text for a in answers}) == 1
    assert sum(a.headers.get("idempotent-replayed") == "true" for a in answers) == 9
    assert float(await on_hand(client, sku="RICE", location_id=shop["S2"])) == float(before) + 1
