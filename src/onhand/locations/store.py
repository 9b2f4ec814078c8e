"""Write-side SQL of places."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.problem import Conflict, IdReused, Problem
from onhand.locations.model import Location, LocationCodeTaken
from onhand.locations.tables import location

FIELDS = [location.c[name] for name in Location.__dataclass_fields__]
_TREE_LOCK = 0x6C6F63  # "loc"


async def lock_tree(conn: AsyncConnection) -> None:
    """Lets one transaction at a time change the tree: paths of whole subtrees depend on each other."""
    await conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TREE_LOCK})


async def get(conn: AsyncConnection, location_id: UUID) -> Location | None:
    """One place, or None."""
    row = (await conn.execute(sa.select(*FIELDS).where(location.c.id == location_id))).one_or_none()
    return Location(*row) if row is not None else None


async def all_by_path(conn: AsyncConnection) -> dict[str, Location]:
    """The whole tree by path, parents before children."""
    return {
        row.path: Location(*row) for row in await conn.execute(sa.select(*FIELDS).order_by(location.c.path))
    }


def inside(path: str) -> sa.ColumnElement[bool]:
    """The place at `path` and everything below it. In collation C "0" follows "/", so the subtree is one index range."""
    return sa.or_(
        location.c.path == path, sa.and_(location.c.path > f"{path}/", location.c.path < f"{path}0")
    )


async def subtree(conn: AsyncConnection, path: str) -> list[Location]:
    """The place at a path and all places below it, parents first."""
    return [
        Location(*row)
        for row in await conn.execute(sa.select(*FIELDS).where(inside(path)).order_by(location.c.path))
    ]


def _clash(error: IntegrityError) -> Problem:
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
    if name == "location_pkey":
        return IdReused(param="id")
    if name == "location_path_key":
        return LocationCodeTaken(param="code")
    if name == "location_external_id_key":
        return Conflict(
            "Another place has this external_id. Leave it empty or use its own.", param="external_id"
        )
    raise error


def _values(place: Location) -> dict[str, Any]:
    return {name: getattr(place, name) for name in Location.__dataclass_fields__}


async def insert(conn: AsyncConnection, places: Sequence[Location]) -> None:
    """Writes new places, parents first. Raises IdReused, LocationCodeTaken or Conflict (external_id)."""
    if not places:
        return
    try:
        await conn.execute(sa.insert(location), [_values(place) for place in places])
    except IntegrityError as error:
        raise _clash(error) from error


async def update(conn: AsyncConnection, places: Sequence[Location]) -> None:
    """Rewrites places as given (the caller raised `version`). Raises like `insert`."""
    if not places:
        return
    names = [name for name in Location.__dataclass_fields__ if name != "id"]
    statement = (
        sa.update(location)
        .where(location.c.id == sa.bindparam("key"))
        .values({**{name: sa.bindparam(f"new_{name}", type_=location.c[name].type) for name in names},
                 "updated_at": sa.func.clock_timestamp()})
    )  # fmt: skip
    rows = [{"key": place.id, **{f"new_{name}": getattr(place, name) for name in names}} for place in places]
    try:
        await conn.execute(statement, rows)
    except IntegrityError as error:
        raise _clash(error) from error
