"""Access on its own: its router, middleware and hooks around a real database, and a small world of places."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.responses import Response

from onhand import access
from onhand.access.gate import RESOLVERS
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.problem import InvalidBody, Problem
from onhand.kit.settings import Settings
from onhand.kit.web import APIRouter, Body, Id

NORTH, SOUTH, REGION, SHELF = UUID(int=0xA), UUID(int=0xB), UUID(int=0xC), UUID(int=0xD)
"""Two stores, the region of both, and a shelf in the north."""

PASSWORD = "purple-kettle-sings-loudly"
ORGANISATION = {"name": "Corner Shop", "currency": "EUR", "locale": "de-DE", "time_zone": "Europe/Berlin"}


async def scope_of(conn: Any, location_ids: Collection[UUID]) -> Collection[UUID]:
    below = {NORTH: {NORTH}, SOUTH: {SOUTH}, REGION: {NORTH, SOUTH}}
    return {site for i in location_ids for site in below.get(i, set())}


async def places_of(conn: Any, location_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
    sites = {NORTH: NORTH, SOUTH: SOUTH, SHELF: NORTH}
    return {i: sites[i] for i in location_ids if i in sites}


async def codes_of(conn: Any, codes: Collection[str]) -> Mapping[str, UUID]:
    known = {"N": NORTH, "S": SOUTH}
    return {c: known[c] for c in codes if c in known}


class Thing(Body):
    """Something done somewhere."""

    location_id: Id | None = None
    location_code: str | None = None
    lines: Annotated[list[dict[str, Any]], Field(default_factory=list)]


probe = APIRouter()


@probe.post(
    "/v1/things",
    dependencies=[access.needs("stock:adjust", at=("location_id", "location_code", "lines.location_id"))],
)
async def post_thing(body: Thing) -> dict[str, bool]:
    return {"done": True}


@probe.get("/v1/things", dependencies=[access.needs("stock:read", at="site_id")])
async def get_things(caller: access.CallerDep) -> dict[str, Any]:
    scope = caller.sites("stock:read")
    return {"sites": None if scope is None else sorted(str(s) for s in scope)}


@dataclass
class World:
    """One application and its people."""

    app: FastAPI
    database: Database
    access: access.Access
    data: Path
    north: UUID = NORTH
    south: UUID = SOUTH
    region: UUID = REGION
    shelf: UUID = SHELF
    password: str = PASSWORD

    def client(
        self, *, cookie: str | None = None, key: str | None = None, **headers: str
    ) -> httpx2.AsyncClient:
        if cookie:
            headers["cookie"] = f"__Host-onhand_session={cookie}"
        if key:
            headers["authorization"] = f"Bearer {key}"
        transport = httpx2.ASGITransport(app=self.app, client=("10.0.0.1", 1))
        return httpx2.AsyncClient(transport=transport, base_url="https://stock.example", headers=headers)

    async def person(
        self, name: str, *assignments: tuple[str, UUID | None], password: str | None = PASSWORD
    ) -> UUID:
        """A person with roles, made directly."""
        hashed = await self.access.vault.hash_password(password) if password else None
        user_id = uuid7()
        async with self.database.writing() as tx:
            await access.add_user(
                tx, caller=access.SYSTEM, user_id=user_id, email=f"{name}@example.com", name=name.title(),
                password_hash=hashed, assignments=[access.Assignment(*a) for a in assignments],
            )  # fmt: skip
        return user_id

    async def sign_in(self, name: str, **extra: str) -> httpx2.AsyncClient:
        """A client signed in as that person."""
        async with self.client() as http:
            body = {"email": f"{name}@example.com", "password": PASSWORD, **extra}
            answer = await http.post("/v1/session", json=body)
        assert answer.status_code == 200, answer.text
        return self.client(cookie=self.cookie_of(answer))

    async def key(self, scopes: str, *places: UUID, life: timedelta = timedelta(days=30)) -> tuple[UUID, str]:
        """An API key, made directly: (id, text)."""
        key_id = uuid7()
        async with self.database.writing() as tx:
            made = await access.make_key(
                tx, caller=access.SYSTEM, key_id=key_id, name="till", scopes=scopes.split(),
                location_ids=list(places) or None, expires_at=now() + life,
            )  # fmt: skip
        return key_id, made.text

    async def rows(self, query: str, **values: Any) -> list[Any]:
        """What the database says."""
        async with self.database.engine.connect() as conn:
            return list(await conn.execute(sa.text(query), values))

    async def mailed_token(self, email: str) -> str:
        """The token of the last link mailed to somebody."""
        rows = await self.rows(
            "SELECT body FROM mail_outbox WHERE recipient = :to AND body LIKE '%token=%' ORDER BY id",
            to=email,
        )
        return str(rows[-1].body).split("token=")[1].split()[0]

    @staticmethod
    def cookie_of(answer: httpx2.Response) -> str:
        """The session token an answer hands over."""
        header = answer.headers["set-cookie"]
        assert header.startswith("__Host-onhand_session=")
        for wanted in ("Secure", "HttpOnly", "Path=/", "SameSite=Strict"):
            assert wanted in header
        assert "Domain" not in header
        return str(header).split("=", 1)[1].split(";", 1)[0]


async def on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return access.refusal(error, request)


async def on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = [{"param": ".".join(str(p) for p in e["loc"][1:]), "detail": e["msg"]} for e in error.errors()]
    return access.refusal(InvalidBody(details=details), request)


@pytest.fixture(scope="module")
def resolvers() -> Iterator[None]:
    before = (RESOLVERS.scope, RESOLVERS.place, dict(RESOLVERS.codes))
    access.set_scope_resolver(scope_of)
    access.set_place_resolver(places_of)
    access.set_code_resolver("location_code", codes_of)
    yield
    RESOLVERS.scope, RESOLVERS.place, RESOLVERS.codes = before


@pytest.fixture(scope="module")
async def world(
    database_urls: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, resolvers: None
) -> AsyncIterator[World]:
    data = tmp_path_factory.mktemp("data")
    settings = Settings(data_dir=data, require_admin_totp=False)
    database = Database.open(database_urls[1], pool_size=4)
    database.before_commit.append(access.write_audit)
    opened = access.Access.open(database, settings)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.database, app.state.settings, app.state.access = database, settings, opened
    app.include_router(access.router)
    app.include_router(probe)
    app.add_middleware(access.AccessMiddleware)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    access.check_routes(app)
    async with database.writing() as tx:
        await access.ensure_builtin_roles(tx.conn)
    yield World(app, database, opened, data)
    opened.close()
    await database.close()
