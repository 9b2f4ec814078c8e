"""What can be done with channels: create, change, and keep back more or less of a variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from onhand import catalog, locations
from onhand.channels import store
from onhand.channels.events import ChannelChanged
from onhand.channels.model import MAX_BUFFER, Channel
from onhand.kit.problem import InvalidBody, NotFound, Stale
from onhand.kit.tx import Tx
from onhand.values import BadValue, clean, format_units, parse_code, parse_units

CHANGEABLE = frozenset({"code", "name", "buffer", "site_ids", "external_id", "metadata", "archived"})


def parse_buffer(text: str) -> int:
    """A buffer of whole units. Raises BadValue."""
    return _within(parse_units(text, 0, "buffer"), MAX_BUFFER)


def _within(units: int, most: int) -> int:
    if not 0 <= units <= most:
        raise BadValue("buffer", "A buffer is zero or above, and not that large.", "Correct the number.")
    return units


async def create_channel(
    tx: Tx, *, code: str, name: str, channel_id: UUID | None = None, buffer: int = 0, site_ids: Sequence[UUID] = (),
    external_id: str | None = None, metadata: Mapping[str, Any] | None = None,
) -> Channel:  # fmt: skip
    """Makes a channel that sells from some sites. Raises ChannelCodeTaken, IdReused, Conflict, BadValue, InvalidBody."""
    made = await _checked(
        tx,
        Channel(
            id=tx.new_id(channel_id), code=code, name=name, buffer=buffer, site_ids=tuple(site_ids),
            external_id=external_id, metadata=dict(metadata or {}),
        ),
    )  # fmt: skip
    await store.insert(tx.conn, made)
    _say(tx, None, made)
    return made


async def change_channel(
    tx: Tx, channel_id: UUID, *, version: int | None, changes: Mapping[str, Any]
) -> Channel:
    """Changes code, name, buffer, site_ids, external_id, metadata; `archived` true or false.

    Raises NotFound, Stale, ChannelCodeTaken, Conflict, BadValue, InvalidBody.
    """
    if unknown := set(changes) - CHANGEABLE:
        raise InvalidBody(f"{min(unknown)} cannot be changed.", param=min(unknown))
    before = await _locked(tx, channel_id, version)
    fresh = dict(changes)
    archived = fresh.pop("archived", None)
    after = await _checked(tx, replace(before, **fresh))
    if archived is not None:
        after = replace(after, archived_at=(before.archived_at or tx.now) if archived else None)
    if after == before:
        return before
    after = replace(after, version=before.version + 1)
    await store.update(tx.conn, after)
    _say(tx, before, after)
    return after


async def set_buffer(
    tx: Tx, channel_id: UUID, *, variant_id: UUID, site_id: UUID, buffer: str | None
) -> tuple[catalog.Resolved, int | None]:
    """Sets what a channel keeps back of one variant at one site, as decimal text; None: the channel's own buffer again.

    Answers the variant and the buffer in smallest units. Raises NotFound, ChannelSellsElsewhere, BadValue.
    """
    found = await _locked(tx, channel_id, None)
    found.check_site(site_id)
    item = (await catalog.resolve_ids(tx.conn, [variant_id])).get(variant_id)
    if item is None:
        raise NotFound("There is no variant with this id.", param="variant_id")
    most = MAX_BUFFER * 10**item.decimals
    units = _within(parse_units(buffer, item.decimals, "buffer"), most) if buffer is not None else None
    before = await store.set_buffer(
        tx.conn, channel_id=channel_id, variant_id=item.variant_id, site_id=site_id, units=units
    )
    if before != units:
        shown = [None if u is None else {"buffer": format_units(u, item.decimals)} for u in (before, units)]
        tx.record("channel_buffer", f"{channel_id}/{item.variant_id}/{site_id}", *shown)
        tx.emit(ChannelChanged(channel_id=found.id, code=found.code, version=found.version))
    return item, units


async def _locked(tx: Tx, channel_id: UUID, version: int | None) -> Channel:
    found = await store.lock(tx.conn, channel_id)
    if found is None:
        raise NotFound("There is no channel with this id.", param="id")
    if version is not None and version != found.version:
        raise Stale(param="If-Match", version=found.version)
    return found


async def _checked(tx: Tx, channel: Channel) -> Channel:
    places = await locations.directory(tx.conn)
    for n, site in enumerate(channel.site_ids):
        place = places.get(site)
        if place is None or not place.is_site:
            raise InvalidBody("A channel sells from stores and warehouses.", param=f"site_ids[{n}]")
    return replace(
        channel,
        code=parse_code(channel.code),
        name=clean(channel.name, "name", longest=200),
        buffer=_within(channel.buffer, MAX_BUFFER),
        site_ids=tuple(sorted(set(channel.site_ids))),
        external_id=clean(channel.external_id, "external_id", longest=200) if channel.external_id else None,
    )


def _audited(channel: Channel) -> dict[str, Any]:
    out = {f.name: getattr(channel, f.name) for f in fields(Channel)}
    archived = channel.archived_at.isoformat() if channel.archived_at else None
    return {
        **out, "id": str(channel.id), "site_ids": [str(site) for site in channel.site_ids], "archived_at": archived,
        "metadata": dict(channel.metadata),
    }  # fmt: skip


def _say(tx: Tx, before: Channel | None, after: Channel) -> None:
    tx.record("channel", after.id, _audited(before) if before else None, _audited(after))
    tx.emit(ChannelChanged(channel_id=after.id, code=after.code, version=after.version))
