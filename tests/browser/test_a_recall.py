"""A lot is recalled and released by hand, at a desk and on a phone, and everybody can use those pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.browser.hands import DESKTOP, PHONE, choose, settled, there
from tests.browser.shop import Shop
from tests.browser.test_every_page import Tour

widths = pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=str, indirect=True)
PUT = """async ([place, code]) => (await fetch('/v1/adjustments', {method: 'POST', headers: {'content-type': 'application/json'},
  body: JSON.stringify({sku: 'OIL-05', location_id: place, quantity: '6', reason: 'found', lot_code: code})})).status"""


@widths
def test_a_lot_is_recalled_and_released_again(desk: Page, shop: Shop) -> None:
    desk.goto("/")
    there(desk, "page-overview")
    code = f"OIL-{desk.viewport_size['width'] if desk.viewport_size else 0}"
    assert desk.evaluate(PUT, [shop.store["id"], code]) == 201
    tour = Tour(desk)
    desk.goto(f"/lots?q={code.lower()}")
    there(desk, "page-lots")
    desk.locator("[data-row]", has_text=code).first.click()
    there(desk, "page-lot")
    expect(desk.get_by_test_id("lot-life")).to_contain_text("Adjustment")
    tour.see("a lot")

    desk.get_by_test_id("lot-recall").click()
    expect(desk.get_by_test_id("would-take")).to_contain_text("1 entry")
    tour.see("recall a lot")
    desk.get_by_test_id("reason").fill("glass in it")
    desk.get_by_test_id("reason-submit").click()
    expect(desk.get_by_test_id("lot-stock")).to_contain_text("recalled")
    expect(desk.get_by_test_id("hold")).to_contain_text("glass in it")
    tour.see("a recalled lot")
    assert shop.read("/v1/lots", code=code)["data"][0]["state"] == "recalled"

    desk.goto("/holds")
    there(desk, "page-holds")
    desk.locator("[data-row]", has_text=code).first.click()
    there(desk, "hold")
    desk.get_by_test_id("release").click()
    tour.see("a hold")
    desk.get_by_test_id("reason").fill("it was only sand")
    desk.get_by_test_id("reason-submit").click()
    expect(desk.get_by_test_id("hold")).to_contain_text("it was only sand")
    desk.keyboard.press("Escape")
    settled(desk)
    assert shop.read("/v1/lots", code=code)["data"][0]["by_condition"] == {"available": "6"}

    desk.get_by_test_id("new-hold").click()
    there(desk, "hold-form")
    desk.get_by_test_id("hold-sku").fill("JAM-200")
    choose(desk, "hold-condition", "quarantine")
    expect(desk.get_by_test_id("would-take")).to_contain_text("JAM-200")
    tour.see("a new hold")
    assert not tour.found, "\n".join(tour.found)
