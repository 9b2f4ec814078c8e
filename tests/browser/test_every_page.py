"""Everybody can use every page: axe finds nothing, nothing is wider than the window, by day and by night, at a desk and on a phone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.hands import DESKTOP, PHONE, barriers, go, narrow, overflow, scan, settled, there
from tests.browser.shop import TEA, Shop

PICTURES = os.environ.get("BROWSER_PICTURES")
"""A folder: every page passed through is kept there, to be looked at."""
COLOURS = ["color-contrast"]
widths = pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=str, indirect=True)


class Tour:
    """Goes through pages and gathers what is wrong with them, so that one run names everything."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    def see(self, name: str) -> None:
        """This page, as it stands now: by day in full, by night its colours."""
        settled(self.page)
        self.found += [f"{name}: {each}" for each in barriers(self.page)]
        self.picture(name, "light")
        self.page.emulate_media(color_scheme="dark")
        expect(self.page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
        self.found += [f"{name} by night: {each}" for each in barriers(self.page, rules=COLOURS)]
        self.picture(name, "dark")
        self.page.emulate_media(color_scheme="light")
        if (wide := overflow(self.page)) > 0:
            self.found.append(f"{name} is {wide} pixels wider than its window")

    def picture(self, name: str, scheme: str) -> None:
        if PICTURES and self.page.viewport_size:
            width = self.page.viewport_size["width"]
            self.page.screenshot(path=Path(PICTURES) / f"{name.replace(' ', '-')}-{width}-{scheme}.png")


def entries(page: Page) -> Iterator[str]:
    """The names of the menu's entries."""
    for entry in page.locator("[data-testid^=nav-]").all():
        yield (entry.get_attribute("data-testid") or "").removeprefix("nav-")


@widths
def test_every_page_of_the_menu_is_open_to_everybody(desk: Page, shop: Shop) -> None:
    desk.goto("/")
    there(desk, "page-overview")
    tour = Tour(desk)
    names = list(entries(desk))
    assert {"overview", "stock", "sales", "exceptions", "imports", "jobs"} <= set(names)
    for name in names:
        go(desk, name)
        expect(desk.get_by_test_id(f"nav-{name}")).to_have_attribute("data-status", "active")
        expect(desk).to_have_title(re.compile("· Onhand$"))
        tour.see(name)
    assert not tour.found, "\n".join(tour.found)


@widths
def test_what_opens_on_those_pages_is_open_to_everybody(desk: Page, shop: Shop) -> None:
    tour = Tour(desk)
    desk.goto("/sales")
    settled(desk)
    scan(desk, TEA)
    there(desk, "page-variant")
    tour.see("a variant")
    desk.get_by_test_id("why-on_hand").click()
    there(desk, "explain-rows")
    tour.see("explain")
    desk.keyboard.press("Escape")
    desk.get_by_test_id("do-adjust").click()
    there(desk, "dialog-adjust")
    tour.see("adjust")
    desk.keyboard.press("Escape")
    desk.locator("[data-row]", has_text="Adjustment").first.click()
    there(desk, "posting")
    tour.see("a posting")
    desk.get_by_test_id("undo").click()
    there(desk, "undo-confirm")
    tour.see("undo")
    desk.keyboard.press("Escape")

    desk.goto("/sales")
    desk.locator("[data-row]").first.click()
    there(desk, "page-sale")
    tour.see("a sale")
    desk.goto("/exceptions")
    desk.locator("[data-row]").first.click()
    there(desk, "exception")
    tour.see("an exception")
    desk.keyboard.press("Escape")

    desk.goto("/")
    there(desk, "page-overview")
    desk.get_by_test_id("user-menu").click()
    there(desk, "logout")
    tour.see("own menu")
    desk.keyboard.press("Escape")
    desk.goto("/account")
    there(desk, "sessions")
    tour.see("account")
    desk.get_by_test_id("open-search").click()
    there(desk, "search-input").fill("tea")
    there(desk, "search-hit")
    tour.see("search")
    desk.keyboard.press("Escape")
    if not narrow(desk):
        desk.keyboard.press("?")
        there(desk, "keys")
        tour.see("keys")
    assert not tour.found, "\n".join(tour.found)


@widths
def test_a_page_that_does_not_exist_says_so_and_leads_back(desk: Page, shop: Shop) -> None:
    desk.goto("/no-such-page")
    expect(desk.get_by_role("heading", level=1)).to_be_visible()
    assert barriers(desk) == []
