"""Read-side SQL of access: loading callers, and the lists of its screens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.access.model import ADMIN, SESSION_IDLE, Caller, Grant, Limits, Scope
from onhand.access.tables import api_key, app_user, assignment, audit, organisation, role, saved_view, session
from onhand.kit.ids import first_id_at
from onhand.kit.paging import after, cut

ScopeResolver = Callable[[AsyncConnection, Collection[UUID]], Awaitable[Collection[UUID]]]
"""Given location ids, the sites they belong to or contain; unknown ids add nothing."""

ROTATION_GRACE = timedelta(seconds=60)
"""How long a session's former token still works: requests under way when it was replaced."""

Rows = tuple[list[dict[str, Any]], str | None]


def visible(column: sa.ColumnElement[UUID], scope: Scope) -> sa.ColumnElement[bool]:
    """The WHERE clause for `caller.sites(permission)`: which rows of a site this caller may see."""
    if scope is None:
        return sa.true()
    return column == sa.func.any(sa.cast(sorted(scope), pg.ARRAY(sa.Uuid)))


# --- callers ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loaded:
    """A caller as just read, and whether their session should get a new token."""

    caller: Caller
    rotate: bool = False


async def load_session(
    conn: AsyncConnection,
    *,
    token_hash: bytes,
    now: datetime,
    resolve: ScopeResolver,
    admin_totp: frozenset[str],
) -> Loaded | None:
    """Who a session token belongs to, or None when it is unknown, ended, idle too long or too old.

    `admin_totp` names the roles whose holders must have a second factor.
    """
    former = sa.and_(session.c.previous_hash == token_hash, session.c.rotated_at > now - ROTATION_GRACE)
    which = sa.or_(session.c.token_hash == token_hash, former)
    return await _load_session(
        conn, which, token_hash=token_hash, now=now, resolve=resolve, admin_totp=admin_totp
    )


async def load_session_by_id(
    conn: AsyncConnection,
    *,
    session_id: UUID | None,
    now: datetime,
    resolve: ScopeResolver,
    admin_totp: frozenset[str],
) -> Loaded | None:
    """The same for a session already known."""
    which = session.c.id == session_id
    return await _load_session(conn, which, token_hash=b"", now=now, resolve=resolve, admin_totp=admin_totp)


async def _load_session(
    conn: AsyncConnection,
    which: sa.ColumnElement[bool],
    *,
    token_hash: bytes,
    now: datetime,
    resolve: ScopeResolver,
    admin_totp: frozenset[str],
) -> Loaded | None:
    statement = (
        sa.select(
            session.c.id.label("session_id"),
            session.c.token_hash,
            session.c.expires_at,
            session.c.rights_version,
        )
        .add_columns(
            app_user.c.id, app_user.c.email, app_user.c.name, app_user.c.locale, app_user.c.totp_confirmed_at
        )
        .add_columns(app_user.c.rights_version.label("present_rights"))
        .join(app_user, app_user.c.id == session.c.user_id)
        .where(
            which,
            session.c.ended_at.is_(None),
            session.c.expires_at > now,
            session.c.seen_at > now - SESSION_IDLE,
            app_user.c.active,
        )
    )
    row = (await conn.execute(statement)).one_or_none()
    if row is None:
        return None
    roles, grants = await user_grants(conn, user_id=row.id, resolve=resolve)
    caller = Caller(
        id=row.id,
        kind="user",
        name=row.name,
        email=row.email,
        locale=row.locale,
        roles=roles,
        grants=grants,
        session_id=row.session_id,
        expires_at=row.expires_at,
        totp_enabled=row.totp_confirmed_at is not None,
        totp_required=bool(admin_totp & set(roles)),
    )
    rotate = row.rights_version != row.present_rights and bytes(row.token_hash) == token_hash
    return Loaded(caller, rotate=rotate)


async def user_grants(
    conn: AsyncConnection, *, user_id: UUID, resolve: ScopeResolver
) -> tuple[tuple[str, ...], tuple[Grant, ...]]:
    """A person's role names, and what each allows where: one grant a role and reach."""
    statement = (
        sa.select(role.c.name, role.c.permissions, role.c.adjust_units, role.c.adjust_value)
        .add_columns(sa.func.array_agg(assignment.c.location_id).label("locations"))
        .join(assignment, assignment.c.role_id == role.c.id)
        .where(assignment.c.user_id == user_id)
        .group_by(role.c.id)
        .order_by(role.c.name)
    )
    rows = (await conn.execute(statement)).all()
    grants = []
    for row in rows:
        scope = await resolve_scope(conn, locations=row.locations, resolve=resolve)
        limits = Limits(adjust_units=row.adjust_units, adjust_value=row.adjust_value)
        grants.append(Grant(frozenset(row.permissions), scope, limits))
    return tuple(row.name for row in rows), tuple(grants)


async def resolve_scope(
    conn: AsyncConnection, *, locations: Sequence[UUID | None] | None, resolve: ScopeResolver
) -> Scope:
    """Sites of some locations; None among them (or instead of them) means everywhere."""
    if locations is None or None in locations:
        return None
    wanted = frozenset(i for i in locations if i is not None)
    return frozenset(await resolve(conn, wanted)) if wanted else frozenset()


@dataclass(frozen=True, slots=True)
class LoadedKey:
    """An API key as just read: its caller, and the hash its secret must have."""

    caller: Caller
    secret_hash: bytes


async def load_key(
    conn: AsyncConnection, *, public_id: str, now: datetime, resolve: ScopeResolver
) -> LoadedKey | None:
    """The key of this public id, or None when unknown, revoked or expired."""
    return await _load_key(conn, api_key.c.public_id == public_id, now=now, resolve=resolve)


async def load_key_by_id(
    conn: AsyncConnection, *, key_id: UUID, now: datetime, resolve: ScopeResolver
) -> LoadedKey | None:
    """The same for a key already known."""
    return await _load_key(conn, api_key.c.id == key_id, now=now, resolve=resolve)


async def _load_key(
    conn: AsyncConnection, which: sa.ColumnElement[bool], *, now: datetime, resolve: ScopeResolver
) -> LoadedKey | None:
    live = sa.and_(which, api_key.c.revoked_at.is_(None), api_key.c.expires_at > now)
    row = (await conn.execute(sa.select(api_key).where(live))).one_or_none()
    if row is None:
        return None
    scope = await resolve_scope(conn, locations=row.location_ids, resolve=resolve)
    limits = Limits(adjust_units=row.adjust_units, adjust_value=row.adjust_value)
    caller = Caller(
        id=row.id,
        kind="key",
        name=row.name,
        grants=(Grant(frozenset(row.scopes), scope, limits),),
        expires_at=row.expires_at,
    )
    return LoadedKey(caller, bytes(row.secret_hash))


def roles_needing_totp(*, require_admin_totp: bool) -> frozenset[str]:
    """The roles whose holders must have a second factor."""
    return frozenset({ADMIN}) if require_admin_totp else frozenset()


# --- screens ---------------------------------------------------------------------------------------------------


async def get_organisation(conn: AsyncConnection) -> dict[str, Any] | None:
    """The organisation, or None before the first run."""
    row = (await conn.execute(sa.select(organisation))).mappings().one_or_none()
    if row is None:
        return None
    names = ("id", "name", "currency", "locale", "time_zone", "setup_done", "version")
    return {name: row[name] for name in names}


_ASSIGNED = (
    sa.select(
        sa.func.coalesce(
            sa.func.jsonb_agg(
                pg.aggregate_order_by(
                    sa.func.jsonb_build_object("role", role.c.name, "location_id", assignment.c.location_id),
                    role.c.name,
                )
            ),
            sa.text("'[]'::jsonb"),
        )
    )
    .select_from(assignment.join(role, role.c.id == assignment.c.role_id))
    .where(assignment.c.user_id == app_user.c.id)
    .scalar_subquery()
)
_USER = (
    sa.select(app_user.c.id, app_user.c.email, app_user.c.name, app_user.c.locale, app_user.c.active)
    .add_columns(app_user.c.last_seen_at, app_user.c.version, app_user.c.created_at)
    .add_columns(app_user.c.totp_confirmed_at.is_not(None).label("totp_enabled"))
    .add_columns(app_user.c.password_hash.is_(None).label("invited"), _ASSIGNED.label("assignments"))
)


async def get_user(conn: AsyncConnection, *, user_id: UUID) -> dict[str, Any] | None:
    """One person with their assignments."""
    row = (await conn.execute(_USER.where(app_user.c.id == user_id))).mappings().one_or_none()
    return dict(row) if row else None


async def list_users(
    conn: AsyncConnection, *, q: str | None, active: bool | None, limit: int, cursor: str | None
) -> Rows:
    """People by name."""
    statement = _USER.where(after([app_user.c.name, app_user.c.id], cursor))
    if q:
        pattern = like(q)
        statement = statement.where(app_user.c.name.ilike(pattern) | app_user.c.email.ilike(pattern))
    if active is not None:
        statement = statement.where(app_user.c.active == active)
    statement = statement.order_by(app_user.c.name, app_user.c.id).limit(limit + 1)
    rows = [dict(r) for r in (await conn.execute(statement)).mappings()]
    return cut(rows, limit, ["name", "id"])


def like(q: str) -> str:
    """A LIKE pattern that finds the text anywhere, its own wildcards taken literally."""
    escaped = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


async def list_roles(conn: AsyncConnection, *, limit: int, cursor: str | None) -> Rows:
    """Roles by name, the built-in ones too."""
    statement = (
        sa.select(role).where(after([role.c.name, role.c.id], cursor)).order_by(role.c.name, role.c.id)
    )
    rows = [role_shape(r) for r in (await conn.execute(statement.limit(limit + 1))).mappings()]
    return cut(rows, limit, ["name", "id"])


async def get_role(conn: AsyncConnection, *, role_id: UUID) -> dict[str, Any] | None:
    """One role."""
    row = (await conn.execute(sa.select(role).where(role.c.id == role_id))).mappings().one_or_none()
    return role_shape(row) if row else None


def role_shape(row: sa.RowMapping) -> dict[str, Any]:
    """A role as the API shows it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "permissions": sorted(row["permissions"]),
        "limits": limits_shape(Limits(row["adjust_units"], row["adjust_value"])),
        "builtin": row["builtin"],
        "version": row["version"],
    }


def limits_shape(limits: Limits) -> dict[str, str | None]:
    """Limits as decimal strings."""
    return {"adjust_units": _text(limits.adjust_units), "adjust_value": _text(limits.adjust_value)}


def _text(number: Decimal | None) -> str | None:
    if number is None:
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def key_shape(row: sa.RowMapping) -> dict[str, Any]:
    """An API key as the API shows it: never its secret."""
    names = ("id", "name", "location_ids", "expires_at", "last_used_at", "revoked_at", "created_at")
    limits = limits_shape(Limits(row["adjust_units"], row["adjust_value"]))
    prefix = f"onh_live_{row['public_id']}"
    return {n: row[n] for n in names} | {"scopes": sorted(row["scopes"]), "prefix": prefix, "limits": limits}


async def list_keys(conn: AsyncConnection, *, limit: int, cursor: str | None) -> Rows:
    """API keys, newest first."""
    statement = (
        sa.select(api_key).where(after([api_key.c.id], cursor, descending=True)).order_by(api_key.c.id.desc())
    )
    rows = [key_shape(r) for r in (await conn.execute(statement.limit(limit + 1))).mappings()]
    return cut(rows, limit, ["id"])


async def get_key(conn: AsyncConnection, *, key_id: UUID) -> dict[str, Any] | None:
    """One API key."""
    row = (await conn.execute(sa.select(api_key).where(api_key.c.id == key_id))).mappings().one_or_none()
    return key_shape(row) if row else None


async def list_sessions(conn: AsyncConnection, *, user_id: UUID, now: datetime) -> list[dict[str, Any]]:
    """A person's open sessions, latest first."""
    statement = (
        sa.select(session.c.id, session.c.created_at, session.c.seen_at, session.c.expires_at)
        .add_columns(session.c.ip, session.c.user_agent)
        .where(session.c.user_id == user_id, session.c.ended_at.is_(None), session.c.expires_at > now)
        .where(session.c.seen_at > now - SESSION_IDLE)
        .order_by(session.c.seen_at.desc())
        .limit(200)
    )
    return [dict(r) for r in (await conn.execute(statement)).mappings()]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What to look for in the audit log."""

    entity: str | None = None
    entity_id: str | None = None
    actor: UUID | None = None
    action: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    q: str | None = None


async def list_audit(conn: AsyncConnection, *, wanted: AuditFilter, limit: int, cursor: str | None) -> Rows:
    """Audit rows, latest first. A thing's rows include those where it changed along with another."""
    statement = sa.select(audit).where(after([audit.c.id], cursor, descending=True), *_audit_where(wanted))
    statement = statement.order_by(audit.c.id.desc()).limit(limit + 1)
    rows = [
        {
            "id": r["id"],
            "at": r["at"],
            "actor": {"id": r["actor_id"], "kind": r["actor_kind"], "name": r["actor_name"]},
            **{n: r[n] for n in ("action", "entity", "entity_id", "request", "request_id", "ip", "changes")},
        }
        for r in (await conn.execute(statement)).mappings()
    ]
    return cut(rows, limit, ["id"])


def _audit_where(wanted: AuditFilter) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if wanted.entity is not None and wanted.entity_id is not None:
        main = sa.and_(audit.c.entity == wanted.entity, audit.c.entity_id == wanted.entity_id)
        where.append(sa.or_(main, audit.c.touched.contains([f"{wanted.entity}:{wanted.entity_id}"])))
    elif wanted.entity is not None:
        where.append(audit.c.entity == wanted.entity)
    elif wanted.entity_id is not None:
        where.append(audit.c.entity_id == wanted.entity_id)
    if wanted.actor is not None:
        where.append(audit.c.actor_id == wanted.actor)
    if wanted.action is not None:
        where.append(audit.c.action == wanted.action)
    if wanted.after is not None:  # ids are time-ordered and made after `at`, so the key bounds the scan
        where += [
            audit.c.at > wanted.after,
            audit.c.id >= first_id_at(max(int(wanted.after.timestamp() * 1000), 0)),
        ]
    if wanted.before is not None:
        where.append(audit.c.at < wanted.before)
    if wanted.q:
        where.append(audit.c.actor_name.ilike(like(wanted.q)) | audit.c.action.ilike(like(wanted.q)))
    return where


async def list_views(
    conn: AsyncConnection, *, owner: UUID, page: str | None, limit: int, cursor: str | None
) -> Rows:
    """One's own saved views and those others share, by name."""
    mine = (saved_view.c.owner == owner).label("mine")
    statement = sa.select(saved_view, mine).where(
        sa.or_(saved_view.c.owner == owner, saved_view.c.shared),
        after([saved_view.c.name, saved_view.c.id], cursor),
    )
    if page is not None:
        statement = statement.where(saved_view.c.page == page)
    statement = statement.order_by(saved_view.c.name, saved_view.c.id).limit(limit + 1)
    rows = [view_shape(r) for r in (await conn.execute(statement)).mappings()]
    return cut(rows, limit, ["name", "id"])


def view_shape(row: sa.RowMapping) -> dict[str, Any]:
    """A saved view as the API shows it."""
    return {n: row[n] for n in ("id", "page", "name", "query", "shared", "mine")}
