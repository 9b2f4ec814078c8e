"""200,000 rows: what reading and understanding them costs in memory, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

from onhand.kit.files import XLSX

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
