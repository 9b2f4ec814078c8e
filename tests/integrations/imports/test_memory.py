"""200,000 rows: what reading them, and what posting them costs in memory, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from tests.ledger.world import build

from onhand.kit.database import Database
from onhand.kit.files import XLSX
from onhand.ledger import verify

ROWS = 200_000
HEADERS = ("sku", "name", "category", "barcodes", "list_price", "cost", "unit", "description")

MEASURE = """
import resource, sys
from pathlib import Path
from types import SimpleNamespace
from onhand.integrations.imports import KINDS, actions
from onhand.integrations.imports.model import suggest_mapping
from onhand.kit.tabular import open_table

path, media = Path(sys.argv[1]), sys.argv[2]
table = open_table(path, media, path.with_suffix(".scratch"))
headers = next(table.rows()).cells
row = SimpleNamespace(headers=headers, mapping=suggest_mapping(KINDS["products"], headers), decimal_mark=None)
reading = actions._survey(KINDS["products"], row, table)
rows = sum(len(rows) for _, rows, _ in actions._chunks(table, reading))
# VmHWM is this program's own; ru_maxrss would begin with what the test runner had when it forked.
own = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
childs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(rows, reading.errors.total, own // 1024, childs // 1024)
"""


def lines() -> Iterator[tuple[str, ...]]:
    yield HEADERS
    for n in range(ROWS):
        yield (
            f"SKU-{n:06d}", f"Some product name {n}", f"Group {n % 100}", f"X{n:09d}", f"{n % 90}.50", f"{n % 40}.25", "each",
            "A longer text about it.",
        )  # fmt: skip


def as_xlsx(path: Path) -> None:
    """Written by hand: a library would take longer than the test."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r" Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{main}"><sheetData>'.encode())
            for n, line in enumerate(lines(), start=1):
                cells = "".join(
                    f'<c r="{"ABCDEFGH"[at]}{n}" t="inlineStr"><is><t>{text}</t></is></c>'
                    for at, text in enumerate(line)
                )
                sheet.write(f'<row r="{n}">{cells}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")


def test_two_hundred_thousand_rows_stay_below_300_mb(tmp_path: Path) -> None:
    path = tmp_path / "big.xlsx"
    as_xlsx(path)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), str(path), XLSX],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "src"}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows, errors, own, childs = map(int, done.stdout.split())
    print(f"{own} MB here, {childs} MB in the child")
    assert (rows, errors) == (ROWS, 0)
    assert own < 300
    assert childs < 300


IMPORT = """
import asyncio, resource, sys
from pathlib import Path
from types import SimpleNamespace
from onhand import ledger
from onhand.doors import wiring
from onhand.integrations.imports import actions, store
from onhand.integrations.imports.model import Counts, Run, suggest_mapping
from onhand.integrations.imports.kinds import KINDS
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.tabular import open_table

path, url = Path(sys.argv[1]), sys.argv[2]

async def main():
    wiring.register()
    database = Database.open(url, pool_size=2)
    wiring.hooks(database)
    kind = KINDS["opening_stock"]
    table = open_table(path, "text/csv", path.with_suffix(".scratch"))
    headers = next(table.rows()).cells
    row = SimpleNamespace(headers=headers, mapping=suggest_mapping(kind, headers), decimal_mark=None)
    reading = actions._survey(kind, row, table)
    task, created = Run(uuid7(), b"x" * 32, False, "EUR", "Chain", ""), 0
    async with database.writing(action="import") as tx:
        for numbers, rows, _ in actions._chunks(table, reading):
            created += (await kind.apply(tx, task, rows, numbers)).created
        ended = await kind.finish(tx, task)
    own = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(created, reading.errors.total + len(ended.problems), own // 1024)
    await database.close()

asyncio.run(main())
"""

MANY = """
WITH p AS (INSERT INTO product (id, name) VALUES (gen_random_uuid(), 'Bulk') RETURNING id)
INSERT INTO variant (id, product_id, sku, name, unit, decimals, words)
  SELECT gen_random_uuid(), p.id, 'BULK-' || lpad((n - 1)::text, 5, '0'), 'Bulk', 'each', 0, to_tsvector('simple', 'bulk')
    FROM p, generate_series(1, :n) n
"""


async def test_opening_stock_of_two_hundred_thousand_rows_stays_below_300_mb(
    db: Database, database_urls: tuple[str, str], tmp_path: Path
) -> None:
    await build(db)
    skus = [f"BULK-{n:05}" for n in range(ROWS // 4)]
    async with db.writing() as tx:
        await tx.conn.execute(sa.text(MANY), {"n": len(skus)})
    path = tmp_path / "opening.csv"
    with path.open("w") as file:
        file.write("sku,location,quantity,cost\n")
        for place in ("S1", "S2", "W1/A", "W1/B"):
            file.writelines(f"{sku},{place},{n % 90 + 1},1.{n % 100:02}\n" for n, sku in enumerate(skus))
    done = subprocess.run(  # noqa: ASYNC221 - nothing else runs on this loop
        [sys.executable, "-c", textwrap.dedent(IMPORT), str(path), database_urls[1]],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "src"}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows, errors, own = map(int, done.stdout.split())
    print(f"{own} MB")
    assert (rows, errors) == (ROWS, 0)
    assert own < 300
    async with db.reading() as conn:
        report = await verify.verify(conn)
        lines = (await conn.execute(sa.text("SELECT count(*) FROM move"))).scalar_one()
    assert (report.ok, lines) == (True, ROWS)
