"""What quality does by the clock."""

from __future__ import annotations

from onhand.kit.database import Database
from onhand.kit.ids import NIL
from onhand.kit.jobs import JobContext, periodic
from onhand.quality import actions, store

VARIANTS = 500
"""Variants whose sales are assigned to lots in one transaction."""


@periodic("* * * * *", kind="enforce_holds")
async def enforce_holds(ctx: JobContext) -> None:
    """What came available under an open hold, or without the certificate it needs, goes out of sale within a minute."""
    async with ctx.database.engine.connect() as conn:
        holds = await store.open_holds(conn)
    for hold_id in holds:
        async with ctx.writing() as tx:
            await actions.enforce_holds(tx, hold_id)
    async with ctx.writing() as tx:
        await actions.quarantine_uncertified(tx)


@periodic("7,37 * * * *", kind="settle_lots")
async def settle_lots(ctx: JobContext) -> None:
    """Lots of what was sold without one, then expiry: what was sold yesterday is not expired today."""
    await assign_all(ctx.database)
    while True:
        async with ctx.writing() as tx:
            if not await actions.expire_lots(tx):
                return


async def assign_all(database: Database) -> int:
    """Assign lots to all sales without one, some variants a transaction; answers how many places were settled."""
    settled, last = 0, NIL
    while True:
        async with database.engine.connect() as conn:
            variants = await store.tracked_variants(conn, after=last, limit=VARIANTS)
        if not variants:
            return settled
        last = variants[-1]
        async with database.writing(action="job settle_lots") as tx:
            settled += await actions.assign_lots(tx, variants)
