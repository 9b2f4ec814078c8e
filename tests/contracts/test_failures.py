"""docs/failures.md and docs/why/no-oversell.md name tests; every one of them exists, and every row has one or says why not."""

from __future__ import annotations

import re

import pytest

from onhand.doors.docs import ROOT

FAILURES = (ROOT / "docs" / "failures.md").read_text()
PAGES = ("docs/failures.md", "docs/why/no-oversell.md")
TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
REASON = re.compile(r"^not (yet|applicable)\b.{10,}")


def rows() -> dict[int, str]:
    """Number → what proves it."""
    found = re.findall(r"^\| (\d+) \|[^|]+\|[^|]+\| (.+) \|$", FAILURES, re.MULTILINE)
    return {int(number): proof for number, proof in found}


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_exists(page: str) -> None:
    named = TEST.findall((ROOT / page).read_text())
    assert named
    for path, name in named:
        assert (ROOT / path).exists(), f"{page} names {path}"
        text = (ROOT / path).read_text()
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{page} names {path}::{name}"


def test_every_row_is_there_once_and_in_order() -> None:
    assert list(rows()) == list(range(1, 40))


def test_every_row_is_proved_or_says_why_not() -> None:
    silent = [n for n, proof in rows().items() if not TEST.search(proof) and not REASON.match(proof)]
    assert not silent, silent
