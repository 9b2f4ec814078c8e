"""What the code itself says: its modules, refusals, events and tables. Tests may define more; those are left out."""

from __future__ import annotations

import ast
import gc
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa

import onhand
from onhand.doors import schema
from onhand.kit.database import metadata
from onhand.kit.outbox import Event
from onhand.kit.problem import Problem

SOURCE = Path(onhand.__file__).parent
FLOORS = (
    "kit", "values", "access", "catalog", "locations", "parties", "lots", "pricing", "channels", "ledger", "purchasing", "orders",
    "receiving", "fulfillment", "pos", "transfers", "counting", "production", "quality", "valuation", "traceability", "insight",
    "planning", "integrations", "doors",
)  # fmt: skip
"""Every package there may be, from the ground up; the order of the pages."""


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file. Without the collector meanwhile: before Python 3.13, a finaliser that compiles anything in
    the middle of a parse makes it fail (python/cpython#106905)."""
    gc.disable()
    try:
        return ast.parse(path.read_text())
    finally:
        gc.enable()


@cache
def modules() -> dict[str, ModuleType]:
    """Every module of ours by name, imported. What needs an extra that is not installed is left out."""
    found = {}
    for info in pkgutil.walk_packages([str(SOURCE)], "onhand."):
        if info.name.endswith("__main__"):
            continue
        try:
            found[info.name] = import_module(info.name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "onhand":
                raise
    return found


def package_of(module: str) -> str:
    """`onhand.pos.store` → `pos`; the outside world by family: `onhand.integrations.demo.plan` → `integrations.demo`."""
    parts = module.split(".")[1:]
    return ".".join(parts[:2]) if parts[0] == "integrations" and len(parts) > 1 else parts[0]


def floor_of(package: str) -> tuple[int, str]:
    """Sorts packages from the ground up."""
    first = package.partition(".")[0]
    return (FLOORS.index(first) if first in FLOORS else len(FLOORS), package)


def problems() -> list[type[Problem]]:
    """Every refusal by code."""
    modules()
    return [p for _, p in sorted(Problem.registry.items()) if p.__module__.startswith("onhand.")]


def events() -> list[Any]:
    """Every event by type."""
    modules()
    return [e for _, e in sorted(Event.registry.items()) if e.__module__.startswith("onhand.")]


def tables() -> dict[str, list[sa.Table]]:
    """Package → its tables by name, packages from the ground up."""
    owners: dict[str, str] = {}
    for name in schema.TABLES:
        module = modules().get(name)
        for value in vars(module).values() if module is not None else ():
            if isinstance(value, sa.Table):
                owners.setdefault(value.name, package_of(name))
    for name, module in modules().items():
        if name.endswith(".tables"):
            for value in vars(module).values():
                if isinstance(value, sa.Table):
                    owners.setdefault(value.name, package_of(name))
    out: dict[str, list[sa.Table]] = {}
    for table in metadata.sorted_tables:
        if table.name in owners:
            out.setdefault(owners[table.name], []).append(table)
    return {p: sorted(out[p], key=lambda t: t.name) for p in sorted(out, key=floor_of)}


def trees() -> Iterator[tuple[str, ast.Module]]:
    """(package, syntax tree) of every source file, in order."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        if len(parts) > 2:
            yield package_of(".".join(parts)), parsed(path)


def paragraphs(text: str | None) -> list[str]:
    """A docstring's paragraphs, each on one line."""
    parts = [" ".join(p.split()) for p in (text or "").strip().split("\n\n")]
    return [p for p in parts if p]


def row(*cells: object) -> str:
    """One row of a Markdown table."""
    return "| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in cells) + " |"
