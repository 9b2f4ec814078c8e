"""People, roles and the organisation. Whoever changes rights must hold them all, before and after the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.access import reads, store
from onhand.access.gate import RESOLVERS, rights_changed
from onhand.access.model import (
    BuiltinRole,
    Caller,
    CurrencyFixed,
    EmailTaken,
    Grant,
    Limits,
    NotSetUp,
    RoleInUse,
    RoleNameTaken,
    UnknownLocation,
    UnknownRole,
    check_admin_left,
    check_grant,
    check_not_own_role,
    check_not_self,
    is_admin,
    known_permissions,
)
from onhand.kit.problem import NotFound, Stale
from onhand.kit.tx import Tx


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role for a person, at a place and below it; None = everywhere."""

    role: str
    location_id: UUID | None = None


def check_version(present: int, expected: int | None) -> None:
    """Raises Stale when the client changed an older version than the present one."""
    if expected is not None and expected != present:
        raise Stale(version=present)


async def add_user(
    tx: Tx,
    *,
    caller: Caller,
    user_id: UUID,
    email: str,
    name: str,
    locale: str | None = None,
    password_hash: str | None = None,
    assignments: Sequence[Assignment] = (),
) -> None:
    """Add a person with roles. Raises EmailTaken, UnknownRole, UnknownLocation, GrantExceeded."""
    chosen, grants = await grants_for(tx.conn, assignments)
    check_grant(caller, grants)
    values = {
        "id": user_id,
        "email": email.lower(),
        "name": name,
        "locale": locale,
        "password_hash": password_hash,
    }
    if not await store.insert_user(tx.conn, values=values):
        raise EmailTaken(param="email")
    await store.replace_assignments(tx.conn, user_id=user_id, chosen=chosen)
    after = {"email": email.lower(), "name": name, "active": True, "assignments": _plain(assignments)}
    tx.record("user", user_id, None, after)


async def change_user(
    tx: Tx,
    *,
    caller: Caller,
    user_id: UUID,
    version: int | None,
    changes: dict[str, Any],
    assignments: Sequence[Assignment] | None = None,
) -> None:
    """Change a person's name, email, `active`, `totp_enabled` (only off) or roles.

    Raises NotFound, Stale, OwnRoleFixed, GrantExceeded (also when they hold more than the caller), LastAdmin, EmailTaken.
    """
    if assignments is not None or "active" in changes or "totp_enabled" in changes:
        check_not_self(caller, user_id)
        await store.lock_admins(tx.conn)
    row = await store.lock_user(tx.conn, user_id=user_id)
    if row is None:
        raise NotFound()
    check_version(row.version, version)
    held = await store.assignments_of(tx.conn, user_id=user_id)
    before_roles = [Assignment(r.role, r.location_id) for r in held]
    if caller.id != user_id:
        check_grant(caller, (await grants_for(tx.conn, before_roles, stale_places=True))[1])
    before: dict[str, Any] = {"email": row.email, "name": row.name, "active": row.active}
    before |= {"locale": row.locale, "totp_enabled": row.totp_confirmed_at is not None}
    after = {**before, **changes}
    await _save_user(tx, user_id=user_id, before=before, after=after)
    if assignments is not None:
        chosen, grants = await grants_for(tx.conn, assignments)
        check_grant(caller, grants)
        await store.replace_assignments(tx.conn, user_id=user_id, chosen=chosen)
        before["assignments"], after["assignments"] = _plain(before_roles), _plain(assignments)
    was_admin = row.active and is_admin([(r.role, r.location_id) for r in held])
    if was_admin and (assignments is not None or not after["active"]):
        check_admin_left(admins_after=await store.count_admins(tx.conn))
    if before != after:
        await store.bump_rights(tx.conn, user_ids=[user_id])
        rights_changed(tx)
        tx.record("user", user_id, before, after)


async def _save_user(tx: Tx, *, user_id: UUID, before: dict[str, Any], after: dict[str, Any]) -> None:
    if after["email"] != before["email"] and await store.email_taken(
        tx.conn, email=after["email"], by_other_than=user_id
    ):
        raise EmailTaken(param="email")
    values = {name: after[name] for name in ("email", "name", "active", "locale")}
    if before["totp_enabled"] and not after["totp_enabled"]:
        values |= {"totp_secret": None, "totp_confirmed_at": None, "totp_last_step": None}
        await store.replace_recovery_codes(tx.conn, user_id=user_id, hashes=[])
    await store.update_user(tx.conn, user_id=user_id, values=values)
    if before["active"] and not after["active"]:
        await store.end_sessions(tx.conn, user_id=user_id, now=tx.now)


async def grants_for(
    conn: AsyncConnection, assignments: Sequence[Assignment], *, stale_places: bool = False
) -> tuple[list[tuple[UUID, UUID | None]], list[Grant]]:
    """The ids to store and the grants they amount to. `stale_places`: an old assignment's place may be gone by now."""
    rows = await store.roles_by_name(conn, names=[a.role for a in assignments])
    chosen: list[tuple[UUID, UUID | None]] = []
    grants: list[Grant] = []
    for at, assigned in enumerate(assignments):
        row = rows.get(assigned.role)
        if row is None:
            raise UnknownRole(f"There is no role {assigned.role!r}.", param=f"assignments.{at}.role")
        scope = await reads.resolve_scope(conn, locations=[assigned.location_id], resolve=RESOLVERS.scope)
        if scope is not None and not scope and not stale_places:
            raise UnknownLocation(
                "Roles hold for a store, a warehouse, or a group of them; this is none.",
                param=f"assignments.{at}.location_id",
            )
        chosen.append((row.id, assigned.location_id))
        limits = Limits(adjust_units=row.adjust_units, adjust_value=row.adjust_value)
        grants.append(Grant(frozenset(row.permissions), scope, limits))
    return chosen, grants


def _plain(assignments: Sequence[Assignment]) -> list[dict[str, str | None]]:
    rows = {(a.role, str(a.location_id) if a.location_id else None) for a in assignments}
    return [{"role": r, "location_id": where} for r, where in sorted(rows, key=lambda x: (x[0], x[1] or ""))]


# --- roles -----------------------------------------------------------------------------------------------------


async def add_role(
    tx: Tx, *, caller: Caller, role_id: UUID, name: str, permissions: Sequence[str], limits: Limits
) -> None:
    """Make a role. Raises UnknownPermission, GrantExceeded, RoleNameTaken."""
    chosen = known_permissions(permissions, param="permissions")
    check_grant(caller, [Grant(chosen, None, limits)])
    values = _role_values(name, chosen, limits)
    if not await store.insert_role(tx.conn, values={"id": role_id, **values}):
        raise RoleNameTaken(param="name")
    tx.record("role", role_id, None, values)


async def change_role(
    tx: Tx,
    *,
    caller: Caller,
    role_id: UUID,
    version: int | None,
    name: str | None = None,
    permissions: Sequence[str] | None = None,
    limits: dict[str, Decimal | None] | None = None,
) -> None:
    """Change a role for everybody who has it. Raises NotFound, Stale, BuiltinRole, OwnRoleFixed, GrantExceeded,
    RoleNameTaken. A built-in role's limits may be changed, nothing else of it."""
    row = await store.lock_role(tx.conn, role_id=role_id)
    if row is None:
        raise NotFound()
    check_version(row.version, version)
    if row.builtin and (name not in (None, row.name) or permissions is not None):
        raise BuiltinRole()
    check_not_own_role(caller, row.name)
    old_limits = Limits(adjust_units=row.adjust_units, adjust_value=row.adjust_value)
    given = limits or {}
    new_limits = Limits(
        adjust_units=given.get("adjust_units", old_limits.adjust_units),
        adjust_value=given.get("adjust_value", old_limits.adjust_value),
    )
    chosen = (
        frozenset(row.permissions)
        if permissions is None
        else known_permissions(permissions, param="permissions")
    )
    check_grant(
        caller, [Grant(frozenset(row.permissions), None, old_limits), Grant(chosen, None, new_limits)]
    )
    if name is not None and await store.role_name_taken(tx.conn, name=name, by_other_than=role_id):
        raise RoleNameTaken(param="name")
    before = _role_values(row.name, row.permissions, old_limits)
    after = _role_values(name or row.name, chosen, new_limits)
    await store.update_role(tx.conn, role_id=role_id, values=after)
    if before != after:
        holders = await store.role_holders(tx.conn, role_id=role_id)
        await store.bump_rights(tx.conn, user_ids=sorted({user_id for user_id, _ in holders}))
        rights_changed(tx)
        tx.record("role", role_id, before, after)


async def remove_role(tx: Tx, *, caller: Caller, role_id: UUID) -> None:
    """Remove a role nobody has. Raises NotFound, BuiltinRole, RoleInUse, GrantExceeded."""
    row = await store.lock_role(tx.conn, role_id=role_id)
    if row is None:
        raise NotFound()
    if row.builtin:
        raise BuiltinRole()
    limits = Limits(adjust_units=row.adjust_units, adjust_value=row.adjust_value)
    check_grant(caller, [Grant(frozenset(row.permissions), None, limits)])
    holders = await store.role_holders(tx.conn, role_id=role_id)
    if holders:
        raise RoleInUse(holders=len({user_id for user_id, _ in holders}))
    await store.delete_role(tx.conn, role_id=role_id)
    tx.record("role", role_id, _role_values(row.name, row.permissions, limits), None)


def _role_values(name: str, permissions: Sequence[str] | frozenset[str], limits: Limits) -> dict[str, Any]:
    return {
        "name": name,
        "permissions": sorted(permissions),
        "adjust_units": limits.adjust_units,
        "adjust_value": limits.adjust_value,
    }


# --- the organisation ------------------------------------------------------------------------------------------


async def change_organisation(tx: Tx, *, version: int | None, changes: dict[str, Any]) -> None:
    """Change the organisation's name, currency, locale, time zone or `setup_done`. Raises NotSetUp, Stale, CurrencyFixed."""
    row = await store.lock_organisation(tx.conn)
    if row is None:
        raise NotSetUp()
    check_version(row.version, version)
    before = {n: getattr(row, n) for n in ("name", "currency", "locale", "time_zone", "setup_done")}
    after = {**before, **changes}
    if before["setup_done"] and after["currency"] != before["currency"]:
        raise CurrencyFixed(param="currency")
    if before != after:
        await store.save_organisation(tx.conn, values=after)
        tx.record("organisation", row.id, before, after)
