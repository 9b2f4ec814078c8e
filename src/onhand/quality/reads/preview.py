"""Which bins and lots would serve a quantity at a site, for a customer, on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand import lots
from onhand.catalog import Resolved
from onhand.kit.ids import NIL
from onhand.ledger import Condition
from onhand.values import format_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What should be served: `quantity` in smallest units; None where the customer or the policy says it."""

    item: Resolved
    site: UUID
    quantity: int
    ship_on: date
    customer_id: UUID | None = None
    strategy: str | None = None
    minimum_life_days: int | None = None


_LYING = sa.text("""
SELECT n.location, p.path, p.code, n.lot, l.code AS lot_code, n.condition, n.on_hand - n.allocated AS free, l.expires_on,
       l.created_at, coalesce((p.metadata->>'sequence')::numeric, 'Infinity') AS sequence,
       l.id IS NULL OR NOT EXISTS (SELECT FROM hold h WHERE h.lot_id = l.id AND h.state = 'open') AS free_lot
  FROM level n JOIN location p ON p.id = n.location LEFT JOIN lot l ON l.id = n.lot
 WHERE n.variant = :variant AND p.site_id = :site AND p.sells AND p.closed_at IS NULL AND n.on_hand > 0
""")
_RULES = sa.text("""
SELECT coalesce(pv.strategy, pp.strategy, 'fefo') AS strategy,
       (SELECT c.minimum_life_days FROM customer c WHERE c.id = CAST(:customer AS uuid)) AS minimum
  FROM variant v LEFT JOIN lot_policy pv ON pv.subject_id = v.id LEFT JOIN lot_policy pp ON pp.subject_id = v.product_id
 WHERE v.id = :variant
""")


async def preview(conn: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """The plan: which places and lots, in the order of picking; what is missing, and what lies there but is too old."""
    variant = asked.item.variant_id
    said = (await conn.execute(_RULES, {"variant": variant, "customer": asked.customer_id})).one()
    days = asked.minimum_life_days if asked.minimum_life_days is not None else said.minimum or 0
    rules = lots.Rules(
        strategy=lots.Strategy(asked.strategy or said.strategy), ship_on=asked.ship_on, minimum_life_days=days
    )
    rows = list(await conn.execute(_LYING, {"variant": variant, "site": asked.site}))
    candidates = [
        lots.Candidate(
            location=r.location, lot=r.lot, free=r.free, expires_on=r.expires_on, arrived_at=r.created_at,
            condition=Condition(r.condition).name if r.free_lot else "hold", sequence=(r.sequence, r.path),
        )
        for r in rows
    ]  # fmt: skip
    plan = lots.allocate(candidates, asked.quantity, rules)
    names = {(r.location, r.lot): r for r in rows}
    decimals = asked.item.decimals
    return {
        "strategy": rules.strategy.value, "ship_on": rules.ship_on, "minimum_life_days": days,
        "good_until": rules.good_until, "unit": asked.item.unit,
        "lines": [
            {
                "location_id": c.candidate.location, "location_path": names[c.candidate.location, c.candidate.lot].path,
                "lot_id": None if c.candidate.lot == NIL else c.candidate.lot,
                "lot_code": names[c.candidate.location, c.candidate.lot].lot_code, "expires_on": c.candidate.expires_on,
                "quantity": format_units(c.quantity, decimals),
            }
            for c in plan.chosen
        ],
        "missing": format_units(plan.missing, decimals), "too_old": format_units(plan.too_old, decimals),
    }  # fmt: skip
