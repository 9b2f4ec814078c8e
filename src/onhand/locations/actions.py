"""What can be done with places: create, change, import, and the virtual places every database has."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.ids import derive_id
from onhand.kit.outbox import bump_directory, flush_directory
from onhand.kit.problem import InvalidBody, NotFound, Stale
from onhand.kit.tx import Tx
from onhand.locations import model, store
from onhand.locations.events import LocationChanged
from onhand.locations.model import (
    Location,
    LocationHasStock,
    LocationIsBuiltIn,
    LocationNotPossible,
    Place,
)
from onhand.values import clean, parse_code

StockCheck = Callable[[AsyncConnection, Sequence[UUID]], Awaitable[frozenset[UUID]]]
"""Given places, those of them that hold stock (any level row not zero)."""


async def _no_stock(conn: AsyncConnection, location_ids: Sequence[UUID]) -> frozenset[UUID]:
    return frozenset()


_stock_check: StockCheck = _no_stock


def set_stock_check(check: StockCheck) -> None:
    """Registers how to see whether places hold stock. The ledger does this at start-up; this package may not import it."""
    global _stock_check
    _stock_check = check


def stock_check() -> StockCheck:
    """The registered check; before the ledger is there, nothing holds stock."""
    return _stock_check


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLocation:
    """What is needed to make a place. `sells` None: by its kind and role. Times only matter for sites."""

    code: str
    name: str
    kind: str
    id: UUID | None = None
    parent_id: UUID | None = None
    role: str | None = None
    sells: bool | None = None
    time_zone: str | None = None
    day_start: time | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    external_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


def _check_site_fields(kind: str, time_zone: str | None, day_start: time | None) -> None:
    if kind not in model.SITE_KINDS and (time_zone is not None or day_start is not None):
        raise InvalidBody(
            "Only stores and warehouses have a time zone and a day start; places inside follow their site.",
            param="time_zone" if time_zone is not None else "day_start",
        )


def build(new: NewLocation, location_id: UUID, parent: Location | None) -> Location:
    """The place a `NewLocation` describes, checked. Pure. Raises `BadValue`, `LocationNotPossible` or `InvalidBody`."""
    kind = model.check_kind(new.kind)
    role = model.check_role(new.role)
    _check_site_fields(kind, new.time_zone, new.day_start)
    model.check_position(new.latitude, new.longitude)
    code = parse_code(new.code)
    path, site_id = model.stands(kind, code, location_id, parent)
    sells = model.sells_by_default(kind, role) if new.sells is None else new.sells
    if sells and site_id is None:
        raise LocationNotPossible("Virtual places do not sell.", param="sells")
    is_site = kind in model.SITE_KINDS
    return Location(
        id=location_id, code=code, name=clean(new.name, "name", longest=200), kind=kind, role=role,
        parent_id=parent.id if parent is not None else None, site_id=site_id, path=path, sells=sells,
        keeps_level=model.keeps_level(kind),
        time_zone=model.check_time_zone(new.time_zone or "UTC") if is_site else None,
        day_start=(new.day_start or model.DEFAULT_DAY_START) if is_site else None,
        closed_at=None, latitude=new.latitude, longitude=new.longitude,
        external_id=clean(new.external_id, "external_id", longest=200) if new.external_id else None,
        metadata=new.metadata, version=1,
    )  # fmt: skip


async def _parent(tx: Tx, parent_id: UUID | None) -> Location | None:
    if parent_id is None:
        return None
    parent = await store.get(tx.conn, parent_id)
    if parent is None:
        raise NotFound("There is no place with the id in parent_id.", param="parent_id")
    return parent


async def create_location(tx: Tx, new: NewLocation) -> Location:
    """Makes a place. Raises LocationCodeTaken, LocationNotPossible, IdReused, Conflict, NotFound (parent), BadValue."""
    await store.lock_tree(tx.conn)
    place = build(new, tx.new_id(new.id), await _parent(tx, new.parent_id))
    await store.insert(tx.conn, [place])
    await bump_directory(tx)
    _say(tx, None, place)
    return place


_FIXED = frozenset({"id", "path", "site_id", "keeps_level", "version", "kind"})


async def change_location(
    tx: Tx, location_id: UUID, *, version: int | None, changes: dict[str, Any]
) -> Location:
    """Changes some fields of a place (any of `Location` but id, kind, path, site_id, keeps_level, version).

    A new code or parent moves the whole subtree's paths. Raises Stale for an old `version`; LocationHasStock when stock would
    become or cease to be sellable, change its site, or be closed in; the refusals of `create_location`.
    """
    await store.lock_tree(tx.conn)
    before = await store.get(tx.conn, location_id)
    if before is None:
        raise NotFound("There is no place with this id.", param="id")
    if version is not None and version != before.version:
        raise Stale(param="If-Match", version=before.version)
    after = await _changed(tx, before, changes)
    if after == before:
        return before
    after = replace(after, version=before.version + 1)
    moved = after.path != before.path or after.site_id != before.site_id
    stock_matters = (before.sells, before.site_id, before.closed_at is None) != (
        after.sells, after.site_id, after.closed_at is None)  # fmt: skip
    subtree = await store.subtree(tx.conn, before.path) if moved or stock_matters else [before]
    if stock_matters:
        await bump_directory(tx)
        await flush_directory(
            tx
        )  # take the stream head now: no posting can slip between this check and our commit
        await _refuse_stock(tx, before, after, subtree)
    await store.update(tx.conn, [after])
    if moved:
        await store.update(tx.conn, _carry(before, after, subtree))
    if moved and not stock_matters:
        await bump_directory(tx)
    _say(tx, before, after)
    return after


async def _changed(tx: Tx, before: Location, changes: dict[str, Any]) -> Location:
    unknown = set(changes) - set(Location.__dataclass_fields__) | set(changes) & _FIXED
    if unknown:
        raise InvalidBody(f"{sorted(unknown)[0]} cannot be changed.", param=sorted(unknown)[0])
    if before.id in model.VIRTUAL_IDS and set(changes) - {"name", "metadata", "external_id"}:
        raise LocationIsBuiltIn()
    after = replace(before, **changes)
    parent = await _parent(tx, after.parent_id)
    if parent is not None and (parent.path == before.path or parent.path.startswith(f"{before.path}/")):
        raise LocationNotPossible("A place cannot stand inside itself.", param="parent_id")
    if "time_zone" in changes or "day_start" in changes:
        _check_site_fields(before.kind, changes.get("time_zone"), changes.get("day_start"))
    checked = build(
        NewLocation(
            code=after.code, name=after.name, kind=after.kind, role=after.role, sells=after.sells,
            time_zone=after.time_zone, day_start=after.day_start, latitude=after.latitude, longitude=after.longitude,
            external_id=after.external_id, metadata=after.metadata,
        ),
        before.id, parent,
    )  # fmt: skip
    return replace(checked, closed_at=after.closed_at, version=before.version)


async def _refuse_stock(tx: Tx, before: Location, after: Location, subtree: list[Location]) -> None:
    closing = before.closed_at is None and after.closed_at is not None
    affected = subtree if before.site_id != after.site_id or closing else [before]
    holding = await _stock_check(tx.conn, [place.id for place in affected])
    if not holding:
        return
    where = sorted(place.path for place in affected if place.id in holding)
    if before.sells != after.sells:
        param, would = "sells", "change what can be sold"
    elif closing:
        param, would = "closed_at", "lock it in a closed place"
    else:
        param, would = "parent_id", "carry it to another site without a transfer"
    raise LocationHasStock(
        f"{where[0]}{f' and {len(where) - 1} more places hold' if len(where) > 1 else ' holds'} stock; this would {would}. "
        "Move the stock out first, then repeat the change.",
        param=param, paths=where[:20],
    )  # fmt: skip


def _carry(before: Location, after: Location, subtree: list[Location]) -> list[Location]:
    """The places below a moved one with their new paths; those that had its site follow to the new one."""
    if any(
        after.path.count("/") + place.path.count("/") - before.path.count("/") + 1 > model.MAX_DEPTH
        for place in subtree
    ):
        raise LocationNotPossible(f"The tree may be {model.MAX_DEPTH} places deep.", param="parent_id")
    return [
        replace(
            place,
            path=after.path + place.path[len(before.path) :],
            site_id=after.site_id if place.site_id == before.site_id else place.site_id,
            version=place.version + 1,
        )
        for place in subtree
        if place.id != before.id
    ]


def audited(place: Location) -> dict[str, Any]:
    """A place as the audit log keeps it: plain texts and numbers."""
    out: dict[str, Any] = {}
    for name in Location.__dataclass_fields__:
        value = getattr(place, name)
        plain = value is None or isinstance(value, (str, int, bool, dict))
        out[name] = (
            value if plain else value.isoformat() if isinstance(value, (datetime, time)) else str(value)
        )
    return out


def _say(tx: Tx, before: Location | None, after: Location) -> None:
    tx.record("location", after.id, audited(before) if before is not None else None, audited(after))
    tx.emit(
        LocationChanged(
            location_id=after.id, code=after.code, path=after.path, kind=after.kind, site_id=after.site_id,
            closed=after.closed_at is not None, version=after.version,
        )
    )  # fmt: skip


_VIRTUAL_NAMES = {
    "supplier": "Suppliers", "customer": "Customers", "transit": "In transit", "adjustment": "Adjustments",
    "scrap": "Scrap", "production": "Production", "lot_assignment": "Lot assignment",
}  # fmt: skip


async def ensure_virtual(tx: Tx) -> dict[str, UUID]:
    """Makes the built-in virtual places where they are missing; kind → id (the same ids in every database)."""
    await store.lock_tree(tx.conn)
    known = {
        place.id for place in (await store.all_by_path(tx.conn)).values() if place.kind in model.VIRTUAL_KINDS
    }
    missing = [
        build(NewLocation(code=kind.upper(), name=name, kind=kind), model.virtual_id(kind), None)
        for kind, name in _VIRTUAL_NAMES.items()
        if model.virtual_id(kind) not in known
    ]
    await store.insert(tx.conn, missing)
    for place in missing:
        _say(tx, None, place)
    if missing:
        await bump_directory(tx)
    return {kind: model.virtual_id(kind) for kind in _VIRTUAL_NAMES}


async def ensure_transit(tx: Tx, site: Location | Place) -> UUID:
    """The place where goods on their way to a site stand, made when the first transfer to it is planned. It stands outside
    the tree and sells nothing; no other verb than those of transfers reaches it."""
    transit = model.transit_id(site.id)
    if await store.get(tx.conn, transit) is not None:
        return transit
    await store.lock_tree(tx.conn)
    if await store.get(tx.conn, transit) is None:
        code = f"TRANSIT-{site.path.replace('/', '-')}"
        if len(code) > 40 or code in await store.all_by_path(tx.conn):
            code = f"TRANSIT-{str(site.id)[-12:]}"
        place = build(
            NewLocation(code=code, name=f"In transit to {site.path}"[:200], kind="transit"), transit, None
        )
        await store.insert(tx.conn, [place])
        await bump_directory(tx)
        _say(tx, None, place)
    return transit


async def carry_to_site(tx: Tx, location_id: UUID, target: Place) -> dict[UUID, UUID]:
    """A load carrier, with the carriers on it, goes to another site: there it is another row of the tree, because levels
    belong to sites. Answers old id → new id; the old rows stay, closed by `close_carried` once their stock has left.

    A carrier that was at that site before gets its old row there back. Raises LocationCodeTaken, NotFound.
    """
    await store.lock_tree(tx.conn)
    top = await store.get(tx.conn, location_id)
    above = await store.get(tx.conn, target.id)
    if top is None or above is None:
        raise NotFound("There is no place with this id.", param="lpn_id")
    tree = [p for p in await store.subtree(tx.conn, top.path) if p.closed_at is None]
    ids: dict[UUID, UUID] = {}
    made: dict[UUID, Location] = {}
    for old in tree:
        parent = above if old.id == top.id else made[old.parent_id]  # type: ignore[index] # below the top: has one
        first = await store.get(tx.conn, UUID(str(old.metadata.get("lpn", old.id))))
        home = first is not None and first.site_id == above.site_id
        twin_id = (
            first.id
            if first is not None and home
            else derive_id(
                "onhand", "lpn", str(first.id if first is not None else old.id), str(above.site_id)
            )
        )
        known = await store.get(tx.conn, twin_id)
        new = NewLocation(
            code=old.code, name=old.name, kind=old.kind, role=old.role, sells=old.sells,
            metadata={**old.metadata, "lpn": str(old.metadata.get("lpn", old.id)), "came_from": str(old.id)},
        )  # fmt: skip
        twin = build(new, twin_id, parent)
        if known is None:
            await store.insert(tx.conn, [twin])
        else:
            twin = replace(twin, version=known.version + 1)
            await store.update(tx.conn, [twin])
        _say(tx, known, twin)
        made[old.id], ids[old.id] = twin, twin.id
    await bump_directory(tx)
    return ids


async def close_carried(tx: Tx, location_ids: Sequence[UUID]) -> None:
    """Close the rows a load carrier left behind; their stock left in this very transaction."""
    for location_id in location_ids:
        old = await store.get(tx.conn, location_id)
        assert old is not None
        gone = replace(old, closed_at=tx.now, version=old.version + 1)
        await store.update(tx.conn, [gone])
        _say(tx, old, gone)
    await bump_directory(tx)
