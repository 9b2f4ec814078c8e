"""Reads of transfers: the list with its ages, one with its story, totals by state."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.access import Caller, CallerDep, needs
from onhand.kit.clock import now
from onhand.kit.export import Column, Format, listing
from onhand.kit.paging import DEFAULT_LIMIT
from onhand.kit.problem import NotFound
from onhand.kit.web import APIRouter, Cursor, Limit, Page, Reads
from onhand.transfers import reads
from onhand.transfers.api import shapes

router = APIRouter()

COLUMNS: list[Column | str] = [
    "number", "state", "from_site_code", "to_site_code", "line_count", Column("in_transit_units", number=True),
    Column("in_transit_value.amount", title="in_transit_value", number=True),
    Column("in_transit_value.currency", title="currency"), Column("progress", number=True),
    Column("age_hours", number=True), "overdue", "expected_at", "created_at", "placed_at", "shipped_at", "closed_at", "note",
    "external_id", "id",
]  # fmt: skip


@router.get("/v1/transfers", dependencies=[needs("transfers:read")], response_model=Page[shapes.TransferRow])
async def list_transfers(
    conn: Reads, caller: CallerDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None,
    state: Literal["draft", "placed", "shipped", "received", "cancelled", "open"] | None = None,
    from_site_id: UUID | None = None, to_site_id: UUID | None = None,
    site_id: Annotated[UUID | None, Query(description="At either end.")] = None, variant_id: UUID | None = None,
    aged_over_hours: Annotated[
        int | None, Query(ge=0, le=87_600, description="In transit for longer than this.")
    ] = None,
    overdue: Annotated[bool | None, Query(description="Expected by now, and not over.")] = None,
    q: Annotated[str | None, Query(max_length=100, description="Number, external id, or the SKU of a line.")] = None,
    format: Format = None,
) -> Any:  # fmt: skip
    """Transfers you may see at either end, the newest first. `state=open`: draft, placed or shipped."""
    at = now()
    wanted = reads.TransferFilter(
        scope=caller.sites("transfers:read"), state=state if state != "open" else None, open=state == "open",
        from_site_id=from_site_id, to_site_id=to_site_id, site_id=site_id, variant_id=variant_id, q=q or None,
        aged_before=at - timedelta(hours=aged_over_hours) if aged_over_hours is not None else None,
        overdue_at=at if overdue else None,
    )  # fmt: skip

    async def fetch(rows: int, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_transfers(
            conn, wanted, limit=rows, cursor=after, costs=caller.may("costs:read"), now=at
        )

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="transfers", columns=COLUMNS)


@router.get(
    "/v1/transfers/totals", dependencies=[needs("transfers:read")], response_model=shapes.TransferTotals
)
async def transfer_totals(
    conn: Reads,
    caller: CallerDep,
    site_id: Annotated[UUID | None, Query(description="At either end.")] = None,
) -> Any:
    """How many transfers stand in each open state, how many are overdue, and what is in transit."""
    found = await reads.totals(
        conn, scope=caller.sites("transfers:read"), site_id=site_id, costs=caller.may("costs:read"), now=now()
    )
    return {"data": found}


@router.get(
    "/v1/transfers/{transfer_id}",
    dependencies=[needs("transfers:read")],
    response_model=shapes.TransferDetail,
)
async def get_transfer(conn: Reads, caller: CallerDep, transfer_id: UUID) -> Any:
    """A transfer with its lines, the lots of each, and its steps."""
    return await shown(conn, caller, transfer_id)


async def shown(conn: AsyncConnection, caller: Caller, transfer_id: UUID) -> dict[str, Any]:
    """A transfer as answers show it. Raises NotFound."""
    found = await reads.get_transfer(conn, transfer_id, caller=caller, now=now())
    if found is None:
        raise NotFound("There is no transfer by this id.", param="transfer_id")
    return found
