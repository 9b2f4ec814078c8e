"""Sheets and the counts of bins as who counts sees them: blind. No column here knows what the book says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.access import Caller
from onhand.counting.model import TRANSITIONS
from onhand.counting.tables import bin_count as b
from onhand.counting.tables import count_entry as e
from onhand.counting.tables import count_policy as y
from onhand.counting.tables import count_sheet as s
from onhand.kit.paging import after, cut

VERBS = {
    "claim": "stock:count", "release": "stock:count", "submit": "stock:count", "approve": "stock:approve",
    "recount": "stock:approve", "cancel": "counting:write",
}  # fmt: skip
"""Which permission a step needs."""
BUSY = ("open", "claimed", "recount", "waiting")
_PLACE = sa.table("location", sa.column("id"), sa.column("code"), sa.column("path"), sa.column("name"))


def can(caller: Caller, state: str, site: UUID, claimed_by: UUID | None) -> list[str]:
    """The steps this state allows and this caller may do."""
    out = []
    for verb in TRANSITIONS[state]:
        mine = claimed_by in (None, caller.id)
        if verb in ("submit", "release") and not mine and not caller.may("counting:write", site):
            continue
        if verb == "submit" and not mine:
            continue
        if caller.may(VERBS[verb], site):
            out.append(verb)
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class BinFilter:
    """Which counts of bins. `todo`: what can still be counted; `mine`: claimed by this person."""

    bin_count_id: UUID | None = None
    sheet_id: UUID | None = None
    site_id: UUID | None = None
    location_id: UUID | None = None
    state: str | None = None
    todo: bool = False
    mine: UUID | None = None
    scope: frozenset[UUID] | None = None


_SITE = _PLACE.alias("p_site")
_BIN = _PLACE.alias("p_bin")
_COLUMNS = [
    b.c.id, b.c.sheet, s.c.name.label("sheet_name"), s.c.due_on, s.c.created_at, b.c.line, b.c.site,
    _SITE.c.code.label("site_code"), b.c.location, _BIN.c.code.label("location_code"),
    _BIN.c.path.label("location_path"), _BIN.c.name.label("location_name"), b.c.state, b.c.round, b.c.claimed_by,
    b.c.claimed_by_name, b.c.happened_at, b.c.version,
]  # fmt: skip


async def list_bin_counts(
    conn: AsyncConnection, caller: Caller, wanted: BinFilter, *, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Counts of bins, sheet by sheet in the order of walking. One query."""
    keys = [b.c.sheet, b.c.line]
    anyone = sa.select(y.c.recount_by).scalar_subquery() == "anyone"
    counted = sa.exists().where(e.c.bin_count == b.c.id, e.c.actor == caller.id)
    theirs = sa.and_(b.c.round > 1, counted, sa.not_(sa.func.coalesce(anyone, sa.false())))
    query = (
        sa.select(*_COLUMNS, theirs.label("for_another"))
        .select_from(
            b.join(s, s.c.id == b.c.sheet)
            .join(_SITE, _SITE.c.id == b.c.site)
            .join(_BIN, _BIN.c.id == b.c.location)
        )
        .where(after(keys, cursor))
    )
    for column, value in (
        (b.c.id, wanted.bin_count_id), (b.c.sheet, wanted.sheet_id), (b.c.site, wanted.site_id),
        (b.c.location, wanted.location_id), (b.c.state, wanted.state), (b.c.claimed_by, wanted.mine),
    ):  # fmt: skip
        if value is not None:
            query = query.where(column == value)
    if wanted.todo:
        query = query.where(b.c.state.in_(("open", "claimed", "recount")))
    if wanted.scope is not None:
        query = query.where(b.c.site.in_(list(wanted.scope)))
    rows = (await conn.execute(query.order_by(*keys).limit(limit + 1))).all()
    page, following = cut(rows, limit, ["sheet", "line"])
    return [_shape(row, caller) for row in page], following


def _shape(row: Any, caller: Caller) -> dict[str, Any]:
    return {
        "id": row.id, "sheet_id": row.sheet, "sheet_name": row.sheet_name, "due_on": row.due_on, "line": row.line,
        "site_id": row.site, "site_code": row.site_code, "location_id": row.location, "location_code": row.location_code,
        "location_path": row.location_path, "location_name": row.location_name, "state": row.state, "round": row.round,
        "claimed_by": None if row.claimed_by is None else {"id": row.claimed_by, "name": row.claimed_by_name},
        "mine": row.claimed_by == caller.id, "happened_at": row.happened_at, "version": row.version,
        "can": [v for v in can(caller, row.state, row.site, row.claimed_by)
                if not (row.for_another and v in ("claim", "submit"))],
        "for_another": row.for_another,
    }  # fmt: skip


async def get_bin_count(conn: AsyncConnection, caller: Caller, bin_count_id: UUID) -> dict[str, Any] | None:
    """The count of one bin, or None. One query."""
    rows, _ = await list_bin_counts(
        conn,
        caller,
        BinFilter(bin_count_id=bin_count_id, scope=caller.sites("stock:count")),
        limit=1,
        cursor=None,
    )
    return rows[0] if rows else None


def _number(*states: str) -> sa.ColumnElement[int]:
    return sa.func.count(b.c.id).filter(b.c.state.in_(states))


_SHEET = [
    s.c.id, s.c.name, s.c.site, _SITE.c.code.label("site_code"), s.c.due_on, s.c.created_by, s.c.created_by_name,
    s.c.created_at, sa.func.count(b.c.id).label("bins"), _number("open", "claimed", "recount").label("todo"),
    _number("waiting").label("waiting"), _number("posted").label("posted"),
]  # fmt: skip


async def list_sheets(
    conn: AsyncConnection, *, scope: frozenset[UUID] | None, site_id: UUID | None, sheet_id: UUID | None, limit: int,
    cursor: str | None,
) -> tuple[list[dict[str, Any]], str | None]:  # fmt: skip
    """Sheets, the newest first, with how far they are. One query."""
    keys = [s.c.created_at, s.c.id]
    query = (
        sa.select(*_SHEET)
        .select_from(s.join(_SITE, _SITE.c.id == s.c.site).outerjoin(b, b.c.sheet == s.c.id))
        .where(after(keys, cursor, descending=True))
        .group_by(s.c.id, _SITE.c.code)
    )
    if site_id is not None:
        query = query.where(s.c.site == site_id)
    if sheet_id is not None:
        query = query.where(s.c.id == sheet_id)
    if scope is not None:
        query = query.where(s.c.site.in_(list(scope)))
    rows = (await conn.execute(query.order_by(*[k.desc() for k in keys]).limit(limit + 1))).all()
    page, following = cut(rows, limit, ["created_at", "id"])
    return [
        {
            "id": r.id, "name": r.name, "site_id": r.site, "site_code": r.site_code, "due_on": r.due_on,
            "created_by": {"id": r.created_by, "name": r.created_by_name}, "created_at": r.created_at, "bins": r.bins,
            "todo": r.todo, "waiting": r.waiting, "posted": r.posted,
        }
        for r in page
    ], following  # fmt: skip
