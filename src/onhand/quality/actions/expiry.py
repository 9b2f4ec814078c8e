"""Expiry: the day after a lot's last good day, on the site's own clock, what is left of it goes out of sale."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from onhand import locations
from onhand.kit.ids import derive_id
from onhand.kit.tx import Tx
from onhand.ledger import Condition, Kind
from onhand.quality import store
from onhand.quality.actions.shift import Shifted, Wanted, shift, unused_ids
from onhand.quality.events import LotExpired
from onhand.quality.store import Lying
from onhand.values import format_units

BATCH = 2_000
"""Levels of one transaction at most."""


def over(lying: Lying, tx: Tx) -> bool:
    """Whether the last good day of a lot has passed where it lies."""
    today = locations.business_day(
        lying.time_zone or "UTC", lying.day_start or locations.DEFAULT_DAY_START, tx.now
    )
    return lying.expires_on is not None and lying.expires_on < today


async def expire_lots(tx: Tx) -> int:
    """Move what is past its last good day from available to expired; answers how many levels. Safe to repeat.

    A posting's id follows from lot, day and place. Call it until it answers 0: one call does a bounded number of levels.
    """
    await store.only_one(tx.conn, "expire_lots")
    far_east = tx.now.date() + timedelta(days=1)  # where it is tomorrow already
    due = [one for one in await store.expired(tx.conn, before=far_east) if over(one, tx)][:BATCH]
    keys = {one.goods: ("expired", str(one.lot), str(one.expires_on), str(one.location)) for one in due}
    ids = await unused_ids(tx, list(keys.values()))
    shifted = await shift(
        tx, [Wanted(one, int(Condition.expired)) for one in due], kind=Kind.hold,
        source=("expiry", derive_id("onhand", "expiry", tx.now.date().isoformat())), reason="expired",
        id_of=lambda w: ids[keys[w.lying.goods]],
    )  # fmt: skip
    _say(tx, shifted)
    return len(shifted)


def _say(tx: Tx, shifted: list[Shifted]) -> None:
    sums: dict[tuple[UUID, UUID | None], tuple[Lying, int]] = {}
    for one in shifted:
        lying = one.wanted.lying
        before = sums.get((lying.lot, lying.site), (lying, 0))[1]
        sums[lying.lot, lying.site] = (lying, before + one.quantity)
    for lying, quantity in sums.values():
        assert lying.expires_on is not None
        tx.emit(
            LotExpired(
                lot_id=lying.lot, lot_code=lying.lot_code or "", variant_id=lying.variant, sku=lying.sku,
                expires_on=lying.expires_on, site_id=lying.site, site_code=lying.site_code,
                quantity=format_units(quantity, lying.decimals),
            )
        )  # fmt: skip
