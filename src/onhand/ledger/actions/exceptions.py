"""Settling what a person should look at."""

from __future__ import annotations

from uuid import UUID

from onhand import access
from onhand.access import Caller
from onhand.kit.problem import NotFound
from onhand.kit.tx import Tx
from onhand.ledger import store
from onhand.ledger.events import ExceptionResolved
from onhand.ledger.model import AlreadyResolved


async def resolve_exception(tx: Tx, caller: Caller, exception_id: UUID, *, reason: str) -> None:
    """Settle an open exception, saying why. It changes no stock. Raises NotFound, AlreadyResolved, Forbidden."""
    found = await store.lock_exception(tx.conn, exception_id)
    if found is None or not _sees(caller, found.site):
        raise NotFound("There is no exception with this id.", param="id")
    if found.site is not None:
        caller.require("exceptions:resolve", found.site)
    if found.state != "open":
        raise AlreadyResolved()
    await store.resolve_exception(tx.conn, exception_id, by=caller.id, at=tx.now, resolution=reason)
    access.name_action(tx, "exception.resolved")
    tx.record("exception", exception_id, {"state": "open"}, {"state": "resolved", "resolution": reason})
    tx.emit(
        ExceptionResolved(exception_id=exception_id, kind=found.kind, site_id=found.site, resolution=reason)
    )


def _sees(caller: Caller, site: UUID | None) -> bool:
    sites = caller.sites("exceptions:read")
    return sites is None or (site is not None and site in sites)
