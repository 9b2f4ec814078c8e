"""Places in a real database: the tree moves as one, stock is protected, files of bins are taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from onhand import locations
from onhand.kit.database import Database
from onhand.kit.problem import Conflict, IdReused, NotFound, Stale
from onhand.locations import (
    LocationCodeTaken,
    LocationHasStock,
    LocationIsBuiltIn,
    LocationNotPossible,
    NewLocation,
)
from onhand.locations.actions import stock_check
from onhand.values import BadValue


@pytest.fixture
def held() -> Iterator[set[UUID]]:
    """Places that hold stock in this test."""
    places: set[UUID] = set()
    before = stock_check()

    async def check(conn: object, ids: object) -> frozenset[UUID]:
        return frozenset(places) & frozenset(ids)  # type: ignore[call-overload, no-any-return]

    locations.set_stock_check(check)
    yield places
    locations.set_stock_check(before)


async def make(db: Database, code: str, kind: str = "store", **more: Any) -> locations.Location:
    async with db.writing() as tx:
        return await locations.create_location(
            tx, NewLocation(code=code, name=code.title(), kind=kind, **more)
        )


async def change(
    db: Database, place: locations.Location, version: int | None = None, **changes: Any
) -> locations.Location:
    async with db.writing() as tx:
        return await locations.change_location(tx, place.id, version=version, changes=changes)


async def epoch(db: Database) -> int:
    async with db.reading() as conn:
        return int((await conn.execute(sa.text("SELECT directory_epoch FROM stream_head"))).scalar_one())


async def test_virtual_places_are_made_once(db: Database) -> None:
    for _ in range(2):
        async with db.writing() as tx:
            made = await locations.ensure_virtual(tx)
    async with db.reading() as conn:
        known = await locations.directory(conn)
    assert set(made) == locations.VIRTUAL_KINDS
    assert {place.id for place in known.values() if place.site_id is None} == set(made.values())
    async with db.writing() as tx:
        with pytest.raises(LocationIsBuiltIn):
            await locations.change_location(tx, made["scrap"], version=None, changes={"code": "BIN"})


async def test_a_subtree_moves_as_one(db: Database) -> None:
    first, second = await make(db, "M1"), await make(db, "M2", "warehouse")
    zone = await make(db, "Z", "zone", parent_id=first.id)
    shelf = await make(db, "R", "rack", parent_id=zone.id, role="pick_face")
    before = await epoch(db)
    moved = await change(db, zone, parent_id=second.id, code="ZZ")
    assert (moved.path, moved.site_id, moved.version) == ("M2/ZZ", second.id, 2)
    assert await epoch(db) == before + 1
    async with db.reading() as conn:
        found = await locations.directory(conn)
        assert (found[shelf.id].path, found[shelf.id].site_id) == ("M2/ZZ/R", second.id)
        assert await locations.sites_under(conn, [second.id, shelf.id]) == {second.id}
        assert await locations.sites_of(conn, [shelf.id, uuid4()]) == {shelf.id: second.id}
        assert await locations.resolve(conn, ["R", "M2/ZZ", "nope"]) == {"R": shelf.id, "M2/ZZ": zone.id}
    with pytest.raises(LocationNotPossible, match="inside itself"):
        await change(db, replace(zone), parent_id=shelf.id)


async def test_neighbours_with_alike_paths_stay_apart(db: Database) -> None:
    store = await make(db, "N")
    for code in ("N-1", "N.1", "N0"):
        await make(db, code)
    inside = await make(db, "A", "zone", parent_id=store.id)
    await change(db, store, code="N9")
    async with db.reading() as conn:
        paths = {place.path for place in (await locations.directory(conn)).values()}
        assert await locations.sites_under(conn, [store.id]) == {store.id}
        rows, _ = await locations.list_locations(
            conn, locations.LocationFilter(under=store.id), limit=9, cursor=None
        )
    assert {"N9", "N9/A", "N-1", "N.1", "N0"} <= paths
    assert [row["id"] for row in rows] == [store.id, inside.id]


async def test_what_clashes_is_refused_by_name(db: Database) -> None:
    store = await make(db, "C1", external_id="x-1")
    with pytest.raises(LocationCodeTaken):
        await make(db, "C1")
    with pytest.raises(Conflict):
        await make(db, "C2", external_id="x-1")
    with pytest.raises(IdReused):
        await make(db, "C3", id=store.id)
    with pytest.raises(NotFound):
        await make(db, "C4", "bin", parent_id=uuid4())
    with pytest.raises(Stale):
        await change(db, store, version=7, name="New")
    with pytest.raises(BadValue):
        await change(db, store, time_zone="Nowhere")
    assert (await change(db, store, version=1, name="New")).version == 2
    assert (await change(db, store, name="New")).version == 2  # nothing changed


async def test_stock_stays_sellable_where_it_was(db: Database, held: set[UUID]) -> None:
    store, other = await make(db, "H1"), await make(db, "H2")
    shelf = await make(db, "A", "zone", parent_id=store.id)
    held.add(shelf.id)
    for changes, param in (({"sells": False}, "sells"), ({"parent_id": other.id}, "parent_id")):
        with pytest.raises(LocationHasStock) as caught:
            await change(db, shelf, **changes)
        assert caught.value.param == param
        assert caught.value.data["paths"] == ["H1/A"]
    async with db.reading() as conn:
        now = (await conn.execute(sa.text("SELECT now()"))).scalar_one()
    with pytest.raises(LocationHasStock):
        await change(db, store, closed_at=now)  # something inside holds stock
    assert (await change(db, shelf, name="Front", code="F")).path == "H1/F"  # names may always change
    held.clear()
    assert not (await change(db, shelf, sells=False)).sells
    await change(db, store, closed_at=now)
    async with db.reading() as conn:
        assert (await locations.directory(conn))[shelf.id].closed  # closed with its store


async def test_a_file_of_bins(db: Database, held: set[UUID]) -> None:
    bins: list[dict[str, str | None]] = [
        {"code": f"{n:04}", "name": f"Bin {n}", "kind": "bin", "parent": "W1/A"} for n in range(500)
    ]
    rows: list[dict[str, str | None]] = [
        {
            "code": "W1",
            "name": "Central",
            "kind": "warehouse",
            "time_zone": "Europe/Berlin",
            "day_start": "06:00",
        },
        {"code": "A", "name": "Aisle A", "kind": "aisle", "parent": "W1"},
        *bins,
        {"code": "X", "name": "Lost", "kind": "bin", "parent": "W9"},
        {"code": "Y", "name": "", "kind": "bin", "parent": "W1"},
        {"code": "Z", "name": "Z", "kind": "shelf", "parent": "W1"},
        {"code": "Q", "name": "Q", "kind": "bin"},
        {"code": "V", "name": "V", "kind": "bin", "parent": "W1", "sells": "perhaps"},
    ]
    async with db.writing() as tx:
        first = await locations.upsert_locations(tx, rows, first_row=2)
    assert (first.created, first.updated) == (502, 0)
    assert [(p.row, p.column) for p in first.problems] == [
        (504, "parent"), (505, "name"), (506, "kind"), (507, "parent"), (508, "sells"),
    ]  # fmt: skip
    assert all(p.message and p.remedy for p in first.problems)
    async with db.writing() as tx:
        again = await locations.upsert_locations(tx, [*rows[:502], {**rows[2], "name": "First"}])
    assert (again.created, again.updated, again.unchanged) == (0, 1, 502)
    async with db.reading() as conn:
        bin_id = (await locations.resolve(conn, ["W1/A/0000"]))["W1/A/0000"]
    held.add(bin_id)
    async with db.writing() as tx:
        refused = await locations.upsert_locations(
            tx, [{**rows[2], "sells": "no"}, {**rows[3], "sells": "no"}]
        )
    assert (refused.updated, refused.problems[0].code) == (1, "location_has_stock")


async def test_pages_follow_each_other(db: Database) -> None:
    seen, cursor = [], None
    async with db.reading() as conn:
        while True:
            rows, cursor = await locations.list_locations(
                conn, locations.LocationFilter(kind="bin"), limit=100, cursor=cursor
            )
            seen += [row["path"] for row in rows]
            if cursor is None:
                break
    assert len(seen) == len(set(seen)) >= 500
    assert seen == sorted(seen)


async def test_places_are_found_by_the_search_box(db: Database) -> None:
    async with db.reading() as conn:
        hits = await locations.find(conn, "central", 5, None)
        assert [(hit["kind"], hit["title"]) for hit in hits] == [("location", "Central")]
        assert await locations.find(conn, "%", 5, None) == []
        assert await locations.find(conn, "central", 5, frozenset({uuid4()})) == []
        found = await locations.scan(conn, "W1/A")
    assert found is not None
    assert found["path"] == "W1/A"
