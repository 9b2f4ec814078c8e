"""The same cases through the HTTP API, as far as what they say has an address."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests import make
from tests.ledger.table import Case, tell
from tests.ledger.test_cases import CASES, Http, tellable

TOLD = [c for c in CASES if tellable(c)]


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, str]:
    """The places of the cases, with a till in each store."""
    await make.organisation(client)
    warehouse = await make.store(client, code="W1", name="W1", kind="warehouse")
    places = {"W1": warehouse["id"]}
    for code, role in (("A", "storage"), ("B", "storage"), ("Q", "quarantine"), ("C", "storage")):
        body = {"code": code, "name": code, "kind": "bin", "role": role, "parent_id": warehouse["id"]}
        places[f"W1/{code}"] = (await make.post(client, "/v1/locations", body))["id"]
    closing = {"closed_at": datetime.now(UTC).isoformat()}
    assert (await client.patch(f"/v1/locations/{places['W1/C']}", json=closing)).status_code == 200
    for code in ("S1", "S2"):
        places[code] = (await make.store(client, code=code, name=code))["id"]
        await make.register(client, location_id=places[code], code=f"R-{code}")
    return places


def test_many_cases_have_an_address() -> None:
    assert len(TOLD) >= 15


@pytest.mark.parametrize("case", TOLD, ids=[c.name for c in TOLD])
async def test_the_http_api(case: Case, client: Any, shop: dict[str, str]) -> None:
    await tell(case, Http(client, shop))
