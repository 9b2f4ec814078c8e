"""API keys and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response, status

from onhand.access import actions, reads
from onhand.access.api.shapes import AuditOut, KeyIn, KeyMade, KeyOut
from onhand.access.permit import CallerDep, needs
from onhand.kit.export import Format, listing
from onhand.kit.web import LIMIT, APIRouter, Cursor, Id, Limit, Page, Reads, Writes

router = APIRouter(tags=["keys and audit"])

_KEYS = (
    "name",
    "prefix",
    "scopes",
    "location_ids",
    "created_at",
    "expires_at",
    "last_used_at",
    "revoked_at",
    "id",
)


@router.get("/v1/api-keys", response_model=Page[KeyOut], dependencies=[needs("keys:write")])
async def list_keys(conn: Reads, limit: Limit = LIMIT, cursor: Cursor = None, format: Format = None) -> Any:
    """API keys, newest first; never their secrets."""

    async def fetch(limit: int, cursor: str | None) -> reads.Rows:
        return await reads.list_keys(conn, limit=limit, cursor=cursor)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="api-keys", columns=_KEYS)


@router.post("/v1/api-keys", response_model=KeyMade, status_code=201, dependencies=[needs("keys:write")])
async def post_key(tx: Writes, caller: CallerDep, body: KeyIn) -> Any:
    """Make an API key. Its secret is in this answer and nowhere else: keep it now."""
    key_id = tx.new_id(body.id)
    key = await actions.make_key(
        tx,
        caller=caller,
        key_id=key_id,
        name=body.name,
        scopes=body.scopes,
        location_ids=body.location_ids,
        expires_at=body.expires_at,
    )
    made = await reads.get_key(tx.conn, key_id=key_id)
    assert made is not None
    return {**made, "secret": key.text}


@router.delete("/v1/api-keys/{id}", status_code=204, dependencies=[needs("keys:write")])
async def delete_key(tx: Writes, caller: CallerDep, id: Id) -> Response:
    """Revoke a key: it stops working within seconds, for good."""
    await actions.revoke_key(tx, caller=caller, key_id=id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


_AUDIT = (
    "at",
    "actor.name",
    "actor.kind",
    "action",
    "entity",
    "entity_id",
    "changes",
    "request",
    "request_id",
    "ip",
    "id",
)


def _word(description: str) -> Any:
    return Query(max_length=200, description=description)


@router.get("/v1/audit", response_model=Page[AuditOut], dependencies=[needs("audit:read")])
async def list_audit(
    conn: Reads,
    entity: Annotated[str | None, _word("The kind of thing: `user`, `product` …")] = None,
    entity_id: Annotated[str | None, _word("The thing's id.")] = None,
    actor: Annotated[UUID | None, Query(description="Who did it.")] = None,
    action: Annotated[str | None, _word("What was done: `user.changed`, `session.opened` …")] = None,
    after: Annotated[datetime | None, Query(description="Only later ones.")] = None,
    before: Annotated[datetime | None, Query(description="Only earlier ones.")] = None,
    q: Annotated[str | None, _word("Words in the actor's name or the action.")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
    format: Format = None,
) -> Any:
    """Who changed what, latest first: one row for each request, with every field before and after."""
    wanted = reads.AuditFilter(
        entity=entity, entity_id=entity_id, actor=actor, action=action, after=after, before=before, q=q
    )

    async def fetch(limit: int, cursor: str | None) -> reads.Rows:
        return await reads.list_audit(conn, wanted=wanted, limit=limit, cursor=cursor)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="audit", columns=_AUDIT)
