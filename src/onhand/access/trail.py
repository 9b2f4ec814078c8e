"""The audit row of a request that goes through the posting lane: written in the same commit as what it did."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import HTTPConnection

from onhand.access.model import Caller
from onhand.kit.clock import now
from onhand.kit.ids import quick7

AUDIT_RIDER = "SELECT rider_audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
"""The lane's statement for rider `audit` (`sql/rider.sql`)."""


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
