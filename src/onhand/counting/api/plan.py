"""The count plan over HTTP: settings, capacity, what is due, sheets."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator, Field

from onhand import locations
from onhand.access import Caller, CallerDep, needs
from onhand.counting import actions, reads
from onhand.counting.api import shapes
from onhand.kit import jobs
from onhand.kit.clock import now
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.web import LIMIT, APIRouter, Body, Cursor, Id, IfMatch, Limit, Out, Page, Reads, Text, Writes
from onhand.locations import Place

router = APIRouter()


def _decimal(value: str) -> str:
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ValueError("must be a decimal number such as 2.5") from error
    if not number.is_finite() or not 0 <= number < 10**12 or -int(number.as_tuple().exponent) > 6:
        raise ValueError("must be 0 or more, with at most 6 decimals")
    return value


DecimalText = Annotated[str, Field(max_length=24), AfterValidator(_decimal)]
Share = Annotated[str, Field(pattern=r"^(100|\d{1,2}(\.\d{1,2})?)$", examples=["80"])]
Days = Annotated[int, Field(ge=1, le=3650)]


def _date(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise ValueError("must be a day such as 2026-11-21") from error
    return value


Day = Annotated[date, BeforeValidator(_date)]


class CountPolicyChanges(Body):
    """What to change; fields left out stay. Tolerances: null takes the bound away."""

    share_a: Share = "80"
    share_b: Share = "15"
    days_a: Days = 30
    days_b: Days = 90
    days_c: Days = 180
    tolerance_units: DecimalText | None = None
    tolerance_percent: DecimalText | None = None
    tolerance_value: DecimalText | None = None
    recount_by: Literal["other", "anyone"] = "other"
    rounds: int = Field(2, ge=1, le=5)


class CapacityBody(Body):
    """How many bins a site counts a day; 0: none by plan."""

    bins_per_day: int = Field(ge=0, le=100_000)


class CapacityOut(Out):
    """How many bins a site counts a day."""

    site_id: UUID
    bins_per_day: int


class SheetBody(Body):
    """A sheet of the places named, or (null) of what the plan says for today."""

    id: Id | None = None
    site_id: Id
    location_ids: list[Id] | None = Field(None, min_length=1, max_length=500)
    name: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    due_on: Day | None = None


class JobIdOut(Out):
    """A job that was queued."""

    job_id: UUID


async def site_of(conn: Any, caller: Caller, site_id: UUID, permission: str) -> Place:
    """A store or warehouse this caller may look at so. Raises NotFound."""
    place = (await locations.directory(conn)).get(site_id)
    if place is None or not place.is_site or not caller.may(permission, site_id):
        raise NotFound("There is no store or warehouse with this id.", param="site_id")
    return place


@router.get("/v1/counting/policy", response_model=shapes.CountPolicyOut, dependencies=[needs("stock:read")])
async def get_count_policy(conn: Reads) -> Any:
    """How the organisation counts."""
    return await reads.get_policy(conn)


@router.patch(
    "/v1/counting/policy", response_model=shapes.CountPolicyOut, dependencies=[needs("settings:write")]
)
async def change_count_policy(tx: Writes, body: CountPolicyChanges, version: IfMatch) -> Any:
    """Change how the organisation counts."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    for name in ("share_a", "share_b", "tolerance_units", "tolerance_percent", "tolerance_value"):
        if isinstance(changes.get(name), str):
            changes[name] = Decimal(changes[name])
    await actions.change_policy(tx, version=version, changes=changes)
    return await reads.get_policy(tx.conn)


@router.put(
    "/v1/counting/sites/{site_id}",
    response_model=CapacityOut,
    dependencies=[needs("counting:write", at="site_id")],
)
async def set_count_capacity(tx: Writes, caller: CallerDep, site_id: UUID, body: CapacityBody) -> Any:
    """Set how many bins a site counts a day."""
    await actions.change_capacity(tx, caller, site_id, bins_per_day=body.bins_per_day)
    return {"site_id": site_id, "bins_per_day": body.bins_per_day}


@router.get(
    "/v1/counting/plan", response_model=shapes.CountPlanOut, dependencies=[needs("stock:read", at="site_id")]
)
async def get_count_plan(conn: Reads, caller: CallerDep, site_id: UUID) -> Any:
    """A site's plan: what is due by class, the days ahead, and whether the capacity holds."""
    return await reads.get_plan(conn, await site_of(conn, caller, site_id, "stock:read"), now())


@router.get(
    "/v1/counting/bins",
    response_model=Page[shapes.ShelfOut],
    dependencies=[needs("stock:read", at="site_id")],
)
async def list_count_bins(
    conn: Reads, caller: CallerDep, site_id: UUID, limit: Limit = LIMIT, cursor: Cursor = None,
    count_class: Literal["A", "B", "C"] | None = None,
    due: Annotated[bool, Query(description="Only what is due, or was never counted.")] = False, format: Format = None,
) -> Any:  # fmt: skip
    """The places of a site that are counted, the most overdue first."""
    site = await site_of(conn, caller, site_id, "stock:read")

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_shelves(
            conn, site, now(), count_class=count_class, due_only=due, limit=rows, cursor=at
        )

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="count-plan",
        columns=("location_path", "count_class", "counted_at", "due_on", Column("overdue_days", number=True), "planned_today",
                 "counting"),
    )  # fmt: skip


@router.post(
    "/v1/counting/classifications",
    status_code=202,
    response_model=JobIdOut,
    dependencies=[needs("counting:write")],
)
async def reclassify_counts(tx: Writes) -> Any:
    """Class everything anew by the value it moved in the year before; a job does it (and does so every night)."""
    return {"job_id": await jobs.defer_later(tx, "count_classes", "Classes for counting")}


@router.post(
    "/v1/count-sheets", status_code=201, response_model=shapes.SheetMadeOut,
    dependencies=[needs("counting:write", at="site_id")],
)  # fmt: skip
async def create_count_sheet(tx: Writes, caller: CallerDep, body: SheetBody) -> Any:
    """Hand out places to be counted."""
    made = await actions.make_sheet(
        tx, caller, id=body.id, site=body.site_id, location_ids=body.location_ids, name=body.name, due_on=body.due_on
    )  # fmt: skip
    return {"id": made.id, "bins": made.bins, "skipped": made.skipped}


@router.get("/v1/count-sheets", response_model=Page[shapes.SheetOut], dependencies=[needs("stock:count")])
async def list_count_sheets(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, site_id: UUID | None = None,
    format: Format = None,
) -> Any:  # fmt: skip
    """Count sheets, the newest first."""

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_sheets(
            conn, scope=caller.sites("stock:count"), site_id=site_id, sheet_id=None, limit=rows, cursor=at
        )

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="count-sheets",
        columns=("id", "name", "site_code", "due_on", "created_at", Column("bins", number=True), Column("todo", number=True),
                 Column("waiting", number=True), Column("posted", number=True)),
    )  # fmt: skip


@router.get(
    "/v1/count-sheets/{sheet_id}", response_model=shapes.SheetOut, dependencies=[needs("stock:count")]
)
async def get_count_sheet(conn: Reads, caller: CallerDep, sheet_id: UUID) -> Any:
    """A count sheet and how far it is."""
    rows, _ = await reads.list_sheets(
        conn, scope=caller.sites("stock:count"), site_id=None, sheet_id=sheet_id, limit=1, cursor=None
    )
    if not rows:
        raise NotFound("There is no count sheet with this id.", param="sheet_id")
    return rows[0]
