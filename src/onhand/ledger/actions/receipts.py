"""Goods that come in: simple receipts, opening stock, and stock carried over when two variants become one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from onhand import lots
from onhand.kit.ids import NIL, uuid7
from onhand.kit.problem import Conflict
from onhand.kit.tx import Tx
from onhand.ledger import store
from onhand.ledger.actions.common import landed
from onhand.ledger.decide import Book, LevelKey
from onhand.ledger.model import Kind, Mode, Move, Posting, Reason, digest_of
from onhand.ledger.store import Posted
from onhand.locations import virtual_id


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """Goods for a place: `quantity` > 0 in smallest units, `unit_cost` as decimal text per unit."""

    variant: UUID
    location: UUID
    quantity: int
    lot: UUID = NIL
    condition: int = 0
    unit_cost: str | None = None
    currency: str | None = None


def receipt(
    lines: Sequence[Incoming], *, id: UUID, actor: UUID, happened_at: datetime, source: tuple[str, UUID],
    reason: str | None = None,
) -> Posting:  # fmt: skip
    """The posting of goods that came from a supplier. Pure."""
    moves = tuple(
        Move(
            variant=line.variant, from_location=virtual_id("supplier"), to_location=line.location, quantity=line.quantity,
            lot=line.lot, to_condition=line.condition, unit_cost=line.unit_cost, currency=line.currency,
        )
        for line in lines
    )  # fmt: skip
    return Posting(
        id=id, kind=Kind.receive.value, source_type=source[0], source_id=source[1], actor=actor, caller=actor,
        happened_at=happened_at, moves=moves, mode=Mode.fact, reason=reason,
        digest=digest_of("receive", moves, happened_at),
    )  # fmt: skip


async def receive(
    tx: Tx, *, lines: Sequence[Incoming], happened_at: datetime, id: UUID | None = None,
    source: tuple[str, UUID] | None = None,
) -> Posted:  # fmt: skip
    """Receive goods from a supplier: a fact, with what they cost. What is held, expired or uncertified lands so.

    Raises UnknownVariant, UnknownLocation, IdReused, SerialAlreadyUsed.
    """
    receipt_id = tx.new_id(id)
    posting = receipt(
        lines,
        id=receipt_id,
        actor=tx.actor.id,
        happened_at=happened_at,
        source=source or ("receipt", receipt_id),
    )
    return await store.post(tx, [await landed(tx, posting)])


async def carry_over(tx: Tx, keep_id: UUID, merge_id: UUID) -> None:
    """What lies of a variant becomes stock of the one it is merged into: out of the one, into the other, in one posting.

    The catalogue calls this inside the merge. Raises Conflict while some of it is reserved.
    """
    keys = await store.levels_of(tx.conn, merge_id)
    if not keys:
        return
    copies = await lots.copy(tx, [key[2] for key in keys if key[2] != NIL], variant_id=keep_id)
    posting_id = uuid7()

    def posting(quantities: dict[LevelKey, int]) -> Posting:
        moves = [m for key in keys for m in _carried(key, quantities[key], keep_id, copies.get(key[2], NIL))]
        return Posting(
            id=posting_id, kind=Kind.adjust.value, source_type="variant_merge", source_id=keep_id, actor=tx.actor.id,
            caller=tx.actor.id, happened_at=tx.now, moves=tuple(moves), digest=digest_of("merge", keep_id, merge_id),
            mode=Mode.fact, reason=Reason.correction.value,
        )  # fmt: skip

    async def revise(book: Book) -> Sequence[Posting]:
        if any(row.reserved for (variant, _), row in book.sites.items() if variant == merge_id):
            raise Conflict(
                "Some of it is reserved. Release or ship that first, then merge.", param="merge_id"
            )
        found = posting({key: book.levels[key].on_hand for key in keys})
        return [found] if found.moves else []

    await store.post(tx, [posting(dict.fromkeys(keys, 1))], revise=revise)


def _carried(key: LevelKey, on_hand: int, keep_id: UUID, lot: UUID) -> list[Move]:
    """Out of a level and into the survivor's in the same place; the other way round where it is below zero."""
    variant, location, own_lot, condition = key
    elsewhere = virtual_id("adjustment")
    out = []
    for who, its_lot, leaves in ((variant, own_lot, on_hand > 0), (keep_id, lot, on_hand < 0)):
        if on_hand:
            out.append(
                Move(
                    variant=who, quantity=abs(on_hand), lot=its_lot,
                    from_location=location if leaves else elsewhere, from_condition=condition if leaves else 0,
                    to_location=elsewhere if leaves else location, to_condition=0 if leaves else condition,
                )
            )  # fmt: skip
    return out
