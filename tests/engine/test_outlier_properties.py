"""What holds of outliers for any stream: how much they can change, and how much can ever be counted."""

from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine import energy
from casawatt.engine.calibrations import calibration_at
from casawatt.engine.counter import COARSE_UJ, SLACK_UJ
from casawatt.engine.stretches import said_by_power
from casawatt.model.interval import MICROJOULES_PER_MWH
from casawatt.model.meter import Calibration
from casawatt.model.reading import Record
from casawatt.model.suspect import Cause, Suspect
from tests.engine.streams import calibration_lists, streams

HOME = Calibration(0, gap_limit_ms=60_000)
LIMIT_MW = 50_000_000
FINE_WH = 10
"""The clean registers below never grow by more than this at once: less than the slack, so their step adds none."""


def counted(records: list[Record], *calibrations: Calibration) -> tuple[int, list[Suspect], int]:
    """The energy (uJ) of records, what is set aside of them, and how often a register began."""
    state, total_uj, beginnings = energy.START, 0, 0
    found: list[Suspect] = []
    for record in records:
        before = state.register
        state, spans = energy.step(state, record, calibration_at(calibrations, record.time_ms))
        beginnings += state.register is not None and (before is None or state.register.is_charge != before.is_charge)
        beginnings += state.device_id != record.device_id
        total_uj += sum(span.energy_uj for span in spans)
        found += state.suspects
    return total_uj + sum(span.energy_uj for span in said_by_power(state.open)), found, beginnings


@st.composite
def clean(draw: st.DrawFn) -> list[Record]:
    """A register alone that grows all the time by no more than the home can use, heard at least once a minute."""
    step = st.tuples(st.integers(1_000, 60_000), st.integers(1, FINE_WH * 1000))
    steps = draw(st.lists(step, min_size=4, max_size=25))
    time_ms, shown_mwh = 0, draw(st.integers(0, 2_000_000_000))
    records = [Record(0, 1, register_mwh=shown_mwh)]
    for step_ms, growth_mwh in steps:
        time_ms, shown_mwh = time_ms + step_ms, shown_mwh + growth_mwh
        records.append(Record(time_ms, 1, register_mwh=shown_mwh))
    return records


def growth_uj(records: list[Record]) -> int:
    return ((records[-1].register_mwh or 0) - (records[0].register_mwh or 0)) * MICROJOULES_PER_MWH


def moved(record: Record, by_mwh: int) -> Record:
    return Record(record.time_ms, 1, register_mwh=(record.register_mwh or 0) + by_mwh)


@given(records=clean())
def test_of_a_clean_register_all_is_counted_and_nothing_set_aside(records: list[Record]) -> None:
    assert counted(records, HOME)[:2] == (growth_uj(records), [])


@given(records=clean(), place=st.integers(0, 23), share=st.floats(0.01, 0.99), value=st.integers(0, 2**40))
def test_an_outlier_inserted_anywhere_changes_the_total_by_no_more_than_its_moment_could_deliver(
    records: list[Record], place: int, share: float, value: int
) -> None:
    place = min(place, len(records) - 2)
    before, after = records[place], records[place + 1]
    outlier = Record(before.time_ms + 1 + int(share * (after.time_ms - before.time_ms - 1)), 1, register_mwh=value)
    total_uj, _, _ = counted([*records[: place + 1], outlier, *records[place + 1 :]], HOME)
    moment_uj = LIMIT_MW * (after.time_ms - before.time_ms) + SLACK_UJ
    assert abs(total_uj - growth_uj(records)) <= moment_uj


@given(records=clean(), place=st.integers(1, 22), height=st.integers(2_000_000_000, 2**40))
def test_a_spike_in_the_place_of_a_value_changes_nothing(records: list[Record], place: int, height: int) -> None:
    place = min(place, len(records) - 2)
    spiked = [*records]
    spiked[place] = moved(records[place], height)
    total_uj, found, _ = counted(spiked, HOME)
    assert total_uj == growth_uj(records)
    assert [(each.time_ms, each.cause) for each in found] == [(records[place].time_ms, Cause.JUMP)]


@given(records=clean(), place=st.integers(1, 22))
def test_a_glitch_to_zero_changes_nothing_unless_the_register_could_have_begun_there(
    records: list[Record], place: int
) -> None:
    place = min(place, len(records) - 2)
    glitched = [*records]
    glitched[place] = Record(records[place].time_ms, 1, register_mwh=0)
    total_uj, _, _ = counted(glitched, HOME)
    after = records[place + 1]
    could_be_uj = LIMIT_MW * (after.time_ms - records[place - 1].time_ms) + SLACK_UJ
    if (after.register_mwh or 0) * MICROJOULES_PER_MWH > could_be_uj:
        assert total_uj == growth_uj(records)
    else:
        assert 0 <= total_uj <= growth_uj(records) + could_be_uj


@given(records=clean(), place=st.integers(1, 22), fall_mwh=st.integers(1, 900_000_000))
def test_a_known_fall_back_anywhere_loses_what_passed_between_two_values_and_nothing_else(
    records: list[Record], place: int, fall_mwh: int
) -> None:
    place = min(place, len(records) - 2)
    records = [moved(record, 2_000_000_000) for record in records]
    before, after = records[:place], [moved(record, -fall_mwh) for record in records[place:]]
    with_boot = [
        Record(record.time_ms, 1, register_mwh=record.register_mwh, boot_id=boot_id)
        for boot_id, part in enumerate((before, after))
        for record in part
    ]
    total_uj, found, _ = counted(with_boot, HOME)
    if (after[0].register_mwh or 0) >= (before[-1].register_mwh or 0):
        return
    assert total_uj == growth_uj(before) + growth_uj(after)
    assert found == []


@given(records=clean(), place=st.integers(1, 22), height=st.integers(2_000_000, 2**40))
def test_to_restore_a_jump_counts_exactly_its_height(records: list[Record], place: int, height: int) -> None:
    place = min(place, len(records) - 2)
    shifted = [*records[:place], *[moved(record, height) for record in records[place:]]]
    aside_uj, found, _ = counted(shifted, HOME)
    at_ms = records[place].time_ms
    restored = Calibration(at_ms, gap_limit_ms=60_000, limit_mw=None)
    total_uj, left, _ = counted(shifted, HOME, restored, Calibration(at_ms + 1, gap_limit_ms=60_000))
    assert [each.time_ms for each in found] == [at_ms]
    assert left == []
    assert total_uj == growth_uj(shifted)
    assert total_uj - aside_uj == found[0].energy_mwh * MICROJOULES_PER_MWH


@given(records=streams(), limit_mw=st.sampled_from([1, 1_000, 2_000_000, LIMIT_MW]))
def test_no_more_is_ever_counted_than_the_limit_allows_in_the_time(records: list[Record], limit_mw: int) -> None:
    total_uj, _, beginnings = counted(records, Calibration(0, gap_limit_ms=60_000, limit_mw=limit_mw))
    assert total_uj <= limit_mw * (records[-1].time_ms - records[0].time_ms) + beginnings * COARSE_UJ


@given(
    growths=st.lists(st.tuples(st.integers(1, 90_000), st.integers(0, 60_000)), min_size=2, max_size=40),
    limit_mw=st.sampled_from([1, 1_000, 2_000_000, LIMIT_MW]),
)
def test_a_register_in_fine_steps_is_never_ahead_of_the_limit_by_more_than_the_slack(
    growths: list[tuple[int, int]], limit_mw: int
) -> None:
    records, time_ms, shown_mwh = [Record(0, 1, register_mwh=0), Record(1, 1, register_mwh=1)], 1, 1
    for step_ms, growth_mwh in growths:
        time_ms, shown_mwh = time_ms + step_ms, shown_mwh + growth_mwh
        records.append(Record(time_ms, 1, register_mwh=shown_mwh))
    total_uj, _, _ = counted(records, Calibration(0, limit_mw=limit_mw))
    assert total_uj <= limit_mw * time_ms + SLACK_UJ


@given(records=streams(), calibrations=calibration_lists())
def test_without_export_nothing_is_ever_negative(records: list[Record], calibrations: list[Calibration]) -> None:
    used = [
        Record(
            record.time_ms,
            record.device_id,
            None if record.power_mw is None else abs(record.power_mw),
            record.register_mwh,
            record.voltage_mv,
            None if record.current_ma is None else abs(record.current_ma),
            record.power_factor_e4,
            record.charge_mas,
            record.boot_id,
        )
        for record in records
    ]
    state = energy.START
    for record in used:
        state, spans = energy.step(state, record, calibration_at(calibrations, record.time_ms))
        assert all(span.energy_uj >= 0 for span in (*spans, *said_by_power(state.open)))
