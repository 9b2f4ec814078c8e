"""From what a shop lacks to its shelf, on the screens people use: few taps, by scan, at a desk and on a phone."""

from __future__ import annotations

import pytest
from bench.transfers_compared import ONHAND, taps_of
from playwright.sync_api import Page, expect
from tests.browser.hands import DESKTOP, PHONE, barriers, choose, go, overflow, settled, there
from tests.browser.shop import Shop

COUNT = "window.taps = 0; addEventListener('click', event => { if (event.isTrusted) window.taps += 1 }, true)"


def taps(page: Page) -> int:
    """How often somebody tapped or clicked on this page since it was loaded."""
    return int(page.evaluate("() => window.taps"))


@pytest.mark.parametrize("look", [DESKTOP], ids=str, indirect=True)
def test_from_need_to_shelf_in_as_many_taps_as_we_say(desk: Page, shop: Shop) -> None:
    """The jam is below its minimum in Mitte; the depot has plenty. Nobody types a thing."""
    desk.add_init_script(COUNT)
    desk.goto("/")
    there(desk, "page-overview")
    go(desk, "transfers")
    there(desk, "page-transfers")
    desk.get_by_test_id("from-needs").click()
    choose(desk, "needs-site", "S01")
    desk.get_by_test_id("needs-submit").click()
    there(desk, "page-transfer")
    expect(there(desk, "line-JAM-200")).to_contain_text("12")
    desk.get_by_test_id("do-place").click()
    expect(desk.get_by_test_id("line-JAM-200")).to_contain_text("claimed 12")

    desk.get_by_test_id("do-ship").click()
    desk.get_by_test_id("everything").click()
    desk.get_by_test_id("ship-submit").click()
    expect(desk.get_by_test_id("story")).to_contain_text("12 each left")

    desk.get_by_test_id("do-receive").click()
    assert not barriers(desk)
    desk.get_by_test_id("everything").click()
    desk.get_by_test_id("receive-submit").click()
    expect(desk.get_by_test_id("story")).to_contain_text("12 each arrived")
    assert taps(desk) == taps_of(ONHAND)


@pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=str, indirect=True)
def test_receiving_by_scan_short_and_damaged(desk: Page, shop: Shop) -> None:
    """Twelve packs of tea leave; ten arrive, one of them crushed; one more is found, one is lost."""
    desk.goto("/transfers?new=1")
    choose(desk, "from-site", "W01")
    choose(desk, "to-site", "S02")
    field = there(desk, "add-item")
    field.fill("12*TEA-100")
    field.press("Enter")
    expect(there(desk, "quantity-TEA-100")).to_have_value("12")
    assert not barriers(desk)
    desk.get_by_test_id("place-now").click()
    there(desk, "page-transfer")
    desk.get_by_test_id("do-ship").click()
    desk.get_by_test_id("everything").click()
    desk.get_by_test_id("ship-submit").click()

    there(desk, "do-receive").click()
    scan = there(desk, "scan-field")
    scan.fill("9*4006381333931")
    scan.press("Enter")
    expect(there(desk, "scan-said")).to_contain_text("Earl Grey")
    scan.fill("NOT-HERE")
    scan.press("Enter")
    expect(there(desk, "scan-said")).to_contain_text("NOT-HERE is not on this transfer")
    desk.get_by_test_id("damage-TEA-100").click()
    expect(there(desk, "counted-TEA-100")).to_contain_text("10")
    there(desk, "complete").check()
    assert overflow(desk) <= 0
    desk.get_by_test_id("receive-submit").click()
    expect(there(desk, "line-TEA-100")).to_contain_text("1 damaged")

    for outcome, quantity in (("Found after all", "1"), ("Lost", "1")):
        settled(desk)  # what the stream told is drawn
        there(desk, "do-resolve").click()
        form = desk.get_by_test_id("resolve-form")
        try:
            form.wait_for(timeout=4000)
        except (
            TimeoutError
        ):  # the click met the veil of the dialog that was closing: whoever sees nothing clicks again
            there(desk, "do-resolve").click()
        there(desk, "resolve-form").get_by_text(outcome, exact=True).click()
        desk.get_by_test_id("resolve-TEA-100").fill(quantity)
        desk.get_by_test_id("resolve-submit").click()
        desk.get_by_test_id("resolve-form").wait_for(state="detached")
    expect(there(desk, "page-transfer")).to_contain_text("received")
    settled(desk)
    assert not barriers(desk)
    assert overflow(desk) <= 0
