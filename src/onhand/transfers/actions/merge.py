"""What transfers do when two variants become one."""

from __future__ import annotations

from uuid import UUID

from onhand.kit.problem import Conflict
from onhand.kit.tx import Tx
from onhand.transfers import store


async def follow_merge(tx: Tx, keep_id: UUID, merge_id: UUID) -> None:
    """Drafts follow the variant that is kept. The catalogue calls this inside the merge.

    Raises Conflict while some of the other is placed or on its way: its documents would no longer say what moves.
    """
    number = await store.open_of_variant(tx.conn, merge_id)
    if number is not None:
        raise Conflict(
            f"Some of it is on transfer T-{number}. Receive or cancel that first, then merge.",
            param="merge_id",
        )
    await store.repoint_drafts(tx.conn, keep_id, merge_id)
