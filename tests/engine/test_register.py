"""Registers that grow, dip, reset, wrap and restart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine.register import COUNTER_32_BIT, Register, step
from casawatt.model.interval import MICROJOULES_PER_MWH
from casawatt.model.meter import Calibration
from casawatt.model.reading import Record

CALIBRATION = Calibration(0, nominal_voltage_mv=230_000)


def growths(records: list[Record], calibration: Calibration = CALIBRATION) -> list[int | None]:
    register: Register | None = None
    found = []
    for record in records:
        register, growth_uj = step(register, record, calibration)
        found.append(growth_uj)
    return found


def mwh_in_all(*shown_mwh: int) -> list[int]:
    """The running total in mWh after each value but the first, which is the baseline."""
    total, totals = 0, []
    found = growths([Record(place, 1, register_mwh=value) for place, value in enumerate(shown_mwh)])
    assert found[0] is None
    for growth_uj in found[1:]:
        assert growth_uj is not None
        total += growth_uj
        totals.append(total // MICROJOULES_PER_MWH)
    return totals


def mas(*records: Record) -> list[int | None]:
    """What each record adds in mA s, at one volt."""
    return [
        None if growth_uj is None else growth_uj // 1000
        for growth_uj in growths(list(records), Calibration(0, nominal_voltage_mv=1000))
    ]


def charge(shown_mas: int, boot_id: int | None = None) -> Record:
    return Record(0, 1, charge_mas=shown_mas, boot_id=boot_id)


def test_a_larger_fall_is_a_reset_and_what_it_shows_is_new() -> None:
    totals = mwh_in_all(10, 15, 20, 10, 30, 40, 50, 60, 70)
    assert totals == [5, 10, 20, 40, 50, 60, 70, 80]
    after_third, after_sixth, after_ninth = totals[1], totals[4], totals[7]
    assert (after_third, after_sixth, after_ninth) == (10, 50, 80)


def test_a_fall_of_less_than_a_tenth_is_noise() -> None:
    totals = mwh_in_all(10, 15, 20, 19, 30, 40, 39, 60, 70)
    assert totals == [5, 10, 10, 20, 30, 30, 50, 60]
    after_third, after_sixth, after_ninth = totals[1], totals[4], totals[7]
    assert (after_third, after_sixth, after_ninth) == (10, 30, 60)


def test_a_slow_decline_is_noise_however_far_it_goes() -> None:
    assert mwh_in_all(1000, 950, 900, 850, 800, 1001) == [0, 0, 0, 0, 1]


def test_a_meter_of_six_digits_that_starts_again_is_a_wrap() -> None:
    assert mwh_in_all(999_999_000, 1_000) == [2_000]


def test_a_fall_far_from_the_end_of_any_wheel_is_a_reset() -> None:
    assert mwh_in_all(999_999_000, 5_000_000) == [5_000_000]
    assert mwh_in_all(900_000_000, 1_000) == [1_000]


def test_a_charge_counter_of_32_bits_wraps_while_the_device_did_not_restart() -> None:
    top = COUNTER_32_BIT
    assert mas(charge(top - 50_000_000, 4), charge(70_000_000, 4)) == [None, 120_000_000]


def test_a_restarted_device_begins_at_zero_and_all_it_shows_is_new() -> None:
    assert mas(charge(5_000, 1), charge(7_000, 2)) == [None, 7_000]
    assert mas(charge(5_000, 1), charge(4_900, 2)) == [None, 4_900]


def test_a_small_fall_of_charge_in_one_life_is_noise() -> None:
    assert mas(charge(5_000, 1), charge(4_900, 1), charge(5_010, 1)) == [None, 0, 10]


def test_an_energy_register_outlives_a_restart() -> None:
    found = growths([Record(0, 1, register_mwh=5_000, boot_id=1), Record(1, 1, register_mwh=5_010, boot_id=2)])
    assert found == [None, 10 * MICROJOULES_PER_MWH]


def test_an_energy_register_that_lost_a_little_in_a_restart_was_reset() -> None:
    found = growths([Record(0, 1, register_mwh=5_000, boot_id=1), Record(1, 1, register_mwh=4_990, boot_id=2)])
    assert found == [None, 4_990 * MICROJOULES_PER_MWH]


def test_charge_becomes_energy_by_the_voltage_and_power_factor_said_else_calibrated() -> None:
    calibration = Calibration(0, nominal_voltage_mv=230_000, power_factor_e4=5_000)
    hour_mas = 3_600_000
    found = growths(
        [
            Record(0, 1, charge_mas=0),
            Record(1, 1, charge_mas=hour_mas),
            Record(2, 1, charge_mas=2 * hour_mas, voltage_mv=200_000, power_factor_e4=10_000),
        ],
        calibration,
    )
    assert found == [None, 115_000 * MICROJOULES_PER_MWH, 200_000 * MICROJOULES_PER_MWH]


def test_an_energy_register_speaks_before_a_charge_register_and_a_change_of_kind_is_a_baseline() -> None:
    both = Record(0, 1, register_mwh=10, charge_mas=999)
    more = Record(1, 1, register_mwh=12, charge_mas=5_000)
    assert growths([both, more, charge(6_000), charge(6_001)]) == [None, 2 * MICROJOULES_PER_MWH, None, 230_000]


def test_a_record_without_a_register_is_refused() -> None:
    with pytest.raises(ValueError, match="no register"):
        step(None, Record(0, 1, power_mw=5), CALIBRATION)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=20))
def test_nothing_is_ever_taken_back(shown_mwh: list[int]) -> None:
    totals = mwh_in_all(*shown_mwh)
    assert totals == sorted(totals)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_a_register_that_only_grows_gives_last_less_first(shown_mwh: list[int]) -> None:
    shown_mwh.sort()
    assert [0, *mwh_in_all(*shown_mwh)][-1] == shown_mwh[-1] - shown_mwh[0]
