"""Sheets, blind counts, recounts, approval and reports through HTTP: what people see, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from onhand.counting import reclassify
from onhand.kit.ids import uuid7
from tests import make
from tests.counting.crew import COUNTER, entry, on_hand, person, refused, sheet


@pytest.fixture(scope="module")
async def depot(client: Any) -> dict[str, Any]:
    """A warehouse with bins, goods worth 2.00 each, one worth a lot, and another warehouse."""
    await make.organisation(client)
    top = await make.store(client, code="W1", name="Warehouse", kind="warehouse")
    other = await make.store(client, code="W2", name="Other", kind="warehouse")
    found = {"W1": top["id"], "W2": other["id"]}
    for code in "ABCDEFGHIJKLMNO":
        place = await make.post(
            client, "/v1/locations", {"code": code, "name": code, "kind": "bin", "parent_id": top["id"]}
        )
        found[code] = place["id"]
    for sku, cost in (("TEA", "2.00"), ("RICE", "2.00"), ("GOLD", "900.00")):
        made = await make.variant(client, sku=sku, cost={"amount": cost, "currency": "EUR"})
        found[sku] = made["id"]
    return found


async def put(client: Any, depot: dict[str, Any], place: str, sku: str, quantity: str) -> None:
    await make.stock(client, sku=sku, location_id=depot[place], quantity=quantity)


def numbers(value: Any) -> str:
    """Everything an answer says, as one text."""
    return repr(value)


async def test_who_counts_never_sees_the_book(client: Any, app: Any, depot: dict[str, Any]) -> None:
    """No answer on the counter's way holds the quantity of the book (7,341), nor the variance, nor what is allocated."""
    await put(client, depot, "A", "TEA", "7341")
    (task,) = await sheet(client, site_id=depot["W1"], bins=[depot["A"]])
    answers = []
    async with person(client, app, *COUNTER) as ben:
        for path in (
            "/v1/bin-counts",
            f"/v1/bin-counts/{task['id']}",
            "/v1/count-sheets",
            f"/v1/count-sheets/{task['sheet_id']}",
        ):
            answer = await ben.get(path)
            assert answer.status_code == 200, answer.text
            answers.append(answer.json())
        answers.append((await ben.post(f"/v1/bin-counts/{task['id']}/claim", json={})).json())
        assert answers[-1]["can"] == ["release", "submit"]
        answers.append((await ben.get("/v1/scan", params={"code": "TEA"})).json())
        answers.append((await ben.get("/v1/variants")).json())
        answers.append((await ben.get("/v1/variants", params={"format": "csv"})).text)
        answers.append(await make.post(ben, "/v1/count-entries", entry(task, TEA="7300")))
        answers.append(
            await make.post(ben, "/v1/counts", {"location_id": depot["A"], "sku": "RICE", "quantity": "1"})
        )
        assert answers[-1]["quantity"] is None
        assert answers[-1]["level"] is None
        for path in (
            "/v1/levels", "/v1/site-levels", "/v1/postings", "/v1/count-reviews", f"/v1/count-reviews/{task['id']}",
            "/v1/counting/corrections", "/v1/counting/shrinkage", "/v1/counting/overrides", "/v1/events", "/v1/matrix",
            f"/v1/counting/plan?site_id={depot['W1']}",
        ):  # fmt: skip
            assert (await ben.get(path)).status_code in (403, 404), path
    for answer in answers:
        assert not {"7341", "7,341", "7341.0", "-41", "41"} & set(
            numbers(answer).replace("'", " ").split()
        ), answer
    assert answers[-2]["state"] == "posted" or answers[-2]["state"] in ("recount", "waiting")


async def test_the_same_submission_twice_counts_once(client: Any, app: Any, depot: dict[str, Any]) -> None:
    await put(client, depot, "B", "TEA", "10")
    (task,) = await sheet(client, site_id=depot["W1"], bins=[depot["B"]])
    async with person(client, app, *COUNTER) as ben, person(client, app, *COUNTER) as eva:
        said = entry(task, TEA="10")
        first = await make.post(ben, "/v1/count-entries", said)
        assert first["state"] == "posted", "nothing differs"
        again = await ben.post("/v1/count-entries", json=said)
        assert (again.json(), again.headers["idempotent-replayed"]) == (first, "true")
        await refused(ben, "/v1/count-entries", {**said, "empty": True, "lines": []}, 422, "id_reused")
        await refused(eva, "/v1/count-entries", entry(task, TEA="9"), 409, "already_counted")
        await refused(eva, "/v1/count-entries", said, 422, "id_reused")
    assert await on_hand(client, location_id=depot["B"]) == "10"
    assert (await client.get("/v1/postings", params={"kind": "count", "location_id": depot["B"]})).json()[
        "data"
    ] == []


async def test_a_bin_is_counted_by_one_person_at_a_time(client: Any, app: Any, depot: dict[str, Any]) -> None:
    (task,) = await sheet(client, site_id=depot["W1"], bins=[depot["C"]])
    path = f"/v1/bin-counts/{task['id']}"
    async with (
        person(client, app, *COUNTER) as ben,
        person(client, app, *COUNTER, places=[depot["W2"]]) as far,
    ):
        stale = await ben.post(f"{path}/claim", json={}, headers={"If-Match": "7"})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale")
        assert (await ben.post(f"{path}/claim", json={})).json()["mine"] is True
        assert (await ben.post(f"{path}/claim", json={})).status_code == 200
        await refused(client, f"{path}/claim", {}, 409, "claimed_by_another")
        await refused(client, "/v1/count-entries", entry(task), 409, "claimed_by_another")
        await refused(far, f"{path}/claim", {}, 404, "not_found")
        assert (await far.get("/v1/bin-counts")).json()["data"] == []
        assert (await ben.post(f"{path}/release")).json()["state"] == "open"
        assert (await make.post(client, "/v1/count-entries", entry(task)))["state"] == "posted"
        await refused(ben, f"{path}/claim", {}, 409, "bin_count_closed")


async def test_too_large_a_variance_is_counted_again_by_somebody_else(
    client: Any, app: Any, depot: dict[str, Any]
) -> None:
    """Ben finds 30 of 40, Eva 32; nobody is told what the book says. Approved, the second count is what is posted."""
    await put(client, depot, "D", "TEA", "40")
    (task,) = await sheet(client, site_id=depot["W1"], bins=[depot["D"]])
    approver = person(client, app, "stock:approve", "stock:count", "stock:read")
    async with person(client, app, *COUNTER) as ben, person(client, app, *COUNTER) as eva, approver as boss:
        said = await make.post(ben, "/v1/count-entries", entry(task, TEA="30"))
        assert (said["state"], said["round"]) == ("recount", 2)
        await refused(ben, "/v1/count-entries", entry(task, TEA="40"), 409, "recount_by_other")
        await refused(ben, f"/v1/bin-counts/{task['id']}/claim", {}, 409, "recount_by_other")
        assert (await ben.get(f"/v1/bin-counts/{task['id']}")).json()["can"] == []
        assert (await eva.get(f"/v1/bin-counts/{task['id']}")).json()["can"] == ["claim", "submit"]
        said = await make.post(eva, "/v1/count-entries", entry(task, TEA="32"))
        assert (said["state"], said["round"]) == ("waiting", 2)
        await refused(eva, f"/v1/bin-counts/{task['id']}/approve", {}, 403, "forbidden")
        (review,) = (await boss.get("/v1/count-reviews", params={"state": "waiting", "over": "true"})).json()[
            "data"
        ]
        assert (review["can"], review["value"], review["over"]) == (["approve", "recount"], None, True)
        stale = await boss.post(f"/v1/bin-counts/{task['id']}/approve", json={}, headers={"If-Match": "1"})
        assert stale.status_code == 412
        done = await boss.post(
            f"/v1/bin-counts/{task['id']}/approve", json={"note": "A box fell"}, headers={"If-Match": str(review["version"])}
        )  # fmt: skip
        assert (done.status_code, done.json()["state"], done.json()["note"]) == (200, "posted", "A box fell")
        await refused(boss, f"/v1/bin-counts/{task['id']}/approve", {}, 409, "bin_count_closed")
    assert await on_hand(client, location_id=depot["D"], sku="TEA") == "32"


async def test_whoever_approves_may_ask_for_another_count(
    client: Any, app: Any, depot: dict[str, Any]
) -> None:
    await put(client, depot, "E", "TEA", "10")
    (task,) = await sheet(client, site_id=depot["W1"], bins=[depot["E"]])
    async with person(client, app, *COUNTER) as ben, person(client, app, *COUNTER) as eva:
        assert (await make.post(ben, "/v1/count-entries", entry(task, TEA="9")))["state"] == "waiting"
        asked = await client.post(
            f"/v1/bin-counts/{task['id']}/recount", json={"note": "Look behind the box"}
        )
        assert (asked.json()["state"], asked.json()["round"]) == ("recount", 2)
        assert (await make.post(eva, "/v1/count-entries", entry(task, TEA="10")))["state"] == "posted"
    assert await on_hand(client, location_id=depot["E"]) == "10"


async def test_limits_hold_for_who_counts_and_who_approves(
    client: Any, app: Any, depot: dict[str, Any]
) -> None:
    """Who may correct two units alone posts one at once; nine wait for somebody with wider limits; nobody approves their own."""
    await put(client, depot, "F", "TEA", "1000")
    await put(client, depot, "G", "TEA", "1000")
    small = await make.post(
        client, "/v1/roles",
        {"name": "small", "permissions": ["stock:count", "stock:adjust", "stock:approve", "stock:read"], "limits": {"adjust_units": "2"}},
    )  # fmt: skip
    assert small["name"] == "small"
    one, nine = await sheet(client, site_id=depot["W1"], bins=[depot["F"], depot["G"]])
    async with (
        await _signed_in(client, app, "kim@example.com", "small") as kim,
        person(client, app, *COUNTER) as ben,
    ):
        assert (await make.post(kim, "/v1/count-entries", entry(one, TEA="999")))["state"] == "posted"
        assert (await make.post(kim, "/v1/count-entries", entry(nine, TEA="991")))["state"] == "waiting"
        await refused(kim, f"/v1/bin-counts/{nine['id']}/approve", {}, 403, "own_count")
        await client.post(f"/v1/bin-counts/{nine['id']}/recount", json={})
        assert (await make.post(ben, "/v1/count-entries", entry(nine, TEA="991")))["state"] == "waiting"
        await refused(kim, f"/v1/bin-counts/{nine['id']}/approve", {}, 403, "variance_too_large")
    assert (await client.post(f"/v1/bin-counts/{nine['id']}/approve", json={})).status_code == 200
    assert await on_hand(client, location_id=depot["G"]) == "991"


async def _signed_in(client: Any, app: Any, email: str, role: str) -> Any:
    body = {"email": email, "name": "Kim", "password": make.PASSWORD, "assignments": [{"role": role}]}
    await make.post(client, "/v1/users", body)
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="https://onhand.test") as door:
        answer = await door.post("/v1/session", json={"email": email, "password": make.PASSWORD})
        assert answer.status_code in (200, 201), answer.text
        cookies = door.cookies
    return httpx2.AsyncClient(transport=transport, base_url="https://onhand.test", cookies=cookies)


async def test_what_nobody_expected_is_found_and_unknown_codes_wait(
    client: Any, app: Any, depot: dict[str, Any]
) -> None:
    (task,) = await sheet(client, site_id=depot["W1"], bins=[depot["H"]])
    async with person(client, app, *COUNTER) as ben, person(client, app, *COUNTER) as eva:
        body = entry(task, RICE="1")
        body["lines"].append({"barcode": "0000000000017", "quantity": "2"})
        assert (await make.post(ben, "/v1/count-entries", body))["state"] == "waiting"
        review = (await client.get(f"/v1/count-reviews/{task['id']}")).json()
        assert review["unknown"] == [{"code": "0000000000017", "quantity": "2"}]
        assert [(x["sku"], x["variance"]) for x in review["lines"]] == [("RICE", "1")]
        assert (await client.post(f"/v1/bin-counts/{task['id']}/approve", json={})).status_code == 200
        assert await on_hand(client, location_id=depot["H"]) == "1"
        (again,) = await sheet(client, site_id=depot["W1"], bins=[depot["H"]])
        await refused(eva, "/v1/count-entries", {"bin_count_id": again["id"]}, 422, "nothing_counted")
        await refused(eva, "/v1/count-entries", entry(again, RICE="-1"), 422, "invalid_body")
        await refused(
            eva,
            "/v1/count-entries",
            entry(again, at=datetime.now(UTC) + timedelta(days=1), RICE="1"),
            422,
            "happened_ahead",
        )
        await refused(
            eva, "/v1/count-entries", {**entry(again), "bin_count_id": str(uuid7())}, 404, "not_found"
        )
        assert (await make.post(eva, "/v1/count-entries", entry(again)))["state"] == "waiting"
    assert (await client.post(f"/v1/bin-counts/{again['id']}/approve", json={})).status_code == 200
    assert await on_hand(client, location_id=depot["H"], sku="RICE") == "0"


async def test_a_bin_is_on_one_sheet_at_a_time(client: Any, depot: dict[str, Any]) -> None:
    body = {"site_id": depot["W1"], "location_ids": [depot["I"]]}
    first = await make.post(client, "/v1/count-sheets", body)
    await refused(client, "/v1/count-sheets", body, 409, "all_being_counted")
    more = await make.post(client, "/v1/count-sheets", {**body, "location_ids": [depot["I"], depot["J"]]})
    assert (more["bins"], more["skipped"]) == (1, ["W1/I"])
    await refused(client, "/v1/count-sheets", {**body, "location_ids": [depot["W2"]]}, 422, "unknown_bin")
    for found in (first, more):
        for task in (await client.get("/v1/bin-counts", params={"sheet_id": found["id"]})).json()["data"]:
            gone = await client.post(f"/v1/bin-counts/{task['id']}/cancel", json={"note": "Not today"})
            assert gone.json()["state"] == "cancelled"
    assert (await make.post(client, "/v1/count-sheets", body))["bins"] == 1


async def test_the_plan_says_what_is_due_and_whether_the_capacity_holds(
    client: Any, app: Any, depot: dict[str, Any]
) -> None:
    await put(client, depot, "K", "GOLD", "50")
    await put(client, depot, "L", "TEA", "50")
    register = await make.register(client, location_id=depot["K"], code="R-K")
    assert register["code"] == "R-K"
    happened = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    await make.post(
        client,
        "/v1/pos/sales",
        make.sale(register="R-K", lines=[make.line(sku="GOLD", quantity="10")], happened_at=happened),
    )
    async with app.state.database.writing() as tx:
        assert (await reclassify(tx))["A"] == 1
    plan = (await client.get("/v1/counting/plan", params={"site_id": depot["W1"]})).json()
    assert plan["bins_per_day"] == plan["needed_per_day"] > 1, "what is needed, while nobody said"
    assert plan["message"] is None
    said = f"/v1/counting/sites/{depot['W1']}"
    assert (await client.put(said, json={"bins_per_day": plan["needed_per_day"] - 1})).status_code == 200
    fewer = (await client.get("/v1/counting/plan", params={"site_id": depot["W1"]})).json()
    assert f"Raise the capacity to {plan['needed_per_day']}" in fewer["message"]
    assert (await client.put(said, json={"bins_per_day": plan["needed_per_day"]})).status_code == 200
    plan = (await client.get("/v1/counting/plan", params={"site_id": depot["W1"]})).json()
    assert plan["message"] is None
    assert {c["count_class"]: c["bins"] for c in plan["classes"]}["A"] == 1
    bins = (
        await client.get("/v1/counting/bins", params={"site_id": depot["W1"], "count_class": "A"})
    ).json()["data"]
    assert [b["location_code"] for b in bins] == ["K"]
    first = (await client.get("/v1/counting/bins", params={"site_id": depot["W1"], "limit": "4"})).json()
    rest = (
        await client.get(
            "/v1/counting/bins",
            params={"site_id": depot["W1"], "limit": "200", "cursor": first["next_cursor"]},
        )
    ).json()
    seen = [b["location_path"] for b in first["data"] + rest["data"]]
    assert len(seen) == len(set(seen)) == plan["bins"]
    file = await client.get("/v1/counting/bins", params={"site_id": depot["W1"], "format": "csv"})
    assert file.text.removeprefix("\ufeff").startswith("location_path,count_class")


async def test_todays_sheet_is_handed_out_once(client: Any, depot: dict[str, Any]) -> None:
    """The plan's places for today go onto one sheet; asking again hands out no second day's work."""
    await client.put(f"/v1/counting/sites/{depot['W2']}", json={"bins_per_day": 5})
    for n in range(60):
        await make.post(
            client,
            "/v1/locations",
            {"code": f"{n:02}", "name": f"{n}", "kind": "bin", "parent_id": depot["W2"]},
        )
    await client.patch("/v1/counting/policy", json={"days_a": 5, "days_b": 10, "days_c": 20})
    made = await make.post(client, "/v1/count-sheets", {"site_id": depot["W2"]})
    assert made["bins"] == 3, "sixty places within twenty days"
    await refused(client, "/v1/count-sheets", {"site_id": depot["W2"]}, 409, "nothing_due")


async def test_settings_are_data_with_a_version(client: Any, app: Any, depot: dict[str, Any]) -> None:
    policy = (await client.get("/v1/counting/policy")).json()
    assert (policy["share_a"], policy["tolerance_value"]) == ("80", "50")
    seen = {"If-Match": str(policy["version"])}
    changed = await client.patch(
        "/v1/counting/policy", json={"days_a": 4, "tolerance_value": None}, headers=seen
    )
    assert (changed.json()["days_a"], changed.json()["tolerance_value"]) == (4, None)
    assert changed.json()["version"] == policy["version"] + 1
    assert (await client.patch("/v1/counting/policy", json={"days_a": 5}, headers=seen)).status_code == 412
    wrong = await client.patch("/v1/counting/policy", json={"days_a": 400})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "policy_not_possible")
    async with person(client, app, "stock:read", "counting:write") as planner:
        assert (await planner.patch("/v1/counting/policy", json={"days_a": 21})).status_code == 403


async def test_reports_of_shrinkage_and_overrides(client: Any, app: Any, depot: dict[str, Any]) -> None:
    await put(client, depot, "M", "TEA", "30")
    for quantity, reason in (("-4", "damaged"), ("-3", "theft"), ("1", "found")):
        body = {"location_id": depot["M"], "sku": "TEA", "quantity": quantity, "reason": reason}
        made = await make.post(client, "/v1/adjustments", body)
        if reason == "theft":
            await make.post(client, "/v1/reversals", {"posting_id": made["id"], "reason": "It was found"})
    rows = (
        await client.get("/v1/counting/shrinkage", params={"site_id": depot["W1"], "period": "year"})
    ).json()["data"]
    by_reason = {r["reason"]: r for r in rows}
    assert (by_reason["damaged"]["lost"], by_reason["damaged"]["lines"]) == ("8.00", 1)
    assert (by_reason["theft"]["lost"], by_reason["reversal"]["found"]) == ("6.00", "6.00")
    file = await client.get("/v1/counting/shrinkage", params={"format": "csv"})
    assert file.text.removeprefix("\ufeff").startswith(
        "period,site_code,category_name,reason,lines,lost,found,net"
    )
    overrides = (await client.get("/v1/counting/overrides", params={"site_id": depot["W1"]})).json()["data"]
    ada = next(r for r in overrides if r["actor"]["name"] == "Ada")
    assert ada["adjustments"] >= 3
    assert ada["counts_approved"] >= 1
    assert ada["site_code"] == "W1"
    async with person(client, app, "stock:read") as reader:
        assert (await reader.get("/v1/counting/shrinkage")).status_code == 403
