"""The built site in a real browser. `make site` builds it; `make test` does so first."""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest
from built import SITE
from playwright.sync_api import sync_playwright

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"


@pytest.fixture(scope="session")
def site() -> Path:
    if not (SITE / "index.html").is_file():
        pytest.fail("there is no site to look at; build it first: make site")
    return SITE


@pytest.fixture(scope="session")
def address(site):
    """Serve the site on the loopback address for as long as the tests run."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def chromium():
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        why = f"no browser found; looked for {', '.join(BROWSERS[:4])}"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET.split())
        yield browser
        browser.close()


def read(page):
    """Read a page to its end, so that everything lazy loads."""
    top = 0
    while top < page.evaluate("document.documentElement.scrollHeight"):  # which is a guess before its parts are laid out
        page.evaluate(f"window.scrollTo(0, {top})")
        page.wait_for_timeout(30)
        top += 800


@pytest.fixture
def visit(chromium, address):
    """Open a page of the site in a fresh browser, and read it to its end if asked."""
    contexts = []

    def open_page(path="", width=1280, scheme="light", reading=False, **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.seen = []
        page.complaints = []
        page.on("request", lambda request: page.seen.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.read = lambda: read(page)
        page.goto(address + path, wait_until="load")
        if options.get("java_script_enabled", True):  # Material's scripts come when the page is seen
            page.wait_for_function("!document.querySelector('[data-md-component]') || window.document$")
        if reading:
            page.read()
        page.wait_for_load_state("networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()
