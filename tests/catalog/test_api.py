"""The catalogue over HTTP: shapes, permissions, prices people may not see, scans, files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from onhand import access
from onhand.kit.clock import now
from onhand.kit.ids import uuid7

EAN = "4006381333931"


async def key(app: Any, *scopes: str) -> dict[str, str]:
    """The header of an API key with some permissions, valid everywhere."""
    async with app.state.database.writing() as tx:
        made = await access.make_key(
            tx, caller=access.SYSTEM, key_id=uuid7(), name="test", scopes=scopes, location_ids=None,
            expires_at=now() + timedelta(days=1),
        )  # fmt: skip
    return {"authorization": f"Bearer {made.text}"}


@pytest.fixture(scope="module")
async def boss(app: Any, client: Any) -> AsyncIterator[Any]:
    """A client that may do everything here."""
    import httpx2

    headers = await key(
        app,
        "catalog:read",
        "catalog:write",
        "costs:read",
        "locations:read",
        "locations:write",
        "parties:read",
        "parties:write",
        "stock:read",
    )
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as http:
        yield http


async def created(http: Any, path: str, **body: Any) -> dict[str, Any]:
    answer = await http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: Any, status: int, code: str, param: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body.get("code")) == (status, code), answer.text
    assert param is None or body.get("param") == param, body
    assert answer.headers["content-type"].startswith("application/problem+json")
    return body


async def test_a_variant_from_birth_to_archive(boss: Any) -> None:
    shelf = await created(boss, "/v1/categories", name="Tea")
    body = {
        "id": str(uuid7()), "sku": "TEA-100", "name": "Earl Grey", "category_id": shelf["id"], "tracking": "lot",
        "barcodes": [{"code": EAN}, {"code": "14006381333938", "quantity": "24", "level": "case"}],
        "list_price": {"amount": "3.49", "currency": "EUR"}, "cost": {"amount": "1.171717", "currency": "EUR"},
        "weight_g": "250", "dimensions_mm": [10, 20, 30], "attributes": {"organic": True}, "external_id": "gid-1",
        "metadata": {"a": [1, {"b": None}]},
    }  # fmt: skip
    made = await created(boss, "/v1/variants", **body)
    assert made["id"] == body["id"]
    assert (made["category_name"], made["tracking"], made["unit"], made["version"]) == (
        "Tea",
        "lot",
        "each",
        1,
    )
    assert made["cost"] == {"amount": "1.171717", "currency": "EUR"}
    assert made["barcodes"][1] == {
        "code": "14006381333938",
        "kind": "gtin",
        "quantity": "24",
        "level": "case",
    }
    again = await boss.post("/v1/variants", json=body)
    assert (again.status_code, again.json()) == (201, made)
    assert again.headers["idempotent-replayed"] == "true"
    refused(await boss.post("/v1/variants", json={**body, "name": "Other"}), 422, "id_reused", "id")
    refused(await boss.post("/v1/variants", json={"sku": "TEA-100"}), 409, "sku_taken", "sku")
    refused(
        await boss.post("/v1/variants", json={"sku": "T2", "barcodes": [{"code": EAN}]}), 409, "barcode_taken"
    )
    path = f"/v1/variants/{made['id']}"
    changed = await boss.patch(
        path, json={"name": "Earl Grey 100", "list_price": None}, headers={"If-Match": "1"}
    )
    assert (changed.json()["version"], changed.json()["list_price"]) == (2, None)
    refused(await boss.patch(path, json={"name": "x"}, headers={"If-Match": '"1"'}), 412, "stale")
    assert (await boss.post(f"{path}/archive")).json()["archived_at"] is not None
    assert (await boss.get("/v1/variants", params={"sku": "TEA-100"})).json()["data"] == []
    assert (await boss.post(f"{path}/restore")).json()["archived_at"] is None
    listed = (
        await boss.get("/v1/variants", params={"q": "grey earl", "category_id": shelf["id"], "barcode": EAN})
    ).json()
    assert [row["sku"] for row in listed["data"]] == ["TEA-100"]
    refused(await boss.get(f"/v1/variants/{uuid4()}"), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"sku": "\u202eX"}, "sku"),
        ({"sku": "X", "list_price": {"amount": "1.234", "currency": "EUR"}}, "list_price"),
        ({"sku": "X", "list_price": {"amount": "1", "currency": "ZZZ"}}, "currency"),
        ({"sku": "X", "barcodes": [{"code": "4006381333932", "kind": "gtin"}]}, "barcode"),
        ({"sku": "X", "weight_g": "heavy"}, "weight_g"),
        ({"sku": "X", "dimensions_mm": [1, 2, 99999999999]}, "dimensions_mm"),
        ({"sku": "X", "attributes": {"a": 1.5}}, "attributes"),
        ({"sku": "X", "unit": "barrel"}, "unit"),
        ({"sku": "X", "product_id": str(uuid4())}, "product_id"),
    ],
)
async def test_what_cannot_be_is_refused_by_field(boss: Any, body: dict[str, Any], param: str) -> None:
    answer = await boss.post("/v1/variants", json=body)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["param"] == param, answer.text


async def test_odd_bodies_never_break_the_server(boss: Any) -> None:
    bodies: list[Any] = [
        {"sku": "N", "metadata": {"a": "\x00"}}, {"sku": "N", "metadata": {"\x00": 1}}, {"sku": "N", "metadata": {"a": 2**80}},
        {"sku": "N", "name": "a\x00"}, {"sku": "N", "metadata": {"a": "x" * 20_000}}, {"sku": 1}, {"sku": "N", "extra": 1},
        {"sku": "N", "decimals": True}, {"sku": "N", "attributes": {"a": 2**80}}, [], None, "x",
    ]  # fmt: skip
    for body in bodies:
        assert (await boss.post("/v1/variants", json=body)).status_code == 422, body
    raw = b'{"sku": "N", "metadata": {"a": "\\ud800"}}'
    answer = await boss.post("/v1/variants", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    for params in (
        {"q": "\x00"},
        {"sku": "a\x00"},
        {"cursor": "x"},
        {"limit": 0},
        {"category_id": "x"},
    ):
        assert (await boss.get("/v1/variants", params=params)).status_code == 422, params
    for path in ("/v1/search", "/v1/scan", "/v1/products", "/v1/categories"):
        for q in ("'", "\\", "%", "a & !b", "(" * 50, "お茶"):
            assert (await boss.get(path, params={"q": q, "code": q})).status_code in (200, 404)


async def test_costs_are_for_those_who_may_see_them(app: Any, boss: Any) -> None:
    made = await created(boss, "/v1/variants", sku="SECRET", cost={"amount": "1", "currency": "EUR"})
    headers = await key(app, "catalog:read", "catalog:write")
    for path in (
        f"/v1/variants/{made['id']}",
        "/v1/variants?sku=SECRET",
        f"/v1/products/{made['product_id']}",
        "/v1/products?q=secret",
    ):
        answer = await boss.get(path, headers=headers)
        assert answer.status_code == 200
        assert '"cost":null' in answer.text
        assert '"1.00"' not in answer.text
    table = await boss.get("/v1/variants?sku=SECRET&format=csv", headers=headers)
    assert "1.00" not in table.text
    body = {"ids": [made["id"]], "changes": {"cost": "2"}, "preview": True}
    refused(await boss.post("/v1/variants/bulk", json=body, headers=headers), 403, "forbidden")
    refused(
        await boss.patch(f"/v1/variants/{made['id']}", json={"cost": None}, headers=headers), 403, "forbidden"
    )
    reader = await key(app, "catalog:read")
    refused(await boss.post("/v1/variants", json={"sku": "NO"}, headers=reader), 403, "forbidden")


async def test_products_generate_their_variants(boss: Any) -> None:
    options = [{"name": "size", "values": ["S", "M"]}]
    product = await created(boss, "/v1/products", name="Shirt", options=options, description="Cotton.")
    assert product["variants"] == []
    done = (
        await boss.post(f"/v1/products/{product['id']}/variants/generate", json={"sku_prefix": "SH"})
    ).json()
    assert [v["sku"] for v in done["variants"]] == ["SH-M", "SH-S"]
    assert (await boss.post(f"/v1/products/{product['id']}/variants/generate")).json() == done
    gone = await boss.patch(f"/v1/products/{product['id']}", json={"archived": True, "name": "Shirts"})
    assert gone.json()["variants"][0]["archived_at"] is not None
    assert gone.json()["name"] == "Shirts"
    plain = await created(boss, "/v1/products", name="Plain")
    refused(
        await boss.post(f"/v1/products/{plain['id']}/variants/generate"),
        422,
        "options_not_possible",
        "options",
    )


async def test_duplicates_are_merged(boss: Any) -> None:
    keep, gone = [
        await created(boss, "/v1/variants", sku=sku, barcodes=[{"code": f"c-{sku}"}])
        for sku in ("KEEP", "GONE")
    ]
    merged = await created(boss, "/v1/variant-merges", keep_id=keep["id"], merge_id=gone["id"])
    assert [b["code"] for b in merged["barcodes"]] == ["c-GONE", "c-KEEP"]
    assert (await boss.get(f"/v1/variants/{gone['id']}")).json()["merged_into"] == keep["id"]
    assert (await boss.get("/v1/scan", params={"code": "c-GONE"})).json()["id"] == keep["id"]
    body = refused(await boss.patch(f"/v1/variants/{gone['id']}", json={"name": "x"}), 409, "variant_merged")
    assert body["merged_into"] == keep["id"]


async def test_many_at_once(boss: Any) -> None:
    shelf = await created(boss, "/v1/categories", name="Bulk shelf")
    price = {"amount": "1.00", "currency": "EUR"}
    made = [await created(boss, "/v1/variants", sku=f"BULK-{n}", list_price=price) for n in range(2)]
    body = {
        "ids": [v["id"] for v in made],
        "changes": {"list_price": "2", "category_id": shelf["id"]},
        "preview": True,
    }
    told = (await boss.post("/v1/variants/bulk", json=body)).json()
    assert told["changed"] == 2
    assert told["rows"][0]["label"] == "BULK-0"
    assert told["rows"][0]["changes"]["list_price"] == [price, {"amount": "2.00", "currency": "EUR"}]
    assert told["rows"][0]["changes"]["category_id"] == [None, "Bulk shelf"]
    assert (await boss.get(f"/v1/variants/{made[0]['id']}")).json()["version"] == 1
    assert (await boss.post("/v1/variants/bulk", json={**body, "preview": False})).json() == told
    assert (await boss.get(f"/v1/variants/{made[0]['id']}")).json()["list_price"]["amount"] == "2.00"


async def test_search_and_scan(boss: Any) -> None:
    site = await created(boss, "/v1/locations", code="S77", name="Harbour shop", kind="store")
    supplier = await created(boss, "/v1/suppliers", code="HARB", name="Harbour Foods")
    item = await created(
        boss,
        "/v1/variants",
        sku="HB-1",
        name="Harbour biscuits",
        barcodes=[{"code": "5901234123457", "quantity": "6"}],
    )
    found = (await boss.get("/v1/search", params={"q": "harbour"})).json()["data"]
    assert {(hit["kind"], hit["id"]) for hit in found} == {
        ("variant", item["id"]),
        ("location", site["id"]),
        ("supplier", supplier["id"]),
    }
    only = (
        await boss.get("/v1/search", params={"q": "harbuor biscuits", "kinds": "variant,product"})
    ).json()["data"]
    assert [(hit["id"], hit["match"]) for hit in only] == [(item["id"], "fuzzy")]
    refused(await boss.get("/v1/search", params={"q": "x", "kinds": "shop"}), 422, "invalid_body", "kinds")
    scanned = (
        await boss.get("/v1/scan", params={"code": "]d20105901234123457" + "17261231" + "10LOT1"})
    ).json()
    assert (scanned["id"], scanned["quantity"], scanned["lot_code"], scanned["expiry"]) == (
        item["id"],
        "6",
        "LOT1",
        "2026-12-31",
    )
    place = (await boss.get("/v1/scan", params={"code": "S77"})).json()
    assert (place["kind"], place["id"], place["title"]) == ("location", site["id"], "Harbour shop")
    refused(await boss.get("/v1/scan", params={"code": "nobody"}), 404, "not_found")


async def test_units_categories_and_minimums(boss: Any) -> None:
    unit = await created(boss, "/v1/units", code="crate24", name="Crate", dimension="count", numerator=24)
    assert unit["denominator"] == 1
    refused(
        await boss.post("/v1/units", json={"code": "kg", "name": "K", "dimension": "mass", "numerator": 1}),
        409,
        "conflict",
    )
    codes = [row["code"] for row in (await boss.get("/v1/units?limit=200")).json()["data"]]
    assert {"each", "kg", "crate24"} <= set(codes)
    top = await created(boss, "/v1/categories", name="Top")
    child = await created(boss, "/v1/categories", name="Child", parent_id=top["id"])
    assert child["path"] == "Top > Child"
    renamed = await boss.patch(
        f"/v1/categories/{top['id']}", json={"name": "Roof"}, headers={"If-Match": "1"}
    )
    assert renamed.json()["path"] == "Roof"
    assert (await boss.get(f"/v1/categories/{child['id']}")).json()["path"] == "Roof > Child"
    site = await created(boss, "/v1/locations", code="MIN", name="Minimum shop", kind="store")
    item = await created(boss, "/v1/variants", sku="MIN-1", unit="kg", decimals=2)
    body = {"variant_id": item["id"], "site_id": site["id"], "minimum": "1.5"}
    assert (await boss.put("/v1/minimums", json=body)).json()["minimum"] == "1.50"
    listed = (await boss.get("/v1/minimums", params={"variant_id": item["id"]})).json()["data"]
    assert [(row["site_id"], row["minimum"]) for row in listed] == [(site["id"], "1.50")]
    refused(await boss.put("/v1/minimums", json={**body, "minimum": "0.001"}), 422, "invalid_body", "minimum")
    refused(
        await boss.put("/v1/minimums", json={**body, "site_id": str(uuid4())}), 404, "not_found", "site_id"
    )
    await boss.put("/v1/minimums", json={**body, "minimum": None})
    assert (await boss.get("/v1/minimums", params={"variant_id": item["id"]})).json()["data"] == []


async def test_every_list_is_a_file_too(boss: Any) -> None:
    for name in (
        "variants",
        "products",
        "categories",
        "units",
        "minimums",
        "locations",
        "suppliers",
        "customers",
        "tax-codes",
    ):
        answer = await boss.get(f"/v1/{name}", params={"format": "csv"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-disposition"].startswith("attachment")


async def test_each_change_leaves_one_audit_row(app: Any, boss: Any) -> None:
    async with app.state.database.reading() as conn:
        before = (await conn.exec_driver_sql("SELECT count(*) FROM audit")).scalar_one()
    item = await created(boss, "/v1/variants", sku="AUDIT-1")
    await boss.patch(
        f"/v1/variants/{item['id']}", json={"name": "Audited", "barcodes": [{"code": "audit-code"}]}
    )
    async with app.state.database.reading() as conn:
        after = (await conn.exec_driver_sql("SELECT count(*) FROM audit")).scalar_one()
    assert after - before == 2
