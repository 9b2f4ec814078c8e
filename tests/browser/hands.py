"""What a hand at the screen does: open, read numbers, choose, and look whether everybody can use the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import ConsoleMessage, Locator, Page, ViewportSize

from onhand.doors.docs import ROOT

CHROMIUM = Path("/usr/bin/chromium")
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class Look:
    """A window: how wide, light or dark, in which language."""

    width: int = 1280
    scheme: Literal["light", "dark"] = "light"
    language: str = "en-GB"

    @property
    def viewport(self) -> ViewportSize:
        return {"width": self.width, "height": 844 if self.width < 600 else 860}

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}"


DESKTOP = Look()
PHONE_AT_NIGHT = Look(390, "dark")
DESKTOP_AT_NIGHT = Look(1280, "dark")
PHONE = Look(390, "light")


def watched(page: Page, complaints: list[str]) -> None:
    """Keep what the browser's console complains about; a refusal the story provokes is none, nor a network it takes away."""

    def said(message: ConsoleMessage) -> None:
        refused = re.search(
            r"Failed to load resource.*(status of 4\d\d|ERR_INTERNET_DISCONNECTED)", message.text
        )
        if message.type in ("error", "warning") and not refused:
            complaints.append(f"{message.type}: {message.text[:300]}")

    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(f"thrown: {str(error)[:300]}"))


def there(page: Page, name: str) -> Locator:
    """The part of a page that is called `name`; the page waits until it is there."""
    part = page.get_by_test_id(name)
    part.first.wait_for()
    return part


def go(page: Page, name: str) -> None:
    """Choose an entry of the menu; on a phone the menu is opened first."""
    entry = page.get_by_test_id(f"nav-{name}")
    if narrow(page):
        page.get_by_role("button", name="Menu", exact=True).click()
    entry.click()


def narrow(page: Page) -> bool:
    """Is this a phone?"""
    return page.viewport_size is not None and page.viewport_size["width"] < 768


def choose(page: Page, field: str, option: str) -> None:
    """Pick from a list that opens below its field."""
    page.get_by_test_id(field).click()
    page.get_by_role("option", name=option).first.click()


def scan(page: Page, code: str) -> None:
    """A scanner types faster than any person and ends with Enter: so fast that the keys must be made inside the page."""
    page.evaluate(
        """keys => keys.forEach(key => (document.activeElement ?? document.body)
            .dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})))""",
        [*code, "Enter"],
    )


def number(text: str) -> int:
    """The whole number a cell shows: "+1,204" is 1204, "−3" is -3."""
    found = re.search(r"[-−+]?[\d,.\u202f\u00a0]+", text)
    assert found, f"no number in {text!r}"
    return int(re.sub(r"[^\d-]", "", found[0].replace("−", "-")))


def settled(page: Page) -> None:
    """Wait until nothing is loading any more."""
    page.wait_for_function(
        "() => document.querySelector('h1') && !document.querySelector('[aria-busy=true], .mantine-Loader-root')"
    )


def barriers(page: Page, *, rules: list[str] | None = None) -> list[str]:
    """What axe finds: rule, element and why. The script comes by the debugger, past the page's own policy."""
    if not page.evaluate("() => 'axe' in window"):
        session = page.context.new_cdp_session(page)
        session.send("Runtime.evaluate", {"expression": AXE.read_text()})
        session.detach()
    # Half way between two colours there is neither.
    page.evaluate(
        """() => Promise.race([new Promise(done => setTimeout(done, 1500)), Promise.all(document.getAnimations()
            .filter(a => a.effect?.getComputedTiming().iterations !== Infinity).map(a => a.finished.catch(() => 0)))])
            .then(() => 0)"""
    )
    only: dict[str, Any] = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": WCAG}
    found = _found(page, only)
    for _ in range(3):  # a page still changing its colours on a busy machine: what is wrong stays wrong
        if not found:
            break
        page.wait_for_timeout(500)
        found = _found(page, only)
    return found


def _found(page: Page, only: dict[str, Any]) -> list[str]:
    found: list[str] = page.evaluate(
        """async only => (await axe.run(document, {runOnly: only, resultTypes: ['violations']})).violations.map(v =>
            v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ('
            + [...n.any, ...n.all, ...n.none].map(c => c.message).join(', ') + ')').join('; '))""",
        only,
    )
    return found


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - innerWidth"))
