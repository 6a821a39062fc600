"""A replaced device: history goes on, and all of it can be taken back."""

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casawatt.config import load
from casawatt.model.errors import ConfigError, RegistryError, TakenError, UnknownDecisionError
from casawatt.model.meter import Cadence
from casawatt.model.ports import NEVER
from casawatt.model.reading import Reading
from casawatt.recorder.refusals import Refusal
from tests.recorder.deciding import DAY_MS, HOUR_MS, Place
from tests.recorder.homes import START_MS


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A fridge of 100 W, whose plug has counted 41 kWh, measured for a day."""
    place = Place(tmp_path)
    place.home.adopt()
    for time_ms in range(0, DAY_MS, 30_000):
        place.say(time_ms, 100.0, 41_000 + time_ms / 36_000)
    yield place
    place.close()


def measure(place: Place, address: str, from_ms: int, to_ms: int, register_wh: float) -> list[int]:
    return [
        place.say(time_ms, 200.0, register_wh + (time_ms - from_ms) / 18_000, address)
        for time_ms in range(from_ms, to_ms, 30_000)
    ]


def test_the_new_plugs_register_begins_wherever_it_stands(place: Place) -> None:
    meter = place.home.registry.meter("fridge")
    before = place.used()
    place.home.clock.advance(1000)
    rebound = place.repairs.bind(meter, "change", "a2", None, move=False)
    assert rebound.days == []
    assert rebound.bereft == []
    assert all(measure(place, "a2", DAY_MS, DAY_MS + HOUR_MS, 977_000))
    assert not place.say(DAY_MS + HOUR_MS, 100.0, 41_100, "a1")
    assert place.home.energy_wh() == pytest.approx(2400 + 200, abs=3)
    assert {start: each for start, each in place.used().items() if start < DAY_MS - 900_000} == {
        start: each for start, each in before.items() if start < DAY_MS - 900_000
    }
    place.check()


def test_what_the_old_plug_said_since_a_time_past_counts_no_more_and_undone_all_is_as_before(place: Place) -> None:
    meter = place.home.registry.meter("fridge")
    before = place.used()
    bindings, calibrations = place.home.registry.bindings(meter), place.home.registry.calibrations(meter)
    place.seal()
    rebound = place.repairs.bind(meter, "change", "a2", START_MS + 12 * HOUR_MS, move=False)
    assert sum(day.before_mwh - day.after_mwh for day in rebound.days) == pytest.approx(1_200_000, abs=2000)
    assert place.used() == place.by_those_that_measured()
    assert place.home.recorder.lines()[0].power_mw() is None
    place.check()
    measure(place, "a2", DAY_MS, DAY_MS + HOUR_MS, 5)
    assert place.used() == place.by_those_that_measured()
    undone = place.repairs.undo_bind(meter, None)
    assert undone.device is not None
    assert undone.device.address == "a1"
    assert place.used() == before
    assert place.home.registry.bindings(meter) == bindings
    assert place.home.registry.own_calibrations(meter) == calibrations
    place.check()


def test_readings_are_taken_as_the_new_source_declares_from_then_on(place: Place) -> None:
    meter = place.home.registry.meter("fridge")
    place.repairs.bind(meter, "polled", "p1", START_MS + 12 * HOUR_MS, move=False)
    found = [(each.from_ms - START_MS, each.cadence) for each in place.home.registry.own_calibrations(meter)]
    assert found == [(-START_MS, Cadence.CHANGE), (12 * HOUR_MS, Cadence.POLLED)]
    place.repairs.undo_bind(meter, None)
    assert [each.cadence for each in place.home.registry.own_calibrations(meter)] == [Cadence.CHANGE]


def test_the_old_plug_is_free_for_another_meter(place: Place) -> None:
    place.repairs.bind(place.home.registry.meter("fridge"), "change", "a2", None, move=False)
    place.home.adopt("heater", address="a1")
    assert place.say(DAY_MS + 30_000, 2000.0, 41_200, "a1")
    owner = place.home.registry.owner("change", "a1")
    assert owner is not None
    assert owner.slug == "heater"


def test_a_plug_that_measures_elsewhere_is_only_moved_when_that_is_said(place: Place) -> None:
    place.home.adopt("heater", address="a2")
    measure(place, "a2", DAY_MS, DAY_MS + HOUR_MS, 0)
    fridge, before = place.home.registry.meter("fridge"), place.used("heater")
    since_ms = START_MS + DAY_MS + HOUR_MS // 2
    with pytest.raises(TakenError, match="change a2 measures for 'heater', and would do so no longer"):
        place.repairs.bind(fridge, "change", "a2", since_ms, move=False)
    rebound = place.repairs.bind(fridge, "change", "a2", since_ms, move=True)
    assert rebound.bereft == ["heater"]
    assert {day.slug for day in rebound.days} == {"heater"}
    assert place.used("heater") == place.by_those_that_measured("heater")
    place.check()
    place.repairs.undo_bind(fridge, None)
    assert place.used("heater") == before
    place.check()


def test_a_plug_that_comes_back_from_another_meter_brings_nothing_along(place: Place) -> None:
    place.home.adopt("heater", address="a2")
    fridge, heater = (place.home.registry.meter(slug) for slug in ("fridge", "heater"))
    place.repairs.bind(heater, "change", "a1", None, move=True)
    away = [place.say(DAY_MS + minute * 60_000, 2000, 41_100 + minute * 2000 / 60, "a1") for minute in range(1, 240)]
    assert all(away)
    place.home.clock.advance(1000)
    place.repairs.bind(fridge, "change", "a1", None, move=True)
    back_ms = DAY_MS + 4 * HOUR_MS
    for time_ms in range(0, HOUR_MS, 30_000):
        place.say(back_ms + time_ms, 100.0, 49_100 + time_ms / 36_000, "a1")
    assert place.home.energy_wh("fridge") == pytest.approx(2400 + 100, abs=5)
    assert place.home.energy_wh("heater") == pytest.approx(8000, abs=80)
    place.check()
    place.seal()
    place.check()
    assert not place.home.registry.follow(fridge, place.home.registry.device("change", "a1"), START_MS + 9 * DAY_MS)


def test_a_replacement_that_makes_no_sense_is_refused_and_says_why(place: Place) -> None:
    meter, repairs = place.home.registry.meter("fridge"), place.repairs
    for source, address, at_ms, why in (
        ("change", "a1", None, "change a1 already measures for 'fridge'"),
        ("nosuch", "a2", None, "there is no source 'nosuch'"),
        ("change", "a2", START_MS + 9 * DAY_MS, "not from a time to come"),
        ("change", "a2", START_MS, "nothing of its history would be left"),
    ):
        with pytest.raises(RegistryError, match=why):
            repairs.bind(meter, source, address, at_ms, move=True)
    with pytest.raises(UnknownDecisionError, match="fridge was never given another device"):
        repairs.undo_bind(meter, None)
    first = place.home.registry.bindings(meter)[0].binding_id
    with pytest.raises(RegistryError, match="made with its first device"):
        repairs.undo_bind(meter, first)
    with pytest.raises(UnknownDecisionError, match="fridge has no binding 77"):
        repairs.undo_bind(meter, 77)
    assert len(place.home.registry.bindings(meter)) == 1


def test_a_meter_of_the_config_gets_its_device_there_too_and_back(tmp_path: Path) -> None:
    file = tmp_path / "home.toml"
    text = (
        '# Ours\n[meter.fridge]  # in the kitchen\nsource = "change"\naddress = "a1" # by the wall\n\n[source.change]\n'
    )
    file.write_text(text)
    file.chmod(0o640)
    place = Place(tmp_path / "data", load(file))
    place.home.registry.apply(load(file).meters, START_MS)
    meter = place.home.registry.meter("fridge")
    place.say(0, 100.0)
    place.say(60_000, 100.0)
    place.repairs.bind(meter, "polled", "p1", None, move=False)
    assert file.read_text() == text.replace('"change"', '"polled"', 1).replace('"a1"', '"p1"')
    assert file.stat().st_mode & 0o777 == 0o640
    assert place.home.registry.apply(load(file).meters, START_MS + DAY_MS) == []
    place.repairs.undo_bind(meter, None)
    assert file.read_text() == text
    place.close()


def test_where_the_config_cannot_say_so_nothing_is_changed(tmp_path: Path) -> None:
    file = tmp_path / "home.toml"
    file.write_text(
        '[meter.fridge]\nsource = "change"\naddress = "a1"\n[meter.tv]\nsource = "change"\naddress = "a2"\n'
    )
    place = Place(tmp_path / "data", load(file))
    place.home.registry.apply(load(file).meters, START_MS)
    place.say(0, 100.0)
    fridge, text, before = place.home.registry.meter("fridge"), file.read_text(), place.home.registry.bindings()
    with pytest.raises((ConfigError, RegistryError), match=r"meter\.tv"):
        place.repairs.bind(fridge, "change", "a2", None, move=True)
    assert file.read_text() == text
    assert place.home.registry.bindings() == before
    file.write_text("[meter.fridge")
    with pytest.raises(ConfigError, match=r"home\.toml"):
        place.repairs.bind(fridge, "change", "a3", None, move=False)
    assert place.home.registry.bindings() == before
    place.close()


said = st.tuples(st.just("say"), st.sampled_from(["a1", "a2", "a3"]), st.integers(1, 40))
bound = st.tuples(st.just("bind"), st.sampled_from(["a1", "a2", "a3"]), st.one_of(st.none(), st.integers(1, 400)))
undone = st.tuples(st.just("undo"), st.sampled_from(["fridge", "tv"]), st.integers(0, 3))


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(said, said, bound, undone), min_size=3, max_size=14), st.randoms(use_true_random=False))
def test_whatever_was_bound_and_taken_back_only_readings_of_devices_that_measured_count(
    steps: list[tuple[str, str, int | None]], chance: random.Random
) -> None:
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.home.adopt("fridge", address="a1")
        place.home.adopt("tv", address="a2")
        minute = 0
        for what, which, number in steps:
            if what == "say":
                for minute in range(minute + 1, minute + 1 + (number or 0)):  # noqa: B020 - time goes on
                    place.say(minute * 50_000, 100.0 * len(which) + minute % 7, 5.0 * minute, which)
            else:
                decide(place, what, which, number, chance)
            if chance.random() < 0.2:
                place.seal()
            if chance.random() < 0.2:
                place.home.store.flush()
                place.close()
                place = Place(Path(folder))
                place.home.clock.time_ms = max(place.home.clock.time_ms, START_MS + minute * 50_000)
        place.check()
        for slug in ("fridge", "tv"):
            assert place.used(slug) == place.by_those_that_measured(slug)
        place.close()


def decide(place: Place, what: str, which: str, number: int | None, chance: random.Random) -> None:
    """Bind or take back what can be; undone at once, everything is as it was."""
    meters = place.home.registry.meters()
    with suppress(RegistryError):  # there may be nothing to take back, and a device may measure there already
        if what == "undo":
            meter = place.home.registry.meter(which)
            later = place.home.registry.bindings(meter)[1:]
            place.repairs.undo_bind(meter, later[(number or 0) % len(later)].binding_id if later else None)
            return
        meter = chance.choice(meters)
        before = {each.slug: place.used(each.slug) for each in meters}
        from_ms = None if number is None else START_MS + number * 50_000
        place.repairs.bind(meter, "change", which, from_ms, move=True)
        if chance.random() < 0.5:
            place.repairs.undo_bind(meter, None)
            assert {each.slug: place.used(each.slug) for each in meters} == before


def test_a_bound_plug_whose_clock_was_never_set_measures_for_its_meter_all_the_same(place: Place) -> None:
    meter = place.home.registry.meter("fridge")
    place.home.clock.advance(1000)
    place.repairs.bind(meter, "change", "a2", None, move=False)
    received_ms = place.home.clock.now_ms() + 10_000
    reading = Reading(source="change", address="a2", received_ms=received_ms, time_ms=1000, power_w=50.0)
    assert place.home.recorder.put(reading) > 0
    assert place.home.registry.new_devices() == []


def test_what_a_bound_plug_said_before_it_was_bound_is_refused_and_makes_it_no_new_device(place: Place) -> None:
    meter = place.home.registry.meter("fridge")
    place.home.clock.advance(1000)
    now_ms = place.home.clock.now_ms()
    place.repairs.bind(meter, "change", "a2", None, move=False)
    early = Reading(source="change", address="a2", received_ms=now_ms, time_ms=now_ms - HOUR_MS, power_w=50.0)
    assert place.home.recorder.put(early) == NEVER
    assert place.home.registry.new_devices() == []
    assert place.home.recorder.refusals.counts == {Refusal("change", "a2", "unbound"): 1}


@pytest.mark.parametrize("stamp_ms", [9_000, 4_102_444_800_000, 1 << 62], ids=["1970", "2100", "far"])
def test_what_a_device_says_whose_clock_is_wrong_is_of_the_meter_that_it_measures_for_now(
    place: Place, stamp_ms: int
) -> None:
    now_ms = START_MS + DAY_MS
    place.home.adopt("oven", address="a2")
    place.home.clock.time_ms = now_ms
    place.repairs.bind(place.home.registry.meter("oven"), "change", "a1", now_ms, move=True)
    reading = Reading(source="change", address="a1", received_ms=now_ms, time_ms=stamp_ms, power_w=2000.0)
    assert place.home.recorder.put(reading) > 0
    line = place.home.recorder.line(place.home.registry.meter("oven").meter_id)
    assert line
    assert line.clean.newest
    assert line.clean.newest.time_ms == now_ms
