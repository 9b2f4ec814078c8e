"""Read-side SQL of the channels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.channels.model import Channel
from onhand.channels.tables import channel, channel_buffer
from onhand.kit.paging import after, cut
from onhand.values import format_units

Rows = tuple[list[dict[str, Any]], str | None]

_SITES: sa.Label[Any] = sa.literal_column(
    "coalesce((SELECT jsonb_agg(jsonb_build_object('id', p.id, 'code', p.code, 'name', p.name) ORDER BY p.path)"
    " FROM channel_site cs JOIN location p ON p.id = cs.site_id WHERE cs.channel_id = channel.id), '[]')"
).label("sites")
_COUNT: sa.Label[Any] = sa.literal_column(
    "(SELECT count(*) FROM channel_buffer b WHERE b.channel_id = channel.id)"
).label("buffer_count")  # fmt: skip


def _shape(row: Any) -> dict[str, Any]:
    found = dict(row._mapping)
    found["buffer"] = str(found["buffer"])
    found["site_ids"] = [site["id"] for site in found["sites"]]
    return found


async def list_channels(
    conn: AsyncConnection, *, q: str | None = None, archived: bool | None = False, limit: int, cursor: str | None
) -> Rows:  # fmt: skip
    """A page of channels by code and the next cursor. One query."""
    where: list[sa.ColumnElement[bool]] = [after([channel.c.code], cursor)]
    if q:
        like = f"%{q.replace('%', '').replace('_', '')}%"
        where.append(sa.or_(channel.c.code.ilike(like), channel.c.name.ilike(like)))
    if archived is not None:
        where.append(channel.c.archived_at.is_not(None) if archived else channel.c.archived_at.is_(None))
    query = sa.select(channel, _SITES, _COUNT).where(*where).order_by(channel.c.code).limit(limit + 1)
    rows = (await conn.execute(query)).all()
    return cut([_shape(row) for row in rows], limit, ["code"])


async def get_channel(conn: AsyncConnection, channel_id: UUID) -> dict[str, Any] | None:
    """One channel as answers show it, or None."""
    row = (
        await conn.execute(sa.select(channel, _SITES, _COUNT).where(channel.c.id == channel_id))
    ).one_or_none()
    return _shape(row) if row is not None else None


_FIND = sa.text(
    "SELECT id, code, name, buffer, external_id, metadata, archived_at, version,"
    " ARRAY(SELECT site_id FROM channel_site cs WHERE cs.channel_id = c.id) AS site_ids"
    " FROM channel c WHERE (c.code = :word OR c.id::text = lower(:word)) AND c.archived_at IS NULL"
    " ORDER BY c.code = :word DESC LIMIT 1"
)


async def find_channel(conn: AsyncConnection, word: str) -> Channel | None:
    """A channel in use by its code or id. One query."""
    row = (await conn.execute(_FIND, {"word": word})).one_or_none()
    return Channel(**row._mapping) if row is not None else None


async def buffers_of(
    conn: AsyncConnection, channel_id: UUID, variant_ids: Sequence[UUID] | None = None
) -> dict[tuple[UUID, UUID], int]:
    """The buffers that variants have of their own, in smallest units by (variant, site). One query."""
    query = sa.select(channel_buffer.c.variant_id, channel_buffer.c.site_id, channel_buffer.c.buffer)
    query = query.where(channel_buffer.c.channel_id == channel_id)
    if variant_ids is not None:
        query = query.where(channel_buffer.c.variant_id.in_(list(variant_ids)))
    return {(row.variant_id, row.site_id): row.buffer for row in await conn.execute(query)}


_BUFFERS = (
    sa.select(
        channel_buffer.c.variant_id, channel_buffer.c.site_id, channel_buffer.c.buffer,
        sa.literal_column("v.sku", sa.Text).label("sku"), sa.literal_column("v.name").label("name"),
        sa.literal_column("v.unit").label("unit"), sa.literal_column("v.decimals").label("decimals"),
        sa.literal_column("p.code", sa.Text).label("site_code"),
    ).select_from(
        channel_buffer.join(sa.text("variant v"), sa.text("v.id = channel_buffer.variant_id")).join(
            sa.text("location p"), sa.text("p.id = channel_buffer.site_id")
        )
    )
)  # fmt: skip


async def list_buffers(
    conn: AsyncConnection, channel_id: UUID, *, variant_id: UUID | None = None, sites: Collection[UUID] | None = None,
    limit: int, cursor: str | None,
) -> Rows:  # fmt: skip
    """A page of a channel's own buffers of variants, by SKU and site, and the next cursor. One query."""
    keys = [sa.literal_column("v.sku", sa.Text), sa.literal_column("p.code", sa.Text)]
    query = _BUFFERS.where(channel_buffer.c.channel_id == channel_id, after(keys, cursor))
    if variant_id is not None:
        query = query.where(channel_buffer.c.variant_id == variant_id)
    if sites is not None:
        query = query.where(channel_buffer.c.site_id.in_(list(sites)))
    rows = (await conn.execute(query.order_by(*keys).limit(limit + 1))).all()
    page, following = cut(rows, limit, ["sku", "site_code"])
    return [_buffer(row) for row in page], following


def _buffer(row: Any) -> dict[str, Any]:
    return {
        "variant_id": row.variant_id, "sku": row.sku, "name": row.name, "unit": row.unit, "site_id": row.site_id,
        "site_code": row.site_code, "buffer": format_units(row.buffer, row.decimals),
    }  # fmt: skip
