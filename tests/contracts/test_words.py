"""One noun for one thing: docs/words.md is law for the names of tables, columns, API fields and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from onhand.doors.docs import ROOT, code, reference


def forbidden() -> dict[str, str]:
    """Word → what to say instead, from the last table of the page."""
    text = (ROOT / "docs" / "words.md").read_text().partition("## Words we do not use in names")[2]
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
    return {word: instead.strip() for said, instead in rows for word in re.findall(r"`(\w+)`", said)}


def api_names(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(where, name) of every field, parameter and address of the API."""
    for path, item in document["paths"].items():
        for name in re.findall(r"[a-z_]+", path.replace("-", "_")):
            yield path, name
        for method, operation in item.items():
            for parameter in operation.get("parameters", []):
                yield f"{method.upper()} {path}", parameter["name"]
    for title, schema in document["components"]["schemas"].items():
        yield "schema", re.sub(r"(?<!^)(?=[A-Z])", "_", title).lower()
        for name in schema.get("properties", {}):
            yield title, name


def schema_names() -> Iterator[tuple[str, str]]:
    """(where, name) of every table and column."""
    for tables in code.tables().values():
        for table in tables:
            yield "table", table.name
            for column in table.columns:
                yield table.name, column.name


def event_names() -> Iterator[tuple[str, str]]:
    """(where, name) of every event and its fields."""
    for event in code.events():
        yield "event", event.type.replace(".", "_")
        for name in event.__struct_fields__:
            yield event.type, name


def wrong(names: Iterator[tuple[str, str]]) -> list[str]:
    """What a name says that it should not."""
    words, found = forbidden(), []
    assert len(words) > 20, "the table in docs/words.md was not understood"
    for where, name in names:
        for word, instead in words.items():
            if re.search(rf"(^|_){word}(_|$)", name):
                found.append(f"{where}: {name}. Not {word}, but {instead}.")
    return sorted(set(found))


def test_the_api() -> None:
    assert not wrong(api_names(reference.document()))


def test_the_schema() -> None:
    assert not wrong(schema_names())


def test_the_events() -> None:
    assert not wrong(event_names())


def test_the_test_itself() -> None:
    assert wrong(iter([("somewhere", "order_item_id")])) == [
        "somewhere: order_item_id. Not item, but `variant` (or `line`)."
    ]
