"""Channels over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, Field

from onhand.access import Caller, CallerDep, needs
from onhand.channels import actions, reads
from onhand.kit.export import Column, Format, listing
from onhand.kit.problem import Forbidden, NotFound
from onhand.kit.web import LIMIT, APIRouter, Body, Cursor, Id, IfMatch, Limit, Out, Page, Reads, Text, Writes
from onhand.values import check_metadata, format_units

router = APIRouter(tags=["channels"])

FILE_COLUMNS = ("code", "name", Column("buffer", number=True), "external_id", "archived_at")
BUFFER_COLUMNS = ("sku", "name", "site_code", Column("buffer", number=True), "unit", "variant_id", "site_id")
ChannelId = Annotated[UUID, Path(description="Its id.")]
Metadata = Annotated[dict[str, Any], AfterValidator(check_metadata)]
Sites = Annotated[list[Id], Field(max_length=2000)]


class NewChannelBody(Body):
    """A channel to make. `buffer`: whole units of each variant and site it does not offer."""

    id: Id | None = None
    code: Text = Field(max_length=64)
    name: Text = Field(max_length=200)
    buffer: Text = Field("0", max_length=12, examples=["2"])
    site_ids: Sites = Field(default_factory=list)
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)


class ChannelChanges(Body):
    """What to change; fields left out stay."""

    code: Text = Field("", max_length=64)
    name: Text = Field("", max_length=200)
    buffer: Text = Field("0", max_length=12)
    site_ids: Sites = Field(default_factory=list)
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)
    archived: bool = False


class ChannelSiteOut(Out):
    """A site a channel sells from."""

    id: UUID
    code: str
    name: str


class ChannelOut(Out):
    """A channel. `buffer_count`: variants with a buffer of their own somewhere."""

    id: UUID
    code: str
    name: str
    buffer: str
    site_ids: list[UUID]
    sites: list[ChannelSiteOut]
    buffer_count: int
    external_id: str | None
    metadata: dict[str, Any]
    archived_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class BufferBody(Body):
    """What the channel keeps back of a variant at a site; null: the channel's own buffer again."""

    variant_id: Id
    site_id: Id
    buffer: Text | None = Field(max_length=30, examples=["3"])


class BufferOut(Out):
    """What a channel keeps back of a variant at a site."""

    variant_id: UUID
    sku: str
    name: str
    unit: str
    site_id: UUID
    site_code: str | None = None
    buffer: str | None


def _everywhere(caller: Caller) -> None:
    """A channel concerns the whole organisation; its buffers are set site by site."""
    if caller.sites("channels:write") is not None:
        raise Forbidden(
            "You hold channels:write for certain places only; a channel concerns all of them.",
            needs="channels:write",
        )


async def _shown(conn: Any, channel_id: UUID) -> dict[str, Any]:
    found = await reads.get_channel(conn, channel_id)
    if found is None:
        raise NotFound("There is no channel with this id.")
    return found


@router.get("/v1/channels", response_model=Page[ChannelOut], dependencies=[needs("channels:read")])
async def list_channels(
    conn: Reads, limit: Limit = LIMIT, cursor: Cursor = None,
    q: Annotated[Text | None, Query(max_length=200)] = None, archived: bool | None = False, format: Format = None,
) -> Any:  # fmt: skip
    """Channels by code."""

    async def fetch(rows: int, at: str | None) -> reads.Rows:
        return await reads.list_channels(conn, q=q, archived=archived, limit=rows, cursor=at)

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="channels", columns=FILE_COLUMNS
    )


@router.post(
    "/v1/channels", response_model=ChannelOut, status_code=201, dependencies=[needs("channels:write")]
)
async def create_channel(tx: Writes, caller: CallerDep, body: NewChannelBody) -> Any:
    """Makes a channel."""
    _everywhere(caller)
    made = await actions.create_channel(
        tx, channel_id=body.id, code=body.code, name=body.name, buffer=actions.parse_buffer(body.buffer),
        site_ids=body.site_ids, external_id=body.external_id, metadata=body.metadata,
    )  # fmt: skip
    return await _shown(tx.conn, made.id)


@router.get("/v1/channels/{channel_id}", response_model=ChannelOut, dependencies=[needs("channels:read")])
async def get_channel(conn: Reads, channel_id: ChannelId) -> Any:
    """One channel."""
    return await _shown(conn, channel_id)


@router.patch("/v1/channels/{channel_id}", response_model=ChannelOut, dependencies=[needs("channels:write")])
async def change_channel(
    tx: Writes, caller: CallerDep, channel_id: ChannelId, body: ChannelChanges, version: IfMatch
) -> Any:
    """Changes a channel. What is reserved stays reserved."""
    _everywhere(caller)
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    if "buffer" in changes:
        changes["buffer"] = actions.parse_buffer(changes["buffer"])
    await actions.change_channel(tx, channel_id, version=version, changes=changes)
    return await _shown(tx.conn, channel_id)


@router.get(
    "/v1/channels/{channel_id}/buffers",
    response_model=Page[BufferOut],
    dependencies=[needs("channels:read")],
)
async def list_buffers(
    conn: Reads, caller: CallerDep, channel_id: ChannelId, limit: Limit = LIMIT, cursor: Cursor = None,
    variant_id: UUID | None = None, format: Format = None,
) -> Any:  # fmt: skip
    """The variants of which a channel keeps back another quantity than its own buffer."""

    async def fetch(rows: int, at: str | None) -> reads.Rows:
        return await reads.list_buffers(
            conn,
            channel_id,
            variant_id=variant_id,
            sites=caller.sites("channels:read"),
            limit=rows,
            cursor=at,
        )

    return await listing(
        fetch, limit=limit, cursor=cursor, format=format, name="buffers", columns=BUFFER_COLUMNS
    )


@router.put(
    "/v1/channels/{channel_id}/buffers",
    response_model=BufferOut,
    dependencies=[needs("channels:write", at="site_id")],
)
async def set_buffer(tx: Writes, channel_id: ChannelId, body: BufferBody) -> Any:
    """Sets what a channel keeps back of one variant at one site; null: the channel's own buffer again."""
    item, units = await actions.set_buffer(
        tx, channel_id, variant_id=body.variant_id, site_id=body.site_id, buffer=body.buffer
    )
    return {
        "variant_id": item.variant_id, "sku": item.sku, "name": item.name, "unit": item.unit, "site_id": body.site_id,
        "buffer": format_units(units, item.decimals) if units is not None else None,
    }  # fmt: skip
