"""People, roles and the organisation."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response, status

from onhand.access import actions, reads
from onhand.access.api.edge import checked_hash
from onhand.access.api.shapes import (
    AssignmentIn,
    OrganisationOut,
    OrganisationPatch,
    PermissionOut,
    RoleIn,
    RoleOut,
    RolePatch,
    SessionOut,
    UserIn,
    UserOut,
    UserPatch,
)
from onhand.access.model import ORGANISATION_WIDE, PERMISSIONS, Limits, NotSetUp
from onhand.access.permit import CallerDep, access_of, needs, signed_in
from onhand.kit.clock import now
from onhand.kit.export import Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.web import LIMIT, APIRouter, Cursor, Edge, Id, IfMatch, Limit, Page, Reads, Writes, page

router = APIRouter(tags=["people"])

Q = Annotated[str | None, Query(max_length=200, description="Words to look for.")]


# --- the organisation ------------------------------------------------------------------------------------------


@router.get("/v1/organisation", response_model=OrganisationOut, dependencies=[signed_in()])
async def get_organisation(conn: Reads) -> Any:
    """The organisation this Onhand belongs to."""
    found = await reads.get_organisation(conn)
    if found is None:
        raise NotSetUp()
    return found


@router.patch("/v1/organisation", response_model=OrganisationOut, dependencies=[needs("settings:write")])
async def patch_organisation(tx: Writes, body: OrganisationPatch, version: IfMatch) -> Any:
    """Change the organisation. The currency stays once setup is done."""
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    await actions.change_organisation(tx, version=version, changes=changes)
    return await reads.get_organisation(tx.conn)


# --- people ----------------------------------------------------------------------------------------------------

_USERS = ("email", "name", "active", "invited", "totp_enabled", "last_seen_at", "assignments", "id")


def _chosen(assignments: list[AssignmentIn]) -> list[actions.Assignment]:
    return [actions.Assignment(a.role, a.location_id) for a in assignments]


@router.get("/v1/users", response_model=Page[UserOut], dependencies=[needs("users:read")])
async def list_users(
    conn: Reads,
    q: Q = None,
    active: bool | None = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
    format: Format = None,
) -> Any:
    """People by name."""

    async def fetch(limit: int, cursor: str | None) -> reads.Rows:
        return await reads.list_users(conn, q=q, active=active, limit=limit, cursor=cursor)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="users", columns=_USERS)


@router.post("/v1/users", response_model=UserOut, status_code=201, dependencies=[needs("users:write")])
async def post_user(request: Request, caller: CallerDep, body: UserIn) -> Any:
    """Add a person. With a password they can sign in at once; without, invite them."""
    password_hash = None
    if (
        body.password is not None
    ):  # hashed before the transaction opens, so that it holds no connection meanwhile
        about = [body.email, body.name]
        password_hash = await checked_hash(access_of(request).vault, body.password, about=about)
    edge: Edge = request.state.edge
    tx = await edge.writes()
    user_id = tx.new_id(body.id)
    await actions.add_user(
        tx,
        caller=caller,
        user_id=user_id,
        email=body.email,
        name=body.name,
        locale=body.locale,
        password_hash=password_hash,
        assignments=_chosen(body.assignments),
    )
    return await reads.get_user(tx.conn, user_id=user_id)


@router.get("/v1/users/{id}", response_model=UserOut, dependencies=[needs("users:read")])
async def get_user(conn: Reads, id: Id) -> Any:
    """One person."""
    found = await reads.get_user(conn, user_id=id)
    if found is None:
        raise NotFound()
    return found


@router.patch("/v1/users/{id}", response_model=UserOut, dependencies=[needs("users:write")])
async def patch_user(tx: Writes, caller: CallerDep, id: Id, body: UserPatch, version: IfMatch) -> Any:
    """Change a person. Nobody changes their own rights, or somebody who holds more than they do."""
    changes = body.model_dump(exclude_unset=True, exclude_none=True, exclude={"assignments"})
    assignments = _chosen(body.assignments) if body.assignments is not None else None
    await actions.change_user(
        tx, caller=caller, user_id=id, version=version, changes=changes, assignments=assignments
    )
    return await reads.get_user(tx.conn, user_id=id)


@router.get("/v1/users/{id}/sessions", response_model=Page[SessionOut], dependencies=[needs("users:write")])
async def list_user_sessions(request: Request, caller: CallerDep, id: Id) -> Any:
    """Somebody's open sessions; `DELETE /v1/sessions/{id}` ends one."""
    async with access_of(request).database.engine.connect() as conn:
        rows = await reads.list_sessions(conn, user_id=id, now=now())
    return page([row | {"current": row["id"] == caller.session_id} for row in rows], None)


# --- roles -----------------------------------------------------------------------------------------------------

_ROLES = ("name", "permissions", "limits.adjust_units", "limits.adjust_value", "builtin", "id")


@router.get("/v1/permissions", response_model=Page[PermissionOut], dependencies=[signed_in()])
async def list_permissions() -> Any:
    """Every permission there is."""
    rows = [
        {"name": n, "title": t, "organisation_wide": n in ORGANISATION_WIDE} for n, t in PERMISSIONS.items()
    ]
    return page(rows, None)


@router.get("/v1/roles", response_model=Page[RoleOut], dependencies=[needs("users:read")])
async def list_roles(conn: Reads, limit: Limit = LIMIT, cursor: Cursor = None, format: Format = None) -> Any:
    """Roles by name."""

    async def fetch(limit: int, cursor: str | None) -> reads.Rows:
        return await reads.list_roles(conn, limit=limit, cursor=cursor)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="roles", columns=_ROLES)


@router.post("/v1/roles", response_model=RoleOut, status_code=201, dependencies=[needs("roles:write")])
async def post_role(tx: Writes, caller: CallerDep, body: RoleIn) -> Any:
    """Make a role of one's own; nobody can put into it what they lack."""
    role_id = tx.new_id(body.id)
    limits = Limits(adjust_units=body.limits.adjust_units, adjust_value=body.limits.adjust_value)
    await actions.add_role(
        tx, caller=caller, role_id=role_id, name=body.name, permissions=body.permissions, limits=limits
    )
    return await reads.get_role(tx.conn, role_id=role_id)


@router.patch("/v1/roles/{id}", response_model=RoleOut, dependencies=[needs("roles:write")])
async def patch_role(tx: Writes, caller: CallerDep, id: Id, body: RolePatch, version: IfMatch) -> Any:
    """Change a role for everybody who has it; of a built-in one only the limits."""
    limits = body.limits.model_dump(exclude_unset=True) if body.limits is not None else None
    await actions.change_role(
        tx,
        caller=caller,
        role_id=id,
        version=version,
        name=body.name,
        permissions=body.permissions,
        limits=limits,
    )
    return await reads.get_role(tx.conn, role_id=id)


@router.delete("/v1/roles/{id}", status_code=204, dependencies=[needs("roles:write")])
async def delete_role(tx: Writes, caller: CallerDep, id: Id) -> Response:
    """Remove a role nobody has."""
    await actions.remove_role(tx, caller=caller, role_id=id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
