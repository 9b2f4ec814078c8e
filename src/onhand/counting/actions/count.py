"""Counting a bin: claim it, release it, say what lies in it. Nobody who counts learns what the book says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from onhand import access, catalog, ledger
from onhand.access import Caller
from onhand.counting import store
from onhand.counting.actions.common import found_bin, place_of, tell
from onhand.counting.actions.posting import judged, post_bin
from onhand.counting.model import (
    AlreadyCounted,
    ClaimedByAnother,
    CountedLine,
    NothingCounted,
    RecountByOther,
    Variance,
    Verdict,
    advance,
    judge,
)
from onhand.kit.problem import IdReused, InvalidBody, NotFound
from onhand.kit.tx import Tx


@dataclass(frozen=True, slots=True)
class Told:
    """One line of what was counted: goods as somebody names them, and their condition where they said so."""

    goods: ledger.Goods
    condition: ledger.Condition | None = None


async def claim(
    tx: Tx, caller: Caller, bin_count_id: UUID, *, version: int | None = None, user_id: UUID | None = None
) -> None:
    """Take the count of a bin, or (with counting:write) give it to somebody.

    Raises NotFound, Forbidden, Stale, ClaimedByAnother, RecountByOther, BinCountClosed.
    """
    found = await found_bin(tx, caller, bin_count_id, "stock:count", version=version)
    who, name = caller.id, caller.name
    if user_id is not None and user_id != caller.id:
        caller.require("counting:write", found.site)
        known = await store.person_name(tx.conn, user_id)
        if known is None:
            raise NotFound("There is no such person.", param="user_id")
        who, name = user_id, known
    if found.state == "claimed":
        if found.claimed_by == who:
            return
        raise ClaimedByAnother()
    state = advance(found.state, "claim")
    await _check_other(tx, found, who)
    await store.change_bin_count(tx.conn, found, tx.now, state=state, claimed_by=who, claimed_by_name=name)
    access.name_action(tx, "counting.claimed")
    tell(tx, found, await place_of(tx, found.location), state=state, count_round=found.round)


async def release(tx: Tx, caller: Caller, bin_count_id: UUID, *, version: int | None = None) -> None:
    """Give the count of a bin back. Raises NotFound, Forbidden, Stale, ClaimedByAnother, BinCountClosed."""
    found = await found_bin(tx, caller, bin_count_id, "stock:count", version=version)
    state = advance(found.state, "release")
    if found.claimed_by != caller.id and not caller.may("counting:write", found.site):
        raise ClaimedByAnother()
    await store.change_bin_count(tx.conn, found, tx.now, state=state, claimed_by=None, claimed_by_name=None)
    access.name_action(tx, "counting.released")
    tell(tx, found, await place_of(tx, found.location), state=state, count_round=found.round)


async def cancel(
    tx: Tx, caller: Caller, bin_count_id: UUID, *, version: int | None = None, note: str | None = None
) -> None:
    """Take the count of a bin off its sheet; nothing is posted. Raises NotFound, Forbidden, Stale, BinCountClosed."""
    found = await found_bin(tx, caller, bin_count_id, "counting:write", version=version)
    state = advance(found.state, "cancel")
    await store.change_bin_count(
        tx.conn, found, tx.now, state=state, decided_by=caller.id, decided_by_name=caller.name, decided_at=tx.now, note=note
    )  # fmt: skip
    access.name_action(tx, "counting.cancelled")
    tell(tx, found, await place_of(tx, found.location), state=state, count_round=found.round)


async def _check_other(tx: Tx, found: store.BinCount, who: UUID) -> None:
    """Raises RecountByOther when the settings ask for somebody else."""
    if found.round == 1:
        return
    policy, _ = await store.get_policy(tx.conn)
    if policy.recount_by == "other" and who in await store.counters_of(tx.conn, found.id):
        raise RecountByOther()


async def submit(
    tx: Tx, caller: Caller, *, id: UUID | None, bin_count_id: UUID, happened_at: datetime | None, lines: Sequence[Told],
    complete: bool = True, empty: bool = False,
) -> str:  # fmt: skip
    """Say what lay in a bin at an instant; answers the state of its count after that.

    Lock the bin's count → same id already there? done → is it theirs? → understand the lines → write them down → judge them
    against the book at that instant → post, wait for approval, or count again. A code nobody knows is kept for whoever
    approves. Raises NotFound, Forbidden, IdReused, ClaimedByAnother, AlreadyCounted, RecountByOther, NothingCounted,
    BinCountClosed, HappenedAhead, and BadValue or UomMismatch for a quantity.
    """
    found = await found_bin(tx, caller, bin_count_id, "stock:count")
    if empty == bool(lines):
        raise NothingCounted(param="lines")
    entry_id = tx.new_id(id)
    at = min(ledger.check_instant(tx, happened_at), tx.now)
    digest = ledger.digest_of(
        str(bin_count_id), None if happened_at is None else happened_at.isoformat(), complete, empty,
        [(_code(t.goods), t.goods.quantity, t.goods.unit, t.goods.lot_code, t.condition and t.condition.name) for t in lines],
    )  # fmt: skip
    known = await store.find_entry(tx.conn, entry_id=entry_id)
    if known is not None:
        if bytes(known.digest) != digest or known.actor != caller.id:
            raise IdReused(param="id")
        return found.state
    await _check_turn(tx, found, caller)
    state = advance(found.state, "submit")
    counted, unknown = await _understood(tx, lines)
    entry = {
        "id": entry_id, "bin_count": found.id, "round": found.round, "actor": caller.id, "actor_name": caller.name,
        "happened_at": at, "recorded_at": tx.now, "complete": complete, "lines": [_stored(line) for line in counted],
        "unknown": unknown, "digest": digest,
    }  # fmt: skip
    await store.insert_entry(tx.conn, entry)
    access.name_action(tx, "counting.submitted")
    return await _judged(tx, caller, found, entry_id, state)


async def _judged(tx: Tx, caller: Caller, found: store.BinCount, entry_id: UUID, state: str) -> str:
    """What becomes of what was counted; answers the new state."""
    entry = await store.find_entry(tx.conn, entry_id=entry_id)
    assert entry is not None
    policy, _ = await store.get_policy(tx.conn)
    bench = await judged(tx, found, entry, policy)
    limits = caller.limits(found.site)

    def within(v: Variance) -> bool:
        return limits is not None and (
            ledger.exceeds(v.units, v.unit_cost, units=limits.adjust_units, value=limits.adjust_value) is None
        )

    verdict = judge(
        bench.found, policy, count_round=found.round, within_limits=within, puzzling=bool(entry.unknown)
    )
    place = await place_of(tx, found.location)
    values: dict[str, Any] = {
        "entry": entry.id, "happened_at": entry.happened_at, "lines": bench.rows, "value": bench.value, "over": bench.over,
    }  # fmt: skip
    if verdict is Verdict.recount:
        state = advance(state, "recount")
        values |= {"round": found.round + 1, "claimed_by": None, "claimed_by_name": None}
    await store.change_bin_count(tx.conn, found, tx.now, state=state, **values)
    if verdict is Verdict.post:
        again = await store.lock_bin_count(tx.conn, found.id)
        assert again is not None
        await post_bin(tx, again, entry, policy, by=caller, note=None, check=lambda _: None)
        state = "posted"
    tell(tx, found, place, state=state, count_round=values.get("round", found.round))
    return state


async def _check_turn(tx: Tx, found: store.BinCount, caller: Caller) -> None:
    if await store.find_entry(tx.conn, bin_count_id=found.id, count_round=found.round) is not None:
        raise AlreadyCounted()
    if found.state == "claimed" and found.claimed_by != caller.id:
        raise ClaimedByAnother()
    await _check_other(tx, found, caller.id)


def _code(goods: ledger.Goods) -> str:
    return str(goods.variant_id or goods.sku or goods.barcode)


async def _understood(tx: Tx, told: Sequence[Told]) -> tuple[list[CountedLine], list[dict[str, str]]]:
    """The lines in smallest units, and those whose code nobody knows."""
    known: set[str] = set()
    ids = [t.goods.variant_id for t in told if t.goods.variant_id is not None]
    known |= {str(i) for i in await catalog.resolve_ids(tx.conn, ids)}
    for how, codes in (
        (catalog.Lookup.SKU, [t.goods.sku for t in told if t.goods.sku is not None]),
        (catalog.Lookup.BARCODE, [t.goods.barcode for t in told if t.goods.barcode is not None]),
    ):
        if codes:
            known |= set(await catalog.resolve(tx.conn, codes, by=how))
    clear = [t for t in told if _code(t.goods) in known]
    unknown = [
        {"code": _code(t.goods), "quantity": t.goods.quantity} for t in told if _code(t.goods) not in known
    ]
    lines = []
    found = await ledger.understand(tx, [t.goods for t in clear], fresh_lots=True)
    for one, line in zip(clear, found, strict=True):
        if line.quantity < 0:
            raise InvalidBody("A quantity on a shelf is 0 or more.", param="quantity")
        lot = line.lot if one.goods.lot_code is not None else None
        lines.append(
            CountedLine(
                line.item.variant_id,
                line.quantity,
                lot,
                None if one.condition is None else int(one.condition),
            )
        )
    return lines, unknown


def _stored(line: CountedLine) -> dict[str, Any]:
    stored: dict[str, Any] = msgspec.to_builtins(
        {"variant": line.variant, "quantity": line.quantity, "lot": line.lot, "condition": line.condition}
    )
    return stored
