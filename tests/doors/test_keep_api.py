"""Verifying, backups and the state of the server over HTTP; rebuilding and backing up by command."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.doors.test_ops_api import signed

from onhand.kit.ids import uuid7
from onhand.kit.postgres import SUPERUSER, EmbeddedPostgres


@pytest.fixture(scope="module")
async def boss(app: Any) -> AsyncIterator[Any]:
    """A client that may verify and back up."""
    scopes = ("jobs:read", "jobs:write", "stock:read", "backups:read", "backups:write")
    async with await signed(app, *scopes) as http:
        yield http


async def test_verifying_by_hand_leaves_its_figures(boss: Any, app: Any) -> None:
    job = {"id": str(uuid7())}
    started = await boss.post("/v1/verifications", json=job)
    assert started.status_code == 201, started.text
    again = await boss.post("/v1/verifications", json=job)
    assert again.json()["id"] == started.json()["id"] == job["id"]
    for _ in range(200):
        if (await boss.get(f"/v1/jobs/{job['id']}")).json()["state"] == "done":
            break
        await asyncio.sleep(0.1)
    found = (await boss.get("/v1/integrity")).json()
    assert found["last_verify"]["ok"] is True
    assert found["last_verify"]["checks"]["levels"] == 0
    assert found["drift"] == 0
    assert (await boss.get("/v1/overview")).json()["drift"] == 0


async def test_an_external_database_is_not_backed_up(boss: Any) -> None:
    refused = await boss.post("/v1/backups", json={})
    assert refused.status_code == 409
    assert refused.json()["code"] == "not_our_server"
    assert "own means" in refused.json()["detail"]
    assert (await boss.get("/v1/backups")).json()["data"] == []
    server = (await boss.get("/v1/server")).json()
    assert server["database"]["kind"] == "external"
    assert server["archive"] | {"folder": None} == {
        "on": False, "why_off": "external", "folder": None, "keep_days": 7, "reaches": None, "waiting": 0,
    }  # fmt: skip
    assert server["data_disk"]["free"] > 0
    assert server["queue"]["queued"] >= 0


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="onhand-keep-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


def onhand(data_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "ONHAND_DATA_DIR": str(data_dir), "COLUMNS": "200"}
    command = [str(Path(sys.executable).parent / "onhand"), *words]
    data_dir.mkdir(exist_ok=True)
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=data_dir.parent)


def test_rebuild_says_what_it_would_do_and_does_it_only_when_told(data_dir: Path) -> None:
    assert onhand(data_dir, "verify").returncode == 0
    postgres = EmbeddedPostgres.at(data_dir)
    postgres.start()
    with psycopg.connect(postgres.url(SUPERUSER), autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute(
            "INSERT INTO level (variant, location, on_hand) VALUES (gen_random_uuid(), gen_random_uuid(), 5)"
        )
    postgres.stop()
    dry = onhand(data_dir, "rebuild")
    assert dry.returncode == 1
    assert "on_hand: 5 → 0" in dry.stdout
    assert "nothing was written" in dry.stdout
    found = json.loads(onhand(data_dir, "rebuild", "--apply", "--json").stdout)
    assert found["applied"]
    assert found["ok"]
    assert [(c["was"], c["now"]) for c in found["changes"]] == [("5", "0")]
    assert "Everything derived is as the ledger says" in onhand(data_dir, "rebuild").stdout


def test_backup_and_restore_by_command(data_dir: Path) -> None:
    made = onhand(data_dir, "backup")
    assert made.returncode == 0, made.stdout + made.stderr
    assert "restorable from" in onhand(data_dir, "backup", "--list").stdout
    target = data_dir.parent / "new"
    vague = onhand(
        data_dir,
        "restore",
        "--from",
        f"{data_dir}/backups",
        "--data-dir",
        str(target),
        "--to",
        "2026-11-21T10:00:00",
    )
    assert vague.returncode == 2
    assert "names no time zone" in vague.stdout
    back = onhand(data_dir, "restore", "--from", f"{data_dir}/backups", "--data-dir", str(target))
    assert back.returncode == 0, back.stdout + back.stderr
    assert "the books hold together" in back.stdout
    over = onhand(data_dir, "restore", "--from", f"{data_dir}/backups", "--data-dir", str(target))
    assert over.returncode == 2
    assert "not empty" in over.stdout


async def test_who_may_not_see_backups_is_refused(app: Any) -> None:
    async with await signed(app, "jobs:read", "jobs:write", "stock:read") as clerk:
        for method, path in (
            ("GET", "/v1/backups"),
            ("GET", "/v1/server"),
            ("POST", "/v1/backups"),
            ("POST", "/v1/restore-tests"),
        ):
            refused = await clerk.request(method, path, json={} if method == "POST" else None)
            assert refused.status_code == 403, path


async def test_a_backup_nobody_made_cannot_be_tried(boss: Any, app: Any) -> None:
    """The refusal of an external database comes first here; on an embedded one it is 404."""
    assert (await boss.post("/v1/restore-tests", json={"label": "nope"})).status_code == 409
