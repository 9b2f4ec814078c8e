"""HTTP of the dashboards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic import Field

from onhand.access import CallerDep, needs
from onhand.insight import reads
from onhand.kit.clock import now
from onhand.kit.web import APIRouter, Out, Reads

router = APIRouter(tags=["insight"])

EVER = datetime.min.replace(tzinfo=UTC)


class MoneyOut(Out):
    """An amount as a decimal string."""

    amount: str
    currency: str


class TodayOut(Out):
    """Since each store's business day began."""

    sales: int
    units: int
    revenue: MoneyOut


class MinuteOut(Out):
    """What was sold in one minute."""

    at: datetime
    units: int
    revenue: str


class SiteOut(Out):
    """One store or warehouse today."""

    site_id: UUID
    code: str
    name: str
    kind: str
    sales: int
    units: int
    revenue: MoneyOut
    below_minimum: int
    below_zero: int
    last_sale_at: datetime | None


class GapOut(Out):
    """A variant that is short at a site."""

    variant_id: UUID
    sku: str
    name: str
    unit: str
    site_id: UUID
    site_code: str
    available: str
    sellable: str
    minimum: str | None


class StockValueOut(MoneyOut):
    """What the stock is worth, on a named basis: `list_cost` is on hand × the variant's cost."""

    basis: str


class RecentSaleOut(Out):
    """A sale of the ticker."""

    id: UUID
    number: str | None
    register_code: str = Field(alias="register")
    site_id: UUID
    site_code: str
    site_name: str
    happened_at: datetime
    total: str
    currency: str
    units: int
    line_count: int


class OverviewOut(Out):
    """The overview: today, the last hour by minute, stores, gaps, value, drift. Sites are those the caller may see."""

    at: datetime
    today: TodayOut
    minutes: list[MinuteOut]
    sites: list[SiteOut]
    below_minimum: list[GapOut]
    below_zero: list[GapOut]
    stock_value: StockValueOut | None
    drift: int | None = Field(
        description="Levels that differ from their ledger, by the self check and the last verification; must read 0."
    )
    open_exceptions: int
    recent_sales: list[RecentSaleOut]


@router.get("/v1/overview", dependencies=[needs("stock:read")], response_model=OverviewOut)
async def get_overview(request: Request, conn: Reads, caller: CallerDep) -> Any:
    """What happens right now at the caller's sites. The stock's value needs costs:read. In the demo, `at` is where the
    replayed history stands."""
    present = now()
    state, clock, since = request.app.state, present, EVER
    if state.settings.demo:
        clock, since = await reads.data_clock(conn, present), state.started_at
    return await reads.overview(
        conn,
        now=present,
        clock=clock,
        since=since,
        scope=caller.sites("stock:read"),
        costs=caller.may("costs:read"),
    )
