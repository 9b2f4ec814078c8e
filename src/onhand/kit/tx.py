"""A write transaction and who acts in it. Nobody commits but the edges: a request, a job, a command, the posting lane."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.ids import NIL, derive_id, uuid7

if TYPE_CHECKING:
    from onhand.kit.outbox import Event


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in user, an API key, or the system itself."""

    id: UUID
    kind: Literal["user", "key", "system"]
    name: str


SYSTEM = Actor(id=NIL, kind="system", name="Onhand")


@dataclass(frozen=True, slots=True)
class Change:
    """One entity changed in a transaction: field → value before and after; None where there was or is nothing."""

    entity: str
    entity_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(slots=True)
class Tx:
    """One write transaction: the connection, its clock, its actor, and what it will publish when it commits.

    `emit` and `record` only buffer; the edge flushes them just before COMMIT, so the stream head is locked last and
    for moments. `stash` is for packages that buffer work of their own (the ledger's postings, for instance).
    """

    conn: AsyncConnection
    now: datetime
    actor: Actor
    action: str = ""
    request_id: str = ""
    ip: str = ""
    idempotency_key: str | None = None
    secret_answer: bool = False
    events: list[Event] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    stash: dict[str, Any] = field(default_factory=dict)
    after_commit: list[Callable[[], Awaitable[None] | None]] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        """Publish a fact with this transaction's commit."""
        self.events.append(event)

    def record(
        self, entity: str, entity_id: UUID | str, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        """Note a change for the audit log: the fields before and after."""
        self.changes.append(Change(entity, str(entity_id), before, after))

    def new_id(self, given: UUID | None = None) -> UUID:
        """The client's own id, else one derived from its idempotency key (a retry makes the same), else a fresh one."""
        if given is not None:
            return given
        if self.idempotency_key is not None:
            return derive_id(str(self.actor.id), self.action, self.idempotency_key)
        return uuid7()
