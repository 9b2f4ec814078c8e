"""Compares generated pages with the repository."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import pytest

from onhand.doors import docs


@pytest.fixture
def same() -> Callable[[str, str], None]:
    """Fails with a readable difference when a generated file is not what the code says."""

    def compare(name: str, text: str) -> None:
        path = docs.ROOT / name
        there = path.read_text() if path.exists() else ""
        if there == text:
            return
        found = list(
            difflib.unified_diff(
                there.splitlines(), text.splitlines(), "repository", "code", n=2, lineterm=""
            )
        )
        shown = "\n".join(found[:80]) + (f"\n… {len(found) - 80} more lines" if len(found) > 80 else "")
        pytest.fail(
            f"{name} is not what the code says. Run `make docs` and look at the difference:\n{shown}",
            pytrace=False,
        )

    return compare
