"""Registers that grow, tremble, jump, fall, wrap and restart, value by value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine.counter import COUNTER_32_BIT, Register
from casawatt.engine.register import step
from casawatt.model.interval import MICROJOULES_PER_MWH
from casawatt.model.meter import Calibration
from casawatt.model.reading import Record

HOUR_MS = 3_600_000
KWH_MWH = 1_000_000
WH_MWH = 1_000
CALIBRATION = Calibration(0, nominal_voltage_mv=230_000)


def settled(records: list[Record], calibration: Calibration = CALIBRATION) -> list[list[int | None]]:
    """What each record settles, in microjoules."""
    register: Register | None = None
    found = []
    for record in records:
        register, parts = step(register, record, calibration)
        found.append([energy_uj for _, energy_uj in parts])
    return found


def totals_mwh(*shown_mwh: int, every_ms: int = HOUR_MS, calibration: Calibration = CALIBRATION) -> list[int]:
    """The running total in mWh after each value but the first, which is the baseline."""
    records = [Record(place * every_ms, 1, register_mwh=value) for place, value in enumerate(shown_mwh)]
    found = settled(records, calibration)
    assert found[0] == [None]
    total, totals = 0, []
    for parts in found[1:]:
        total += sum(energy_uj or 0 for energy_uj in parts)
        totals.append(total // MICROJOULES_PER_MWH)
    return totals


def mas(*records: Record) -> list[list[int | None]]:
    """What each record settles in mA s, at one volt."""
    calibration = Calibration(0, nominal_voltage_mv=1000)
    return [
        [None if energy_uj is None else energy_uj // 1000 for energy_uj in parts]
        for parts in settled(list(records), calibration)
    ]


def charge(time_ms: int, shown_mas: int, boot_id: int | None = None) -> Record:
    return Record(time_ms, 1, charge_mas=shown_mas, boot_id=boot_id)


UNITS = [
    pytest.param(1, 1000, id="mWh each second"),
    pytest.param(WH_MWH, 60_000, id="Wh each minute"),
    pytest.param(KWH_MWH, HOUR_MS, id="kWh each hour"),
]
"""Units of the vectors below, and times in which the steps between them can be delivered."""


@pytest.mark.parametrize(("unit_mwh", "every_ms"), UNITS)
def test_a_larger_fall_is_a_reset_and_what_it_shows_is_new(unit_mwh: int, every_ms: int) -> None:
    shown = [value * unit_mwh for value in (10, 15, 20, 10, 30, 40, 50, 60, 70)]
    totals = [total // unit_mwh for total in totals_mwh(*shown, every_ms=every_ms)]
    assert totals == [5, 10, 10, 40, 50, 60, 70, 80]
    after_third, after_sixth, after_ninth = totals[1], totals[4], totals[7]
    assert (after_third, after_sixth, after_ninth) == (10, 50, 80)


@pytest.mark.parametrize(("unit_mwh", "every_ms"), UNITS)
def test_a_fall_of_less_than_a_tenth_is_noise(unit_mwh: int, every_ms: int) -> None:
    shown = [value * unit_mwh for value in (10, 15, 20, 19, 30, 40, 39, 60, 70)]
    totals = [total // unit_mwh for total in totals_mwh(*shown, every_ms=every_ms)]
    assert totals == [5, 10, 10, 20, 30, 30, 50, 60]
    after_third, after_sixth, after_ninth = totals[1], totals[4], totals[7]
    assert (after_third, after_sixth, after_ninth) == (10, 30, 60)


def test_a_slow_decline_is_noise_however_far_it_goes() -> None:
    assert totals_mwh(*[value * KWH_MWH for value in (1000, 950, 900, 850, 800, 1001)])[-1] == KWH_MWH


@pytest.mark.parametrize("unit_mwh", [WH_MWH // 2, KWH_MWH])
def test_a_last_digit_that_trembles_is_not_taken_for_a_fall_back(unit_mwh: int) -> None:
    shown = [int(value * unit_mwh) for value in (40, 39, 40, 39.5, 40, 39, 40, 41)]
    assert totals_mwh(*shown)[-1] == unit_mwh


def test_a_fall_of_no_more_than_one_wh_trembles_however_it_goes_on() -> None:
    assert totals_mwh(100_000, 99_000, 99_400, 99_800, 100_000, 100_500) == [0, 0, 0, 0, 500]


def test_after_a_fall_of_more_than_one_wh_two_steps_up_in_a_row_count_from_the_lowest_value() -> None:
    assert totals_mwh(100_000, 97_000, 96_500, 97_500, 98_500, 98_700) == [0, 0, 0, 2_000, 2_200]


@pytest.mark.parametrize(
    "shown_mwh",
    [
        pytest.param((100_000, 96_000, 97_000, 96_500, 97_200, 100_100), id="one step up, one down, one up"),
        pytest.param((100_000, 96_000, 97_000, 95_000, 97_000, 100_100), id="down below the lowest in between"),
        pytest.param((100_000, 96_000, 96_000, 96_000, 97_000, 100_100), id="one step up after standing still"),
    ],
)
def test_less_than_two_steps_up_in_a_row_is_still_noise(shown_mwh: tuple[int, ...]) -> None:
    assert totals_mwh(*shown_mwh) == [0, 0, 0, 0, 100]


def test_standing_still_between_two_steps_up_does_not_interrupt_them() -> None:
    assert totals_mwh(100_000, 96_000, 97_000, 97_000, 98_000) == [0, 0, 0, 2_000]


def test_a_low_value_that_the_register_cannot_have_come_back_from_was_none() -> None:
    shown = (1_000_000_000, 950_000_000, 950_001_000, 999_999_000 - 5_000, 1_000_000_500)
    assert totals_mwh(*shown, every_ms=10_000) == [0, 0, 0, 500]


def test_a_meter_of_six_digits_that_starts_again_is_a_wrap() -> None:
    assert totals_mwh(999_999_000, 1_000, 1_500) == [0, 2_500]


def test_a_glitch_to_zero_just_below_the_end_of_a_wheel_is_no_wrap() -> None:
    assert totals_mwh(999_999_000, 0, 999_999_010, every_ms=1000) == [0, 10]
    assert totals_mwh(999_999_000, 0, 10, every_ms=1000) == [0, 1_010]


def test_a_fall_far_from_the_end_of_any_wheel_is_a_reset() -> None:
    assert totals_mwh(999_999_000, 5_000_000, 5_000_000) == [0, 5_000_000]
    assert totals_mwh(900_000_000, 1_000, 1_000) == [0, 1_000]


def test_a_fall_to_more_than_could_be_delivered_is_a_new_baseline() -> None:
    assert totals_mwh(1000 * KWH_MWH, 500 * KWH_MWH, 501 * KWH_MWH) == [0, KWH_MWH]


def test_two_resets_in_a_row_count_both() -> None:
    assert totals_mwh(2345_000, 900_000, 800_000, 850_000) == [0, 900_000, 1_750_000]


def test_what_is_in_doubt_is_settled_apart_from_what_comes_after() -> None:
    reset = [Record(place * HOUR_MS, 1, register_mwh=value) for place, value in enumerate((50_000, 3_000, 8_000))]
    assert settled(reset)[-1] == [3_000 * MICROJOULES_PER_MWH, 5_000 * MICROJOULES_PER_MWH]
    back = [Record(place * HOUR_MS, 1, register_mwh=value * KWH_MWH) for place, value in enumerate((900, 700, 701))]
    assert settled(back)[-1] == [None, KWH_MWH * MICROJOULES_PER_MWH]


def test_a_charge_counter_of_32_bits_wraps_while_the_device_did_not_restart() -> None:
    top = COUNTER_32_BIT
    assert mas(charge(0, top - 50_000_000, 4), charge(HOUR_MS, 70_000_000, 4)) == [[None], [120_000_000]]


def test_a_restarted_charge_counter_begins_at_zero_and_all_it_shows_is_new() -> None:
    assert mas(charge(0, 5_000, 1), charge(1, 7_000, 2)) == [[None], [7_000]]
    assert mas(charge(0, 5_000, 1), charge(1, 4_900, 2)) == [[None], [4_900]]
    assert mas(charge(0, 5_000, 1), charge(1, 0, 2), charge(2, 10, 2)) == [[None], [0], [10]]


def test_a_small_fall_of_charge_in_one_life_is_noise() -> None:
    assert mas(charge(0, 5_000, 1), charge(1, 4_900, 1), charge(2, 5_010, 1)) == [[None], [0], [10]]


def test_charge_obeys_the_limit_through_voltage_and_power_factor() -> None:
    """16 A for a second are 3.68 kW; 900 A are 207 kW, more than the limit and the slack of 20 Wh let pass."""
    charges = [(0, 0), (1_000, 16_000), (2_000, 916_000), (3_000, 932_000)]
    found = settled([charge(*each) for each in charges])
    assert found == [[None], [16_000 * 230_000], [], [None, 16_000 * 230_000]]
    assert settled([charge(*each) for each in charges], Calibration(0, power_factor_e4=1_000))[2] == [900_000 * 23_000]


def test_an_energy_register_outlives_a_restart() -> None:
    found = settled([Record(0, 1, register_mwh=5_000, boot_id=1), Record(1, 1, register_mwh=5_010, boot_id=2)])
    assert found == [[None], [10 * MICROJOULES_PER_MWH]]


def test_an_energy_register_that_fell_at_all_in_a_restart_was_reset_or_fell_back() -> None:
    little = [(0, 5_000, 1), (1, 2_400, 2), (2, 2_405, 2)]
    found = settled([Record(at, 1, register_mwh=shown, boot_id=boot) for at, shown, boot in little])
    assert found[1:] == [[], [2_400 * MICROJOULES_PER_MWH, 5 * MICROJOULES_PER_MWH]]
    much = [(0, 5_000 * KWH_MWH, 1), (1, 5_000 * KWH_MWH - 900, 2), (2, 5_000 * KWH_MWH - 895, 2)]
    found = settled([Record(at, 1, register_mwh=shown, boot_id=boot) for at, shown, boot in much])
    assert found[1:] == [[], [None, 5 * MICROJOULES_PER_MWH]]


def test_an_energy_register_that_fell_to_about_what_it_was_in_a_restart_fell_back_however_long_it_was_away() -> None:
    days_ms = 4 * 24 * HOUR_MS
    for left_mwh in (99 * KWH_MWH, 51 * KWH_MWH):
        away = [(0, 100 * KWH_MWH, 1), (days_ms, left_mwh, 2), (days_ms + 1, left_mwh + 5, 2)]
        found = settled([Record(at, 1, register_mwh=shown, boot_id=boot) for at, shown, boot in away])
        assert found[1:] == [[], [None, 5 * MICROJOULES_PER_MWH]]


def test_charge_becomes_energy_by_the_voltage_and_power_factor_said_else_calibrated() -> None:
    calibration = Calibration(0, nominal_voltage_mv=230_000, power_factor_e4=5_000)
    hour_mas = 3_600_000
    found = settled(
        [
            Record(0, 1, charge_mas=0),
            Record(HOUR_MS, 1, charge_mas=hour_mas),
            Record(2 * HOUR_MS, 1, charge_mas=2 * hour_mas, voltage_mv=200_000, power_factor_e4=10_000),
        ],
        calibration,
    )
    assert found == [[None], [115_000 * MICROJOULES_PER_MWH], [200_000 * MICROJOULES_PER_MWH]]


def test_an_energy_register_speaks_before_a_charge_register_and_a_change_of_kind_is_a_baseline() -> None:
    both = Record(0, 1, register_mwh=10, charge_mas=999)
    more = Record(1, 1, register_mwh=12, charge_mas=5_000)
    found = settled([both, more, charge(2, 6_000), charge(3, 6_001)])
    assert found == [[None], [2 * MICROJOULES_PER_MWH], [None], [230_000]]


def test_a_record_without_a_register_is_refused() -> None:
    with pytest.raises(ValueError, match="no register"):
        step(None, Record(0, 1, power_mw=5), CALIBRATION)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=20), st.sampled_from([50_000_000, None]))
def test_nothing_is_ever_taken_back(shown_mwh: list[int], limit_mw: int | None) -> None:
    totals = totals_mwh(*shown_mwh, calibration=Calibration(0, limit_mw=limit_mw))
    assert totals == sorted(totals)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_a_register_that_only_grows_gives_last_less_first(shown_mwh: list[int]) -> None:
    shown_mwh.sort()
    assert [0, *totals_mwh(*shown_mwh)][-1] == shown_mwh[-1] - shown_mwh[0]
