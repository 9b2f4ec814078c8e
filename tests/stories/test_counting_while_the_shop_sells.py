"""Counting while the shop sells: nobody stops for the count, and the book ends with what is on the shelves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests import make
from tests.counting.crew import COUNTER, entry, on_hand, person, settle, sheet

from onhand.ledger import verify

NOW = datetime.now(UTC)


def ago(**span: float) -> datetime:
    """An instant that long ago."""
    return NOW - timedelta(**span)


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """A store with a shelf and a backroom, a till at the shelf; tea and rice lie there since yesterday."""
    await make.organisation(client)
    store = await make.store(client)
    places = {
        code: await make.post(client, "/v1/locations", {"code": code, "name": code, "kind": "bin", "parent_id": store["id"]})
        for code in ("SHELF", "BACK")
    }  # fmt: skip
    await make.register(client, location_id=places["SHELF"]["id"], code="R1")
    cost = {"amount": "2.00", "currency": "EUR"}
    for sku in ("TEA", "RICE", "SALT"):
        await make.variant(client, sku=sku, cost=cost)
    for sku, place, quantity in (("TEA", "SHELF", "20"), ("RICE", "SHELF", "8"), ("TEA", "BACK", "50")):
        body = {
            "location_id": places[place]["id"], "sku": sku, "quantity": quantity, "reason": "found",
            "happened_at": ago(days=1).isoformat(),
        }  # fmt: skip
        await make.post(client, "/v1/adjustments", body)
    return {"store": store["id"], "SHELF": places["SHELF"]["id"], "BACK": places["BACK"]["id"]}


async def sell(client: Any, quantity: str, at: datetime, sku: str = "TEA") -> dict[str, Any]:
    lines = [make.line(sku=sku, quantity=quantity)]
    return await make.post(
        client, "/v1/pos/sales", make.sale(register="R1", lines=lines, happened_at=at.isoformat())
    )


async def test_sales_before_and_after_the_count_change_nothing_about_it(
    client: Any, app: Any, shop: dict[str, Any]
) -> None:
    """At nine there were 20. Three are sold, Ben counts 16 (one is gone), two more are sold; then the count is judged."""
    (task,) = await sheet(client, site_id=shop["store"], bins=[shop["SHELF"]])
    await sell(client, "3", ago(hours=5))
    await sell(client, "2", ago(hours=3))
    async with person(client, app, *COUNTER) as ben:
        said = await make.post(ben, "/v1/count-entries", entry(task, at=ago(hours=4), TEA="16", RICE="8"))
    assert said["state"] == "waiting"
    review = (await client.get(f"/v1/count-reviews/{task['id']}")).json()
    tea = next(line for line in review["lines"] if line["sku"] == "TEA")
    assert [tea[k] for k in ("counted", "book", "variance", "on_hand", "moved_since", "value")] == [
        "16", "17", "-1", "15", "-2", "-2.00",
    ]  # fmt: skip
    done = await client.post(f"/v1/bin-counts/{task['id']}/approve", json={})
    assert done.status_code == 200, done.text
    assert done.json()["state"] == "posted"
    assert await on_hand(client, sku="TEA", location_id=shop["SHELF"]) == "14"
    history = (await client.get("/v1/postings", params={"kind": "count"})).json()["data"]
    assert datetime.fromisoformat(history[0]["happened_at"]) == ago(hours=4), (
        "posted at the instant it was counted"
    )


async def test_a_till_that_was_offline_tells_of_a_sale_before_the_count(
    client: Any, app: Any, shop: dict[str, Any]
) -> None:
    """The missing unit was sold on a till without a network: one linked, opposite correction, and the loss is none."""
    before = int(await on_hand(client, sku="TEA", location_id=shop["SHELF"]))
    late = make.sale(
        register="R1",
        lines=[make.line(sku="TEA", quantity="1")],
        happened_at=ago(hours=4, minutes=30).isoformat(),
    )
    await make.post(client, "/v1/pos/sales", late)
    assert await on_hand(client, sku="TEA", location_id=shop["SHELF"]) == str(before - 1)
    assert await settle(app) == 1
    assert await settle(app) == 0, "once"
    assert await on_hand(client, sku="TEA", location_id=shop["SHELF"]) == str(before)
    (correction,) = (await client.get("/v1/counting/corrections")).json()["data"]
    assert (correction["quantity"], correction["counted"], correction["variance"]) == ("1", "16", "-1")
    assert correction["late_posting_ids"] == [late["id"]]
    posting = (await client.get(f"/v1/postings/{correction['posting_id']}")).json()
    assert (posting["kind"], posting["source"]["type"]) == ("count", "count_correction")
    assert posting["source"]["id"] == correction["counted_level_id"]
    assert datetime.fromisoformat(posting["happened_at"]) == ago(hours=4)
    assert posting["can"] == [], "what keeps a count right is not reversed by hand"
    rows = (await client.get("/v1/counting/shrinkage", params={"period": "year"})).json()["data"]
    counted = next(r for r in rows if r["reason"] == "cycle_count")
    assert (counted["lost"], counted["found"], counted["net"]) == ("2.00", "2.00", "0.00")


async def test_a_late_sale_of_something_the_count_did_not_find_there(
    client: Any, app: Any, shop: dict[str, Any]
) -> None:
    """Salt was never on the book of this shelf, nor did Ben find any; a late sale of it does not leave the shelf below zero."""
    await sell(client, "2", ago(hours=4, minutes=10), sku="SALT")
    assert await on_hand(client, sku="SALT", location_id=shop["SHELF"]) == "-2"
    assert await settle(app) == 1
    assert await on_hand(client, sku="SALT", location_id=shop["SHELF"]) == "0"


async def test_a_late_void_gives_back_what_the_late_sale_took(
    client: Any, app: Any, shop: dict[str, Any]
) -> None:
    late = make.sale(
        register="R1", lines=[make.line(sku="RICE", quantity="2")], happened_at=ago(hours=6).isoformat()
    )
    await make.post(client, "/v1/pos/sales", late)
    await settle(app)
    assert await on_hand(client, sku="RICE", location_id=shop["SHELF"]) == "8"
    await make.post(client, "/v1/pos/voids", {"sale_id": late["id"], "reason": "Entered twice"})
    assert await settle(app) == 1
    assert await on_hand(client, sku="RICE", location_id=shop["SHELF"]) == "8"


async def test_the_reader_told_twice_and_the_books_hold(client: Any, app: Any, shop: dict[str, Any]) -> None:
    assert await settle(app) == 0
    report = await verify.run(app.state.database)
    assert report.ok, report


async def test_a_count_of_one_level_is_kept_right_too(client: Any, app: Any, shop: dict[str, Any]) -> None:
    """`POST /v1/counts`, exact at first sight: nothing is posted, and still a late sale is set against it."""
    body = {
        "location_id": shop["BACK"],
        "sku": "TEA",
        "quantity": "50",
        "happened_at": ago(hours=2).isoformat(),
    }
    assert (await make.post(client, "/v1/counts", body))["state"] == "unchanged"
    move = {
        "from_location_id": shop["BACK"], "to_location_id": shop["SHELF"], "sku": "TEA", "quantity": "5",
        "happened_at": ago(hours=3).isoformat(),
    }  # fmt: skip
    shelf = int(await on_hand(client, sku="TEA", location_id=shop["SHELF"]))
    await make.post(client, "/v1/moves", move)
    assert await settle(app) == 1, "the backroom was counted after it; so was not the shelf"
    assert await on_hand(client, sku="TEA", location_id=shop["BACK"]) == "50"
    assert await on_hand(client, sku="TEA", location_id=shop["SHELF"]) == str(shelf + 5)


async def test_a_reversed_count_says_nothing_any_more(client: Any, app: Any, shop: dict[str, Any]) -> None:
    """The wrong shelf was counted: the reversal takes the variance and what late facts made of it."""
    wrong = {
        "location_id": shop["BACK"],
        "sku": "TEA",
        "quantity": "40",
        "happened_at": ago(hours=1).isoformat(),
    }
    counted = await make.post(client, "/v1/counts", wrong)
    assert counted["quantity"] == "-10"
    late = {
        "from_location_id": shop["BACK"], "to_location_id": shop["SHELF"], "sku": "TEA", "quantity": "3",
        "happened_at": ago(minutes=90).isoformat(),
    }  # fmt: skip
    await make.post(client, "/v1/moves", late)
    await settle(app)
    assert await on_hand(client, sku="TEA", location_id=shop["BACK"]) == "40"
    await make.post(client, "/v1/reversals", {"posting_id": counted["id"], "reason": "It was another shelf"})
    assert await settle(app) == 1
    assert await on_hand(client, sku="TEA", location_id=shop["BACK"]) == "47"


async def test_a_count_that_does_not_hold_is_named_by_the_verification(
    client: Any, app: Any, shop: dict[str, Any]
) -> None:
    assert await settle(app) == 0
    report = await verify.run(app.state.database)
    assert (report.ok, report.checks["counted_levels"]) == (True, 0), report
    async with app.state.database.writing() as tx:
        done = await tx.conn.execute(
            sa.text(
                "UPDATE counted_level SET variance = variance + 1 WHERE id = (SELECT id FROM counted_level k"
                " WHERE NOT EXISTS (SELECT FROM reversal r WHERE r.original = k.posting) LIMIT 1)"
            )
        )
        assert done.rowcount == 1
    report = await verify.run(app.state.database)
    assert [d.check for d in report.differences] == ["counted_levels"]
