"""Imports through the API: look, check, import; all or nothing; the same file again changes nothing."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
import xlsxwriter

from onhand import access
from onhand.kit.clock import now
from onhand.kit.ids import uuid7

EVERYTHING = ("imports:write", "catalog:write", "catalog:read", "locations:write", "locations:read", "parties:write",
              "parties:read", "stock:adjust", "stock:read", "jobs:read", "jobs:write", "costs:read")  # fmt: skip


async def key(app: Any, *scopes: str) -> dict[str, str]:
    """The header of an API key with some permissions, valid everywhere."""
    async with app.state.database.writing() as tx:
        made = await access.make_key(
            tx, caller=access.SYSTEM, key_id=uuid7(), name="test", scopes=scopes, location_ids=None,
            expires_at=now() + timedelta(days=1),
        )  # fmt: skip
    return {"authorization": f"Bearer {made.text}"}


@pytest.fixture(scope="module")
async def boss(app: Any) -> AsyncIterator[Any]:
    """A client that may import everything but users."""
    import httpx2

    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    headers = await key(app, *EVERYTHING)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as http:
        yield http


async def upload(http: Any, name: str, data: bytes | str) -> str:
    content = data.encode() if isinstance(data, str) else data
    answer = await http.post("/v1/files", files={"file": (name, content, "application/octet-stream")})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def finished(http: Any, import_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            answer = await http.get(f"/v1/imports/{import_id}")
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            if found["state"] in ("done", "failed", "cancelled"):
                return found
            await asyncio.sleep(0.05)


async def run(
    http: Any, kind: str, data: bytes | str, *, name: str = "a.csv", dry_run: bool = False, **more: Any
) -> dict[str, Any]:
    """Upload, look, run with the suggested mapping, and wait."""
    made = await http.post(
        "/v1/imports", json={"id": str(uuid7()), "kind": kind, "file_id": await upload(http, name, data)}
    )
    assert made.status_code == 201, made.text
    body = {"mapping": made.json()["suggested_mapping"], "dry_run": dry_run, **more}
    started = await http.post(f"/v1/imports/{made.json()['id']}/run", json=body)
    assert started.status_code == 200, started.text
    return await finished(http, made.json()["id"])


def outcome(found: dict[str, Any]) -> tuple[Any, ...]:
    counts = found["counts"] or {}
    return (
        found["outcome"],
        counts.get("rows"),
        counts.get("created"),
        counts.get("updated"),
        counts.get("unchanged"),
        counts.get("failed"),
    )


PLACES = "code;name;kind;parent;time_zone\nS01;Mitte;store;;Europe/Berlin\nBACK;Lager;zone;S01;\nS02;West;store;;Europe/Berlin\n"
TEAS = (
    "Artikelnummer;Bezeichnung;Warengruppe;EAN;VK;EK;tracking\n"
    "T-1;Earl Grey;Food > Tea;4006381333931;3,49;1,17;lot\nT-2;Grüner Tee;Food > Tea;;1.234,50;0,5;none\n"
)


@pytest.fixture(scope="module", autouse=True)
async def _world(boss: Any) -> None:
    assert outcome(await run(boss, "locations", PLACES)) == ("imported", 3, 3, 0, 0, 0)
    assert outcome(await run(boss, "products", TEAS.encode("cp1252"))) == ("imported", 2, 2, 0, 0, 0)


async def test_kinds_are_listed_with_their_columns(boss: Any) -> None:
    kinds = {kind["kind"]: kind for kind in (await boss.get("/v1/import-kinds")).json()}
    assert list(kinds)[:2] == ["products", "barcodes"]
    assert kinds["products"]["columns"][0]["name"] == "sku"
    assert kinds["products"]["allowed"]
    assert not kinds["users"]["allowed"]
    template = await boss.get("/v1/import-kinds/barcodes/template")
    assert template.text.splitlines()[0] == "sku,barcode,quantity,level,kind"


async def test_what_was_imported_is_there(boss: Any) -> None:
    found = (await boss.get("/v1/variants", params={"q": "T-2"})).json()["data"][0]
    assert (found["name"], found["list_price"]["amount"], found["category_name"]) == (
        "Grüner Tee",
        "1234.50",
        "Tea",
    )
    assert (await boss.get("/v1/locations", params={"q": "BACK"})).json()["data"][0]["path"] == "S01/BACK"


async def test_the_same_file_again_changes_nothing(boss: Any) -> None:
    assert outcome(await run(boss, "products", TEAS.encode("cp1252"))) == ("imported", 2, 0, 0, 2, 0)
    assert outcome(await run(boss, "locations", PLACES)) == ("imported", 3, 0, 0, 3, 0)


async def test_a_look_shows_headings_rows_and_a_mapping_and_starts_nothing(boss: Any) -> None:
    body = {"kind": "products", "file_id": await upload(boss, "teas.csv", TEAS)}
    found = (await boss.post("/v1/imports", json=body)).json()
    assert (found["state"], found["job_id"], found["outcome"]) == ("draft", None, None)
    assert found["preview"]["headers"][0] == "Artikelnummer"
    assert found["preview"]["rows"][0][:2] == ["T-1", "Earl Grey"]
    assert found["suggested_mapping"]["list_price"] == "VK"


async def test_a_dry_run_finds_errors_and_keeps_nothing(boss: Any) -> None:
    data = "sku,name,list_price,unit\nD-1,Dry,1.00,each\nD-2,Dry,abc,each\nD-3,,1,parsec\nD-1,Again,1,each\n,No code,1,each\n"
    found = await run(boss, "products", data, dry_run=True)
    assert found["state"] == "done"
    assert outcome(found)[0::5] == ("refused", 4)
    errors = {(e["row"], e["column"]): e for e in found["errors"]}
    assert {k: v["code"] for k, v in errors.items()} == {
        (3, "list_price"): "invalid",
        (4, "unit"): "invalid",
        (5, "sku"): "duplicate",
        (6, "sku"): "required",
    }
    assert errors[3, "list_price"]["value"] == "abc"
    assert all(e["message"] and e["remedy"] for e in found["errors"])
    assert (await boss.get("/v1/variants", params={"q": "D-1"})).json()["data"] == []
    as_file = await boss.get(f"/v1/imports/{found['id']}/errors", params={"format": "csv"})
    assert as_file.text.splitlines()[0].endswith("row,header,column,value,code,message,remedy")


async def test_all_or_nothing(boss: Any) -> None:
    rows = "".join(f"A-{n},Name {n},each\n" for n in range(2500))
    found = await run(boss, "products", f"sku,name,unit\n{rows}A-x,Bad,parsec\n")
    assert (found["state"], found["outcome"], found["error_count"]) == ("failed", "refused", 1)
    assert found["errors"][0]["row"] == 2502
    assert "1 of 2,501 rows" in found["error"]
    assert (await boss.get("/v1/variants", params={"q": "A-17"})).json()["data"] == []


async def test_dry_run_then_run(boss: Any) -> None:
    found = await run(boss, "suppliers", "code,name\nACME,Acme Teas\n", dry_run=True)
    assert outcome(found) == ("checked", 1, 1, 0, 0, 0)
    answer = await boss.post(f"/v1/imports/{found['id']}/run", json={"dry_run": False})
    assert answer.status_code == 200, answer.text
    assert outcome(await finished(boss, found["id"])) == ("imported", 1, 1, 0, 0, 0)
    answer = await boss.post(f"/v1/imports/{found['id']}/run", json={"dry_run": False})
    assert answer.json()["code"] == "import_not_ready"


async def test_a_failed_import_can_be_retried_as_a_job(boss: Any) -> None:
    data = "sku,barcode\nLATER-1,4006381333948\n"
    found = await run(boss, "barcodes", data)
    assert found["outcome"] == "refused"
    assert outcome(await run(boss, "products", "sku,name\nLATER-1,Later\n"))[0] == "imported"
    answer = await boss.post(f"/v1/jobs/{found['job_id']}/retry")
    assert answer.status_code == 200, answer.text
    again = await finished(boss, found["id"])
    assert (outcome(again)[:3], again["errors"]) == (("imported", 1, 1), [])


async def test_only_a_thousand_errors_are_kept_but_all_are_counted(boss: Any) -> None:
    rows = "".join(f"B-{n},x,parsec\n" for n in range(3000))
    found = await run(boss, "products", f"sku,name,unit\n{rows}", dry_run=True)
    assert found["error_count"] == 3000
    assert found["counts"]["failed"] == 3000
    kept, cursor = 0, None
    while True:
        page = (
            await boss.get(
                f"/v1/imports/{found['id']}/errors",
                params={"limit": 200, **({"cursor": cursor} if cursor else {})},
            )
        ).json()
        kept, cursor = kept + len(page["data"]), page["next_cursor"]
        if cursor is None:
            break
    assert kept == 1000


async def test_customers_minimums_and_barcodes(boss: Any) -> None:
    assert outcome(await run(boss, "customers", "Kundennummer,Name,Ort\nK1,Müller,Köln\n"))[0] == "imported"
    assert outcome(await run(boss, "minimums", "sku,site,minimum\nT-2,S01,12\n"))[0] == "imported"
    assert (
        outcome(await run(boss, "barcodes", "sku,barcode,quantity\nT-2,14006381333938,24\n"))[0] == "imported"
    )
    found = (await boss.get("/v1/scan", params={"code": "14006381333938"})).json()
    assert found["quantity"] == "24"


def workbook(rows: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for at, row in enumerate(rows):
        sheet.write_row(at, 0, row)
    book.close()
    return out.getvalue()


async def test_opening_stock_from_a_workbook_with_lot_cost_and_date(app: Any, boss: Any) -> None:
    data = workbook(
        [
            ["Artikel", "Lagerplatz", "Menge", "Charge", "MHD", "EK", "Datum", "Zustand"],
            ["T-1", "S01/BACK", 40, "L1", "2027-03-31", 1.17, "2026-01-02", ""],
            ["T-1", "S01/BACK", 5, "L2", "", 1.2, "2026-01-02", "damaged"],
            ["4006381333931", "BACK", 1, "L1", "", "", "2026-01-02", ""],
            ["T-2", "S02", 7, "", "", 0.5, "", ""],
            ["T-2", "S02", 0, "", "", "", "", ""],
        ]
    )
    found = await run(boss, "opening_stock", data, name="stock.xlsx")
    assert outcome(found) == ("imported", 5, 4, 0, 1, 0), found
    async with app.state.database.reading() as conn:
        levels = await conn.execute(
            sa.text(
                "SELECT v.sku, l.path, coalesce(lot.code, ''), lv.condition, lv.on_hand FROM level lv"
                " JOIN variant v ON v.id = lv.variant JOIN location l ON l.id = lv.location LEFT JOIN lot ON lot.id = lv.lot"
                " ORDER BY 1, 2, 3"
            )
        )
        assert [tuple(row) for row in levels] == [
            ("T-1", "S01/BACK", "L1", 0, 41),
            ("T-1", "S01/BACK", "L2", 3, 5),
            ("T-2", "S02", "", 0, 7),
        ]
        costs = await conn.execute(
            sa.text(
                "SELECT p.happened_at, p.reason, m.unit_cost, m.currency FROM move m JOIN posting p USING (seq) ORDER BY m.quantity"
            )
        )
        row = costs.all()[-1]
        assert (row[0].isoformat(), row[1], str(row[2]), row[3]) == (
            "2026-01-01T23:00:00+00:00",
            "opening",
            "1.170000",
            "EUR",
        )
    again = await run(boss, "opening_stock", data, name="stock.xlsx")
    assert (again["state"], again["outcome"]) == ("failed", None)
    assert "imported as opening stock before" in again["error"]


async def test_opening_stock_names_what_is_wrong(boss: Any) -> None:
    data = (
        "sku,location,quantity,lot_code,cost,condition\nNOPE,S01,1,,,\nT-2,NOWHERE,1,,,\nT-2,S01,-1,,,\nT-2,S01,0.5,,,\n"
        "T-1,S01,1,,,\nT-2,S01,1,L9,,\nT-2,SUPPLIER,1,,,\nT-2,S01,1,,-1,\nT-2,S01,1,,,lost\n"
    )
    found = await run(boss, "opening_stock", data, dry_run=True)
    assert [(e["row"], e["column"]) for e in found["errors"]] == [
        (2, "sku"), (3, "location"), (4, "quantity"), (5, "quantity"), (6, "lot_code"), (7, "lot_code"), (8, "location"),
        (9, "cost"), (10, "condition"),
    ]  # fmt: skip


async def test_saved_mappings_are_suggested_for_the_next_file(boss: Any) -> None:
    data = "Col A,Col B\nM-1,Mapped\n"
    mapping = {"sku": "Col A", "name": "Col B"}
    body = {"kind": "products", "file_id": await upload(boss, "m.csv", data), "mapping": mapping, "dry_run": False,
            "save_mapping_as": "Vendor X"}  # fmt: skip
    made = (await boss.post("/v1/imports", json=body)).json()
    assert outcome(await finished(boss, made["id"]))[0] == "imported"
    saved = (await boss.get("/v1/import-mappings", params={"kind": "products"})).json()["data"]
    assert [(m["name"], m["mapping"]) for m in saved] == [("Vendor X", mapping)]
    body = {"kind": "products", "file_id": await upload(boss, "m2.csv", data)}
    assert (await boss.post("/v1/imports", json=body)).json()["mapping"] == mapping
    assert (await boss.delete(f"/v1/import-mappings/{saved[0]['id']}")).status_code == 204
    assert (await boss.delete(f"/v1/import-mappings/{saved[0]['id']}")).status_code == 404


async def test_an_ambiguous_number_is_asked_about(boss: Any) -> None:
    data = "sku;name;list_price\nQ-1;X;1.234\n"
    found = await run(boss, "products", data, dry_run=True)
    assert [(e["column"], e["header"]) for e in found["errors"]] == [("list_price", "list_price")]
    found = await run(boss, "products", data, decimal_mark=",")
    assert found["outcome"] == "imported"
    assert (await boss.get("/v1/variants", params={"q": "Q-1"})).json()["data"][0]["list_price"][
        "amount"
    ] == "1234.00"


async def test_a_retry_of_the_request_makes_one_import(boss: Any) -> None:
    body = {"id": str(uuid7()), "kind": "suppliers", "file_id": await upload(boss, "s.csv", "code,name\nONE,One\n"),
            "mapping": {"code": "code", "name": "name"}, "dry_run": False}  # fmt: skip
    import_id = str(body["id"])
    first, second = await boss.post("/v1/imports", json=body), await boss.post("/v1/imports", json=body)
    assert first.json()["job_id"] == second.json()["job_id"]
    assert outcome(await finished(boss, import_id))[0] == "imported"


async def test_of_many_who_start_it_at_once_one_does(boss: Any) -> None:
    body = {"kind": "suppliers", "file_id": await upload(boss, "s.csv", "code,name\nTWO,Two\n")}
    made = (await boss.post("/v1/imports", json=body)).json()
    answers = await asyncio.gather(
        *[boss.post(f"/v1/imports/{made['id']}/run", json={"dry_run": False}) for _ in range(6)]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert outcome(await finished(boss, made["id"]))[0] == "imported"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "nonsense"}, 422, "unknown_import_kind"),
        ({"kind": "users"}, 403, "forbidden"),
        ({"kind": "products", "mapping": {"sku": "Nope"}}, 422, "mapping_not_possible"),
        ({"kind": "products", "mapping": {}}, 422, "mapping_not_possible"),
        ({"kind": "products", "file_id": str(uuid4())}, 404, "not_found"),
        ({"kind": "products", "extra": 1}, 422, "invalid_body"),
    ],
)  # fmt: skip
async def test_refusals(boss: Any, body: dict[str, Any], status: int, code: str) -> None:
    file_id = await upload(boss, "a.csv", "sku,name\nA,B\n")
    answer = await boss.post("/v1/imports", json={"file_id": file_id, **body})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_others_files_imports_and_kinds_are_not_there(app: Any, boss: Any) -> None:
    import httpx2

    file_id = await upload(boss, "a.csv", "code,name\nX1,B\n")
    made = (await boss.post("/v1/imports", json={"kind": "suppliers", "file_id": file_id})).json()
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    headers = await key(app, "imports:write", "catalog:write")
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as other:
        answer = await other.post("/v1/imports", json={"kind": "products", "file_id": file_id})
        assert answer.status_code == 404
        assert (await other.get(f"/v1/imports/{made['id']}")).status_code == 404
        assert (await other.get(f"/files/{file_id}")).status_code == 404
        assert all(
            row["kind"] in ("products", "barcodes", "minimums")
            for row in (await other.get("/v1/imports")).json()["data"]
        )
    assert (await boss.get(f"/files/{file_id}")).headers["content-disposition"].startswith("attachment")


async def test_what_is_no_table_is_refused(boss: Any) -> None:
    file_id = await upload(boss, "a.pdf", b"%PDF-1.4 x")
    answer = await boss.post("/v1/imports", json={"kind": "products", "file_id": file_id})
    assert answer.json()["code"] == "not_a_table"
    file_id = await upload(boss, "a.csv", b'sku,name\nA,"open\n')
    answer = await boss.post("/v1/imports", json={"kind": "products", "file_id": file_id})
    assert answer.json()["code"] == "unreadable_table"


async def test_a_formula_in_a_name_comes_and_goes_as_text(boss: Any) -> None:
    assert (
        outcome(await run(boss, "suppliers", 'code,name\nEVIL,"=HYPERLINK(""http://x"")"\n'))[0] == "imported"
    )
    exported = (await boss.get("/v1/suppliers", params={"format": "csv", "q": "EVIL"})).text
    assert "'=HYPERLINK" in exported
    assert outcome(await run(boss, "suppliers", exported))[0::4] == ("imported", 1)
