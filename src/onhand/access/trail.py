"""The audit row of a request that goes through the posting lane: written in the same commit as what it did."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import HTTPConnection

from onhand.access.model import Caller
from onhand.kit.clock import now
from onhand.kit.ids import quick7

AUDIT_RIDER = """
INSERT INTO audit (id, at, actor_id, actor_kind, actor_name, action, entity, entity_id, request, request_id, ip, changes)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::text[], $12::jsonb[])
"""
"""The lane's statement for rider `audit`."""


def audit_rows(
    request: HTTPConnection,
    caller: Caller,
    entity: str,
    entity_id: UUID,
    changes: dict[str, Any] | None = None,
) -> dict[str, list[tuple[Any, ...]]]:
    """The one audit row of a request, as a rider: who created which entity, by which request."""
    scope = request.scope
    fields = {name: [None, msgspec.to_builtins(value)] for name, value in (changes or {}).items()}
    row = (
        quick7(), now(), caller.id, caller.kind, caller.name, f"{entity}.created", entity, str(entity_id),
        f"{scope['method']} {scope['path']}", scope.get("state", {}).get("request_id", ""),
        scope["client"][0] if scope.get("client") else "", fields,
    )  # fmt: skip
    return {"audit": [row]}
