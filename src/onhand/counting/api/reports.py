"""Reports of counting over HTTP: corrections by late facts, shrinkage, overrides."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime

from onhand import access
from onhand.access import CallerDep, needs
from onhand.counting import reads
from onhand.counting.api import shapes
from onhand.counting.reads import Span
from onhand.kit.clock import now
from onhand.kit.export import Column, Format, listing
from onhand.kit.web import LIMIT, APIRouter, Cursor, Limit, Page, Reads

router = APIRouter()

QUARTER = timedelta(days=91)


def _span(
    scope: frozenset[UUID] | None, site_id: UUID | None, begin: datetime | None, end: datetime | None
) -> Span:
    until = end or now()
    return Span(happened_after=begin or until - QUARTER, happened_before=until, site_id=site_id, scope=scope)


async def _currency(conn: Any) -> str:
    organisation = await access.get_organisation(conn) or {"currency": "EUR"}
    return str(organisation["currency"])


@router.get(
    "/v1/counting/corrections", response_model=Page[shapes.CorrectionOut], dependencies=[needs("stock:read")]
)
async def list_count_corrections(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, site_id: UUID | None = None,
    variant_id: UUID | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """What facts that came late did to counts, the latest first."""

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_corrections(
            conn,
            scope=caller.sites("stock:read"),
            site_id=site_id,
            variant_id=variant_id,
            limit=rows,
            cursor=at,
        )

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="count-corrections",
        columns=("posting_id", "site_code", "location_path", "sku", "lot_code", "condition", Column("counted", number=True),
                 Column("variance", number=True), Column("quantity", number=True), "happened_at", "recorded_at"),
    )  # fmt: skip


@router.get(
    "/v1/counting/shrinkage", response_model=Page[shapes.ShrinkageOut], dependencies=[needs("costs:read")]
)
async def list_shrinkage(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, site_id: UUID | None = None,
    period: Literal["day", "week", "month", "year"] = "month", happened_after: AwareDatetime | None = None,
    happened_before: AwareDatetime | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """What was lost and found at cost by period, site, category and reason (default: the last 91 days)."""
    span, currency = (
        _span(caller.sites("costs:read"), site_id, happened_after, happened_before),
        await _currency(conn),
    )

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_shrinkage(conn, span, period=period, currency=currency, limit=rows, cursor=at)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="shrinkage",
        columns=("period", "site_code", "category_name", "reason", Column("lines", number=True), Column("lost", number=True),
                 Column("found", number=True), Column("net", number=True), Column("unpriced_lines", number=True), "currency"),
    )  # fmt: skip


@router.get(
    "/v1/counting/overrides", response_model=Page[shapes.OverrideOut], dependencies=[needs("stock:approve")]
)
async def list_overrides(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, site_id: UUID | None = None,
    happened_after: AwareDatetime | None = None, happened_before: AwareDatetime | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """Who set numbers by hand, and whose counts they approved, by person and site (default: the last 91 days)."""
    span, currency = (
        _span(caller.sites("stock:approve"), site_id, happened_after, happened_before),
        await _currency(conn),
    )

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_overrides(conn, span, currency=currency, limit=rows, cursor=at)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="overrides",
        columns=("actor.name", "site_code", Column("adjustments", number=True), Column("stock_sets", number=True),
                 Column("counts_approved", number=True), Column("over_tolerance", number=True), Column("adjusted", number=True),
                 Column("approved", number=True), "currency"),
    )  # fmt: skip
