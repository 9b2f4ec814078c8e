"""Read-side SQL of places."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.paging import after, cut
from onhand.locations.model import SITE_KINDS, Location, Place
from onhand.locations.store import FIELDS, inside
from onhand.locations.tables import location

_PLACE = [
    location.c[name]
    for name in (
        "id", "code", "name", "path", "kind", "role", "parent_id", "site_id", "sells", "keeps_level", "closed_at",
        "time_zone", "day_start",
    )
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LocationFilter:
    """Which places a list shows. `under` is a place whose subtree is meant; `sites` the sites the caller may see."""

    q: str | None = None
    kind: str | None = None
    role: str | None = None
    site_id: UUID | None = None
    parent_id: UUID | None = None
    under: UUID | None = None
    external_id: str | None = None
    open_only: bool = False
    updated_after: datetime | None = None
    sites: frozenset[UUID] | None = None


def _plain(row: Any) -> dict[str, Any]:
    out = dict(row._mapping)
    out["day_start"] = row.day_start.strftime("%H:%M") if row.day_start is not None else None
    for name in ("latitude", "longitude"):
        out[name] = float(out[name]) if out[name] is not None else None
    return out


def shape(place: Location) -> dict[str, Any]:
    """A place as the API shows it."""
    out = {name: getattr(place, name) for name in Location.__dataclass_fields__}
    out["day_start"] = place.day_start.strftime("%H:%M") if place.day_start is not None else None
    for name in ("latitude", "longitude"):
        out[name] = float(out[name]) if out[name] is not None else None
    return out


def _where(wanted: LocationFilter) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    for name in ("kind", "role", "site_id", "parent_id", "external_id"):
        value = getattr(wanted, name)
        if value is not None:
            where.append(location.c[name] == value)
    if wanted.q:
        like = f"%{wanted.q.replace('%', '').replace('_', '')}%"
        where.append(sa.or_(location.c.path.ilike(like), location.c.name.ilike(like)))
    if wanted.under is not None:
        top = location.alias()
        where.append(
            sa.exists().where(
                top.c.id == wanted.under,
                sa.or_(
                    location.c.path == top.c.path,
                    sa.and_(location.c.path > top.c.path + "/", location.c.path < top.c.path + "0"),
                ),
            )
        )
    if wanted.open_only:
        where.append(location.c.closed_at.is_(None))
    if wanted.updated_after is not None:
        where.append(location.c.updated_at > wanted.updated_after)
    if wanted.sites is not None:
        where.append(
            sa.or_(
                location.c.site_id == sa.any_(sa.literal(list(wanted.sites), sa.ARRAY(sa.Uuid))),
                location.c.site_id.is_(None),
            )
        )
    return where


async def list_locations(
    conn: AsyncConnection, wanted: LocationFilter, *, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of places in path order (parents before their children) and the next cursor. One query."""
    rows = await conn.execute(
        sa.select(*FIELDS)
        .where(*_where(wanted), after([location.c.path], cursor))
        .order_by(location.c.path)
        .limit(limit + 1)
    )
    return cut([_plain(row) for row in rows], limit, ["path"])


async def get_location(conn: AsyncConnection, location_id: UUID) -> dict[str, Any] | None:
    """One place as the API shows it, or None."""
    row = (await conn.execute(sa.select(*FIELDS).where(location.c.id == location_id))).one_or_none()
    return _plain(row) if row is not None else None


async def directory(conn: AsyncConnection) -> dict[UUID, Place]:
    """Every place by id, in path order; a place inside a closed one counts as closed. One query."""
    places: dict[UUID, Place] = {}
    for row in await conn.execute(sa.select(*_PLACE).order_by(location.c.path)):
        above = places.get(row.parent_id)
        places[row.id] = Place(
            id=row.id, code=row.code, name=row.name, path=row.path, kind=row.kind, role=row.role,
            parent_id=row.parent_id, site_id=row.site_id, sells=row.sells, keeps_level=row.keeps_level,
            closed=row.closed_at is not None or (above is not None and above.closed),
            time_zone=row.time_zone, day_start=row.day_start,
        )  # fmt: skip
    return places


async def sites_under(conn: AsyncConnection, location_ids: Collection[UUID]) -> frozenset[UUID]:
    """The sites at or below the given places: what an assignment to those places covers. A place inside a site covers none."""
    if not location_ids:
        return frozenset()
    top = location.alias()
    rows = await conn.execute(
        sa.select(location.c.id).where(
            location.c.kind.in_(sorted(SITE_KINDS)),
            sa.exists().where(
                top.c.id == sa.any_(sa.literal(list(location_ids), sa.ARRAY(sa.Uuid))),
                sa.or_(
                    location.c.path == top.c.path,
                    sa.and_(location.c.path > top.c.path + "/", location.c.path < top.c.path + "0"),
                ),
            ),
        )
    )
    return frozenset(rows.scalars())


async def sites_of(conn: AsyncConnection, location_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The site each place lies in (or is); unknown and virtual places are left out. One query."""
    wanted = sa.any_(sa.literal(list(location_ids), sa.ARRAY(sa.Uuid)))
    rows = await conn.execute(
        sa.select(location.c.id, location.c.site_id).where(
            location.c.id == wanted, location.c.site_id.is_not(None)
        )
    )
    return {row.id: row.site_id for row in rows}


async def resolve(conn: AsyncConnection, codes: Collection[str]) -> dict[str, UUID]:
    """Places by what people write: the full path ("S01/BACK"), or a code only one place has. Unknown and ambiguous codes
    are left out. One query.
    """
    wanted = sa.literal(sorted(set(codes)), sa.ARRAY(sa.Text))
    rows = list(
        await conn.execute(
            sa.select(location.c.id, location.c.path, location.c.code, location.c.closed_at).where(
                sa.or_(location.c.path == sa.any_(wanted), location.c.code == sa.any_(wanted))
            )
        )
    )
    by_code: dict[str, list[UUID]] = {}
    for row in sorted(rows, key=lambda row: row.closed_at is not None):
        if (
            row.closed_at is None or row.code not in by_code
        ):  # open places first: a closed one has its code only alone
            by_code.setdefault(row.code, []).append(row.id)
    found = {code: ids[0] for code, ids in by_code.items() if len(ids) == 1}
    found.update({row.path: row.id for row in rows})
    return {code: found[code] for code in codes if code in found}


async def find(
    conn: AsyncConnection, q: str, limit: int, sites: frozenset[UUID] | None
) -> list[dict[str, Any]]:
    """Places for the search box: a code or path that begins so, or a name that contains it."""
    plain = q.strip().replace("\\", "").replace("%", "").replace("_", "\\_")
    if not plain:
        return []
    where = [
        sa.or_(
            location.c.code.ilike(f"{plain}%"),
            location.c.path.ilike(f"{plain}%"),
            location.c.name.ilike(f"%{plain}%"),
        )
    ]
    if sites is not None:
        where.append(location.c.site_id == sa.any_(sa.literal(list(sites), sa.ARRAY(sa.Uuid))))
    rows = await conn.execute(
        sa.select(location.c.id, location.c.path, location.c.name, location.c.kind)
        .where(*where)
        .order_by(
            (sa.func.lower(location.c.code) == plain.lower()).desc(),
            sa.func.length(location.c.path),
            location.c.path,
        )
        .limit(limit)
    )
    return [
        {
            "kind": "location",
            "id": row.id,
            "title": row.name,
            "subtitle": f"{row.path} · {row.kind}",
            "match": "words",
        }
        for row in rows
    ]


async def scan(conn: AsyncConnection, code: str) -> dict[str, Any] | None:
    """The place whose full path, or whose unique code, was scanned."""
    found = (await resolve(conn, [code])).get(code)
    if found is None:
        return None
    place = await get_location(conn, found)
    return None if place is None else {"kind": "location", "id": found, "code": place["code"], "path": place["path"],
                                       "name": place["name"], "site_id": place["site_id"]}  # fmt: skip


__all__ = [
    "LocationFilter",
    "directory",
    "find",
    "get_location",
    "inside",
    "list_locations",
    "resolve",
    "scan",
    "shape",
    "sites_of",
    "sites_under",
]
