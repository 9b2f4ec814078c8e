"""Lots of what tills sold: a sale that named no lot went below zero under no lot; afterwards lots are assigned, first expired
first, by moves through the virtual place `lot_assignment`, so that the lots' levels and the mass balance close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from onhand import ledger, locations
from onhand.kit.ids import NIL
from onhand.kit.tx import Tx
from onhand.ledger import Book, Kind, Mode, Move, Posting
from onhand.quality import store
from onhand.quality.actions.shift import unused_ids
from onhand.quality.store import Lying


@dataclass(frozen=True, slots=True)
class _Debt:
    """What a place owes under no lot, and the lots of its site that may pay, in the order in which they do."""

    owing: Lying
    payers: list[Lying]
    posting: UUID


async def assign_lots(tx: Tx, variants: Sequence[UUID]) -> int:
    """Assign lots to what was sold of some variants without one; answers how many places were settled. Safe to repeat.

    What no lot of the site covers stays below zero under no lot.
    """
    await store.only_one(tx.conn, "assign_lots")
    owing = await store.lotless(tx.conn, variants=variants)
    owing = [one for one in owing if one.site is not None]
    if not owing:
        return 0
    stock = await store.lot_stock(
        tx.conn, variants=[o.variant for o in owing], sites=[o.site for o in owing if o.site is not None]
    )
    keys = {one.goods: ("assign_lot", str(one.variant), str(one.location)) for one in owing}
    ids = await unused_ids(tx, list(keys.values()))
    debts = []
    for one in owing:
        payers = [s for s in stock if s.variant == one.variant and s.site == one.site]
        if payers:
            payers.sort(key=lambda s, at=one.location: _turn(s, at))  # type: ignore[misc]  # a default binds this turn of the loop
            debts.append(_Debt(one, payers, ids[keys[one.goods]]))
    if not debts:
        return 0
    settled = 0

    async def revise(book: Book) -> Sequence[Posting]:
        nonlocal settled
        free = {key: row.on_hand - row.allocated for key, row in book.levels.items() if key[2] != NIL}
        out = []
        for debt in debts:
            owed = -book.levels[_key(debt.owing)].on_hand
            taken: list[tuple[Lying, int]] = []
            for payer in debt.payers:
                part = min(owed, free[_key(payer)])
                if part > 0:
                    taken.append((payer, part))
                    free[_key(payer)] -= part
                    owed -= part
            if taken:
                settled += 1
                out.append(_posting(tx, debt, taken))
        return out

    await ledger.post(tx, [_posting(tx, d, [(p, 1) for p in d.payers]) for d in debts], revise=revise)
    return settled


def _turn(payer: Lying, at: UUID) -> tuple[date, bool, float, str]:
    """First expired first; of equals the one lying where it was sold, then the older one."""
    since = payer.lot_since.timestamp() if payer.lot_since is not None else 0.0
    return payer.expires_on or date.max, payer.location != at, since, payer.path


def _key(lying: Lying) -> tuple[UUID, UUID, UUID, int]:
    return lying.variant, lying.location, lying.lot, lying.condition


def _posting(tx: Tx, debt: _Debt, taken: Sequence[tuple[Lying, int]]) -> Posting:
    """Out of the lots into `lot_assignment`, and as much from there to where it was sold under no lot."""
    between = locations.virtual_id("lot_assignment")
    moves = [Move(p.variant, p.location, between, quantity, lot=p.lot) for p, quantity in taken]
    moves.append(Move(debt.owing.variant, between, debt.owing.location, sum(q for _, q in taken)))
    return Posting(
        id=debt.posting, kind=Kind.assign_lot.value, source_type="lot_assignment", source_id=debt.posting, actor=tx.actor.id,
        caller=tx.actor.id, happened_at=tx.now, moves=tuple(moves), mode=Mode.fact,
        digest=ledger.digest_of("assign_lot", debt.posting),
    )  # fmt: skip
