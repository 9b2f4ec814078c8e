"""What stories need, made through the API: keyword-only functions with defaults, no magic."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from onhand.kit.ids import uuid7

PASSWORD = "a long walk by the sea"


async def organisation(client: Any, *, name: str = "Corner Shops", currency: str = "EUR") -> dict[str, Any]:
    """The first run: organisation and admin; `client` is signed in afterwards."""
    answer = await client.post(
        "/v1/setup",
        json={
            "organisation": {
                "name": name,
                "currency": currency,
                "locale": "en",
                "time_zone": "Europe/Berlin",
            },
            "admin": {"email": "ada@example.com", "name": "Ada", "password": PASSWORD},
        },
    )
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def post(client: Any, path: str, body: dict[str, Any], *, status: int = 201) -> dict[str, Any]:
    """Create something and return the answer."""
    answer = await client.post(path, json=body)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
    found: dict[str, Any] = answer.json()
    return found


async def store(
    client: Any, *, code: str = "S01", name: str = "Mitte", kind: str = "store"
) -> dict[str, Any]:
    """A store (or a warehouse)."""
    return await post(
        client, "/v1/locations", {"code": code, "name": name, "kind": kind, "time_zone": "Europe/Berlin"}
    )


async def variant(
    client: Any, *, sku: str | None = None, name: str = "Earl Grey 100 g", **fields: Any
) -> dict[str, Any]:
    """A product with one variant."""
    product = await post(client, "/v1/products", {"name": name})
    body = {
        "product_id": product["id"],
        "sku": sku or f"SKU-{uuid4().hex[:8]}",
        "unit": "each",
        "list_price": {"amount": "3.50", "currency": "EUR"},
        **fields,
    }
    return await post(client, "/v1/variants", body)


async def register(client: Any, *, location_id: str, code: str | None = None) -> dict[str, Any]:
    """A till."""
    return await post(
        client,
        "/v1/registers",
        {"code": code or f"R-{uuid4().hex[:6]}", "name": "Till", "location_id": location_id},
    )


async def stock(
    client: Any, *, sku: str, location_id: str, quantity: str, unit_cost: str = "1.50"
) -> dict[str, Any]:
    """Stock that was found: an adjustment."""
    return await post(
        client,
        "/v1/adjustments",
        {"id": str(uuid7()), "sku": sku, "location_id": location_id, "quantity": quantity, "reason": "found"},
    )


def sale(
    *, register: str, lines: list[dict[str, Any]], sale_id: UUID | None = None, **fields: Any
) -> dict[str, Any]:
    """What a till tells of a sale."""
    return {
        "id": str(sale_id or uuid7()),
        "register": register,
        "happened_at": "2026-11-20T10:00:00Z",
        "currency": "EUR",
        "lines": lines,
        "tenders": [],
        **fields,
    }


def line(*, sku: str, quantity: str = "1", total: str = "3.50", **fields: Any) -> dict[str, Any]:
    """One line of a sale."""
    return {"sku": sku, "quantity": quantity, "total": total, **fields}
