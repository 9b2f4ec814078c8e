"""People who count, and those who approve: clients with API keys of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from onhand.counting import keep_right
from onhand.kit.ids import uuid7
from tests import make

COUNTER = ("catalog:read", "locations:read", "stock:count")


@asynccontextmanager
async def person(client: Any, app: Any, *scopes: str, places: list[str] | None = None) -> AsyncIterator[Any]:
    """Somebody with these permissions, at these sites (everywhere)."""
    made = await make.post(
        client, "/v1/api-keys",
        {
            "name": "key", "scopes": list(scopes), "location_ids": places,
            "expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        },
    )  # fmt: skip
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app, client=("127.0.0.1", 1)), base_url="https://onhand.test",
        headers={"authorization": f"Bearer {made['secret']}"},
    ) as other:  # fmt: skip
        yield other


async def sheet(client: Any, *, site_id: str, bins: list[str]) -> list[dict[str, Any]]:
    """A new sheet of these bins; the counts of its bins."""
    made = await make.post(
        client, "/v1/count-sheets", {"id": str(uuid7()), "site_id": site_id, "location_ids": bins}
    )
    assert made["bins"] == len(bins)
    answer = await client.get("/v1/bin-counts", params={"sheet_id": made["id"]})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def entry(bin_count: dict[str, Any], *, at: datetime | None = None, **lines: str) -> dict[str, Any]:
    """What somebody counted in a bin: SKU with underscores → quantity; nothing: the bin is empty."""
    body: dict[str, Any] = {
        "id": str(uuid7()), "bin_count_id": bin_count["id"],
        "lines": [{"sku": sku.replace("_", "-"), "quantity": quantity} for sku, quantity in lines.items()],
    }  # fmt: skip
    if at is not None:
        body["happened_at"] = at.isoformat()
    return body | ({} if lines else {"empty": True})


async def settle(app: Any) -> int:
    """Let the reader of late facts catch up; how many corrections it posted."""
    made, more = 0, True
    while more:
        async with app.state.database.writing(action="count_corrections") as tx:
            step = await keep_right(tx)
        made, more = made + step.corrections, step.more
    return made


async def on_hand(client: Any, **where: str) -> str:
    """What the book says a place holds."""
    rows = (await client.get("/v1/levels", params=where)).json()["data"]
    assert len(rows) <= 1, rows
    return str(rows[0]["on_hand"]) if rows else "0"


async def refused(
    client: Any, path: str, body: dict[str, Any] | None, status: int, code: str, **more: Any
) -> None:
    """A POST that must be refused so."""
    answer = await client.post(path, json=body, **more)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
