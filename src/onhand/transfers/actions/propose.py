"""From what is below its minimum at a site to draft transfers from the sites that can spare it, in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from onhand import catalog, ledger, locations
from onhand.access import Caller
from onhand.kit.ids import derive_id
from onhand.kit.tx import Tx
from onhand.ledger import Goods, Spot
from onhand.locations import Place
from onhand.transfers import model, store
from onhand.transfers.actions.plan import NewTransfer, draft
from onhand.transfers.model import Document, Need, NothingNeeded
from onhand.values import format_units


@dataclass(frozen=True, slots=True)
class Proposed:
    """The drafts that were made, and what no site can spare: SKU and quantity as decimal text."""

    drafts: list[Document]
    unmet: list[tuple[UUID, str, str]]


async def propose(
    tx: Tx, caller: Caller, *, id: UUID | None, target: Spot, source: Spot | None = None,
    variants: Sequence[UUID] | None = None, expected_at: datetime | None = None,
) -> Proposed:  # fmt: skip
    """Draft what brings a site to its minimums: minimum − available − expected − drafted, of all variants below it or of
    some. Sources are the sites with most to spare above their own minimum (or `source` alone); a draft a source.

    Raises NothingNeeded, UnknownLocation, LocationKeepsNoStock, Forbidden.
    """
    spots = [target] + ([source] if source is not None else [])
    found, places = await ledger.find_places(tx.conn, spots)
    end, start = found[0], found[1] if source is not None else None
    for spot, site in zip(spots, found, strict=True):
        if not site.is_site:
            raise ledger.LocationKeepsNoStock(
                f"{site.path} is no store or warehouse; name the site.", param=spot.param
            )
    caller.require("transfers:write", end.id)
    needed = [Need(v, q) for v, q in await store.needs(tx.conn, end.id, variants)]
    if not needed:
        raise NothingNeeded(f"Nothing is below its minimum at {end.path} that is not on its way.")
    spare = await store.surplus(
        tx.conn, [n.variant for n in needed], site=end.id, source=start.id if start is not None else None
    )
    given, unmet = model.propose(needed, spare)
    if not given:
        raise NothingNeeded(f"No site can spare what {end.path} needs.", unmet=len(unmet))
    known = await catalog.resolve_ids(tx.conn, [n.variant for n in needed])
    drafts = []
    for n, (giver, gives) in enumerate(given.items()):
        drafts.append(
            await draft(tx, caller, _new(known, places[giver], end, gives, tx.new_id(id), n, expected_at))
        )
    lacking = [
        (n.variant, known[n.variant].sku, format_units(n.quantity, known[n.variant].decimals)) for n in unmet
    ]
    return Proposed(drafts, lacking)


def _new(
    known: dict[UUID, catalog.Resolved], start: Place, end: locations.Place, gives: Sequence[Need], seed: UUID, n: int,
    expected_at: datetime | None,
) -> NewTransfer:  # fmt: skip
    return NewTransfer(
        id=derive_id(str(seed), "proposal", str(n)), source=Spot(id=start.id), target=Spot(id=end.id),
        expected_at=expected_at,
        lines=[
            Goods(
                variant_id=g.variant, unit=known[g.variant].unit,
                quantity=format_units(g.quantity, known[g.variant].decimals),
            )
            for g in gives[:500]
        ],
    )  # fmt: skip
