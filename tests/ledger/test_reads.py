"""What the reads answer, by a small history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onhand.kit.database import Database
from onhand.ledger import Mode, reads
from tests.ledger.world import World, build, post


@pytest.fixture(scope="module")
async def world(db: Database) -> World:
    world = await build(db)
    await post(
        db,
        world.posting(
            world.move("TEA", 100, "supplier", "W1/A", unit_cost="2.50", currency="EUR"), kind="receive"
        ),
    )
    await post(
        db,
        world.posting(
            world.move("TEA", 30, "W1/A", "S1"), world.move("TEA", 10, "W1/A", "W1/Q"), kind="transfer"
        ),
    )
    await post(db, world.posting(world.move("TEA", 4, "S1", "customer"), kind="sell", mode=Mode.fact))
    await post(db, world.posting(world.move("RICE", 2500, "supplier", "S1"), kind="receive"))
    await post(db, world.posting(world.move("RICE", 3000, "S1", "customer"), kind="sell", mode=Mode.fact))
    return world


async def test_levels_by_variant(db: Database, world: World) -> None:
    async with db.reading() as conn:
        rows, cursor = await reads.list_levels(conn, reads.LevelFilter(sku="TEA"), limit=2, cursor=None)
        assert [(r["location_path"], r["on_hand"]) for r in rows] == [("S1", "26"), ("W1/A", "60")]
        rest, end = await reads.list_levels(conn, reads.LevelFilter(sku="TEA"), limit=2, cursor=cursor)
        assert [(r["location_path"], r["on_hand"], r["condition"]) for r in rest] == [
            ("W1/Q", "10", "available")
        ]
        assert end is None


async def test_levels_roll_up(db: Database, world: World) -> None:
    async with db.reading() as conn:
        tree, _ = await reads.list_levels(
            conn, reads.LevelFilter(sku="TEA", rollup="tree"), limit=50, cursor=None
        )
        assert {r["location_path"]: r["on_hand"] for r in tree} == {
            "S1": "26",
            "W1": "70",
            "W1/A": "60",
            "W1/Q": "10",
        }
        site, _ = await reads.list_levels(conn, reads.LevelFilter(rollup="site"), limit=50, cursor=None)
        assert {(r["sku"], r["location_path"]): r["on_hand"] for r in site} == {
            ("TEA", "S1"): "26", ("TEA", "W1"): "70", ("RICE", "S1"): "-0.500",
        }  # fmt: skip
        place, _ = await reads.list_levels(
            conn, reads.LevelFilter(location_id=world.places["W1"], rollup="place"), limit=50, cursor=None
        )
        assert [(r["sku"], r["on_hand"]) for r in place] == [("TEA", "70")]


async def test_levels_of_another_instant(db: Database, world: World) -> None:
    async with db.reading() as conn:
        rows, _ = await reads.list_levels(
            conn,
            reads.LevelFilter(sku="TEA", as_of=datetime(2026, 1, 5, 8, 0, 2, tzinfo=UTC)),
            limit=50,
            cursor=None,
        )
        assert {r["location_path"]: r["on_hand"] for r in rows} == {"S1": "30", "W1/A": "60", "W1/Q": "10"}
        rows, _ = await reads.list_levels(
            conn,
            reads.LevelFilter(sku="TEA", as_known_at=datetime(2020, 1, 1, tzinfo=UTC)),
            limit=50,
            cursor=None,
        )
        assert {r["on_hand"] for r in rows} == {"0"}


async def test_scope_hides_other_sites(db: Database, world: World) -> None:
    scope = frozenset([world.places["S1"]])
    async with db.reading() as conn:
        rows, _ = await reads.list_levels(conn, reads.LevelFilter(scope=scope), limit=50, cursor=None)
        assert {r["location_path"] for r in rows} == {"S1"}
        rows, _ = await reads.list_site_levels(
            conn, reads.StockFilter(scope=scope), limit=50, cursor=None, costs=False
        )
        assert {r["site_code"] for r in rows} == {"S1"}
        rows, _ = await reads.stock_matrix(conn, reads.StockFilter(scope=scope), limit=50, cursor=None)
        assert all(set(r["sites"]) <= {str(world.places["S1"])} for r in rows)
        rows, _ = await reads.list_postings(
            conn, reads.PostingFilter(scope=scope), limit=50, cursor=None, costs=True
        )
        assert [r["kind"] for r in rows] == ["sell", "receive", "sell", "transfer"]
        assert [len(r["lines"]) for r in rows] == [1, 1, 1, 1]
        rows, _ = await reads.history(
            conn, reads.HistoryFilter(variant_id=world.variants["TEA"], scope=scope), limit=50, cursor=None
        )
        assert [r["quantity"] for r in rows] == ["-4", "30"]
        rows, _ = await reads.list_exceptions(
            conn, reads.ExceptionFilter(scope=frozenset()), limit=50, cursor=None
        )
        assert rows == []


async def test_site_levels_and_matrix(db: Database, world: World) -> None:
    async with db.reading() as conn:
        rows, _ = await reads.list_site_levels(
            conn, reads.StockFilter(q="tea"), limit=50, cursor=None, costs=True
        )
        assert [(r["site_code"], r["on_hand"], r["sellable"], r["available"]) for r in rows] == [
            ("S1", "26", "26", "26"), ("W1", "70", "60", "60"),
        ]  # fmt: skip
        assert rows[0]["cost"] == {"amount": "2.50", "currency": "EUR"}
        below, _ = await reads.list_site_levels(
            conn, reads.StockFilter(below="zero"), limit=50, cursor=None, costs=False
        )
        assert [(r["sku"], r["available"], r["cost"]) for r in below] == [("RICE", "-0.500", None)]
        stocked, _ = await reads.stock_matrix(conn, reads.StockFilter(), limit=50, cursor=None)
        assert [r["sku"] for r in stocked] == ["RICE", "TEA"]
        every = reads.StockFilter(unstocked=True)
        matrix, cursor = await reads.stock_matrix(conn, every, limit=2, cursor=None)
        assert [r["sku"] for r in matrix] == ["RICE", "SALT"]
        more, _ = await reads.stock_matrix(conn, every, limit=2, cursor=cursor)
        assert more[0]["totals"] == {
            "on_hand": "96", "available": "86", "reserved": "0", "on_order": "0", "in_transit": "0",
        }  # fmt: skip
        zero, _ = await reads.stock_matrix(conn, reads.StockFilter(below="zero"), limit=2, cursor=None)
        assert [r["sku"] for r in zero] == ["RICE"]


async def test_history_runs_a_balance_over_pages(db: Database, world: World) -> None:
    tea = world.variants["TEA"]
    async with db.reading() as conn:
        wanted = reads.HistoryFilter(variant_id=tea, site_id=world.places["W1"])
        rows, _ = await reads.history(conn, wanted, limit=50, cursor=None)
        assert [(r["kind"], r["quantity"], r["balance"]) for r in rows] == [
            ("transfer", "-30", "70"), ("receive", "100", "100"),
        ]  # fmt: skip
        everywhere = reads.HistoryFilter(variant_id=tea)
        whole, _ = await reads.history(conn, everywhere, limit=50, cursor=None)
        assert [(r["quantity"], r["balance"]) for r in whole] == [("-4", "96"), ("100", "100")]
        bin_a = reads.HistoryFilter(variant_id=tea, location_id=world.places["W1/A"])
        whole, _ = await reads.history(conn, bin_a, limit=50, cursor=None)
        paged, cursor = [], None
        while True:
            rows, cursor = await reads.history(conn, bin_a, limit=1, cursor=cursor)
            paged += rows
            if cursor is None:
                break
        assert paged == whole
        assert [r["balance"] for r in whole] == ["60", "70", "100"]


async def test_explained_numbers_agree(db: Database, world: World) -> None:
    async with db.reading() as conn:
        expected: tuple[tuple[reads.Measure, str], ...] = (
            ("on_hand", "70"),
            ("sellable", "60"),
            ("reserved", "0"),
        )
        for measure, value in expected:
            found = await reads.explain(
                conn,
                reads.HistoryFilter(
                    variant_id=world.variants["TEA"], site_id=world.places["W1"], measure=measure
                ),
                limit=50,
            )
            assert (found["value"], found["agrees"]) == (value, True)
        whole = await reads.explain(conn, reads.HistoryFilter(variant_id=world.variants["RICE"]), limit=50)
        assert whole["value"] == "-0.500"
        assert whole["agrees"]
        assert {p["label"]: p["value"] for p in whole["parts"]} == {"receive": "2.500", "sell": "-3.000"}


async def test_chart_ends_each_day(db: Database, world: World) -> None:
    day = datetime(2026, 1, 5, tzinfo=UTC).date()
    async with db.reading() as conn:
        points = await reads.chart(
            conn, reads.HistoryFilter(variant_id=world.variants["TEA"], site_id=world.places["S1"]),
            first=day - timedelta(days=1), last=day + timedelta(days=1), now=datetime.now(UTC),
        )  # fmt: skip
    assert [p["on_hand"] for p in points] == ["0", "26", "26"]


async def test_postings_by_filter(db: Database, world: World) -> None:
    async with db.reading() as conn:

        async def seqs(**wanted: Any) -> list[str]:
            rows, _ = await reads.list_postings(
                conn, reads.PostingFilter(**wanted), limit=50, cursor=None, costs=False
            )
            return [r["seq"] for r in rows]

        assert await seqs() == ["5", "4", "3", "2", "1"]
        assert await seqs(variant_id=world.variants["TEA"]) == ["3", "2", "1"]
        assert await seqs(location_id=world.places["W1"]) == ["2", "1"]
        assert await seqs(location_id=world.places["S1"], variant_id=world.variants["TEA"]) == ["3", "2"]
        assert await seqs(kind="receive") == ["4", "1"]
        page, cursor = await reads.list_postings(
            conn, reads.PostingFilter(), limit=2, cursor=None, costs=True
        )
        assert page[1]["lines"][0]["unit_cost"] is None
        more, _ = await reads.list_postings(conn, reads.PostingFilter(), limit=50, cursor=cursor, costs=True)
        assert more[-1]["lines"][0]["unit_cost"] == {"amount": "2.50", "currency": "EUR"}
        one = await reads.get_posting(conn, more[0]["id"], scope=None, costs=False)
        assert one is not None
        assert one["seq"] == "3"


async def test_open_exceptions(db: Database, world: World) -> None:
    async with db.reading() as conn:
        rows, _ = await reads.list_exceptions(
            conn, reads.ExceptionFilter(state="open"), limit=50, cursor=None
        )
        assert [(r["kind"], r["sku"], r["quantity"], r["site_code"]) for r in rows] == [
            ("oversold", "RICE", "0.500", "S1")
        ]
        assert (await reads.integrity(conn))["head"]["posting_n"] == "5"
