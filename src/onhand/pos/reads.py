"""Read-side SQL of the point of sale: registers, sales, and what the intake keeps in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import catalog, ledger, locations
from onhand.kit.database import Database
from onhand.kit.ids import NIL, quick
from onhand.kit.paging import after, cut
from onhand.pos.model import NamedLot, SaleIn, Till
from onhand.pos.tables import register, sale, tender
from onhand.values.money import CURRENCY_EXPONENTS
from onhand.values.quantity import format_units


@dataclass(slots=True)
class Desk:
    """What the intake keeps in memory: registers here, codes in the catalogue's resolver. `forget` when a register changes."""

    database: Database
    resolver: catalog.Resolver
    tills: dict[str, Till] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget the registers; the next sale asks again."""
        self.tills.clear()

    async def till(self, code: str) -> Till | None:
        """A register by code or id."""
        found = self.tills.get(code)
        if found is None:
            async with self.database.engine.connect() as conn:
                found = await find_till(conn, code)
            if found is not None:
                self.tills[code] = found
        return found

    async def known(self, sales: Iterable[SaleIn]) -> dict[str, catalog.Resolved]:
        """What the lines' codes stand for, by code; unknown ones are absent."""
        codes: list[str] = []
        ids: list[UUID] = []
        for told in sales:
            for line in told.lines:
                if line.sku is None and line.barcode is None and line.variant_id is not None:
                    ids.append(line.variant_id)
                else:
                    codes.append(line.code)
        known = await self.resolver.resolve(codes) if codes else {}
        if ids:
            known.update({str(i): r for i, r in (await self.resolver.resolve_ids(ids)).items()})
        return known

    async def named(
        self, sale: SaleIn, site: UUID, known: Mapping[str, catalog.Resolved]
    ) -> dict[tuple[UUID, str], NamedLot]:
        """The lots and serial numbers the lines name, by variant and code, as they stand. No query where none is named."""
        wanted = {
            (hit.variant_id, line.serial_number or line.lot_code or "")
            for line in sale.lines
            if (line.serial_number is not None or line.lot_code is not None)
            and (hit := known.get(line.code)) is not None
        }
        if not wanted:
            return {}
        pairs = sorted(wanted, key=lambda w: (w[0].bytes, w[1]))
        asked = {"variants": [v for v, _ in pairs], "codes": [c for _, c in pairs], "site": site, "nil": NIL}
        async with self.database.engine.connect() as conn:
            rows = (await conn.execute(_NAMED, asked)).all()
        return {
            (row.variant_id, row.code): NamedLot(
                row.id, row.kind, row.held, row.anywhere,
                tuple((UUID(p[0]), int(p[1]), int(p[2])) for p in row.places or ()),
            )
            for row in rows
        }  # fmt: skip


_NAMED = sa.text("""
SELECT l.id, l.variant_id, l.code, l.kind, coalesce(s.on_hand, 0) AS anywhere,
       EXISTS (SELECT FROM hold h WHERE h.lot_id = l.id AND h.state = 'open') AS held,
       (SELECT array_agg(ARRAY[n.location::text, n.condition::text, n.on_hand::text]) FROM level n JOIN location p ON p.id = n.location
         WHERE n.lot = l.id AND n.lot <> CAST(:nil AS uuid) AND n.on_hand > 0 AND p.site_id = :site) AS places
  FROM unnest(CAST(:variants AS uuid[]), CAST(:codes AS text[])) AS k(v, c)
  JOIN lot l ON l.variant_id = k.v AND l.code = k.c LEFT JOIN serial s ON s.lot = l.id
""")


_TILL = sa.text(
    "SELECT r.id, r.code, r.location_id, p.site_id, s.code AS site_code FROM register r"
    " JOIN location p ON p.id = r.location_id JOIN location s ON s.id = p.site_id"
    " WHERE r.code = :code OR r.id::text = lower(:code)"
)


async def find_till(conn: AsyncConnection, code: str) -> Till | None:
    """A register by code or id."""
    row = (await conn.execute(_TILL, {"code": code})).first()
    if row is None:
        return None
    return Till(quick(row.id), row.code, quick(row.location_id), quick(row.site_id), row.site_code)


def _register_shape(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "code": row.code, "name": row.name, "location_id": row.location_id, "site_id": row.site_id,
        "external_id": row.external_id, "metadata": row.metadata, "version": row.version,
    }  # fmt: skip


_REGISTER = (
    sa.select(register, sa.literal_column("p.site_id").label("site_id"))
    .select_from(register.join(sa.text("location p"), sa.text("p.id = register.location_id")))
)  # fmt: skip


async def list_registers(
    conn: AsyncConnection, *, sites: Collection[UUID] | None, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Registers by code."""
    query = _REGISTER.where(after([register.c.code], cursor)).order_by(register.c.code).limit(limit + 1)
    if sites is not None:
        query = query.where(sa.literal_column("p.site_id").in_(list(sites)))
    rows, following = cut((await conn.execute(query)).all(), limit, ["code"])
    return [_register_shape(r) for r in rows], following


async def get_register(conn: AsyncConnection, register_id: UUID) -> dict[str, Any] | None:
    """One register."""
    row = (await conn.execute(_REGISTER.where(register.c.id == register_id))).first()
    return _register_shape(row) if row is not None else None


_SALE = (
    "s.id, s.number, r.code AS register, s.site, p.code AS site_code, s.happened_at, s.recorded_at, s.currency, s.total,"
    " s.tax, s.net, s.discount, s.units, s.line_count, s.state, s.refund_of, s.customer"
)


def sale_shape(row: Any) -> dict[str, Any]:
    """A sale as lists show it."""
    exponent = CURRENCY_EXPONENTS.get(row.currency, 2)
    return {
        "id": row.id, "number": row.number, "register": row.register, "site_id": row.site, "site_code": row.site_code,
        "happened_at": row.happened_at, "recorded_at": row.recorded_at, "currency": row.currency,
        "total": format_units(row.total, exponent), "tax": format_units(row.tax, exponent),
        "net": format_units(row.net, exponent), "discount": format_units(row.discount, exponent),
        "units": row.units, "line_count": row.line_count, "state": row.state, "refund_of": row.refund_of,
        "customer_id": row.customer,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SaleFilter:
    """What a list of sales may be narrowed by; `sites` is the caller's scope (None: everywhere)."""

    sites: Collection[UUID] | None = None
    site_id: UUID | None = None
    register: str | None = None
    state: str | None = None
    q: str | None = None
    happened_after: datetime | None = None
    happened_before: datetime | None = None


async def list_sales(
    conn: AsyncConnection, wanted: SaleFilter, *, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Sales, the newest first."""
    s = sale.alias("s")
    query = (
        sa.select(sa.text(_SALE))
        .select_from(
            s.join(sa.text("register r"), sa.text("r.id = s.register")).join(
                sa.text("location p"), sa.text("p.id = s.site")
            )
        )
        .where(after([s.c.happened_at, s.c.id], cursor, descending=True))
        .order_by(s.c.happened_at.desc(), s.c.id.desc())
        .limit(limit + 1)
    )
    if wanted.sites is not None:
        query = query.where(s.c.site.in_(list(wanted.sites)))
    if wanted.site_id is not None:
        query = query.where(s.c.site == wanted.site_id)
    if wanted.register is not None:
        query = query.where(sa.text("r.code = :register").bindparams(register=wanted.register))
    if wanted.state is not None:
        query = query.where(s.c.state == wanted.state)
    if wanted.happened_after is not None:
        query = query.where(s.c.happened_at >= wanted.happened_after)
    if wanted.happened_before is not None:
        query = query.where(s.c.happened_at < wanted.happened_before)
    if wanted.q:
        query = query.where(s.c.number == wanted.q)
    rows, following = cut((await conn.execute(query)).all(), limit, ["happened_at", "id"])
    return [sale_shape(r) for r in rows], following


async def get_sale(conn: AsyncConnection, sale_id: UUID) -> dict[str, Any] | None:
    """A sale with lines, tenders, refunds, and what can be done with it."""
    row = (
        await conn.execute(
            sa.text(f"SELECT {_SALE} FROM sale s JOIN register r ON r.id = s.register JOIN location p ON p.id = s.site WHERE s.id = :id"),
            {"id": sale_id},
        )
    ).first()  # fmt: skip
    if row is None:
        return None
    exponent = CURRENCY_EXPONENTS.get(row.currency, 2)
    lines = await conn.execute(
        sa.text(
            "SELECT l.*, v.sku, v.name, v.decimals, v.unit FROM sale_line l LEFT JOIN variant v ON v.id = l.variant"
            " WHERE l.sale = :id ORDER BY l.line"
        ),
        {"id": sale_id},
    )
    tenders = await conn.execute(sa.select(tender).where(tender.c.sale == sale_id).order_by(tender.c.line))
    refunds = (await conn.execute(sa.select(sale.c.id).where(sale.c.refund_of == sale_id))).scalars().all()
    return {
        **sale_shape(row),
        "lines": [_line_shape(line, exponent) for line in lines],
        "tenders": [
            {"kind": t.kind, "amount": format_units(t.amount, exponent), "reference": t.reference}
            for t in tenders
        ],
        "refunds": list(refunds),
        "can": can(row.state, row.refund_of),
    }


def can(state: str, refund_of: UUID | None) -> list[str]:
    """The verbs a sale's state allows."""
    if refund_of is not None or state in ("voided", "refunded"):
        return []
    return ["refund", "void"] if state == "completed" else ["refund"]


def _line_shape(line: Any, exponent: int) -> dict[str, Any]:
    decimals = line.decimals or 0
    return {
        "line": line.line, "variant_id": line.variant, "sku": line.sku or line.code, "name": line.name or line.description or "",
        "unit": line.unit, "quantity": format_units(line.quantity, decimals) if line.variant else line.told_quantity,
        "refunded": format_units(line.refunded, decimals), "unit_price": f"{line.unit_price.normalize():f}",
        "net": format_units(line.net, exponent), "tax": format_units(line.tax, exponent),
        "discount": format_units(line.discount, exponent), "total": format_units(line.total, exponent),
        "lot_code": line.lot_code, "serial_number": line.serial_number, "resolved": line.variant is not None,
    }  # fmt: skip


async def sale_site(conn: AsyncConnection, sale_id: UUID) -> UUID | None:
    """The site a sale happened at."""
    found: UUID | None = (await conn.execute(sa.select(sale.c.site).where(sale.c.id == sale_id))).scalar()
    return found


_SUMS = sa.text("""
WITH told AS (
  SELECT l.variant, sum(l.quantity) AS quantity FROM sale_line l JOIN sale s ON s.id = l.sale
   WHERE l.variant IS NOT NULL AND s.state <> 'voided' GROUP BY 1),
moved AS (
  SELECT m.variant, sum(CASE WHEN m.to_location = :customer THEN m.quantity ELSE -m.quantity END) AS quantity
    FROM posting p JOIN move m ON m.seq = p.seq AND m.recorded_at = p.recorded_at
   WHERE p.source_type IN ('sale', 'refund') AND :customer IN (m.to_location, m.from_location) GROUP BY 1)
SELECT coalesce(t.variant, m.variant) AS variant, coalesce(t.quantity, 0) AS told, coalesce(m.quantity, 0) AS moved
  FROM told t FULL JOIN moved m ON m.variant = t.variant
 WHERE coalesce(t.quantity, 0) <> coalesce(m.quantity, 0) LIMIT 200
""")


async def document_sums(conn: AsyncConnection) -> list[ledger.Difference]:
    """Check of the books: per variant, what sales and refunds say left the shops is what moved to customers."""
    rows = await conn.execute(_SUMS, {"customer": locations.virtual_id("customer")})
    return [
        ledger.Difference(
            "sale_documents", "sale_line", f"variant {r.variant}", "quantity", str(r.moved), str(r.told)
        )
        for r in rows
    ]


_FIND = sa.text(f"""
SELECT {_SALE} FROM sale s JOIN register r ON r.id = s.register JOIN location p ON p.id = s.site
 WHERE s.number = :q OR s.id::text = lower(:q) ORDER BY s.happened_at DESC LIMIT :limit
""")


async def find_sales(
    conn: AsyncConnection, q: str, limit: int, sites: frozenset[UUID] | None
) -> list[dict[str, Any]]:
    """Sales for the search box: by receipt number or id."""
    rows = (await conn.execute(_FIND, {"q": q.strip(), "limit": limit})).all()
    return [
        {
            "kind": "sale", "id": r.id, "title": r.number or str(r.id), "match": "sku",
            "subtitle": f"{r.site_code} · {r.register} · {r.happened_at:%Y-%m-%d %H:%M}",
        }
        for r in rows
        if sites is None or r.site in sites
    ]  # fmt: skip


async def scan_sale(conn: AsyncConnection, code: str) -> dict[str, Any] | None:
    """A scanned receipt: the sale with that number or id."""
    rows = (await conn.execute(_FIND, {"q": code.strip(), "limit": 2})).all()
    if len(rows) != 1:
        return None
    row = rows[0]
    return {"kind": "sale", "id": row.id, "title": row.number or str(row.id), "site_id": row.site}
