"""What the verbs of counting share: the bin's count under its lock, its place, and what is told of every step."""

from __future__ import annotations

from uuid import UUID

from onhand import locations
from onhand.access import Caller
from onhand.counting import store
from onhand.counting.events import CountChanged
from onhand.kit.problem import NotFound, Stale
from onhand.kit.tx import Tx
from onhand.locations import Place


async def found_bin(
    tx: Tx, caller: Caller, bin_count_id: UUID, permission: str, *, version: int | None = None
) -> store.BinCount:
    """The count of a bin, locked. Raises NotFound, Forbidden, Stale."""
    found = await store.lock_bin_count(tx.conn, bin_count_id)
    if found is None or not (caller.may("stock:count", found.site) or caller.may(permission, found.site)):
        raise NotFound("There is no count of a bin with this id.", param="id")
    caller.require(permission, found.site)
    if version is not None and version != found.version:
        raise Stale(param="If-Match", version=found.version)
    return found


async def place_of(tx: Tx, location: UUID) -> Place:
    """A place that exists."""
    return (await locations.directory(tx.conn))[location]


def tell(tx: Tx, found: store.BinCount, place: Place, *, state: str, count_round: int) -> None:
    """Publish and record a step of a bin's count."""
    tx.emit(
        CountChanged(
            bin_count_id=found.id, sheet_id=found.sheet, site_id=found.site, location_id=found.location,
            location_code=place.code, state=state, round=count_round,
        )
    )  # fmt: skip
    tx.record(
        "bin_count",
        found.id,
        {"state": found.state, "round": found.round},
        {"state": state, "round": count_round},
    )
