"""Places over HTTP."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator, Field

from onhand.access import CallerDep, needs
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.web import LIMIT, APIRouter, Body, Cursor, Id, IfMatch, Limit, Out, Page, Reads, Text, Writes
from onhand.locations import actions, reads
from onhand.locations.actions import NewLocation
from onhand.locations.model import parse_day_start
from onhand.locations.reads import LocationFilter
from onhand.values import BadValue, check_metadata

router = APIRouter(tags=["locations"])

FILE_COLUMNS = (
    "code", "name", "kind", "role", "path", "sells", "time_zone", "day_start", Column("latitude", number=True),
    Column("longitude", number=True), "external_id", "closed_at",
)  # fmt: skip
Kind = Literal[
    "warehouse", "store", "zone", "aisle", "rack", "bin", "pallet", "tote", "cart", "supplier", "customer", "transit", "adjustment", "scrap",
    "production", "lot_assignment",
]  # fmt: skip
Role = Literal[
    "receiving", "storage", "pick_face", "packing", "shipping", "quarantine", "store_floor", "backroom"
]
LocationId = Annotated[UUID, Path(description="Its id.")]


def _instant(value: Any) -> Any:
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError("must be a time such as 2026-11-21T08:00:00Z") from error
        if at.tzinfo is None:
            raise ValueError("must carry its offset, such as Z")
        return at
    return value


Instant = Annotated[datetime, BeforeValidator(_instant)]
Metadata = Annotated[dict[str, Any], AfterValidator(check_metadata)]
Degrees = Annotated[float, Field(ge=-180, le=180)]


class NewLocationBody(Body):
    """A place to make. `sells` left out: by its kind and role."""

    id: Id | None = None
    code: Text = Field(max_length=64)
    name: Text = Field(max_length=200)
    kind: Kind
    role: Role | None = None
    parent_id: Id | None = None
    sells: bool | None = None
    time_zone: Text | None = Field(None, max_length=60)
    day_start: Text | None = Field(None, max_length=5, examples=["06:00"])
    latitude: Degrees | None = None
    longitude: Degrees | None = None
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)


class LocationChanges(Body):
    """What to change; fields left out stay. `closed_at` closes a place, null opens it again."""

    code: Text = Field("", max_length=64)
    name: Text = Field("", max_length=200)
    role: Role | None = None
    parent_id: Id | None = None
    sells: bool = True
    time_zone: Text = Field("", max_length=60)
    day_start: Text = Field("", max_length=5)
    latitude: Degrees | None = None
    longitude: Degrees | None = None
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)
    closed_at: Instant | None = None


class LocationOut(Out):
    """A place. `path` is the codes from the root; `site_id` the store or warehouse it belongs to."""

    id: UUID
    code: str
    name: str
    kind: str
    role: str | None
    parent_id: UUID | None
    site_id: UUID | None
    path: str
    sells: bool
    keeps_level: bool
    time_zone: str | None
    day_start: str | None
    closed_at: datetime | None
    latitude: float | None
    longitude: float | None
    external_id: str | None
    metadata: dict[str, Any]
    version: int


def _given(body: Body) -> dict[str, Any]:
    given = {name: getattr(body, name) for name in body.model_fields_set}
    if given.get("day_start") is not None:
        given["day_start"] = parse_day_start(given["day_start"])
    for name in ("latitude", "longitude"):
        if given.get(name) is not None:
            given[name] = round(Decimal(repr(given[name])), 6)
    return given


@router.get("/v1/locations", response_model=Page[LocationOut], dependencies=[needs("locations:read")])
async def list_locations(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None,
    q: Annotated[Text | None, Query(max_length=200, description="Part of path or name.")] = None,
    kind: Kind | None = None, role: Role | None = None, site_id: UUID | None = None, parent_id: UUID | None = None,
    under: Annotated[UUID | None, Query(description="A place whose whole subtree is meant.")] = None,
    external_id: Text | None = None, open_only: bool = False, updated_after: datetime | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """Places in path order: parents before what stands in them. Callers bound to places see those and the virtual ones."""
    wanted = LocationFilter(
        q=q, kind=kind, role=role, site_id=site_id, parent_id=parent_id, under=under, external_id=external_id,
        open_only=open_only, updated_after=updated_after, sites=caller.sites("locations:read"),
    )  # fmt: skip

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_locations(conn, wanted, limit=rows, cursor=at)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="locations", columns=FILE_COLUMNS
    )


@router.post(
    "/v1/locations", response_model=LocationOut, status_code=201,
    dependencies=[needs("locations:write", at="parent_id")],
)  # fmt: skip
async def create_location(tx: Writes, body: NewLocationBody) -> Any:
    """Makes a place."""
    return reads.shape(await actions.create_location(tx, NewLocation(**_given(body))))


@router.get("/v1/locations/{location_id}", response_model=LocationOut, dependencies=[needs("locations:read")])
async def get_location(conn: Reads, caller: CallerDep, location_id: LocationId) -> Any:
    """One place."""
    found = await reads.get_location(conn, location_id)
    if found is None or (found["site_id"] is not None and not caller.may("locations:read", found["site_id"])):
        raise NotFound("There is no place with this id, or you may not see it.")
    return found


@router.patch(
    "/v1/locations/{location_id}", response_model=LocationOut,
    dependencies=[needs("locations:write", at=("location_id", "parent_id"))],
)  # fmt: skip
async def change_location(
    tx: Writes, location_id: LocationId, body: LocationChanges, version: IfMatch
) -> Any:
    """Changes a place. What would change what can be sold is refused while stock lies there."""
    changes = _given(body)
    if (at := changes.get("closed_at")) is not None and at > tx.now:
        raise BadValue("closed_at", "A place is closed now or in the past.", "Give a time that has been.")
    return reads.shape(await actions.change_location(tx, location_id, version=version, changes=changes))
