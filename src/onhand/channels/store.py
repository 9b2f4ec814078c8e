"""Write-side SQL of the channels."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.channels.model import Channel, ChannelCodeTaken
from onhand.channels.tables import channel, channel_buffer, channel_site
from onhand.kit.problem import Conflict, IdReused

_FIELDS = ("id", "code", "name", "buffer", "external_id", "metadata", "archived_at", "version")


async def lock(conn: AsyncConnection, channel_id: UUID) -> Channel | None:
    """One channel with its sites, locked, or None. Two queries."""
    columns = [channel.c[name] for name in _FIELDS]
    query = sa.select(*columns).where(channel.c.id == channel_id).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        return None
    sites = await conn.execute(
        sa.select(channel_site.c.site_id).where(channel_site.c.channel_id == channel_id).order_by(channel_site.c.site_id)
    )  # fmt: skip
    return Channel(**row._mapping, site_ids=tuple(sites.scalars()))


async def insert(conn: AsyncConnection, made: Channel) -> None:
    """Writes a new channel. Raises IdReused, ChannelCodeTaken, Conflict (external_id)."""
    await _run(conn, sa.insert(channel).values(_values(made)))
    await _sites(conn, made)


async def update(conn: AsyncConnection, made: Channel) -> None:
    """Rewrites a channel as given. Raises like `insert`."""
    values = {**_values(made), "updated_at": sa.func.clock_timestamp()}
    await _run(conn, sa.update(channel).where(channel.c.id == made.id).values(values))
    await conn.execute(sa.delete(channel_site).where(channel_site.c.channel_id == made.id))
    await _sites(conn, made)


async def set_buffer(
    conn: AsyncConnection, *, channel_id: UUID, variant_id: UUID, site_id: UUID, units: int | None
) -> int | None:
    """Writes a variant's own buffer at a site (None: ends it); answers what it was."""
    where = sa.and_(
        channel_buffer.c.channel_id == channel_id,
        channel_buffer.c.variant_id == variant_id,
        channel_buffer.c.site_id == site_id,
    )
    before = (await conn.execute(sa.select(channel_buffer.c.buffer).where(where))).scalar_one_or_none()
    if units is None:
        await conn.execute(sa.delete(channel_buffer).where(where))
        return before
    keys = ["channel_id", "variant_id", "site_id"]
    values = {"channel_id": channel_id, "variant_id": variant_id, "site_id": site_id, "buffer": units}
    statement = pg.insert(channel_buffer).values(values)
    changed = {"buffer": statement.excluded.buffer, "updated_at": sa.func.clock_timestamp()}
    await conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))
    return before


def _values(made: Channel) -> dict[str, Any]:
    return {name: getattr(made, name) for name in _FIELDS}


async def _sites(conn: AsyncConnection, made: Channel) -> None:
    rows = [{"channel_id": made.id, "site_id": site} for site in made.site_ids]
    if rows:
        await conn.execute(sa.insert(channel_site), rows)


async def _run(conn: AsyncConnection, statement: sa.Executable) -> None:
    try:
        await conn.execute(statement)
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if name == "channel_pkey":
            raise IdReused(param="id") from error
        if name == "channel_code_key":
            raise ChannelCodeTaken(param="code") from error
        if name == "channel_external_id_key":
            raise Conflict("Another channel has this external_id.", param="external_id") from error
        raise
