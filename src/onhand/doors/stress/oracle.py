"""What the books must say after anything happened, asked in plain SQL that shares nothing with `onhand verify`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import psycopg

CHECKS: Mapping[str, str] = {
    "postings are numbered densely": "SELECT count(*), coalesce(max(seq), 0) FROM posting HAVING count(*) <> coalesce(max(seq), 0)"
    " OR count(DISTINCT seq) <> count(*)",
    "the head knows the last posting": "SELECT h.posting_n, p.n FROM stream_head h,"
    " (SELECT coalesce(max(seq), 0) AS n FROM posting) p WHERE h.posting_n <> p.n",
    "events are numbered densely": "SELECT count(*), h.event_n FROM outbox, stream_head h GROUP BY h.event_n"
    " HAVING count(*) <> h.event_n OR max(outbox.event_n) <> h.event_n",
    "a posting id acts once": "SELECT id FROM posting GROUP BY id HAVING count(*) > 1",
    "each posting has its key": "SELECT p.id FROM posting p FULL JOIN posting_key k USING (id)"
    " WHERE p.id IS NULL OR k.id IS NULL OR p.seq <> k.seq",
    "levels are the sum of entries": "SELECT variant, location, lot, condition, coalesce(l.on_hand, 0), coalesce(e.sum, 0) FROM level l"
    " FULL JOIN (SELECT variant, location, lot, condition, sum(quantity) FROM ledger_entry WHERE kept GROUP BY 1, 2, 3, 4) e"
    " USING (variant, location, lot, condition) WHERE coalesce(l.on_hand, 0) <> coalesce(e.sum, 0)",
    "site levels are the sum of sellable levels": "SELECT s.variant, s.site FROM site_level s JOIN (SELECT l.variant, p.site_id,"
    " sum(l.on_hand) AS n FROM level l JOIN location p ON p.id = l.location WHERE p.sells AND l.condition = 0 GROUP BY 1, 2) x"
    " ON x.variant = s.variant AND x.site_id = s.site WHERE x.n <> s.sellable",
    "overdrawn is what is missing": "SELECT variant, site FROM site_level WHERE overdrawn <> greatest(0, reserved - sellable)",
    "each sale has its posting": "SELECT s.id FROM sale s FULL JOIN (SELECT source_id AS id FROM posting WHERE kind = 'sell') p"
    " USING (id) WHERE s.id IS NULL OR p.id IS NULL",
    "each sale has its event": "SELECT s.id FROM sale s LEFT JOIN outbox o ON o.type = 'sale.completed'"
    " AND o.subject = 'sale/' || s.id GROUP BY s.id HAVING count(o.*) <> 1",
    "each sale has its line": "SELECT s.id FROM sale s LEFT JOIN sale_line l ON l.sale = s.id GROUP BY s.id, s.line_count"
    " HAVING count(l.*) <> s.line_count",
}


def differences(conn: psycopg.Connection[Any], acknowledged: Collection[UUID]) -> list[str]:
    """What is wrong, in words; nothing when the books are right and hold every acknowledged posting exactly once."""
    found = []
    for name, query in CHECKS.items():
        rows = conn.execute(query.encode()).fetchmany(3)
        if rows:
            found.append(f"not so: {name}: {rows}")
    asked = list(acknowledged)
    rows = conn.execute(
        "SELECT a.id, count(p.id) FROM unnest(%s::uuid[]) AS a(id) LEFT JOIN posting p ON p.id = a.id"
        " GROUP BY a.id HAVING count(p.id) <> 1",
        (asked,),
    ).fetchall()
    if rows:
        found.append(f"{len(rows)} of {len(asked)} acknowledged postings are lost or doubled: {rows[:3]}")
    return found
