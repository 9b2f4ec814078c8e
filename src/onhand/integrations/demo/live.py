"""Plays the demo's present: its tills send their sales over HTTP, each store with its own key, as registers would.

The demo's clock runs `speed` times as fast as the world's until it has caught up with now, then as fast as the world. It
never runs ahead. What was sent is remembered every few seconds; what is sent twice after a crash changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import msgspec
import structlog

from onhand import ledger
from onhand.integrations.demo import state as memory
from onhand.integrations.demo.catalogue import sku_of
from onhand.integrations.demo.model import demo_id
from onhand.integrations.demo.places import HOME_ZONE, WAREHOUSE
from onhand.integrations.demo.plan import TRANSFER_SECOND, Delivery, Event, Receipt, Stock, Transfer
from onhand.integrations.demo.state import Secrets
from onhand.integrations.demo.world import World
from onhand.kit.clock import now
from onhand.kit.database import Database
from onhand.values import format_units

log = structlog.get_logger("onhand.demo")

DAY_A_MINUTE = 1440.0
TICK = 0.2
KEEP_SECONDS = 3.0
MAX_BATCH = 200
MAX_TRANSFER = 500
FOREVER = 1_000_000
_HOME = ZoneInfo(HOME_ZONE)


@dataclass(slots=True)
class Clock:
    """The demo's clock: from `start`, `speed` times as fast as the world since `began`, but never ahead of it. Pure."""

    start: datetime
    began: datetime
    speed: float

    def at(self, real: datetime) -> datetime:
        """The demo's time at a moment of the world."""
        return min(real, self.start + (real - self.began) * self.speed)


@dataclass(slots=True)
class Sent:
    """What the player did since it started."""

    sales: int = 0
    transfers: int = 0
    deliveries: int = 0
    refused: int = 0
    retries: int = 0


@dataclass(slots=True)
class Player:
    """Sends what happens. `stop` ends it after the present tick."""

    world: World
    stock: Stock
    database: Database
    secrets: Secrets
    client: httpx2.AsyncClient
    speed: float = DAY_A_MINUTE
    real: Callable[[], datetime] = now
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    sent: Sent = field(default_factory=Sent)
    last_day: int = FOREVER

    async def play(self) -> Sent:
        """Send everything from where the demo stands, for ever or to `last_day`; then answer what was done."""
        state = self.world.state
        start = state.calendar.instant(state.posted_day, state.posted_second, _HOME)
        clock = Clock(start, self.real(), self.speed)
        kept = self.real()
        coming = self._coming()
        event = next(coming, None)
        while event is not None and not self.stop.is_set():
            due: list[Event] = []
            until = clock.at(self.real())
            while event is not None and self._instant(event) <= until and len(due) < MAX_BATCH:
                due.append(event)
                event = next(coming, None)
            if due:
                await self._send(due)
                if self.real() - kept > timedelta(seconds=KEEP_SECONDS):
                    kept = self.real()
                    await self._keep()
            if len(due) < MAX_BATCH:
                await self._wait()
        await self._keep()
        return self.sent

    def _coming(self) -> Iterator[Event]:
        """What has not been sent yet, in order."""
        state = self.world.state
        begin = (state.posted_day, state.posted_second)
        for event in self.world.chain.events(self.stock, state.posted_day, self.last_day):
            if (event.day, self._second(event)) >= begin:
                yield event

    def _second(self, event: Event) -> int:
        return self.world.sales.second[event.receipt] if isinstance(event, Receipt) else TRANSFER_SECOND

    def _instant(self, event: Event) -> datetime:
        if isinstance(event, Receipt):
            return self.world.tills.happened_at(event.receipt, event.day)
        return self.world.state.calendar.instant(event.day, TRANSFER_SECOND, _HOME)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self.stop.wait(), TICK)
        except TimeoutError:
            return

    async def _send(self, due: list[Event]) -> None:
        """Sales of each store together, in order; goods for the stores before the sales that follow them."""
        waiting: dict[int, list[Receipt]] = {}
        for event in due:
            if isinstance(event, Receipt):
                waiting.setdefault(self.world.sales.store[event.receipt], []).append(event)
                continue
            await self._sell(waiting)
            waiting = {}
            if isinstance(event, Transfer):
                await self._transfer(event)
            else:
                await self._deliver(event)
        await self._sell(waiting)
        last = due[-1]
        self.world.state = self.world.state.at(last.day, self._second(last))

    async def _sell(self, waiting: dict[int, list[Receipt]]) -> None:
        await asyncio.gather(*(self._sell_in(store, receipts) for store, receipts in waiting.items()))

    async def _sell_in(self, store: int, receipts: list[Receipt]) -> None:
        sales = [self.world.tills.sale(r.receipt, r.day, r.cycle) for r in receipts]
        key = self.secrets.keys[self.world.places[store].code]
        if len(sales) == 1:
            await self._post("/v1/pos/sales", sales[0], key)
        else:
            answer = await self._post("/v1/pos/sale-batches", {"sales": sales}, key)
            for result in (answer or {}).get("results", []):
                if result["status"] not in ("posted", "already_posted"):
                    self.sent.refused += 1
                    log.warning(
                        "demo_sale_refused", **{k: result.get(k) for k in ("id", "status", "code", "detail")}
                    )
        self.sent.sales += len(sales)

    async def _transfer(self, event: Transfer) -> None:
        at = self.world.state.calendar.instant(event.day, TRANSFER_SECOND, _HOME)
        code = self.world.places[event.store].code
        lines = [(product, units) for product, units in event.lines if self.world.knows(product)]
        for part in range(0, len(lines), MAX_TRANSFER):
            body = {
                "id": demo_id(at, "transfer", code, str(event.day), str(part)),
                "from_site_code": WAREHOUSE.code, "to_site_code": code, "happened_at": at,
                "lines": [
                    {"sku": sku_of(product), "quantity": self._quantity(product, units)}
                    for product, units in lines[part : part + MAX_TRANSFER]
                ],
            }  # fmt: skip
            await self._post("/v1/transfers", body, self.secrets.keys[WAREHOUSE.code])
        self.sent.transfers += 1

    def _quantity(self, product: int, units: int) -> str:
        return format_units(units, self.world.variants[sku_of(product)].decimals)

    async def _deliver(self, event: Delivery) -> None:
        """Goods from suppliers have no route of their own yet; they are posted inside."""
        posting = self.world.delivery(event).posting
        if posting.moves:
            async with self.database.writing(action="demo delivery") as tx:
                await ledger.post(tx, [posting])
        self.sent.deliveries += 1

    async def _post(self, path: str, body: Any, key: str) -> dict[str, Any] | None:
        """Send until the server has answered; a refusal is counted and told, and the day goes on."""
        content = msgspec.json.encode(body)
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        pause = 0.2
        while not self.stop.is_set():
            try:
                answer = await self.client.post(path, content=content, headers=headers)
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code < 400:
                found: dict[str, Any] = answer.json()
                return found
            if answer is not None and answer.status_code not in (429, 500, 502, 503, 504):
                self.sent.refused += 1
                log.warning("demo_refused", path=path, status=answer.status_code, answer=answer.text[:300])
                return None
            self.sent.retries += 1
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 2)
        return None

    async def _keep(self) -> None:
        async with self.database.writing(action="demo") as tx:
            await memory.write(tx.conn, self.world.state)
