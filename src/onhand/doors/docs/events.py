"""The pages of the stream: a JSON Schema an event type, and an index with examples."""

from __future__ import annotations

import json
import types
import typing
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from onhand.doors.docs import code
from onhand.doors.docs.code import paragraphs, row

_ID = "01936f1c-8c00-7000-8000-{:012d}"

_README = """# Events

One ordered feed tells everything that happened: `GET /v1/events?after=` page by page, `GET /v1/stream` live (SSE). Every
event is a CloudEvent 1.0; its `sequence` is dense and its order is the order of commits, so a reader that remembers the
last `through` misses nothing ([why](../why/stream-head.md)).

```json
{"specversion": "1.0", "id": "0193…", "source": "onhand", "type": "sale.completed", "subject": "sale/0193…",
 "time": "2026-11-21T08:30:00Z", "recordedtime": "2026-11-21T08:30:00.120Z", "sequence": "1201",
 "partitionkey": "0193…", "datacontenttype": "application/json", "data": {}}
```

`time` is when it happened in the world, `recordedtime` when it was recorded. Events of one `partitionkey` belong together:
keep their order when you spread work. You see an event if you hold its permission, at its site where it has one. Schemas
only grow: a field is never removed, nor its type changed. Ignore fields you do not know.

Generated from the code; `make docs` writes this folder.
"""


def schemas() -> dict[str, str]:
    """Event type → its JSON Schema as text."""
    return {
        event.type: json.dumps(schema(event), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        for event in code.events()
    }


def schema(event: Any) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event's `data`, references resolved to its own `$defs`."""
    found = msgspec.json.schema(event)
    name = found.pop("$ref").rpartition("/")[2]
    parts = found.pop("$defs")
    body: dict[str, Any] = parts.pop(name)
    body["description"] = "\n\n".join(paragraphs(event.__doc__))
    out = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"/docs/events/{event.type}.json",
        **body,
        "x-permission": event.needs,
    }
    return {**out, "$defs": parts} if parts else out


def losses(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a reader of the old schema would miss in the new one: fields gone, no longer certain, or of another type."""
    gone = [
        f"{name}: no longer certain to be there"
        for name in set(old.get("required", [])) - set(new.get("required", []))
    ]
    before, after = old.get("properties", {}), new.get("properties", {})
    gone += [f"{name}: removed" for name in before.keys() - after.keys()]
    gone += [
        f"{name}: has another type" for name in before.keys() & after.keys() if before[name] != after[name]
    ]
    parts, kept = old.get("$defs", {}), new.get("$defs", {})
    gone += [f"{part}: removed" for part in parts.keys() - kept.keys()]
    for part in parts.keys() & kept.keys():
        gone += [f"{part}.{loss}" for loss in losses(parts[part], kept[part])]
    return sorted(gone)


def index() -> str:
    """docs/events/README.md."""
    lines = [_README, row("type", "tells", "permission", "partition key"), row("---", "---", "---", "---")]
    for event in code.events():
        told = paragraphs(event.__doc__)[0]
        lines.append(
            row(
                f"[`{event.type}`](#{anchor(event.type)})",
                told,
                f"`{event.needs}`",
                f"`{shape(example(event).key())}`",
            )
        )
    for event in code.events():
        sample = example(event)
        lines += [
            "", f"## {event.type}", "", *[line for p in paragraphs(event.__doc__) for line in (p, "")],
            f"Permission `{event.needs}`, subject `{shape(sample.subject())}`, [schema]({event.type}.json).", "",
            "```json", json.dumps(msgspec.to_builtins(sample), indent=1, ensure_ascii=False), "```",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def anchor(heading: str) -> str:
    """How Markdown links to a heading."""
    return heading.replace(".", "")


def shape(text: str) -> str:
    """`variant/0190…-1` → `variant/<id>`."""
    for n in range(1, 40):
        text = text.replace(_ID.format(n), "<id>")
    return text


_SAMPLES = {
    "sku": "TEA-100", "name": "Green tea, 100 g", "site_code": "S01", "location_code": "S01", "register": "S01-T1",
    "currency": "EUR", "total": "4.98", "quantity": "2", "delta": "-2", "sellable": "40", "reserved": "3", "available": "37",
    "overdrawn": "0", "on_hand": "42", "seq": "1201", "number": "S01-1-00042", "reason": "damaged", "code": "S01-T1",
    "path": "Food/Tea", "minimum": "5", "title": "Import of prices.csv", "rate": "0.19", "source_type": "sale",
    "verb": "adjustment", "asked_by_name": "Kim Lee", "why": "40 units are more than this role may correct alone",
    "note": "Seen in the backroom", "resolution": "Counted again", "keep_sku": "TEA-100", "merge_sku": "TEA-100-OLD",
    "category.changed/name": "Tea", "customer.changed/code": "C-1001", "supplier.changed/code": "SUP-7",
    "exception.resolved/kind": "oversold", "job.changed/kind": "import", "job.changed/state": "done",
    "location.changed/code": "S01", "location.changed/name": "Store 1", "location.changed/kind": "store",
    "location.changed/path": "S01", "parties.imported/kind": "supplier", "stock.adjusted/kind": "adjust",
    "stock.adjusted/quantity": "-2", "tax_code.changed/code": "REDUCED", "tax_code.changed/rate": "0.07",
    "approval.decided/state": "approved", "sale.refunded/total": "-4.98", "sale.voided/reason": "Rung up twice",
}  # fmt: skip
"""Sample values by field, or by event and field."""


def example(event: Any) -> Any:
    """An event with sample values, the same on every run."""
    return _Sampler(event.type).make(event, event.type)


class _Sampler:
    """Makes sample values; ids count up."""

    def __init__(self, event: str) -> None:
        self.event = event
        self.ids = 0

    def make(self, kind: Any, name: str) -> Any:
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in (typing.Union, types.UnionType):
            return self.make(next(a for a in arguments if a is not type(None)), name)
        if origin is typing.Annotated:
            return self.make(arguments[0], name)
        if origin is typing.Literal:
            return arguments[0]
        if origin in (tuple, list, frozenset, set):
            return origin([self.make(arguments[0], name)])
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            hints = typing.get_type_hints(kind, include_extras=True)
            return kind(**{f.name: self.make(hints[f.name], f.name) for f in msgspec.structs.fields(kind)})
        return self.scalar(kind, name)

    def scalar(self, kind: Any, name: str) -> Any:
        """A value of a plain type."""
        if kind is UUID:
            self.ids += 1
            return UUID(_ID.format(self.ids))
        if kind is str:
            return _SAMPLES.get(f"{self.event}/{name}", _SAMPLES.get(name, name))
        known = {
            bool: True,
            int: 2,
            datetime: datetime.fromisoformat("2026-11-21T08:30:00+00:00"),
            date: date(2026, 11, 21),
        }
        return known.get(kind, {})
