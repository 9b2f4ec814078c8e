"""The self check: every half minute some levels are computed again from the ledger and compared, all in one snapshot.

Chosen are, in this order: cells that differed before, so that drift stays seen until it is mended; rows that were written by
a transaction that wrote no posting, which nothing of ours does; rows written since the last check; cells of the newest
postings and of some old ones; and the next stretch of a sweep through both tables. A cell is the key of a level or a site level.
The work of one check is bounded by the number of cells and by time, so it may run beside the lane.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg.errors
import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.database import Database
from onhand.kit.ids import NIL, uuid7
from onhand.kit.telemetry import DEFAULT_ROWS, DRIFT, SELF_CHECK_AT, SELF_CHECK_CELLS, log
from onhand.kit.tx import Tx
from onhand.ledger.events import Drifted
from onhand.ledger.verify import PARTITIONED, Difference

CELLS = 2000
"""Cells of one check and grain, at most."""
CHUNK = 50
BUDGET_SECONDS = 1.0
"""A check ends with the chunk in which this much time has passed; what is left waits for the next."""
CHUNK_SECONDS = 10
KEEP_CLEAN = timedelta(days=14)
KEEP = timedelta(days=400)
_LOCK = 0x6F6E68616E6463  # "onhandc"

Level = tuple[UUID, UUID, UUID, int]
"""(variant, location, lot, condition)"""
SiteLevel = tuple[UUID, UUID]
"""(variant, site)"""


@dataclass(slots=True)
class Check:
    """What one check looked at and found. `state` is where the next one goes on."""

    levels: int = 0
    site_levels: int = 0
    skipped: int = 0
    seconds: float = 0.0
    differences: list[Difference] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def drift(self) -> int:
        """Rows that differ."""
        return len({(d.table, d.row) for d in self.differences})


_LAST = "SELECT state, differences FROM self_check ORDER BY at DESC LIMIT 1"
_LAST_VERIFIED = "SELECT differences FROM verification ORDER BY at DESC LIMIT 1"
_NOW = """
SELECT posting_n, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS low, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS high
  FROM stream_head
"""
_WRITTEN = """
WITH posted AS MATERIALIZED (SELECT DISTINCT xmin::text::bigint AS x FROM posting WHERE seq > :seq)
SELECT {key} FROM {table} t
 WHERE ((t.xmin::text::bigint - :low) & 4294967295) < :span
 ORDER BY EXISTS (SELECT FROM posted WHERE x = t.xmin::text::bigint), random() LIMIT :most
"""
"""Rows written since; first those whose writer wrote no posting. `xmin` has 32 bits, hence the mask."""
_LEVEL_KEY, _SITE_KEY = "variant, location, lot, condition", "variant, site"
_OF_POSTINGS = f"""
SELECT DISTINCT {_LEVEL_KEY} FROM ledger_entry WHERE kept AND (seq > :newest OR seq = ANY(CAST(:old AS bigint[]))) LIMIT :most
"""
_SWEEP = "SELECT {key} FROM {table} WHERE ({key}) > ({given}) ORDER BY {key} LIMIT :most"
_SITES_OF = "SELECT id, site_id FROM location WHERE id = ANY(CAST(:ids AS uuid[])) AND site_id IS NOT NULL"

_COMPARE_LEVELS = """
SELECT k.variant, k.location, k.lot, k.condition, coalesce(i.n, 0) - coalesce(o.n, 0) AS summed, l.on_hand, l.overdrawn, p.site_id
  FROM unnest(CAST(:variants AS uuid[]), CAST(:locations AS uuid[]), CAST(:lots AS uuid[]), CAST(:conditions AS int2[]))
       AS k(variant, location, lot, condition)
  LEFT JOIN level l ON l.variant = k.variant AND l.location = k.location AND l.lot = k.lot AND l.condition = k.condition
  LEFT JOIN location p ON p.id = k.location
 CROSS JOIN LATERAL (SELECT sum(quantity) AS n FROM move WHERE variant = k.variant AND to_location = k.location AND to_kept
                        AND lot = k.lot AND to_condition = k.condition) i
 CROSS JOIN LATERAL (SELECT sum(quantity) AS n FROM move WHERE variant = k.variant AND from_location = k.location AND from_kept
                        AND lot = k.lot AND from_condition = k.condition) o
"""
_COMPARE_SITES = """
SELECT k.variant, k.site, coalesce(h.n, 0) AS sellable_sum, coalesce(r.n, 0) AS reserved_sum, s.sellable, s.reserved, s.overdrawn
  FROM unnest(CAST(:variants AS uuid[]), CAST(:sites AS uuid[])) AS k(variant, site)
  LEFT JOIN site_level s ON s.variant = k.variant AND s.site = k.site
 CROSS JOIN LATERAL (SELECT sum(l.on_hand) AS n FROM level l JOIN location p ON p.id = l.location
                      WHERE l.variant = k.variant AND p.site_id = k.site AND p.sells AND l.condition = 0) h
 CROSS JOIN LATERAL (SELECT sum(quantity) AS n FROM claim WHERE variant = k.variant AND site = k.site) r
"""


async def check(
    conn: AsyncConnection, *, cells: int = CELLS, seconds: float = BUDGET_SECONDS
) -> Check | None:
    """One check, in one snapshot; None when another process is at it. `conn` is fresh: nothing was read in it yet."""
    started = time.monotonic()
    await conn.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    await conn.execute(sa.text(f"SET LOCAL statement_timeout = '{CHUNK_SECONDS}s'"))
    if not (
        await conn.execute(sa.text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK})
    ).scalar_one():
        return None
    found = Check()
    levels, sites = await _choose(conn, found, cells)
    end = started + seconds
    for at, level_chunk in enumerate(_chunks(levels)):
        if at and time.monotonic() > end:
            break
        found.differences += await _compare_levels(conn, found, level_chunk)
    end += seconds / 2
    for at, site_chunk in enumerate(_chunks(sites)):
        if at and time.monotonic() > end:
            break
        found.differences += await _compare_sites(conn, found, site_chunk)
    found.seconds = time.monotonic() - started
    return found


async def _choose(conn: AsyncConnection, found: Check, most: int) -> tuple[list[Level], list[SiteLevel]]:
    """The cells of this check, the most telling first; notes in `found.state` where the next goes on."""
    last = (await conn.execute(sa.text(_LAST))).one_or_none()
    state = dict(last.state) if last is not None else {}
    rows = [d["row"] for d in last.differences] if last is not None else []
    verified = (await conn.execute(sa.text(_LAST_VERIFIED))).scalar()
    rows += [d["row"] for d in verified or [] if d["table"] in ("level", "site_level")]
    head = (await conn.execute(sa.text(_NOW))).one()
    low = state.get("low", head.low)
    seq = state.get("seq", 0)
    written = {"seq": seq, "low": low & 0xFFFFFFFF, "span": max(0, head.high - low), "most": most}

    levels: dict[Level, None] = dict.fromkeys(k for k in map(level_of, rows) if k is not None)
    sites: dict[SiteLevel, None] = dict.fromkeys(k for k in map(site_level_of, rows) if k is not None)
    _more(levels, await conn.execute(sa.text(_WRITTEN.format(key=_LEVEL_KEY, table="level")), written))
    _more(sites, await conn.execute(sa.text(_WRITTEN.format(key=_SITE_KEY, table="site_level")), written))
    old = [random.randint(1, head.posting_n) for _ in range(most // 20)] if head.posting_n else []
    newest = {"newest": max(seq, head.posting_n - most // 4), "old": old, "most": most}
    _more(levels, await conn.execute(sa.text(_OF_POSTINGS), newest))
    at = state.get("level_at", [str(NIL), str(NIL), str(NIL), -1])
    swept = await _sweep(conn, "level", _LEVEL_KEY, at, most // 4)
    _more(levels, swept)
    site_at = state.get("site_at", [str(NIL), str(NIL)])
    site_swept = await _sweep(conn, "site_level", _SITE_KEY, site_at, most // 4)
    _more(sites, site_swept)
    chosen = list(levels)[:most]
    await _sites_of(conn, chosen, sites)
    found.state = {
        "seq": head.posting_n, "low": head.low,
        "level_at": _key(swept[-1]) if swept else [str(NIL), str(NIL), str(NIL), -1],
        "site_at": _key(site_swept[-1]) if site_swept else [str(NIL), str(NIL)],
    }  # fmt: skip
    return chosen, list(sites)[:most]


def _more(cells: dict[Any, None], rows: Iterable[Any]) -> None:
    for row in rows:
        cells.setdefault(tuple(row))


def _key(row: Any) -> list[Any]:
    return [str(v) if isinstance(v, UUID) else v for v in row]


async def _sweep(conn: AsyncConnection, table: str, key: str, at: Sequence[Any], most: int) -> list[Any]:
    """The next rows in key order; none at the end, so that the next check begins anew."""
    given = ", ".join(f"CAST(:k{n} AS {'int2' if isinstance(v, int) else 'uuid'})" for n, v in enumerate(at))
    statement = _SWEEP.format(table=table, key=key, given=given)
    return list(
        await conn.execute(sa.text(statement), {"most": most, **{f"k{n}": v for n, v in enumerate(at)}})
    )


async def _sites_of(conn: AsyncConnection, levels: Sequence[Level], sites: dict[SiteLevel, None]) -> None:
    """Add the site levels that some levels sum up to."""
    ids = list({location for _, location, _, _ in levels})
    site_of = {r.id: r.site_id for r in await conn.execute(sa.text(_SITES_OF), {"ids": ids})}
    for variant, location, _, _ in levels:
        if location in site_of:
            sites.setdefault((variant, site_of[location]))


def _chunks(cells: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (cells[n : n + CHUNK] for n in range(0, len(cells), CHUNK))


async def _fetch(
    conn: AsyncConnection, found: Check, statement: str, columns: dict[str, list[Any]], cells: int
) -> Sequence[Any]:
    """The rows of a chunk; nothing, and a note, when they take too long (a cell with millions of moves)."""
    try:
        async with conn.begin_nested():
            return (await conn.execute(sa.text(statement), columns)).all()
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise
        found.skipped += cells
        return []


async def _compare_levels(conn: AsyncConnection, found: Check, cells: Sequence[Level]) -> list[Difference]:
    names = ("variants", "locations", "lots", "conditions")
    columns = {name: [c[n] for c in cells] for n, name in enumerate(names)}
    rows = await _fetch(conn, found, _COMPARE_LEVELS, columns, len(cells))
    found.levels += len(rows)
    out = []
    for r in rows:
        row = f"variant {r.variant} location {r.location} lot {r.lot} condition {r.condition}"
        expected = {"on_hand": r.summed, "overdrawn": max(0, -r.summed)}
        out += _differing("levels", "level", row, expected, r)
    return out


async def _compare_sites(conn: AsyncConnection, found: Check, cells: Sequence[SiteLevel]) -> list[Difference]:
    columns = {"variants": [c[0] for c in cells], "sites": [c[1] for c in cells]}
    rows = await _fetch(conn, found, _COMPARE_SITES, columns, len(cells))
    found.site_levels += len(rows)
    out = []
    for r in rows:
        expected = {
            "sellable": r.sellable_sum,
            "reserved": r.reserved_sum,
            "overdrawn": max(0, r.reserved_sum - r.sellable_sum),
        }
        out += _differing("site_levels", "site_level", f"variant {r.variant} site {r.site}", expected, r)
    return out


def _differing(name: str, table: str, row: str, expected: dict[str, int], actual: Any) -> list[Difference]:
    """The columns of a row that differ; a row that is missing may stand for zeros."""
    out = []
    for column, want in expected.items():
        have = getattr(actual, column)
        if have != want and not (have is None and want == 0):
            out.append(Difference(name, table, row, column, str(want), "none" if have is None else str(have)))
    return out


_UUID = "([0-9a-f-]{36})"
_LEVEL_ROW = re.compile(f"variant {_UUID} location {_UUID} lot {_UUID} condition (\\d+)")
_SITE_ROW = re.compile(f"variant {_UUID} site {_UUID}")


def level_of(row: str) -> Level | None:
    """The key of a level that a difference names; None if it names something else."""
    found = _LEVEL_ROW.fullmatch(row)
    return (UUID(found[1]), UUID(found[2]), UUID(found[3]), int(found[4])) if found else None


def site_level_of(row: str) -> SiteLevel | None:
    """The key of a site level that a difference names; None if it names something else."""
    found = _SITE_ROW.fullmatch(row)
    return (UUID(found[1]), UUID(found[2])) if found else None


# ── what becomes of it ───────────────────────────────────────────────────────────────────────────────────────────────

_KEEP = """
INSERT INTO self_check (id, at, levels, site_levels, skipped, drift, took_ms, differences, state)
VALUES (:id, :at, :levels, :site_levels, :skipped, :drift, :took_ms, :differences, :state)
"""
_FORGET = "DELETE FROM self_check WHERE at < :clean AND (drift = 0 OR at < :all)"
_OPEN_ROWS = "SELECT detail ->> 'row' FROM exception WHERE state = 'open' AND kind = 'drift'"
_OPEN = """
INSERT INTO exception (id, kind, site, variant, source_type, source_id, actor, detail)
VALUES (:id, 'drift', :site, :variant, 'self_check', :check, :actor, :detail)
"""
_SITE_OF = "SELECT site_id FROM location WHERE id = :id"


async def keep(tx: Tx, found: Check) -> None:
    """Write a check down; open an exception and publish an event for each row that newly differs."""
    check_id = uuid7()
    await tx.conn.execute(
        sa.text(_KEEP),
        {
            "id": check_id, "at": tx.now, "levels": found.levels, "site_levels": found.site_levels, "skipped": found.skipped,
            "drift": found.drift, "took_ms": round(found.seconds * 1000),
            "differences": Jsonb([asdict(d) for d in found.differences]), "state": Jsonb(found.state),
        },
    )  # fmt: skip
    await tx.conn.execute(sa.text(_FORGET), {"clean": tx.now - KEEP_CLEAN, "all": tx.now - KEEP})
    if not found.differences:
        return
    known = set((await tx.conn.execute(sa.text(_OPEN_ROWS))).scalars())
    for difference in found.differences:
        if difference.row in known:
            continue
        known.add(difference.row)
        await _tell(tx, check_id, difference)


async def _tell(tx: Tx, check_id: UUID, difference: Difference) -> None:
    level, site_level = level_of(difference.row), site_level_of(difference.row)
    variant: UUID | None = None
    site: UUID | None = None
    if level is not None:
        variant, site = level[0], (await tx.conn.execute(sa.text(_SITE_OF), {"id": level[1]})).scalar()
    elif site_level is not None:
        variant, site = site_level
    await tx.conn.execute(
        sa.text(_OPEN),
        {
            "id": uuid7(), "site": site, "variant": variant, "check": check_id, "actor": NIL,
            "detail": Jsonb(asdict(difference)),
        },
    )  # fmt: skip
    tx.emit(
        Drifted(
            variant_id=variant, site_id=site, table=difference.table, row=difference.row, column=difference.column,
            expected=difference.expected, actual=difference.actual,
        )
    )  # fmt: skip


_DRIFT = """
SELECT c.drift, c.at AS checked_at, v.at AS verified_at, v.differences
  FROM (SELECT) one LEFT JOIN LATERAL (SELECT drift, at FROM self_check ORDER BY at DESC LIMIT 1) c ON true
  LEFT JOIN LATERAL (SELECT at, differences FROM verification ORDER BY at DESC LIMIT 1) v ON true
"""


async def drift(conn: AsyncConnection) -> int | None:
    """Rows known to differ from the ledger now, by the last self check and the last verification; None: never looked."""
    row = (await conn.execute(sa.text(_DRIFT))).one()
    return drift_of(row)


def drift_of(row: Any) -> int | None:
    """The same from a row with drift, checked_at, verified_at, differences. Levels the verification named are looked at
    by every later self check, so the newer of the two speaks for them."""
    if row.verified_at is None:
        return None if row.checked_at is None else int(row.drift)
    levels = {(d["table"], d["row"]) for d in row.differences if d["table"] in ("level", "site_level")}
    others = sum(d["table"] not in ("level", "site_level") for d in row.differences)
    fresh = row.checked_at is not None and row.checked_at > row.verified_at
    return others + (int(row.drift) if fresh else len(levels))


_STRAYS = "SELECT " + " + ".join(
    f"(SELECT count(*) FROM (SELECT FROM {parent}_default LIMIT 1000) x)" for parent in PARTITIONED
)


async def run(database: Database) -> Check | None:
    """One check on a connection of its own, written down; None when another process is at it."""
    async with database.engine.connect() as conn:
        found = await check(conn)
    if found is not None:
        async with database.writing(action="self_check") as tx:
            await keep(tx, found)
        SELF_CHECK_CELLS.inc(found.levels + found.site_levels)
        SELF_CHECK_AT.set_to_current_time()
        for difference in found.differences[:10]:  # all of them are written down; a log is read by people
            log(__name__).error("drift", found=found.drift, **asdict(difference))
    async with database.engine.connect() as conn:
        DRIFT.set(await drift(conn) or 0)
        DEFAULT_ROWS.set((await conn.execute(sa.text(_STRAYS))).scalar_one())
    return found


async def keep_checking(database: Database, every: float) -> None:
    """Check every so many seconds until cancelled; a check that fails is logged and tried again."""
    while True:
        await asyncio.sleep(every)
        try:
            await run(database)
        except Exception as error:
            log(__name__).warning("self_check_failed", error=repr(error)[:300])
