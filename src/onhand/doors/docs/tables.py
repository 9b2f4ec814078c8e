"""The data schema drawn from the metadata: a diagram a package, and every column."""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from onhand.doors import schema
from onhand.doors.docs import code
from onhand.doors.docs.code import paragraphs, row
from onhand.kit.database import metadata

_PAGE = """# The data schema

Drawn from the tables of each package, from the ground floor up. `key` marks the primary key; an arrow is a foreign key, a
dotted one a reference that its writer has checked (the hot path pays for no foreign keys). What the application role may
not write is marked: only the ledger's functions write it, running as their owner. `posting`, `move`, `claim` and `outbox`
are partitioned by month of `recorded_at`.

Generated from the code; `make docs` writes this page.
"""

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
QUEUE = "kit/sql/jobs.sql"
"""The job queue's own schema, copied as it is."""
_SHORT = {"TIMESTAMP WITH TIME ZONE": "timestamptz", "DOUBLE PRECISION": "float8"}


def page() -> str:
    """docs/schema.md."""
    lines = [_PAGE]
    modules = code.modules()
    for package, tables in code.tables().items():
        told = paragraphs(modules[f"onhand.{package}.tables"].__doc__)
        lines += [f"## {package}", "", *[line for p in told for line in (p, "")], "```mermaid", "erDiagram"]
        for table in tables:
            lines += _entity(table)
        lines += [*_arrows(tables), "```", ""]
        for table in tables:
            lines += _columns(table)
        lines += _routines(package)
    return "\n".join(lines).rstrip() + "\n"


_ROUTINE = re.compile(r"((?:^--[^\n]*\n)*)^CREATE (?:OR REPLACE )?(FUNCTION|VIEW) (\w+)", re.MULTILINE)


def _routines(package: str) -> list[str]:
    """Functions and views of a package's SQL files, each with the comment above it."""
    found = []
    for name, text in schema.sql_files():
        if name.startswith(f"{package.replace('.', '/')}/") and name != QUEUE:
            for comment, kind, called in _ROUTINE.findall(text):
                told = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
                found.append(row(f"`{called}`", kind.lower(), told))
    return [row("routine", "kind", "does"), row(*["---"] * 3), *found, ""] if found else []


def _type(column: sa.Column[object]) -> str:
    text = column.type.compile(dialect=_DIALECT)
    return _SHORT.get(text, text.lower())


def _entity(table: sa.Table) -> list[str]:
    lines = [f"  {table.name} {{"]
    for column in table.columns:
        kind = re.sub(r"[^a-z0-9]+", "_", _type(column).replace("[]", "_array")).strip("_")
        marks = [m for m, is_so in (("PK", column.primary_key), ("FK", bool(column.foreign_keys))) if is_so]
        lines.append(f"    {kind} {column.name} {', '.join(marks)}".rstrip())
    return [*lines, "  }"]


def _arrows(tables: list[sa.Table]) -> list[str]:
    found = []
    for table in tables:
        for column in table.columns:
            near = "|o" if column.nullable else "||"
            for key in column.foreign_keys:
                found.append(f"  {table.name} }}o--{near} {key.column.table.name} : {column.name}")
            meant = None if column.foreign_keys else _meant(table, column)
            if meant is not None:
                found.append(f"  {table.name} }}o..{near} {meant} : {column.name}")
    return sorted(found)


def _meant(table: sa.Table, column: sa.Column[object]) -> str | None:
    """The table a column means by its name where no foreign key says so: `from_location` → location, `sale` → sale."""
    if not isinstance(column.type, sa.Uuid) or column.name == "id":
        return None
    word = column.name.removesuffix("_id").rpartition("_")[2]
    word = {"site": "location"}.get(word, word)
    return word if word in metadata.tables and word != table.name else None


def _columns(table: sa.Table) -> list[str]:
    said = (
        "read only"
        if table.name in schema.READ_ONLY
        else "append only"
        if table.name in schema.APPEND_ONLY
        else ""
    )
    lines = [f"### {table.name}", ""]
    if table.comment:
        lines += [table.comment, ""]
    if said:
        lines += [f"For the application role: {said}.", ""]
    lines += [row("column", "type", "may be empty", "default", "refers to"), row(*["---"] * 5)]
    for column in table.columns:
        refers = ", ".join(sorted(f"`{k.column.table.name}.{k.column.name}`" for k in column.foreign_keys))
        name = f"**{column.name}** key" if column.primary_key else column.name
        lines.append(row(name, _type(column), "yes" if column.nullable else "", _default(column), refers))
    checks = sorted(str(c.sqltext) for c in table.constraints if isinstance(c, sa.CheckConstraint))
    if checks:
        lines += ["", "Checked: " + "; ".join(f"`{' '.join(c.split())}`" for c in checks) + "."]
    unique = sorted(
        ", ".join(c.name for c in u.columns) for u in table.constraints if isinstance(u, sa.UniqueConstraint)
    )
    unique += sorted(", ".join(_words(i)) for i in table.indexes if i.unique)
    if unique:
        lines += ["", "Unique: " + "; ".join(f"`{u}`" for u in unique) + "."]
    return [*lines, ""]


def _words(index: sa.Index) -> list[str]:
    return [getattr(e, "name", None) or str(e) for e in index.expressions]


def _default(column: sa.Column[object]) -> str:
    default = column.server_default
    if isinstance(default, sa.DefaultClause):
        argument = default.arg
        return f"`{argument if isinstance(argument, str) else argument.text if isinstance(argument, sa.TextClause) else argument}`"
    return "counted" if column.identity is not None else ""
