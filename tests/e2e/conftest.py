"""The service under test, and a browser that looks at it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.e2e.service import CONFIG, METERS, ROOT, Service, free_udp_port, start, stop

PAGES = ROOT / "src" / "casawatt" / "web" / "pages" / "index.html"
CHROMIUM = os.environ.get("CASAWATT_CHROMIUM", "/usr/bin/chromium")
BROWSER_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session", autouse=True)
def built_pages() -> None:
    """The pages must have been built."""
    assert PAGES.exists(), "the pages are not built: cd ui && npm ci && npm run build"


@pytest.fixture
def start_home(tmp_path: Path) -> Iterator[Callable[[str], Service]]:
    """Start a service with the usual config and these further sections."""
    started: list[Service] = []

    def start_it(sections: str) -> Service:
        udp_port = free_udp_port()
        config = tmp_path / "casawatt.toml"
        config.write_text(CONFIG.format(port=udp_port) + sections, encoding="utf-8")
        data = str(tmp_path / "data")
        service = start(tmp_path, "serve", "--config", str(config), "--data", data, udp_port=udp_port)
        started.append(service)
        return service

    yield start_it
    for service in started:
        stop(service)


@pytest.fixture
def home(start_home: Callable[[str], Service]) -> Service:
    """A home with mains, fridge and oven, each with a node."""
    return start_home(METERS)


@pytest.fixture
def empty_home(start_home: Callable[[str], Service]) -> Service:
    """A home without a meter."""
    return start_home("")


@pytest.fixture
def demo_home(tmp_path: Path) -> Iterator[Service]:
    """The demo home, which stands in where there is no config."""
    service = start(tmp_path, "serve", "--data", str(tmp_path / "data"))
    yield service
    stop(service)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page as a desktop, or as told; afterwards no error may stand in its console but those allowed."""
    errors: list[str] = []
    contexts = []

    def look_at(url: str, *, width: int = 1280, height: int = 800, scheme: str = "light", allow: str = "") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            locale="en-GB",
            timezone_id="America/New_York",
            has_touch=width < 600,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)

        def heard(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"} and not (allow and allow in message.text):
                errors.append(message.text)

        page.on("console", heard)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        expect(page.locator("[data-connection='live']")).to_be_visible()
        return page

    yield look_at
    for context in contexts:
        context.close()
    assert errors == []
