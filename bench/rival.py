"""The rival: pgbench with a hand-written transaction a sale that leaves the same rows behind as ours."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from bench.ground import FIRST, REGISTER_PREFIX, RIVAL, STORE_PREFIX, STORES, VARIANT_PREFIX, VARIANTS, Ground
from onhand import locations
from onhand.kit.postgres import OWNER

_TPS = re.compile(r"tps = ([0-9.]+) \(without")

SALE = f"""\
\\set v random({FIRST}, {FIRST + VARIANTS - 1})
\\set s random({FIRST}, {FIRST + STORES - 1})
"""
HOT = f"""\
\\set v {FIRST + 7}
\\set s {FIRST + 3}
"""
_V = f"('{VARIANT_PREFIX}' || :v::text)::uuid"
_S = f"('{STORE_PREFIX}' || :s::text)::uuid"
_R = f"('{REGISTER_PREFIX}' || :s::text)::uuid"
_CUSTOMER = f"'{locations.virtual_id('customer')}'::uuid"
_NIL = "'00000000-0000-0000-0000-000000000000'::uuid"
_DIGEST = r"'\x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'::bytea"

TRANSACTION = f"""\
BEGIN;
UPDATE level SET on_hand = on_hand - 1 WHERE variant = {_V} AND location = {_S} AND lot = {_NIL} AND condition = 0 \
AND on_hand - allocated >= 1 RETURNING uuidv7() AS id, nextval('bench_posting') AS seq, clock_timestamp() AS at \\gset
UPDATE site_level SET sellable = sellable - 1 WHERE variant = {_V} AND site = {_S} AND sellable - reserved >= 1 \
RETURNING sellable, reserved, nextval('bench_event') AS e1, nextval('bench_event') AS e2 \\gset
INSERT INTO posting_key (id, caller, seq, recorded_at, digest) VALUES (:id, {_CUSTOMER}, :seq, :at, {_DIGEST});
INSERT INTO posting (seq, recorded_at, happened_at, id, source_id, actor, device, kind, source_type) \
VALUES (:seq, :at, :at, :id, :id, {_CUSTOMER}, {_R}, 'sell', 'sale');
INSERT INTO move (seq, recorded_at, happened_at, variant, lot, from_location, to_location, quantity, line, from_condition, \
to_condition, from_kept, to_kept) VALUES (:seq, :at, :at, {_V}, {_NIL}, {_S}, {_CUSTOMER}, 1, 1, 0, 0, true, false);
INSERT INTO sale (id, register, location, site, happened_at, actor, net, tax, discount, total, units, line_count, currency, \
state) VALUES (:id, {_R}, {_S}, {_S}, :at, {_CUSTOMER}, 199, 0, 0, 199, 1, 1, 'EUR', 'completed');
INSERT INTO sale_line (sale, line, variant, quantity, net, tax, discount, total, unit_price, code, told_quantity) \
VALUES (:id, 1, {_V}, 1, 199, 0, 0, 199, 1.99, 'SKU-00007', '1');
INSERT INTO audit (id, at, actor_id, actor_kind, actor_name, action, entity, entity_id, request, request_id, ip, changes) \
VALUES (uuidv7(), :at, {_CUSTOMER}, 'key', 'bench', 'sale.created', 'sale', :id::text, 'POST /v1/pos/sales', \
:id::text, '127.0.0.1', '{{}}');
INSERT INTO outbox (event_n, recorded_at, happened_at, id, site, type, subject, partition_key, data) \
VALUES (:e1, :at, :at, uuidv7(), {_S}, 'sale.completed', 'sale/' || :id::text, ({_S})::text, \
'{{"sale_id":"' || :id::text || '","number": null,"register":"R03","site_id":"{STORE_PREFIX}' || :s::text || '","site_code":"S03",\
"happened_at":"' || :at::text || '","total":"1.99","currency":"EUR","units": 1,"lines":[{{"variant_id":"{VARIANT_PREFIX}' || :v::text || \
'","sku":"SKU-00007","name":"Product 7","quantity":"1","total":"1.99"}}]}}'), \
(:e2, :at, :at, uuidv7(), {_S}, 'stock.level_changed', 'variant/{VARIANT_PREFIX}' || :v::text, \
'{VARIANT_PREFIX}' || :v::text || '/{STORE_PREFIX}' || :s::text, \
'{{"variant_id":"{VARIANT_PREFIX}' || :v::text || '","sku":"SKU-00007","site_id":"{STORE_PREFIX}' || :s::text || '","site_code":"S03",\
"sellable":"' || :sellable::text || '","reserved":"' || :reserved::text || '","available":"' || (:sellable::bigint - :reserved::bigint) || \
'","overdrawn":"0","delta":"-1","seq":"' || :seq::text || '"}}');
COMMIT;
"""


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


async def sales_a_second(ground: Ground, *, clients: int, seconds: float, hot: bool = False) -> float:
    """Sales a second by pgbench as the owner role, prepared protocol."""
    script = ground.folder / ("hot.sql" if hot else "sale.sql")
    if not script.exists():
        script.write_text((HOT if hot else SALE) + TRANSACTION)
    found = _TPS.search(await _run(ground, script, clients, seconds))
    if found is None:
        raise RivalFailedError("pgbench printed no rate")
    return float(found.group(1))


async def reservations_a_second(ground: Ground, *, clients: int, seconds: float) -> float:
    """Reservations a second of the hot row by pgbench as the owner role, prepared protocol."""
    script = ground.folder / "reserve.sql"
    if not script.exists():
        script.write_text(HOT + RESERVATION)
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
