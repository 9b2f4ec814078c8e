"""First run, signing in and out, invitations and forgotten passwords."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import Request, Response, status
from starlette.background import BackgroundTask

from onhand.access import actions, reads, store
from onhand.access.api.edge import (
    address_of,
    agent_of,
    check_stays_signed_in,
    checked_hash,
    count_try,
    forgive,
    own_writing,
    public_address,
    signed_in_answer,
    with_session,
)
from onhand.access.api.shapes import (
    InvitationAccept,
    InvitationIn,
    Me,
    ResetAccept,
    ResetAsk,
    SetupIn,
    SetupOut,
    SignIn,
    UserOut,
)
from onhand.access.model import AlreadySetUp, InvalidCredentials, LinkSpent, sha256
from onhand.access.permit import CallerDep, access_of, needs, oneself, public
from onhand.kit.clock import now
from onhand.kit.problem import Problem
from onhand.kit.tx import Actor
from onhand.kit.web import APIRouter, Reads, Writes

log = logging.getLogger(__name__)
router = APIRouter(tags=["session"])


@router.get("/v1/setup", response_model=SetupOut, dependencies=[public()])
async def get_setup(request: Request, conn: Reads) -> Any:
    """Does this Onhand wait for its first run?"""
    return {"needed": not await store.any_user(conn), "demo": access_of(request).settings.demo}


@router.post("/v1/setup", response_model=Me, status_code=201, dependencies=[public()])
async def post_setup(request: Request, body: SetupIn) -> Response:
    """The first run: the organisation and its first admin, who is signed in at once. Only while there is no user."""
    access = access_of(request)
    check_stays_signed_in(request)
    await count_try(request, email=None, purpose="setup")
    async with access.database.engine.connect() as conn:
        if await store.any_user(conn):
            raise AlreadySetUp()
    admin, organisation = body.admin, body.organisation.model_dump()
    about = [admin.email, admin.name, organisation["name"]]
    password_hash = await checked_hash(access.vault, admin.password, about=about)
    async with own_writing(request) as tx:
        user_id = await actions.set_up(
            tx, organisation=organisation, email=admin.email, name=admin.name, password_hash=password_hash
        )
        opened = await actions.open_session(
            tx, user_id=user_id, rights_version=1, ip=address_of(request), agent=agent_of(request)
        )
    return await signed_in_answer(request, opened, status=201)


@router.post("/v1/session", response_model=Me, dependencies=[public()])
async def post_session(request: Request, body: SignIn) -> Response:
    """Sign in. Unknown people and wrong passwords get the same answer after the same work."""
    access = access_of(request)
    check_stays_signed_in(request)
    await count_try(request, email=body.email)
    async with access.database.engine.connect() as conn:
        row = await store.user_by_email(conn, email=body.email)
    stored = row.password_hash if row is not None and row.active else None
    if not await access.vault.fits(body.password, stored) or row is None:
        log.warning("sign-in refused", extra={"ip": address_of(request)})
        raise InvalidCredentials()
    async with own_writing(request, actor=Actor(id=row.id, kind="user", name=row.name)) as tx:
        opened = await actions.finish_sign_in(
            tx,
            vault=access.vault,
            user_id=row.id,
            proven_hash=row.password_hash,
            code=body.totp,
            ip=address_of(request),
            agent=agent_of(request),
        )
    return await signed_in_answer(request, opened)


@router.delete("/v1/session", status_code=204, dependencies=[oneself()])
async def delete_session(request: Request, tx: Writes, caller: CallerDep) -> Response:
    """Sign out."""
    if caller.session_id is not None:
        await actions.end_session(tx, caller=caller, session_id=caller.session_id)
    response = Response(status_code=status.HTTP_204_NO_CONTENT, headers={"Clear-Site-Data": '"cache"'})
    with_session(response, request, None)
    return response


# --- invitations -----------------------------------------------------------------------------------------------


@router.post("/v1/invitations", response_model=UserOut, status_code=201, dependencies=[needs("users:write")])
async def post_invitation(request: Request, tx: Writes, caller: CallerDep, body: InvitationIn) -> Any:
    """Invite a person by mail. Inviting again sends a new link; the old one is void."""
    organisation = await reads.get_organisation(tx.conn)
    user_id = await actions.invite(
        tx,
        caller=caller,
        user_id=tx.new_id(body.id),
        email=body.email,
        name=body.name,
        assignments=[actions.Assignment(a.role, a.location_id) for a in body.assignments],
        address=public_address(request),
        organisation=organisation["name"] if organisation else "your firm",
    )
    return await reads.get_user(tx.conn, user_id=user_id)


async def _link_hash(request: Request, *, kind: str, token: str, password: str) -> str:
    """The hash of a password chosen with a mailed link; no work is done for a link that is no good."""
    access = access_of(request)
    await count_try(request, email=None, purpose=kind)
    async with access.database.engine.connect() as conn:
        row = await store.link_owner(conn, kind=kind, token_hash=sha256(token), now=now())
        organisation = await reads.get_organisation(conn)
    if row is None:
        raise LinkSpent()
    about = [row.email, row.name, organisation["name"] if organisation else ""]
    return await checked_hash(access.vault, password, about=about)


@router.post("/v1/invitations/accept", response_model=Me, dependencies=[public()])
async def accept_invitation(request: Request, body: InvitationAccept) -> Response:
    """Choose a password with the mailed token, and be signed in."""
    check_stays_signed_in(request)
    password_hash = await _link_hash(request, kind="invitation", token=body.token, password=body.password)
    async with own_writing(request) as tx:
        await forgive(request, tx, email=None, purpose="invitation")
        opened = await actions.accept_invitation(
            tx,
            token=body.token,
            password_hash=password_hash,
            name=body.name,
            ip=address_of(request),
            agent=agent_of(request),
        )
    return await signed_in_answer(request, opened)


# --- forgotten passwords ---------------------------------------------------------------------------------------


@router.post("/v1/password-resets", status_code=202, dependencies=[public()])
async def post_reset(request: Request, body: ResetAsk) -> Response:
    """Ask for a link to a new password. The answer is the same whether or not there is such a person."""
    await count_try(request, email=body.email, purpose="reset")
    address = public_address(request)

    async def send() -> None:
        try:
            async with own_writing(request) as tx:
                await actions.send_reset(tx, email=body.email, address=address)
        except Problem:
            log.warning("a password reset could not be mailed", exc_info=True)

    return Response(status_code=status.HTTP_202_ACCEPTED, background=BackgroundTask(send))


@router.post("/v1/password-resets/accept", status_code=204, dependencies=[public()])
async def accept_reset(request: Request, body: ResetAccept) -> Response:
    """Choose a new password with the mailed token. All sessions end; sign in with the new one."""
    password_hash = await _link_hash(request, kind="password_reset", token=body.token, password=body.password)
    async with own_writing(request) as tx:
        await actions.accept_reset(tx, token=body.token, password_hash=password_hash, ip=address_of(request))
        await forgive(request, tx, email=None, purpose="password_reset")
    return Response(status_code=status.HTTP_204_NO_CONTENT)
