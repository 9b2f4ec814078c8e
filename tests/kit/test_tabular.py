"""Tables people upload: read whatever is honest, refuse what is hostile, never be brought down by either."""

from __future__ import annotations

import contextlib
import os
import random
import struct
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from onhand.kit import tabular
from onhand.kit.problem import LimitExceeded, Problem
from onhand.kit.tabular import Row, UnreadableTable, open_table

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def read_csv(tmp_path: Path, data: bytes) -> list[list[str]]:
    table = open_table(write(tmp_path / "in.csv", data), "text/csv", tmp_path / "scratch.csv")
    return [row.cells for row in table.rows()]


def workbook(path: Path, rows: list[list[object]], *, at: int = 0) -> Path:
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(at + number, at, row)
    book.close()
    return path


def raw_workbook(path: Path, sheet: bytes) -> Path:
    """The smallest workbook there is, with a sheet of our own making."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
            'package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
            'officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{rel}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{rel}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            b'<worksheet xmlns="%b"><sheetData>%b</sheetData></worksheet>' % (main.encode(), sheet),
        )
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_is_read_in_every_common_encoding_and_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    lines = [["sku", "name", "price"], ["T-1", "Grüner Tee, 100 g", "1.99"], ["T-2", "Café", "2.50"]]
    text = "\r\n".join(delimiter.join(f'"{c}"' if delimiter in c else c for c in line) for line in lines)
    assert read_csv(tmp_path, text.encode(encoding)) == lines


def test_utf_16_without_a_mark_is_found_by_its_zeros(tmp_path: Path) -> None:
    assert read_csv(tmp_path, "sku,name\nA,b\n".encode("utf-16-le")) == [["sku", "name"], ["A", "b"]]


def test_row_numbers_are_those_of_the_spreadsheet_and_empty_lines_vanish(tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.csv", b"sku\n\n , \nA\n"), "text/csv", tmp_path / "s")
    assert list(table.rows()) == [Row(1, ["sku"]), Row(4, ["A"])]


def test_bad_text_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTable) as refused:
        read_csv(tmp_path, b"sku,name\nA,\x81\x8d\n")
    assert refused.value.data["position"] == 12
    with pytest.raises(UnreadableTable):
        read_csv(tmp_path, b"\xef\xbb\xbfsku\n\xff\xfe\n")


def test_an_open_quote_names_its_row(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTable, match="Row 3"):
        read_csv(tmp_path, b'sku,name\nA,b\nB,"never closed\nC,d\n')


def test_width_line_and_cell_are_bounded(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded):
        read_csv(tmp_path, b"," * (1 << 20) + b"x\n")
    with pytest.raises(LimitExceeded):
        read_csv(tmp_path, b"a," * 600 + b"b\n")
    with pytest.raises(LimitExceeded):
        read_csv(tmp_path, b"a,b\n1," + b"x" * 40_000)
    assert read_csv(tmp_path, b"a,b" + b"," * 2000 + b"\n1,2\n")[0] == ["a", "b"]


def test_too_large_a_file_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.truncate(tabular.PACKED_BYTES + 1)
    with pytest.raises(LimitExceeded):
        open_table(path, "text/csv", tmp_path / "s")


def test_a_quoted_formula_comes_back_as_it_was(tmp_path: Path) -> None:
    assert read_csv(tmp_path, b"a\n'=1+1\n''=1\n's-Hertogenbosch\n") == [
        ["a"],
        ["=1+1"],
        ["'=1"],
        ["'s-Hertogenbosch"],
    ]


def test_a_workbook_reads_as_people_see_it(tmp_path: Path) -> None:
    import datetime as dt

    rows: list[list[object]] = [
        ["sku", "qty", "cost", "code", "date", "yes", "tiny"],
        ["A", 3, 0.1 + 0.2, 4006381333931, dt.date(2025, 12, 31), True, 0.0000005],
    ]
    table = open_table(workbook(tmp_path / "a.xlsx", rows), XLSX, tmp_path / "s.csv")
    assert [row.cells for row in table.rows()] == [
        rows[0],
        ["A", "3", "0.3", "4006381333931", "2025-12-31", "true", "0.0000005"],
    ]
    assert table.numeric_cells


def test_a_table_that_starts_lower_keeps_its_row_numbers(tmp_path: Path) -> None:
    table = open_table(
        workbook(tmp_path / "a.xlsx", [["sku", "n"], ["A", 1]], at=2), XLSX, tmp_path / "s.csv"
    )
    assert list(table.rows()) == [Row(3, ["sku", "n"]), Row(4, ["A", "1"])]


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match="100 times"):
        open_table(raw_workbook(tmp_path / "b.xlsx", b"<row/>" + b" " * (50 << 20)), XLSX, tmp_path / "s")
    with zipfile.ZipFile(tmp_path / "c.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            archive.writestr(name, "x")
        for part in range(5):
            archive.writestr(f"xl/media/{part}", bytes(45 << 20))
    with pytest.raises(LimitExceeded, match="200 MB"):
        open_table(tmp_path / "c.xlsx", XLSX, tmp_path / "s")


def test_a_bomb_that_lies_about_its_size_only_ends_the_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabular, "CHILD_MEMORY", 256 << 20)
    path = raw_workbook(tmp_path / "b.xlsx", b"<row/>" + os.urandom(400 << 10) + b" " * (30 << 20))
    data = bytearray(path.read_bytes())
    for size_at in (22, 24):  # local header and central directory: the unpacked size, made small
        head = data.rfind(
            b"PK\x03\x04" if size_at == 22 else b"PK\x01\x02",
            0,
            data.rfind(b"xl/worksheets") if size_at == 24 else data.find(b"xl/worksheets"),
        )
        data[head + size_at : head + size_at + 4] = struct.pack("<I", 1000)
    path.write_bytes(data)
    with pytest.raises(Problem):
        open_table(path, XLSX, tmp_path / "s")


@pytest.mark.parametrize("far", [b"XFD1048576", b"XFD2", b"A1048576"])
def test_one_far_cell_does_not_allocate_the_rectangle(tmp_path: Path, far: bytes) -> None:
    sheet = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="%b"><c r="%b"><v>2</v></c></row>' % (
        far.lstrip(b"XFDA"),
        far,
    )
    with pytest.raises(LimitExceeded):
        open_table(raw_workbook(tmp_path / "f.xlsx", sheet), XLSX, tmp_path / "s")


def test_a_wide_and_long_rectangle_only_ends_the_child(tmp_path: Path) -> None:
    sheet = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="999999"><c r="ZZ999999"><v>2</v></c></row>'
    with pytest.raises(LimitExceeded, match="too large"):
        open_table(raw_workbook(tmp_path / "f.xlsx", sheet), XLSX, tmp_path / "s")


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    path = raw_workbook(
        tmp_path / "x.xlsx", b'<row r="1"><c r="A1" t="inlineStr"><is><t>&xxe;</t></is></c></row>'
    )
    try:
        cells = [row.cells for row in open_table(path, XLSX, tmp_path / "s.csv").rows()]
    except Problem:
        return
    assert "root:" not in str(cells)


def test_what_is_no_workbook_is_said_so(tmp_path: Path) -> None:
    for data in (b"", b"PK\x03\x04", b"not a zip", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        with pytest.raises(UnreadableTable):
            open_table(write(tmp_path / "a.xlsx", data), XLSX, tmp_path / "s")
    with zipfile.ZipFile(tmp_path / "z.xlsx", "w") as archive:
        archive.writestr("hello.txt", "x")
    with pytest.raises(UnreadableTable):
        open_table(tmp_path / "z.xlsx", XLSX, tmp_path / "s")


def test_fuzzed_files_are_read_or_refused(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    good = workbook(tmp_path / "good.xlsx", [["sku", "n"], ["A", 1], ["B", 2]]).read_bytes()
    text = 'sku;name\nA;"grün"\nB;x\n'.encode()
    for kind, media, base, times in (("x", XLSX, good, 12), ("c", "text/csv", text, 200)):
        for _ in range(times):
            data = bytearray(base)
            for _ in range(rng.randint(1, 20)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            path = write(tmp_path / f"fuzz.{kind}", bytes(data))
            with contextlib.suppress(Problem):
                list(open_table(path, media, tmp_path / "s.csv").rows())
