"""Watts of what devices say, one record at a time and in columns."""

import numpy as np
import pytest
from hypothesis import given

from casawatt.engine.calibrations import calibration_at
from casawatt.engine.power import power_mw, power_mw_columns
from casawatt.model.columns import ABSENT
from casawatt.model.meter import Calibration
from casawatt.model.reading import Record
from tests.engine.streams import calibration_lists, streams
from tests.engine.test_curve import columns_of

CALIBRATION = Calibration(0, nominal_voltage_mv=230_000, power_factor_e4=5_000)


@pytest.mark.parametrize(
    ("record", "expected_mw"),
    [
        (Record(0, 1, power_mw=5, current_ma=1000), 5),
        (Record(0, 1, current_ma=1000), 115_000),
        (Record(0, 1, current_ma=1000, voltage_mv=200_000), 100_000),
        (Record(0, 1, current_ma=1000, power_factor_e4=10_000), 230_000),
        (Record(0, 1, current_ma=1, voltage_mv=1001, power_factor_e4=5_000), 1),
        (Record(0, 1, current_ma=1, voltage_mv=1000), 1),
        (Record(0, 1, current_ma=-1, voltage_mv=1000), -1),
        (Record(0, 1, current_ma=1, voltage_mv=999), 0),
        (Record(0, 1, voltage_mv=230_000), None),
    ],
)
def test_power_is_what_is_said_else_current_times_voltage_times_power_factor(
    record: Record, expected_mw: int | None
) -> None:
    assert power_mw(record, CALIBRATION) == expected_mw


@given(records=streams(), calibrations=calibration_lists())
def test_columns_give_the_power_of_each_record(records: list[Record], calibrations: list[Calibration]) -> None:
    one_by_one = [power_mw(record, calibration_at(calibrations, record.time_ms)) for record in records]
    found = power_mw_columns(columns_of(records), calibrations)
    assert found.dtype == np.int64
    assert found.tolist() == [ABSENT if power is None else power for power in one_by_one]
