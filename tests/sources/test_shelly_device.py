"""From a device's messages, in the order they came, to readings: minutes of outages, clocks, restarts, repetitions."""

from collections.abc import Iterator
from typing import Any

import pytest

from casawatt.sources.shelly_device import ShellyDevice
from casawatt.sources.shelly_minutes import MinuteFill
from casawatt.sources.shelly_parse import Minutes
from tests.fakes.clock import START_MS
from tests.virtual_plugs.shelly_circuits import Circuit

PLUG = "shellyplugsg3-e4b063d8a1b4"
START_S = START_MS // 1000


def watts(time_ms: int) -> float:
    """Return a load that is another in every minute."""
    return 100.0 + 70.0 * ((time_ms // 60_000) % 5)


def lived(circuit: Circuit, start_ms: int, end_ms: int) -> Iterator[int]:
    """Let a circuit live second by second; yields the time after each."""
    for time_ms in range(start_ms, end_ms + 1, 1000):
        circuit.tick(time_ms)
        yield time_ms


def registers_after(
    outage_s: tuple[int, int], end_s: int = 900, *, late: bool = False
) -> tuple[dict[int, float], dict[int, float]]:
    """Return the registers (by time in s since the start) filled in, and the true ones, of a device with one outage."""
    circuit, device = Circuit(watts), ShellyDevice(PLUG, late=late)
    filled: dict[int, float] = {}
    true: dict[int, float] = {}
    was_away = False
    for now_ms in lived(circuit, START_MS, START_MS + end_s * 1000):
        second = (now_ms - START_MS) // 1000
        true[second] = circuit.used.total_wh
        changes = circuit.changes()
        if outage_s[0] <= second < outage_s[1]:
            was_away = True
            continue
        if was_away or second == 0:
            readings = device.full(circuit.status(), now_ms + 40).readings
            was_away = False
        else:
            readings = device.change({"ts": now_ms / 1000 + 0.02, **changes}, now_ms + 40).readings
        for reading in readings:
            if reading.time_ms is not None and reading.time_ms < now_ms - 1000:
                assert reading.register_wh is not None
                assert reading.power_w is None
                filled[(reading.time_ms - START_MS) // 1000] = reading.register_wh
    return filled, true


@pytest.mark.parametrize(
    ("outage_s", "minutes"),
    [
        ((250, 255), []),
        ((250, 310), []),
        ((250, 335), [300]),
        ((250, 370), [300, 360]),
        ((250, 419), [300, 360]),
        ((301, 421), [360]),
        ((250, 490), [300, 360, 420, 480]),
        ((250, 700), [480, 540, 600, 660]),
    ],
)
def test_the_minutes_of_an_outage_come_from_what_the_device_remembers(
    outage_s: tuple[int, int], minutes: list[int]
) -> None:
    filled, true = registers_after(outage_s)
    assert [second for second in minutes if second not in filled] == []
    assert {second for second in filled if not outage_s[0] < second < outage_s[1]} == set()
    assert {second: abs(wh - true[second]) < 0.002 for second, wh in filled.items()} == dict.fromkeys(filled, True)
    ordered = [filled[second] for second in sorted(filled)]
    assert ordered == sorted(ordered)


def test_the_minutes_of_an_outage_are_filled_over_a_broker_too() -> None:
    filled, true = registers_after((250, 370), late=True)
    assert {second: abs(wh - true[second]) < 0.002 for second, wh in filled.items()} == {300: True, 360: True}


def test_only_a_message_right_after_a_full_minute_tells_the_register_at_it() -> None:
    fill = MinuteFill()
    minutes = Minutes(START_S + 120, (5.0, 4.0, 3.0))
    fill.take(START_MS, 100.0, None, 0)
    assert fill.take(START_MS + 145_000, 114.0, minutes, 0) == []
    ticked = Minutes(START_S + 180, (6.0, 5.0, 4.0))
    assert fill.take(START_MS + 180_020, 115.0, ticked, 0) == [(START_MS + 60_000, 104.0), (START_MS + 120_000, 109.0)]
    assert fill.take(START_MS + 240_020, 116.0, ticked._replace(minute_s=START_S + 240), 0) == []


def test_minutes_that_contradict_the_registers_are_left_out() -> None:
    fill = MinuteFill()
    fill.take(START_MS, 112.0, None, 0)
    assert fill.take(START_MS + 180_020, 115.0, Minutes(START_S + 180, (6.0, 5.0, 4.0)), 0) == []


def test_minutes_are_told_by_the_devices_clock_and_recorded_by_ours() -> None:
    fill = MinuteFill()
    fill.take(START_MS - 40_000, 100.0, None, 40_000)
    ticked = Minutes(START_S + 180, (6.0, 5.0, 4.0))
    assert fill.take(START_MS + 140_020, 115.0, ticked, 40_000) == [
        (START_MS + 20_000, 104.0),
        (START_MS + 80_000, 109.0),
    ]


def status(uptime_s: int, total_wh: float, **more: Any) -> dict[str, Any]:
    circuit = {"id": 0, "apower": 50.0, "aenergy": {"total": total_wh, **more}}
    return {"switch:0": circuit, "sys": {"uptime": uptime_s, "unixtime": START_S}}


def test_minutes_from_before_a_restart_are_not_filled() -> None:
    device = ShellyDevice(PLUG)
    device.full(status(1000, 100.0), START_MS)
    ticked = {"by_minute": [6000, 5000, 4000], "minute_ts": START_S + 180}
    restarted = {"ts": START_S + 180.02, **status(20, 115.0, **ticked)}
    assert len(device.full(restarted, START_MS + 180_030).readings) == 1


def test_the_boot_id_changes_with_a_start_and_with_nothing_else() -> None:
    device = ShellyDevice(PLUG)
    boots = []
    starts = [(1000, 0), (1010, 10_900), (1059, 60_100), (3, 90_000), (4, 91_999), (63, 150_500), (2, 230_000)]
    for uptime_s, later_ms in starts:
        (reading,) = device.full(status(uptime_s, 100.0), START_MS + later_ms).readings
        boots.append(reading.boot_id)
    assert boots[:3] == [boots[0]] * 3
    assert boots[3:6] == [boots[3]] * 3
    assert len(set(boots)) == 3


@pytest.mark.parametrize(
    ("late", "ts_s", "expected_ms"),
    [
        (False, START_S + 0.5, START_MS + 500),
        (False, START_S - 60.0, START_MS),
        (False, START_S + 60.0, START_MS),
        (False, 1.61, START_MS),
        (True, START_S + 0.5, START_MS + 500),
        (True, START_S - 3600.0, START_MS - 3_600_000),
        (True, START_S + 60.0, START_MS),
        (True, 1.61, START_MS),
    ],
)
def test_a_stamp_is_believed_if_it_can_be_true(late: bool, ts_s: float, expected_ms: int) -> None:
    device = ShellyDevice(PLUG, late=late)
    (reading,) = device.change({"ts": ts_s, "switch:0": {"apower": 5.0}}, START_MS).readings
    assert (reading.time_ms, reading.received_ms) == (expected_ms, START_MS)


def test_a_register_never_seems_to_fall_where_stamps_and_arrivals_mix() -> None:
    device = ShellyDevice(PLUG)
    (answer,) = device.full(status(1000, 100.0), START_MS).readings
    behind = {"ts": START_S - 1.2, "switch:0": {"aenergy": {"total": 100.1}}}
    (change,) = device.change(behind, START_MS + 300).readings
    assert answer.time_ms is not None
    assert change.time_ms is not None
    assert change.time_ms >= answer.time_ms


def test_what_a_broker_sends_again_changes_nothing() -> None:
    device = ShellyDevice(PLUG, late=True)
    first = {"ts": START_S + 1.0, "switch:0": {"apower": 100.0, "current": 0.43}}
    second = {"ts": START_S + 2.0, "switch:0": {"apower": 0.0, "current": 0.0}}
    assert [len(device.change(each, START_MS + 2000).readings) for each in (first, second, first)] == [1, 1, 0]
    (again,) = device.change(second, START_MS + 2000).readings
    assert (again.time_ms, again.power_w) == (START_MS + 2000, 0.0)


def test_one_component_that_cannot_be_does_not_take_the_others_with_it() -> None:
    device = ShellyDevice(PLUG)
    taken = device.full({"switch:0": 5, "switch:1": {"apower": 7.0}, "pm1:0": {"apower": "x"}}, START_MS)
    assert [reading.address for reading in taken.readings] == [f"{PLUG}/switch:1"]
    assert [(fault.cause, str(fault)) for fault in taken.faults] == [
        ("format", "switch:0 is 5, no object"),
        ("number", "pm1:0: apower is 'x', no number"),
    ]
    assert [fault.cause for fault in device.full({"sys": 1}, START_MS).faults] == ["format"]
    assert [fault.cause for fault in device.change({"ts": "now"}, START_MS).faults] == ["number"]
