"""A file replayed into the books: every line counted once, a second run changes nothing, the UCI year ends exactly."""

from __future__ import annotations

import csv
import os
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from onhand import catalog, ledger, locations
from onhand.integrations.replay.actions import Before, Missing, Replayed, replay
from onhand.integrations.replay.mapping import Mapping, ReplayMapping, named
from onhand.integrations.replay.model import differences
from onhand.kit.database import Database
from onhand.ledger import verify

_ROOT = Path(__file__).parents[3]
UCI = (
    Path(os.environ.get("ONHAND_DATA", _ROOT / ".." / "shared" / "data"))
    / "a_transactions"
    / "uci_online_retail"
)
COLUMNS = {
    "document": "no", "sku": "sku", "quantity": "qty", "happened_at": "at", "unit_price": "price", "description": "text",
    "customer": "who",
}  # fmt: skip
MAPPING = Mapping(
    source="till",
    columns=COLUMNS,
    time_zone="Europe/London",
    currency="GBP",
    place="WEB",
    non_stock=("POST",),
)

FILE = """\
no,sku,qty,at,price,text,who
1,TEA,2,2011-07-01 09:30,2.50,Earl Grey,7
1,TEA,2,2011-07-01 09:30,2.50,Earl Grey,7
1,POST,1,2011-07-01 09:30,3.95,POSTAGE,7
1,PAD,1,2011-07-01 09:30,0.001,Pads,7
C2,TEA,-1,2011-07-02 10:00,2.50,Earl Grey,7
C2,POST,-1,2011-07-02 10:00,3.95,POSTAGE,7
3,TEA,-3,2011-07-03 11:00,0.0,thrown away,
4,TEA,5,2011-07-04 12:00,0.0,found,
5,COUPON,0,2011-08-01 00:30,0.0,Coupon,7
6,RICE,1.250,2011-08-01 08:00,1.10,Basmati,7
7,TEA,two,2011-08-01 09:00,2.50,Earl Grey,7
"""


@pytest.fixture(scope="module")
async def engine(db: Database, database_urls: tuple[str, str]) -> AsyncIterator[ledger.Engine]:
    from onhand.doors import wiring

    await wiring.prepare(db)
    async with db.writing() as tx:
        for code in ("WEB", "UCI"):
            row = {"code": code, "name": code, "kind": "warehouse", "time_zone": "Europe/London"}
            assert not (await locations.upsert_locations(tx, [row])).problems

    async def load() -> Any:
        async with db.engine.connect() as conn:
            return await ledger.load_directory(conn)

    found = ledger.Engine(url=database_urls[1], load_directory=load, riders=dict(wiring.RIDERS))
    await found.start()
    yield found
    await found.stop()


def silent(step: str, share: float) -> None:
    """Nobody watches."""


async def run(
    db: Database, engine: ledger.Engine, file: Path, mapping: Mapping, before: Before = Before.nothing,
    missing: Missing = Missing.create,
) -> Replayed:  # fmt: skip
    return await replay(db, engine, file, mapping, missing=missing, before=before, say=silent)


async def on_hand(db: Database, sku: str) -> int:
    async with db.reading() as conn:
        known = await catalog.resolve(conn, [sku])
        rows = await conn.execute(
            sa.text("SELECT coalesce(sum(on_hand), 0) FROM level WHERE variant = :v"),
            {"v": known[sku].variant_id},
        )
        return int(rows.scalar_one())


async def test_a_file_becomes_sales_returns_and_adjustments(
    db: Database, engine: ledger.Engine, tmp_path: Path
) -> None:
    file = tmp_path / "export.csv"
    file.write_text(FILE)
    done = await run(db, engine, file, MAPPING)
    assert done.report.reconciles
    assert done.report.rows == 11
    assert [r.row for r in done.report.rejected] == [11]
    assert done.outcomes["posted"] == 6
    assert not done.refused
    assert await on_hand(db, "TEA") == -2 - 2 + 1 - 3 + 5
    assert await on_hand(db, "RICE") == -125
    assert await on_hand(db, "POST") == 0
    july = done.totals["2011-07"]
    assert july == {month: totals.row() for month, totals in done.report.months.items()}["2011-07"]
    assert july["net_value"] == Decimal("7.501")
    assert july["returned_or_written_off"] == -5
    assert done.totals["2011-08"] == done.report.months["2011-08"].row()


async def test_a_second_run_changes_nothing(db: Database, engine: ledger.Engine, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(FILE)
    before = await on_hand(db, "TEA")
    done = await run(db, engine, file, MAPPING)
    assert done.outcomes["posted"] == 0
    assert done.outcomes["already_posted"] == 6
    assert await on_hand(db, "TEA") == before


async def test_a_changed_document_is_refused_and_named(
    db: Database, engine: ledger.Engine, tmp_path: Path
) -> None:
    file = tmp_path / "export.csv"
    file.write_text(FILE.replace("C2,TEA,-1", "C2,TEA,-2"))
    done = await run(db, engine, file, MAPPING)
    assert done.outcomes["id_reused"] == 1
    assert done.outcomes["already_posted"] == 5


async def test_an_unknown_place_is_refused_before_anything_is_posted(
    db: Database, engine: ledger.Engine, tmp_path: Path
) -> None:
    file = tmp_path / "export.csv"
    file.write_text(FILE)
    nowhere = Mapping(source="x", columns=COLUMNS, place="NOWHERE", currency="GBP")
    with pytest.raises(ReplayMapping, match="NOWHERE"):
        await run(db, engine, file, nowhere, missing=Missing.keep)
    async with db.reading() as conn:
        assert await locations.resolve(conn, ["NOWHERE"]) == {}


async def test_a_missing_store_is_opened_when_asked(
    db: Database, engine: ledger.Engine, tmp_path: Path
) -> None:
    file = tmp_path / "export.csv"
    file.write_text("\n".join(FILE.splitlines()[:2]) + "\n")
    pop_up = Mapping(source="y", columns=COLUMNS, place="POP-UP", currency="GBP")
    await run(db, engine, file, pop_up, Before.cover)
    async with db.reading() as conn:
        opened = await locations.resolve(conn, ["POP-UP"])
        place = (await locations.directory(conn))[opened["POP-UP"]]
    assert (place.kind, place.sells) == ("store", True)


async def test_the_books_hold_together(db: Database, engine: ledger.Engine) -> None:
    report = await verify.run(db)
    assert report.ok, report.differences


@pytest.mark.data
async def test_the_uci_year_ends_on_its_control_totals_in_the_books(
    db: Database, engine: ledger.Engine
) -> None:
    if not UCI.is_dir():
        pytest.skip("third-party data not present")
    found = named("uci_online_retail")
    assert found is not None
    mapping = Mapping(
        source=found.source, columns=found.columns, time_zone=found.time_zone, currency=found.currency, returns=found.returns,
        non_stock=found.non_stock, place="UCI",
    )  # fmt: skip
    done = await run(db, engine, next(UCI.glob("online_retail*.csv.gz")), mapping, Before.cover)
    with (UCI / "control_totals_by_month.csv").open() as file:
        assert differences(done.totals, list(csv.DictReader(file))) == []
    assert done.report.rows == 320_705
    assert done.outcomes["posted"] == done.report.documents.total()
    assert done.outcomes["oversold"] == 0
    assert not done.refused
    async with db.reading() as conn:
        below = (await conn.execute(sa.text("SELECT count(*) FROM level WHERE on_hand < 0"))).scalar_one()
    assert below <= 3  # those of the small file above
