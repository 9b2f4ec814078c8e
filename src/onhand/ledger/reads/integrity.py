"""Whether the books hold together: the stream head, the last verification, the self checks of the last week."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.ledger.reads.common import fetch
from onhand.ledger.self_check import drift_of

_INTEGRITY = """
SELECT h.posting_n, h.event_n, h.last_recorded_at, v.at AS verified_at, v.ok, v.postings, v.moves, v.claims, v.events,
       v.took_ms AS verify_ms, v.checks, v.differences, c.at AS checked_at, c.levels, c.site_levels, c.skipped, c.drift,
       c.took_ms AS check_ms, c.differences AS check_differences,
       (SELECT count(*) FROM exception WHERE state = 'open') AS open_exceptions
  FROM stream_head h LEFT JOIN LATERAL (SELECT * FROM verification ORDER BY at DESC LIMIT 1) v ON true
  LEFT JOIN LATERAL (SELECT * FROM self_check ORDER BY at DESC LIMIT 1) c ON true
"""
_HOURS = """
SELECT date_trunc('hour', at) AS at, count(*) AS checks, sum(levels + site_levels)::bigint AS cells, max(drift) AS drift
  FROM self_check WHERE at > clock_timestamp() - interval '7 days' GROUP BY 1 ORDER BY 1
"""


async def integrity(conn: AsyncConnection) -> dict[str, Any]:
    """The stream head, what the last verification and self check found, and the week by the hour.

    `drift` counts rows known to differ now (None: never looked).
    """
    row = (await fetch(conn, _INTEGRITY, {}))[0]
    verified = checked = None
    if row.verified_at is not None:
        verified = {
            "at": row.verified_at, "ok": row.ok, "postings": row.postings, "moves": row.moves, "claims": row.claims,
            "events": row.events, "took_ms": row.verify_ms, "checks": row.checks, "differences": row.differences,
        }  # fmt: skip
    if row.checked_at is not None:
        checked = {
            "at": row.checked_at, "levels": row.levels, "site_levels": row.site_levels, "skipped": row.skipped,
            "drift": row.drift, "took_ms": row.check_ms, "differences": row.check_differences,
        }  # fmt: skip
    hours = await fetch(conn, _HOURS, {})
    return {
        "drift": drift_of(row),
        "head": {
            "posting_n": str(row.posting_n),
            "event_n": str(row.event_n),
            "recorded_at": row.last_recorded_at,
        },
        "last_verify": verified,
        "self_check": checked,
        "hours": [{"at": h.at, "checks": h.checks, "cells": h.cells, "drift": h.drift} for h in hours],
        "open_exceptions": row.open_exceptions,
    }
