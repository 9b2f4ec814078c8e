"""Settings, classes, and sheets made from the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from onhand import access, locations
from onhand.access import Caller
from onhand.counting import reads, store
from onhand.counting.events import CountChanged
from onhand.counting.model import (
    AllBeingCounted,
    NothingDue,
    Policy,
    UnknownBin,
    capacity_of,
    classify,
    plan_days,
)
from onhand.kit.ids import derive_id
from onhand.kit.problem import IdReused, NotFound, Stale
from onhand.kit.tx import Tx
from onhand.locations import Place

YEAR = timedelta(days=365)


async def change_policy(tx: Tx, *, version: int | None, changes: dict[str, Any]) -> None:
    """Change the settings of counting. Raises Stale, PolicyNotPossible."""
    before, present = await store.get_policy(tx.conn, lock=True)
    if version is not None and version != present:
        raise Stale(param="If-Match", version=present)
    after = Policy(**(asdict(before) | changes)).check()
    await store.save_policy(tx.conn, after, present + 1)
    access.name_action(tx, "counting.policy_changed")
    old, new = asdict(before), asdict(after)
    changed = [name for name in new if new[name] != old[name]]
    tx.record("count_policy", "1", {n: _plain(old[n]) for n in changed}, {n: _plain(new[n]) for n in changed})


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


async def change_capacity(tx: Tx, caller: Caller, site: UUID, *, bins_per_day: int) -> None:
    """How many places a site counts a day. Raises NotFound, Forbidden."""
    place = (await locations.directory(tx.conn)).get(site)
    if place is None or not place.is_site or not caller.may("locations:read", site):
        raise NotFound("There is no store or warehouse with this id.", param="site_id")
    caller.require("counting:write", site)
    before = await store.get_capacity(tx.conn, site)
    await store.save_capacity(tx.conn, site, bins_per_day)
    access.name_action(tx, "counting.capacity_changed")
    tx.record("count_capacity", site, {"bins_per_day": before}, {"bins_per_day": bins_per_day})


async def reclassify(tx: Tx) -> dict[str, int]:
    """Class every variant at every site by what left it in the year before; answers how many there are of each class."""
    policy, _ = await store.get_policy(tx.conn)
    moved = await store.value_moved(tx.conn, tx.now - YEAR)
    sums = {"A": 0, "B": 0, "C": 0}
    for site, values in sorted(moved.items(), key=lambda pair: pair[0].bytes):
        classes = classify(values, share_a=policy.share_a, share_b=policy.share_b)
        await store.replace_classes(tx.conn, site, [(v, c, values[v]) for v, c in classes.items()], tx.now)
        for count_class in classes.values():
            sums[count_class] += 1
    return sums


@dataclass(frozen=True, slots=True)
class SheetMade:
    """A sheet, how many bins are on it, and those that are being counted already."""

    id: UUID
    bins: int
    skipped: list[str]


async def make_sheet(
    tx: Tx, caller: Caller, *, id: UUID | None, site: UUID, location_ids: Sequence[UUID] | None, name: str | None,
    due_on: date | None,
) -> SheetMade:  # fmt: skip
    """Hand out places to be counted: those named, or what the plan says for today.

    A place that is being counted already is left out. Raises NotFound, Forbidden, UnknownBin, NothingDue, AllBeingCounted.
    """
    places = await locations.directory(tx.conn)
    top = places.get(site)
    if top is None or not top.is_site or not caller.may("locations:read", site):
        raise NotFound("There is no store or warehouse with this id.", param="site_id")
    caller.require("counting:write", site)
    sheet_id = tx.new_id(id)
    known = await store.get_sheet(tx.conn, sheet_id)
    if known is not None:
        raise IdReused(param="id")
    today = locations.today(top, tx.now)
    if location_ids is None:
        wanted = await _planned(tx, top, today)
    else:
        wanted = list(dict.fromkeys(location_ids))
    for place in (places.get(i) for i in wanted):
        if place is None or place.site_id != site or not place.keeps_level or place.closed:
            raise UnknownBin(param="location_ids")
    bins: list[dict[str, Any]] = [
        {
            "id": derive_id("bin_count", str(sheet_id), str(i)),
            "sheet": sheet_id,
            "site": site,
            "location": i,
            "line": n,
        }
        for n, i in enumerate(sorted(wanted, key=lambda i: places[i].path), 1)
    ]
    if not bins:
        raise NothingDue()
    sheet = {
        "id": sheet_id, "site": site, "name": name or f"{top.code} {today.isoformat()}", "due_on": due_on or today,
        "created_by": tx.actor.id, "created_by_name": tx.actor.name, "created_at": tx.now,
    }  # fmt: skip
    taken = set(await store.insert_sheet(tx.conn, sheet, bins))
    if not taken:
        raise AllBeingCounted()
    access.name_action(tx, "counting.sheet_made")
    tx.record(
        "count_sheet", sheet_id, None, {"name": sheet["name"], "site_id": str(site), "bins": len(taken)}
    )
    for row in bins:
        if row["location"] in taken:
            place = places[row["location"]]
            tx.emit(
                CountChanged(
                    bin_count_id=row["id"], sheet_id=sheet_id, site_id=site, location_id=place.id, location_code=place.code,
                    state="open", round=1,
                )
            )  # fmt: skip
    return SheetMade(sheet_id, len(taken), [places[i].path for i in wanted if i not in taken])


async def _planned(tx: Tx, site: Place, today: date) -> list[UUID]:
    policy, _ = await store.get_policy(tx.conn)
    found, rows = await reads.shelves(tx.conn, site)
    capacity = capacity_of(await store.get_capacity(tx.conn, site.id), found, policy.cadence)
    in_hand = [replace(shelf, last=today) if rows[shelf.id].busy else shelf for shelf in found]
    day = plan_days(in_hand, policy.cadence, capacity=capacity, today=today, days=1)[0]
    return [shelf.id for shelf in day.shelves]
