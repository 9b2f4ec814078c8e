"""API keys and saved views."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from onhand.access import reads, store
from onhand.access.gate import RESOLVERS, rights_changed
from onhand.access.model import (
    LIMITED,
    ApiKey,
    Caller,
    Grant,
    GrantExceeded,
    KeyLifetime,
    Limits,
    LocationNotAllowed,
    Scope,
    UnknownLocation,
    check_grant,
    check_key_lifetime,
    covers,
    known_permissions,
    new_key,
)
from onhand.kit.problem import NotFound
from onhand.kit.tx import Tx


async def make_key(
    tx: Tx,
    *,
    caller: Caller,
    key_id: UUID,
    name: str,
    scopes: Sequence[str],
    location_ids: Sequence[UUID] | None,
    expires_at: datetime,
) -> ApiKey:
    """Make an API key; its text is shown once and only its hash kept. Limits are the maker's own.

    Raises UnknownPermission, UnknownLocation, KeyLifetime, GrantExceeded. A key cannot make one that outlives it.
    """
    chosen = known_permissions(scopes, param="scopes")
    check_key_lifetime(now=tx.now, expires_at=expires_at)
    if caller.kind == "key" and caller.expires_at is not None and expires_at > caller.expires_at:
        raise KeyLifetime("A key cannot make a key that outlives it.", param="expires_at")
    scope = await reads.resolve_scope(tx.conn, locations=location_ids, resolve=RESOLVERS.scope)
    if scope is not None and not scope:
        raise UnknownLocation(param="location_ids")
    limits = _widest_allowed(caller, permissions=chosen, scope=scope)
    key = new_key()
    shown = {"name": name, "scopes": sorted(chosen), "expires_at": expires_at}
    shown |= {"location_ids": list(location_ids) if location_ids is not None else None}
    values = {"id": key_id, "public_id": key.public_id, "secret_hash": key.digest, "created_by": tx.actor.id}
    values |= {"adjust_units": limits.adjust_units, "adjust_value": limits.adjust_value}
    await store.insert_key(tx.conn, values={**values, **shown})
    tx.secret_answer = True
    tx.record("api_key", key_id, None, {**shown, "prefix": key.prefix})
    return key


def _widest_allowed(caller: Caller, *, permissions: frozenset[str], scope: Scope) -> Limits:
    """The widest limits the maker may hand out with these permissions; raises GrantExceeded when none fit."""
    candidates = [Limits()]
    if permissions & LIMITED:
        candidates += [g.limits for g in caller.grants if g.permissions & LIMITED]
    refused: GrantExceeded | None = None
    for limits in candidates:
        try:
            check_grant(caller, [Grant(permissions, scope, limits)])
        except GrantExceeded as problem:
            refused = problem
        else:
            return limits
    raise refused or GrantExceeded()


async def revoke_key(tx: Tx, *, caller: Caller, key_id: UUID) -> None:
    """End a key for good; it stops working within seconds everywhere. Raises NotFound, LocationNotAllowed. Twice is fine."""
    row = await store.lock_key(tx.conn, key_id=key_id)
    if row is None:
        raise NotFound()
    scope = await reads.resolve_scope(tx.conn, locations=row.location_ids, resolve=RESOLVERS.scope)
    if not covers(caller.sites("keys:write"), scope):
        raise LocationNotAllowed(needs="keys:write")
    if row.revoked_at is None:
        await store.revoke_key(tx.conn, key_id=key_id, now=tx.now)
        rights_changed(tx)
        tx.record("api_key", key_id, {"revoked_at": None}, {"revoked_at": tx.now})


async def save_view(tx: Tx, *, caller: Caller, view_id: UUID, values: dict[str, Any]) -> UUID:
    """Keep a list's filters under a name; the same name on the same page replaces one's former. Returns the view's id."""
    kept = await store.insert_view(tx.conn, values={"id": view_id, "owner": caller.id, **values})
    tx.record("view", kept, None, values)
    return kept


async def delete_view(tx: Tx, *, caller: Caller, view_id: UUID) -> None:
    """Remove one's own view. Raises NotFound for others' too."""
    row = await store.delete_view(tx.conn, view_id=view_id, owner=caller.id)
    if row is None:
        raise NotFound()
    tx.record("view", view_id, {n: getattr(row, n) for n in ("page", "name", "query", "shared")}, None)
