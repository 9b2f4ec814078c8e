"""Do the books hold together? Everything derived is computed again from the lines and compared; each difference is named.

Set-based SQL in one snapshot, so it may run while the lane posts. Documents above register their own sums
(`register_check`): the ledger does not know them.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.tx import Tx

MOST = 200
"""Differences looked for by one check; where there are more, the first speak for all."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What does not agree: `row` and `column` say where, `expected` comes from the lines, `actual` is what is stored."""

    check: str
    table: str
    row: str
    column: str
    expected: str
    actual: str


@dataclass(slots=True)
class Report:
    """What a verification looked at and found. `checks`: differences found by check (at most 200 each)."""

    postings: int = 0
    moves: int = 0
    claims: int = 0
    events: int = 0
    seconds: float = 0.0
    checks: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing differs."""
        return not any(self.checks.values())


Check = Callable[[AsyncConnection], Awaitable[list[Difference]]]
_registered: dict[str, Check] = {}


def register_check(name: str, check: Check) -> None:
    """Add a check of an upper floor: that the sums of its documents equal the moves. Called once at start-up a name."""
    _registered[name] = check


_LEVELS = """
SELECT 'variant ' || variant || ' location ' || location || ' lot ' || lot || ' condition ' || condition AS row, c.col,
       c.expected::text AS expected, c.actual::text AS actual
  FROM (SELECT variant, location, lot, condition, coalesce(e.quantity, 0) AS summed, l.on_hand, l.overdrawn
          FROM (SELECT variant, location, lot, condition, sum(quantity) AS quantity FROM ledger_entry WHERE kept
                 GROUP BY variant, location, lot, condition) e
          FULL JOIN level l USING (variant, location, lot, condition)
         WHERE coalesce(e.quantity, 0) <> coalesce(l.on_hand, 0) OR coalesce(l.overdrawn, 0) <> greatest(0, -coalesce(l.on_hand, 0))
         LIMIT 2000) d
  CROSS JOIN LATERAL (VALUES ('on_hand', summed, on_hand), ('overdrawn', greatest(0, -summed), overdrawn)) AS c(col, expected, actual)
 WHERE c.expected IS DISTINCT FROM c.actual AND NOT (c.actual IS NULL AND c.expected = 0)
"""
_SITES = """
SELECT 'variant ' || variant || ' site ' || site AS row, c.col, c.expected::text AS expected, c.actual::text AS actual
  FROM (SELECT variant, site, coalesce(h.quantity, 0) AS sellable_sum, coalesce(r.quantity, 0) AS reserved_sum,
               s.sellable, s.reserved, s.overdrawn
          FROM (SELECT l.variant, p.site_id AS site, sum(l.on_hand) AS quantity FROM level l JOIN location p ON p.id = l.location
                 WHERE p.sells AND l.condition = 0 GROUP BY l.variant, p.site_id) h
          FULL JOIN (SELECT variant, site, sum(quantity) AS quantity FROM claim GROUP BY variant, site) r USING (variant, site)
          FULL JOIN site_level s USING (variant, site)
         WHERE coalesce(h.quantity, 0) <> coalesce(s.sellable, 0) OR coalesce(r.quantity, 0) <> coalesce(s.reserved, 0)
            OR coalesce(s.overdrawn, 0) <> greatest(0, coalesce(s.reserved, 0) - coalesce(s.sellable, 0))
         LIMIT 2000) d
  CROSS JOIN LATERAL (VALUES ('sellable', sellable_sum, sellable), ('reserved', reserved_sum, reserved),
                             ('overdrawn', greatest(0, reserved_sum - sellable_sum), overdrawn)) AS c(col, expected, actual)
 WHERE c.expected IS DISTINCT FROM c.actual AND NOT (c.actual IS NULL AND c.expected = 0)
"""
_POSTING_HOLES = """
SELECT 'seq after ' || before AS row, 'seq' AS col, (before + 1)::text AS expected, seq::text AS actual
  FROM (SELECT seq, lag(seq, 1, 0::bigint) OVER (ORDER BY seq) AS before FROM posting
         WHERE (SELECT count(*) <> max(seq) OR min(seq) <> 1 FROM posting)) s WHERE seq <> before + 1
UNION ALL
SELECT 'stream_head', 'posting_n', coalesce((SELECT max(seq) FROM posting), 0)::text, posting_n::text FROM stream_head
 WHERE posting_n <> coalesce((SELECT max(seq) FROM posting), 0)
"""
_EVENT_HOLES = """
SELECT 'event after ' || before AS row, 'event_n' AS col, (before + 1)::text AS expected, event_n::text AS actual
  FROM (SELECT event_n, lag(event_n, 1, event_n - 1) OVER (ORDER BY event_n) AS before FROM outbox
         WHERE (SELECT count(*) <> max(event_n) - min(event_n) + 1 FROM outbox)) s WHERE event_n <> before + 1
UNION ALL
SELECT 'stream_head', 'event_n', m.last::text, event_n::text
  FROM stream_head, (SELECT max(event_n) AS last FROM outbox) m WHERE m.last IS NOT NULL AND event_n <> m.last
"""
_ORDER = """
SELECT 'posting ' || seq AS row, 'recorded_at' AS col, 'not before ' || before AS expected, recorded_at::text AS actual
  FROM (SELECT seq, recorded_at, lag(recorded_at) OVER (ORDER BY seq) AS before FROM posting) s WHERE recorded_at < before
"""
_KEYS = """
SELECT 'posting ' || coalesce(p.id, k.id) AS row, CASE WHEN p.id IS NULL OR k.id IS NULL THEN 'id' ELSE 'seq' END AS col,
       coalesce(p.seq::text, 'none') AS expected, coalesce(k.seq::text, 'none') AS actual
  FROM posting p FULL JOIN posting_key k ON k.id = p.id
 WHERE p.id IS NULL OR k.id IS NULL OR p.seq <> k.seq OR p.recorded_at <> k.recorded_at
"""
_LINES = """
SELECT 'posting ' || p.seq AS row, 'lines' AS col, 'at least 1' AS expected, '0' AS actual FROM posting p
 WHERE p.kind <> 'sell'  -- a receipt of coupons or unknown codes moves nothing
   AND NOT EXISTS (SELECT FROM move m WHERE m.seq = p.seq) AND NOT EXISTS (SELECT FROM claim c WHERE c.seq = p.seq)
UNION ALL
SELECT 'move ' || m.seq || '/' || m.line, 'posting', 'one with its times', 'none' FROM move m
  LEFT JOIN posting p ON p.seq = m.seq AND p.recorded_at = m.recorded_at AND p.happened_at = m.happened_at WHERE p.seq IS NULL
UNION ALL
SELECT 'claim ' || c.seq || '/' || c.line, 'posting', 'one with its time', 'none' FROM claim c
  LEFT JOIN posting p ON p.seq = c.seq AND p.recorded_at = c.recorded_at WHERE p.seq IS NULL
"""
_KEPT = """
SELECT 'move ' || m.seq || '/' || m.line AS row, CASE WHEN f.keeps_level <> m.from_kept THEN 'from_kept' ELSE 'to_kept' END AS col,
       CASE WHEN f.keeps_level <> m.from_kept THEN f.keeps_level ELSE t.keeps_level END::text AS expected,
       CASE WHEN f.keeps_level <> m.from_kept THEN m.from_kept ELSE m.to_kept END::text AS actual
  FROM move m LEFT JOIN location f ON f.id = m.from_location LEFT JOIN location t ON t.id = m.to_location
 WHERE f.keeps_level IS DISTINCT FROM m.from_kept OR t.keeps_level IS DISTINCT FROM m.to_kept
"""
_REVERSALS = """
SELECT 'posting ' || coalesce(p.reverses, r.original) AS row, 'reversal' AS col, coalesce(p.id::text, 'none') AS expected,
       coalesce(r.by::text, 'none') AS actual
  FROM (SELECT id, reverses FROM posting WHERE reverses IS NOT NULL) p
  FULL JOIN reversal r ON r.original = p.reverses AND r.by = p.id WHERE p.id IS NULL OR r.by IS NULL
"""
_RESERVATIONS = """
SELECT 'reservation ' || reservation || ' variant ' || variant || ' site ' || site AS row, 'open' AS col,
       coalesce(c.quantity, 0)::text AS expected, coalesce(l.quantity::text, 'no line') AS actual
  FROM (SELECT reservation, variant, site, sum(quantity) AS quantity FROM claim  -- a transfer claims as itself: its own check holds it
         WHERE seq NOT IN (SELECT seq FROM posting WHERE source_type = 'transfer_document') GROUP BY reservation, variant, site) c
  FULL JOIN (SELECT reservation, variant, site, sum(claimed - consumed - released - expired) AS quantity
               FROM reservation_line GROUP BY reservation, variant, site) l USING (reservation, variant, site)
 WHERE coalesce(c.quantity, 0) <> coalesce(l.quantity, 0)
UNION ALL
SELECT 'reservation ' || r.id, 'state', CASE WHEN l.quantity > 0 THEN 'open' ELSE 'ended' END, r.state
  FROM reservation r JOIN (SELECT reservation, sum(claimed - consumed - released - expired) AS quantity FROM reservation_line
                            GROUP BY reservation) l ON l.reservation = r.id
 WHERE (r.state = 'open') <> (l.quantity > 0)
"""
CHECKS: dict[str, tuple[str, str]] = {
    "levels": ("level", _LEVELS),
    "site_levels": ("site_level", _SITES),
    "reservations": ("reservation_line", _RESERVATIONS),
    "posting_density": ("posting", _POSTING_HOLES),
    "event_density": ("outbox", _EVENT_HOLES),
    "recorded_in_order": ("posting", _ORDER),
    "posting_keys": ("posting_key", _KEYS),
    "lines": ("move", _LINES),
    "kept_sides": ("move", _KEPT),
    "reversals": ("reversal", _REVERSALS),
}
"""Check → the table it looks at, and the statement that finds rows (row, col, expected, actual) that differ."""

SETTINGS = (
    "statement_timeout = '15min'", "work_mem = '256MB'", "jit = off", "enable_indexscan = off", "enable_indexonlyscan = off",
)  # fmt: skip
"""Everything is read, so scans and hashes beat walking indexes; the LIMIT would tempt the planner to walk them."""

PARTITIONED = ("posting", "move", "claim", "outbox")
_SIZES = "SELECT (SELECT count(*) FROM posting) AS postings, (SELECT count(*) FROM move) AS moves, (SELECT count(*) FROM claim) AS claims, (SELECT count(*) FROM outbox) AS events"


async def verify(conn: AsyncConnection) -> Report:
    """Compute everything derived again and compare it, in one snapshot.

    `conn` is fresh: nothing was read in its transaction yet. Raises RuntimeError otherwise.
    """
    started = time.monotonic()
    await conn.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    for setting in SETTINGS:
        await conn.execute(sa.text(f"SET LOCAL {setting}"))
    report = Report()
    sizes = (await conn.execute(sa.text(_SIZES))).one()
    report.postings, report.moves, report.claims, report.events = sizes
    for name, (table, statement) in CHECKS.items():
        rows = await conn.execute(sa.text(f"SELECT * FROM ({statement}) AS found LIMIT {MOST}"))
        _add(report, name, [Difference(name, table, *(str(v) for v in row)) for row in rows])
    _add(report, "default_partitions", await _default_partitions(conn))
    for name, check in _registered.items():
        _add(report, name, await check(conn))
    report.seconds = time.monotonic() - started
    return report


def _add(report: Report, name: str, found: list[Difference]) -> None:
    report.checks[name] = len(found)
    report.differences += found


async def _default_partitions(conn: AsyncConnection) -> list[Difference]:
    """A row in a DEFAULT partition means that a month's partition was missing."""
    out = []
    for parent in PARTITIONED:
        count = (await conn.execute(sa.text(f"SELECT count(*) FROM {parent}_default"))).scalar_one()
        if count:
            out.append(Difference("default_partitions", f"{parent}_default", "all", "rows", "0", str(count)))
    return out


async def keep(tx: Tx, report: Report) -> None:
    """Write down what a verification found; the console shows the newest."""
    await tx.conn.execute(
        sa.text(
            "INSERT INTO verification (id, at, ok, postings, moves, claims, events, took_ms, checks, differences)"
            " VALUES (:id, :at, :ok, :postings, :moves, :claims, :events, :took_ms, :checks, :differences)"
        ),
        {
            "id": uuid7(), "at": tx.now, "ok": report.ok, "postings": report.postings, "moves": report.moves,
            "claims": report.claims, "events": report.events, "took_ms": round(report.seconds * 1000),
            "checks": Jsonb(report.checks), "differences": Jsonb([asdict(d) for d in report.differences]),
        },
    )  # fmt: skip


async def run(database: Database) -> Report:
    """Verify on a connection of its own, and write down what was found."""
    async with database.engine.connect() as conn:
        report = await verify(conn)
    async with database.writing(action="verify") as tx:
        await keep(tx, report)
    return report
