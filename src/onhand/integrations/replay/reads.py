"""Control totals counted from the books, not from the file: what a replay left in ledger and documents, by month."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.integrations.replay.mapping import Mapping
from onhand.integrations.replay.translate import Books, document_id

_LEDGER = sa.text("""
SELECT to_char(p.happened_at AT TIME ZONE :zone, 'YYYY-MM') AS month,
       sum(m.signed) FILTER (WHERE m.signed > 0) AS sold,
       sum(m.signed) FILTER (WHERE m.signed < 0) AS back
  FROM posting p
  JOIN LATERAL (
    SELECT (CASE WHEN p.kind = 'adjust' AND m.to_kept THEN 1 WHEN p.kind = 'adjust' THEN -1
                 WHEN m.to_location = :customer THEN 1 ELSE -1 END)
           * m.quantity / 10::numeric ^ v.decimals AS signed
      FROM move m JOIN variant v ON v.id = m.variant WHERE m.seq = p.seq AND m.recorded_at = p.recorded_at) m ON true
 WHERE p.device = ANY(:tills) AND p.kind IN ('sell', 'return', 'adjust')
 GROUP BY 1""")
"""Goods handed over and found count up; goods brought back and written off count down, as in the file."""

_SALES = sa.text("""
SELECT to_char(s.happened_at AT TIME ZONE :zone, 'YYYY-MM') AS month, count(*) AS lines,
       count(*) FILTER (WHERE s.number ~ :returns) AS cancelled,
       sum(l.told_quantity::numeric * l.unit_price) AS value,
       array_agg(DISTINCT s.number) AS numbers, array_agg(DISTINCT l.code) AS codes
  FROM sale s JOIN sale_line l ON l.sale = s.id
 WHERE s.register = ANY(:tills) GROUP BY 1""")

_ADJUSTMENTS = sa.text("""
SELECT to_char(p.happened_at AT TIME ZONE :zone, 'YYYY-MM') AS month, count(*) AS lines,
       array_agg(DISTINCT p.source_id) AS documents, array_agg(DISTINCT v.sku) AS codes
  FROM posting p JOIN move m ON m.seq = p.seq AND m.recorded_at = p.recorded_at JOIN variant v ON v.id = m.variant
 WHERE p.device = ANY(:tills) AND p.kind = 'adjust' GROUP BY 1""")


async def totals(conn: AsyncConnection, books: Books, mapping: Mapping) -> dict[str, dict[str, Decimal]]:
    """The columns of a control file by month, from postings, moves and sale documents of the replay's tills."""
    from onhand.integrations.replay.translate import CUSTOMER

    values: dict[str, Any] = {
        "zone": mapping.time_zone, "tills": [till.id for till in books.tills.values()], "customer": CUSTOMER,
        "returns": mapping.returns or "^$",
    }  # fmt: skip
    ledger = {row.month: row for row in await conn.execute(_LEDGER, values)}
    sales = {row.month: row for row in await conn.execute(_SALES, values)}
    adjusted = {row.month: row for row in await conn.execute(_ADJUSTMENTS, values)}
    found: dict[str, dict[str, Decimal]] = {}
    for month in sorted({*ledger, *sales, *adjusted}):
        moved, sold, corrected = ledger.get(month), sales.get(month), adjusted.get(month)
        up = Decimal((moved and moved.sold) or 0)
        down = Decimal((moved and moved.back) or 0)
        documents = {document_id(books.source, number) for number in (sold.numbers if sold else ())}
        documents |= set(corrected.documents if corrected else ())
        codes = {*(sold.codes if sold else ()), *(corrected.codes if corrected else ())}
        found[month] = {
            "lines": Decimal((sold.lines if sold else 0) + (corrected.lines if corrected else 0)),
            "invoices": Decimal(len(documents)),
            "cancel_lines": Decimal(sold.cancelled if sold else 0),
            "net_quantity": up + down,
            "sold_quantity": up,
            "returned_or_written_off": down,
            "net_value": Decimal((sold and sold.value) or 0),
            "stock_codes": Decimal(len(codes)),
        }
    return found
