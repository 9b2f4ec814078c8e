"""What the ledger does by the clock or in the background."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from onhand.kit.jobs import JobContext, job, periodic
from onhand.ledger import actions, verify

MONTHS_AHEAD = 3
EXPIRE_BATCH = 200


@job("verify")
async def verify_books(ctx: JobContext) -> dict[str, Any]:
    """Compute everything derived again and compare; the result names what differs."""
    report = await verify.run(ctx.database)
    return {
        "ok": report.ok, "postings": report.postings, "moves": report.moves, "checks": report.checks,
        "seconds": round(report.seconds, 1),
    }  # fmt: skip


@periodic("17 3 * * *", kind="verify_nightly")
async def verify_nightly(ctx: JobContext) -> None:
    """The same every night."""
    await verify.run(ctx.database)


@periodic("* * * * *", kind="reservations_expire")
async def expire_reservations(ctx: JobContext) -> None:
    """Give back what reservations hold whose end has come, in batches; what is busy is left for the next minute."""
    while True:
        async with ctx.database.writing(action="reservations_expire") as tx:
            done = await actions.expire_due(tx, limit=EXPIRE_BATCH)
        if done < EXPIRE_BATCH:
            return


@periodic("5 * * * *", kind="partitions")
async def make_partitions(ctx: JobContext) -> None:
    """Make the months ahead; also done at start-up. A month that cannot be locked now is made an hour later."""
    async with ctx.database.engine.begin() as conn:
        for parent in verify.PARTITIONED:
            await conn.execute(
                sa.text("SELECT onhand_partitions(:parent, :months)"),
                {"parent": parent, "months": MONTHS_AHEAD},
            )
