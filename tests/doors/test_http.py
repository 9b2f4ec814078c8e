"""The door itself: headers, limits, refusals, probes, safe retries."""

from __future__ import annotations

from typing import Any

import pytest
from tests import make

from onhand.kit.ids import uuid7


@pytest.fixture(scope="module")
async def admin(client: Any) -> Any:
    """The client, signed in as admin."""
    await make.organisation(client)
    return client


async def test_probes_answer(client: Any) -> None:
    assert (await client.get("/healthz")).status_code == 200
    ready = await client.get("/readyz")
    assert ready.json()["checks"]["database"] == "ok"
    metrics = await client.get("/metrics")
    assert "onhand_http_requests" in metrics.text


@pytest.mark.parametrize(
    "path", ["/healthz", "/v1/setup", "/v1/nothing", "/v1/products", "/v1/openapi.json", "/"]
)
async def test_every_answer_carries_the_security_headers(client: Any, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-request-id"]
    if path.startswith("/v1/"):
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("POST", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/products/not-a-uuid", 422, "invalid_body"),
        ("GET", "/v1/products?limit=1000", 422, "invalid_body"),
        ("GET", "/v1/products?cursor=%21%21", 422, "invalid_cursor"),
        ("GET", "/v1/products/01900000-0000-7000-8000-000000000000", 404, "not_found"),
    ],
)
async def test_refusals_are_problems(admin: Any, method: str, path: str, status: int, code: str) -> None:
    answer = await admin.request(method, path, json={} if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_body_has_a_limit(admin: Any) -> None:
    answer = await admin.post("/v1/products", json={"name": "x" * (2 << 20)})
    assert (answer.status_code, answer.json()["code"]) == (413, "limit_exceeded")


async def test_an_unknown_field_is_named(admin: Any) -> None:
    answer = await admin.post("/v1/products", json={"name": "Tea", "colour": "green"})
    assert answer.status_code == 422
    assert answer.json()["param"] == "colour"


async def test_a_retry_answers_the_same_and_other_content_is_refused(admin: Any) -> None:
    body = {"id": str(uuid7()), "name": "Tea"}
    first = await admin.post("/v1/products", json=body)
    again = await admin.post("/v1/products", json=body)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    other = await admin.post("/v1/products", json={**body, "name": "Coffee"})
    assert (other.status_code, other.json()["code"]) == (422, "id_reused")


async def test_an_idempotency_key_does_as_well_as_an_id(admin: Any) -> None:
    headers = {"Idempotency-Key": "spring-cleaning-1"}
    first = await admin.post("/v1/products", json={"name": "Broom"}, headers=headers)
    again = await admin.post("/v1/products", json={"name": "Broom"}, headers=headers)
    assert first.json()["id"] == again.json()["id"]
    other = await admin.post("/v1/products", json={"name": "Mop"}, headers=headers)
    assert other.json()["code"] == "id_reused"


async def test_a_refused_request_may_be_repeated_after_it_is_mended(admin: Any) -> None:
    product = await make.post(admin, "/v1/products", {"name": "Tea"})
    body = {"id": str(uuid7()), "product_id": product["id"], "sku": "FIRST", "unit": "nonsense"}
    refused = await admin.post("/v1/variants", json=body)
    assert 400 <= refused.status_code < 500
    mended = await admin.post("/v1/variants", json={**body, "unit": "each"})
    assert mended.status_code == 201, mended.text


async def test_each_mutating_request_leaves_exactly_one_audit_row(admin: Any) -> None:
    async def rows() -> int:
        return len((await admin.get("/v1/audit", params={"limit": 200})).json()["data"])

    store = await make.store(admin, code="AUD")
    await make.register(admin, location_id=store["id"], code="AUD-1")
    await make.variant(admin, sku="AUD-TEA")
    sale = make.sale(register="AUD-1", lines=[make.line(sku="AUD-TEA"), make.line(sku="AUD-TEA")])
    for path, body in [
        ("/v1/pos/sales", sale),
        ("/v1/adjustments", {"id": str(uuid7()), "sku": "AUD-TEA", "location_id": store["id"], "quantity": "5", "reason": "found"}),
        ("/v1/pos/voids", {"sale_id": sale["id"], "reason": "mistake"}),
        ("/v1/products", {"name": "Another"}),
    ]:  # fmt: skip
        before = await rows()
        await make.post(admin, path, body)
        assert await rows() == before + 1, path
    before = await rows()
    await admin.post("/v1/pos/sales", json=sale)  # a retry changes nothing
    await admin.post("/v1/products", json={"name": ""})  # nor does a refusal
    assert await rows() == before
