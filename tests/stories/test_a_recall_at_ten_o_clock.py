"""A recall at ten o'clock: one lot, twenty shelves in two towns; a minute later nobody may sell it, and what was sold is known."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests import make

from onhand import ledger
from onhand.kit.ids import uuid7
from onhand.ledger import Mode, Move, Posting, digest_of
from onhand.locations import virtual_id


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """Two stores of ten shelves each; five cheeses of lot L-77 on every shelf, and of lot L-78 on the first."""
    await make.organisation(client)
    cheese = await make.variant(client, sku="BRIE", name="Brie")
    product = (await client.get(f"/v1/variants/{cheese['id']}")).json()["product_id"]
    assert (await client.patch(f"/v1/products/{product}", json={"tracking": "lot"})).status_code == 200
    shelves = []
    stores = {}
    for code in ("S01", "S02"):
        stores[code] = await make.store(client, code=code, name=code)
        for n in range(10):
            shelf = await make.post(
                client,
                "/v1/locations",
                {"code": f"F{n}", "name": f"Shelf {n}", "kind": "bin", "parent_id": stores[code]["id"]},
            )
            shelves.append(shelf)
            await found(client, shelf, "L-77", "5")
    await found(client, shelves[0], "L-78", "5")
    till = await make.register(client, location_id=stores["S01"]["id"], code="R1")
    lot = (await client.get("/v1/lots", params={"code": "L-77"})).json()["data"][0]
    return {"cheese": cheese, "stores": stores, "shelves": shelves, "till": till, "lot": lot}


async def found(client: Any, shelf: dict[str, Any], lot_code: str, quantity: str) -> None:
    body = {
        "sku": "BRIE",
        "location_id": shelf["id"],
        "quantity": quantity,
        "reason": "found",
        "lot_code": lot_code,
    }
    await make.post(client, "/v1/adjustments", {"id": str(uuid7()), **body})


async def conditions(client: Any, shop: dict[str, Any]) -> dict[str, str]:
    answer = await client.get(f"/v1/lots/{shop['lot']['id']}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["by_condition"])


async def available(client: Any, shop: dict[str, Any], store: str) -> str:
    params = {"variant_id": shop["cheese"]["id"], "site_id": shop["stores"][store]["id"]}
    return str((await client.get("/v1/site-levels", params=params)).json()["data"][0]["available"])


async def strict_sale(app: Any, shop: dict[str, Any], shelf: int, condition: int) -> str:
    """What the lane answers a request that wants one of the lot from a shelf."""
    now = datetime.now(UTC)
    move = Move(
        variant=_id(shop["cheese"]), from_location=_id(shop["shelves"][shelf]), to_location=virtual_id("customer"),
        quantity=1, lot=_id(shop["lot"]), from_condition=condition,
    )  # fmt: skip
    posting = Posting(
        id=uuid7(), kind="ship", source_type="test", source_id=uuid7(), actor=uuid7(), happened_at=now, moves=(move,),
        digest=digest_of(now.isoformat(), shelf), mode=Mode.strict,
    )  # fmt: skip
    return str((await app.state.engine.submit(ledger.item(posting))).status)


def _id(what: dict[str, Any]) -> Any:
    from uuid import UUID

    return UUID(what["id"])


async def test_before_it_is_placed_one_sees_what_it_would_take(client: Any, shop: dict[str, Any]) -> None:
    seen = await make.post(client, "/v1/hold-previews", {"lot_id": shop["lot"]["id"]}, status=200)
    assert (seen["levels"], seen["sites"]) == (20, 2)
    assert {line["quantity"] for line in seen["lines"]} == {"5"}
    assert await conditions(client, shop) == {"available": "100"}  # nothing has happened yet


async def test_at_ten_the_lot_is_recalled_everywhere_in_one_posting(
    client: Any, app: Any, shop: dict[str, Any]
) -> None:
    shop["hold_id"] = str(uuid7())
    body = {"id": shop["hold_id"], "lot_id": shop["lot"]["id"], "condition": "recalled", "reason": "listeria"}
    hold = await make.post(client, "/v1/holds", body)
    assert (hold["state"], hold["levels"], hold["can"]) == ("open", 20, ["release"])
    assert (await client.post("/v1/holds", json=body)).json()["id"] == hold["id"]  # asked twice, done once
    assert await conditions(client, shop) == {"recalled": "100"}
    assert await available(client, shop, "S01") == "5"  # only the other lot is left
    assert await available(client, shop, "S02") == "0"
    postings = (await client.get("/v1/postings", params={"kind": "hold"})).json()["data"]
    assert [len(p["lines"]) for p in postings] == [20]
    events = [e["type"] for e in await stream(client)]
    assert events.count("lot.recalled") == 1
    assert events.count("stock.held") == 2  # one a site
    lot = (await client.get(f"/v1/lots/{shop['lot']['id']}")).json()
    assert (lot["state"], lot["holds"][0]["reason"]) == ("recalled", "listeria")
    assert (await client.get("/v1/lots", params={"state": "recalled"})).json()["data"][0]["code"] == "L-77"


async def stream(client: Any) -> list[dict[str, Any]]:
    found, after = [], 0
    while True:
        page = (await client.get("/v1/events", params={"after": str(after), "limit": 200})).json()
        found += page["data"]
        if not page["data"]:
            return found
        after = page["data"][-1]["sequence"]


async def test_whoever_asks_for_it_is_refused(app: Any, shop: dict[str, Any]) -> None:
    assert await strict_sale(app, shop, 3, condition=5) == "lot_held"
    assert await strict_sale(app, shop, 3, condition=0) == "insufficient_stock"


async def test_what_a_till_sold_all_the_same_is_recorded_and_shouts(
    client: Any, shop: dict[str, Any]
) -> None:
    sale = make.sale(register="R1", lines=[make.line(sku="BRIE", lot_code="L-77")])
    answer = await make.post(client, "/v1/pos/sales", sale)
    assert answer["status"] == "posted"
    opened = (await client.get("/v1/exceptions", params={"kind": "held_stock_sold"})).json()["data"]
    assert (opened[0]["sku"], opened[0]["detail"]["code"], opened[0]["source"]["id"]) == (
        "BRIE",
        "L-77",
        sale["id"],
    )
    assert await conditions(client, shop) == {"recalled": "99"}  # the book follows the goods
    # and it comes back to where it came from
    await make.post(
        client, "/v1/pos/voids", {"id": str(uuid7()), "sale_id": sale["id"], "reason": "recalled"}
    )
    assert await conditions(client, shop) == {"recalled": "100"}


async def test_what_arrives_later_lands_on_hold(client: Any, app: Any, shop: dict[str, Any]) -> None:
    # from a supplier's delivery entered as found: the job takes it within a minute
    await found(client, shop["shelves"][7], "L-77", "4")
    assert await conditions(client, shop) == {"available": "4", "recalled": "100"}
    # carried on before the job came: it lands on hold at once
    move = {"sku": "BRIE", "quantity": "1", "lot_code": "L-77", "from_location_id": shop["shelves"][7]["id"],
            "to_location_id": shop["shelves"][8]["id"]}  # fmt: skip
    await make.post(client, "/v1/moves", {"id": str(uuid7()), **move})
    assert await conditions(client, shop) == {"available": "3", "recalled": "101"}
    await enforce(app, shop)
    assert await conditions(client, shop) == {"recalled": "104"}
    hold = (await client.get(f"/v1/holds/{shop['hold_id']}")).json()
    assert sum(int(line["quantity"]) for line in hold["lines"]) == 104


async def enforce(app: Any, shop: dict[str, Any]) -> None:
    from uuid import UUID

    from onhand import quality

    async with app.state.database.writing() as tx:
        await quality.enforce_holds(tx, UUID(shop["hold_id"]))


async def test_two_who_recall_at_once_do_not_stumble(client: Any, shop: dict[str, Any]) -> None:
    bodies = [
        {"id": str(uuid7()), "lot_id": shop["lot"]["id"], "condition": "hold", "reason": f"me too {n}"}
        for n in range(3)
    ]
    answers = await asyncio.gather(*(client.post("/v1/holds", json=body) for body in bodies))
    assert [a.status_code for a in answers] == [201, 201, 201]
    assert await conditions(client, shop) == {"recalled": "104"}
    for body in bodies:
        await make.post(client, f"/v1/holds/{body['id']}/release", {"reason": "was held already"}, status=200)


async def test_released_at_noon_it_is_for_sale_again(client: Any, shop: dict[str, Any]) -> None:
    release = {"reason": "the laboratory found nothing"}
    stale = await client.post(
        f"/v1/holds/{shop['hold_id']}/release", json=release, headers={"If-Match": '"1"'}
    )
    assert stale.status_code == 412
    answer = await make.post(client, f"/v1/holds/{shop['hold_id']}/release", release, status=200)
    assert (answer["state"], answer["can"]) == ("released", [])
    again = await client.post(f"/v1/holds/{shop['hold_id']}/release", json=release)
    assert again.json()["code"] == "already_released"
    assert await conditions(client, shop) == {"available": "104"}
    assert await available(client, shop, "S02") == "50"


async def test_its_whole_life_can_be_read(client: Any, shop: dict[str, Any]) -> None:
    life = (await client.get(f"/v1/lots/{shop['lot']['id']}/life", params={"limit": 200})).json()["data"]
    assert {entry["kind"] for entry in life} >= {"adjust", "hold", "release_hold", "sell", "reverse", "move"}
    assert life == sorted(life, key=lambda e: -int(e["seq"]))
    soon = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    patched = await client.patch(
        f"/v1/lots/{shop['lot']['id']}",
        json={"expires_on": soon},
        headers={"If-Match": f'"{shop["lot"]["version"]}"'},
    )
    assert patched.status_code == 200, patched.text
    near = (await client.get("/v1/lots", params={"expires_within": 14})).json()["data"]
    assert [(row["code"], row["days_left"], row["near_expiry"]) for row in near] == [("L-77", 10, True)]
