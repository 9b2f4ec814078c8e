"""The first day: an empty database, a wizard, a first sale; and the door is locked for everybody else."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests import make
from tests.browser.conftest import Opener
from tests.browser.hands import DESKTOP, PHONE_AT_NIGHT, Look, barriers, overflow, there

EMAIL = "grace@example.com"


def test_a_new_shop_goes_from_nothing_to_its_first_sale(visit: Opener) -> None:
    page = visit(DESKTOP)
    page.goto("/")
    step(page, "business")
    page.get_by_test_id("organisation").fill("Corner Shop")
    page.get_by_test_id("next").click()

    step(page, "you")
    page.get_by_test_id("admin-name").fill("Grace")
    page.get_by_test_id("admin-email").fill(EMAIL)
    page.get_by_test_id("admin-password").fill(make.PASSWORD)
    page.get_by_test_id("next").click()

    step(page, "places")
    page.get_by_test_id("place-name").fill("Main Street")
    page.get_by_test_id("next").click()
    step(page, "taxes")
    page.get_by_test_id("skip").click()
    step(page, "people")
    page.get_by_test_id("skip").click()

    # She goes to the counter, and on with the phone.
    page.set_viewport_size(PHONE_AT_NIGHT.viewport)
    page.emulate_media(color_scheme="dark")
    step(page, "products")
    page.get_by_test_id("product-sku").fill("TEA-100")
    page.get_by_test_id("product-name").fill("Green tea")
    page.get_by_test_id("product-price").fill("3.50")
    page.get_by_test_id("product-opening").fill("12")
    page.get_by_test_id("next").click()

    step(page, "sale")
    page.get_by_test_id("sell").click()
    expect(there(page, "sold")).to_contain_text("12")
    expect(page.get_by_test_id("sold")).to_contain_text("11")
    page.get_by_test_id("finish").click()

    there(page, "page-overview")
    expect(page.get_by_test_id("fact-sales")).to_have_text("1")
    expect(page.get_by_test_id("fact-units")).to_have_text("1")
    expect(page.get_by_test_id("ticker")).to_contain_text("3.50")


def step(page: Page, name: str) -> None:
    """The wizard shows this step, and everybody can use it."""
    there(page, f"step-{name}")
    assert barriers(page) == []
    assert overflow(page) <= 0


def test_the_wizard_is_gone_once_there_is_somebody(visit: Opener) -> None:
    page = visit()
    page.goto("/setup")
    expect(there(page, "page-setup").get_by_role("link")).to_have_attribute("href", "/login")


@pytest.mark.parametrize("look", [DESKTOP, PHONE_AT_NIGHT], ids=str)
def test_a_wrong_password_opens_nothing_and_the_right_one_leads_where_one_wanted_to_go(
    visit: Opener, look: Look
) -> None:
    page = visit(look)
    page.goto("/stock")
    there(page, "page-login")
    assert barriers(page) == []
    page.get_by_test_id("login-email").fill(EMAIL)
    page.get_by_test_id("login-password").fill("a long walk by the lake")
    page.get_by_test_id("login-submit").click()
    expect(there(page, "problem")).to_contain_text("is not right")
    expect(page.get_by_test_id("page-login")).to_be_visible()

    page.get_by_test_id("login-password").fill(make.PASSWORD)
    page.get_by_test_id("login-submit").click()
    there(page, "page-stock")
    expect(page.locator("[data-row]")).to_contain_text("Green tea")


def test_who_logs_out_is_out(visit: Opener) -> None:
    page = visit()
    page.goto("/login")
    page.get_by_test_id("login-email").fill(EMAIL)
    page.get_by_test_id("login-password").fill(make.PASSWORD)
    page.get_by_test_id("login-submit").click()
    there(page, "page-overview")
    page.get_by_test_id("user-menu").click()
    page.get_by_test_id("logout").click()
    there(page, "page-login")
    page.goto("/stock")
    there(page, "page-login")
