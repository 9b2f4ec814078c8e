"""Whoever approves: post what a bin's count found, or have it counted again."""

from __future__ import annotations

from uuid import UUID

from onhand import access, ledger
from onhand.access import Caller
from onhand.counting import store
from onhand.counting.actions.common import found_bin, place_of, tell
from onhand.counting.actions.posting import Judged, post_bin
from onhand.counting.model import OwnCount, VarianceTooLarge, advance
from onhand.kit.tx import Tx


async def approve(
    tx: Tx, caller: Caller, bin_count_id: UUID, *, version: int | None = None, note: str | None = None
) -> None:
    """Approve a bin's count, which posts it at the instant it was counted, judged by the book as known now.

    Raises NotFound, Forbidden, Stale, BinCountClosed, OwnCount, VarianceTooLarge.
    """
    found = await found_bin(tx, caller, bin_count_id, "stock:approve", version=version)
    state = advance(found.state, "approve")
    entry = await store.find_entry(tx.conn, entry_id=found.entry)
    assert entry is not None
    if entry.actor == caller.id:
        raise OwnCount()
    limits = caller.limits(found.site)

    def check(said: Judged) -> None:
        for v in said.found:
            if limits is None or v.quantity == 0:
                continue
            why = ledger.exceeds(v.units, v.unit_cost, units=limits.adjust_units, value=limits.adjust_value)
            if why is not None:
                raise VarianceTooLarge(why)

    policy, _ = await store.get_policy(tx.conn)
    await post_bin(tx, found, entry, policy, by=caller, note=note, check=check)
    access.name_action(tx, "counting.approved")
    tell(tx, found, await place_of(tx, found.location), state=state, count_round=found.round)


async def recount(
    tx: Tx, caller: Caller, bin_count_id: UUID, *, version: int | None = None, note: str | None = None
) -> None:
    """Have a bin counted again; nothing is posted. Raises NotFound, Forbidden, Stale, BinCountClosed."""
    found = await found_bin(tx, caller, bin_count_id, "stock:approve", version=version)
    state = advance(found.state, "recount")
    await store.change_bin_count(
        tx.conn,
        found,
        tx.now,
        state=state,
        round=found.round + 1,
        claimed_by=None,
        claimed_by_name=None,
        note=note,
    )
    access.name_action(tx, "counting.recount_asked")
    tell(tx, found, await place_of(tx, found.location), state=state, count_round=found.round + 1)
