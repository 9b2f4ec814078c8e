"""The stream: resumed without a gap, filtered by permission, honest about what it hides."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from tests import make

from onhand.access import Caller
from onhand.doors.live import Hub, may_see, sse
from onhand.kit.outbox import StoredEvent


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """Two stores with a till each, and tea in both."""
    await make.organisation(client)
    stores = [await make.store(client, code=code) for code in ("S01", "S02")]
    for n, store in enumerate(stores, 1):
        await make.register(client, location_id=store["id"], code=f"R{n}")
    await make.variant(client, sku="TEA-100")
    for store in stores:
        await make.stock(client, sku="TEA-100", location_id=store["id"], quantity="100")
    return {"stores": stores}


class Nobody:
    """A request whose client stays."""

    async def is_disconnected(self) -> bool:
        return False


async def frames(
    app: Any, caller: Caller, *, after: int, until: int, types: set[str] | None = None
) -> list[dict[str, str]]:
    """SSE frames from a cursor until one numbered `until` came."""
    out: list[dict[str, str]] = []

    async def still(_: Caller) -> bool:
        return True

    hub: Hub = app.state.hub
    stream = sse(hub, Nobody(), caller, after=after, types=types, still_valid=still)  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        async for chunk in stream:
            for part in chunk.decode().split("\n\n"):
                fields = dict(
                    line.split(": ", 1)
                    for line in part.split("\n")
                    if ": " in line and not line.startswith(":")
                )
                if "id" in fields:
                    out.append(fields)
            if out and int(out[-1]["id"]) >= until:
                break
    await stream.aclose()  # type: ignore[attr-defined]
    return out


async def caller_of(app: Any, client: Any) -> Caller:
    """The signed-in admin, as the server sees them."""
    cookie = "; ".join(f"{c.name}={c.value}" for c in client.cookies.jar)
    token = cookie.split("=", 1)[1]
    found: Caller | None = await app.state.access.gate.by_session(token)
    assert found is not None
    return found


async def head(client: Any) -> int:
    return int((await client.get("/v1/events", params={"after": "0", "limit": "1"})).json()["head"])


async def test_frames_are_dense_and_carry_cloud_events(app: Any, client: Any, shop: dict[str, Any]) -> None:
    caller = await caller_of(app, client)
    seen = await frames(app, caller, after=0, until=await head(client))
    numbers = [int(f["id"]) for f in seen]
    assert numbers == list(range(1, len(numbers) + 1))
    event = json.loads(seen[-1]["data"])
    assert event["specversion"] == "1.0"
    assert event["sequence"] == seen[-1]["id"]


async def test_a_sale_arrives_while_listening(app: Any, client: Any, shop: dict[str, Any]) -> None:
    caller = await caller_of(app, client)
    start = await head(client)
    listening = asyncio.create_task(frames(app, caller, after=start, until=start + 2))
    await asyncio.sleep(0)
    await make.post(client, "/v1/pos/sales", make.sale(register="R1", lines=[make.line(sku="TEA-100")]))
    seen = await listening
    assert [f["event"] for f in seen] == ["sale.completed", "stock.level_changed"]


async def test_hidden_events_leave_a_through_mark(app: Any, client: Any, shop: dict[str, Any]) -> None:
    caller = await caller_of(app, client)
    start = await head(client)
    await make.post(client, "/v1/pos/sales", make.sale(register="R1", lines=[make.line(sku="TEA-100")]))
    seen = await frames(app, caller, after=start, until=start + 2, types={"sale.completed"})
    assert [f["event"] for f in seen] == ["sale.completed", "through"]
    assert json.loads(seen[-1]["data"])["through"] == str(start + 2)


async def test_a_cursor_from_the_future_is_reset(app: Any, client: Any, shop: dict[str, Any]) -> None:
    caller = await caller_of(app, client)
    seen = await frames(app, caller, after=10**9, until=await head(client))
    assert seen[0]["event"] == "reset"


async def test_a_clerk_of_one_store_sees_that_store_only(app: Any, client: Any, shop: dict[str, Any]) -> None:
    first, second = (s["id"] for s in shop["stores"])
    key = await make.post(
        client, "/v1/api-keys",
        {"name": "store one", "scopes": ["sales:read", "stock:read", "events:read"], "location_ids": [first], "expires_at": "2027-06-01T00:00:00Z"},
    )  # fmt: skip
    await make.post(client, "/v1/pos/sales", make.sale(register="R2", lines=[make.line(sku="TEA-100")]))
    answer = await client.get(
        "/v1/events",
        params={"after": "0", "limit": "1000"},
        headers={"Authorization": f"Bearer {key['secret']}"},
    )
    page = answer.json()
    sites = {
        e["data"].get("site_id")
        for e in page["data"]
        if e["type"] in ("sale.completed", "stock.level_changed")
    }
    assert sites == {first}
    assert second not in json.dumps(page["data"])
    assert page["through"] == page["head"]


def test_what_nobody_described_needs_the_widest_permission() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    event = StoredEvent(1, UUID(int=1), "unheard.of", "x", None, at, at, "k", "{}")
    assert not may_see(event, Caller(id=UUID(int=1), kind="key", name="nobody"))
