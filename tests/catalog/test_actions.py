"""The catalogue in a real database: products and variants, duplicates, files, the resolver and the search."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from onhand import catalog, locations
from onhand.catalog import (
    BarcodeTaken,
    Lookup,
    NewProduct,
    NewVariant,
    OptionsNotPossible,
    SkuTaken,
    UnitInUse,
    UnitsDiffer,
    Variant,
)
from onhand.catalog.actions.common import use_check
from onhand.catalog.model import CategoryTaken
from onhand.kit.database import Database
from onhand.kit.problem import InvalidBody, LimitExceeded, NotFound, Problem, Stale
from onhand.values import BadValue, Money

EAN, CASE = "4006381333931", "14006381333938"


@pytest.fixture(scope="module", autouse=True)
async def seeded(db: Database) -> None:
    async with db.writing() as tx:
        await catalog.ensure_units(tx)
        await catalog.ensure_units(tx)


@pytest.fixture
def used() -> Iterator[set[UUID]]:
    """Variants whose stock has moved in this test."""
    known: set[UUID] = set()
    before = use_check()

    async def check(conn: object, ids: Any) -> frozenset[UUID]:
        return frozenset(known) & frozenset(ids)

    catalog.set_use_check(check)
    yield known
    catalog.set_use_check(before)


async def make(db: Database, sku: str, **more: Any) -> Variant:
    async with db.writing() as tx:
        return await catalog.create_variant(tx, NewVariant(sku=sku, **more))


async def change(db: Database, variant: Variant, version: int | None = None, **changes: Any) -> Variant:
    barcodes = changes.pop("barcodes", None)
    async with db.writing() as tx:
        return await catalog.change_variant(
            tx, variant.id, version=version, changes=changes, barcodes=barcodes
        )


async def resolve(db: Database, *codes: str, by: Lookup = Lookup.ANY) -> dict[str, catalog.Resolved]:
    async with db.reading() as conn:
        return await catalog.resolve(conn, codes, by=by)


def code(text: str, quantity: str | None = None, decimals: int = 0) -> catalog.Barcode:
    return catalog.parse_barcode(text, kind=None, quantity=quantity, level=None, decimals=decimals)


async def refused(
    db: Database, what: type[Exception], param: str | None, variant: Variant, **changes: Any
) -> None:
    with pytest.raises(what) as caught:
        await change(db, variant, **changes)
    if isinstance(caught.value, Problem):
        assert caught.value.param == param


async def test_a_code_is_resolved_to_what_a_posting_needs(db: Database) -> None:
    tea = await make(
        db, "R-TEA", name="Tea", barcodes=[code(EAN), code(CASE, "24")], list_price=Money(349, "EUR")
    )
    rice = await make(db, "R-RICE", unit="kg", decimals=3, barcodes=[code("rice-bag", "0.500", 3)])
    found = await resolve(db, "R-TEA", EAN, f"0{EAN}", CASE, "rice-bag", "R-RICE", "nope")
    assert {text: (hit.variant_id, hit.quantity_factor) for text, hit in found.items()} == {
        "R-TEA": (tea.id, 1), EAN: (tea.id, 1), f"0{EAN}": (tea.id, 1), CASE: (tea.id, 24),
        "rice-bag": (rice.id, 500), "R-RICE": (rice.id, 1000),
    }  # fmt: skip
    assert (found["R-TEA"].list_price_minor, found["R-TEA"].tracking, found["R-RICE"].unit) == (
        349,
        "none",
        "kg",
    )
    assert set(await resolve(db, "R-TEA", EAN, by=Lookup.BARCODE)) == {EAN}
    assert set(await resolve(db, "R-TEA", EAN, by=Lookup.SKU)) == {"R-TEA"}
    async with db.reading() as conn:
        scanned = await catalog.scan_variant(conn, f"]d201{CASE}10LOT7")
        weighed = await catalog.scan_variant(conn, f"(01)0{EAN}(3103)001250")
        nothing = await catalog.scan_variant(conn, "unknown")
    assert scanned is not None
    assert (scanned[0].lot_code, scanned[1]) == ("LOT7", 24)
    assert weighed is not None
    assert weighed[1] == 1  # tea is counted, not weighed
    assert nothing is None


async def test_what_clashes_is_refused_by_name(db: Database) -> None:
    one = await make(db, "C-1", barcodes=[code("C-CODE")], external_id="c-1")
    two = await make(db, "C-2")
    with pytest.raises(SkuTaken):
        await make(db, "C-1")
    with pytest.raises(BarcodeTaken):
        await make(db, "C-3", barcodes=[code("C-CODE")])
    with pytest.raises(NotFound):
        await make(db, "C-3", unit="barrel")
    with pytest.raises(NotFound):
        await make(db, "C-3", product_id=uuid4())
    await refused(db, BarcodeTaken, "barcodes", two, barcodes=[code("C-CODE")])
    await refused(db, SkuTaken, "sku", two, sku="C-1")
    await refused(db, InvalidBody, "tracking", two, tracking="lot")
    await refused(db, Stale, "If-Match", two, version=9, name="x")
    await refused(db, InvalidBody, "barcodes", two, barcodes=[code("twice"), code("twice", "2")])
    changed = await change(db, one, version=1, name="One", barcodes=[code("C-CODE", "6"), code("C-NEW")])
    assert changed.version == 2
    assert {t: h.quantity_factor for t, h in (await resolve(db, "C-CODE", "C-NEW")).items()} == {
        "C-CODE": 6,
        "C-NEW": 1,
    }
    assert (await change(db, one, name="One")).version == 2


async def test_units_stay_once_stock_has_moved(db: Database, used: set[UUID]) -> None:
    flour = await make(db, "U-1", barcodes=[code("U-CODE")])
    used.add(flour.id)
    await refused(db, UnitInUse, "unit", flour, unit="kg")
    await refused(db, UnitInUse, "decimals", flour, decimals=3, barcodes=[])
    used.clear()
    await refused(
        db, InvalidBody, "barcodes", flour, decimals=3
    )  # quantities of its codes would change meaning
    changed = await change(db, flour, unit="kg", decimals=3, barcodes=[code("U-CODE", "2.5", 3)])
    assert (changed.unit, changed.decimals) == ("kg", 3)


async def test_options_generate_what_is_missing(db: Database) -> None:
    async with db.writing() as tx:
        tee = await catalog.create_product(
            tx, NewProduct(name="Tee", options=[("size", ["S", "M"]), ("colour", ["red"])])
        )
    first = await make(
        db,
        "TEE-S-RED",
        product_id=tee.id,
        options={"size": "S", "colour": "red"},
        list_price=Money(900, "EUR"),
    )
    async with db.writing() as tx:
        made = await catalog.generate_variants(tx, tee.id)
        again = await catalog.generate_variants(tx, tee.id)
    assert [(v.sku, v.name, v.list_price_minor) for v in made] == [("TEE-M-RED", "Tee M / red", 900)]
    assert again == []
    with pytest.raises(OptionsNotPossible):
        await make(db, "TEE-2", product_id=tee.id, options={"size": "S", "colour": "red"})
    async with db.writing() as tx:
        with pytest.raises(OptionsNotPossible, match="vanish"):
            await catalog.change_product(
                tx, tee.id, version=None, changes={"options": [("size", ["M"]), ("colour", ["red"])]}
            )
    async with db.writing() as tx:
        grown = await catalog.change_product(
            tx,
            tee.id,
            version=1,
            changes={"options": [("size", ["S", "M", "L"]), ("colour", ["red"])], "name": "T-Shirt"},
        )
        gone = await catalog.archive_product(tx, tee.id, archived=True)
    assert (grown.version, gone.version) == (2, 3)
    async with db.reading() as conn:
        shown = await catalog.get_product(conn, tee.id, costs=False)
    assert shown is not None
    assert all(v["archived_at"] is not None for v in shown["variants"])
    assert {v["id"] for v in shown["variants"]} == {first.id, made[0].id}


async def test_duplicates_become_one_and_the_old_id_leads_to_the_survivor(db: Database) -> None:
    site = await _store(db, "MERGE")
    keep = await make(db, "D-KEEP", barcodes=[code("d-keep")])
    gone = await make(db, "D-GONE", barcodes=[code("d-gone", "6")])
    older = await make(db, "D-OLDER")
    kilos = await make(db, "D-KG", unit="kg", decimals=3)
    told: list[tuple[UUID, UUID]] = []

    async def hook(tx: Any, kept: UUID, merged: UUID) -> None:
        told.append((kept, merged))

    catalog.on_merge(hook)
    async with db.writing() as tx:
        await catalog.set_minimums(tx, [(gone.id, site, 12)])
        await catalog.merge_variants(tx, keep_id=gone.id, merge_id=older.id)
        await catalog.merge_variants(tx, keep_id=keep.id, merge_id=gone.id)
    assert told == [(gone.id, older.id), (keep.id, gone.id)]
    found = await resolve(db, "D-KEEP", "D-GONE", "D-OLDER", "d-gone")
    assert {hit.variant_id for hit in found.values()} == {keep.id}
    assert found["d-gone"].quantity_factor == 6
    async with db.reading() as conn:
        assert {
            hit.variant_id for hit in (await catalog.resolve_ids(conn, [older.id, gone.id, keep.id])).values()
        } == {keep.id}
        assert set((await catalog.families(conn, [keep.id]))[keep.id]) == {keep.id, gone.id, older.id}
        assert await catalog.minimums(conn, [(keep.id, site)]) == {(keep.id, site): 12}
    async with db.writing() as tx:
        with pytest.raises(UnitsDiffer):
            await catalog.merge_variants(tx, keep_id=keep.id, merge_id=kilos.id)
        with pytest.raises(Problem) as caught:
            await catalog.merge_variants(tx, keep_id=keep.id, merge_id=gone.id)
        with pytest.raises(InvalidBody):
            await catalog.merge_variants(tx, keep_id=keep.id, merge_id=keep.id)
    assert caught.value.data["merged_into"] == str(keep.id)


async def _store(db: Database, name: str) -> UUID:
    async with db.writing() as tx:
        return (
            await locations.create_location(tx, locations.NewLocation(code=name, name=name, kind="store"))
        ).id


async def test_many_at_once_with_a_preview(db: Database) -> None:
    async with db.writing() as tx:
        shelf = await catalog.create_category(tx, name="Bulk")
    made = [await make(db, f"B-{n}", list_price=Money(100, "EUR"), attributes={"a": 1}) for n in range(3)]
    ids = [v.id for v in made]
    wanted = {"list_price": "2.50", "attributes": {"a": None, "b": "x"}, "category_id": shelf.id}
    async with db.writing() as tx:
        told = await catalog.bulk_change(tx, ids, changes=wanted, preview=True)
    assert [set(row.changes) for row in told] == [{"list_price_minor", "attributes", "category_id"}] * 3
    async with db.reading() as conn:
        assert {v["version"] for v in (await catalog.get_variants(conn, ids, costs=False)).values()} == {1}
    async with db.writing() as tx:
        done = await catalog.bulk_change(tx, ids, changes=wanted, preview=False)
        none = await catalog.bulk_change(tx, ids, changes=wanted, preview=False)
    assert [row.changes for row in done] == [row.changes for row in told]
    assert [row.changes for row in none] == [{}] * 3
    async with db.reading() as conn:
        shown = await catalog.get_variants(conn, ids, costs=False)
    assert {(v["list_price"]["amount"], v["category_name"], v["version"]) for v in shown.values()} == {
        ("2.50", "Bulk", 2)
    }
    async with db.writing() as tx:
        for bad, kind in (
            ({"sku": "x"}, InvalidBody),
            ({"list_price": "x"}, BadValue),
            ({"category_id": uuid4()}, NotFound),
        ):
            with pytest.raises(kind):
                await catalog.bulk_change(tx, ids, changes=bad, preview=True)
        with pytest.raises(LimitExceeded):
            await catalog.bulk_change(tx, [uuid4() for _ in range(501)], changes={}, preview=True)


async def test_categories_carry_what_is_below(db: Database) -> None:
    async with db.writing() as tx:
        food = await catalog.create_category(tx, name="Food")
        tea = await catalog.create_category(tx, name="Tea", parent_id=food.id)
        green = await catalog.create_category(tx, name="Green", parent_id=tea.id)
        drink = await catalog.create_category(tx, name="Drink")
    item = await make(db, "CAT-1", name="Sencha", category_id=green.id)
    async with db.writing() as tx:
        await catalog.change_category(tx, tea.id, version=1, changes={"parent_id": drink.id, "name": "Teas"})
        with pytest.raises(InvalidBody):
            await catalog.change_category(tx, drink.id, version=None, changes={"parent_id": green.id})
    async with db.writing() as tx:
        with pytest.raises(CategoryTaken):
            await catalog.create_category(tx, name="Food")
    async with db.reading() as conn:
        under = [await _skus(conn, category_id=c.id) for c in (food, drink, tea, green)]
        assert under == [[], ["CAT-1"], ["CAT-1"], ["CAT-1"]]
        path = (
            await conn.execute(sa.text("SELECT path FROM category WHERE id = :id"), {"id": green.id})
        ).scalar_one()
    assert path == "Drink > Teas > Green"
    async with db.writing() as tx:
        await catalog.change_category(tx, green.id, version=None, changes={"name": "Verdant"})
    async with db.reading() as conn:
        assert [hit.id for hit in await catalog.search_variants(conn, "verdant sencha", limit=5)] == [item.id]


async def _skus(conn: Any, **wanted: Any) -> list[str]:
    rows, _ = await catalog.list_variants(
        conn, catalog.CatalogFilter(**wanted), limit=50, cursor=None, costs=False
    )
    return [row["sku"] for row in rows]


async def test_the_search_forgives_one_typo(db: Database) -> None:
    await make(db, "S-1", name="Lavender honey soap", barcodes=[code("9506000134352")])
    await make(db, "S-2", name="Lavender")
    await make(db, "S-3", name="Crème brûlée dish")
    async with db.reading() as conn:

        async def found(q: str) -> list[tuple[str, str]]:
            return [(hit.sku, hit.match) for hit in await catalog.search_variants(conn, q, limit=10)]

        assert await found("9506000134352") == [("S-1", "barcode")]
        assert await found("s-2") == [("S-2", "sku")]
        assert await found("lavender") == [("S-2", "words"), ("S-1", "words")]
        assert await found("SOAP lav") == [("S-1", "words")]
        for typo in ("laveder", "lavendar", "lavnder soap", "soap lavneder", "hoeny lavender", "honney"):
            assert ("S-1", "fuzzy") in await found(typo), typo
        assert await found("creme brulee") == [("S-3", "words")]
        assert await found("brule dish") == [("S-3", "words")]
        assert await found("laxendxr") == []
        for odd in ("", "'", "a & b | !c:*", "\\", "%%%", "(", "お茶"):
            assert isinstance(await found(odd), list)


async def test_a_file_of_products(db: Database, used: set[UUID]) -> None:
    rows: list[dict[str, str | None]] = [
        {"sku": "F-1", "name": "Pu-erh", "category": "Leaf > Dark", "barcodes": "5901234123457;9780201379624*24", "list_price": "3.49",
         "cost": "1.171717", "currency": "USD", "tracking": "lot", "attribute:origin": "Yunnan"},
        {"sku": "F-2", "name": "Rice", "unit": "kg", "decimals": "3", "list_price": "2"},
        {"sku": "F-3S", "name": "Shirt S", "product": "SHIRT", "product_name": "Shirt", "option:size": "S"},
        {"sku": "F-3M", "name": "Shirt M", "product": "SHIRT", "option:size": "M"},
        {"sku": "", "name": "Nobody"},
        {"sku": "F-4", "unit": "barrel"},
        {"sku": "F-5", "list_price": "cheap"},
        {"sku": "F-6", "barcodes": "5901234123457"},
        {"sku": "F-7", "decimals": "9"},
        {"sku": "F-8", "tracking": "some"},
        {"sku": "F-9", "currency": "XXX", "cost": "1"},
    ]  # fmt: skip
    async with db.writing() as tx:
        first = await catalog.upsert_variants(tx, rows, default_currency="EUR", first_row=2)
    assert (first.created, first.updated) == (4, 0), first.problems
    assert [(p.row, p.column) for p in first.problems] == [
        (6, "sku"), (7, "unit"), (8, "list_price"), (9, "barcodes"), (10, "decimals"), (11, "tracking"), (12, "currency"),
    ]  # fmt: skip
    assert all(p.message and p.remedy for p in first.problems)
    found = await resolve(db, "F-1", "F-2", "5901234123457", "9780201379624")
    assert found["9780201379624"].quantity_factor == 24
    assert (found["F-1"].list_price_currency, found["F-1"].cost, found["F-1"].tracking) == (
        "USD",
        Decimal("1.171717"),
        "lot",
    )
    assert (
        found["F-2"].list_price_minor,
        found["F-2"].list_price_currency,
        found["F-2"].quantity_factor,
    ) == (200, "EUR", 1000)
    async with db.writing() as tx:
        again = await catalog.upsert_variants(
            tx, [*rows[:4], {"sku": "F-2", "name": "Basmati"}], default_currency="EUR"
        )
        assert (again.created, again.updated, again.unchanged, again.problems) == (0, 1, 4, [])
        used.add(found["F-2"].variant_id)
        third = await catalog.upsert_variants(tx, [{"sku": "F-2", "unit": "g"}], default_currency="EUR")
    assert third.problems[0].column == "unit"
    async with db.reading() as conn:
        assert await _skus(conn, q="basm") == ["F-2"]
        shirt = (
            await catalog.get_variants(
                conn, [(await catalog.resolve(conn, ["F-3M"]))["F-3M"].variant_id], costs=False
            )
        ).popitem()[1]
    assert (shirt["product_name"], shirt["options"]) == ("Shirt", {"size": "M"})


async def test_files_of_barcodes_and_minimums(db: Database) -> None:
    await make(db, "G-1", unit="kg", decimals=3)
    await make(db, "G-2", barcodes=[code("g-2")])
    site = await _store(db, "MINIMUMS")
    async with db.writing() as tx:
        codes = await catalog.upsert_barcodes(
            tx,
            [{"sku": "G-1", "barcode": "g-1", "quantity": "0.5"}, {"sku": "G-1", "barcode": "g-2"}, {"sku": "G-0", "barcode": "x"},
             {"sku": "G-2", "barcode": "g-2", "level": "case", "quantity": "6"}, {"sku": "G-2"}],
        )  # fmt: skip
        least = await catalog.upsert_minimums(
            tx, [{"sku": "G-1", "site": "M", "minimum": "1.5"}, {"sku": "G-1", "site": "?", "minimum": "1"},
                 {"sku": "G-2", "site": "M", "minimum": "1.5"}], sites={"M": site},
        )  # fmt: skip
    assert (codes.created, codes.updated, [(p.row, p.column) for p in codes.problems]) == (
        1, 1, [(2, "barcode"), (3, "sku"), (5, "barcode")],
    )  # fmt: skip
    assert (least.updated, [(p.row, p.column) for p in least.problems]) == (1, [(2, "site"), (3, "minimum")])
    assert (await resolve(db, "g-1"))["g-1"].quantity_factor == 500


async def test_a_remembering_resolver_forgets_what_changed(db: Database) -> None:
    resolver = catalog.Resolver(db, every=0.0)
    tea = await make(db, "CACHE-1", name="Before")
    assert (await resolver.resolve(["CACHE-1", "none"]))["CACHE-1"].name == "Before"
    assert (await resolver.resolve(["CACHE-1"]))["CACHE-1"].variant_id == tea.id
    assert (resolver.hits, resolver.misses) == (1, 2)
    await change(db, tea, name="After")
    assert (await resolver.resolve(["CACHE-1"]))["CACHE-1"].name == "After"
    assert (await resolver.resolve_ids([tea.id]))[tea.id].name == "After"
    slow = catalog.Resolver(db, every=3600.0)
    await slow.resolve(["CACHE-1"])
    await change(db, tea, name="Later")
    assert (await slow.resolve(["CACHE-1"]))["CACHE-1"].name == "After"
    slow.forget()
    assert (await slow.resolve(["CACHE-1"]))["CACHE-1"].name == "Later"


async def test_lists_page_without_gaps(db: Database) -> None:
    for reader, key in ((catalog.list_variants, "sku"), (catalog.list_products, "id")):
        seen: list[Any] = []
        cursor = None
        async with db.reading() as conn:
            while True:
                rows, cursor = await reader(
                    conn, catalog.CatalogFilter(archived=None), limit=7, cursor=cursor, costs=False
                )
                seen += [row[key] for row in rows]
                assert all(row.get("cost") is None for row in rows)
                if cursor is None:
                    break
        assert len(seen) == len(set(seen)) > 14


async def test_lists_and_search_ask_a_fixed_number_of_questions(db: Database) -> None:
    asked: list[str] = []

    def count(*arguments: Any) -> None:
        asked.append(arguments[2])

    sa.event.listen(db.reads_engine.sync_engine, "before_cursor_execute", count)
    everything = catalog.CatalogFilter(archived=None)
    try:
        async with db.reading() as conn:
            for limit in (2, 20):
                for reader, most in ((catalog.list_variants, 2), (catalog.list_products, 3)):
                    asked.clear()
                    await reader(conn, everything, limit=limit, cursor=None, costs=True)
                    assert len(asked) == most, asked
            for q in ("lavender", "laveder", "lavender hoeny soap creme", EAN):
                asked.clear()
                await catalog.search_variants(conn, q, limit=20)
                assert len(asked) <= 5, asked
    finally:
        sa.event.remove(db.reads_engine.sync_engine, "before_cursor_execute", count)


async def test_edits_at_once_wait_for_each_other_and_lose_nothing(db: Database) -> None:
    item = await make(db, "RACE", name="Start")
    names = [f"Name {n}" for n in range(8)]

    async def rename_product(n: int) -> None:
        async with db.writing() as tx:
            await catalog.change_product(tx, item.product_id, version=None, changes={"name": f"Product {n}"})

    async def upsert(n: int) -> None:
        async with db.writing() as tx:
            await catalog.upsert_variants(
                tx, [{"sku": "RACE", "weight_g": str(n + 1)}], default_currency="EUR"
            )

    await asyncio.gather(
        *(change(db, item, name=name) for name in names),
        *(rename_product(n) for n in range(8)),
        *(upsert(n) for n in range(8)),
    )
    async with db.reading() as conn:
        shown = (await catalog.get_variants(conn, [item.id], costs=False))[item.id]
        assert [
            hit.id for hit in await catalog.search_variants(conn, shown["product_name"] + " name", limit=3)
        ] == [item.id]
    assert shown["version"] == 1 + 16
    assert shown["name"] in names
