"""The reference pages: the OpenAPI document, refusals, settings."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from onhand.doors import http, wiring
from onhand.doors.docs.code import floor_of, package_of, paragraphs, problems, row
from onhand.kit.settings import Settings


def application() -> FastAPI:
    """The application without a database, only to be asked what it offers."""
    with tempfile.TemporaryDirectory() as folder:  # it writes its key there
        settings = Settings(_env_file=None, jobs_concurrency=0, data_dir=Path(folder))
        return http.create_app(
            settings, wiring.Urls("postgresql://nobody@/nothing", "postgresql://nobody@/nothing")
        )


def document() -> dict[str, Any]:
    """The OpenAPI document, as the server answers it."""
    return dict(application().openapi())


def openapi() -> str:
    """The same as text, keys sorted."""
    return json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


_ERRORS = """# Refusals

Every refusal is `application/problem+json` (RFC 9457):

```json
{"type": "/docs/errors#insufficient_stock", "title": "…", "status": 409, "code": "insufficient_stock",
 "detail": "…", "retryable": false, "param": "lines[0].quantity", "request_id": "0190…"}
```

Decide by `code`: it never changes. `title` and `detail` are for people and may. `param` names the field, `details[]` lists
every field where several are wrong. `retryable` says that the same request, with the same id, may succeed later; where a
`Retry-After` header is given, wait that long. A refused request has changed nothing. Single and batch calls refuse with
the same codes.

Generated from the code; `make docs` writes this page.
"""


def errors() -> str:
    """docs/errors.md: every refusal with code, status and public text."""
    lines = [_ERRORS, row("code", "status", "retry", "meaning"), row("---", "---", "---", "---")]
    known = problems()
    for problem in known:
        retry = "yes" if problem.retryable else ""
        lines.append(row(f"[`{problem.code}`](#{problem.code})", problem.status, retry, problem.text()))
    packages = sorted({package_of(p.__module__) for p in known}, key=floor_of)
    for package in packages:
        lines += ["", f"## Of {package}"]
        for problem in known:
            if package_of(problem.__module__) == package:
                lines += ["", f"### {problem.code}", "", f"Status {problem.status}.", *_text(problem.__doc__)]
    return "\n".join(lines) + "\n"


def _text(docstring: str | None) -> list[str]:
    return [line for p in paragraphs(docstring) for line in ("", p)]


_SETTINGS = """# Settings

Read from the environment; a `.env` file in the working folder is read too. Without any, `onhand serve` starts a PostgreSQL
of its own under `./.onhand` and listens on this machine only.

Generated from the code; `make docs` writes this page.
"""


def settings() -> str:
    """docs/settings.md: every setting with its type, default and description."""
    lines = [_SETTINGS, row("setting", "type", "default", "what it does"), row("---", "---", "---", "---")]
    for name, field in Settings.model_fields.items():
        lines.append(row(f"`ONHAND_{name.upper()}`", _type(field), _default(field), field.description or ""))
    return "\n".join(lines) + "\n"


def _type(field: FieldInfo) -> str:
    text = str(field.annotation) if not isinstance(field.annotation, type) else field.annotation.__name__
    for long, short in (
        ("typing.", ""),
        ("pathlib.", ""),
        ("_local.", ""),
        ("pydantic.types.", ""),
        (" | None", ""),
    ):
        text = text.replace(long, short)
    text = {
        "str": "text",
        "int": "whole number",
        "bool": "true or false",
        "Path": "path",
        "SecretStr": "secret",
    }.get(text, text)
    if text.startswith("Literal["):
        text = " or ".join(f"`{w.strip()[1:-1]}`" for w in text[8:-1].split(","))
    floor = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
    ceiling = next((m.le for m in field.metadata if hasattr(m, "le")), None)
    if floor is not None:
        text += f", {floor} to {ceiling}" if ceiling is not None else f", at least {floor}"
    return text


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None:
        return "unset"
    if isinstance(value, SecretStr):
        return "`***`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
