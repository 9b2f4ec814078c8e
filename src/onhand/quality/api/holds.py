"""Holds, and which bins and lots would serve, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path

from onhand import catalog, locations
from onhand.access import CallerDep, needs
from onhand.kit.clock import now
from onhand.kit.export import Format, listing
from onhand.kit.problem import InvalidBody, NotFound
from onhand.kit.web import LIMIT, APIRouter, Cursor, IfMatch, Limit, Page, Reads, Writes
from onhand.ledger import UnknownLocation, UnknownVariant
from onhand.quality import actions, reads
from onhand.quality.actions.holds import NewHold
from onhand.quality.api import shapes
from onhand.quality.reads import Asked, HoldFilter
from onhand.values import parse_units

router = APIRouter()
HoldId = Annotated[UUID, Path(description="Its id.")]
FILE_COLUMNS = (
    "state", "condition", "reason", "lot_code", "sku", "location_path", "levels", "placed_at", "placed_by_name",
    "released_at", "released_by_name", "release_reason", "id",
)  # fmt: skip


@router.get("/v1/holds", response_model=Page[shapes.HoldOut], dependencies=[needs("stock:read")])
async def list_holds(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None,
    state: Literal["open", "released"] | None = None, condition: shapes.Held | None = None,
    lot_id: UUID | None = None, variant_id: UUID | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """Holds, the newest first."""
    wanted = HoldFilter(
        state=state,
        condition=condition,
        lot_id=lot_id,
        variant_id=variant_id,
        scope=caller.sites("stock:read"),
    )

    async def fetch(rows: int, at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        return await reads.list_holds(conn, wanted, limit=rows, cursor=at)

    return await listing(fetch, limit=limit, cursor=cursor, format=format, name="holds", columns=FILE_COLUMNS)


async def _shown(conn: Any, caller: Any, hold_id: UUID) -> dict[str, Any]:
    found = await reads.get_hold(conn, hold_id, scope=caller.sites("stock:read"))
    if found is None:
        raise NotFound("There is no hold with this id.", param="id")
    return found


@router.post(
    "/v1/holds",
    response_model=shapes.HoldFullOut,
    status_code=201,
    dependencies=[needs("stock:hold")],
)
async def place_hold(tx: Writes, caller: CallerDep, body: shapes.HoldBody) -> Any:
    """Takes a lot, a variant or a place out of sale, everywhere at once. What comes later under it lands on hold too."""
    new = NewHold(**body.model_dump())
    hold_id = await actions.place_hold(tx, caller, new)
    return await _shown(tx.conn, caller, hold_id)


@router.post(
    "/v1/hold-previews",
    response_model=shapes.AffectedOut,
    dependencies=[needs("stock:hold")],
)
async def preview_hold(conn: Reads, caller: CallerDep, body: shapes.HoldScope) -> Any:
    """What a hold would take out of sale, and what is promised that could then not be kept. Changes nothing."""
    if body.lot_id is None and body.variant_id is None and body.location_id is None:
        raise InvalidBody("Say what to hold: a lot, a variant or a place.", param="lot_id")
    return await reads.affected(
        conn, lot_id=body.lot_id, variant_id=body.variant_id, location_id=body.location_id,
        scope=caller.sites("stock:read"),
    )  # fmt: skip


@router.get("/v1/holds/{hold_id}", response_model=shapes.HoldFullOut, dependencies=[needs("stock:read")])
async def get_hold(conn: Reads, caller: CallerDep, hold_id: HoldId) -> Any:
    """One hold with what it moved."""
    return await _shown(conn, caller, hold_id)


@router.post(
    "/v1/holds/{hold_id}/release", response_model=shapes.HoldFullOut, dependencies=[needs("stock:hold")]
)
async def release_hold(
    tx: Writes, caller: CallerDep, hold_id: HoldId, body: shapes.ReleaseBody, version: IfMatch
) -> Any:
    """Ends a hold: what it took becomes available, or goes where another hold, its date or its certificate wants it."""
    await actions.release_hold(tx, caller, hold_id, reason=body.reason, version=version)
    return await _shown(tx.conn, caller, hold_id)


@router.post(
    "/v1/allocations/preview", response_model=shapes.PreviewOut,
    dependencies=[needs("stock:read", at=("location_id", "location_code"))],
)  # fmt: skip
async def preview_allocation(conn: Reads, caller: CallerDep, body: shapes.PreviewBody) -> Any:
    """Which bins and lots would serve a quantity at a site, for a customer and a day. Takes nothing and promises nothing."""
    places = await locations.directory(conn)
    place_id = body.location_id
    if place_id is None and body.location_code is not None:
        place_id = (await locations.resolve(conn, [body.location_code])).get(body.location_code)
    place = places.get(place_id) if place_id is not None else None
    if place is None or place.site_id is None:
        raise UnknownLocation(param="location_id")
    item = None
    if body.variant_id is not None:
        item = (await catalog.resolve_ids(conn, [body.variant_id])).get(body.variant_id)
    elif body.sku is not None:
        item = (await catalog.resolve(conn, [body.sku], by=catalog.Lookup.SKU)).get(body.sku)
    if item is None:
        raise UnknownVariant(param="variant_id")
    quantity = parse_units(body.quantity, item.decimals)
    if quantity <= 0:
        raise InvalidBody("Ask for more than 0.", param="quantity")
    site = places[place.site_id]
    asked = Asked(
        item=item, site=site.id, quantity=quantity, ship_on=body.ship_on or locations.today(site, now()),
        customer_id=body.customer_id, strategy=body.strategy, minimum_life_days=body.minimum_life_days,
    )  # fmt: skip
    return await reads.preview(conn, asked)
