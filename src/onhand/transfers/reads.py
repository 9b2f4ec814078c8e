"""Read-side SQL of transfers: lists, one transfer with its story, totals by state, search, and the check of the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import ledger
from onhand.access import Caller
from onhand.kit.ids import NIL
from onhand.kit.paging import after, cut
from onhand.transfers.model import State, allowed
from onhand.transfers.tables import transfer
from onhand.values import format_units
from onhand.values.money import CURRENCY_EXPONENTS

Scope = frozenset[UUID] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFilter:
    """Which transfers. `site_id`: at either end; `open`: neither received nor cancelled; `aged_before`: something is in
    transit that left before then; `overdue_at`: expected before then, and not over; `scope`: the caller's sites."""

    scope: Scope = None
    state: str | None = None
    open: bool = False
    from_site_id: UUID | None = None
    to_site_id: UUID | None = None
    site_id: UUID | None = None
    variant_id: UUID | None = None
    q: str | None = None
    aged_before: datetime | None = None
    overdue_at: datetime | None = None


_HEAD = (
    "t.id, t.number, t.state, t.from_site, f.code AS from_code, f.name AS from_name, t.to_site, d.code AS to_code,"
    " d.name AS to_name, t.reserves, t.expected_at, t.note, t.external_id, t.metadata, t.version, t.created_by, t.created_at,"
    " t.placed_at, t.shipped_at, t.closed_at, t.updated_at"
)
_SUMS = """
(SELECT count(*) AS lines, coalesce(sum(l.requested), 0) AS requested, coalesce(sum(p.shipped), 0) AS shipped,
        coalesce(sum(p.arrived), 0) AS arrived, coalesce(sum(p.in_transit), 0) AS in_transit,
        coalesce(sum(p.lost), 0) AS lost,
        coalesce(sum(greatest(0, l.requested - l.dropped - coalesce(p.shipped, 0))), 0) AS to_ship,
        round(sum(p.in_transit::numeric / power(10::numeric, v.decimals) * v.cost), 2) AS cost, max(v.cost_currency) AS currency,
        coalesce(sum(p.in_transit::numeric / power(10::numeric, v.decimals)), 0) AS units
   FROM transfer_line l JOIN variant v ON v.id = l.variant
   LEFT JOIN LATERAL (SELECT sum(shipped) AS shipped, sum(received + damaged) AS arrived, sum(lost) AS lost,
                             sum(shipped - received - damaged - lost - returned) AS in_transit
                        FROM transfer_part WHERE line = l.id) p ON true
  WHERE l.transfer = t.id)
"""
_FROM = "transfer t JOIN location f ON f.id = t.from_site JOIN location d ON d.id = t.to_site"
_OPEN = "t.state IN ('draft', 'placed', 'shipped')"
_WHERE: Mapping[str, str] = {
    "state": "t.state = :state",
    "from_site_id": "t.from_site = :from_site_id",
    "to_site_id": "t.to_site = :to_site_id",
    "site_id": "(t.from_site = :site_id OR t.to_site = :site_id)",
    "variant_id": "EXISTS (SELECT FROM transfer_line x WHERE x.transfer = t.id AND x.variant = :variant_id)",
    "aged_before": "t.state = 'shipped' AND t.shipped_at < :aged_before",
    "overdue_at": f"{_OPEN} AND t.expected_at < :overdue_at",
    "q": "(t.number::text = :q OR upper(:q) = 'T-' || t.number OR t.external_id = :q OR EXISTS (SELECT FROM transfer_line x"
    " JOIN variant v ON v.id = x.variant WHERE x.transfer = t.id AND v.sku = :q))",
}


async def list_transfers(
    conn: AsyncConnection,
    wanted: TransferFilter,
    *,
    limit: int,
    cursor: str | None,
    costs: bool,
    now: datetime,
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of transfers, the newest first, with their sums. One query; value only with `costs`."""
    where = ["true"]
    values: dict[str, Any] = {}
    for name, clause in _WHERE.items():
        value = getattr(wanted, name)
        if value is not None:
            values[name] = value.strip() if isinstance(value, str) else value
            where.append(clause)
    if wanted.open:
        where.append(_OPEN)
    if wanted.scope is not None:
        values["scope"] = sorted(wanted.scope)
        where.append("(t.from_site = ANY(CAST(:scope AS uuid[])) OR t.to_site = ANY(CAST(:scope AS uuid[])))")
    t = transfer.alias("t")
    query = (
        sa.select(sa.text(f"{_HEAD}, s.*"))
        .select_from(
            t.join(sa.text("location f"), sa.text("f.id = t.from_site"))
            .join(sa.text("location d"), sa.text("d.id = t.to_site"))
            .join(sa.text(f"LATERAL {_SUMS} s"), sa.true())
        )
        .where(sa.text(" AND ".join(where)).bindparams(**values))
        .where(after([t.c.created_at, t.c.id], cursor, descending=True))
        .order_by(t.c.created_at.desc(), t.c.id.desc())
        .limit(limit + 1)
    )
    rows, following = cut((await conn.execute(query)).all(), limit, ["created_at", "id"])
    return [_shape(row, costs=costs, now=now) for row in rows], following


def _money(cost: Any, currency: str | None) -> dict[str, str] | None:
    if cost is None or currency is None:
        return None
    return {"amount": f"{cost:.{CURRENCY_EXPONENTS.get(currency, 2)}f}", "currency": currency}


def _shape(row: Any, *, costs: bool, now: datetime) -> dict[str, Any]:
    open_ = row.state in ("draft", "placed", "shipped")
    moving = row.in_transit > 0 and row.shipped_at is not None
    return {
        "id": row.id, "number": f"T-{row.number}", "state": row.state, "from_site_id": row.from_site,
        "from_site_code": row.from_code, "from_site_name": row.from_name, "to_site_id": row.to_site,
        "to_site_code": row.to_code, "to_site_name": row.to_name, "reserves": row.reserves,
        "expected_at": row.expected_at, "note": row.note, "external_id": row.external_id, "metadata": row.metadata,
        "version": row.version, "created_at": row.created_at, "placed_at": row.placed_at, "shipped_at": row.shipped_at,
        "closed_at": row.closed_at, "updated_at": row.updated_at, "line_count": row.lines,
        "in_transit_units": f"{row.units.normalize():f}", "in_transit_value": _money(row.cost, row.currency) if costs else None,
        "progress": _progress(row),
        "age_hours": int((now - row.shipped_at).total_seconds() // 3600) if moving else None,
        "overdue": bool(open_ and row.expected_at is not None and row.expected_at < now),
    }  # fmt: skip


def _progress(row: Any) -> int:
    """How much of what was wanted arrived, in whole percent."""
    return min(100, int(100 * row.arrived // row.requested)) if row.requested else (100 if row.arrived else 0)


_ONE = sa.text(f"SELECT {_HEAD}, s.* FROM {_FROM} JOIN LATERAL {_SUMS} s ON true WHERE t.id = :id")
_LINES = sa.text(
    "SELECT l.id, l.number, l.variant, v.sku, v.name, v.unit, v.decimals, v.tracking, l.lot, o.code AS lot_code, l.requested,"
    " l.dropped, l.claimed FROM transfer_line l"
    " JOIN (SELECT v.*, p.tracking FROM variant v JOIN product p ON p.id = v.product_id) v ON v.id = l.variant"
    " LEFT JOIN lot o ON o.id = l.lot WHERE l.transfer = :id ORDER BY l.number"
)
_PARTS = sa.text(
    "SELECT p.*, o.code AS lot_code FROM transfer_part p JOIN transfer_line l ON l.id = p.line LEFT JOIN lot o ON o.id = p.lot"
    " WHERE l.transfer = :id ORDER BY l.number, o.code NULLS FIRST"
)
_CODES = sa.text(
    "SELECT b.variant_id, b.code, b.quantity FROM barcode b JOIN transfer_line l ON l.variant = b.variant_id WHERE l.transfer = :id"
)
_STEPS = sa.text(
    "SELECT s.id, s.kind, s.happened_at, s.recorded_at, s.note, s.actor, coalesce(u.name, k.name, 'Onhand') AS actor_name"
    " FROM transfer_step s LEFT JOIN app_user u ON u.id = s.actor LEFT JOIN api_key k ON k.id = s.actor"
    " WHERE s.transfer = :id ORDER BY s.recorded_at, s.kind <> 'created', s.id"
)
_STEP_LINES = sa.text(
    "SELECT x.step, x.line, v.sku, v.unit, v.decimals, o.code AS lot_code, x.outcome, x.quantity, x.over, p.path"
    " FROM transfer_step_line x JOIN transfer_step s ON s.id = x.step JOIN transfer_line l ON l.id = x.line"
    " JOIN variant v ON v.id = l.variant LEFT JOIN lot o ON o.id = x.lot LEFT JOIN location p ON p.id = x.location"
    " WHERE s.transfer = :id ORDER BY x.step, x.number"
)
_ENDS = ("shipped", "received", "damaged", "lost", "returned")


async def get_transfer(
    conn: AsyncConnection, transfer_id: UUID, *, caller: Caller, now: datetime
) -> dict[str, Any] | None:
    """A transfer with its lines, what became of each lot, its steps, and what the caller can do with it. Five queries."""
    row = (await conn.execute(_ONE, {"id": transfer_id})).one_or_none()
    if row is None or not any(caller.may("transfers:read", s) for s in (row.from_site, row.to_site)):
        return None
    parts: dict[UUID, list[Any]] = {}
    for part in await conn.execute(_PARTS, {"id": transfer_id}):
        parts.setdefault(part.line, []).append(part)
    codes: dict[UUID, list[Any]] = {}
    for code in await conn.execute(_CODES, {"id": transfer_id}):
        codes.setdefault(code.variant_id, []).append(code)
    lines = [
        _line(line, parts.get(line.id, []), codes.get(line.variant, []))
        for line in await conn.execute(_LINES, {"id": transfer_id})
    ]
    moved: dict[UUID, list[dict[str, Any]]] = {}
    for step in await conn.execute(_STEP_LINES, {"id": transfer_id}):
        moved.setdefault(step.step, []).append(
            {
                "line_id": step.line, "sku": step.sku, "unit": step.unit, "lot_code": step.lot_code,
                "outcome": step.outcome, "over": step.over, "place": step.path,
                "quantity": format_units(step.quantity, step.decimals),
            }
        )  # fmt: skip
    steps = [
        {
            "id": s.id, "kind": s.kind, "happened_at": s.happened_at, "recorded_at": s.recorded_at, "note": s.note,
            "actor": {"id": s.actor, "name": s.actor_name}, "lines": moved.get(s.id, []),
        }
        for s in await conn.execute(_STEPS, {"id": transfer_id})
    ]  # fmt: skip
    shape = _shape(row, costs=caller.may("costs:read"), now=now)
    return shape | {"lines": lines, "steps": steps, "can": _can(row, caller)}


def _can(row: Any, caller: Caller) -> list[str]:
    """What the state allows and the caller may, at the end it concerns."""
    plans = caller.may("transfers:write", row.from_site) or caller.may("transfers:write", row.to_site)
    ships = caller.may("transfers:ship", row.from_site)
    receives = caller.may("transfers:receive", row.to_site)
    may = {"ship": ships, "receive": receives, "resolve": receives or ships}
    verbs = allowed(
        State(row.state), to_ship=row.to_ship > 0, in_transit=row.in_transit > 0, lost=row.lost > 0
    )
    return [verb for verb in verbs if may.get(verb, plans)]


def _line(line: Any, parts: list[Any], codes: list[Any]) -> dict[str, Any]:
    d = line.decimals
    sums = {name: sum(getattr(p, name) for p in parts) for name in _ENDS}
    in_transit = sums["shipped"] - sums["received"] - sums["damaged"] - sums["lost"] - sums["returned"]
    return {
        "id": line.id, "number": line.number, "variant_id": line.variant, "sku": line.sku, "name": line.name,
        "unit": line.unit, "decimals": d, "tracking": line.tracking, "lot_code": line.lot_code,
        "barcodes": [{"code": c.code, "quantity": format_units(c.quantity, d)} for c in codes],
        "requested": format_units(line.requested, d), "dropped": format_units(line.dropped, d),
        "claimed": format_units(line.claimed, d), "in_transit": format_units(in_transit, d),
        "to_ship": format_units(max(0, line.requested - line.dropped - sums["shipped"]), d),
        **{name: format_units(value, d) for name, value in sums.items()},
        "lots": [
            {
                "lot_id": None if p.lot == NIL else p.lot, "lot_code": p.lot_code,
                "in_transit": format_units(p.shipped - p.received - p.damaged - p.lost - p.returned, d),
                **{name: format_units(getattr(p, name), d) for name in _ENDS},
            }
            for p in parts
        ],
    }  # fmt: skip


_TOTALS = sa.text(f"""
SELECT t.state, count(*) AS transfers, coalesce(sum(s.units), 0) AS units, sum(s.cost) AS cost, max(s.currency) AS currency,
       count(*) FILTER (WHERE t.expected_at < :now) AS overdue, min(t.shipped_at) FILTER (WHERE s.in_transit > 0) AS oldest
  FROM {_FROM} JOIN LATERAL {_SUMS} s ON true
 WHERE {_OPEN} AND (CAST(:scope AS uuid[]) IS NULL OR t.from_site = ANY(CAST(:scope AS uuid[])) OR t.to_site = ANY(CAST(:scope AS uuid[])))
   AND (CAST(:site AS uuid) IS NULL OR t.from_site = :site OR t.to_site = :site)
 GROUP BY t.state
""")


async def totals(
    conn: AsyncConnection, *, scope: Scope, site_id: UUID | None, costs: bool, now: datetime
) -> list[dict[str, Any]]:
    """How many transfers stand in each open state, and what is in transit. One query over the open ones."""
    values = {"now": now, "scope": None if scope is None else sorted(scope), "site": site_id}
    found = {row.state: row for row in await conn.execute(_TOTALS, values)}
    out = []
    for state in ("draft", "placed", "shipped"):
        row = found.get(state)
        out.append(
            {
                "state": state, "transfers": row.transfers if row else 0, "overdue": row.overdue if row else 0,
                "in_transit_units": f"{row.units.normalize():f}" if row else "0",
                "in_transit_value": _money(row.cost, row.currency) if row and costs else None,
                "oldest_shipped_at": row.oldest if row else None,
            }
        )  # fmt: skip
    return out


_FIND = sa.text(
    f"SELECT t.id, t.number, t.state, t.from_site, t.to_site, f.code AS from_code, d.code AS to_code FROM {_FROM}"
    " WHERE t.number::text = :q OR upper(:q) = 'T-' || t.number OR t.external_id = :q ORDER BY t.created_at DESC LIMIT :limit"
)


async def find_transfers(
    conn: AsyncConnection, q: str, limit: int, sites: frozenset[UUID] | None
) -> list[dict[str, Any]]:
    """Transfers for the search box: by number or external id."""
    rows = await conn.execute(_FIND, {"q": q.strip(), "limit": limit})
    return [
        {
            "kind": "transfer", "id": r.id, "title": f"T-{r.number}", "match": "sku",
            "subtitle": f"{r.from_code} → {r.to_code} · {r.state}",
        }
        for r in rows
        if sites is None or r.from_site in sites or r.to_site in sites
    ]  # fmt: skip


async def scan_transfer(conn: AsyncConnection, code: str) -> dict[str, Any] | None:
    """A scanned delivery note: the transfer with that number."""
    rows = (await conn.execute(_FIND, {"q": code.strip(), "limit": 2})).all()
    if len(rows) != 1 or not code.strip().upper().startswith("T-"):
        return None
    row = rows[0]
    return {"kind": "transfer", "id": row.id, "title": f"T-{row.number}", "site_id": row.to_site}


_CHECK_LEVELS = """
SELECT 'site ' || coalesce(a.site, b.site) || ' variant ' || coalesce(a.variant, b.variant) AS row, 'in_transit' AS col,
       coalesce(b.quantity, 0)::text AS expected, coalesce(a.quantity, 0)::text AS actual
  FROM (SELECT t.to_site AS site, l.variant, p.lot, sum(p.shipped - p.received - p.damaged - p.lost - p.returned) AS quantity
          FROM transfer_part p JOIN transfer_line l ON l.id = p.line JOIN transfer t ON t.id = l.transfer
         GROUP BY t.to_site, l.variant, p.lot) a
  FULL JOIN (SELECT t.site, l.variant, l.lot, sum(l.on_hand) AS quantity
               FROM (SELECT DISTINCT transit, to_site AS site FROM transfer) t JOIN level l ON l.location = t.transit
              GROUP BY t.site, l.variant, l.lot) b ON b.site = a.site AND b.variant = a.variant AND b.lot = a.lot
 WHERE coalesce(a.quantity, 0) <> coalesce(b.quantity, 0)
"""
_CHECK_MOVES = """
SELECT 'transfer ' || x.id || ' variant ' || x.variant AS row, 'in_transit' AS col, coalesce(m.quantity, 0)::text AS expected,
       x.quantity::text AS actual
  FROM (SELECT t.id, l.variant, p.lot, sum(p.shipped - p.received - p.damaged - p.lost - p.returned) AS quantity
          FROM transfer_part p JOIN transfer_line l ON l.id = p.line JOIN transfer t ON t.id = l.transfer
         GROUP BY t.id, l.variant, p.lot) x
  LEFT JOIN (SELECT t.id, m.variant, m.lot,
                    sum(CASE WHEN m.to_location = t.transit THEN m.quantity WHEN m.from_location = t.transit THEN -m.quantity
                             ELSE 0 END) AS quantity
               FROM posting p JOIN transfer t ON t.id = p.source_id JOIN move m ON m.seq = p.seq AND m.recorded_at = p.recorded_at
              WHERE p.source_type = 'transfer_document' GROUP BY t.id, m.variant, m.lot) m
         ON m.id = x.id AND m.variant = x.variant AND m.lot = x.lot
 WHERE x.quantity <> coalesce(m.quantity, 0)
"""
_CHECK_CLAIMS = """
SELECT 'transfer ' || t.id AS row, 'claimed' AS col, coalesce(c.quantity, 0)::text AS expected, l.quantity::text AS actual
  FROM (SELECT transfer, sum(claimed) AS quantity FROM transfer_line GROUP BY transfer) l JOIN transfer t ON t.id = l.transfer
  LEFT JOIN (SELECT reservation, sum(quantity) AS quantity FROM claim GROUP BY reservation) c ON c.reservation = t.id
 WHERE l.quantity <> coalesce(c.quantity, 0)
"""
_CHECK_EXPECTED = """
SELECT 'transfer ' || x.transfer AS row, 'in_transit expected' AS col, x.quantity::text AS expected,
       coalesce(e.quantity, 0)::text AS actual
  FROM (SELECT l.transfer, sum(p.shipped - p.received - p.damaged - p.lost - p.returned) AS quantity
          FROM transfer_part p JOIN transfer_line l ON l.id = p.line GROUP BY l.transfer) x
  LEFT JOIN (SELECT source_id, sum(quantity) AS quantity FROM expectation WHERE source_type = 'transfer' GROUP BY source_id) e
         ON e.source_id = x.transfer
 WHERE x.quantity <> coalesce(e.quantity, 0)
"""


async def document_sums(conn: AsyncConnection) -> list[ledger.Difference]:
    """Check of the books: what is in transit is what was shipped and neither received, damaged, lost nor returned — as
    documents say, as levels of transit places stand, as moves sum up, and as destinations expect; claims likewise."""
    out = []
    for table, statement in (
        ("level", _CHECK_LEVELS), ("move", _CHECK_MOVES), ("claim", _CHECK_CLAIMS), ("expectation", _CHECK_EXPECTED),
    ):  # fmt: skip
        rows = await conn.execute(sa.text(f"{statement} LIMIT 200"))
        out += [ledger.Difference("transfer_documents", table, *(str(v) for v in row)) for row in rows]
    return out
