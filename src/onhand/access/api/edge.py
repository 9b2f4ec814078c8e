"""What the session endpoints share: transactions of their own (hashing a password must not hold one), and answers about oneself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.access import actions, reads
from onhand.access.model import Caller, PlainHttpRefused, check_password
from onhand.access.permit import access_of, session_cookie, stays_signed_in
from onhand.access.reads import limits_shape
from onhand.access.vault import Vault
from onhand.kit.tx import SYSTEM, Actor, Tx


@asynccontextmanager
async def own_writing(request: Request, *, actor: Actor | None = None) -> AsyncIterator[Tx]:
    """A transaction that commits at its end, whatever the request does next."""
    database = access_of(request).database
    who = actor or getattr(request.state, "actor", None) or SYSTEM
    async with database.writing(actor=who, action=f"{request.method} {request.scope['route'].path}") as tx:
        tx.request_id = getattr(request.state, "request_id", "")
        tx.ip = address_of(request)
        yield tx


def address_of(request: Request) -> str:
    """The caller's network address."""
    return request.client.host if request.client else ""


def agent_of(request: Request) -> str:
    """The caller's browser, as it calls itself; control characters left out."""
    return "".join(ch for ch in request.headers.get("user-agent", "") if ch.isprintable())[:300]


async def checked_hash(vault: Vault, password: str, *, about: Iterable[str] = ()) -> str:
    """The hash of a password that is good enough; raises WeakPassword."""
    check_password(password, blocked=vault.blocked, about=about)
    return await vault.hash_password(password)


async def count_try(request: Request, *, email: str | None, purpose: str = "sign-in") -> None:
    """Count a try before judging it; raises SignInThrottled."""
    async with own_writing(request, actor=SYSTEM) as tx:
        await actions.count_try(
            tx, keys=actions.tries_keys(email=email, ip=address_of(request), purpose=purpose)
        )


async def forgive(request: Request, tx: Tx, *, email: str | None, purpose: str) -> None:
    """It was a right try: wipe the slate."""
    await actions.forgive_tries(
        tx, keys=actions.tries_keys(email=email, ip=address_of(request), purpose=purpose)
    )


def check_stays_signed_in(request: Request) -> None:
    """Raises PlainHttpRefused where the browser would drop the session cookie."""
    if not stays_signed_in(request):
        raise PlainHttpRefused()


def public_address(request: Request) -> str:
    """The address for links in mails: the setting, else the one this request came to."""
    url = access_of(request).settings.public_url
    return (url or f"{request.url.scheme}://{request.url.netloc}").rstrip("/")


async def about_me(conn: AsyncConnection, caller: Caller) -> dict[str, Any]:
    """The answer of `GET /v1/me`."""
    return {
        "id": caller.id,
        "kind": caller.kind,
        "name": caller.name,
        "email": caller.email,
        "locale": caller.locale,
        "roles": list(caller.roles),
        "permissions": {p: None if s is None else sorted(s) for p, s in sorted(caller.permissions.items())},
        "limits": [
            {"sites": None if g.scope is None else sorted(g.scope), **limits_shape(g.limits)}
            for g in caller.grants
            if g.permissions & {"stock:adjust", "stock:set"}
        ],
        "totp_enabled": caller.totp_enabled,
        "totp_required": caller.totp_required,
        "organisation": await reads.get_organisation(conn),
    }


def with_session(response: Response, request: Request, token: str | None) -> None:
    """Hand over a session cookie, or take it away."""
    response.headers.append("set-cookie", session_cookie(request, token))


async def signed_in_answer(
    request: Request, opened: actions.OpenedSession, *, status: int = 200
) -> JSONResponse:
    """The answer to somebody just signed in: who they are, and their cookie."""
    from onhand.access.api.shapes import Me

    access = access_of(request)
    caller = await access.gate.by_session(opened.token)
    assert caller is not None, "a session just opened is known"
    async with access.database.engine.connect() as conn:
        body = Me.model_validate(await about_me(conn, caller)).model_dump(mode="json")
    response = JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store"})
    with_session(response, request, opened.token)
    return response
