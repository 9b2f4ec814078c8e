"""A real `onhand serve` on a database of the module's own, and Debian's chromium in front of it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright
from psycopg import sql
from tests import make
from tests.browser.hands import AXE, CHROMIUM, DESKTOP, Look, watched
from tests.browser.shop import Shop, fill

from onhand.doors import console
from onhand.kit.postgres import APP, OWNER, SUPERUSER, EmbeddedPostgres

START_SECONDS = 60
PATIENCE_MS = 10_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every story here needs the browser. Without one it is skipped, except where the build must not be blind."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists() and not os.environ.get("CI"):
                item.add_marker(
                    pytest.mark.skip(reason=f"needs chromium at {CHROMIUM}: apt-get install chromium")
                )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """What the screen showed when a story failed is kept, and the report says where."""
    report = yield
    if report.when == "call" and report.failed:
        pages: list[Page] = item.stash.get(_PAGES, [])
        for index, page in enumerate(pages):
            path = Path(item.config.stash[_SHOTS]) / f"{item.name}-{index}.png".replace("/", "-")
            try:
                page.screenshot(path=path)
            except Exception as problem:
                report.sections.append(("screen", f"no picture of {page.url}: {problem}"))
            else:
                report.sections.append(("screen", f"{page.url} looked like {path}"))
    return report


_PAGES = pytest.StashKey[list[Page]]()
_SHOTS = pytest.StashKey[Path]()


@pytest.fixture(scope="session", autouse=True)
def _shots(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> None:
    pytestconfig.stash[_SHOTS] = tmp_path_factory.mktemp("screens")


@pytest.fixture(scope="module")
def house(
    server: EmbeddedPostgres, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of `onhand serve`, started on an empty database as a new owner would start it."""
    if not (console.folder() / "index.html").exists():
        pytest.fail("The console is not built: run `make web`.")
    if not AXE.exists():
        pytest.fail("axe-core is missing: run `npm ci` in web/.")
    name = f"b_{request.module.__name__.rpartition('.')[2][:40]}_{os.getpid()}"
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
        )
        folder = tmp_path_factory.mktemp("house")
        with Served(folder, owner=server.url(OWNER, name), app=server.url(APP, name)) as address:
            yield address
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class Served:
    """`onhand serve` as a process of its own; answers before it is handed over, stopped in order afterwards."""

    def __init__(self, folder: Path, *, owner: str, app: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.log = folder / "serve.log"
        clean = {key: value for key, value in os.environ.items() if not key.startswith("ONHAND_")}
        self.env = clean | {
            "ONHAND_DATABASE_URL": owner,
            "ONHAND_APP_DATABASE_URL": app,
            "ONHAND_DATA_DIR": str(folder / "data"),
            "ONHAND_REQUIRE_ADMIN_TOTP": "false",
            "ONHAND_JOBS_CONCURRENCY": "1",
            "ONHAND_LOG_LEVEL": "warning",
        }
        self.folder = folder

    def __enter__(self) -> str:
        command = "from onhand.doors.cli import main; main()"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", command, "serve", "--port", str(self.port)],
                cwd=self.folder, env=self.env, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        address = f"http://localhost:{self.port}"
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                if httpx2.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200:
                    return address
            except httpx2.TransportError:
                pass
            if self.process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                pytest.fail(f"onhand serve did not come up:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def shop(house: str) -> Shop:
    """Corner Shops after some weeks: two stores, a warehouse, goods on the shelf, a few sales, something to settle."""
    # A thread of its own: the browser's loop may already run in this one.
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, fill(house)).result()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's chromium. Its loop is stopped with the module, so that async tests may follow in the same process."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Opener:
    """Opens fresh browsers, each a new context, and keeps what their consoles complain about."""

    chromium: Browser
    address: str
    pages: list[Page]
    complaints: list[str]
    contexts: list[BrowserContext]

    def __call__(self, look: Look = DESKTOP, *, signed_in: StorageState | None = None) -> Page:
        """A new browser window with this look; `signed_in` brings the cookies of somebody who is."""
        context = self.chromium.new_context(
            base_url=self.address, viewport=look.viewport, color_scheme=look.scheme, locale=look.language,
            timezone_id="Europe/Berlin", storage_state=signed_in, reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        page = context.new_page()
        watched(page, self.complaints)
        self.pages.append(page)
        return page


@pytest.fixture
def visit(chromium: Browser, house: str, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens browsers at the house; afterwards no console may have complained."""
    opener = Opener(chromium, house, [], [], [])
    request.node.stash[_PAGES] = opener.pages
    yield opener
    for context in opener.contexts:
        context.close()
    assert not opener.complaints, "the browser's console said: " + "; ".join(opener.complaints)


@pytest.fixture(scope="module")
def ada(chromium: Browser, house: str, shop: Shop) -> StorageState:
    """Ada's cookies: she founded the shop and is signed in."""
    context = chromium.new_context(base_url=house)
    answer = context.request.post("/v1/session", data={"email": shop.email, "password": make.PASSWORD})
    assert answer.ok, answer.text()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Look:
    """The window: a desk by day unless a story says otherwise."""
    chosen: Look = getattr(request, "param", DESKTOP)
    return chosen


@pytest.fixture
def desk(visit: Opener, ada: StorageState, shop: Shop, look: Look) -> Page:
    """A browser in which Ada is signed in."""
    return visit(look, signed_in=ada)
