"""What was set aside, on the page against a real service: shown, counted after all, and undone."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.accessibility import findings
from tests.e2e.service import Service
from tests.e2e.test_page import post

Look = Callable[..., Page]


def record_yesterday(service: Service) -> None:
    """Let the fridge have used 120 W from noon to one, with a jump of its register and a spike of its power."""
    noon = (datetime.now(ZoneInfo("Europe/Rome")) - timedelta(days=1)).replace(
        hour=12, minute=0, second=0, microsecond=0
    )
    start_ms = round(noon.timestamp()) * 1000
    times = list(range(start_ms, start_ms + 3_600_000, 2_000))
    power_w = [120.0] * len(times)
    register_wh = [41_000 + 120 * (time_ms - start_ms) / 3_600_000 for time_ms in times]
    power_w[600] = 812_345.0
    register_wh[900] += 60_000
    body = {"time_ms": times, "power_w": power_w, "register_wh": register_wh}
    assert post(f"{service.url}/api/v1/meters/fridge/readings", body)["recorded"] == len(times)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_reading_that_was_set_aside_can_be_counted_and_that_can_be_undone(
    home: Service, look: Look, width: int, scheme: str
) -> None:
    record_yesterday(home)
    page = look(f"{home.url}/#/meter/fridge", width=width, scheme=scheme)
    expect(page.locator("[data-points='0']")).to_be_visible()
    expect(page.locator("[data-aside]")).to_have_count(0)
    page.get_by_role("link", name="Previous day").click()
    aside = page.locator("[data-aside]")
    expect(aside.get_by_role("heading")).to_have_text("2 readings set aside on this day")
    expect(aside).to_contain_text("812.3 kW, more than can flow here")
    expect(aside).to_contain_text("60.00 kWh too high")
    expect(page.get_by_text("Peak 120 W")).to_be_visible()  # neither is drawn
    expect(page.locator("[data-focus-energy]")).to_have_text(re.compile(r"^0\.12\s*kWh$"))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert findings(page) == []
    aside.get_by_role("button", name="Count the reading of 12:30:00").click()
    said = page.locator("[data-aside-said]")
    expect(said).to_have_text(re.compile(r"^This day is now 60\.12\s*kWh, it was 0\.12\s*kWh\.$"))
    expect(aside.get_by_role("heading")).to_have_text("1 reading set aside on this day")
    expect(aside.get_by_role("heading")).to_be_focused()
    expect(page.locator("[data-focus-energy]")).to_have_text(re.compile(r"^60\.12\s*kWh$"))
    assert findings(page) == []
    aside.get_by_role("button", name="Undo: Counted although it was set aside: 12:30:00").click()
    expect(said).to_have_text(re.compile(r"^This day is now 0\.12\s*kWh, it was 60\.12\s*kWh\.$"))
    expect(aside.get_by_role("heading")).to_have_text("2 readings set aside on this day")
    expect(page.locator("[data-focus-energy]")).to_have_text(re.compile(r"^0\.12\s*kWh$"))
