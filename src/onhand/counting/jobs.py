"""What counting does by the clock."""

from __future__ import annotations

from typing import Any

from onhand.counting import actions
from onhand.kit.jobs import JobContext, job, periodic


@periodic("* * * * *", kind="count_corrections")
async def keep_counts_right(ctx: JobContext) -> None:
    """Set the facts that came late against the counts that did not know them."""
    more = True
    while more:
        async with ctx.writing() as tx:
            more = (await actions.keep_right(tx)).more


@periodic("40 2 * * *", kind="count_classes_nightly")
async def reclassify_nightly(ctx: JobContext) -> None:
    """Class what is stocked by what it moved, every night."""
    async with ctx.writing() as tx:
        await actions.reclassify(tx)


@job("count_classes")
async def reclassify(ctx: JobContext) -> dict[str, Any]:
    """The same when somebody asks."""
    async with ctx.writing() as tx:
        found = await actions.reclassify(tx)
        await ctx.finish(tx, dict(found))
    return dict(found)
