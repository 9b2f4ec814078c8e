"""The audit log is written where the edge commits, so no verb can forget it and none writes two rows."""

from __future__ import annotations

import orjson

from onhand.access import store
from onhand.access.model import summarise
from onhand.kit.tx import Tx

AUDIT_ACTION = "audit_action"


def name_action(tx: Tx, action: str) -> None:
    """Call what this transaction did something clearer than created, changed or deleted (`session.opened`)."""
    tx.stash[AUDIT_ACTION] = action


async def write_audit(tx: Tx) -> None:
    """Before-commit hook: one audit row for all changes the transaction recorded; none when it recorded nothing."""
    entry = summarise(tx.changes, action=tx.stash.pop(AUDIT_ACTION, None))
    tx.changes = []
    if entry is None:
        return
    values = {
        "at": tx.now,
        "actor_id": tx.actor.id,
        "actor_kind": tx.actor.kind,
        "actor_name": tx.actor.name,
        "request": tx.action,
        "request_id": tx.request_id,
        "ip": tx.ip,
    }
    changes = orjson.dumps(entry.changes, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()
    await store.insert_audit(tx.conn, entry=entry, changes=changes, values=values)


def _plain(value: object) -> object:
    if isinstance(value, (set, frozenset)):
        return sorted(str(v) for v in value)
    return str(value)
