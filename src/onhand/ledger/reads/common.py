"""What the ledger's reads share: where a caller may look, whom an id stands for, and how values are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.ids import NIL
from onhand.kit.paging import decode_cursor, encode_cursor
from onhand.kit.tx import SYSTEM
from onhand.ledger.model import Condition
from onhand.values import Money, format_cost, format_units

Scope = frozenset[UUID] | None
"""The sites a caller may see; None: everywhere."""


def in_scope(column: str) -> str:
    """The one row filter of the ledger: the site in `column` is one the caller may see. Needs the parameter `scope`.

    What belongs to no site (transit, virtual places) is seen only by who may see everywhere.
    """
    return f"(CAST(:scope AS uuid[]) IS NULL OR {column} = ANY(CAST(:scope AS uuid[])))"


def scope_param(scope: Scope) -> list[UUID] | None:
    """The value of the parameter `scope`."""
    return None if scope is None else sorted(scope)


def inside(place: str, top: str) -> str:
    """The place of one alias is the place of another, or in it."""
    return f"({place}.path = {top}.path OR ({place}.path > {top}.path || '/' AND {place}.path < {top}.path || '0'))"


ACTOR = "coalesce(au.name, ak.name) AS actor_name, CASE WHEN au.id IS NOT NULL THEN 'user' WHEN ak.id IS NOT NULL THEN 'key' END AS actor_kind"
"""Columns that name an actor; needs `join_actor`."""


def join_actor(column: str) -> str:
    """Joins the person or key an id stands for."""
    return f"LEFT JOIN app_user au ON au.id = {column} LEFT JOIN api_key ak ON ak.id = {column}"


def actor_of(actor: UUID, name: str | None, kind: str | None) -> dict[str, Any]:
    """Who acted, as answers show it."""
    if actor == NIL:
        return {"id": NIL, "kind": SYSTEM.kind, "name": SYSTEM.name}
    return {"id": actor, "kind": kind or "user", "name": name or ""}


def condition_name(number: int) -> str:
    """The word of a stored condition."""
    return Condition(number).name


def shown(units: int | None, decimals: int) -> str:
    """A count of smallest units as decimal text; nothing counts as zero."""
    return format_units(int(units or 0), decimals)


def price_of(minor: int | None, currency: str | None) -> dict[str, str] | None:
    """An amount in minor units as answers show money."""
    return (
        None
        if minor is None or currency is None
        else {"amount": Money(minor, currency).amount, "currency": currency}
    )


def cost_of(cost: Any, currency: str | None) -> dict[str, str] | None:
    """A unit cost as answers show money."""
    return None if cost is None or currency is None else {"amount": format_cost(cost), "currency": currency}


async def fetch(conn: AsyncConnection, sql: str, parameters: dict[str, Any]) -> list[Any]:
    """Rows of a statement; parameters it does not name are left away."""
    return list(await conn.execute(sa.text(sql), parameters))


_PYTHON: dict[str, type] = {
    "text": str,
    "bigint": int,
    "smallint": int,
    "int": int,
    "uuid": UUID,
    "timestamptz": datetime,
}


def row_after(columns: Sequence[tuple[str, str]], cursor: str | None, parameters: dict[str, Any]) -> str:
    """The condition that continues behind a cursor, over (expression, SQL type) columns in ascending order.

    Its leading column is bounded on its own too, so that an index on it serves.
    """
    if cursor is None:
        return "true"
    values = decode_cursor(cursor, [_PYTHON[kind] for _, kind in columns])
    for n, value in enumerate(values):
        parameters[f"after_{n}"] = value
    rights = [f"CAST(:after_{n} AS {kind})" for n, (_, kind) in enumerate(columns)]
    lefts = ", ".join(expression for expression, _ in columns)
    return f"{columns[0][0]} >= {rights[0]} AND ({lefts}) > ({', '.join(rights)})"


def page_of(rows: Sequence[Any], limit: int, keys: Sequence[str]) -> tuple[list[Any], str | None]:
    """Given `limit + 1` rows, the page and the next cursor."""
    if len(rows) <= limit:
        return list(rows), None
    last = rows[limit - 1]
    return list(rows[:limit]), encode_cursor([getattr(last, key) for key in keys])
