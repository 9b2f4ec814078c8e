"""Permissions, the roles that bundle them, and the places they hold for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID, uuid5

from onhand.access.model.refusals import UnknownPermission

Scope: TypeAlias = frozenset[UUID] | None
"""The sites something holds for; None means everywhere, the empty set nowhere."""

EVERYWHERE: Scope = None
NOWHERE: Scope = frozenset()

PERMISSIONS: Mapping[str, str] = {
    "users:read": "See people and their roles",
    "users:write": "Invite, change and deactivate people",
    "roles:write": "Make and change roles",
    "keys:write": "Make and revoke API keys",
    "audit:read": "Read the audit log",
    "settings:write": "Change the organisation and its settings",
    "catalog:read": "See products, variants, units and categories",
    "catalog:write": "Change products, variants, units and categories",
    "costs:read": "See what goods cost",
    "locations:read": "See places",
    "locations:write": "Change places",
    "parties:read": "See suppliers and customers",
    "parties:write": "Change suppliers and customers",
    "stock:read": "See stock and its history",
    "stock:adjust": "Correct stock by a signed quantity, with a reason",
    "stock:move": "Move stock between places and conditions",
    "stock:set": "Set stock to an absolute quantity",
    "stock:count": "Report counted quantities",
    "counting:write": "Plan counts and hand out count sheets",
    "stock:approve": "Approve what exceeds somebody's limit",
    "stock:reverse": "Reverse postings",
    "stock:reserve": "Reserve stock, and give reservations back",
    "stock:backorder": "Approve that more may be reserved than is there",
    "channels:read": "See channels and what they keep back",
    "channels:write": "Change channels and what they keep back",
    "stock:hold": "Put stock on hold, recall lots and release them",
    "lots:write": "Make and change lots and serial numbers, attach certificates",
    "lots:approve": "Approve or reject certificates of lots",
    "transfers:read": "See transfers between sites",
    "transfers:write": "Plan, place and cancel transfers",
    "transfers:ship": "Ship goods of transfers",
    "transfers:receive": "Receive goods of transfers, and settle what did not arrive",
    "pos:sell": "Record sales",
    "pos:refund": "Record refunds and voids",
    "sales:read": "See sales",
    "events:read": "Read the event feed",
    "exceptions:read": "See exceptions",
    "exceptions:resolve": "Settle exceptions",
    "jobs:read": "See background jobs",
    "jobs:write": "Start, cancel and retry background jobs",
    "imports:write": "Import files",
    "backups:read": "See backups and the state of the server",
    "backups:write": "Make backups and try them out",
}

ORGANISATION_WIDE = frozenset(
    {"roles:write", "audit:read", "settings:write", "backups:read", "backups:write"}
)
"""What concerns the whole organisation: to use it, one must hold it everywhere."""

ADMIN = "admin"
_NAMESPACE = UUID("6f6e6861-6e64-5000-8000-726f6c657300")


def _all(prefix: str) -> frozenset[str]:
    return frozenset(p for p in PERMISSIONS if p.startswith(prefix + ":"))


_EVERY = frozenset(PERMISSIONS)
_CLERK = (
    "catalog:read locations:read parties:read channels:read stock:read stock:reserve stock:adjust stock:move stock:count"
    " lots:write"
)
_FINANCE = (
    "catalog:read costs:read locations:read parties:read stock:read stock:approve sales:read audit:read"
)
_INTEGRATOR = (
    "locations:read stock:read stock:reserve stock:adjust stock:move stock:set stock:count lots:write pos:sell pos:refund"
    " sales:read"
)

BUILTIN_ROLES: Mapping[str, frozenset[str]] = {
    ADMIN: _EVERY,
    "manager": _EVERY - {"users:write", "roles:write", "keys:write", "settings:write"},
    "clerk": frozenset(f"{_CLERK} exceptions:read jobs:read events:read".split()) | _all("transfers"),
    "counter": frozenset(["catalog:read", "locations:read", "stock:count"]),
    "cashier": frozenset(
        [
            "catalog:read",
            "locations:read",
            "stock:read",
            "stock:reserve",
            "pos:sell",
            "pos:refund",
            "sales:read",
            "events:read",
        ]
    ),
    "purchasing": _all("catalog")
    | _all("parties")
    | frozenset(["locations:read", "stock:read", "costs:read", "imports:write", "jobs:read", "events:read"])
    | {"lots:write", "transfers:read"},
    "finance": frozenset(f"{_FINANCE} exceptions:read jobs:read events:read transfers:read".split()),
    "integrator": _all("catalog")
    | _all("channels")
    | _all("parties")
    | _all("jobs")
    | _all("transfers")
    | frozenset(f"{_INTEGRATOR} events:read imports:write".split()),
    "auditor": frozenset(p for p in PERMISSIONS if p.endswith(":read")),
}
"""The roles every Onhand has. `events:read` opens the live stream; each event still asks for its own permission."""


def builtin_role_id(name: str) -> UUID:
    """The same id for a built-in role in every installation."""
    return uuid5(_NAMESPACE, name)


def known_permissions(names: Iterable[str], *, param: str) -> frozenset[str]:
    """The names as a set; raises UnknownPermission naming the first that does not exist."""
    chosen = frozenset(names)
    for name in sorted(chosen - _EVERY):
        raise UnknownPermission(f"There is no permission {name!r}.", param=param, known=sorted(_EVERY))
    return chosen


def union(left: Scope, right: Scope) -> Scope:
    """The places of either."""
    return None if left is None or right is None else left | right


def covers(outer: Scope, inner: Scope) -> bool:
    """Does `outer` hold wherever `inner` does?"""
    if outer is None:
        return True
    return inner is not None and inner <= outer


@dataclass(frozen=True, slots=True)
class Limits:
    """How far one person may correct stock alone: units and value (base currency) of one adjustment; None = any."""

    adjust_units: Decimal | None = None
    adjust_value: Decimal | None = None

    def covers(self, other: Limits) -> bool:
        """Is every bound of `other` at most ours?"""
        return _at_most(other.adjust_units, self.adjust_units) and _at_most(
            other.adjust_value, self.adjust_value
        )

    def widest(self, other: Limits) -> Limits:
        """The more generous bound of each kind."""
        return Limits(
            adjust_units=_larger(self.adjust_units, other.adjust_units),
            adjust_value=_larger(self.adjust_value, other.adjust_value),
        )


def _at_most(value: Decimal | None, bound: Decimal | None) -> bool:
    return bound is None or (value is not None and value <= bound)


def _larger(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return None if left is None or right is None else max(left, right)


LIMITED = frozenset({"stock:adjust", "stock:set"})
"""The permissions that `Limits` bound."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One role (or key) at work: what it allows, where, and up to which limits."""

    permissions: frozenset[str]
    scope: Scope
    limits: Limits = Limits()


def effective(grants: Iterable[Grant]) -> dict[str, Scope]:
    """For each permission the places any grant gives it for."""
    out: dict[str, Scope] = {}
    for grant in grants:
        for permission in grant.permissions:
            out[permission] = union(out.get(permission, NOWHERE), grant.scope)
    return out
