"""The lane's rate in a ledger of 20 million moves ÷ its rate in one of a million; both a year of the same chain, month by month."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from bench.ground import FIRST, STORE_PREFIX, STORES, TEMPLATE, VARIANT_PREFIX, VARIANTS, Ground
from bench.harness import CLIENTS, Claim, Round
from bench.site import Site, jobs
from onhand import locations
from onhand.kit.postgres import OWNER, SUPERUSER

SMALL, LARGE = 1_000_000, 20_000_000
MONTHS = 12
MOST = 30_000
_TICK = 100
"""Clock ticks a second in /proc."""
_laid: set[int] = set()

_MONTH = """
DO $do$ DECLARE month date := (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => {ago}))::date; part text; BEGIN
  FOREACH part IN ARRAY ARRAY['posting', 'move', 'outbox', 'claim'] LOOP
    CONTINUE WHEN to_regclass(part || '_' || to_char(month, 'YYYY_MM')) IS NOT NULL;
    PERFORM onhand_partition(part, part || '_' || to_char(month, 'YYYY_MM'));
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, part || '_' || to_char(month, 'YYYY_MM'),
                   month || ' 00:00:00+00', (month + interval '1 month')::date || ' 00:00:00+00');
  END LOOP;
END $do$
"""
_AT = "{start}::timestamptz + ({end}::timestamptz - {start}::timestamptz) * ((n - 1)::float8 / {count})"
_POSTINGS = (
    "WITH p AS (SELECT {first} + n AS seq, " + _AT + " AS at FROM generate_series(1, {count}) n),"
    " k AS (INSERT INTO posting_key (id, caller, seq, recorded_at, digest)"
    " SELECT uuidv7(at - clock_timestamp()), {customer}::uuid, seq, at, decode(md5(seq::text) || md5(at::text), 'hex') FROM p"
    " RETURNING id, seq, recorded_at)"
    " INSERT INTO posting (seq, recorded_at, happened_at, id, source_id, actor, kind, source_type)"
    " SELECT seq, recorded_at, recorded_at, id, id, {customer}::uuid, 'sell', 'sale' FROM k"
)
_MOVES = (
    "INSERT INTO move (seq, recorded_at, happened_at, variant, lot, from_location, to_location, quantity, line, from_condition,"
    " to_condition, from_kept, to_kept) SELECT {first} + n, x.at, x.at,"
    " ({variant} || ({ids} + floor(random() * {variants})::int))::uuid, '00000000-0000-0000-0000-000000000000',"
    " ({store} || ({ids} + floor(random() * {stores})::int))::uuid, {customer}::uuid, 1, 1, 0, 0, true, false"
    " FROM generate_series(1, {count}) n, LATERAL (SELECT " + _AT + " AS at) x"
)


async def _site(turn: Round, size: int) -> Site:
    """A lane on the ledger of so many moves, laid at first use and kept for all rounds."""
    if size not in _laid:
        _laid.add(size)
        await asyncio.to_thread(_lay, turn.ground, size)
    return await turn.site.on(_name(size))


def _name(size: int) -> str:
    return f"bench_growth_{size}"


def _lay(ground: Ground, size: int) -> None:
    """A year of one-line sales, the same number every month, ids and numbers ordered by time; keys, postings and moves."""
    with psycopg.connect(ground.url("postgres", SUPERUSER), autocommit=True) as conn:
        names = [sql.Identifier(n) for n in (_name(size), OWNER, TEMPLATE)]
        conn.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(*names))
    count = size // MONTHS
    with psycopg.connect(ground.url(_name(size), SUPERUSER), autocommit=True) as conn:
        conn.execute("SET synchronous_commit = off")  # laying the ground is not what is measured
        for ago in range(MONTHS - 1, -1, -1):
            print(f"growth: laying {size} moves, month {MONTHS - ago} of {MONTHS}", file=sys.stderr)
            conn.execute(sql.SQL(_MONTH).format(ago=sql.Literal(ago)))
            span = conn.execute(
                "SELECT m, least(m + interval '1 month', now()) FROM (SELECT date_trunc('month', now(), 'UTC')"
                " - make_interval(months => %s) AS m) x", (ago,)
            ).fetchone()  # fmt: skip
            assert span is not None
            words = {
                "first": (MONTHS - 1 - ago) * count, "count": count, "start": span[0].isoformat(), "end": span[1].isoformat(),
                "customer": str(locations.virtual_id("customer")), "variant": VARIANT_PREFIX, "store": STORE_PREFIX, "ids": FIRST,
                "variants": VARIANTS, "stores": STORES,
            }  # fmt: skip
            for statement in (_POSTINGS, _MOVES):
                conn.execute(sql.SQL(statement).format(**{k: sql.Literal(v) for k, v in words.items()}))
        conn.execute("UPDATE stream_head SET posting_n = %s, last_recorded_at = now()", (count * MONTHS,))
        conn.execute("VACUUM ANALYZE")


def _spent(pid: int) -> float:
    """Seconds of CPU a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


async def measured(turn: Round, size: int) -> tuple[float, float]:
    """Sales a second in a ledger of this size, and sales a second of PostgreSQL's CPU; measured once a round."""
    key = f"growth {size}"
    if key not in turn.shared:
        site = await _site(turn, size)
        ready = jobs(int(turn.seconds * MOST))
        before, spent = site.engine.stats.postings, _spent(site.backend_pid)
        rate = await site.lane_rate(ready, callers=CLIENTS, seconds=turn.seconds)
        took = _spent(site.backend_pid) - spent
        turn.shared[key] = rate, (site.engine.stats.postings - before) / took
    return turn.shared[key]


async def ours(turn: Round) -> float:
    """Sales a second in the large ledger."""
    return (await measured(turn, LARGE))[0]


async def theirs(turn: Round) -> float:
    """Sales a second in the small one."""
    return (await measured(turn, SMALL))[0]


CLAIM = Claim("growth", 0.8, 0.95, ours, theirs)
