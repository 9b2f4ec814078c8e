"""The job of an import."""

from __future__ import annotations

from typing import Any

from onhand.integrations.imports import actions
from onhand.kit.jobs import JobContext, job


@job("import")
async def run_import(ctx: JobContext) -> dict[str, Any]:
    """Run an import, dry or real; `arguments`: import_id."""
    return await actions.run(ctx)
