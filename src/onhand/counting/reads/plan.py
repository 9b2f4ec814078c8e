"""The plan of a site: what is due, how much a day, and whether the capacity holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import locations
from onhand.counting import store
from onhand.counting.model import CLASSES, Shelf, capacity_of, due_on, overload, per_day, plan_days
from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.locations import Place

HORIZON = 14
"""Days ahead that the plan shows."""


async def shelves(conn: AsyncConnection, site: Place) -> tuple[list[Shelf], dict[UUID, store.ShelfRow]]:
    """The places of a site as the plan takes them, and their rows; places inside closed ones are left out. Two queries."""
    places = await locations.directory(conn)
    rows = [r for r in await store.shelves_of(conn, site.id) if not places[r.id].closed]
    found = [
        Shelf(
            r.id, r.path, r.count_class, None if r.counted_at is None else locations.today(site, r.counted_at)
        )
        for r in rows
    ]
    return found, {r.id: r for r in rows}


async def get_policy(conn: AsyncConnection) -> dict[str, Any]:
    """The settings of counting as the API shows them."""
    policy, version = await store.get_policy(conn)
    shown = {name: _text(value) for name, value in asdict(policy).items()}
    return shown | {"version": version}


def _text(value: Any) -> Any:
    if value is None or isinstance(value, (int, str)):
        return value
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


async def get_plan(conn: AsyncConnection, site: Place, now: datetime) -> dict[str, Any]:
    """The plan of a site for today and the days ahead. Four queries."""
    policy, _ = await store.get_policy(conn)
    found, rows = await shelves(conn, site)
    capacity = capacity_of(await store.get_capacity(conn, site.id), found, policy.cadence)
    today = locations.today(site, now)
    cadence = policy.cadence
    sizes = Counter(s.count_class for s in found)
    late = Counter(s.count_class for s in found if _overdue(s, cadence, today))
    due = Counter(s.count_class for s in found if _due(s, cadence, today))
    never = Counter(s.count_class for s in found if s.last is None)
    days = plan_days(found, cadence, capacity=capacity, today=today, days=HORIZON)
    return {
        "site_id": site.id, "site_code": site.code, "today": today, "bins": len(found), "bins_per_day": capacity,
        "needed_per_day": per_day(sizes, cadence), "message": overload(sizes, cadence, capacity),
        "due": sum(due.values()), "overdue": sum(late.values()), "never": sum(never.values()),
        "counting": sum(r.busy for r in rows.values()),
        "classes": [
            {
                "count_class": c, "bins": sizes[c], "days": cadence[c], "due": due[c], "overdue": late[c], "never": never[c],
                "needed_per_day": -(-sizes[c] // cadence[c]),
            }
            for c in CLASSES
        ],
        "days": [{"day": d.day, "bins": len(d.shelves), "left_over": len(d.left_over)} for d in days],
    }  # fmt: skip


def _overdue(shelf: Shelf, cadence: dict[str, int], today: date) -> bool:
    due = due_on(shelf, cadence)
    return due is not None and due < today


def _due(shelf: Shelf, cadence: dict[str, int], today: date) -> bool:
    due = due_on(shelf, cadence)
    return due is not None and due <= today


async def list_shelves(
    conn: AsyncConnection, site: Place, now: datetime, *, count_class: str | None, due_only: bool, limit: int,
    cursor: str | None,
) -> tuple[list[dict[str, Any]], str | None]:  # fmt: skip
    """The places of a site with their class and when they are due, the most overdue first. Three queries."""
    policy, _ = await store.get_policy(conn)
    found, rows = await shelves(conn, site)
    today, cadence = locations.today(site, now), policy.cadence
    capacity = capacity_of(await store.get_capacity(conn, site.id), found, cadence)
    planned = {s.id for s in _today(found, cadence, capacity, today)}
    wanted = [
        s
        for s in found
        if (count_class is None or s.count_class == count_class)
        and (not due_only or s.last is None or _due(s, cadence, today))
    ]
    wanted.sort(key=lambda s: _order(s, cadence))
    if cursor is not None:
        behind = tuple(decode_cursor(cursor, [str, str]))
        wanted = [s for s in wanted if _order(s, cadence) > behind]
    page = wanted[:limit]
    following = encode_cursor(_order(page[-1], cadence)) if len(wanted) > limit else None
    return [_shape(s, rows[s.id], cadence, today, planned=s.id in planned) for s in page], following


def _today(found: list[Shelf], cadence: dict[str, int], capacity: int, today: date) -> tuple[Shelf, ...]:
    return plan_days(found, cadence, capacity=capacity, today=today, days=1)[0].shelves


def _order(shelf: Shelf, cadence: dict[str, int]) -> tuple[str, str]:
    due = due_on(shelf, cadence)
    return ("0" if due is None else due.isoformat(), shelf.path)


def _shape(
    shelf: Shelf, row: store.ShelfRow, cadence: dict[str, int], today: date, *, planned: bool
) -> dict[str, Any]:
    due = due_on(shelf, cadence)
    return {
        "location_id": shelf.id, "location_code": row.code, "location_path": shelf.path,
        "count_class": shelf.count_class, "counted_at": row.counted_at, "due_on": due,
        "overdue_days": None if due is None else max(0, (today - due) // timedelta(days=1)),
        "planned_today": planned, "counting": row.busy,
    }  # fmt: skip
