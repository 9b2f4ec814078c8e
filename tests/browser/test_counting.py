"""Counting by phone and scanner: blind, without a network for a while, and approved by keys."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, StorageState, expect
from tests import make
from tests.browser.conftest import Opener
from tests.browser.hands import DESKTOP, PHONE, barriers, number, overflow, scan, settled, there
from tests.browser.shop import TEA, Shop

from onhand.kit.ids import uuid7


@pytest.fixture
def phone(visit: Opener, shop: Shop, ada: StorageState) -> tuple[Page, str]:
    """Ben's phone, and the path of a bin he is to count: 12 tea lie in it."""
    desk = visit(DESKTOP, signed_in=ada)
    ask = desk.context.request

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = ask.post(path, data=body)
        assert answer.ok, answer.text()
        found: dict[str, Any] = answer.json()
        return found

    code = f"F-{uuid7().hex[-8:]}"
    place = {"code": code, "name": "Counted", "kind": "bin", "parent_id": shop.store["id"]}
    place_id = post("/v1/locations", place)["id"]
    post("/v1/adjustments", {"location_id": place_id, "sku": "TEA-100", "quantity": "12", "reason": "found"})
    post("/v1/count-sheets", {"site_id": shop.store["id"], "location_ids": [place_id]})
    email = f"{code.lower()}@example.com"
    post(
        "/v1/users",
        {"email": email, "name": "Ben", "password": make.PASSWORD, "assignments": [{"role": "counter"}]},
    )
    page = visit(PHONE)
    assert page.context.request.post("/v1/session", data={"email": email, "password": make.PASSWORD}).ok
    return page, code


def test_a_bin_is_counted_blind_by_scanner_and_approved_by_keys(
    phone: tuple[Page, str], visit: Opener, shop: Shop, ada: StorageState
) -> None:
    page, code = phone
    page.goto("/")
    there(page, "page-count")
    settled(page)
    assert not barriers(page)
    scan(page, code)
    there(page, "in-bin")
    scan(page, TEA)
    page.keyboard.press("3")
    page.wait_for_timeout(80)
    page.keyboard.press("*")
    there(page, "times")
    scan(page, TEA)
    expect(page.get_by_test_id("units")).to_have_text("4")
    page.keyboard.press("Backspace")
    expect(page.get_by_test_id("units")).to_have_text("1")
    for _ in range(10):
        scan(page, TEA)
    expect(page.get_by_test_id("units")).to_have_text("11")
    assert not barriers(page)
    assert overflow(page) <= 0
    for name in ("undo", "done", "give-back"):
        box = page.get_by_test_id(name).bounding_box()
        assert box is not None
        assert box["height"] >= 48, name
    page.context.set_offline(True)
    scan(page, code)
    there(page, "not-sent")
    page.context.set_offline(False)
    expect(page.get_by_test_id("not-sent")).to_have_count(0)
    expect(page.get_by_test_id("bin").filter(has_text=code)).to_have_count(0)

    boss = visit(DESKTOP, signed_in=ada)
    boss.goto("/counting/reviews")
    review = there(boss, "review").filter(has_text=code)
    review.click()
    details = there(boss, "review-details")
    assert number(details.locator("tbody td").nth(3).inner_text()) == -1
    boss.keyboard.press("e")
    there(boss, "explained")
    assert not barriers(boss)
    boss.keyboard.press("Enter")
    expect(review).to_have_count(0)
    rows = shop.read("/v1/levels", sku="TEA-100", site_id=shop.store["id"])["data"]
    assert next(row["on_hand"] for row in rows if row["location_code"] == code) == "11"


def test_an_empty_bin_is_asked_about(phone: tuple[Page, str]) -> None:
    page, code = phone
    page.goto("/count")
    there(page, "bin")
    scan(page, code)
    there(page, "in-bin")
    scan(page, code)
    there(page, "sure-empty")
    assert not barriers(page)
    page.get_by_test_id("yes-empty").click()
    again = page.get_by_test_id("bin").filter(has_text=code)
    expect(again).to_be_disabled()


def test_a_sheet_is_given_to_somebody_and_taken_back(
    phone: tuple[Page, str], visit: Opener, shop: Shop, ada: StorageState
) -> None:
    """Ada gives the newest sheet to Ben, sees his name at the bin, and takes it back."""
    boss = visit(DESKTOP, signed_in=ada)
    boss.goto(f"/counting/plan?site_id={shop.store['id']}")
    there(boss, "sheets")
    boss.get_by_test_id("who-counts").first.click()
    form = there(boss, "give-sheet")
    expect(form).to_contain_text("nobody yet")
    assert not barriers(boss)
    boss.get_by_test_id("give-person").click()
    boss.get_by_role("option", name="Ben").last.click()
    boss.get_by_test_id("give-now").click()
    expect(boss.get_by_test_id("give-sheet")).to_have_count(0)
    settled(boss)
    boss.get_by_test_id("who-counts").first.click()
    expect(there(boss, "give-sheet")).to_contain_text("Ben")
    settled(boss)
    assert not barriers(boss)
    boss.get_by_test_id("give-sheet").get_by_role("button", name="Take back").first.click()
    expect(boss.get_by_test_id("give-sheet")).to_contain_text("nobody yet")
