"""Events are a promise: their schemas are generated, and only grow."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import jsonschema
import msgspec
import pytest

from onhand import access
from onhand.doors import docs
from onhand.doors.docs import code, events, flow


def git(*words: str) -> str | None:
    """What git says; None outside a checkout."""
    try:
        done = subprocess.run(
            ["git", *words], cwd=docs.ROOT, capture_output=True, text=True, timeout=30, check=False
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def released() -> str | None:
    """The newest release of this history, if there is one."""
    said = git("describe", "--tags", "--abbrev=0")
    return said.strip() if said else None


def test_pages(same: Callable[[str, str], None]) -> None:
    same("docs/events/README.md", events.index())
    same("docs/flow.md", flow.page())
    for name, text in events.schemas().items():
        same(f"docs/events/{name}.json", text)


def test_no_schema_without_an_event() -> None:
    there = {p.stem for p in (docs.ROOT / "docs" / "events").glob("*.json")}
    assert there == set(events.schemas()), "an event was removed, or `make docs` was not run"


def test_schemas_only_grow() -> None:
    """Against the newest release: what readers rely on stays."""
    release = released()
    if release is None:
        pytest.skip("nothing is released yet")
    names = (git("ls-tree", "--name-only", release, "docs/events/") or "").split()
    for name in names:
        if name.endswith(".json"):
            old: dict[str, Any] = json.loads(git("show", f"{release}:{name}") or "{}")
            path = docs.ROOT / name
            assert path.exists(), f"{name} was removed since {release}"
            lost = events.losses(old, json.loads(path.read_text()))
            assert not lost, (
                f"{name} lost something since {release}: {'; '.join(lost)}. Publish a new event type instead."
            )


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}, []),
        ({"properties": {"a": {"type": "string"}}, "required": ["a", "b"]}, []),
        ({"properties": {}, "required": ["a"]}, ["a: removed"]),
        ({"properties": {"a": {"type": "integer"}}, "required": ["a"]}, ["a: has another type"]),
        ({"properties": {"a": {"type": "string"}}}, ["a: no longer certain to be there"]),
    ],
)
def test_what_counts_as_a_loss(change: dict[str, Any], lost: list[str]) -> None:
    assert events.losses({"properties": {"a": {"type": "string"}}, "required": ["a"]}, change) == lost


def test_examples_fit_their_schemas() -> None:
    for event in code.events():
        sample = json.loads(msgspec.json.encode(events.example(event)))
        schema = events.schema(event)
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(sample, schema, jsonschema.Draft202012Validator)


def test_every_event_names_a_permission_there_is() -> None:
    for event in code.events():
        assert event.needs in access.PERMISSIONS, event.type
        assert (event.__doc__ or "").strip(), f"{event.type} has no docstring"
