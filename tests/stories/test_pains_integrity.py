"""Counters that drift away from what happened, and have to be mended by a vendor's script (odoo#62139, magento/inventory#2130):
here somebody writes behind the ledger's back, it is seen at once, it is named, and it is put right from the ledger."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from tests import make

from onhand.kit.database import Database
from onhand.kit.postgres import SUPERUSER, EmbeddedPostgres
from onhand.ledger import rebuild, self_check


@pytest.fixture(scope="module")
async def shop(client: Any) -> dict[str, Any]:
    """One store with one till; ten packs of tea on the shelf, two of them sold."""
    await make.organisation(client)
    store = await make.store(client)
    await make.register(client, location_id=store["id"], code="R1")
    tea = await make.variant(client, sku="TEA-100")
    await make.stock(client, sku="TEA-100", location_id=store["id"], quantity="10")
    lines = [make.line(sku="TEA-100", quantity="2", total="7.00")]
    await make.post(client, "/v1/pos/sales", make.sale(register="R1", lines=lines))
    return {"store": store, "tea": tea}


async def read(client: Any, path: str, **params: str) -> Any:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def available(client: Any) -> str:
    found = await read(client, "/v1/stock-matrix")
    return str(found["data"][0]["totals"]["available"])


async def test_a_counter_changed_behind_the_ledgers_back_is_seen_named_and_put_right(
    client: Any, app: Any, shop: dict[str, Any], server: EmbeddedPostgres, database_urls: tuple[str, str]
) -> None:
    # A quiet afternoon: the self check runs, and finds nothing.
    await self_check.run(app.state.database)
    assert (await read(client, "/v1/overview"))["drift"] == 0
    assert await available(client) == "8"

    # Somebody with all power "mends" a counter in the database by hand.
    name = str(psycopg.conninfo.conninfo_to_dict(database_urls[0])["dbname"])
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as root:
        root.execute("UPDATE site_level SET sellable = 80")
    assert await available(client) == "80"

    # Half a minute later the overview no longer reads 0, and an exception says which row, what it should be, and what it is.
    await self_check.run(app.state.database)
    assert (await read(client, "/v1/overview"))["drift"] == 1
    told = (await read(client, "/v1/exceptions", kind="drift"))["data"]
    assert len(told) == 1
    assert told[0]["variant_id"] == shop["tea"]["id"]
    assert told[0]["site_id"] == shop["store"]["id"]
    assert (told[0]["detail"]["column"], told[0]["detail"]["expected"], told[0]["detail"]["actual"]) == (
        "sellable",
        "8",
        "80",
    )
    integrity = await read(client, "/v1/integrity")
    assert integrity["self_check"]["differences"][0]["table"] == "site_level"
    events = (await read(client, "/v1/events", types="stock.drifted"))["data"]
    assert events[-1]["data"]["expected"] == "8"

    # The till goes on selling meanwhile; what it sells is not lost by what comes next.
    await make.post(client, "/v1/pos/sales", make.sale(register="R1", lines=[make.line(sku="TEA-100")]))

    # `onhand rebuild --apply`: from the ledger, by the owner, one value; the exception is settled with it.
    owner = Database.open(database_urls[0], pool_size=1)
    owner.before_commit = app.state.database.before_commit
    async with owner.writing(action="rebuild") as tx:
        changed = await rebuild.rebuild(tx)
    await owner.close()
    assert [(c.column, c.was, c.now) for c in changed] == [("sellable", "79", "7")]
    assert await available(client) == "7"
    await self_check.run(app.state.database)
    assert (await read(client, "/v1/overview"))["drift"] == 0
    settled = (await read(client, "/v1/exceptions", kind="drift"))["data"]
    assert [(e["state"], e["resolution"]) for e in settled] == [("resolved", "Rebuilt from the ledger.")]
