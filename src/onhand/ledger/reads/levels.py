"""Levels: what lies in which place, now or at an instant of the world as known at an instant of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.ids import NIL
from onhand.kit.problem import InvalidBody
from onhand.ledger.reads.common import (
    Scope,
    condition_name,
    fetch,
    in_scope,
    inside,
    page_of,
    row_after,
    scope_param,
    shown,
)

Rollup = Literal["site", "tree", "place"]
Rows = tuple[list[dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelFilter:
    """Which levels. `location_id` means the place and everything in it.

    `rollup` adds up: `site` a row per variant and site, `tree` a row per variant and place at every height, `place` a row
    per variant for `location_id`. `as_of`: what had happened by then; `as_known_at`: of that, what was recorded by then.
    """

    variant_id: UUID | None = None
    sku: str | None = None
    location_id: UUID | None = None
    site_id: UUID | None = None
    condition: int | None = None
    rollup: Rollup | None = None
    as_of: datetime | None = None
    as_known_at: datetime | None = None
    scope: Scope = None

    @property
    def past(self) -> bool:
        """Whether the levels of another instant are asked for."""
        return self.as_of is not None or self.as_known_at is not None


def _moved(side: str) -> str:
    return (
        f"coalesce((SELECT sum(m.quantity) FROM move m WHERE m.variant = l.variant AND m.{side}_location = l.location"
        f" AND m.{side}_kept AND m.lot = l.lot AND m.{side}_condition = l.condition"
        " AND m.happened_at <= CAST(:as_of AS timestamptz) AND m.recorded_at <= CAST(:known AS timestamptz)), 0)"
    )


_PAST = f"({_moved('to')} - {_moved('from')})"
_NAMES = "l.variant AS variant_id, v.sku, v.unit, v.decimals"
_BINS = (
    "SELECT {names}, p.id AS location_id, p.code AS location_code, p.path, p.site_id, l.lot, o.code AS lot_code, l.condition,"
    " {on_hand} AS on_hand, l.allocated, l.overdrawn"
    " FROM level l JOIN variant v ON v.id = l.variant JOIN location p ON p.id = l.location LEFT JOIN lot o ON o.id = l.lot"
    " WHERE {where} ORDER BY v.sku, p.path, l.lot, l.condition LIMIT :limit"
)
_ROLLED = (
    "SELECT {names}, a.id AS location_id, a.code AS location_code, a.path, a.site_id, sum({on_hand})::bigint AS on_hand,"
    " sum(l.allocated)::bigint AS allocated, sum(l.overdrawn)::bigint AS overdrawn"
    " FROM level l JOIN variant v ON v.id = l.variant JOIN location p ON p.id = l.location JOIN location a ON {above}"
    " WHERE {where} GROUP BY l.variant, v.sku, v.unit, v.decimals, a.id, a.code, a.path, a.site_id"
    " ORDER BY v.sku, a.path LIMIT :limit"
)
_ABOVE = {"site": "a.id = p.site_id", "tree": inside("p", "a"), "place": "a.id = CAST(:location_id AS uuid)"}


def _where(wanted: LevelFilter, parameters: dict[str, Any]) -> list[str]:
    where = [in_scope("p.site_id")]
    parameters["scope"] = scope_param(wanted.scope)
    for name, clause in (
        ("variant_id", "l.variant = CAST(:variant_id AS uuid)"),
        ("sku", "v.sku = CAST(:sku AS text)"),
        ("site_id", "p.site_id = CAST(:site_id AS uuid)"),
        ("condition", "l.condition = CAST(:condition AS smallint)"),
        ("location_id", f"p.id IN (SELECT b.id FROM location t JOIN location b ON {inside('b', 't')}"
                        " WHERE t.id = CAST(:location_id AS uuid))"),
    ):  # fmt: skip
        value = getattr(wanted, name)
        if value is not None:
            parameters[name] = value
            where.append(clause)
    return where


def _check(wanted: LevelFilter) -> None:
    if wanted.rollup == "place" and wanted.location_id is None:
        raise InvalidBody("To add up a place, name it in location_id.", param="location_id")
    if wanted.rollup == "tree" and wanted.variant_id is None and wanted.sku is None:
        raise InvalidBody(
            "To add up the whole tree, name one variant by variant_id or sku.", param="variant_id"
        )


async def list_levels(conn: AsyncConnection, wanted: LevelFilter, *, limit: int, cursor: str | None) -> Rows:
    """A page of levels in order of SKU and place, and the next cursor. One query.

    Levels of another instant are summed from the moves of each level on the page; what was allocated then is not known.
    Raises InvalidBody for a roll-up that does not say of what.
    """
    _check(wanted)
    parameters: dict[str, Any] = {"limit": limit + 1}
    where = _where(wanted, parameters)
    parameters["as_of"] = wanted.as_of or "infinity"
    parameters["known"] = wanted.as_known_at or "infinity"
    on_hand = _PAST if wanted.past else "l.on_hand"
    if wanted.rollup is None:
        order = [("v.sku", "text"), ("p.path", "text"), ("l.lot", "uuid"), ("l.condition", "smallint")]
        keys = ["sku", "path", "lot", "condition"]
        template = _BINS
    else:
        order, keys, template = [("v.sku", "text"), ("a.path", "text")], ["sku", "path"], _ROLLED
    where.append(row_after(order, cursor, parameters))
    above = _ABOVE[wanted.rollup] if wanted.rollup else ""
    sql = template.format(names=_NAMES, on_hand=on_hand, where=" AND ".join(where), above=above)
    rows, following = page_of(await fetch(conn, sql, parameters), limit, keys)
    return [_shape(row, wanted) for row in rows], following


def _shape(row: Any, wanted: LevelFilter) -> dict[str, Any]:
    rolled = wanted.rollup is not None
    past = wanted.past
    overdrawn = max(0, -row.on_hand) if past else row.overdrawn
    return {
        "variant_id": row.variant_id, "sku": row.sku, "unit": row.unit,
        "location_id": row.location_id, "location_code": row.location_code,
        "location_path": row.path, "site_id": row.site_id,
        "lot_id": None if rolled or row.lot == NIL else row.lot,
        "lot_code": None if rolled else row.lot_code,
        "condition": None if rolled else condition_name(row.condition),
        "on_hand": shown(row.on_hand, row.decimals),
        "allocated": None if past else shown(row.allocated, row.decimals),
        "overdrawn": shown(overdrawn, row.decimals),
    }  # fmt: skip
