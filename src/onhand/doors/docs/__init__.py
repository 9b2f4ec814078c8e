"""Writes what documentation is generated from the code: `make docs`, or `python -m onhand.doors.docs`.

Contract tests compare the files with the code (tests/contracts), so a page can be trusted to say what the code does.
"""

from __future__ import annotations

from pathlib import Path

import onhand
from onhand.doors.docs import events, flow, reference, tables

ROOT = Path(onhand.__file__).parents[2]


def files() -> dict[str, str]:
    """Every generated file: path below the repository → text."""
    return {
        "docs/openapi.json": reference.openapi(),
        "docs/errors.md": reference.errors(),
        "docs/settings.md": reference.settings(),
        "docs/schema.md": tables.page(),
        "docs/flow.md": flow.page(),
        "docs/events/README.md": events.index(),
        **{f"docs/events/{name}.json": text for name, text in events.schemas().items()},
    }


def write() -> list[str]:
    """Write the files that differ; answers their names."""
    written = []
    for name, text in files().items():
        path = ROOT / name
        if path.exists() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written.append(name)
    return written
