"""One embedded server a test run and worker, one template database, one clone of it a test module."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from onhand.kit.database import Database
from onhand.kit.postgres import APP, OWNER, SUPERUSER, EmbeddedPostgres

TEMPLATE = "onhand_template"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[EmbeddedPostgres]:
    """The embedded server of this worker, with a template database that holds the whole schema."""
    from onhand.doors import schema

    with tempfile.TemporaryDirectory(prefix="onhand-test-") as folder:
        if os.geteuid() == 0:
            Path(folder).chmod(0o711)
        postgres = EmbeddedPostgres.at(Path(folder) / "data")
        postgres.start()
        with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as conn:
            conn.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(TEMPLATE), sql.Identifier(OWNER))
            )
        engine = sa.create_engine(_url(postgres, TEMPLATE), poolclass=sa.NullPool)
        with engine.begin() as connection:
            schema.create_all(connection)
        engine.dispose()
        yield postgres
        postgres.stop()


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """The xdist worker's name; "master" without xdist."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "master"))


def _url(postgres: EmbeddedPostgres, database: str, role: str = OWNER) -> str:
    return postgres.url(role, database).replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture(scope="module")
def database_urls(server: EmbeddedPostgres, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """(owner URL, application URL) of this module's own database."""
    name = "t_" + request.module.__name__.replace(".", "_")[-50:].lower() + f"_{os.getpid()}"
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE), sql.Identifier(OWNER)
            )
        )
        yield server.url(OWNER, name), server.url(APP, name)
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
async def db(database_urls: tuple[str, str]) -> AsyncIterator[Database]:
    """The module's database as the application role, with the hooks the product wires."""
    from onhand.doors import wiring

    database = Database.open(database_urls[1], pool_size=8)
    wiring.hooks(database)
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def app(database_urls: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """The whole application on the module's database, started; without TOTP for admins, with mails as files."""
    from onhand.doors import http
    from onhand.kit.settings import Settings

    settings = Settings(
        database_url=database_urls[0], app_database_url=database_urls[1], data_dir=tmp_path_factory.mktemp("data"),
        require_admin_totp=False, log_level="error", jobs_concurrency=1,
    )  # fmt: skip
    application = http.create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture(scope="module")
async def client(app: Any) -> AsyncIterator[Any]:
    """An HTTP client without credentials, in process."""
    import httpx2

    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="https://onhand.test") as http_client:
        yield http_client
