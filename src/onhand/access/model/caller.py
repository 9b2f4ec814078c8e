"""Who asks, and what they may do where. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from onhand.access.model.permissions import (
    ADMIN,
    LIMITED,
    NOWHERE,
    ORGANISATION_WIDE,
    PERMISSIONS,
    Grant,
    Limits,
    Scope,
    covers,
    effective,
)
from onhand.access.model.refusals import GrantExceeded, LastAdmin, LocationNotAllowed, OwnRoleFixed
from onhand.kit.ids import NIL
from onhand.kit.problem import Forbidden
from onhand.kit.tx import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A person who signed in, an API key, or the system itself, with the rights held when it was loaded."""

    id: UUID
    kind: Literal["user", "key", "system"]
    name: str
    email: str | None = None
    locale: str | None = None
    roles: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    session_id: UUID | None = None
    expires_at: datetime | None = None
    totp_enabled: bool = False
    totp_required: bool = False
    permissions: Mapping[str, Scope] = field(init=False)
    held_back: bool = field(init=False)
    """True while the second factor this person must have is not set up."""
    actor: Actor = field(init=False)
    """The same as a transaction and its audit row name them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "permissions", effective(self.grants))
        object.__setattr__(self, "held_back", self.totp_required and not self.totp_enabled)
        object.__setattr__(self, "actor", Actor(id=self.id, kind=self.kind, name=self.name))

    def may(self, permission: str, site: UUID | None = None) -> bool:
        """May they, at this site? Without a site: anywhere at all (organisation-wide permissions: everywhere)."""
        if permission not in self.permissions:
            return False
        scope = self.permissions[permission]
        if scope is None:
            return True
        if permission in ORGANISATION_WIDE:
            return False
        return bool(scope) if site is None else site in scope

    def require(self, permission: str, site: UUID | None = None) -> None:
        """Raises Forbidden when they lack the permission, LocationNotAllowed when they hold it only elsewhere."""
        if self.may(permission, site):
            return
        if permission not in self.permissions:
            raise Forbidden(f"You need the permission {permission} for this. Ask an admin.", needs=permission)
        if site is None:
            raise Forbidden(
                f"You hold {permission} for certain places only; this concerns the whole organisation.",
                needs=permission,
            )
        raise LocationNotAllowed(needs=permission)

    def sites(self, permission: str) -> Scope:
        """The sites a list may show: None = all, an empty set = none."""
        return self.permissions.get(permission, NOWHERE)

    def limits(self, site: UUID | None = None) -> Limits | None:
        """How far they may correct stock alone at a site: the widest of their roles there; None if no role may at all."""
        found: Limits | None = None
        for grant in self.grants:
            here = grant.scope is None or (site is not None and site in grant.scope)
            if here and grant.permissions & LIMITED:
                found = grant.limits if found is None else found.widest(grant.limits)
        return found

    def same_rights(self, other: Caller) -> bool:
        """Do both loads of this caller allow the same?"""
        return (
            self.id == other.id
            and self.permissions == other.permissions
            and frozenset(self.grants) == frozenset(other.grants)
            and self.held_back == other.held_back
        )


SYSTEM = Caller(id=NIL, kind="system", name="Onhand", grants=(Grant(frozenset(PERMISSIONS), None),))
"""Jobs, the CLI and first run."""


def check_grant(caller: Caller, grants: Iterable[Grant]) -> None:
    """Nobody hands out what they lack: each permission, for each of its places, and no wider limits.

    Raises GrantExceeded with `missing`.
    """
    missing: set[str] = set()
    for grant in grants:
        missing |= {p for p in grant.permissions if not covers(caller.sites(p), grant.scope)}
        for permission in grant.permissions & LIMITED:
            if permission not in missing and not _limits_covered(caller, grant, permission):
                missing.add(f"{permission} up to that limit")
    if missing:
        listed = ", ".join(sorted(missing))
        raise GrantExceeded(
            f"You cannot give or change what you do not hold yourself there: {listed}.",
            missing=sorted(missing),
        )


def _limits_covered(caller: Caller, grant: Grant, permission: str) -> bool:
    """Is there, for every place of the grant, a grant of the caller with limits at least as wide?"""
    left: Scope = grant.scope
    for own in caller.grants:
        if permission not in own.permissions or not own.limits.covers(grant.limits):
            continue
        if own.scope is None:
            return True
        if left is not None:
            left = left - own.scope
    return left is not None and not left


def check_not_self(caller: Caller, user_id: UUID) -> None:
    """Own rights are changed by somebody else; raises OwnRoleFixed."""
    if caller.kind == "user" and caller.id == user_id:
        raise OwnRoleFixed()


def check_not_own_role(caller: Caller, role: str) -> None:
    """A role one has oneself is changed by somebody else; raises OwnRoleFixed."""
    if role in caller.roles:
        raise OwnRoleFixed("You have this role yourself, so somebody else has to change it.")


def check_admin_left(*, admins_after: int) -> None:
    """Raises LastAdmin when a change would leave no active admin."""
    if admins_after < 1:
        raise LastAdmin()


def is_admin(roles: Iterable[tuple[str, UUID | None]]) -> bool:
    """Is one of these (role, location) the admin role everywhere?"""
    return any(role == ADMIN and location is None for role, location in roles)
