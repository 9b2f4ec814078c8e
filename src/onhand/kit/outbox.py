"""The outbox: facts others may read, numbered densely in commit order, so that a reader never misses one.

A reader that asks `id > cursor` misses rows of transactions that commit late. Here the one row `stream_head` is locked
last before COMMIT: numbers are dense and their order is the order of commits (docs/why/stream-head.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.kit.clock import rfc3339
from onhand.kit.ids import uuid7
from onhand.kit.tx import Tx


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact others may read. Subclasses are the schemas: `docs/events/<type>.json` is generated and may only grow.

    `type` is its public name, `needs` the permission a reader must have (at the event's site, if it has one).
    """

    type: ClassVar[str] = ""
    needs: ClassVar[str] = "events:read"
    registry: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.type:
            Event.registry[cls.type] = cls

    def subject(self) -> str:
        """What the event is about, e.g. `variant/0190…`."""
        raise NotImplementedError

    def site(self) -> UUID | None:
        """The site whose readers may see it; None: everyone with the permission."""
        return None

    def key(self) -> str:
        """Events of one key are delivered in order."""
        return self.subject()


_APPEND = sa.text(
    "SELECT onhand_emit(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:subjects AS text[]), CAST(:sites AS uuid[]),"
    " CAST(:times AS timestamptz[]), CAST(:keys AS text[]), CAST(:datas AS text[]))"
)


async def flush_events(tx: Tx) -> None:
    """Write the transaction's events. The last hook before COMMIT: it locks the stream head."""
    if not tx.events:
        return
    await tx.conn.execute(_APPEND, rows_of(tx.events, tx.now))
    tx.events = []
    from onhand.kit.signal import woke

    tx.after_commit.append(woke)


def rows_of(events: Sequence[Event], at: datetime) -> dict[str, list[Any]]:
    """The column arrays of some events."""
    return {
        "ids": [uuid7() for _ in events],
        "types": [e.type for e in events],
        "subjects": [e.subject() for e in events],
        "sites": [e.site() for e in events],
        "times": [at for _ in events],
        "keys": [e.key() for e in events],
        "datas": [msgspec.json.encode(e).decode() for e in events],
    }


class StoredEvent(msgspec.Struct, frozen=True):
    """An event as it was written: `sequence` is its dense number."""

    sequence: int
    id: UUID
    type: str
    subject: str
    site: UUID | None
    time: datetime
    recorded_at: datetime
    key: str
    data: str

    def cloud_event(self, source: str) -> bytes:
        """The CloudEvents 1.0 envelope as JSON."""
        envelope = {
            "specversion": "1.0",
            "id": str(self.id),
            "source": source,
            "type": self.type,
            "subject": self.subject,
            "time": rfc3339(self.time),
            "recordedtime": rfc3339(self.recorded_at),
            "sequence": str(self.sequence),
            "partitionkey": self.key,
            "datacontenttype": "application/json",
            "data": msgspec.Raw(self.data.encode()),
        }
        return msgspec.json.encode(envelope)


_AFTER = sa.text(
    "SELECT event_n, id, type, subject, site, happened_at, recorded_at, partition_key, data"
    " FROM outbox WHERE event_n > :after ORDER BY event_n LIMIT :limit"
)


async def read_after(conn: AsyncConnection, after: int, limit: int) -> list[StoredEvent]:
    """Events numbered after `after`, in order. Dense: a missing number is a bug, never a late commit."""
    return [StoredEvent(*row) for row in await conn.execute(_AFTER, {"after": after, "limit": limit})]


async def head(conn: AsyncConnection) -> tuple[int, int]:
    """(posting_n, event_n) of the stream head."""
    row = (await conn.execute(sa.text("SELECT posting_n, event_n FROM stream_head"))).one()
    return int(row.posting_n), int(row.event_n)


async def oldest(conn: AsyncConnection) -> int:
    """The first event still kept; a cursor before it needs a reset."""
    value = (await conn.execute(sa.text("SELECT min(event_n) FROM outbox"))).scalar()
    return int(value) if value is not None else 1


async def bump_directory(tx: Tx) -> None:
    """Say that something the ledger remembers of places has changed; batches decided on the old one are refused
    and repeated. Runs with the stream head, just before COMMIT."""
    tx.stash["directory_changed"] = True


async def flush_directory(tx: Tx) -> None:
    """Before-commit hook: raise the directory epoch if this transaction changed the directory."""
    if tx.stash.pop("directory_changed", False):
        await tx.conn.execute(sa.text("SELECT onhand_bump_directory()"))


async def types_between(conn: AsyncConnection, after: int, through: int, types: list[str]) -> list[str]:
    """Which of some types occur among the events numbered (after, through]."""
    rows = await conn.execute(
        sa.text(
            "SELECT DISTINCT type FROM outbox WHERE event_n > :after AND event_n <= :through AND type = ANY(:types)"
        ),
        {"after": after, "through": through, "types": types},
    )
    return [row.type for row in rows]
