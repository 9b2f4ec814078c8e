"""Everything that is derived from the ledger, computed again and put right: what `onhand rebuild` does.

Levels, site levels, serial numbers on hand, which postings were reversed, and the stream head's numbers follow from postings, moves and claims alone.
`allocated` does not (bins chosen by people and plans) and is kept. What the ledger itself has lost cannot be rebuilt;
`onhand verify` names it, a backup brings it back. The application may not write these tables, so this runs as the owner.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from onhand.kit.tx import Tx
from onhand.ledger.verify import SETTINGS

_LOCKS = (
    "LOCK TABLE level IN SHARE ROW EXCLUSIVE MODE",
    "LOCK TABLE site_level IN SHARE ROW EXCLUSIVE MODE",
    "LOCK TABLE stream_head IN SHARE ROW EXCLUSIVE MODE",
)
"""In the order of all locks: levels, site levels, the head. Readers go on; who posts waits until it is done."""


@dataclass(frozen=True, slots=True)
class Mending:
    """One value put right, or to be put right."""

    table: str
    row: str
    column: str
    was: str
    now: str


_LEVELS = """
CREATE TEMP TABLE rebuilt_level ON COMMIT DROP AS
SELECT variant, location, lot, condition, coalesce(e.n, 0)::bigint AS on_hand, greatest(0, -coalesce(e.n, 0))::bigint AS overdrawn,
       l.on_hand AS was_on_hand, l.overdrawn AS was_overdrawn
  FROM (SELECT variant, location, lot, condition, sum(quantity) AS n FROM ledger_entry WHERE kept
         GROUP BY variant, location, lot, condition) e
  FULL JOIN level l USING (variant, location, lot, condition)
 WHERE (coalesce(e.n, 0), greatest(0, -coalesce(e.n, 0))) IS DISTINCT FROM (coalesce(l.on_hand, 0)::numeric, coalesce(l.overdrawn, 0)::numeric)
"""
_SITES = """
CREATE TEMP TABLE rebuilt_site_level ON COMMIT DROP AS
SELECT variant, site, coalesce(h.n, 0)::bigint AS sellable, coalesce(r.n, 0)::bigint AS reserved,
       greatest(0, coalesce(r.n, 0) - coalesce(h.n, 0))::bigint AS overdrawn,
       s.sellable AS was_sellable, s.reserved AS was_reserved, s.overdrawn AS was_overdrawn
  FROM (SELECT e.variant, p.site_id AS site, sum(e.quantity) AS n FROM ledger_entry e JOIN location p ON p.id = e.location
         WHERE e.kept AND p.sells AND e.condition = 0 GROUP BY e.variant, p.site_id) h
  FULL JOIN (SELECT variant, site, sum(quantity) AS n FROM claim GROUP BY variant, site) r USING (variant, site)
  FULL JOIN site_level s USING (variant, site)
 WHERE (coalesce(h.n, 0), coalesce(r.n, 0), greatest(0, coalesce(r.n, 0) - coalesce(h.n, 0)))
       IS DISTINCT FROM (coalesce(s.sellable, 0)::numeric, coalesce(s.reserved, 0)::numeric, coalesce(s.overdrawn, 0)::numeric)
"""
_REVERSALS = """
CREATE TEMP TABLE rebuilt_reversal ON COMMIT DROP AS
SELECT coalesce(p.reverses, r.original) AS original, p.id AS by, r.by AS was_by
  FROM (SELECT DISTINCT ON (reverses) id, reverses FROM posting WHERE reverses IS NOT NULL ORDER BY reverses, seq) p
  FULL JOIN reversal r ON r.original = p.reverses WHERE p.id IS DISTINCT FROM r.by
"""
_SERIALS = """
CREATE TEMP TABLE rebuilt_serial ON COMMIT DROP AS
SELECT lot, coalesce(e.n, 0)::bigint AS on_hand, s.on_hand AS was_on_hand
  FROM (SELECT m.lot, sum(m.quantity) AS n FROM ledger_entry m JOIN lot o ON o.id = m.lot AND o.kind = 'serial'
         WHERE m.kept GROUP BY m.lot) e
  FULL JOIN serial s USING (lot) WHERE coalesce(e.n, 0) <> coalesce(s.on_hand, 0)
"""
_HEAD = """
CREATE TEMP TABLE rebuilt_head ON COMMIT DROP AS
SELECT coalesce(p.n, 0) AS posting_n, coalesce(e.n, h.event_n) AS event_n,
       h.posting_n AS was_posting_n, h.event_n AS was_event_n
  FROM stream_head h, (SELECT max(seq) AS n FROM posting) p, (SELECT max(event_n) AS n FROM outbox) e
 WHERE h.posting_n < coalesce(p.n, 0) OR h.event_n < coalesce(e.n, 0)
"""
"""The head only ever grows: numbers given to postings that are gone are not given again."""
_SHOWN = """
SELECT 'level' AS tab, 'variant ' || variant || ' location ' || location || ' lot ' || lot || ' condition ' || condition AS row,
       c.col, coalesce(c.was::text, 'none') AS was, c.now::text AS now
  FROM rebuilt_level CROSS JOIN LATERAL (VALUES ('on_hand', was_on_hand, on_hand), ('overdrawn', was_overdrawn, overdrawn)) AS c(col, was, now)
 WHERE c.was IS DISTINCT FROM c.now
UNION ALL
SELECT 'site_level', 'variant ' || variant || ' site ' || site, c.col, coalesce(c.was::text, 'none'), c.now::text
  FROM rebuilt_site_level CROSS JOIN LATERAL (VALUES ('sellable', was_sellable, sellable), ('reserved', was_reserved, reserved),
                                                     ('overdrawn', was_overdrawn, overdrawn)) AS c(col, was, now)
 WHERE c.was IS DISTINCT FROM c.now
UNION ALL
SELECT 'serial', 'lot ' || lot, 'on_hand', coalesce(was_on_hand::text, 'none'), on_hand::text FROM rebuilt_serial
UNION ALL
SELECT 'reversal', 'posting ' || original, 'by', coalesce(was_by::text, 'none'), coalesce(by::text, 'none') FROM rebuilt_reversal
UNION ALL
SELECT 'stream_head', 'stream_head', c.col, c.was::text, c.now::text
  FROM rebuilt_head CROSS JOIN LATERAL (VALUES ('posting_n', was_posting_n, greatest(was_posting_n, posting_n)),
                                               ('event_n', was_event_n, greatest(was_event_n, event_n))) AS c(col, was, now)
 WHERE c.was <> c.now
"""
_WRITE = (
    """INSERT INTO level (variant, location, lot, condition, on_hand, overdrawn)
       SELECT variant, location, lot, condition, on_hand, overdrawn FROM rebuilt_level
       ON CONFLICT (variant, location, lot, condition) DO UPDATE SET on_hand = excluded.on_hand, overdrawn = excluded.overdrawn""",
    """INSERT INTO site_level (variant, site, sellable, reserved, overdrawn)
       SELECT variant, site, sellable, reserved, overdrawn FROM rebuilt_site_level
       ON CONFLICT (variant, site) DO UPDATE SET sellable = excluded.sellable, reserved = excluded.reserved, overdrawn = excluded.overdrawn""",
    """INSERT INTO serial (lot, on_hand) SELECT lot, on_hand FROM rebuilt_serial
       ON CONFLICT (lot) DO UPDATE SET on_hand = excluded.on_hand""",
    "DELETE FROM reversal r USING rebuilt_reversal b WHERE b.original = r.original",
    "INSERT INTO reversal (original, by) SELECT original, by FROM rebuilt_reversal WHERE by IS NOT NULL",
    """UPDATE stream_head h SET posting_n = greatest(h.posting_n, b.posting_n), event_n = greatest(h.event_n, b.event_n)
       FROM rebuilt_head b""",
)
_SETTLE = """
UPDATE exception SET state = 'resolved', resolved_at = :at, resolved_by = :by, resolution = 'Rebuilt from the ledger.'
 WHERE state = 'open' AND kind = 'drift'
"""


async def rebuild(tx: Tx) -> list[Mending]:
    """Put everything derived right, within one transaction of the owner, under locks that stop posting until it ends.

    Returns every value that changed. To see what would change, let the transaction roll back. Open exceptions of kind drift
    are settled. Raises what the database raises, InsufficientPrivilege for the application role.
    """
    for statement in (*_LOCKS, *(f"SET LOCAL {setting}" for setting in SETTINGS)):
        await tx.conn.execute(sa.text(statement))
    for statement in (_LEVELS, _SITES, _SERIALS, _REVERSALS, _HEAD):
        await tx.conn.execute(sa.text(statement))
    mendings = [Mending(*row) for row in await tx.conn.execute(sa.text(_SHOWN + " ORDER BY 1, 2, 3"))]
    await tx.conn.execute(sa.text("SET LOCAL enable_indexscan = on"))
    for statement in _WRITE:
        await tx.conn.execute(sa.text(statement))
    await tx.conn.execute(sa.text(_SETTLE), {"at": tx.now, "by": tx.actor.id})
    if mendings:
        counts: dict[str, int] = {}
        for mending in mendings:
            counts[mending.table] = counts.get(mending.table, 0) + 1
        tx.record("ledger", "rebuild", None, dict(counts))
    return mendings
