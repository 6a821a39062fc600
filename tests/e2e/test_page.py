"""The page against a real service: what a person sees when something happens at home."""

import json
import re
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.accessibility import findings
from tests.e2e.service import FRIDGE, MAINS, OVEN, Service, stop

Look = Callable[..., Page]


def row(page: Page, slug: str) -> Locator:
    """Return a meter's row in the list."""
    return page.locator(f"[data-meter='{slug}']")


def power(page: Page, slug: str) -> Locator:
    """Return the power in a meter's row."""
    return row(page, slug).locator("[data-power]")


def post(url: str, body: object) -> dict[str, object]:
    """Post JSON and return the answer."""
    request = urllib.request.Request(  # noqa: S310 - the address is the service's own
        url, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310 - as above
        answer: dict[str, object] = json.load(response)
        return answer


def record_an_hour(service: Service, slug: str, *, ended_minutes_ago: int, power_w: float) -> None:
    """Let the meter have been measured for an hour, every ten seconds."""
    end = datetime.now(UTC) - timedelta(minutes=ended_minutes_ago)
    end_ms = round(end.timestamp()) * 1000
    times = list(range(end_ms - 3_600_000, end_ms, 2_000))
    report = post(
        f"{service.url}/api/v1/meters/{slug}/readings",
        {"time_ms": times, "power_w": [power_w] * len(times)},
    )
    assert report["recorded"] == len(times)


def test_a_packet_changes_the_power_on_the_page_without_a_reload(home: Service, look: Look) -> None:
    home.send_v1(FRIDGE, 1.0)
    page = look(home.url)
    expect(power(page, "fridge")).to_have_text(re.compile(r"^230\s*W$"))
    page.evaluate("window.stillTheSamePage = true")
    home.send_v1(FRIDGE, 2.0)
    expect(power(page, "fridge")).to_have_text(re.compile(r"^460\s*W$"))
    home.send_v1(FRIDGE, 5.0)
    expect(power(page, "fridge")).to_have_text(re.compile(r"^1\.15\s*kW$"))
    assert page.evaluate("window.stillTheSamePage") is True


def test_the_mains_is_the_total_and_what_uses_most_stands_first(home: Service, look: Look) -> None:
    page = look(home.url)
    home.send_v1(FRIDGE, 0.4)
    home.send_v1(OVEN, 4.0, appliance=6)
    home.send_v1(MAINS, 5.0)
    expect(page.locator("[data-focus-power]")).to_contain_text(re.compile(r"1\.15\s*kW"))
    expect(page.locator("[data-meter]").first).to_have_attribute("data-meter", "oven")
    expect(row(page, "mains")).to_have_count(0)


def test_a_new_device_is_adopted_with_a_click_and_then_shows_its_power(home: Service, look: Look) -> None:
    page = look(home.url)
    stranger = "5c:cf:7f:00:00:99"
    home.send_v1(stranger, 1.0, appliance=1)
    device = page.locator(f"[data-device='{stranger}']")
    expect(device).to_contain_text("Washing machine")
    device.get_by_role("button", name="Add as meter").click()
    expect(device.get_by_label("Name", exact=True)).to_have_value("Washing machine")
    expect(device.get_by_label("Short name")).to_have_value("washing-machine")
    assert findings(page) == []
    device.get_by_role("button", name="Add meter").click()
    expect(row(page, "washing-machine")).to_be_visible()
    expect(device).to_have_count(0)
    home.send_v1(stranger, 2.0, appliance=1)
    expect(power(page, "washing-machine")).to_have_text(re.compile(r"^460\s*W$"))


def test_many_new_devices_stand_still_and_do_not_bury_the_meters(home: Service, look: Look) -> None:
    page = look(home.url)
    strangers = [f"5c:cf:7f:00:01:{number:02}" for number in range(8)]
    for stranger in reversed(strangers):
        home.send_v1(stranger, 1.0)
    expect(page.get_by_role("heading", name="8 new devices")).to_be_visible()
    devices = page.locator("[data-device]")
    home.send_v1(strangers[7], 2.0)
    home.send_v1(strangers[2], 3.0)
    expect(page.locator(f"[data-device='{strangers[2]}']")).to_contain_text("3.00")
    assert [each.get_attribute("data-device") for each in devices.all()] == strangers[:5]
    page.get_by_role("button", name="Show all 8").click()
    assert [each.get_attribute("data-device") for each in devices.all()] == strangers


def test_the_parts_of_a_meter_s_line_stand_apart(home: Service, look: Look) -> None:
    record_an_hour(home, "fridge", ended_minutes_ago=0, power_w=120.0)
    page = look(home.url)
    home.send_v1(FRIDGE, 0.4)
    expect(row(page, "fridge")).to_contain_text(re.compile(r"today \d+% measured"))


def test_a_name_that_is_taken_is_said_in_the_form(home: Service, look: Look) -> None:
    page = look(home.url, allow="409")
    home.send_v1("5c:cf:7f:00:00:99", 1.0)
    page.get_by_role("button", name="Add as meter").click()
    page.get_by_label("Short name").fill("Not a slug!")
    page.get_by_role("button", name="Add meter").click()
    expect(page.locator("[data-error='slug']")).to_be_visible()
    page.get_by_label("Short name").fill("fridge")
    page.get_by_role("button", name="Add meter").click()
    expect(page.locator("[data-error]")).to_contain_text("fridge")


def test_a_home_without_meters_says_how_to_begin_and_then_shows_the_first_device(
    empty_home: Service, look: Look
) -> None:
    page = look(empty_home.url)
    expect(page.locator("[data-empty]")).to_contain_text("printf")
    assert findings(page) == []
    empty_home.send_v1(FRIDGE, 1.0)
    expect(page.locator(f"[data-device='{FRIDGE}']")).to_be_visible()
    expect(page.locator("[data-empty]")).to_have_count(0)


def test_a_meter_that_was_never_heard_shows_no_power(home: Service, look: Look) -> None:
    page = look(home.url)
    expect(row(page, "oven").locator("[data-silent]")).to_have_text("Not heard yet")
    expect(power(page, "oven")).to_have_text(re.compile(r"^–\s*W$"))


def test_a_meter_that_falls_silent_says_since_when(home: Service, look: Look) -> None:
    page = look(home.url)
    home.send_v1(FRIDGE, 1.0)
    expect(power(page, "fridge")).to_have_text(re.compile(r"^230\s*W$"))
    silent = row(page, "fridge").locator("[data-silent]")
    expect(silent).to_have_text(re.compile(r"^Silent since \d\d:\d\d$"), timeout=30_000)
    expect(power(page, "fridge")).to_have_text(re.compile(r"^–\s*W$"))


def test_the_curve_of_the_day_has_the_minutes_that_were_measured(home: Service, look: Look) -> None:
    record_an_hour(home, "fridge", ended_minutes_ago=60 * 24 + 10, power_w=120.0)
    page = look(home.url)
    row(page, "fridge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kitchen fridge")
    measured = 0
    for _ in range(3):
        page.get_by_role("link", name="Previous day").click()
        curve = page.locator("[data-points]")
        expect(curve.locator("canvas")).to_be_visible()
        expect(page.get_by_text("Loading the day")).to_have_count(0)
        measured += int(curve.get_attribute("data-points") or 0)
    assert measured in range(60, 62)
    page.get_by_role("link", name="Back to today").click()
    expect(page.get_by_role("heading", level=2, name="Today")).to_be_visible()


def test_a_live_reading_is_added_to_the_curve(home: Service, look: Look) -> None:
    page = look(f"{home.url}/#/meter/fridge")
    curve = page.locator("[data-points]")
    expect(curve).to_have_attribute("data-points", "0")
    home.send_v1(FRIDGE, 1.0)
    expect(curve).not_to_have_attribute("data-points", "0")


def test_the_curve_is_read_with_the_keyboard(home: Service, look: Look) -> None:
    page = look(f"{home.url}/#/meter/fridge")
    home.send_v1(FRIDGE, 1.0)
    curve = page.get_by_role("slider")
    expect(curve).not_to_have_attribute("data-points", "0")
    curve.focus()
    page.keyboard.press("End")
    expect(curve).to_have_attribute("aria-valuetext", re.compile(r"\d\d:\d\d, 230\s*W"))


def test_a_lost_connection_is_said_and_what_is_older_is_dimmed(home: Service, look: Look) -> None:
    page = look(home.url, allow="net::ERR_")
    stop(home)
    expect(page.locator("[data-notice='lost']")).to_contain_text("No connection")
    expect(page.locator("[data-connection='lost']")).to_be_visible()
    expect(page.locator(".list-part.stale")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_every_size_and_colour_is_whole_and_accessible(home: Service, look: Look, scheme: str, width: int) -> None:
    home.send_v1(FRIDGE, 1.0)
    home.send_v1(MAINS, 4.0)
    home.send_v1("5c:cf:7f:00:00:99", 1.0)
    page = look(home.url, width=width, height=844, scheme=scheme)
    expect(page.locator("[data-device]")).to_be_visible()
    expect(power(page, "fridge")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert findings(page) == []
    row(page, "fridge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kitchen fridge")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert findings(page) == []


def test_the_choice_of_colours_is_remembered(home: Service, look: Look) -> None:
    page = look(home.url)
    button = page.get_by_role("button", name="Colours")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    button.click()
    assert page.evaluate(background) == light
    button.click()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    expect(button).to_have_accessible_name("Colours: dark")
    assert page.evaluate(background) == dark


def test_the_page_asks_nothing_of_other_servers(home: Service, look: Look) -> None:
    asked: list[str] = []
    page = look(home.url)
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.locator("[data-connection='live']")).to_be_visible()
    assert asked
    assert [url for url in asked if not url.startswith(home.url)] == []


def test_the_demo_home_is_live_and_says_that_it_is_a_demo(demo_home: Service, look: Look) -> None:
    page = look(demo_home.url)
    expect(page.locator("[data-demo]")).to_be_visible()
    total = page.locator("[data-focus-power]")
    expect(total).to_have_text(re.compile(r"\d"))
    expect(page.locator("[data-points]")).not_to_have_attribute("data-points", "0")
    before = total.inner_text()
    expect(total).not_to_have_text(before, timeout=60_000)
    assert findings(page) == []
