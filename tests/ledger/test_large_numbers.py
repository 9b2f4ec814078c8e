"""Row 18 of docs/failures.md: numbers beyond 32 bits, and beyond what JavaScript counts exactly, come through as they are."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from onhand.kit.ids import uuid7
from tests import make


@pytest.mark.parametrize("start", [2**31 - 3, 2**53 - 3])
async def test_numbers_travel_as_text(client: Any, database_urls: tuple[str, str], start: int) -> None:
    if start < 2**32:
        await make.organisation(client)
        await make.store(client, code="S1", name="S1")
        await make.variant(client, sku="TEA")
    with psycopg.connect(database_urls[0], autocommit=True) as owner:
        owner.execute("UPDATE stream_head SET posting_n = %s, event_n = %s", (start, start))
    for n in range(1, 6):
        body = {"id": str(uuid7()), "location_code": "S1", "sku": "TEA", "quantity": "1", "reason": "found"}
        posted = await make.post(client, "/v1/adjustments", body)
        assert posted["seq"] == str(start + n)
        shown = (await client.get(f"/v1/postings/{posted['id']}")).json()
        assert shown["seq"] == str(start + n)
    feed = (await client.get("/v1/events", params={"after": str(start), "limit": 4})).json()
    assert [e["sequence"] for e in feed["data"]] == [str(start + n) for n in range(1, 5)]
    assert feed["through"] == str(start + 4)
