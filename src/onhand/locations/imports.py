"""Places from a file: thousands of bins at once, each bad row named with its remedy."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from onhand.kit.ids import uuid7
from onhand.kit.outbox import bump_directory, flush_directory
from onhand.kit.problem import Problem
from onhand.kit.tx import Tx
from onhand.locations import actions, model, store
from onhand.locations.actions import NewLocation
from onhand.locations.events import LocationsImported
from onhand.locations.model import Location
from onhand.values import BadValue, BatchResult, Column, RowProblem, parse_code, parse_fraction

LOCATION_COLUMNS: tuple[Column, ...] = (
    Column("code", "Code of the place, unique below its parent.", "BACK", required=True),
    Column("name", "Name people read.", "Back room", required=True),
    Column("kind", "warehouse, store, zone, aisle, rack or bin.", "zone", required=True),
    Column("parent", "Path of the place it stands in; empty for stores and warehouses.", "S01"),
    Column(
        "role",
        "receiving, storage, pick_face, packing, shipping, quarantine, store_floor or backroom.",
        "backroom",
    ),
    Column("sells", "yes or no: does stock here count as sellable? Empty: by kind and role.", "yes"),
    Column("time_zone", "IANA name; stores and warehouses only.", "Europe/Berlin"),
    Column("day_start", "Local time the business day starts; stores and warehouses only.", "06:00"),
    Column("latitude", "Degrees north.", "52.52"),
    Column("longitude", "Degrees east.", "13.405"),
    Column("external_id", "The id another system knows it by.", "store-17"),
)
_YES = {"yes": True, "y": True, "true": True, "1": True, "ja": True, "no": False, "n": False, "false": False, "0": False, "nein": False}  # fmt: skip


def _flag(text: str | None) -> bool | None:
    if not text:
        return None
    if text.lower() not in _YES:
        raise BadValue("sells", f"{text[:20]!r} is neither yes nor no.", "Write yes or no.")
    return _YES[text.lower()]


def _degrees(text: str | None, name: str) -> Decimal | None:
    if not text:
        return None
    value = parse_fraction(text, name)
    return round(Decimal(value.numerator) / Decimal(value.denominator), 6)


def _read(row: Mapping[str, str | None]) -> tuple[NewLocation, str]:
    cells = {name: (text or "").strip() or None for name, text in row.items()}
    for column in LOCATION_COLUMNS:
        if column.required and not cells.get(column.name):
            raise BadValue(
                column.name, f"The {column.name} is empty.", f"Fill it in, such as {column.example!r}."
            )
    day_start = cells.get("day_start")
    return (
        NewLocation(
            code=parse_code(cells["code"] or ""),
            name=cells["name"] or "",
            kind=model.check_kind((cells["kind"] or "").lower()),
            role=model.check_role(cells.get("role")),
            sells=_flag(cells.get("sells")),
            time_zone=cells.get("time_zone"),
            day_start=model.parse_day_start(day_start) if day_start else None,
            latitude=_degrees(cells.get("latitude"), "latitude"),
            longitude=_degrees(cells.get("longitude"), "longitude"),
            external_id=cells.get("external_id"),
        ),
        cells.get("parent") or "",
    )


def _place(tree: dict[str, Location], owners: dict[str, str], row: Mapping[str, str | None]) -> Location:
    """The place a row describes, as it should be afterwards. Raises BadValue or Problem."""
    new, parent_path = _read(row)
    parent = tree.get(parent_path)
    if parent_path and parent is None:
        raise BadValue(
            "parent",
            f"There is no place at {parent_path[:100]}.",
            "Put its row above, or write its full path.",
        )
    path = f"{parent_path}/{new.code}" if parent_path else new.code
    old = tree.get(path)
    if old is not None and old.kind != new.kind:
        raise BadValue("kind", f"{path} is a {old.kind} already.", "Keep its kind, or use another code.")
    if old is not None and old.id in model.VIRTUAL_IDS:
        raise BadValue("code", f"{path} is a built-in virtual place.", "Use another code.")
    if new.external_id and owners.get(new.external_id, path) != path:
        raise BadValue(
            "external_id", f"{owners[new.external_id]} has it already.", "Each place needs its own."
        )
    if old is None:
        return actions.build(new, uuid7(), parent)
    merged = replace(
        new,
        role=new.role or old.role,
        sells=old.sells if new.sells is None else new.sells,
        time_zone=new.time_zone or old.time_zone,
        day_start=new.day_start or old.day_start,
        latitude=old.latitude if new.latitude is None else new.latitude,
        longitude=old.longitude if new.longitude is None else new.longitude,
        external_id=new.external_id or old.external_id,
        metadata=old.metadata,
    )
    built = actions.build(merged, old.id, parent)
    return replace(built, closed_at=old.closed_at, version=old.version)


async def upsert_locations(
    tx: Tx, rows: Sequence[Mapping[str, str | None]], *, first_row: int = 1
) -> BatchResult:
    """Makes or changes places by path; cells are texts as in the file, empty cells keep what is there.

    Rows may come in any order as long as parents stand above their children. Good rows are written, bad ones named with
    column and remedy; who wants all or nothing rolls back when `problems` is not empty.
    """
    await store.lock_tree(tx.conn)
    tree = await store.all_by_path(tx.conn)
    owners = {place.external_id: path for path, place in tree.items() if place.external_id}
    created: dict[str, Location] = {}
    changed: dict[str, tuple[int, Location, Location]] = {}
    result = BatchResult()
    for number, row in enumerate(rows, start=first_row):
        try:
            place = _place(tree, owners, row)
        except BadValue as bad:
            result.problems.append(RowProblem.of(number, str(row.get(bad.field) or ""), bad))
            continue
        except Problem as problem:
            column = "parent" if problem.param == "parent_id" else problem.param or "code"
            value = str(row.get(column) or "")
            result.problems.append(
                RowProblem(number, column, value, problem.code, problem.detail, "Correct the cell.")
            )
            continue
        old = tree.get(place.path)
        if place.external_id:
            owners[place.external_id] = place.path
        tree[place.path] = place
        if old is None or place.path in created:
            created[place.path] = place
        elif place != old:
            first = changed.get(place.path, (number, old, place))[1]
            changed[place.path] = (number, first, place)
        else:
            result.unchanged += 1
    await _write(tx, created, changed, result)
    return result


async def _write(
    tx: Tx,
    created: dict[str, Location],
    changed: dict[str, tuple[int, Location, Location]],
    result: BatchResult,
) -> None:
    if created or changed:
        await bump_directory(tx)
    selling = {place.id: number for number, old, place in changed.values() if old.sells != place.sells}
    if selling:
        await flush_directory(tx)
        for held in await actions.stock_check()(tx.conn, sorted(selling)):
            path = next(path for path, (_, _, place) in changed.items() if place.id == held)
            changed.pop(path)
            result.problems.append(
                RowProblem(
                    selling[held], "sells", path, "location_has_stock",
                    f"{path} holds stock; this would change what can be sold.",
                    "Move the stock out first, or leave the cell empty.",
                )
            )  # fmt: skip
    await store.insert(tx.conn, list(created.values()))
    updates = [replace(place, version=place.version + 1) for _, _, place in changed.values()]
    await store.update(tx.conn, updates)
    result.created += len(created)
    result.updated += len(updates)
    if created or updates:
        summary: dict[str, Any] = {"created": len(created), "updated": len(updates)}
        tx.record("location_import", uuid7(), None, summary)
        tx.emit(LocationsImported(created=len(created), updated=len(updates)))
