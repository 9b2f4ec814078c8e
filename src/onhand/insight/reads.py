"""The overview's queries. Each reads a bounded window by index; the stock's value is remembered for some seconds."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import access, ledger, locations
from onhand.insight.model import minute_series
from onhand.kit.clock import rfc3339
from onhand.values.money import CURRENCY_EXPONENTS
from onhand.values.quantity import format_units

TOP = 20

_TODAY = sa.text("""
SELECT s.site, count(*) FILTER (WHERE s.refund_of IS NULL) AS sales, coalesce(sum(s.units), 0)::bigint AS units,
       coalesce(sum(s.total), 0)::bigint AS revenue, max(s.happened_at) AS last_sale_at
  FROM unnest(CAST(:sites AS uuid[]), CAST(:starts AS timestamptz[])) AS d(site, start)
  JOIN sale s ON s.site = d.site AND s.happened_at >= d.start AND s.state <> 'voided'
 GROUP BY s.site
""")
_LAST_SALE = sa.text("""
SELECT d.site, (SELECT s.happened_at FROM sale s WHERE s.site = d.site ORDER BY s.happened_at DESC LIMIT 1) AS at
  FROM unnest(CAST(:sites AS uuid[])) AS d(site)
""")
_MINUTES = sa.text("""
SELECT date_trunc('minute', recorded_at) AS at, sum(units)::bigint AS units, sum(total)::bigint AS revenue
  FROM sale WHERE recorded_at >= :start AND state <> 'voided' AND site = ANY(CAST(:sites AS uuid[]))
 GROUP BY 1
""")
"""As sales come in, by the database's clock."""
_LATEST = sa.text("SELECT max(happened_at) FROM sale")
_BELOW_MINIMUM = sa.text("""
SELECT m.variant_id, v.sku, v.name, v.unit, v.decimals, m.site_id, p.code AS site_code, m.minimum,
       coalesce(l.sellable, 0) AS sellable, coalesce(l.reserved, 0) AS reserved, count(*) OVER (PARTITION BY m.site_id) AS n
  FROM minimum m JOIN variant v ON v.id = m.variant_id AND v.archived_at IS NULL
  JOIN location p ON p.id = m.site_id LEFT JOIN site_level l ON l.variant = m.variant_id AND l.site = m.site_id
 WHERE m.site_id = ANY(CAST(:sites AS uuid[])) AND coalesce(l.sellable, 0) - coalesce(l.reserved, 0) < m.minimum
 ORDER BY (coalesce(l.sellable, 0) - coalesce(l.reserved, 0))::numeric / m.minimum, v.sku LIMIT :limit
""")
_BELOW_MINIMUM_COUNT = sa.text("""
SELECT m.site_id, count(*) AS n FROM minimum m LEFT JOIN site_level l ON l.variant = m.variant_id AND l.site = m.site_id
 WHERE m.site_id = ANY(CAST(:sites AS uuid[])) AND coalesce(l.sellable, 0) - coalesce(l.reserved, 0) < m.minimum GROUP BY 1
""")
_BELOW_ZERO = sa.text("""
SELECT l.variant AS variant_id, v.sku, v.name, v.unit, v.decimals, l.site AS site_id, p.code AS site_code, NULL::bigint AS minimum,
       l.sellable, l.reserved, count(*) OVER (PARTITION BY l.site) AS n
  FROM (SELECT variant, site FROM exception WHERE state = 'open' AND kind = 'oversold'
         UNION SELECT variant, site FROM backorder) e
  JOIN site_level l ON l.variant = e.variant AND l.site = e.site AND l.overdrawn > 0
  JOIN variant v ON v.id = l.variant JOIN location p ON p.id = l.site
 WHERE l.site = ANY(CAST(:sites AS uuid[]))
 ORDER BY l.overdrawn DESC, v.sku
""")
_VALUE = sa.text("""
SELECT coalesce(sum(l.on_hand * v.cost / power(10::numeric, v.decimals)), 0) AS value
  FROM level l JOIN variant v ON v.id = l.variant JOIN location p ON p.id = l.location
 WHERE l.on_hand > 0 AND v.cost IS NOT NULL AND p.site_id = ANY(CAST(:sites AS uuid[]))
""")
_RECENT = sa.text("""
SELECT s.id, s.number, r.code AS register, s.site, p.code AS site_code, p.name AS site_name, s.happened_at, s.total, s.currency,
       s.units, s.line_count FROM sale s JOIN register r ON r.id = s.register JOIN location p ON p.id = s.site
 WHERE s.site = ANY(CAST(:sites AS uuid[])) ORDER BY s.happened_at DESC, s.id DESC LIMIT :limit
""")
_EXCEPTIONS = sa.text("""
SELECT count(*) FROM exception WHERE state = 'open' AND (site IS NULL OR site = ANY(CAST(:sites AS uuid[])))
""")


@dataclass(slots=True)
class Remembered:
    """Slow sums, remembered for some seconds by scope."""

    values: dict[Any, tuple[float, Any]] = field(default_factory=dict)

    async def get(self, key: Any, seconds: float, load: Any) -> Any:
        """The remembered value, or a fresh one."""
        hit = self.values.get(key)
        if hit is not None and time.monotonic() - hit[0] < seconds:
            return hit[1]
        if len(self.values) > 200:
            self.values.clear()
        value = await load()
        self.values[key] = (time.monotonic(), value)
        return value


REMEMBERED = Remembered()


async def data_clock(conn: AsyncConnection, now: datetime) -> datetime:
    """The instant of the newest sale: where a replayed history stands. `now` while there is none."""
    latest: datetime | None = (await conn.execute(_LATEST)).scalar()
    return min(latest, now) if latest is not None else now


async def overview(
    conn: AsyncConnection,
    *,
    now: datetime,
    clock: datetime,
    since: datetime,
    scope: Collection[UUID] | None,
    costs: bool,
) -> dict[str, Any]:
    """Everything the overview shows, for the sites of a scope (None: all).

    Business days are each site's own; `clock` says which day it is (a replay lags behind `now`). The last hour by minute
    begins at `since` at the earliest: history loaded before it was not sold in these minutes.
    """
    organisation = await access.get_organisation(conn) or {"currency": "EUR"}
    currency = organisation["currency"]
    exponent = CURRENCY_EXPONENTS.get(currency, 2)
    places = await locations.directory(conn)
    sites = {
        p.id: p for p in places.values() if p.is_site and not p.closed and (scope is None or p.id in scope)
    }
    ids = list(sites)
    found = {
        r.at: (r.units, r.revenue)
        for r in await conn.execute(
            _MINUTES, {"sites": ids, "start": max(since, now - timedelta(minutes=60))}
        )
    }

    def money(minor: int) -> dict[str, str]:
        return {"amount": format_units(minor, exponent), "currency": currency}

    starts = [locations.day_bounds(p, locations.today(p, clock))[0] for p in sites.values()]
    today = {r.site: r for r in await conn.execute(_TODAY, {"sites": ids, "starts": starts})}
    return {
        "at": clock,
        "today": {
            "sales": sum(r.sales for r in today.values()),
            "units": sum(r.units for r in today.values()),
            "revenue": money(sum(r.revenue for r in today.values())),
        },
        "minutes": [
            {"at": at, "units": units, "revenue": format_units(revenue, exponent)}
            for at, units, revenue in minute_series(found, until=now)
        ],
        **await _gaps(conn, list(sites.values()), today, money),
        "stock_value": await _stock_value(conn, ids, currency) if costs else None,
        "drift": await ledger.drift(conn),
        "open_exceptions": (await conn.execute(_EXCEPTIONS, {"sites": ids})).scalar_one(),
        "recent_sales": [_recent_shape(r) for r in await conn.execute(_RECENT, {"sites": ids, "limit": TOP})],
    }


async def _gaps(
    conn: AsyncConnection, sites: list[locations.Place], today: Mapping[UUID, Any], money: Any
) -> dict[str, Any]:
    """The stores with their gaps, and the worst gaps."""
    ids = [p.id for p in sites]
    last = {r.site: r.at for r in await conn.execute(_LAST_SALE, {"sites": ids})}
    low = (await conn.execute(_BELOW_MINIMUM, {"sites": ids, "limit": TOP})).all()
    low_count = {r.site_id: r.n for r in await conn.execute(_BELOW_MINIMUM_COUNT, {"sites": ids})}
    zero = (await conn.execute(_BELOW_ZERO, {"sites": ids})).all()
    zero_count = {r.site_id: r.n for r in zero}
    return {
        "sites": [
            _site_shape(p, today.get(p.id), last.get(p.id), low_count, zero_count, money) for p in sites
        ],
        "below_minimum": [_level_shape(r) for r in low],
        "below_zero": [_level_shape(r) for r in zero[:TOP]],
    }


async def _stock_value(conn: AsyncConnection, ids: list[UUID], currency: str) -> dict[str, str]:
    async def load() -> Any:
        return (await conn.execute(_VALUE, {"sites": ids})).scalar_one()

    value = await REMEMBERED.get(("value", frozenset(ids)), 20.0, load)
    return {
        "amount": f"{value:.{CURRENCY_EXPONENTS.get(currency, 2)}f}",
        "currency": currency,
        "basis": "list_cost",
    }


def _site_shape(
    place: locations.Place,
    today: Any,
    last: datetime | None,
    low: Mapping[UUID, int],
    zero: Mapping[UUID, int],
    money: Any,
) -> dict[str, Any]:
    return {
        "site_id": place.id, "code": place.code, "name": place.name, "kind": place.kind,
        "sales": today.sales if today else 0, "units": today.units if today else 0,
        "revenue": money(today.revenue if today else 0), "below_minimum": low.get(place.id, 0),
        "below_zero": zero.get(place.id, 0), "last_sale_at": last,
    }  # fmt: skip


def _level_shape(row: Any) -> dict[str, Any]:
    return {
        "variant_id": row.variant_id, "sku": row.sku, "name": row.name, "unit": row.unit, "site_id": row.site_id,
        "site_code": row.site_code, "available": format_units(row.sellable - row.reserved, row.decimals),
        "sellable": format_units(row.sellable, row.decimals),
        "minimum": None if row.minimum is None else format_units(row.minimum, row.decimals),
    }  # fmt: skip


def _recent_shape(row: Any) -> dict[str, Any]:
    exponent = CURRENCY_EXPONENTS.get(row.currency, 2)
    return {
        "id": row.id, "number": row.number, "register": row.register, "site_id": row.site, "site_code": row.site_code,
        "site_name": row.site_name, "happened_at": rfc3339(row.happened_at), "total": format_units(row.total, exponent),
        "currency": row.currency, "units": row.units, "line_count": row.line_count,
    }  # fmt: skip
