"""Write-side SQL of counting: settings, classes, sheets, what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.counting.model import Policy
from onhand.counting.tables import (
    bin_count,
    count_capacity,
    count_class,
    count_cover,
    count_entry,
    count_place,
    count_policy,
    count_sheet,
    counted_level,
)

_POLICY_FIELDS = tuple(f.name for f in fields(Policy))


async def get_policy(conn: AsyncConnection, *, lock: bool = False) -> tuple[Policy, int]:
    """The settings of counting and their version; the defaults have version 0."""
    query = sa.select(count_policy)
    row = (await conn.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        return Policy(), 0
    return Policy(**{name: getattr(row, name) for name in _POLICY_FIELDS}), row.version


async def save_policy(conn: AsyncConnection, policy: Policy, version: int) -> None:
    """Write the settings as a version."""
    values = {name: getattr(policy, name) for name in _POLICY_FIELDS} | {"version": version}
    statement = pg.insert(count_policy).values(one=1, **values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["one"], set_=values))


async def save_capacity(conn: AsyncConnection, site: UUID, bins_per_day: int) -> None:
    """How many places a site counts a day."""
    statement = pg.insert(count_capacity).values(site=site, bins_per_day=bins_per_day)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["site"],
            set_={"bins_per_day": bins_per_day, "version": count_capacity.c.version + 1},
        )
    )


async def get_capacity(conn: AsyncConnection, site: UUID) -> int | None:
    """How many places a site counts a day; None while nobody said."""
    found = await conn.execute(sa.select(count_capacity.c.bins_per_day).where(count_capacity.c.site == site))
    return found.scalar_one_or_none()


_VALUE_MOVED = sa.text(
    "SELECT p.site_id AS site, m.variant, sum(m.quantity * coalesce(v.cost, 0) / power(10::numeric, v.decimals)) AS value"
    " FROM move m JOIN variant v ON v.id = m.variant JOIN location p ON p.id = m.from_location"
    " JOIN location t ON t.id = m.to_location"
    " WHERE m.recorded_at >= :since AND m.happened_at >= :since AND m.from_kept AND p.site_id IS NOT NULL"
    " AND t.site_id IS DISTINCT FROM p.site_id AND t.kind NOT IN ('adjustment', 'scrap', 'supplier', 'lot_assignment')"
    " GROUP BY p.site_id, m.variant"
)


async def value_moved(conn: AsyncConnection, since: datetime) -> dict[UUID, dict[UUID, Decimal]]:
    """What left each site since an instant, at cost: site → variant → value. One pass over the moves of that time."""
    await conn.execute(sa.text("SET LOCAL statement_timeout = '30min'"))
    out: dict[UUID, dict[UUID, Decimal]] = {}
    for row in await conn.execute(_VALUE_MOVED, {"since": since}):
        out.setdefault(row.site, {})[row.variant] = Decimal(row.value)
    return out


async def replace_classes(
    conn: AsyncConnection, site: UUID, classes: Sequence[tuple[UUID, str, Decimal]], at: datetime
) -> None:
    """The classes of a site anew; a variant without a row is of class C."""
    await conn.execute(sa.delete(count_class).where(count_class.c.site == site))
    rows = [{"site": site, "variant": v, "class": c, "value": x, "made_at": at} for v, c, x in classes]
    for start in range(0, len(rows), 5_000):
        await conn.execute(sa.insert(count_class), rows[start : start + 5_000])


async def insert_sheet(
    conn: AsyncConnection, values: dict[str, Any], bins: Sequence[dict[str, Any]]
) -> list[UUID]:
    """A sheet with its bins; answers the locations taken. A bin that is being counted already is left out."""
    await conn.execute(sa.insert(count_sheet).values(values))
    statement = (
        pg.insert(bin_count).values(list(bins)).on_conflict_do_nothing().returning(bin_count.c.location)
    )
    return list((await conn.execute(statement)).scalars())


async def get_sheet(conn: AsyncConnection, sheet_id: UUID) -> Any | None:
    """A sheet's row."""
    return (await conn.execute(sa.select(count_sheet).where(count_sheet.c.id == sheet_id))).one_or_none()


@dataclass(frozen=True, slots=True)
class BinCount:
    """The count of one bin, locked."""

    id: UUID
    sheet: UUID
    site: UUID
    location: UUID
    state: str
    round: int
    claimed_by: UUID | None
    entry: UUID | None
    over: bool
    version: int


async def lock_bin_count(conn: AsyncConnection, bin_count_id: UUID) -> BinCount | None:
    """The count of a bin, locked until the transaction ends."""
    columns = [bin_count.c[f.name] for f in fields(BinCount)]
    query = sa.select(*columns).where(bin_count.c.id == bin_count_id).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else BinCount(*row)


async def change_bin_count(conn: AsyncConnection, found: BinCount, at: datetime, **values: Any) -> None:
    """Write the next version of a bin's count."""
    await conn.execute(
        sa.update(bin_count)
        .where(bin_count.c.id == found.id)
        .values(version=found.version + 1, updated_at=at, **values)
    )


async def counters_of(conn: AsyncConnection, bin_count_id: UUID) -> set[UUID]:
    """Who has counted this bin in some round."""
    rows = await conn.execute(sa.select(count_entry.c.actor).where(count_entry.c.bin_count == bin_count_id))
    return set(rows.scalars())


async def find_entry(
    conn: AsyncConnection,
    *,
    entry_id: UUID | None = None,
    bin_count_id: UUID | None = None,
    count_round: int = 0,
) -> Any | None:
    """What somebody counted: by its id, or the one of a bin's round."""
    query = sa.select(count_entry)
    if entry_id is not None:
        query = query.where(count_entry.c.id == entry_id)
    else:
        query = query.where(count_entry.c.bin_count == bin_count_id, count_entry.c.round == count_round)
    return (await conn.execute(query)).one_or_none()


async def insert_entry(conn: AsyncConnection, values: dict[str, Any]) -> None:
    """What somebody counted."""
    await conn.execute(sa.insert(count_entry).values(values))


async def insert_counted(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Levels as they were counted; one that stands there already stays."""
    if rows:
        await conn.execute(pg.insert(counted_level).on_conflict_do_nothing(), list(rows))


async def insert_cover(conn: AsyncConnection, values: dict[str, Any]) -> None:
    """A bin was counted as a whole: what no line names was not there."""
    await conn.execute(pg.insert(count_cover).values(values).on_conflict_do_nothing())


async def place_counted(conn: AsyncConnection, location: UUID, at: datetime) -> None:
    """When a place was last counted."""
    statement = pg.insert(count_place).values(location=location, counted_at=at)
    later = sa.func.greatest(count_place.c.counted_at, statement.excluded.counted_at)
    await conn.execute(
        statement.on_conflict_do_update(index_elements=["location"], set_={"counted_at": later})
    )


async def person_name(conn: AsyncConnection, user_id: UUID) -> str | None:
    """The name of an active person."""
    rows = await conn.execute(sa.text("SELECT name FROM app_user WHERE id = :id"), {"id": user_id})
    name: str | None = rows.scalar_one_or_none()
    return name


@dataclass(frozen=True, slots=True)
class Facts:
    """What a variance needs to know of a variant."""

    sku: str
    decimals: int
    cost: Decimal | None
    currency: str | None


async def variant_facts(conn: AsyncConnection, variants: Sequence[UUID]) -> dict[UUID, Facts]:
    """SKU, decimals and cost of some variants."""
    rows = await conn.execute(
        sa.text("SELECT id, sku, decimals, cost, cost_currency FROM variant WHERE id = ANY(:ids)"),
        {"ids": list(variants)},
    )
    return {row.id: Facts(row.sku, row.decimals, row.cost, row.cost_currency) for row in rows}


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """A place of a site as the plan sees it."""

    id: UUID
    path: str
    code: str
    count_class: str
    counted_at: datetime | None
    busy: bool


_SHELVES = sa.text(
    "SELECT p.id, p.path, p.code, coalesce(min(k.class), 'C') AS count_class, c.counted_at,"
    " EXISTS (SELECT FROM bin_count b WHERE b.location = p.id AND b.state IN ('open', 'claimed', 'recount', 'waiting')) AS busy"
    " FROM location p LEFT JOIN count_place c ON c.location = p.id"
    " LEFT JOIN level l ON l.location = p.id AND l.on_hand <> 0"
    " LEFT JOIN count_class k ON k.site = p.site_id AND k.variant = l.variant"
    " WHERE p.site_id = :site AND p.keeps_level AND p.closed_at IS NULL"
    " GROUP BY p.id, p.path, p.code, c.counted_at HAVING count(l.variant) > 0 OR p.kind = 'bin' ORDER BY p.path"
)


async def shelves_of(conn: AsyncConnection, site: UUID) -> list[ShelfRow]:
    """Every place of a site that is counted: its bins, and other places that hold something. The class is that of the best
    variant in it."""
    return [ShelfRow(*row) for row in await conn.execute(_SHELVES, {"site": site})]
