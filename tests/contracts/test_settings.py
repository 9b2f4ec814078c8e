"""Every setting is documented."""

from __future__ import annotations

from collections.abc import Callable

from onhand.doors.docs import reference
from onhand.kit.settings import Settings


def test_page(same: Callable[[str, str], None]) -> None:
    same("docs/settings.md", reference.settings())


def test_every_setting_says_what_it_does() -> None:
    for name, field in Settings.model_fields.items():
        said = field.description or ""
        assert len(said) > 15, f"{name} has no description"
        assert said.rstrip().endswith("."), name
