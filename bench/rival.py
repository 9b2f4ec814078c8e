"""The rival: pgbench with a hand-written transaction a sale that leaves the same rows behind as ours."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from bench.ground import FIRST, REGISTER_PREFIX, RIVAL, STORE_PREFIX, STORES, VARIANT_PREFIX, VARIANTS, Ground
from onhand import locations
from onhand.kit.postgres import OWNER

_TPS = re.compile(r"tps = ([0-9.]+) \(without")

THIRD = VARIANTS // 3
"""Three-line sales take a variant of each third."""
SCRIPTS = {
    "sale": (1, f"""\
\\set v1 random({FIRST}, {FIRST + VARIANTS - 1})
\\set s random({FIRST}, {FIRST + STORES - 1})
"""),
    "hot": (1, f"""\
\\set v1 {FIRST + 7}
\\set s {FIRST + 3}
"""),
    "three": (3, f"""\
\\set v1 random({FIRST}, {FIRST + THIRD - 1})
\\set v2 random({FIRST + THIRD}, {FIRST + 2 * THIRD - 1})
\\set v3 random({FIRST + 2 * THIRD}, {FIRST + 3 * THIRD - 1})
\\set s random({FIRST}, {FIRST + STORES - 1})
"""),
}  # fmt: skip
"""What a sale takes: its number of lines, and the variables that choose."""
_S = f"('{STORE_PREFIX}' || :s::text)::uuid"
_V = f"('{VARIANT_PREFIX}' || :v1::text)::uuid"
_R = f"('{REGISTER_PREFIX}' || :s::text)::uuid"
_CUSTOMER = f"'{locations.virtual_id('customer')}'::uuid"
_NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
_DIGEST = r"'\x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'::bytea"


def _transaction(lines: int) -> str:
    """A sale of some lines, one piece each, written by hand; the variables v1 … and s name variants and store.

    Levels are updated in the order of the variables, so where v1 < v2 … two clients cannot meet in the other order.
    """
    numbers = range(1, lines + 1)
    return "".join(
        [
            "BEGIN;\n",
            *(_take(n) for n in numbers),
            _documents(lines),
            *(_move(n) for n in numbers),
            *(_sale_line(n) for n in numbers),
            _events(lines),
            "COMMIT;\n",
        ]
    )


def _v(n: int) -> str:
    return f"('{VARIANT_PREFIX}' || :v{n}::text)::uuid"


def _take(n: int) -> str:
    first = "uuidv7() AS id, nextval('bench_posting') AS seq, clock_timestamp() AS at, nextval('bench_event') AS e0, "
    return f"""\
UPDATE level SET on_hand = on_hand - 1 WHERE variant = {_v(n)} AND location = {_S} AND lot = {_NIL} AND condition = 0 \
AND on_hand - allocated >= 1;
UPDATE site_level SET sellable = sellable - 1 WHERE variant = {_v(n)} AND site = {_S} AND sellable - reserved >= 1 \
RETURNING {first if n == 1 else ""}sellable AS sellable{n}, reserved AS reserved{n}, nextval('bench_event') AS e{n} \\gset
"""


def _documents(lines: int) -> str:
    return f"""\
INSERT INTO posting_key (id, caller, seq, recorded_at, digest) VALUES (:id, {_CUSTOMER}, :seq, :at, {_DIGEST});
INSERT INTO posting (seq, recorded_at, happened_at, id, source_id, actor, device, kind, source_type) \
VALUES (:seq, :at, :at, :id, :id, {_CUSTOMER}, {_R}, 'sell', 'sale');
INSERT INTO sale (id, register, location, site, happened_at, actor, net, tax, discount, total, units, line_count, currency, \
state) VALUES (:id, {_R}, {_S}, {_S}, :at, {_CUSTOMER}, {199 * lines}, 0, 0, {199 * lines}, {lines}, {lines}, 'EUR', 'completed');
INSERT INTO audit (id, at, actor_id, actor_kind, actor_name, action, entity, entity_id, request, request_id, ip, changes) \
VALUES (uuidv7(), :at, {_CUSTOMER}, 'key', 'bench', 'sale.created', 'sale', :id::text, 'POST /v1/pos/sales', \
:id::text, '127.0.0.1', '{{}}');
"""


def _move(n: int) -> str:
    return f"""\
INSERT INTO move (seq, recorded_at, happened_at, variant, lot, from_location, to_location, quantity, line, from_condition, \
to_condition, from_kept, to_kept) VALUES (:seq, :at, :at, {_v(n)}, {_NIL}, {_S}, {_CUSTOMER}, 1, {n}, 0, 0, true, false);
"""


def _sale_line(n: int) -> str:
    return f"""\
INSERT INTO sale_line (sale, line, variant, quantity, net, tax, discount, total, unit_price, code, told_quantity) \
VALUES (:id, {n}, {_v(n)}, 1, 199, 0, 0, 199, 1.99, 'SKU-00007', '1');
"""


def _events(lines: int) -> str:
    sold = ",".join(
        f'{{"variant_id":"{VARIANT_PREFIX}\' || :v{n}::text || \'","sku":"SKU-00007","name":"Product 7","quantity":"1","total":"1.99"}}'
        for n in range(1, lines + 1)
    )
    rows = [
        f"""\
(:e0, :at, :at, uuidv7(), {_S}, 'sale.completed', 'sale/' || :id::text, ({_S})::text, \
'{{"sale_id":"' || :id::text || '","number": null,"register":"R03","site_id":"{STORE_PREFIX}' || :s::text || '","site_code":"S03",\
"happened_at":"' || :at::text || '","total":"1.99","currency":"EUR","units": {lines},"lines":[{sold}]}}')"""
    ]
    for n in range(1, lines + 1):
        rows.append(
            f"""\
(:e{n}, :at, :at, uuidv7(), {_S}, 'stock.level_changed', 'variant/{VARIANT_PREFIX}' || :v{n}::text, \
'{VARIANT_PREFIX}' || :v{n}::text || '/{STORE_PREFIX}' || :s::text, \
'{{"variant_id":"{VARIANT_PREFIX}' || :v{n}::text || '","sku":"SKU-00007","site_id":"{STORE_PREFIX}' || :s::text || '","site_code":"S03",\
"sellable":"' || :sellable{n}::text || '","reserved":"' || :reserved{n}::text || '","available":"' || (:sellable{n}::bigint - :reserved{n}::bigint) || \
'","overdrawn":"0","delta":"-1","seq":"' || :seq::text || '"}}')"""
        )
    return (
        "INSERT INTO outbox (event_n, recorded_at, happened_at, id, site, type, subject, partition_key, data) VALUES "
        + ", ".join(rows)
        + ";\n"
    )


RESERVATION = f"""\
BEGIN;
SELECT sellable - reserved AS free FROM site_level WHERE variant = {_V} AND site = {_S} FOR UPDATE \\gset
UPDATE site_level SET reserved = reserved + 1 WHERE variant = {_V} AND site = {_S} AND :free >= 1 \
RETURNING uuidv7() AS id, nextval('bench_posting') AS seq, clock_timestamp() AS at \\gset
INSERT INTO reservation (id, kind, created_by) VALUES (:id, 'order', {_CUSTOMER});
INSERT INTO reservation_line (reservation, line, variant, site, policy, requested, claimed) \
VALUES (:id, 1, {_V}, {_S}, 'all_or_nothing', 1, 1);
INSERT INTO claim (seq, recorded_at, reservation, variant, site, quantity, line) VALUES (:seq, :at, :id, {_V}, {_S}, 1, 1);
COMMIT;
"""
"""A row-lock reservation as one writes it by hand: no key, no posting, no event, no audit row."""


class RivalFailedError(RuntimeError):
    """pgbench did not run; the message carries what it said."""


async def sales_a_second(ground: Ground, *, clients: int, seconds: float, what: str = "sale") -> float:
    """Sales a second by pgbench as the owner role, prepared protocol; `what` names one of SCRIPTS."""
    script = ground.folder / f"{what}.sql"
    if not script.exists():
        lines, variables = SCRIPTS[what]
        script.write_text(variables + _transaction(lines))
    found = _TPS.search(await _run(ground, script, clients, seconds))
    if found is None:
        raise RivalFailedError("pgbench printed no rate")
    return float(found.group(1))


async def reservations_a_second(ground: Ground, *, clients: int, seconds: float) -> float:
    """Reservations a second of the hot row by pgbench as the owner role, prepared protocol."""
    script = ground.folder / "reserve.sql"
    if not script.exists():
        script.write_text(SCRIPTS["hot"][1] + RESERVATION)
    found = _TPS.search(await _run(ground, script, clients, seconds))
    if found is None:
        raise RivalFailedError("pgbench printed no rate")
    return float(found.group(1))


async def _run(ground: Ground, script: Path, clients: int, seconds: float) -> str:
    process = await asyncio.create_subprocess_exec(
        str(ground.postgres.bin_dir / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(2, clients)),
        "-T", str(max(1, round(seconds))), "-f", str(script), "-h", str(ground.postgres.socket_dir), "-U", OWNER, RIVAL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    if process.returncode != 0:
        raise RivalFailedError(err.decode(errors="replace")[-2000:])
    return out.decode()
