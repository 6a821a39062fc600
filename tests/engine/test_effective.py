"""What a meter's readings are counted by: at each instant what was decided about it."""

from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.engine.calibrations import calibration_at
from casawatt.engine.effective import effective
from casawatt.model.dated import Action, Correction, DatedCalibration
from casawatt.model.meter import NEVER_MS, Binding, Cadence, Calibration, Device, Manner

AT_ONCE = Manner(Cadence.POLLED, 30_000, 5_000_000)
PLUGS = Device(1, "nodes", "a1"), Device(2, "nodes", "a2")

times = st.integers(0, 40)
corrections = st.lists(
    st.builds(
        lambda action, start, length: Correction(0, 1, action, start, start + length, 0),
        st.sampled_from(Action),
        times,
        st.integers(1, 10),
    ),
    max_size=6,
)
displaced = st.lists(
    st.builds(
        lambda device, start, length: (device, (start, start + length)), st.integers(1, 3), times, st.integers(1, 9)
    ),
    max_size=5,
)
stored = st.lists(st.integers(1, 40), max_size=4, unique=True).map(
    lambda dates: [
        DatedCalibration(Calibration(date, 230_000 + date % 2, limit_mw=7_000_000), made_ms=date)
        for date in [0, *sorted(dates)]
    ]
)
bindings = st.lists(st.integers(0, 40), max_size=3, unique=True).map(
    lambda dates: [
        Binding(
            number, 1, PLUGS[number % 3 == 1], start, end, made_ms=start + 5, manner=AT_ONCE if number % 2 else None
        )
        for number, (start, end) in enumerate(
            zip(sorted(dates), [*sorted(dates)[1:], None], strict=False) if dates else ()
        )
    ]
)


def told(
    stored: list[DatedCalibration],
    bindings: list[Binding],
    corrections: list[Correction],
    displaced: list[tuple[int, tuple[int, int]]],
    at_ms: int,
) -> Calibration:
    """Return what holds at one instant, told from the beginning."""
    dated = [each for each in stored if each.calibration.from_ms <= at_ms][-1]
    found = dated.calibration
    for binding in bindings:
        holds = binding.from_ms <= at_ms and (binding.to_ms is None or at_ms < binding.to_ms)
        if holds and binding.manner and binding.made_ms > dated.made_ms:
            found = msgspec.structs.replace(found, **msgspec.structs.asdict(binding.manner))
    actions = {each.action for each in corrections if each.from_ms <= at_ms < each.to_ms}
    came_back = [
        later.from_ms
        for later in bindings
        if later.from_ms <= at_ms
        for before in [each for each in bindings if each.device == later.device and each.from_ms < later.from_ms][-1:]
        if before.to_ms != later.from_ms
    ]
    return msgspec.structs.replace(
        found,
        from_ms=0,
        moved_ms=max(came_back, default=NEVER_MS),
        limit_mw=None if Action.RESTORE in actions else found.limit_mw,
        ignores_all=Action.DISCARD in actions,
        ignored_devices=tuple(sorted({device for device, span in displaced if span[0] <= at_ms < span[1]})),
    )


@settings(max_examples=400, derandomize=True)
@given(stored, bindings, corrections, displaced, st.integers(0, 60))
def test_the_list_says_of_every_instant_what_was_decided_about_it(
    stored: list[DatedCalibration],
    bindings: list[Binding],
    corrections: list[Correction],
    displaced: list[tuple[int, tuple[int, int]]],
    at_ms: int,
) -> None:
    found = effective(stored, bindings, corrections, displaced)
    assert found[0].from_ms == 0
    assert [each.from_ms for each in found] == sorted({each.from_ms for each in found})
    values = [msgspec.structs.replace(each, from_ms=0) for each in found]
    assert all(before != after for before, after in pairwise(values))
    at = msgspec.structs.replace(calibration_at(found, at_ms), from_ms=0)
    assert at == told(stored, bindings, corrections, displaced, at_ms)


def test_how_readings_are_taken_goes_with_the_device_and_volts_stay_with_the_meter() -> None:
    kept = [
        DatedCalibration(Calibration(0, 231_000, 9_000, gap_limit_ms=60_000), made_ms=0),
        DatedCalibration(Calibration(20, 225_000, 9_000, gap_limit_ms=60_000), made_ms=20),
    ]
    since_ten = [Binding(1, 1, PLUGS[0], 10, None, made_ms=50, manner=AT_ONCE)]
    assert [(each.from_ms, each.nominal_voltage_mv, each.gap_limit_ms) for each in effective(kept, since_ten)] == [
        (0, 231_000, 60_000),
        (10, 231_000, 30_000),
        (20, 225_000, 30_000),
    ]
