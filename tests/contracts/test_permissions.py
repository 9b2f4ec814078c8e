"""Who may call what: every operation of the API × every built-in role × one's own place and another's.

Generated from the OpenAPI document, so a new endpoint is covered by existing. A wrong body is enough: whoever is let in
gets 422 or the like, whoever is not gets 401, 403 or 404 before anything is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa

from onhand import access
from onhand.access.model import Grant, sha256
from onhand.kit.clock import now, rfc3339
from onhand.kit.ids import uuid7
from onhand.locations.tables import location
from onhand.pos.tables import register

OPEN = {"public", "signed-in"}
ENDS_SESSIONS = {("delete", "/v1/session")}
STREAMS = {("get", "/v1/stream")}


REGISTERS = {"HERE": "TILL-HERE", "THERE": "TILL-THERE"}


def a_sale(register: str) -> dict[str, Any]:
    """A sale: the thin routes of tills look at the register only once the body is understood."""
    return {
        "id": str(uuid7()), "register": register, "happened_at": rfc3339(now()), "currency": "EUR",
        "lines": [{"sku": "UNKNOWN", "quantity": "1", "total": "1.00"}],
    }  # fmt: skip


def a_reservation(register: str) -> dict[str, Any]:
    """A reservation at the store of a register: places are looked at before what is wanted."""
    lines = [{"sku": "UNKNOWN", "quantity": "1"}]
    return {"id": str(uuid7()), "site_code": register.removeprefix("TILL-"), "lines": lines}


SAMPLES: dict[str, Callable[[str], dict[str, Any]]] = {
    "/v1/pos/sales": a_sale,
    "/v1/reservations": a_reservation,
    "/v1/pos/sale-batches": lambda register: {"sales": [a_sale(register)]},
}
"""Whole bodies, for operations that name their place by a code within."""
DENIED = {
    "forbidden",
    "location_not_allowed",
    "not_found",
    "unknown_register",
    "unknown_location",
    "unknown_place",
}


def denied(answer: httpx2.Response) -> bool:
    """Was the caller turned away, at the door or for the one thing asked?"""
    if answer.status_code in (401, 403, 404):
        return True
    if not answer.headers.get("content-type", "").endswith("json"):
        return False
    body = answer.json()
    results = body.get("results") or [body]
    return all(isinstance(r, dict) and r.get("code") in DENIED for r in results)


@dataclass(frozen=True)
class Operation:
    """One operation of the API: what it needs, and which fields name its place."""

    method: str
    path: str
    permission: str
    at: tuple[str, ...]
    multipart: bool

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def operations(document: dict[str, Any]) -> list[Operation]:
    """Every operation of an OpenAPI document."""
    out = []
    for path, item in document["paths"].items():
        for method, said in item.items():
            content = said.get("requestBody", {}).get("content", {})
            out.append(
                Operation(
                    method,
                    path,
                    said["x-permission"],
                    tuple(said.get("x-location", ())),
                    "multipart/form-data" in content,
                )
            )
    return out


@dataclass
class World:
    """The application, its operations, two stores, and a client for each role everywhere and in the first store."""

    http: httpx2.AsyncClient
    operations: list[Operation]
    here: UUID
    there: UUID
    everywhere: dict[str, str]
    local: dict[str, str]

    async def call(self, what: Operation, token: str | None, *, place: UUID | None = None) -> httpx2.Response:
        """Call an operation with an empty body, or one that names only the place."""
        path = what.path
        query: dict[str, str] = {}
        body: dict[str, Any] = {}
        if place is not None and what.path in SAMPLES:
            body = SAMPLES[what.path](REGISTERS["HERE" if place == self.here else "THERE"])
        elif place is not None:
            for name in what.at:
                _name_place(what, name, place, query, body)
        while "{" in path:
            head, _, rest = path.partition("{")
            name, _, tail = rest.partition("}")
            value = place if place is not None and name in what.at else uuid7()
            path = f"{head}{value}{tail}"
        headers = {"cookie": f"__Host-onhand_session={token}"} if token else {}
        sent: dict[str, Any] = {}
        if what.multipart:
            sent = {"files": {"nothing": ("x", b"")}}
            headers["sec-fetch-site"] = "same-origin"
        elif what.method != "get":
            sent = {"json": body}
        return await self.http.request(what.method.upper(), path, params=query, headers=headers, **sent)


def _name_place(what: Operation, name: str, place: UUID, query: dict[str, str], body: dict[str, Any]) -> None:
    """Put a place into the request where the operation looks for it. Codes and registers are left to the tests of `needs`."""
    head, _, last = name.rpartition(".")
    if "{" + name + "}" in what.path or last.endswith("_code") or last == "register":
        return
    if what.method == "get":
        query[name] = str(place)
    elif head:
        body.setdefault(head, [{}])[0][last] = str(place)
    else:
        body[name] = str(place)


@pytest.fixture(scope="module")
async def world(app: Any, client: httpx2.AsyncClient) -> World:
    database = app.state.database
    here, there = uuid7(), uuid7()
    async with database.writing() as tx:
        for code, site in (("HERE", here), ("THERE", there)):
            await _store(tx.conn, code, site)
            await tx.conn.execute(
                sa.insert(register).values(id=uuid7(), code=REGISTERS[code], name=code, location_id=site)
            )
    everywhere, local = {}, {}
    for role in access.BUILTIN_ROLES:
        everywhere[role] = await _signed_in(app, role, None)
        local[role] = await _signed_in(app, role, here)
    return World(client, operations(app.openapi()), here, there, everywhere, local)


async def _store(conn: Any, code: str, site: UUID) -> None:
    """A store, as a bare row: what matters here is only that it is a site."""
    known: dict[str, Any] = {
        "id": site, "code": code, "name": code.title(), "kind": "store", "path": code, "site_id": site, "sells": True,
        "time_zone": "Europe/Berlin", "keeps_level": True,
    }  # fmt: skip
    values = {name: value for name, value in known.items() if name in location.c}
    await conn.execute(sa.insert(location).values(**values))


async def _signed_in(app: Any, role: str, place: UUID | None) -> str:
    """A person of that role, and the token of a session opened directly (signing in is tested elsewhere, and slow)."""
    from onhand.access.actions import open_session

    user_id = uuid7()
    async with app.state.database.writing() as tx:
        email = f"{role}-{'local' if place else 'everywhere'}@example.com"
        await access.add_user(
            tx, caller=access.SYSTEM, user_id=user_id, email=email, name=role.title(),
            assignments=[access.Assignment(role, place)],
        )  # fmt: skip
        opened = await open_session(tx, user_id=user_id, rights_version=1, ip="", agent="")
    return opened.token


def _refused(answer: httpx2.Response) -> bool:
    return answer.status_code in (401, 403)


async def test_every_operation_says_what_it_needs(world: World) -> None:
    assert len(world.operations) > 50
    for what in world.operations:
        assert what.permission in access.PERMISSIONS or what.permission in OPEN, str(what)


async def test_without_credentials_nothing_but_the_public_opens(world: World) -> None:
    for what in world.operations:
        if what in [o for o in world.operations if o.permission == "public"]:
            continue
        answer = await world.call(what, None)
        assert answer.status_code == 401, f"{what}: {answer.status_code} {answer.text[:200]}"
        assert answer.json()["code"] == "unauthenticated", str(what)
        for bad in ("x", "0" * 43):
            assert (await world.call(what, bad)).status_code == 401, str(what)


@pytest.mark.parametrize("role", sorted(access.BUILTIN_ROLES))
async def test_roles(world: World, role: str) -> None:
    """Whoever lacks the permission is refused; whoever has it is not, whatever else is wrong with the request."""
    held = access.BUILTIN_ROLES[role]
    for what in world.operations:
        if what.permission in OPEN or (what.method, what.path) in STREAMS | ENDS_SESSIONS:
            continue
        answer = await world.call(what, world.everywhere[role], place=world.here)
        if what.permission in held:
            assert not _refused(answer), f"{role} {what}: {answer.status_code} {answer.text[:300]}"
            assert answer.status_code < 500, f"{role} {what}: {answer.text[:300]}"
        else:
            assert answer.status_code in (403, 404), (
                f"{role} {what}: {answer.status_code} {answer.text[:300]}"
            )


@pytest.mark.parametrize("role", sorted(access.BUILTIN_ROLES))
async def test_places(world: World, role: str) -> None:
    """An operation that names its place lets those bound to it in there, and nowhere else."""
    held = access.BUILTIN_ROLES[role]
    tried = 0
    for what in world.operations:
        if not what.at or what.permission not in held:
            continue
        own = await world.call(what, world.local[role], place=world.here)
        other = await world.call(what, world.local[role], place=world.there)
        if own.status_code == other.status_code == 422 and own.json()["code"] == "place_missing":
            continue  # named by code only
        tried += 1
        assert denied(other), f"{role} {what}: {other.status_code} {other.text[:300]}"
        assert not denied(own), f"{role} {what}: refused even at home, {own.text[:300]}"
    assert tried > 0 or role in ("auditor", "clerk", "finance")


async def test_what_concerns_everybody_is_not_for_those_of_one_place(world: World) -> None:
    for what in world.operations:
        if what.permission in access.model.permissions.ORGANISATION_WIDE:
            answer = await world.call(what, world.local["admin"], place=world.here)
            assert answer.status_code == 403, f"{what}: {answer.status_code}"


async def test_keys_hold_to_their_scopes(world: World, app: Any) -> None:
    """One key a permission: it opens the operations of that permission and none else."""
    for permission in sorted(access.PERMISSIONS):
        async with app.state.database.writing() as tx:
            key = await access.make_key(
                tx, caller=access.SYSTEM, key_id=uuid7(), name=permission, scopes=[permission], location_ids=None,
                expires_at=now() + timedelta(days=1),
            )  # fmt: skip
        caller = await app.state.access.gate.by_key(key.text)
        assert caller is not None
        assert caller.grants == (Grant(frozenset({permission}), None),)
        for what in world.operations:
            assert caller.may(what.permission) == (what.permission == permission), str(what)
    assert sha256("x") != sha256("y")
