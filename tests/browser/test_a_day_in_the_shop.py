"""A day in the shop, as Ada sees it on her screen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from tests import make
from tests.browser.conftest import Opener
from tests.browser.hands import DESKTOP, PHONE_AT_NIGHT, barriers, choose, go, number, scan, settled, there
from tests.browser.shop import TEA, Shop

both = pytest.mark.parametrize("look", [DESKTOP, PHONE_AT_NIGHT], ids=str, indirect=True)


@both
def test_a_sale_at_the_till_arrives_on_the_open_overview(desk: Page, shop: Shop) -> None:
    desk.goto("/")
    sales = there(desk, "fact-sales")
    expect(desk.get_by_test_id("live")).to_have_attribute("data-status", "live")
    before = number(sales.inner_text())

    sold = shop.sell(quantity="2", total="7.00")

    expect(sales).to_have_text(str(before + 1), timeout=5_000)
    newest = desk.get_by_test_id("ticker").get_by_role("listitem").first
    expect(newest).to_have_attribute("data-sale", sold["id"])
    expect(newest).to_contain_text("Earl Grey")
    expect(newest).to_contain_text("7.00")


def test_a_sale_moves_the_number_on_an_open_stock_list(desk: Page, shop: Shop) -> None:
    desk.goto("/stock")
    row = there(desk, "page-stock").locator("[data-row]", has_text="TEA-100")
    expect(desk.get_by_test_id("live")).to_have_attribute("data-status", "live")
    have = shop.on_hand()
    expect(row).to_contain_text(str(have))

    shop.sell()

    expect(row).to_contain_text(str(have - 1), timeout=5_000)


@both
def test_every_number_can_be_explained_and_its_reasons_add_up(desk: Page, shop: Shop) -> None:
    desk.goto("/")
    go(desk, "stock")
    desk.locator("[data-row]", has_text="Earl Grey").click()
    there(desk, "page-variant")
    shown = number(there(desk, "why-on_hand").inner_text())
    assert shown == shop.on_hand()

    desk.get_by_test_id("why-on_hand").click()

    parts = there(desk, "explain-parts").locator("tr")
    values = [number(text) for text in parts.locator("td").all_inner_texts()]
    assert sum(values[:-1]) == values[-1] == shown

    desk.get_by_test_id("explain").get_by_test_id("why-sum-S01").click()
    rows = there(desk, "explain-rows").locator("tbody tr")
    expect(desk.get_by_role("dialog", name=re.compile("S01"))).to_be_visible()
    expect(rows.filter(has_text="Sale").first).to_be_visible()
    here = next(
        row
        for row in shop.read("/v1/site-levels", variant_id=shop.tea["id"])["data"]
        if row["site_id"] == shop.store["id"]
    )
    changes = [number(text) for text in rows.locator("td:nth-child(3)").all_inner_texts()]
    assert sum(changes) == int(here["on_hand"])
    assert number(rows.first.locator("td:nth-child(4)").inner_text()) == int(here["on_hand"])


def test_two_broken_packs_are_written_off_with_a_reason_and_the_mistake_is_undone(
    desk: Page, shop: Shop
) -> None:
    before = shop.on_hand()
    desk.goto(f"/variants/{shop.tea['id']}")
    there(desk, "do-adjust").click()
    there(desk, "dialog-adjust")
    desk.get_by_test_id("quantity").fill("-2")
    desk.get_by_test_id("post").click()
    expect(desk.get_by_test_id("dialog-adjust")).to_contain_text("Please fill this in")

    choose(desk, "place", "S01")
    choose(desk, "reason", "Damaged")
    desk.get_by_test_id("post").click()

    on_hand = desk.get_by_test_id("five").get_by_test_id("why-on_hand")
    expect(on_hand).to_contain_text(str(before - 2))
    assert shop.on_hand() == before - 2

    desk.locator("[data-row]").first.click()
    expect(there(desk, "posting")).to_contain_text("damaged", ignore_case=True)
    desk.get_by_test_id("undo").click()
    expect(there(desk, "undo-preview")).to_contain_text("TEA-100")
    desk.get_by_test_id("undo-confirm").click()

    expect(there(desk, "posting")).to_contain_text("Undone by another posting")
    expect(on_hand).to_contain_text(str(before))
    assert shop.on_hand() == before


WRONG = """sku,name,list_price,tracking
HONEY-250,Blossom honey 250 g,4.90,none
SALT-500,Sea salt 500 g,cheap,none
SUGAR-1,Cane sugar 1 kg,1.99,sometimes
"""
RIGHT = WRONG.replace("cheap", "0.99").replace("sometimes", "none")


@both
def test_a_file_with_two_errors_changes_nothing_and_its_correction_is_imported(
    desk: Page, shop: Shop, look: object
) -> None:
    mine = "-P" if look is PHONE_AT_NIGHT else "-D"
    known = len(shop.read("/v1/variants", limit="200")["data"])
    desk.goto("/imports")
    there(desk, "kind-products").check()
    upload(desk, "new goods.csv", WRONG)

    there(desk, "import-check").click()
    expect(there(desk, "outcome")).to_contain_text("2 errors. Nothing was changed")
    errors = there(desk, "import-errors").locator("tbody tr")
    expect(errors).to_have_count(2)
    wrong = [
        ("3", "list_price", "cheap", "Write digits"),
        ("4", "tracking", "sometimes", "Use none, lot or serial"),
    ]
    for row, (*where, remedy) in enumerate(wrong):
        assert errors.nth(row).locator("td").all_inner_texts()[:3] == where
        expect(errors.nth(row)).to_contain_text(remedy)
    expect(errors.first.locator("td").last).to_be_in_viewport()
    assert barriers(desk) == []
    assert len(shop.read("/v1/variants", limit="200")["data"]) == known

    desk.goto("/imports")
    there(desk, "kind-products").check()
    right = re.sub(r"^(HONEY|SALT|SUGAR)(-\w+)", rf"\1\2{mine}", RIGHT, flags=re.M)
    upload(desk, "new goods, corrected.csv", right)
    there(desk, "import-check").click()
    expect(there(desk, "outcome")).to_contain_text("Every row is fine")
    there(desk, "import-run").click()
    expect(desk.get_by_test_id("outcome")).to_contain_text("Everything was imported")
    assert len(shop.read("/v1/variants", limit="200")["data"]) == known + 3

    go(desk, "catalog")
    expect(there(desk, "page-variants").locator("[data-row]", has_text=f"HONEY-250{mine}")).to_be_visible()


def upload(page: Page, name: str, text: str) -> None:
    """Give the page a file, as a person would by its button."""
    with page.expect_file_chooser() as asked:
        there(page, "pick-file").click()
    asked.value.set_files({"name": name, "mimeType": "text/csv", "buffer": text.encode()})
    there(page, "page-import")


def test_a_scan_with_no_field_focused_opens_what_was_scanned(desk: Page, shop: Shop) -> None:
    desk.goto("/sales")
    settled(desk)
    scan(desk, TEA)
    expect(there(desk, "page-variant").get_by_role("heading", level=1)).to_have_text("Earl Grey 100 g")

    scan(desk, "9999999999994")
    expect(desk.get_by_text("9999999999994")).to_be_visible()
    expect(desk.get_by_test_id("page-variant")).to_be_visible()


def test_ctrl_k_finds_goods_by_part_of_their_name_even_misspelt(desk: Page, shop: Shop) -> None:
    desk.goto("/")
    there(desk, "page-overview")
    desk.keyboard.press("Control+k")
    there(desk, "search-input").press_sequentially("olvie oil", delay=10)
    expect(desk.get_by_test_id("search-hit").first).to_contain_text("Olive oil")
    desk.keyboard.press("Enter")
    expect(there(desk, "page-variant").get_by_role("heading", level=1)).to_have_text("Olive oil 0.5 l")


def test_a_question_mark_shows_the_keys_and_g_s_goes_to_the_stock(desk: Page, shop: Shop) -> None:
    desk.goto("/")
    there(desk, "page-overview")
    desk.keyboard.press("?")
    expect(there(desk, "keys")).to_contain_text("Ctrl K")
    desk.keyboard.press("Escape")
    expect(desk.get_by_test_id("keys")).to_have_count(0)
    # Two keys a few milliseconds apart would be a scanner's.
    for key in "gs":
        desk.wait_for_timeout(150)
        desk.keyboard.press(key)
    there(desk, "page-stock")


def test_german_is_one_choice_away_and_stays(desk: Page, shop: Shop) -> None:
    desk.goto("/stock")
    there(desk, "page-stock")
    desk.get_by_test_id("user-menu").click()
    desk.get_by_text("Deutsch", exact=True).click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Bestand")
    expect(desk.locator("html")).to_have_attribute("lang", "de")
    expect(desk.get_by_role("columnheader", name="Vorhanden")).to_be_visible()

    desk.reload()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Bestand")


def test_a_browser_left_signed_in_elsewhere_is_shut_out_from_here(
    visit: Opener, desk: Page, shop: Shop
) -> None:
    forgotten = visit(PHONE_AT_NIGHT)
    forgotten.goto("/login")
    there(forgotten, "login-email").fill(shop.email)
    forgotten.get_by_test_id("login-password").fill(make.PASSWORD)
    forgotten.get_by_test_id("login-submit").click()
    there(forgotten, "page-overview")

    desk.goto("/")
    there(desk, "user-menu").click()
    there(desk, "account").click()
    others = there(desk, "sessions").get_by_role("button")
    before = others.count()
    others.first.click()
    expect(others).to_have_count(before - 1)

    forgotten.goto("/stock")
    there(forgotten, "page-login")
    desk.goto("/stock")
    there(desk, "page-stock")


def test_ones_own_name_and_password_are_ones_own_to_change(desk: Page, shop: Shop) -> None:
    desk.goto("/account")
    there(desk, "account-name").fill("Ada L.")
    desk.get_by_test_id("account-save").click()
    expect(desk.get_by_test_id("user-menu")).to_contain_text("Ada L.")

    desk.get_by_role("textbox", name="Present password").fill("not this one at all")
    desk.get_by_role("textbox", name="New password").fill("a long walk in the dunes")
    desk.get_by_role("button", name="Change").click()
    expect(there(desk, "problem")).to_contain_text("is not right")

    # Who mistypes a password is still signed in.
    go(desk, "stock")
    there(desk, "page-stock")
