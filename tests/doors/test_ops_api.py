"""Jobs and files over HTTP."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from onhand import access
from onhand.kit import jobs
from onhand.kit.clock import now
from onhand.kit.ids import uuid7
from onhand.kit.jobs import JobContext


@jobs.job("test.ops")
async def _nothing(ctx: JobContext) -> None: ...


async def signed(app: Any, *scopes: str) -> Any:
    """A client with an API key."""
    import httpx2

    async with app.state.database.writing() as tx:
        made = await access.make_key(
            tx, caller=access.SYSTEM, key_id=uuid7(), name="test", scopes=scopes, location_ids=None,
            expires_at=now() + timedelta(days=1),
        )  # fmt: skip
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    return httpx2.AsyncClient(
        transport=transport, base_url="http://localhost", headers={"authorization": f"Bearer {made.text}"}
    )


@pytest.fixture(scope="module")
async def boss(app: Any) -> AsyncIterator[Any]:
    """A client that may see and steer jobs, and keep files."""
    async with await signed(app, "jobs:read", "jobs:write", "catalog:write", "catalog:read") as http:
        yield http


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), (1, 2, 3)).save(out, "PNG")
    return out.getvalue()


async def test_jobs_are_listed_cancelled_and_retried(app: Any, boss: Any) -> None:
    async with app.state.database.writing() as tx:
        job_id = await jobs.defer_later(tx, "test.ops", "Sleep", at=now() + timedelta(hours=1))
    found = (await boss.get(f"/v1/jobs/{job_id}")).json()
    assert (found["state"], found["can"], found["progress"]) == (
        "queued",
        ["cancel"],
        {"done": 0, "total": None, "unit": None},
    )
    assert (await boss.post(f"/v1/jobs/{job_id}/cancel")).json()["state"] == "cancelled"
    assert [
        row["id"] for row in (await boss.get("/v1/jobs", params={"state": "cancelled"})).json()["data"]
    ] == [str(job_id)]
    assert (await boss.post(f"/v1/jobs/{job_id}/retry")).json()["state"] == "queued"
    answer = await boss.post(f"/v1/jobs/{uuid4()}/retry")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    as_file = await boss.get("/v1/jobs", params={"format": "csv"})
    assert as_file.headers["content-type"].startswith("text/csv")
    assert str(job_id) in as_file.text
    assert (await boss.get("/v1/jobs", params={"state": "lost"})).status_code == 422


async def test_a_picture_comes_back_as_an_attachment_or_in_place(boss: Any) -> None:
    file_id = str(uuid7())
    for _ in range(2):
        answer = await boss.post(
            "/v1/files", data={"id": file_id}, files={"file": ("tea.png", picture(), "text/html")}
        )
        assert answer.status_code == 201, answer.text
        assert (answer.json()["id"], answer.json()["media_type"], answer.json()["name"]) == (
            file_id,
            "image/png",
            "tea.png",
        )
    answer = await boss.get(f"/files/{file_id}")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    shown = await boss.get(f"/files/{file_id}", params={"inline": "true"})
    assert shown.headers["content-disposition"].startswith("inline")
    assert (await boss.get(f"/files/{uuid4()}")).status_code == 404


async def test_a_wrong_file_is_refused_by_name(boss: Any) -> None:
    answer = await boss.post("/v1/files", files={"file": ("a.png", b"<svg onload=alert(1)>", "image/png")})
    assert (answer.status_code, answer.json()["code"]) == (422, "file_refused")
    assert (await boss.post("/v1/files", files={"other": ("a.png", b"x", "image/png")})).status_code == 422


async def test_who_lacks_permission_keeps_and_sees_nothing(app: Any, boss: Any, client: Any) -> None:
    file_id = (await boss.post("/v1/files", files={"file": ("tea.png", picture(), "image/png")})).json()["id"]
    async with await signed(app, "stock:read") as other:
        assert (await other.get(f"/files/{file_id}")).status_code == 404
        answer = await other.post("/v1/files", files={"file": ("tea.png", picture(), "image/png")})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (await other.get("/v1/jobs")).status_code == 403
    assert (await client.get(f"/files/{file_id}")).status_code == 401
    assert (await client.get("/v1/jobs")).status_code == 401


async def test_probes_answer_without_credentials(client: Any) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).status_code in (200, 503)
    assert "onhand_jobs_ended" in (await client.get("/metrics")).text
