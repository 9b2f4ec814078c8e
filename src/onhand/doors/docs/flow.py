"""The flow of events drawn from the code: who publishes what, who acts on it, and what runs in the background."""

from __future__ import annotations

import ast
from collections import defaultdict

from onhand.doors.docs import code
from onhand.doors.docs.code import floor_of, package_of, paragraphs, row
from onhand.kit import jobs

_PAGE = """# The flow of events

A package tells others what happened by an event, written with the commit of its cause; nothing calls upward. Readers pull
from the one stream, each with a cursor of its own: the live hub (SSE, the console), the feed, and whoever inside must
forget what it remembers.

Generated from the code; `make docs` writes this page.
"""


def page() -> str:
    """docs/flow.md."""
    emitted, heard = emitters(), listeners()
    lines = [
        _PAGE,
        "```mermaid",
        "flowchart LR",
        "  stream[(the stream<br>outbox)]",
        "  out([GET /v1/events<br>GET /v1/stream])",
    ]
    by_package: dict[str, list[str]] = defaultdict(list)
    for kind, packages in emitted.items():
        for package in packages:
            by_package[package].append(kind)
    for package in sorted(by_package, key=floor_of):
        lines.append(
            f'  {_node(package)}[{package}] -- "{"<br>".join(sorted(by_package[package]))}" --> stream'
        )
    hearing: dict[str, list[str]] = defaultdict(list)
    for kind, packages in heard.items():
        for package in packages:
            hearing[package].append(kind)
    lines.append("  stream --> out")
    for package in sorted(hearing, key=floor_of):
        lines.append(
            f'  stream -- "{"<br>".join(sorted(hearing[package]))}" --> {_node(package)}_hears([{package} listens])'
        )
    lines += ["```", "", row("event", "published by", "acted on by", "seen with"), row(*["---"] * 4)]
    for event in code.events():
        own = ", ".join(emitted.get(event.type, [])) or "–"
        lines.append(
            row(
                f"[`{event.type}`](events/{event.type}.json)",
                own,
                ", ".join(heard.get(event.type, [])),
                f"`{event.needs}`",
            )
        )
    lines += ["", "## Background jobs", "", row("kind", "package", "runs", "does"), row(*["---"] * 4)]
    for job in sorted(jobs.KINDS.values(), key=lambda k: k.name):
        if not job.handler.__module__.startswith("onhand."):
            continue
        told = (paragraphs(job.handler.__doc__) or [""])[0]
        when = (
            f"by the clock, `{job.cron}` UTC"
            if job.cron
            else f"when asked, up to {job.attempts} attempt{'s' * (job.attempts > 1)}"
        )
        lines.append(row(f"`{job.name}`", package_of(job.handler.__module__), when, told))
    return "\n".join(lines) + "\n"


def _node(package: str) -> str:
    return package.replace(".", "_")


def emitters() -> dict[str, list[str]]:
    """Event type → packages that make such an event, found by the calls of its class (or its type in SQL)."""
    types = {event.__name__: event.type for event in code.events()}
    found: dict[str, set[str]] = defaultdict(set)
    for package, tree in code.trees():
        of_its_own = {n.name for n in tree.body if isinstance(n, ast.ClassDef) and n.name in types}
        of_its_own -= {e.__name__ for e in code.events() if package_of(e.__module__) == package}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                if name in types and name not in of_its_own and package != "doors":
                    found[types[name]].add(package)
    for path in sorted(code.SOURCE.rglob("*.sql")):
        text = path.read_text()
        for kind in types.values():
            if f"'{kind}'" in text:
                found[kind].add(package_of("onhand." + ".".join(path.relative_to(code.SOURCE).parts)))
    return {kind: sorted(packages, key=floor_of) for kind, packages in found.items()}


def listeners() -> dict[str, list[str]]:
    """Event type → packages that act on it: those that list the type among others, or map it to what is then done."""
    types = {event.type for event in code.events()}
    found: dict[str, set[str]] = defaultdict(set)
    for package, tree in code.trees():
        for node in ast.walk(tree):
            listed: list[ast.expr | None] = []
            if isinstance(node, ast.Dict):
                listed = list(node.keys)
            elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
                listed = list(node.elts)
            for value in listed:
                if isinstance(value, ast.Constant) and value.value in types:
                    found[str(value.value)].add(package)
    return {kind: sorted(packages, key=floor_of) for kind, packages in found.items()}
