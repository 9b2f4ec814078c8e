"""What a system under test can be asked, and the client that does not give up."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Collection, Mapping
from typing import Protocol
from uuid import UUID

from onhand.doors.stress.notes import Answer, Book, Notes, Order

PATIENCE = 60.0
"""Seconds within which every order must be answered for certain, whatever is killed."""


class System(Protocol):
    """Anything that keeps stock."""

    async def stock(self, goods: Mapping[str, int]) -> None:
        """Put goods on the shelf; returns when they are there."""

    async def order(self, order: Order) -> Answer:
        """Order once; `unknown` when there was no certain answer."""

    async def hang_up(self, order: Order, seconds: float) -> None:
        """Order, and go away after a while without waiting for the answer."""

    async def book(self, skus: Collection[str], ids: Collection[UUID]) -> Book:
        """What the books say."""


class NeverAnswered(AssertionError):
    """An order was not answered for certain within a minute."""


async def until_certain(system: System, notes: Notes, order: Order, pick: random.Random) -> Answer:
    """Order again with the same id until the answer is certain, and note it. Raises NeverAnswered."""
    end = time.monotonic() + PATIENCE
    while True:
        notes.tries += 1
        answer = await system.order(order)
        if answer is not Answer.unknown:
            notes.note(order, answer)
            return answer
        if time.monotonic() > end:
            raise NeverAnswered(f"order {order.id} had no certain answer within {PATIENCE:.0f} seconds")
        await asyncio.sleep(pick.uniform(0.01, 0.1))
