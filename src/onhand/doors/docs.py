"""Writes what documentation is generated from the code: `python -m onhand.doors.docs`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import onhand
from onhand.doors import http, wiring
from onhand.kit.settings import Settings

ROOT = Path(onhand.__file__).parents[2]


def openapi() -> str:
    """The OpenAPI document, keys sorted."""
    settings = Settings(jobs_concurrency=0)
    app = http.create_app(settings, wiring.Urls("postgresql://nobody@/nothing", "postgresql://nobody@/nothing"))
    return json.dumps(app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def files() -> dict[str, str]:
    """Generated files by path below the repository."""
    return {"docs/openapi.json": openapi()}


def main() -> int:
    """Write every generated file."""
    for name, text in files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
