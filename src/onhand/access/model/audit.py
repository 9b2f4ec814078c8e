"""The audit row of one mutating request, made from the changes it recorded. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onhand.kit.tx import Change

_MISSING = object()
_SECRET = ("password", "secret", "token", "_hash", "recovery_code")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What the audit log says of a request: `action` on its main thing, and every changed field as (before, after)."""

    action: str
    entity: str
    entity_id: str
    changes: dict[str, list[Any]]
    touched: list[str] | None


def field_changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, list[Any]]:
    """Fields that differ, as [before, after]. Secrets are named, never shown."""
    old, new = before or {}, after or {}
    out: dict[str, list[Any]] = {}
    for name in [*old, *(n for n in new if n not in old)]:
        left, right = old.get(name, _MISSING), new.get(name, _MISSING)
        if left == right:
            continue
        pair = [None if left is _MISSING else left, None if right is _MISSING else right]
        out[name] = [_hide(v) for v in pair] if _is_secret(name) else pair
    return out


def _is_secret(name: str) -> bool:
    return any(part in name for part in _SECRET)


def _hide(value: Any) -> Any:
    return None if value is None else "…"


def verb(change: Change) -> str:
    """`created`, `deleted` or `changed`."""
    if change.before is None:
        return "created"
    return "deleted" if change.after is None else "changed"


def summarise(changes: Sequence[Change], *, action: str | None = None) -> AuditEntry | None:
    """One entry for all changes of a request; the first is its main thing, the others keep `entity:id.field` names.

    `touched` lists the other things, so that each finds its history. None when nothing was recorded.
    """
    if not changes:
        return None
    main = changes[0]
    fields: dict[str, list[Any]] = {}
    touched: list[str] = []
    for change in changes:
        same = (change.entity, str(change.entity_id)) == (main.entity, str(main.entity_id))
        label = f"{change.entity}:{change.entity_id}"
        if not same and label not in touched:
            touched.append(label)
        for name, pair in field_changes(change.before, change.after).items():
            key = name if same else f"{label}.{name}"
            fields[key] = [fields[key][0], pair[1]] if key in fields else pair
    return AuditEntry(
        action=action or f"{main.entity}.{verb(main)}",
        entity=main.entity,
        entity_id=str(main.entity_id),
        changes=fields,
        touched=touched or None,
    )
