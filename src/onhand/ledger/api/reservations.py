"""Reservations and approved backorders over HTTP. Making a reservation is a thin route of its own (`promises.py`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.access import Caller, CallerDep, needs
from onhand.kit.clock import now
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import NotFound
from onhand.kit.web import (
    LIMIT,
    APIRouter,
    Body,
    Cursor,
    Id,
    IfMatch,
    Instant,
    Limit,
    Out,
    Page,
    Reads,
    Text,
    Writes,
)
from onhand.ledger import actions, reads
from onhand.ledger.actions import Spot
from onhand.ledger.actions.reservations import Step
from onhand.ledger.api import shapes
from onhand.ledger.reservations import ReservationKind, State
from onhand.values import format_units

router = APIRouter(tags=["reservations"])

RESERVATIONS: tuple[Column | str, ...] = (
    "created_at", "kind", "state", "reference", "channel_code", "expires_at", "ended_at", "created_by.name", "id",
)  # fmt: skip
BACKORDERS: tuple[Column | str, ...] = (
    "sku", "name", "site_code", Column("max_quantity", number=True), Column("beyond", number=True), "unit", "state", "note",
    "approved_by.name", "approved_at",
)  # fmt: skip
Amount = Annotated[str, Field(max_length=40, examples=["1"])]


class ReservationLineOut(Out):
    """A line: what was wanted, what was claimed in all, what became of it, and what is still held (`open`)."""

    line: int
    variant_id: UUID
    sku: str
    name: str
    unit: str
    site_id: UUID
    site_code: str
    policy: str
    requested: str
    claimed: str
    consumed: str
    released: str
    expired: str
    open: str


class ReservationOut(Out):
    """A reservation. `lapsed`: its end has come, but what it holds was not given back yet."""

    id: UUID
    kind: str
    state: str
    lapsed: bool
    reference: str | None
    channel_id: UUID | None
    channel_code: str | None
    expires_at: datetime | None
    created_by: shapes.ActorOut
    created_at: datetime
    ended_at: datetime | None
    version: int
    can: list[str]
    lines: list[ReservationLineOut]


class StepLineOut(Out):
    """What a step does to a line."""

    line: int
    sku: str
    unit: str
    site_code: str
    quantity: str


class StepOut(Out):
    """What a verb did (or, as a preview, would do), and the reservation as it stands."""

    state: Literal["done", "preview"]
    lines: list[StepLineOut]
    reservation: ReservationOut


class StepLineBody(Body):
    """Some of a line, by its number."""

    line: int = Field(ge=1, le=1000)
    quantity: Amount


StepLines = Annotated[list[StepLineBody], Field(min_length=1, max_length=200)]


class ReleaseBody(Body):
    """What to give back: some of its lines, or everything it holds. `preview`: only show what that would be."""

    id: Id | None = None
    lines: StepLines | None = None
    reason: Annotated[Text, Field(max_length=500)] | None = None
    preview: bool = False


class ConsumeBody(Body):
    """What leaves: some of its lines, or everything it holds; from a place of the site, where you say so."""

    id: Id | None = None
    lines: StepLines | None = None
    location_id: Id | None = None
    location_code: Annotated[Text, Field(min_length=1, max_length=200)] | None = None


class ExtendBody(Body):
    """Until when it holds: an instant, or seconds from now. Neither: without an end (a basket: 15 minutes)."""

    id: Id | None = None
    expires_at: Instant | None = None
    expires_in: int | None = Field(None, ge=1, le=400 * 86400)


class BackorderBody(Body):
    """How far below zero reservations may take a variant at a site (null: any); `ended` stops it."""

    variant_id: Id
    site_id: Id
    max_quantity: Text | None = Field(max_length=30, examples=["20"])
    state: Literal["approved", "ended"] = "approved"
    note: Annotated[Text, Field(max_length=500)] | None = None


class BackorderOut(Out):
    """Approved backorders of a variant at a site. `beyond`: how much more is reserved there now than is there."""

    variant_id: UUID
    sku: str
    name: str
    unit: str
    site_id: UUID
    site_code: str
    max_quantity: str | None
    beyond: str
    note: str | None
    approved_by: shapes.ActorOut
    approved_at: datetime
    state: str


Lines = list[tuple[int, str]]


def _lines(given: list[StepLineBody] | None) -> Lines | None:
    return None if given is None else [(line.line, line.quantity) for line in given]


async def _shown(conn: AsyncConnection, caller: Caller, reservation_id: UUID) -> dict[str, Any]:
    found = await reads.get_reservation(conn, reservation_id, scope=caller.sites("stock:read"))
    if found is None:
        raise NotFound("There is no reservation with this id.", param="reservation_id")
    return found


async def _step(tx: Writes, caller: Caller, step: Step, state: str = "done") -> dict[str, Any]:
    lines = [
        {
            "line": line.line, "sku": step.items[line.variant].sku, "unit": step.items[line.variant].unit,
            "site_code": step.places[line.site].code, "quantity": format_units(q, step.items[line.variant].decimals),
        }
        for line, q in step.taken
    ]  # fmt: skip
    return {"state": state, "lines": lines, "reservation": await _shown(tx.conn, caller, step.held.id)}


@router.get("/v1/reservations", response_model=Page[ReservationOut], dependencies=[needs("stock:read")])
async def list_reservations(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, state: State | None = None,
    kind: ReservationKind | None = None, variant_id: UUID | None = None, site_id: UUID | None = None,
    channel_id: UUID | None = None, reference: Annotated[Text | None, Query(max_length=200)] = None,
    expires_within: Annotated[int | None, Query(ge=0, le=400 * 86400, description="Open ones that end within so many seconds, the next first.")] = None,
    format: Format = None,
) -> Any:  # fmt: skip
    """Who holds what, the newest first. With `variant_id` and `state=open`, those that hold some of it now."""
    wanted = reads.ReservationFilter(
        state=state.value if state else None, kind=kind.value if kind else None, variant_id=variant_id, site_id=site_id,
        channel_id=channel_id, reference=reference, scope=caller.sites("stock:read"),
        ends_before=now() + timedelta(seconds=expires_within) if expires_within is not None else None,
    )  # fmt: skip

    async def fetch(limit: int, cursor: str | None) -> reads.Rows:
        return await reads.list_reservations(conn, wanted, limit=limit, cursor=cursor)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="reservations", columns=RESERVATIONS
    )


@router.get(
    "/v1/reservations/{reservation_id}", response_model=ReservationOut, dependencies=[needs("stock:read")]
)
async def get_reservation(conn: Reads, caller: CallerDep, reservation_id: UUID) -> Any:
    """One reservation with the lines you may see."""
    return await _shown(conn, caller, reservation_id)


@router.post(
    "/v1/reservations/{reservation_id}/release",
    response_model=StepOut,
    dependencies=[needs("stock:reserve")],
)
async def release_reservation(
    tx: Writes, caller: CallerDep, reservation_id: UUID, body: ReleaseBody, version: IfMatch
) -> Any:
    """Give back what a reservation holds, or some of it."""
    lines = _lines(body.lines)
    if body.preview:
        await tx.conn.rollback()  # a preview uses up no id: the release itself may come with the same one
        step = await actions.preview_release(tx, caller, reservation_id=reservation_id, lines=lines)
        return await _step(tx, caller, step, "preview")
    step = await actions.release(
        tx, caller, reservation_id=reservation_id, id=body.id, lines=lines, reason=body.reason, version=version
    )  # fmt: skip
    return await _step(tx, caller, step)


@router.post(
    "/v1/reservations/{reservation_id}/consume", response_model=StepOut, dependencies=[needs("stock:move")]
)
async def consume_reservation(
    tx: Writes, caller: CallerDep, reservation_id: UUID, body: ConsumeBody, version: IfMatch
) -> Any:
    """Reserved goods leave to the customer: claim and goods in one posting. What has expired goes only if it is still free."""
    named = body.location_id is not None or body.location_code is not None
    step = await actions.consume(
        tx, caller, reservation_id=reservation_id, id=body.id, lines=_lines(body.lines), version=version,
        source=Spot(id=body.location_id, code=body.location_code) if named else None,
    )  # fmt: skip
    return await _step(tx, caller, step)


@router.post(
    "/v1/reservations/{reservation_id}/extend", response_model=StepOut, dependencies=[needs("stock:reserve")]
)
async def extend_reservation(
    tx: Writes, caller: CallerDep, reservation_id: UUID, body: ExtendBody, version: IfMatch
) -> Any:
    """Let a reservation hold until another instant. One that has expired is made again, if all it held is still free."""
    step = await actions.extend(
        tx, caller, reservation_id=reservation_id, id=body.id, expires_at=body.expires_at, expires_in=body.expires_in,
        version=version,
    )  # fmt: skip
    return await _step(tx, caller, step)


@router.get("/v1/backorders", response_model=Page[BackorderOut], dependencies=[needs("stock:read")])
async def list_backorders(
    conn: Reads, caller: CallerDep, limit: Limit = LIMIT, cursor: Cursor = None, variant_id: UUID | None = None,
    site_id: UUID | None = None, state: Literal["approved", "ended"] | None = "approved", format: Format = None,
) -> Any:  # fmt: skip
    """Where more may be reserved than is there, by SKU and site."""
    ended = None if state is None else state == "ended"

    async def fetch(limit: int, cursor: str | None) -> reads.Rows:
        return await reads.list_backorders(
            conn, scope=caller.sites("stock:read"), variant_id=variant_id, site_id=site_id, ended=ended, limit=limit,
            cursor=cursor,
        )  # fmt: skip

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="backorders", columns=BACKORDERS
    )


@router.put(
    "/v1/backorders", response_model=BackorderOut, dependencies=[needs("stock:backorder", at="site_id")]
)
async def set_backorder(tx: Writes, caller: CallerDep, body: BackorderBody) -> Any:
    """Approve that more of a variant may be reserved at a site than is there, change how much, or end it."""
    await actions.set_backorder(
        tx, caller, variant_id=body.variant_id, site_id=body.site_id, max_quantity=body.max_quantity, state=body.state,
        note=body.note,
    )  # fmt: skip
    rows, _ = await reads.list_backorders(
        tx.conn,
        scope=None,
        variant_id=body.variant_id,
        site_id=body.site_id,
        ended=None,
        limit=1,
        cursor=None,
    )
    if not rows:
        raise NotFound("There is no variant with this id.", param="variant_id")
    return rows[0]
