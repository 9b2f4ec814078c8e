"""Loads the demo into an empty database: organisation, places, tills, people and keys, catalogue, opening stock.

Each step leaves alone what is there, so a start that was interrupted goes on.
"""

from __future__ import annotations

import asyncio
import secrets as random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from onhand import access, catalog, locations, pos
from onhand.integrations.demo import state as memory
from onhand.integrations.demo.catalogue import minimum_rows, place_rows, sku_of, variant_rows
from onhand.integrations.demo.model import CURRENCY
from onhand.integrations.demo.names import CHAIN
from onhand.integrations.demo.places import HOME_ZONE, WAREHOUSE, Place, registers
from onhand.integrations.demo.state import Login, Secrets
from onhand.integrations.demo.world import World, find_ids, key_id
from onhand.kit.database import Database
from onhand.kit.ids import uuid7
from onhand.kit.problem import Conflict
from onhand.kit.tx import Tx
from onhand.ledger import Engine, Item
from onhand.values import BatchResult

T = TypeVar("T")

Say = Callable[[str, int, int], None]
"""Told how far a step is: its name, how much is done, of how much."""

IMPORT_ROWS = 5_000
REST_ROWS = 500
REST_PAUSE = 0.3
OPENING_LINES = 2_000
KEY_DAYS = 365


class NotEmpty(Conflict):
    """The demo needs a database of its own; this one belongs to an organisation already. Choose another ONHAND_DATA_DIR."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the demo stands on: the database, the posting lane (started), where files are kept, and how passwords are hashed."""

    database: Database
    engine: Engine
    data_dir: Path
    hash_password: Callable[[str], Awaitable[str]]
    say: Say


def parts(rows: list[T], size: int) -> Iterator[list[T]]:
    """Pieces of a list, in order."""
    for at in range(0, len(rows), size):
        yield rows[at : at + size]


async def load(ground: Ground, world: World) -> Secrets:
    """Everything the first receipt needs. Raises NotEmpty for a database in use; goes on where it stopped otherwise.

    Of the catalogue only what is ever sold; `load_rest` imports the other half when there is time.
    """
    first = memory.read_secrets(ground.data_dir)
    async with ground.database.writing(action="demo") as tx:
        present = await memory.read(tx.conn)
        if present is None and await access.any_user(tx.conn):
            raise NotEmpty()
        await memory.write(tx.conn, world.state)
    await _places(ground, world)
    secrets = first or await _people(ground, world, known=present is not None)
    sold = _sold(world)
    await _catalogue(ground, [row for row in variant_rows(world.products) if row["sku"] in sold])
    await find_ids(world, ground.database)
    await _minimums(ground, world)
    await _opening(ground, world)
    async with ground.database.writing(action="demo") as tx:
        loaded = replace(world.state, loaded=True)
        await memory.write(tx.conn, loaded)
        tx.record("demo", "demo", None, {"stores": world.state.stores, "anchor": str(world.state.anchor)})
    world.state = loaded
    return secrets


async def load_rest(database: Database, world: World) -> None:
    """Import the products that no receipt of these stores names: half the list, wanted by searches and lists only.

    In small pieces with pauses, because a server is answering people meanwhile. Does nothing once all are there.
    """
    if world.state.complete:
        return
    sold = _sold(world)
    rows = [row for row in variant_rows(world.products) if row["sku"] not in sold]
    for part in parts(rows, REST_ROWS):
        async with database.writing(action="demo catalogue") as tx:
            _right(await catalog.upsert_variants(tx, part, default_currency=CURRENCY))
        await asyncio.sleep(REST_PAUSE)
    world.state = replace(world.state, complete=True)
    async with database.writing(action="demo") as tx:
        await memory.write(tx.conn, world.state)


def _sold(world: World) -> frozenset[str | None]:
    return frozenset(sku_of(product) for product in set(world.sales.product))


def _right(result: BatchResult) -> None:
    if result.problems:
        first = result.problems[0]
        raise ValueError(
            f"demo row {first.row}, {first.column} {first.value!r}: {first.message} {first.remedy}"
        )


async def _places(ground: Ground, world: World) -> None:
    async with ground.database.writing(action="demo places") as tx:
        _right(await locations.upsert_locations(tx, list(place_rows(world.places, WAREHOUSE))))
    async with ground.database.writing(action="demo tills") as tx:
        ids = await locations.resolve(tx.conn, [place.code for place in world.places])
        for place in world.places:
            for number, code in enumerate(registers(place.code), start=1):
                if await pos.find_till(tx.conn, code) is None:
                    await pos.open_register(
                        tx, register_id=None, code=code, name=f"Till {number}, {place.name}", location_id=ids[place.code],
                        external_id=None, metadata={},
                    )  # fmt: skip


async def _people(ground: Ground, world: World, *, known: bool) -> Secrets:
    """The organisation with its admin, a manager and a cashier of the busiest store, and a key for each place's tills.

    `known`: the demo is there but this machine lost its secrets; then people get new passwords and tills new keys.
    """
    busiest = world.places[0]
    logins = [
        Login("admin", "admin@harvestlane.example", random.token_urlsafe(9), "everywhere"),
        Login("manager", "manager@harvestlane.example", random.token_urlsafe(9), busiest.name),
        Login("cashier", "cashier@harvestlane.example", random.token_urlsafe(9), busiest.name),
    ]
    hashes = [await ground.hash_password(login.password) for login in logins]
    keys: dict[str, str] = {}
    async with ground.database.writing(action="demo people") as tx:
        ids = await locations.resolve(tx.conn, [WAREHOUSE.code, *(place.code for place in world.places)])
        if not await access.any_user(tx.conn):
            await _first_people(tx, logins, hashes, ids[busiest.code])
        elif known:
            logins = [
                Login(login.role, login.email, "(as printed at the first start)", login.where)
                for login in logins
            ]
        for place in (WAREHOUSE, *world.places):
            keys[place.code] = await _key(tx, place, ids[place.code], known=known)
    secrets = Secrets(keys, logins)
    memory.write_secrets(ground.data_dir, secrets)
    return secrets


async def _first_people(tx: Tx, logins: list[Login], hashes: list[str], store: UUID) -> None:
    organisation = {
        "name": CHAIN, "currency": CURRENCY, "locale": "en-US", "time_zone": HOME_ZONE, "setup_done": True,
    }  # fmt: skip
    names = ("Alex Admin", "Morgan Manager", "Casey Cashier")
    await access.set_up(
        tx, organisation=organisation, email=logins[0].email, name=names[0], password_hash=hashes[0]
    )
    for login, name, hashed in zip(logins[1:], names[1:], hashes[1:], strict=True):
        await access.add_user(
            tx, caller=access.SYSTEM, user_id=uuid7(), email=login.email, name=name, password_hash=hashed,
            assignments=[access.Assignment(login.role, store)],
        )  # fmt: skip


async def _key(tx: Tx, place: Place, site: UUID, *, known: bool) -> str:
    scopes = ["stock:move", "stock:read"] if place.kind == "warehouse" else ["pos:sell", "pos:refund"]
    key = await access.make_key(
        tx, caller=access.SYSTEM, key_id=uuid7() if known else key_id(place.code), name=f"Demo: {place.name}", scopes=scopes,
        location_ids=None if place.kind == "warehouse" else [site], expires_at=tx.now + timedelta(days=KEY_DAYS),
    )  # fmt: skip
    return key.text


async def _catalogue(ground: Ground, rows: list[dict[str, str | None]]) -> None:
    for number, part in enumerate(parts(rows, IMPORT_ROWS)):
        async with ground.database.writing(action="demo catalogue") as tx:
            first_row = 1 + number * IMPORT_ROWS
            _right(await catalog.upsert_variants(tx, part, default_currency=CURRENCY, first_row=first_row))
        ground.say("catalogue", min(len(rows), (number + 1) * IMPORT_ROWS), len(rows))


async def _minimums(ground: Ground, world: World) -> None:
    rows = list(minimum_rows(world.chain, world.places))
    for number, part in enumerate(parts(rows, IMPORT_ROWS)):
        async with ground.database.writing(action="demo minimums") as tx:
            _right(await catalog.upsert_minimums(tx, part, sites=world.sites))
        ground.say("minimums", min(len(rows), (number + 1) * IMPORT_ROWS), len(rows))


def opening_items(world: World) -> Iterator[Item]:
    """The opening stock of the warehouse and of every store, in postings of bounded size."""
    stock = world.chain.opening()
    by_place: dict[str, list[tuple[int, int]]] = {WAREHOUSE.code: sorted(stock.warehouse.items())}
    for (store, product), units in stock.stores.items():
        by_place.setdefault(world.places[store].code, []).append((product, units))
    for place in (WAREHOUSE, *world.places):
        known = [
            (product, units)
            for product, units in sorted(by_place.get(place.code, []))
            if world.knows(product)
        ]
        for number, lines in enumerate(parts(known, OPENING_LINES)):
            yield world.opening(place, number, lines)


async def _opening(ground: Ground, world: World) -> None:
    items = list(opening_items(world))
    total = sum(len(item.posting.moves) for item in items)
    done = 0
    for part in parts(items, 5):
        for outcome in await ground.engine.submit_many(part):
            if not outcome.ok:
                raise Conflict(f"The opening stock was refused: {outcome.status.value}.")
        done += sum(len(item.posting.moves) for item in part)
        ground.say("opening stock", done, total)
