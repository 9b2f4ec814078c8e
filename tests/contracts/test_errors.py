"""Every refusal is documented: its docstring is its public text."""

from __future__ import annotations

from collections.abc import Callable

from onhand.doors.docs import code, reference


def test_page(same: Callable[[str, str], None]) -> None:
    same("docs/errors.md", reference.errors())


def test_every_refusal_speaks_for_itself() -> None:
    for problem in code.problems():
        own = problem.__dict__.get("__doc__") or ""
        assert own.strip(), f"{problem.__qualname__} has no docstring of its own"
        text = problem.text()
        assert text[0].isupper() or text[0] == "`", f"{problem.code}: {text}"
        assert text.endswith((".", "?", '".')), f"{problem.code}: {text}"
        assert 400 <= problem.status < 600, problem.code


def test_codes_are_words() -> None:
    for problem in code.problems():
        assert problem.code.replace("_", "").isalnum(), problem.code
        assert problem.code.islower(), problem.code
