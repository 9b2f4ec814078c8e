"""Write-side SQL of access, and rows ⇄ model types."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.access.model import ADMIN, BUILTIN_ROLES, AuditEntry, Tries, builtin_role_id
from onhand.access.tables import (
    api_key,
    app_user,
    assignment,
    audit,
    mailed_link,
    organisation,
    recovery_code,
    role,
    saved_view,
    session,
    sign_in_tries,
)
from onhand.kit.ids import uuid7

_SETUP_LOCK, _ADMIN_LOCK = 0x6F6E68616E01, 0x6F6E68616E02

AnyRow = Row[Any]


# --- organisation and first run --------------------------------------------------------------------------------


async def lock_setup(conn: AsyncConnection) -> None:
    """One first run at a time, until the transaction ends."""
    await conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SETUP_LOCK})


async def any_user(conn: AsyncConnection) -> bool:
    """Does anybody exist who could sign in?"""
    return bool((await conn.execute(sa.select(sa.exists().select_from(app_user)))).scalar())


async def lock_organisation(conn: AsyncConnection) -> AnyRow | None:
    """The organisation's record, locked."""
    return (await conn.execute(sa.select(organisation).with_for_update())).one_or_none()


async def save_organisation(conn: AsyncConnection, *, values: dict[str, Any]) -> None:
    """Make or change the one organisation; each change raises its version."""
    if "name" in values and "currency" in values:
        statement = insert(organisation).values(id=uuid7(), **values)
        again = statement.on_conflict_do_update(
            index_elements=["one"], set_={**values, "version": organisation.c.version + 1}
        )
        await conn.execute(again)
    else:
        await conn.execute(sa.update(organisation).values(**values, version=organisation.c.version + 1))


async def ensure_builtin_roles(conn: AsyncConnection) -> None:
    """Make the built-in roles, or bring their permissions up to this version's."""
    for name, permissions in BUILTIN_ROLES.items():
        row = {"name": name, "permissions": sorted(permissions), "builtin": True}
        statement = insert(role).values(id=builtin_role_id(name), **row)
        changed = role.c.permissions != statement.excluded.permissions
        await conn.execute(
            statement.on_conflict_do_update(
                index_elements=["id"], set_={"permissions": row["permissions"]}, where=changed
            )
        )


# --- people ----------------------------------------------------------------------------------------------------


async def insert_user(conn: AsyncConnection, *, values: dict[str, Any]) -> bool:
    """Add a person; False when the email address is taken."""
    statement = insert(app_user).values(**values).on_conflict_do_nothing(index_elements=["email"])
    return (await conn.execute(statement.returning(app_user.c.id))).one_or_none() is not None


async def lock_user(conn: AsyncConnection, *, user_id: UUID) -> AnyRow | None:
    """A person's row, locked."""
    found = await conn.execute(sa.select(app_user).where(app_user.c.id == user_id).with_for_update())
    return found.one_or_none()


async def user_by_email(conn: AsyncConnection, *, email: str) -> AnyRow | None:
    """A person by email address (any case)."""
    return (await conn.execute(sa.select(app_user).where(app_user.c.email == email.lower()))).one_or_none()


async def email_taken(conn: AsyncConnection, *, email: str, by_other_than: UUID) -> bool:
    """Does somebody else have this address?"""
    found = sa.exists().where(app_user.c.email == email.lower(), app_user.c.id != by_other_than)
    return bool((await conn.execute(sa.select(found))).scalar())


async def update_user(conn: AsyncConnection, *, user_id: UUID, values: dict[str, Any]) -> None:
    """Change a person; raises the version."""
    statement = sa.update(app_user).where(app_user.c.id == user_id)
    await conn.execute(statement.values(**values, version=app_user.c.version + 1))


async def update_seen(conn: AsyncConnection, *, user_id: UUID, now: datetime) -> None:
    """Note that a person was here."""
    await conn.execute(sa.update(app_user).where(app_user.c.id == user_id).values(last_seen_at=now))


async def link_owner(conn: AsyncConnection, *, kind: str, token_hash: bytes, now: datetime) -> AnyRow | None:
    """The person a still good link was mailed to, without using it up."""
    statement = sa.select(app_user).join(mailed_link, mailed_link.c.user_id == app_user.c.id)
    which = sa.and_(
        mailed_link.c.kind == kind,
        mailed_link.c.token_hash == token_hash,
        mailed_link.c.used_at.is_(None),
        mailed_link.c.expires_at > now,
        app_user.c.active,
    )
    return (await conn.execute(statement.where(which))).one_or_none()


async def bump_rights(conn: AsyncConnection, *, user_ids: Sequence[UUID]) -> None:
    """Rights changed: each open session of these people gets a new token at its next request."""
    statement = sa.update(app_user).where(app_user.c.id.in_(user_ids))
    await conn.execute(statement.values(rights_version=app_user.c.rights_version + 1))


async def spend_totp_step(conn: AsyncConnection, *, user_id: UUID, step: int) -> bool:
    """Mark a code as used; False when it (or a later one) was used meanwhile."""
    fresh = sa.or_(app_user.c.totp_last_step.is_(None), app_user.c.totp_last_step < step)
    statement = sa.update(app_user).where(app_user.c.id == user_id, fresh).values(totp_last_step=step)
    return (await conn.execute(statement)).rowcount == 1


async def replace_recovery_codes(conn: AsyncConnection, *, user_id: UUID, hashes: Sequence[bytes]) -> None:
    """Forget the old recovery codes and keep these."""
    await conn.execute(sa.delete(recovery_code).where(recovery_code.c.user_id == user_id))
    if hashes:
        await conn.execute(sa.insert(recovery_code), [{"user_id": user_id, "code_hash": h} for h in hashes])


async def spend_recovery_code(
    conn: AsyncConnection, *, user_id: UUID, code_hash: bytes, now: datetime
) -> bool:
    """Use up a recovery code; False when there is no such unused one."""
    which = sa.and_(
        recovery_code.c.user_id == user_id,
        recovery_code.c.code_hash == code_hash,
        recovery_code.c.used_at.is_(None),
    )
    return (await conn.execute(sa.update(recovery_code).where(which).values(used_at=now))).rowcount == 1


# --- roles and assignments -------------------------------------------------------------------------------------


async def lock_admins(conn: AsyncConnection) -> None:
    """One change of admins at a time, so that two cannot remove each other."""
    await conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADMIN_LOCK})


async def count_admins(conn: AsyncConnection) -> int:
    """Active people who are admin everywhere and can sign in."""
    statement = (
        sa.select(sa.func.count(sa.distinct(app_user.c.id)))
        .join(assignment, assignment.c.user_id == app_user.c.id)
        .where(
            assignment.c.role_id == builtin_role_id(ADMIN),
            assignment.c.location_id.is_(None),
            app_user.c.active,
            app_user.c.password_hash.is_not(None),
        )
    )
    return int((await conn.execute(statement)).scalar_one())


async def assignments_of(conn: AsyncConnection, *, user_id: UUID) -> list[AnyRow]:
    """A person's (role, location_id) with each role's permissions and limits."""
    statement = (
        sa.select(
            role.c.name.label("role"),
            role.c.permissions,
            role.c.adjust_units,
            role.c.adjust_value,
            assignment.c.location_id,
        )
        .join(role, role.c.id == assignment.c.role_id)
        .where(assignment.c.user_id == user_id)
        .order_by(role.c.name, assignment.c.location_id)
    )
    return list(await conn.execute(statement))


async def replace_assignments(
    conn: AsyncConnection, *, user_id: UUID, chosen: Sequence[tuple[UUID, UUID | None]]
) -> None:
    """Give a person exactly these (role id, location id or None for everywhere)."""
    await conn.execute(sa.delete(assignment).where(assignment.c.user_id == user_id))
    rows = [
        {"id": uuid7(), "user_id": user_id, "role_id": role_id, "location_id": location_id}
        for role_id, location_id in dict.fromkeys(chosen)
    ]
    if rows:
        await conn.execute(sa.insert(assignment), rows)


async def roles_by_name(conn: AsyncConnection, *, names: Sequence[str]) -> dict[str, AnyRow]:
    """The roles of these names, kept from changing until the transaction ends."""
    found = await conn.execute(
        sa.select(role).where(role.c.name.in_(names)).order_by(role.c.id).with_for_update(read=True)
    )
    return {row.name: row for row in found}


async def lock_role(conn: AsyncConnection, *, role_id: UUID) -> AnyRow | None:
    """A role, locked."""
    return (await conn.execute(sa.select(role).where(role.c.id == role_id).with_for_update())).one_or_none()


async def insert_role(conn: AsyncConnection, *, values: dict[str, Any]) -> bool:
    """Add a role; False when the name is taken."""
    statement = insert(role).values(**values).on_conflict_do_nothing(index_elements=["name"])
    return (await conn.execute(statement.returning(role.c.id))).one_or_none() is not None


async def role_name_taken(conn: AsyncConnection, *, name: str, by_other_than: UUID) -> bool:
    """Does another role have this name?"""
    found = sa.exists().where(role.c.name == name, role.c.id != by_other_than)
    return bool((await conn.execute(sa.select(found))).scalar())


async def update_role(conn: AsyncConnection, *, role_id: UUID, values: dict[str, Any]) -> None:
    """Change a role; raises its version."""
    await conn.execute(
        sa.update(role).where(role.c.id == role_id).values(**values, version=role.c.version + 1)
    )


async def delete_role(conn: AsyncConnection, *, role_id: UUID) -> None:
    """Remove a role nobody has."""
    await conn.execute(sa.delete(role).where(role.c.id == role_id))


async def role_holders(conn: AsyncConnection, *, role_id: UUID) -> list[tuple[UUID, UUID | None]]:
    """Who has a role where: (user id, location id or None)."""
    found = await conn.execute(
        sa.select(assignment.c.user_id, assignment.c.location_id).where(assignment.c.role_id == role_id)
    )
    return [(row.user_id, row.location_id) for row in found]


# --- sessions and links ----------------------------------------------------------------------------------------


async def insert_session(conn: AsyncConnection, *, values: dict[str, Any]) -> None:
    """Open a session."""
    await conn.execute(sa.insert(session).values(**values))


async def end_session(conn: AsyncConnection, *, session_id: UUID, user_id: UUID, now: datetime) -> bool:
    """End one open session of a person; False when there is none."""
    which = sa.and_(session.c.id == session_id, session.c.user_id == user_id, session.c.ended_at.is_(None))
    return (await conn.execute(sa.update(session).where(which).values(ended_at=now))).rowcount == 1


async def end_sessions(
    conn: AsyncConnection, *, user_id: UUID, now: datetime, keep: UUID | None = None
) -> int:
    """End all open sessions of a person, but perhaps one; returns how many."""
    which = sa.and_(session.c.user_id == user_id, session.c.ended_at.is_(None))
    if keep is not None:
        which = sa.and_(which, session.c.id != keep)
    return (await conn.execute(sa.update(session).where(which).values(ended_at=now))).rowcount


async def session_owner(conn: AsyncConnection, *, session_id: UUID) -> UUID | None:
    """Whose session it is."""
    return (await conn.execute(sa.select(session.c.user_id).where(session.c.id == session_id))).scalar()


async def rotate_session(
    conn: AsyncConnection, *, session_id: UUID, old_hash: bytes, new_hash: bytes, now: datetime
) -> bool:
    """Give a session a new token, once; the old one stays good for moments (requests under way). False: somebody else did."""
    fresh = sa.select(app_user.c.rights_version).where(app_user.c.id == session.c.user_id).scalar_subquery()
    statement = (
        sa.update(session)
        .where(session.c.id == session_id, session.c.token_hash == old_hash, session.c.ended_at.is_(None))
        .values(token_hash=new_hash, previous_hash=old_hash, rotated_at=now, rights_version=fresh)
    )
    return (await conn.execute(statement)).rowcount == 1


async def insert_link(conn: AsyncConnection, *, values: dict[str, Any]) -> None:
    """Remember a mailed link by its hash; older unused ones of the same kind are void."""
    older = sa.and_(
        mailed_link.c.user_id == values["user_id"],
        mailed_link.c.kind == values["kind"],
        mailed_link.c.used_at.is_(None),
    )
    await conn.execute(sa.update(mailed_link).where(older).values(used_at=sa.func.clock_timestamp()))
    await conn.execute(sa.insert(mailed_link).values(**values))


async def spend_link(conn: AsyncConnection, *, kind: str, token_hash: bytes, now: datetime) -> UUID | None:
    """Use up a link; whose it was, or None when unknown, used or too old."""
    which = sa.and_(
        mailed_link.c.kind == kind,
        mailed_link.c.token_hash == token_hash,
        mailed_link.c.used_at.is_(None),
        mailed_link.c.expires_at > now,
    )
    found = await conn.execute(
        sa.update(mailed_link).where(which).values(used_at=now).returning(mailed_link.c.user_id)
    )
    row = found.one_or_none()
    return row.user_id if row is not None else None


# --- wrong tries -----------------------------------------------------------------------------------------------


async def lock_tries(conn: AsyncConnection, *, keys: Sequence[bytes], now: datetime) -> dict[bytes, Tries]:
    """What is remembered under these keys; all of them locked (made first where missing), in one order."""
    rows = [{"key": k, "failures": 0, "last_at": now, "wait_until": now} for k in sorted(set(keys))]
    await conn.execute(insert(sign_in_tries).on_conflict_do_nothing(), rows)
    found = await conn.execute(
        sa.select(sign_in_tries)
        .where(sign_in_tries.c.key.in_(list(keys)))
        .order_by(sign_in_tries.c.key)
        .with_for_update()
    )
    return {
        bytes(r.key): Tries(failures=r.failures, last_at=r.last_at, wait_until=r.wait_until) for r in found
    }


async def save_tries(conn: AsyncConnection, *, key: bytes, tries: Tries) -> None:
    """Write one count back."""
    statement = sa.update(sign_in_tries).where(sign_in_tries.c.key == key)
    await conn.execute(
        statement.values(failures=tries.failures, last_at=tries.last_at, wait_until=tries.wait_until)
    )


async def forgive(conn: AsyncConnection, *, keys: Sequence[bytes]) -> None:
    """Forget wrong tries: a right one came."""
    await conn.execute(sa.delete(sign_in_tries).where(sign_in_tries.c.key.in_(list(keys))))


async def take_back(conn: AsyncConnection, *, keys: Sequence[bytes]) -> None:
    """Uncount one try: it was a right one."""
    statement = sa.update(sign_in_tries).where(sign_in_tries.c.key.in_(list(keys)))
    fewer = sa.func.greatest(sign_in_tries.c.failures - 1, 0)
    await conn.execute(statement.values(failures=fewer, wait_until=sign_in_tries.c.last_at))


# --- API keys, views, audit ------------------------------------------------------------------------------------


async def insert_key(conn: AsyncConnection, *, values: dict[str, Any]) -> None:
    """Keep a key's description and the hash of its secret."""
    await conn.execute(sa.insert(api_key).values(**values))


async def lock_key(conn: AsyncConnection, *, key_id: UUID) -> AnyRow | None:
    """A key, locked."""
    return (
        await conn.execute(sa.select(api_key).where(api_key.c.id == key_id).with_for_update())
    ).one_or_none()


async def revoke_key(conn: AsyncConnection, *, key_id: UUID, now: datetime) -> None:
    """End a key for good."""
    await conn.execute(sa.update(api_key).where(api_key.c.id == key_id).values(revoked_at=now))


async def insert_view(conn: AsyncConnection, *, values: dict[str, Any]) -> UUID:
    """Keep a saved view; one of the same owner, page and name is replaced. Returns the id it has."""
    statement = insert(saved_view).values(**values)
    again = statement.on_conflict_do_update(
        index_elements=["owner", "page", "name"], set_={"query": values["query"], "shared": values["shared"]}
    )
    kept: UUID = (await conn.execute(again.returning(saved_view.c.id))).scalar_one()
    return kept


async def delete_view(conn: AsyncConnection, *, view_id: UUID, owner: UUID) -> AnyRow | None:
    """Remove one's own view and return it; None when there is none."""
    which = sa.and_(saved_view.c.id == view_id, saved_view.c.owner == owner)
    return (await conn.execute(sa.delete(saved_view).where(which).returning(saved_view))).one_or_none()


async def insert_audit(
    conn: AsyncConnection, *, entry: AuditEntry, changes: str, values: dict[str, Any]
) -> None:
    """Append one audit row; `changes` is JSON text."""
    row = {
        "entity": entry.entity,
        "entity_id": entry.entity_id,
        "action": entry.action,
        "touched": entry.touched,
    }
    await conn.execute(
        sa.insert(audit).values(
            id=uuid7(), changes=sa.cast(sa.literal(changes), audit.c.changes.type), **row, **values
        )
    )


async def note_seen(
    conn: AsyncConnection,
    *,
    sessions: dict[UUID, datetime],
    keys: dict[UUID, datetime],
) -> None:
    """Write when sessions, their people, and keys were last seen; times only grow."""
    if sessions:
        await conn.execute(_SEEN_SESSIONS, {"ids": list(sessions), "times": list(sessions.values())})
        await conn.execute(_SEEN_USERS, {"ids": list(sessions), "times": list(sessions.values())})
    if keys:
        await conn.execute(_SEEN_KEYS, {"ids": list(keys), "times": list(keys.values())})


_SEEN = "FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS s(id, at)"
_SEEN_SESSIONS = sa.text(
    f"UPDATE session t SET seen_at = greatest(t.seen_at, s.at) {_SEEN} WHERE t.id = s.id"
)
_SEEN_KEYS = sa.text(
    f"UPDATE api_key t SET last_used_at = greatest(t.last_used_at, s.at) {_SEEN} WHERE t.id = s.id"
)
_SEEN_USERS = sa.text(
    "UPDATE app_user t SET last_seen_at = greatest(t.last_seen_at, u.at) FROM (SELECT e.user_id, max(s.at) AS at "
    + _SEEN
    + " JOIN session e ON e.id = s.id GROUP BY e.user_id) u WHERE t.id = u.user_id"
)


async def prune(conn: AsyncConnection, *, now: datetime, keep: timedelta = timedelta(days=30)) -> None:
    """Forget sessions, links and wrong tries that ended long ago (personal data is kept no longer than useful)."""
    old = now - keep
    await conn.execute(sa.delete(session).where(session.c.expires_at < old))
    await conn.execute(sa.delete(mailed_link).where(mailed_link.c.expires_at < old))
    await conn.execute(sa.delete(sign_in_tries).where(sign_in_tries.c.last_at < old))
