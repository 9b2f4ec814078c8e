"""Rules of the house that a machine can check: short files, short functions, docstrings, no raw HTML."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from onhand.doors.docs import ROOT
from onhand.doors.docs.code import parsed

SOURCE = ROOT / "src" / "onhand"
WEB = ROOT / "web" / "src"
LONGEST_FILE = 500
LONGEST_FUNCTION = 60
NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
NOT_OURS = {"kit/sql/jobs.sql"}
"""The queue's own schema, copied as it is."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    """(path below the package, syntax tree) of every Python file."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), parsed(path)


def test_no_file_is_too_long() -> None:
    """A longer one becomes a folder of the same name."""
    found = []
    for path in sorted([*SOURCE.rglob("*.py"), *SOURCE.rglob("*.sql")]):
        name, lines = path.relative_to(SOURCE).as_posix(), len(path.read_text().splitlines())
        if name not in NOT_OURS and lines > LONGEST_FILE:
            found.append(f"{name} has {lines} lines")
    assert not found, found


def test_no_function_is_too_long() -> None:
    found = []
    for name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    found.append(f"{name}: {node.name} has {lines} lines")
    assert not found, found


def test_everything_public_says_what_it_is_for() -> None:
    silent = []
    for name, tree in sources():
        if not ast.get_docstring(tree) and tree.body:
            silent.append(name)
        public = [n for n in tree.body if isinstance(n, NAMED) and not n.name.startswith("_")]
        silent += [f"{name}: {node.name}" for node in public if not ast.get_docstring(node)]
    assert not silent, "without a docstring: " + ", ".join(silent)


def test_no_raw_html() -> None:
    """What people write is shown as text: nothing in the console sets HTML."""
    for path in sorted([*WEB.rglob("*.ts"), *WEB.rglob("*.tsx"), *SOURCE.rglob("*.py")]):
        if "webdist" not in path.parts:
            text = path.read_text()
            for word in (
                "innerHTML",
                "outerHTML",
                "dangerouslySetInnerHTML",
                "insertAdjacentHTML",
                "document.write(",
            ):
                assert word not in text, f"{path.relative_to(ROOT)}: {word}"


def test_the_domain_reads_no_environment() -> None:
    """Settings come in by the doors; only kit reads the environment."""
    for name, tree in sources():
        room = Path(name).parts[0]
        if room in ("kit", "doors", "integrations"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                raise AssertionError(f"{name} reads the environment")
