"""The limiter and alarms while readings come in: events, what to stop, silence, late readings, restarts."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.model.alarm import Alarm
from casawatt.model.event import Event
from casawatt.model.reading import Reading
from casawatt.model.supply import PRESETS, limiter_of
from casawatt.recorder.power_watch import PowerWatch, Watched
from casawatt.registry import Adoption
from tests.recorder.homes import START_MS, TestHome, home_in

ROME = ZoneInfo("Europe/Rome")
ITALY = limiter_of(PRESETS["italy"], 3000, 900)
OVEN_ON = Alarm("oven-on", "oven", 800_000, 30_000, 760_000, 20_000)


class Watching:
    """A home whose mains and appliances speak when told to, and what was told of them."""

    def __init__(self, home: TestHome, meter: str | None = None) -> None:
        self.home = home
        self.told: list[Event] = []
        watched = Watched(ITALY, meter, (OVEN_ON,), ROME)
        self.watch = PowerWatch(home.store, home.registry, home.recorder, watched)
        self.watch.on_event = self.hear
        self.watch.tick()

    def hear(self, event: Event) -> None:
        self.told.append(event)
        assert self.home.store.book.events.append(event) is not None, "it was told before"

    def at(self, time_s: float, **power_w: float | None) -> None:
        """Let meters say their power, the mains last, and the time be looked at."""
        self.home.clock.time_ms = START_MS + round(time_s * 1000)
        for slug, value in sorted(power_w.items(), key=lambda each: each[0] == "mains"):
            self.home.put(round(time_s * 1000), value, address=slug)
        self.watch.tick()

    def brief(self) -> list[tuple[str, str, float]]:
        """Return what was told, in order of time: type, alarm or tier, seconds."""
        told = sorted(self.told, key=lambda each: each.time_ms)
        return [
            (each.type.removeprefix("casawatt."), str(name_of(each)), (each.time_ms - START_MS) / 1000) for each in told
        ]


def name_of(event: Event) -> object:
    return event.data.get("alarm") or event.data.get("tier")


def adopt(home: TestHome) -> None:
    for slug, kind, parent in (
        ("mains", "mains", None),
        ("oven", "oven", "mains"),
        ("dryer", "dryer", "mains"),
        ("fridge", "fridge", "mains"),
    ):
        home.registry.adopt(Adoption(slug, slug, "change", slug, kind, parent), START_MS)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[TestHome]:
    with home_in(tmp_path) as home:
        adopt(home)
        yield home


def test_going_over_is_told_with_what_to_stop_and_so_is_its_end(home: TestHome) -> None:
    watching = Watching(home)
    watching.at(0, mains=500, oven=2, dryer=3, fridge=120)
    watching.at(10, mains=4700, oven=2000, dryer=2200)
    watching.at(23)
    over, warning = watching.told
    assert over.event_id == f"mains/casawatt.power.over/supply/2/{START_MS + 20_000}"
    assert over.data["trip_in_s"] == 110
    assert warning.data == {
        "power_w": 4700.0,
        "tier": 2,
        "above_w": 3990.0,
        "trip_in_s": 110.0,
        "unknown_s": 0.0,
        "safe_w": 3300.0,
        "stop": [{"meter": "oven", "power_w": 2000.0}],
        "enough": True,
    }
    watching.at(50, mains=2700, oven=0)
    watching.at(120, mains=2700, oven=0)
    assert [each for each in watching.brief() if each[1] != "oven-on"][2:] == [("power.normal", "None", 110)]


def test_the_supply_counts_down_at_any_moment(home: TestHome) -> None:
    watching = Watching(home)
    watching.at(0, mains=500)
    watching.at(10, mains=4500, oven=2000)
    watching.at(45)
    now = watching.watch.supply()
    assert (now.power_mw, now.trip_in_ms, now.tier, now.safe_mw, now.due_ms) == (4_500_000, 85_000, 1, 3_300_000, None)
    assert now.stop is not None
    assert [each.meter for each in now.stop.meters] == ["oven"]
    assert [each.left_ms for each in now.tiers] == [10_765_000, 85_000]


def test_a_silent_mains_has_no_countdown_and_that_is_said(home: TestHome) -> None:
    watching = Watching(home)
    watching.at(0, mains=500)
    watching.at(10, mains=3500)
    watching.at(300)
    now = watching.watch.supply()
    assert (now.power_mw, now.trip_in_ms, now.stop) == (None, None, None)
    assert now.why == "the mains has said no power for 230 s longer than one holds, so there is no countdown"
    assert now.tiers[0].above_ms == 60_000
    watching.at(301, mains=3500)
    now = watching.watch.supply()
    assert now.trip_in_ms == 10_800_000 - 60_000
    assert now.tiers[0].unknown_ms == 231_000
    assert now.why == "231 s of the time that counts were not measured: it may act earlier by as much"


def test_a_restart_forgets_nothing_and_tells_nothing_twice(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        adopt(home)
        watching = Watching(home)
        watching.at(0, mains=500)
        for time_s in range(30, 10_000, 30):
            watching.at(time_s, mains=3500, oven=900)
        assert watching.brief() == [("power.over", "1", 40), ("power.over", "oven-on", 60), ("trip.warning", "1", 9930)]
        home.seal()
        home.store.flush()
    with home_in(tmp_path) as home:
        home.clock.time_ms = START_MS + 9_990_000
        again = Watching(home)
        assert again.watch.supply().trip_in_ms == 10_830_000 - 9_990_000
        for time_s in range(10_020, 10_410, 30):
            again.at(time_s, mains=3500, oven=900)
        assert again.brief() == [("trip.warning", "1", 10_380)]
        again.at(10_420, mains=300, oven=0)
        again.at(10_480, mains=300, oven=0)
        again.at(10_490)
        assert again.brief()[1:] == [("power.normal", "oven-on", 10_440), ("power.normal", "None", 10_480)]


def test_what_ended_while_the_service_was_off_is_told_as_over(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        adopt(home)
        watching = Watching(home)
        watching.at(0, mains=500)
        watching.at(10, mains=4500)
        watching.at(40)
        assert [each.type for each in watching.told] == ["casawatt.power.over", "casawatt.trip.warning"]
        home.store.flush()
    with home_in(tmp_path) as home:
        home.clock.time_ms = START_MS + 86_400_000
        again = Watching(home)
        again.at(86_400, mains=400)
        again.at(86_450, mains=400)
        again.at(86_470)
        assert again.brief() == [("power.normal", "None", 86_460)]


def test_late_readings_correct_the_count_and_tell_nothing_of_the_past(home: TestHome) -> None:
    watching = Watching(home)
    watching.at(0, mains=500)
    watching.at(300, mains=400)
    watching.at(310)
    for time_s in range(60, 290, 10):
        home.put(time_s * 1000, 6000.0, address="mains")
    home.recorder.settle()
    watching.at(321)
    assert watching.told == []
    # A node that could not reach us: what it kept comes in at once, and the last of it still holds.
    home.clock.time_ms = START_MS + 500_000
    watching.watch.tick()
    for time_s in range(340, 500, 10):
        home.put(time_s * 1000, 3600.0, address="mains")
    watching.at(515)
    assert watching.watch.supply().tiers[0].above_ms == 175_000
    watching.at(520, mains=3600)
    watching.at(533)
    assert [each[0] for each in watching.brief()] == ["power.over"]
    assert watching.told[0].time_ms >= START_MS + 500_000


def test_what_comes_in_late_of_before_is_counted(home: TestHome) -> None:
    watching = Watching(home)
    watching.at(0, mains=500)
    watching.at(50, mains=3500)
    watching.at(62)
    assert watching.watch.supply().tiers[0].above_ms == 12_000
    home.put(20_000, 3600.0, address="mains")
    home.recorder.settle()
    watching.at(75)
    assert watching.watch.supply().tiers[0].above_ms == 55_000
    assert [each[0] for each in watching.brief()] == ["power.over"]


def test_a_meter_that_others_are_part_of_is_no_appliance_to_stop(home: TestHome) -> None:
    home.registry.adopt(Adoption("kitchen", "kitchen", "change", "kitchen", None, "mains"), START_MS)
    home.registry.adopt(Adoption("kettle", "kettle", "change", "kettle", "kettle", "kitchen"), START_MS)
    watching = Watching(home)
    watching.at(0, mains=4500, oven=2300, kitchen=1400, kettle=1400)
    stop = watching.watch.supply().stop
    assert stop is not None
    assert [each.meter for each in stop.meters] == ["kettle"]


def test_a_reading_that_is_set_aside_is_not_believed(home: TestHome) -> None:
    watching = Watching(home)
    watching.at(0, mains=500)
    watching.at(10, mains=90_000)
    watching.at(30)
    assert (watching.told, watching.watch.supply().power_mw) == ([], 500_000)


def test_an_alarm_watches_any_meter(home: TestHome) -> None:
    watching = Watching(home)
    watching.at(0, oven=900)
    watching.at(33)
    (event,) = watching.told
    assert (event.subject, event.type) == ("oven", "casawatt.power.over")
    assert (event.data["alarm"], event.data["above_w"], event.data["tier"]) == ("oven-on", 800.0, None)
    (alarm,) = watching.watch.alarms()
    assert (alarm.over, alarm.on, alarm.power_mw) == (True, True, 900_000)


def test_without_a_meter_of_the_mains_it_is_said_why_nothing_is_watched(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        now = Watching(home).watch.supply()
        assert (now.meter, now.why) == (
            None,
            "no meter measures the mains alone: write [supply] meter, or appliance = 'mains' for one",
        )
        now = Watching(home, "house").watch.supply()
        assert now.why == "there is no meter 'house', which [supply] names"
        (alarm,) = Watching(home).watch.alarms()
        assert alarm.missing


def test_a_meter_that_is_adopted_while_it_runs_is_watched_from_then_on(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        watching = Watching(home)
        adopt(home)
        watching.at(0, mains=5000)
        watching.at(20)
        assert [each[0] for each in watching.brief()] == ["power.over", "trip.warning"]
        assert watching.watch.supply().why == "the mains was not measured just before it went over: it may act earlier"


def test_a_device_that_says_its_power_only_now_and_then_keeps_it_meanwhile(home: TestHome) -> None:
    watching = Watching(home)
    watching.at(0, mains=4500)
    at_ms = START_MS + 15_000
    home.recorder.put(Reading(source="change", address="mains", received_ms=at_ms, time_ms=at_ms, voltage_v=228.0))
    watching.at(40)
    assert watching.watch.supply().trip_in_ms == 80_000
