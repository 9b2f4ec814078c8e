"""Access over HTTP: first run, sessions, invitations, second factor, keys, places, cross-site requests, audit."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx2
import pyotp
import pytest

from onhand import access
from onhand.kit.ids import uuid7

if TYPE_CHECKING:
    from tests.access.conftest import World

ORGANISATION = {"name": "Corner Shop", "currency": "EUR", "locale": "de-DE", "time_zone": "Europe/Berlin"}


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is this refusal, as a problem document."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture(scope="module")
async def admin(world: World) -> httpx2.AsyncClient:
    """The first run, and its admin's client."""
    async with world.client() as http:
        assert (await http.get("/v1/setup")).json() == {"needed": True, "demo": False}
        body = {
            "organisation": ORGANISATION,
            "admin": {"email": "Ada@Example.com", "name": "Ada", "password": world.password},
        }
        weak = {**body, "admin": {**body["admin"], "password": "password1234"}}
        refused(await http.post("/v1/setup", json=weak), 422, "weak_password")
        answer = await http.post("/v1/setup", json=body)
        assert answer.status_code == 201, answer.text
        assert (await http.get("/v1/setup")).json() == {"needed": False, "demo": False}
        refused(await http.post("/v1/setup", json=body), 409, "already_set_up")
    return world.client(cookie=world.cookie_of(answer))


async def test_me_tells_what_i_may_do(world: World, admin: httpx2.AsyncClient) -> None:
    me = (await admin.get("/v1/me")).json()
    assert (me["kind"], me["email"], me["roles"], me["organisation"]["name"]) == (
        "user",
        "ada@example.com",
        ["admin"],
        "Corner Shop",
    )
    assert me["permissions"]["stock:adjust"] is None
    await world.person("noor", ("clerk", world.north), ("auditor", None))
    async with await world.sign_in("noor") as noor:
        me = (await noor.get("/v1/me")).json()
        assert me["permissions"]["stock:adjust"] == [str(world.north)]
        assert me["permissions"]["stock:read"] is None
        assert "users:write" not in me["permissions"]


async def test_wrong_passwords_and_unknown_people_look_the_same(
    world: World, admin: httpx2.AsyncClient
) -> None:
    async with world.client() as http:
        wrong = await http.post("/v1/session", json={"email": "ada@example.com", "password": "wrong"})
        unknown = await http.post("/v1/session", json={"email": "nobody@example.com", "password": "wrong"})
    left, right = refused(wrong, 401, "invalid_credentials"), refused(unknown, 401, "invalid_credentials")
    assert left == right
    assert "set-cookie" not in wrong.headers


async def test_passwords_are_taken_as_typed(world: World, admin: httpx2.AsyncClient) -> None:
    password = "  Trailing kettles sing loudly  "
    await world.person("space", password=password)
    async with world.client() as http:
        right = await http.post("/v1/session", json={"email": " SPACE@example.com ", "password": password})
        assert right.status_code == 200
        stripped = await http.post(
            "/v1/session", json={"email": "space@example.com", "password": password.strip()}
        )
        refused(stripped, 401, "invalid_credentials")


async def test_wrong_tries_slow_down_and_a_right_one_forgives(
    world: World, admin: httpx2.AsyncClient
) -> None:
    await world.person("slow")
    body = {"email": "slow@example.com", "password": "wrong"}
    async with world.client() as http:
        codes = [(await http.post("/v1/session", json=body)).status_code for _ in range(7)]
        assert codes[:5] == [401] * 5
        assert codes[-1] == 429
        waiting = await http.post("/v1/session", json={**body, "password": world.password})
        refused(waiting, 429, "sign_in_throttled")
        await asyncio.sleep(int(waiting.headers["retry-after"]))
        assert (await http.post("/v1/session", json={**body, "password": world.password})).status_code == 200
        assert (await http.post("/v1/session", json=body)).status_code == 401


async def test_many_tries_at_once_do_not_slip_past(world: World, admin: httpx2.AsyncClient) -> None:
    await world.person("burst")
    async with world.client() as http:
        body = {"email": "burst@example.com", "password": "wrong"}
        answers = await asyncio.gather(*(http.post("/v1/session", json=body) for _ in range(20)))
    assert sum(a.status_code == 401 for a in answers) <= 5
    assert {a.status_code for a in answers} == {401, 429}


async def test_signing_out_ends_the_session_at_once(world: World, admin: httpx2.AsyncClient) -> None:
    await world.person("out")
    async with await world.sign_in("out") as http:
        assert (await http.get("/v1/me")).status_code == 200
        left = await http.delete("/v1/session")
        assert left.status_code == 204
        assert "Max-Age=0" in left.headers["set-cookie"]
        refused(await http.get("/v1/me"), 401, "unauthenticated")


async def test_sessions_are_listed_and_killed_and_streams_hear_of_it(
    world: World, admin: httpx2.AsyncClient
) -> None:
    await world.person("twice")
    async with await world.sign_in("twice") as one, await world.sign_in("twice") as two:
        sessions = (await one.get("/v1/me/sessions")).json()["data"]
        assert [s["current"] for s in sessions].count(True) == 1
        other = next(s["id"] for s in sessions if not s["current"])
        token = two.headers["cookie"].split("=", 1)[1]
        streaming = await world.access.gate.by_session(token)
        assert streaming is not None
        assert await world.access.gate.still_valid(streaming)
        assert (await one.delete(f"/v1/sessions/{other}")).status_code == 204
        refused(await two.get("/v1/me"), 401, "unauthenticated")
        assert not await world.access.gate.still_valid(streaming)
        refused(await one.delete(f"/v1/sessions/{uuid4()}"), 404, "not_found")


async def test_an_admin_ends_somebodys_session(world: World, admin: httpx2.AsyncClient) -> None:
    user_id = await world.person("ended", ("clerk", None))
    async with await world.sign_in("ended") as http:
        sessions = (await admin.get(f"/v1/users/{user_id}/sessions")).json()["data"]
        assert [s["current"] for s in sessions] == [False]
        assert (await admin.delete(f"/v1/sessions/{sessions[0]['id']}")).status_code == 204
        refused(await http.get("/v1/me"), 401, "unauthenticated")


async def test_many_links_from_many_places_do_not_slow_each_other(
    world: World, admin: httpx2.AsyncClient
) -> None:
    for place in range(30):
        transport = httpx2.ASGITransport(app=world.app, client=(f"10.1.0.{place}", 1))
        async with httpx2.AsyncClient(transport=transport, base_url="https://stock.example") as http:
            spent = await http.post("/v1/invitations/accept", json={"token": "x", "password": world.password})
            refused(spent, 410, "link_spent")


async def test_nobody_ends_sessions_of_those_above(world: World, admin: httpx2.AsyncClient) -> None:
    await world.person("low", ("clerk", None))
    session = (await admin.get("/v1/me/sessions")).json()["data"][0]["id"]
    async with await world.sign_in("low") as low:
        refused(await low.delete(f"/v1/sessions/{session}"), 404, "not_found")


async def test_a_change_of_rights_is_felt_and_gives_a_new_token(
    world: World, admin: httpx2.AsyncClient
) -> None:
    user_id = await world.person("rise", ("clerk", world.north))
    async with await world.sign_in("rise") as rise:
        assert "costs:read" not in (await rise.get("/v1/me")).json()["permissions"]
        before = rise.headers["cookie"].split("=", 1)[1]
        streaming = await world.access.gate.by_session(before)
        assert streaming is not None
        changed = await admin.patch(
            f"/v1/users/{user_id}", json={"assignments": [{"role": "manager", "location_id": None}]}
        )
        assert changed.status_code == 200, changed.text
        assert not await world.access.gate.still_valid(streaming)
        answer = await rise.get("/v1/me")
        assert answer.json()["roles"] == ["manager"]
        fresh = world.cookie_of(answer)
        assert fresh != before
        assert (
            "set-cookie" not in (await rise.get("/v1/me")).headers
        )  # the old token is good for moments more
        async with world.client(cookie=fresh) as again:
            assert (await again.get("/v1/me")).status_code == 200
        await world.rows("SELECT 1")
        async with world.database.engine.begin() as conn:
            from sqlalchemy import text

            await conn.execute(text("UPDATE session SET rotated_at = rotated_at - interval '2 minutes'"))
        world.access.gate.forget_all()
        refused(await rise.get("/v1/me"), 401, "unauthenticated")


async def test_sessions_end_when_idle_and_after_half_a_day(world: World, admin: httpx2.AsyncClient) -> None:
    from sqlalchemy import text

    for column, back in (("seen_at", "31 minutes"), ("expires_at", "12 hours")):
        name = f"idle{column[:4]}"
        await world.person(name)
        async with await world.sign_in(name) as http:
            assert (await http.get("/v1/me")).status_code == 200
            await world.access.gate.write_seen()
            async with world.database.engine.begin() as conn:
                update = f"UPDATE session SET {column} = {column} - interval '{back}' WHERE user_id = (SELECT id FROM app_user WHERE email = :e)"
                await conn.execute(text(update), {"e": f"{name}@example.com"})
            world.access.gate.forget_all()
            refused(await http.get("/v1/me"), 401, "unauthenticated")


# --- invitations and forgotten passwords -----------------------------------------------------------------------


async def test_an_invitation_lets_somebody_in_once(world: World, admin: httpx2.AsyncClient) -> None:
    body = {
        "email": "ines@example.com",
        "name": "Ines",
        "assignments": [{"role": "cashier", "location_id": str(world.north)}],
    }
    invited = await admin.post("/v1/invitations", json=body)
    assert invited.status_code == 201, invited.text
    assert invited.json()["invited"] is True
    first = await world.mailed_token("ines@example.com")
    assert (await admin.post("/v1/invitations", json=body)).status_code == 201
    second = await world.mailed_token("ines@example.com")
    async with world.client() as http:
        accept = {"token": first, "password": "Trailing kettles sing loudly", "name": "Inés"}
        refused(await http.post("/v1/invitations/accept", json=accept), 410, "link_spent")
        accept["token"] = second
        refused(
            await http.post("/v1/invitations/accept", json={**accept, "password": "ines@example.com"}),
            422,
            "weak_password",
        )
        joined = await http.post("/v1/invitations/accept", json=accept)
        assert joined.status_code == 200, joined.text
        assert (joined.json()["name"], joined.json()["roles"]) == ("Inés", ["cashier"])
        assert world.cookie_of(joined)
        refused(await http.post("/v1/invitations/accept", json=accept), 410, "link_spent")
    refused(await admin.post("/v1/invitations", json=body), 409, "email_taken")


async def test_a_forgotten_password(world: World, admin: httpx2.AsyncClient) -> None:
    await world.person("forget")
    fresh = "Trailing kettles sing loudly"
    async with await world.sign_in("forget") as old, world.client() as http:
        for email in ("nobody@example.com", "forget@example.com"):
            answer = await http.post("/v1/password-resets", json={"email": email})
            assert (answer.status_code, answer.content) == (202, b"")
        assert not await world.rows("SELECT 1 FROM mail_outbox WHERE recipient = 'nobody@example.com'")
        accept = {"token": await world.mailed_token("forget@example.com"), "password": fresh}
        assert (await http.post("/v1/password-resets/accept", json=accept)).status_code == 204
        refused(await http.post("/v1/password-resets/accept", json=accept), 410, "link_spent")
        refused(await old.get("/v1/me"), 401, "unauthenticated")
        body = {"email": "forget@example.com", "password": world.password}
        refused(await http.post("/v1/session", json=body), 401, "invalid_credentials")
        assert (await http.post("/v1/session", json={**body, "password": fresh})).status_code == 200


async def test_changing_ones_password_ends_the_other_sessions(
    world: World, admin: httpx2.AsyncClient
) -> None:
    await world.person("change")
    fresh = "Trailing kettles sing loudly"
    async with await world.sign_in("change") as one, await world.sign_in("change") as two:
        wrong = await one.post("/v1/me/password", json={"old": "nope", "new": fresh})
        refused(wrong, 401, "invalid_credentials")
        done = await one.post("/v1/me/password", json={"old": world.password, "new": fresh})
        assert done.status_code == 204, done.text
        assert world.cookie_of(await one.get("/v1/me"))
        refused(await two.get("/v1/me"), 401, "unauthenticated")


# --- second factor ---------------------------------------------------------------------------------------------


async def test_the_second_factor(world: World, admin: httpx2.AsyncClient) -> None:
    await world.person("totp")
    async with await world.sign_in("totp") as http:
        started = await http.post("/v1/me/totp")
        assert started.status_code == 201, started.text
        secret, codes = started.json()["secret"], started.json()["recovery_codes"]
        rows = await world.rows("SELECT totp_secret FROM app_user WHERE email = 'totp@example.com'")
        assert secret.encode() not in bytes(rows[0].totp_secret)
        assert (await http.get("/v1/me")).json()["totp_enabled"] is False
        refused(await http.post("/v1/me/totp/confirm", json={"code": "000000"}), 401, "totp_invalid")
        now = datetime.now(UTC)
        code = pyotp.TOTP(secret).at(now - timedelta(seconds=30))
        assert (await http.post("/v1/me/totp/confirm", json={"code": code})).status_code == 204
        assert (await http.get("/v1/me")).json()["totp_enabled"] is True
        refused(await http.post("/v1/me/totp"), 409, "totp_already_on")
    async with world.client() as http:
        body = {"email": "totp@example.com", "password": world.password}
        refused(await http.post("/v1/session", json=body), 401, "totp_required")
        refused(await http.post("/v1/session", json={**body, "totp": code}), 401, "totp_invalid")
        later = pyotp.TOTP(secret).at(now + timedelta(seconds=30))
        assert (await http.post("/v1/session", json={**body, "totp": later})).status_code == 200
        refused(await http.post("/v1/session", json={**body, "totp": later}), 401, "totp_invalid")
        signed = await http.post("/v1/session", json={**body, "totp": codes[0].upper()})
        assert signed.status_code == 200
        refused(await http.post("/v1/session", json={**body, "totp": codes[0]}), 401, "totp_invalid")
    async with world.client(cookie=world.cookie_of(signed)) as http:
        off = await http.request("DELETE", "/v1/me/totp", json={"code": codes[1]})
        assert off.status_code == 204
        assert (await http.get("/v1/me")).json()["totp_enabled"] is False


async def test_admins_must_have_one_where_it_is_required(world: World, admin: httpx2.AsyncClient) -> None:
    await world.person("strict", ("admin", None))
    strict = access.Gate(world.database, admin_totp=frozenset({"admin"}))
    lax, world.access.gate = world.access.gate, strict
    try:
        async with await world.sign_in("strict") as http:
            assert (await http.get("/v1/me")).json()["totp_required"] is True
            for path in ("/v1/users", "/v1/views", "/v1/organisation"):
                refused(await http.get(path), 403, "totp_setup_required")
            secret = (await http.post("/v1/me/totp")).json()["secret"]
            code = pyotp.TOTP(secret).now()
            assert (await http.post("/v1/me/totp/confirm", json={"code": code})).status_code == 204
            assert (await http.get("/v1/users")).status_code == 200
    finally:
        world.access.gate = lax


# --- API keys --------------------------------------------------------------------------------------------------


async def test_a_key_works_until_it_is_revoked(world: World, admin: httpx2.AsyncClient) -> None:
    ends = (datetime.now(UTC) + timedelta(days=90)).isoformat()
    body = {
        "id": str(uuid7()),
        "name": "Till 1",
        "scopes": ["stock:read", "stock:adjust"],
        "expires_at": ends,
    }
    made = await admin.post("/v1/api-keys", json={**body, "location_ids": [str(world.north)]})
    assert made.status_code == 201, made.text
    secret = made.json()["secret"]
    refused(
        await admin.post("/v1/api-keys", json={**body, "location_ids": [str(world.north)]}), 409, "conflict"
    )
    listed = (await admin.get("/v1/api-keys")).json()["data"][0]
    assert listed["prefix"] == made.json()["prefix"]
    assert "secret" not in listed
    assert not await world.rows(
        "SELECT 1 FROM idempotency WHERE convert_from(body, 'UTF8') LIKE '%onh_live_%_%'"
    )
    async with world.client(key=secret) as till:
        me = (await till.get("/v1/me")).json()
        assert (me["kind"], me["permissions"]) == (
            "key",
            {"stock:adjust": [str(world.north)], "stock:read": [str(world.north)]},
        )
        refused(await till.post("/v1/me/totp"), 403, "session_needed")
        refused(await till.get("/v1/users"), 403, "forbidden")
        await world.access.gate.write_seen()
        assert (await admin.get("/v1/api-keys")).json()["data"][0]["last_used_at"] is not None
        assert (await admin.delete(f"/v1/api-keys/{body['id']}")).status_code == 204
        refused(await till.get("/v1/me"), 401, "unauthenticated")


@pytest.mark.parametrize("life", [timedelta(days=-1), timedelta(days=400)])
async def test_keys_live_a_year_at_most(world: World, admin: httpx2.AsyncClient, life: timedelta) -> None:
    body = {"name": "x", "scopes": ["stock:read"], "expires_at": (datetime.now(UTC) + life).isoformat()}
    refused(await admin.post("/v1/api-keys", json=body), 422, "key_lifetime")


async def test_a_wrong_secret_is_refused_even_with_a_right_checksum(
    world: World, admin: httpx2.AsyncClient
) -> None:
    from onhand.access.model import ApiKey, new_key, parse_key

    _, text = await world.key("stock:read")
    real = parse_key(text)
    assert real is not None
    forged = ApiKey(public_id=real.public_id, secret=new_key().secret).text
    for key in (forged, new_key().text, text[:-1], "onh_live_", "x"):
        async with world.client(key=key) as http:
            refused(await http.get("/v1/me"), 401, "unauthenticated")
    async with world.client(key=text) as http:
        assert (await http.get("/v1/me")).status_code == 200


async def test_a_revoked_key_dies_in_other_processes_too(world: World, admin: httpx2.AsyncClient) -> None:
    key_id, text = await world.key("stock:read")
    other = access.Gate(world.database, ttl=0.2)
    assert await other.by_key(text) is not None
    async with world.database.engine.begin() as conn:  # as another process would
        from sqlalchemy import text as sql

        await conn.execute(sql("UPDATE api_key SET revoked_at = now() WHERE id = :id"), {"id": key_id})
    assert await other.by_key(text) is not None  # remembered
    await asyncio.sleep(0.25)
    await other.by_key(text)  # refreshes behind the request
    await asyncio.sleep(0.25)
    assert await other.by_key(text) is None


async def test_many_requests_at_once_load_a_key_once(world: World, admin: httpx2.AsyncClient) -> None:
    _, text = await world.key("stock:read")
    gate = access.Gate(world.database)
    loads = 0
    real = gate._load_key

    async def counted(key: str) -> Any:
        nonlocal loads
        loads += 1
        return await real(key)

    gate._load_key = counted  # type: ignore[method-assign, assignment]
    assert all(await asyncio.gather(*(gate.by_key(text) for _ in range(64))))
    assert loads == 1


# --- places ----------------------------------------------------------------------------------------------------

PLACES = [
    # who, body, query, code
    ("north", {"location_id": "north"}, "", 200),
    ("north", {"location_id": "shelf"}, "", 200),
    ("north", {"location_id": "south"}, "", "location_not_allowed"),
    ("north", {"location_id": "region"}, "", "location_not_allowed"),
    ("north", {"location_id": "north"}, "?location_id={south}", "location_not_allowed"),
    ("north", {"lines": [{"location_id": "north"}, {"location_id": "south"}]}, "", "location_not_allowed"),
    ("north", {"lines": [{"location_id": "north"}, {"location_id": "shelf"}]}, "", 200),
    ("north", {"location_code": "N"}, "", 200),
    ("north", {"location_code": "S"}, "", "location_not_allowed"),
    ("north", {"location_code": "?"}, "", "location_not_allowed"),
    ("north", {"location_id": "nonsense"}, "", "location_not_allowed"),
    ("north", {}, "", "place_missing"),
    ("region", {"location_id": "south"}, "", 200),
    ("region", {"location_id": "north"}, "", 200),
    ("everywhere", {"location_id": "south"}, "", 200),
    ("everywhere", {}, "", 200),
]


@pytest.mark.parametrize(("who", "body", "query", "expected"), PLACES)
async def test_places(
    world: World, admin: httpx2.AsyncClient, who: str, body: dict[str, Any], query: str, expected: int | str
) -> None:
    names = {
        "north": str(world.north),
        "south": str(world.south),
        "region": str(world.region),
        "shelf": str(world.shelf),
    }

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: filled(v) for k, v in value.items()}
        return [filled(v) for v in value] if isinstance(value, list) else names.get(value, value)

    place = {"north": (world.north,), "region": (world.region,), "everywhere": ()}[who]
    _, key = await world.key("stock:adjust stock:read", *place)
    async with world.client(key=key) as http:
        answer = await http.post(f"/v1/things{query.format(**names)}", json=filled(body))
        if isinstance(expected, str):
            assert answer.json()["code"] == expected, answer.text
        else:
            assert answer.status_code == expected, answer.text
        listed = await http.get("/v1/things")
        assert listed.json()["sites"] == (
            None
            if who == "everywhere"
            else sorted(str(s) for s in ((world.north, world.south) if who == "region" else place))
        )


async def test_a_filter_on_another_place_is_refused(world: World, admin: httpx2.AsyncClient) -> None:
    _, key = await world.key("stock:read", world.north)
    async with world.client(key=key) as http:
        assert (await http.get(f"/v1/things?site_id={world.north}")).status_code == 200
        refused(await http.get(f"/v1/things?site_id={world.south}"), 403, "location_not_allowed")


async def test_two_readers_of_one_body_see_the_same_place(world: World, admin: httpx2.AsyncClient) -> None:
    _, key = await world.key("stock:adjust", world.north)
    async with world.client(key=key, **{"content-type": "application/json"}) as http:
        north, south = world.north, world.south
        for raw in (
            f'{{"location_id": "{north}", "location_id": "{south}"}}',
            f'{{"location_id": "{south}", "x": NaN}}',
        ):
            answer = await http.post(f"/v1/things?location_id={north}", content=raw.encode())
            assert answer.json()["code"] == "location_not_allowed", answer.text


# --- nothing is open by omission -------------------------------------------------------------------------------


async def test_nameless_callers_stop_before_any_body_is_read(world: World) -> None:
    async with world.client() as http:
        for method, path in (
            ("GET", "/v1/users"),
            ("POST", "/v1/users"),
            ("GET", "/v1/nowhere"),
            ("POST", "/v1/users/x/y"),
        ):
            answer = await http.request(
                method,
                path,
                content=b"{" if method == "POST" else None,
                headers={"content-type": "application/json"},
            )
            refused(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_route_that_says_nothing_stops_start_up() -> None:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/v1/open")
    async def forgotten() -> None: ...

    @access.declare("pos:sell")
    async def thin(request: Request) -> Response:
        return Response()

    app.add_route("/v1/thin", thin, methods=["POST"])
    with pytest.raises(access.UndeclaredRouteError, match=r"GET /v1/open$"):
        access.check_routes(app)
    access.check_routes(app, exempt=["/v1/open"])
    with pytest.raises(ValueError, match="stock:fly"):
        access.needs("stock:fly")


async def test_openapi_tells_permission_and_place(world: World) -> None:
    document = world.app.openapi()
    assert document["paths"]["/v1/things"]["post"]["x-permission"] == "stock:adjust"
    assert document["paths"]["/v1/things"]["post"]["x-location"] == [
        "location_id",
        "location_code",
        "lines.location_id",
    ]
    assert document["paths"]["/v1/session"]["post"]["x-permission"] == "public"
    assert document["paths"]["/v1/me"]["get"]["x-permission"] == "signed-in"
    assert all(
        "x-permission" in operation for item in document["paths"].values() for operation in item.values()
    )


# --- cross-site requests ---------------------------------------------------------------------------------------

SITES = [
    ({"sec-fetch-site": "cross-site"}, 403),
    ({"sec-fetch-site": "same-site"}, 403),
    ({"sec-fetch-site": "same-origin"}, 200),
    ({"sec-fetch-site": "none"}, 200),
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "https://stock.example"}, 200),
    ({}, 200),
]


@pytest.mark.parametrize(("headers", "status"), SITES)
async def test_cross_site_requests(
    world: World, admin: httpx2.AsyncClient, headers: dict[str, str], status: int
) -> None:
    answer = await admin.patch("/v1/me", json={"name": "Ada"}, headers=headers)
    assert answer.status_code == status
    assert (await admin.get("/v1/me", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_bodies_a_form_could_send_are_refused(
    world: World, admin: httpx2.AsyncClient, media: str
) -> None:
    answer = await admin.patch("/v1/me", content=b'{"name": "Ada"}', headers={"content-type": media})
    refused(answer, 415, "unsupported_media")


async def test_cookies_on_plain_http(world: World, admin: httpx2.AsyncClient) -> None:
    await world.person("plain")
    body = {"email": "plain@example.com", "password": world.password}
    transport = httpx2.ASGITransport(app=world.app, client=("10.0.0.9", 1))
    safari = "Mozilla/5.0 (Macintosh) AppleWebKit/605 (KHTML, like Gecko) Version/18.0 Safari/605"
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8420") as http:
        assert world.cookie_of(await http.post("/v1/session", json=body))
        cookie = (await http.post("/v1/session", json=body, headers={"user-agent": safari})).headers[
            "set-cookie"
        ]
        assert cookie.startswith("onhand_session=")
        assert "Secure" not in cookie
        assert (await http.get("/v1/me", headers={"cookie": cookie.split(";")[0]})).status_code == 200
    async with httpx2.AsyncClient(transport=transport, base_url="http://192.168.1.5:8420") as http:
        refused(await http.post("/v1/session", json=body), 403, "plain_http_refused")
    async with world.client(cookie=cookie.split(";")[0]) as https:
        refused(await https.get("/v1/me"), 401, "unauthenticated")


# --- people, roles, views, organisation ------------------------------------------------------------------------


async def test_people_over_http(world: World, admin: httpx2.AsyncClient) -> None:
    body = {"id": str(uuid7()), "email": "Pia@example.com", "name": "Pia", "password": "Trailing kettles sing loudly",
            "assignments": [{"role": "clerk", "location_id": str(world.north)}]}  # fmt: skip
    made = await admin.post("/v1/users", json=body)
    assert made.status_code == 201, made.text
    again = await admin.post("/v1/users", json=body)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == made.json()
    pia = made.json()
    assert pia["assignments"] == body["assignments"]
    assert [u["email"] for u in (await admin.get("/v1/users?q=PIA")).json()["data"]] == ["pia@example.com"]
    stale = await admin.patch(f"/v1/users/{pia['id']}", json={"name": "P"}, headers={"if-match": '"99"'})
    refused(stale, 412, "stale")
    moved = await admin.patch(
        f"/v1/users/{pia['id']}", json={"active": False}, headers={"if-match": str(pia["version"])}
    )
    assert moved.json()["active"] is False
    async with world.client() as http:
        gone = await http.post("/v1/session", json={"email": "pia@example.com", "password": body["password"]})
        refused(gone, 401, "invalid_credentials")
    refused(await admin.post("/v1/users", json={**body, "id": str(uuid7())}), 409, "email_taken")
    file = await admin.get("/v1/users?format=csv")
    assert "pia@example.com" in file.text


@pytest.mark.parametrize(
    "change",
    [
        {"email": "not an address"},
        {"name": ""},
        {"name": "two\nlines"},
        {"assignments": [{"role": "x", "extra": 1}]},
        {"active": "yes"},
        {"totp_enabled": True},
    ],
)
async def test_bodies_are_strict(world: World, admin: httpx2.AsyncClient, change: dict[str, Any]) -> None:
    user_id = (await admin.get("/v1/me")).json()["id"]
    refused(await admin.patch(f"/v1/users/{user_id}", json=change), 422, "invalid_body")


async def test_roles_over_http(world: World, admin: httpx2.AsyncClient) -> None:
    body = {
        "name": "Night shift",
        "permissions": ["stock:read", "stock:adjust"],
        "limits": {"adjust_units": "50"},
    }
    made = (await admin.post("/v1/roles", json=body)).json()
    assert made["limits"] == {"adjust_units": "50", "adjust_value": None}
    refused(await admin.post("/v1/roles", json=body), 409, "role_name_taken")
    changed = await admin.patch(f"/v1/roles/{made['id']}", json={"limits": {"adjust_value": "12.50"}})
    assert changed.json()["limits"] == {"adjust_units": "50", "adjust_value": "12.5"}
    refused(
        await admin.patch(f"/v1/roles/{access.builtin_role_id('clerk')}", json={"permissions": []}),
        409,
        "builtin_role",
    )
    limited = await admin.patch(
        f"/v1/roles/{access.builtin_role_id('clerk')}", json={"limits": {"adjust_units": "20"}}
    )
    assert limited.json()["limits"]["adjust_units"] == "20"
    refused(
        await admin.post("/v1/roles", json={**body, "name": "n", "permissions": ["stock:fly"]}),
        422,
        "unknown_permission",
    )
    assert (await admin.delete(f"/v1/roles/{made['id']}")).status_code == 204
    names = [r["name"] for r in (await admin.get("/v1/roles")).json()["data"]]
    assert "admin" in names
    assert "Night shift" not in names
    assert len((await admin.get("/v1/permissions")).json()["data"]) == len(access.PERMISSIONS)


async def test_saved_views(world: World, admin: httpx2.AsyncClient) -> None:
    await world.person("view")
    view = {"page": "stock", "name": "Low tea", "query": "q=tea&below=minimum", "shared": True}
    made = (await admin.post("/v1/views", json=view)).json()
    replaced = (await admin.post("/v1/views", json={**view, "query": "q=tea"})).json()
    assert replaced["id"] == made["id"]
    await admin.post("/v1/views", json={**view, "name": "Mine only", "shared": False})
    async with await world.sign_in("view") as other:
        seen = (await other.get("/v1/views?page=stock")).json()["data"]
        assert [(v["name"], v["query"], v["mine"]) for v in seen] == [("Low tea", "q=tea", False)]
        refused(await other.delete(f"/v1/views/{made['id']}"), 404, "not_found")
    assert (await admin.delete(f"/v1/views/{made['id']}")).status_code == 204


async def test_the_organisation(world: World, admin: httpx2.AsyncClient) -> None:
    assert (await admin.get("/v1/organisation")).json()["currency"] == "EUR"
    changed = await admin.patch("/v1/organisation", json={"setup_done": True, "currency": "CHF"})
    assert changed.json()["currency"] == "CHF"
    refused(await admin.patch("/v1/organisation", json={"currency": "EUR"}), 409, "currency_fixed")
    refused(await admin.patch("/v1/organisation", json={"time_zone": "Europe/Atlantis"}), 422, "invalid_body")
    await world.person("visitor")
    async with await world.sign_in("visitor") as http:
        assert (await http.get("/v1/organisation")).status_code == 200
        refused(await http.patch("/v1/organisation", json={"name": "Mine"}), 403, "forbidden")


# --- audit -----------------------------------------------------------------------------------------------------


async def test_each_change_leaves_one_row(world: World, admin: httpx2.AsyncClient) -> None:
    user_id = str(await world.person("watched", ("clerk", world.north)))

    async def count() -> int:
        return int((await world.rows("SELECT count(*) AS n FROM audit"))[0].n)

    before = await count()
    await admin.patch(
        f"/v1/users/{user_id}", json={"name": "Watched closely", "assignments": [{"role": "cashier"}]}
    )
    assert await count() == before + 1
    await admin.get("/v1/users")
    await admin.patch(f"/v1/users/{user_id}", json={"name": "Watched closely"})
    assert await count() == before + 1
    row = (await admin.get(f"/v1/audit?entity=user&entity_id={user_id}")).json()["data"][0]
    assert (row["action"], row["actor"]["name"], row["request"]) == (
        "user.changed",
        "Ada",
        "PATCH /v1/users/{id}",
    )
    assert row["changes"]["name"] == ["Watched", "Watched closely"]
    assert row["changes"]["assignments"][1] == [{"role": "cashier", "location_id": None}]


async def test_signing_in_is_audited_and_no_secret_is(world: World, admin: httpx2.AsyncClient) -> None:
    await world.person("seen")
    client = await world.sign_in("seen")
    rows = (await admin.get("/v1/audit?action=session.opened&limit=1")).json()["data"]
    assert rows[0]["actor"]["name"] == "Seen"
    assert rows[0]["ip"] == "10.0.0.1"
    token = client.headers["cookie"].split("=", 1)[1]
    everything = str(await world.rows("SELECT changes::text FROM audit"))
    for secret in (token, world.password, "argon2", "onh_live_", "otpauth"):
        assert secret not in everything.replace("prefix", "") or secret == "onh_live_"
    await client.aclose()


async def test_audit_filters_and_pages(world: World, admin: httpx2.AsyncClient) -> None:
    first = (await admin.get("/v1/audit?limit=2")).json()
    assert first["has_more"]
    second = (await admin.get(f"/v1/audit?limit=2&cursor={first['next_cursor']}")).json()
    assert not {r["id"] for r in first["data"]} & {r["id"] for r in second["data"]}
    at = first["data"][0]["at"]
    later = (await admin.get("/v1/audit", params={"after": at})).json()["data"]
    assert later == []
    earlier = (
        await admin.get(
            "/v1/audit", params={"before": at, "entity": "role", "actor": first["data"][0]["actor"]["id"]}
        )
    ).json()
    assert all(r["entity"] == "role" for r in earlier["data"])
    refused(await admin.get("/v1/audit?cursor=x"), 422, "invalid_cursor")


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET action = 'x'", "DELETE FROM audit", "TRUNCATE audit"]
)
async def test_the_audit_log_only_grows(
    world: World, admin: httpx2.AsyncClient, database_urls: tuple[str, str], statement: str
) -> None:
    import psycopg

    for url in database_urls:  # the owner is stopped by triggers, the application by its grants too
        with psycopg.connect(url) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement)
