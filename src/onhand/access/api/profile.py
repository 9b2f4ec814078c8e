"""One's own account: who am I, name, password, second factor, sessions, saved views."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response, status

from onhand.access import actions, reads, store
from onhand.access.api.edge import about_me, checked_hash, count_try, forgive, own_writing
from onhand.access.api.shapes import CodeIn, Me, MePatch, PasswordChange, SessionOut, TotpOut, ViewIn, ViewOut
from onhand.access.model import Caller, InvalidCredentials, SessionNeeded
from onhand.access.permit import CallerDep, access_of, oneself, signed_in
from onhand.kit.clock import now
from onhand.kit.export import Format, listing
from onhand.kit.web import LIMIT, APIRouter, Cursor, Id, Limit, Page, Reads, Writes, page

router = APIRouter(tags=["profile"])


def _person(caller: Caller) -> Caller:
    if caller.kind != "user":
        raise SessionNeeded()
    return caller


@router.get("/v1/me", response_model=Me, dependencies=[oneself()])
async def get_me(conn: Reads, caller: CallerDep) -> Any:
    """Who the caller is, and what they may do where."""
    return await about_me(conn, caller)


@router.patch("/v1/me", response_model=Me, dependencies=[oneself()])
async def patch_me(request: Request, tx: Writes, caller: CallerDep, body: MePatch) -> Any:
    """Change one's own name or language."""
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    await actions.change_profile(tx, caller=_person(caller), changes=changes)
    return {**await about_me(tx.conn, caller), **changes}


@router.post("/v1/me/password", status_code=204, dependencies=[oneself()])
async def post_password(request: Request, caller: CallerDep, body: PasswordChange) -> Response:
    """Change one's own password. All other sessions end."""
    access = access_of(request)
    await count_try(request, email=_person(caller).email or "", purpose="password")
    async with access.database.engine.connect() as conn:
        row = await store.user_by_email(conn, email=caller.email or "")
        organisation = await reads.get_organisation(conn)
    if row is None or not await access.vault.fits(body.old, row.password_hash):
        raise InvalidCredentials("The old password does not fit.", param="old")
    about = [row.email, row.name, organisation["name"] if organisation else ""]
    password_hash = await checked_hash(access.vault, body.new, about=about)
    async with own_writing(request) as tx:
        await actions.change_password(
            tx, caller=caller, proven_hash=row.password_hash, password_hash=password_hash
        )
    return Response(status_code=status.HTTP_204_NO_CONTENT)


# --- second factor ---------------------------------------------------------------------------------------------


@router.post("/v1/me/totp", response_model=TotpOut, status_code=201, dependencies=[oneself()])
async def post_totp(request: Request, tx: Writes, caller: CallerDep) -> Any:
    """Start a second factor: scan the address, keep the recovery codes, then confirm with a first code."""
    organisation = await reads.get_organisation(tx.conn)
    issuer = f"Onhand {organisation['name']}" if organisation else "Onhand"
    started = await actions.start_totp(
        tx, caller=caller, vault=access_of(request).vault, issuer=issuer.replace(":", " ")
    )
    return {"secret": started.secret, "otpauth_uri": started.uri, "recovery_codes": started.recovery_codes}


@router.post("/v1/me/totp/confirm", status_code=204, dependencies=[oneself()])
async def confirm_totp(request: Request, caller: CallerDep, body: CodeIn) -> Response:
    """Switch the second factor on with a first code."""
    await count_try(request, email=_person(caller).email or "", purpose="totp")
    async with own_writing(request) as tx:
        await forgive(request, tx, email=caller.email, purpose="totp")
        await actions.confirm_totp(tx, caller=caller, vault=access_of(request).vault, code=body.code)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.delete("/v1/me/totp", status_code=204, dependencies=[oneself()])
async def delete_totp(request: Request, caller: CallerDep, body: CodeIn) -> Response:
    """Switch the second factor off; takes a code, or a recovery code."""
    await count_try(request, email=_person(caller).email or "", purpose="totp")
    async with own_writing(request) as tx:
        await forgive(request, tx, email=caller.email, purpose="totp")
        await actions.stop_totp(tx, caller=caller, vault=access_of(request).vault, code=body.code)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


# --- sessions --------------------------------------------------------------------------------------------------


@router.get("/v1/me/sessions", response_model=Page[SessionOut], dependencies=[oneself()])
async def list_sessions(request: Request, caller: CallerDep) -> Any:
    """One's own open sessions."""
    async with access_of(request).database.engine.connect() as conn:
        rows = await reads.list_sessions(conn, user_id=_person(caller).id, now=now())
    return page([row | {"current": row["id"] == caller.session_id} for row in rows], None)


@router.delete("/v1/sessions/{id}", status_code=204, dependencies=[oneself()])
async def kill_session(tx: Writes, caller: CallerDep, id: Id) -> Response:
    """End a session: one's own, or with `users:write` somebody else's. It takes effect within seconds, streams included."""
    await actions.end_session(tx, caller=caller, session_id=id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


# --- saved views -----------------------------------------------------------------------------------------------

_VIEWS = ("page", "name", "query", "shared", "mine", "id")


@router.get("/v1/views", response_model=Page[ViewOut], dependencies=[signed_in()])
async def list_views(
    conn: Reads,
    caller: CallerDep,
    page: Annotated[str | None, Query(max_length=100, description="The page whose views are wanted.")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
    format: Format = None,
) -> Any:
    """One's own saved views, and those colleagues share."""

    async def fetch(limit: int, cursor: str | None) -> reads.Rows:
        return await reads.list_views(conn, owner=caller.id, page=page, limit=limit, cursor=cursor)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="views", columns=_VIEWS)


@router.post("/v1/views", response_model=ViewOut, status_code=201, dependencies=[signed_in()])
async def post_view(tx: Writes, caller: CallerDep, body: ViewIn) -> Any:
    """Save a view; the same name on the same page replaces one's former."""
    values = body.model_dump(exclude={"id"})
    kept = await actions.save_view(tx, caller=caller, view_id=tx.new_id(body.id), values=values)
    return {"id": kept, "mine": True, **values}


@router.delete("/v1/views/{id}", status_code=204, dependencies=[signed_in()])
async def delete_view(tx: Writes, caller: CallerDep, id: Id) -> Response:
    """Remove one's own saved view."""
    await actions.delete_view(tx, caller=caller, view_id=id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
