"""What a manager decides beforehand: who asks for how long a life, which lots leave first, where more may be promised than is there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.browser.hands import DESKTOP, PHONE, choose, settled, there
from tests.browser.shop import Shop
from tests.browser.test_every_page import Tour

widths = pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=str, indirect=True)
PUT = """async ([place, code, expires]) => {
  const send = (path, method, body) => fetch(path, {method, headers: {'content-type': 'application/json', 'If-Match': '1'}, body: JSON.stringify(body)})
  const made = await send('/v1/adjustments', 'POST', {sku: 'OIL-05', location_id: place, quantity: '6', reason: 'found', lot_code: code})
  const lot = (await (await fetch('/v1/lots?code=' + code)).json()).data[0]
  const dated = await send('/v1/lots/' + lot.id, 'PATCH', {expires_on: expires})
  return [made.status, dated.status]
}"""


def pick(page: Page, field: str, text: str) -> None:
    """Type into a field that asks the server, and take what it offers."""
    page.get_by_test_id(field).fill(text)
    page.get_by_role("option", name=text).first.click()


@widths
def test_a_customer_asks_for_a_longer_life(desk: Page, shop: Shop) -> None:
    """Café Nord wants sixty good days; the form says so, and the list shows it."""
    tour = Tour(desk)
    desk.goto("/customers")
    there(desk, "page-customers")
    tour.see("customers")
    desk.locator("[data-row]", has_text="Café Nord").first.click()
    there(desk, "party-form")
    tour.see("a customer")
    desk.get_by_test_id("party-life").fill("sixty")
    expect(desk.get_by_test_id("party-form")).to_contain_text("Whole days")
    desk.get_by_test_id("party-life").fill("60")
    desk.get_by_test_id("party-save").click()
    expect(desk.get_by_test_id("page-customers")).to_contain_text("60 days")

    desk.goto("/suppliers")
    there(desk, "page-suppliers")
    desk.get_by_test_id("new-party").click()
    code = f"MILL-{desk.viewport_size['width'] if desk.viewport_size else 0}"
    there(desk, "party-name").fill(f"The {code}")
    desk.get_by_test_id("party-code").fill(code)
    desk.get_by_test_id("party-save").click()
    expect(desk.get_by_test_id("page-suppliers")).to_contain_text(f"The {code}")
    assert not tour.found


@widths
def test_a_rule_says_which_lot_leaves_first_and_a_preview_shows_it(desk: Page, shop: Shop) -> None:
    tour = Tour(desk)
    desk.goto("/lots")
    there(desk, "page-lots")
    width = desk.viewport_size["width"] if desk.viewport_size else 0
    for code, expires in (("LATE", "2033-01-01"), ("SOON", "2032-01-01")):
        assert desk.evaluate(PUT, [shop.store["id"], f"OIL-{code}-{width}", expires]) == [201, 200]
    desk.get_by_test_id("show-rules").click()
    there(desk, "rule-form")
    tour.see("rules of lots")
    pick(desk, "rule-item", "OIL-05")
    choose(desk, "rule-strategy", "what came last")
    desk.get_by_test_id("rule-save").click()
    expect(desk.get_by_test_id("lot-rules").get_by_role("table")).to_contain_text("what came last")
    tour.see("a rule of lots")
    desk.keyboard.press("Escape")

    desk.get_by_test_id("show-serves").click()
    there(desk, "serves-form")
    pick(desk, "serves-item", "OIL-05")
    desk.get_by_test_id("serves-quantity").fill("2")
    desk.get_by_test_id("serves-ask").click()
    expect(desk.get_by_test_id("serves-plan")).to_contain_text(f"OIL-SOON-{width}")
    tour.see("what would serve")
    assert not tour.found


@widths
def test_more_may_be_promised_than_is_there(desk: Page, shop: Shop) -> None:
    """Backorders of the tea are allowed at Mitte up to 20, and stopped again."""
    tour = Tour(desk)
    desk.goto(f"/variants/{shop.tea['id']}?site_id={shop.store['id']}")
    there(desk, "page-variant")
    settled(desk)
    there(desk, "allow-backorder").click()
    there(desk, "backorder-form")
    tour.see("allow backorders")
    desk.get_by_test_id("backorder-most").fill("20")
    desk.get_by_test_id("backorder-save").click()
    expect(there(desk, "backorder-S01")).to_contain_text("20")
    found = shop.read("/v1/backorders", variant_id=shop.tea["id"])["data"]
    assert [(row["site_code"], row["max_quantity"]) for row in found] == [("S01", "20")]
    settled(desk)
    tour.see("backorders")
    desk.get_by_role("button", name="Change backorders at S01").click()
    there(desk, "backorder-end").click()
    there(desk, "allow-backorder")
    assert shop.read("/v1/backorders", variant_id=shop.tea["id"])["data"] == []
    assert not tour.found


@widths
def test_a_draft_is_changed_before_it_is_placed(desk: Page, shop: Shop) -> None:
    """Five packs of rice were planned; seven go, and the sites stay as they are."""
    desk.goto("/transfers?new=1")
    choose(desk, "from-site", "W01")
    choose(desk, "to-site", "S02")
    field = there(desk, "add-item")
    field.fill("RICE-1")
    field.press("Enter")
    there(desk, "quantity-RICE-1").fill("5")
    desk.get_by_test_id("save-draft").click()
    there(desk, "page-transfer")
    there(desk, "do-change").click()
    expect(there(desk, "quantity-RICE-1")).to_have_value("5")
    expect(desk.get_by_test_id("from-site")).to_be_disabled()
    desk.get_by_test_id("quantity-RICE-1").fill("7")
    desk.get_by_test_id("place-now").click()
    expect(there(desk, "line-RICE-1")).to_contain_text("claimed 7")
    there(desk, "do-cancel").click()
    desk.get_by_test_id("reason-submit").click()
    expect(there(desk, "page-transfer")).to_contain_text("cancelled")
