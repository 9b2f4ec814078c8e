"""Users from a file: each gets a role and an invitation; only who holds everything may send such a file."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from tests import make

ORIGIN = {"sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module", autouse=True)
async def _world(client: Any) -> None:
    await make.organisation(client)
    await make.store(client, code="S01")


async def run(client: Any, data: str) -> dict[str, Any]:
    uploaded = await client.post(
        "/v1/files", files={"file": ("users.csv", data.encode(), "text/csv")}, headers=ORIGIN
    )
    assert uploaded.status_code == 201, uploaded.text
    mapping = {"email": "E-Mail", "name": "Name", "role": "Rolle", "site": "Filiale"}
    body = {"kind": "users", "file_id": uploaded.json()["id"], "mapping": mapping, "dry_run": False}
    made = await client.post("/v1/imports", json=body)
    assert made.status_code == 201, made.text
    async with asyncio.timeout(30):
        while True:
            found: dict[str, Any] = (await client.get(f"/v1/imports/{made.json()['id']}")).json()
            if found["state"] in ("done", "failed"):
                return found
            await asyncio.sleep(0.05)


async def test_people_are_invited_once(app: Any, client: Any) -> None:
    data = "E-Mail,Name,Rolle,Filiale\nBea@example.com,Bea,clerk,S01\ncarl@example.com,Carl,Manager,\n"
    found = await run(client, data)
    assert (found["outcome"], found["counts"]["created"]) == ("imported", 2), found
    again = await run(client, data + "ada@example.com,Ada,clerk,\n")
    assert (again["counts"]["created"], again["counts"]["unchanged"]) == (0, 3)
    users = {u["email"]: u for u in (await client.get("/v1/users")).json()["data"]}
    assert [(a["role"], a["location_id"] is None) for a in users["bea@example.com"]["assignments"]] == [
        ("clerk", False)
    ]
    assert [(a["role"], a["location_id"] is None) for a in users["carl@example.com"]["assignments"]] == [
        ("manager", True)
    ]
    async with app.state.database.reading() as conn:
        mails = await conn.execute(sa.text("SELECT recipient FROM mail_outbox ORDER BY recipient"))
        assert len(mails.scalars().all()) == 2


async def test_bad_rows_invite_nobody(app: Any, client: Any) -> None:
    data = (
        "E-Mail,Name,Rolle,Filiale\ndora@example.com,Dora,clerk,\nno address,Emil,clerk,\n"
        "fred@example.com,Fred,wizard,\ngina@example.com,Gina,clerk,S99\n"
    )
    found = await run(client, data)
    assert [(e["row"], e["column"]) for e in found["errors"]] == [(3, "email"), (4, "role"), (5, "site")]
    assert (found["state"], found["outcome"]) == ("failed", "refused")
    async with app.state.database.reading() as conn:
        known = await conn.execute(sa.text("SELECT count(*) FROM mail_outbox WHERE recipient LIKE 'dora%'"))
        assert known.scalar() == 0
