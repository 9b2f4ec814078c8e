"""The floors of the house: an import only goes down, and outside a package one uses its face."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

from onhand.doors import docs
from onhand.doors.docs.code import FLOORS

RULES = configparser.ConfigParser()
RULES.read(docs.ROOT / ".importlinter")


def packages() -> list[str]:
    """The domain packages there are."""
    source = docs.ROOT / "src" / "onhand"
    found = [p.parent.name for p in source.glob("*/__init__.py")]
    return sorted(set(found) - {"kit", "values", "doors", "integrations"})


def test_contracts() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [tool, "--no-cache"], cwd=docs.ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[done.stdout.find("Contracts") :]


def test_every_package_has_its_rooms_and_its_face_guarded() -> None:
    rooms = RULES["importlinter:contract:rooms"]["containers"].split()
    for package in packages():
        assert package in FLOORS, f"{package}: name its floor in doors/docs/code.py and docs/why/floors.md"
        assert f"onhand.{package}" in rooms, (
            f"{package}: add it to the containers of `rooms` in .importlinter"
        )
        assert f"importlinter:contract:face-{package}" in RULES, (
            f"{package}: add its face contract to .importlinter"
        )


def test_every_family_of_the_outside_world_has_its_rooms_guarded() -> None:
    rooms = RULES["importlinter:contract:rooms"]["containers"].split()
    for path in (docs.ROOT / "src" / "onhand" / "integrations").glob("*/__init__.py"):
        assert f"onhand.integrations.{path.parent.name}" in rooms
