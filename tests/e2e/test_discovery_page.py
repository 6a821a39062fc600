"""Looking for devices on the page, at a serial port with a meter."""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.accessibility import findings
from tests.e2e.service import CONFIG, FRIDGE, METERS, Service, free_udp_port, start, stop
from tests.virtual_plugs.mcee import VirtualMcee

Look = Callable[..., Page]
StartHome = Callable[[str], Service]


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[VirtualMcee]:
    with VirtualMcee(tmp_path / "dev" / "serial" / "by-id" / "usb-FTDI_A50285BI-if00-port0") as meter:
        yield meter


@pytest.fixture
def start_beside(tmp_path: Path, meter: VirtualMcee, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartHome]:
    """Start a service, with further sections in its config, on the machine that the meter is plugged into."""
    assert meter.device.exists()
    monkeypatch.setenv("TEST_DEVICES", str(tmp_path / "dev"))
    started: list[Service] = []

    def start_it(sections: str) -> Service:
        udp_port = free_udp_port()
        config = tmp_path / "casawatt.toml"
        config.write_text(CONFIG.format(port=udp_port) + sections, encoding="utf-8")
        options = ("serve", "--config", str(config), "--data", str(tmp_path / "data"))
        service = start(tmp_path, *options, udp_port=udp_port, module="tests.home_with_adapters")
        started.append(service)
        return service

    yield start_it
    for service in started:
        stop(service)


def panel(page: Page) -> Locator:
    return page.locator("[data-discovery]")


def searched(page: Page) -> Locator:
    """Wait until the search has ended, and return the panel."""
    expect(page.locator("[data-discovery='done']")).to_be_visible(timeout=30_000)
    return panel(page)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_an_empty_home_finds_its_meter_and_the_lines_to_add_it(
    start_beside: StartHome, meter: VirtualMcee, look: Look, width: int, scheme: str
) -> None:
    page = look(start_beside("").url, width=width, height=844, scheme=scheme)
    page.get_by_role("button", name="Look for devices").focus()
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", name="Looking for devices")).to_be_focused()
    expect(panel(page).get_by_role("status")).to_contain_text("Asking")
    found = searched(page).locator(f"[data-found='{meter.link}']")
    expect(panel(page).get_by_role("status")).to_have_text("1 found.")
    expect(found).to_contain_text("Mains")
    expect(found).to_contain_text("MCEE · mcee_serial")
    found.get_by_text("How to add it").focus()
    page.keyboard.press("Enter")
    expect(found.locator("pre")).to_contain_text(f'[source.mcee_serial]\nport = "{meter.link}"')
    expect(found.locator("pre")).to_contain_text('[meter.mains]\nname = "Mains"')
    expect(panel(page).locator("[data-failed='no_such_source']")).to_contain_text("No module named")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert findings(page) == []
    assert meter.unexpected == b""


def test_a_search_that_finds_nothing_says_what_may_be_wrong_and_can_be_closed(
    start_beside: StartHome, meter: VirtualMcee, look: Look
) -> None:
    meter.unplug()
    page = look(start_beside("").url)
    page.get_by_role("button", name="Look for devices").click()
    expect(searched(page)).to_contain_text("None found.")
    expect(panel(page)).to_contain_text("on the same network")
    assert findings(page) == []
    panel(page).get_by_role("button", name="Close").click()
    expect(panel(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Look for devices")).to_be_focused()


def test_a_device_that_is_read_but_was_not_heard_yet_is_made_a_meter_in_the_panel(
    start_beside: StartHome, meter: VirtualMcee, look: Look
) -> None:
    meter.next_answers.extend(itertools.repeat([], 10_000))
    page = look(
        start_beside(f'{METERS}[source.mcee_serial]\nport = "{meter.link}"\npoll_s = 0.5\nanswer_timeout_s = 0.2').url
    )
    page.get_by_role("button", name="Look for devices").click()
    found = searched(page).locator(f"[data-found='{meter.link}']")
    found.get_by_role("button", name="Add as meter").click()
    expect(found.get_by_label("Name", exact=True)).to_have_value("Mains")
    expect(found.get_by_label("Short name")).to_have_value("mains-2")
    assert findings(page) == []
    found.get_by_label("Name", exact=True).fill("Second meter")
    found.get_by_role("button", name="Add meter").click()
    expect(found.get_by_role("link", name="Second meter")).to_be_visible()
    meter.next_answers.clear()
    power = page.locator("[data-meter='second-meter'] [data-power]")
    expect(power).to_have_text(re.compile(r"^230\s*W$"))


def test_what_is_a_new_device_already_is_not_shown_twice(
    start_beside: StartHome, meter: VirtualMcee, look: Look
) -> None:
    service = start_beside(f'{METERS}[source.mcee_serial]\nport = "{meter.link}"\npoll_s = 1\nanswer_timeout_s = 0.5')
    service.send_v1(FRIDGE, 1.0)
    page = look(service.url)
    expect(page.locator("[data-device='mcee']")).to_be_visible()
    page.get_by_role("button", name="Look for devices").click()
    expect(searched(page).get_by_role("status")).to_have_text("1 beside the new ones above.")
    fridge = panel(page).get_by_role("listitem").filter(has_text="Kitchen fridge")
    expect(fridge.get_by_role("link", name="Kitchen fridge")).to_be_visible()
    expect(panel(page).locator(f"[data-found='{meter.link}']")).to_have_count(0)
