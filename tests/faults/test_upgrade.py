"""A data directory of another PostgreSQL major: refused with the remedy, then taken over by `onhand upgrade-database`, books and all."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from onhand.doors import schema, upkeep, wiring
from onhand.kit import cluster_upgrade
from onhand.kit.database import Database, sqlalchemy_url
from onhand.kit.postgres import (
    APP,
    MAJOR,
    OWNER,
    SUPERUSER,
    EmbeddedPostgres,
    EmbeddedServerError,
    OtherMajor,
)
from tests.ledger.world import build, post

pytestmark = pytest.mark.faults
OLD = "16"


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="onhand-upgrade-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


def old_server(data_dir: Path) -> EmbeddedPostgres:
    """A server of the older major that the wheel still brings."""
    try:
        programs = cluster_upgrade._programs_of(OLD)
    except EmbeddedServerError:
        pytest.skip(f"the wheel no longer brings PostgreSQL {OLD}")
    new = EmbeddedPostgres.at(data_dir)
    return replace(new, bin_dir=new.readable_programs(programs, OLD))


def run_old(old: EmbeddedPostgres) -> None:
    """Make its cluster, start it, make roles and database: what an Onhand with that major would have done."""
    old.make_folders()
    locale = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--data-checksums", "-U", SUPERUSER]
    old.run([str(old.bin_dir / "initdb"), *locale, "-D", str(old.data_dir)])
    old._pg_ctl("start", "-l", str(old.data_dir / "server.log"), "-o", f"-k {old.socket_dir} -h ''")
    with psycopg.connect(old.url(SUPERUSER, "postgres"), autocommit=True) as conn:
        for role in (OWNER, APP):
            conn.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        conn.execute(sql.SQL("CREATE DATABASE onhand OWNER {}").format(sql.Identifier(OWNER)))


def onhand(data_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "ONHAND_DATA_DIR": str(data_dir), "COLUMNS": "200"}
    command = [str(Path(sys.executable).parent / "onhand"), *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=data_dir.parent)


def test_another_major_is_refused_with_the_remedy(data_dir: Path) -> None:
    postgres = EmbeddedPostgres.at(data_dir)
    postgres.make_folders()
    (postgres.data_dir / "base").mkdir(parents=True)
    (postgres.data_dir / "PG_VERSION").write_text("17\n")
    with pytest.raises(
        OtherMajor, match=r"made by PostgreSQL 17; this version of Onhand brings 18\. Nothing was changed"
    ):
        postgres.start()
    assert sorted(p.name for p in postgres.data_dir.iterdir()) == ["PG_VERSION", "base"]


def test_programs_that_are_not_there_are_asked_for(data_dir: Path) -> None:
    postgres = EmbeddedPostgres.at(data_dir)
    postgres.make_folders()
    postgres.data_dir.mkdir(exist_ok=True)
    (postgres.data_dir / "PG_VERSION").write_text("11\n")
    done = onhand(data_dir, "upgrade-database")
    assert done.returncode == 2
    assert "--old-bin" in done.stdout
    assert (postgres.data_dir / "PG_VERSION").read_text() == "11\n"


async def test_an_old_cluster_is_taken_over(data_dir: Path) -> None:
    old = await asyncio.to_thread(old_server, data_dir)
    await asyncio.to_thread(run_old, old)
    engine = sa.create_engine(sqlalchemy_url(old.url(OWNER)), poolclass=sa.NullPool)
    with engine.begin() as connection:
        schema.create_all(connection)
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")
        connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {APP}")
    engine.dispose()
    database = Database.open(old.url(APP), pool_size=1)
    wiring.hooks(database)
    wiring.register()
    world = await build(database)
    for _ in range(5):
        await post(database, world.posting(world.move("TEA", 7, "supplier", "S1"), kind="receive"))
    await database.close()

    assert "Stop Onhand" in (await asyncio.to_thread(onhand, data_dir, "upgrade-database")).stdout
    await asyncio.to_thread(old.stop)
    refused = await asyncio.to_thread(onhand, data_dir, "verify")
    assert refused.returncode != 0
    assert "onhand upgrade-database" in refused.stdout + refused.stderr
    done = await asyncio.to_thread(onhand, data_dir, "upgrade-database")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Upgraded from PostgreSQL {OLD} to {MAJOR}" in done.stdout

    postgres = EmbeddedPostgres.at(data_dir)
    await asyncio.to_thread(postgres.start)
    try:
        report = await upkeep.verified(postgres)
        assert report.ok
        assert report.postings == 5
        with psycopg.connect(postgres.url(SUPERUSER)) as conn:
            row = conn.execute("SHOW data_checksums").fetchone()
            assert row == ("on",)
    finally:
        await asyncio.to_thread(postgres.stop)
    assert (postgres.data_dir.parent / f"postgres.{OLD}" / "PG_VERSION").exists(), "the old one is kept"
    again = await asyncio.to_thread(onhand, data_dir, "upgrade-database")
    assert "nothing to do" in again.stdout
