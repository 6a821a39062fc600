"""One meter with all that was decided about it, as the API answers it."""

from typing import Literal

import msgspec

from casawatt.model.meter import Calibration, Meter
from casawatt.model.reading import POWER_FACTOR_ONE
from casawatt.web.documents import MeterDocument, Time, meter_document
from casawatt.web.ports import Home, Ports
from casawatt.web.times import format_time

WEEK_MS = 7 * 86_400_000


class BindingDocument(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A device measured for a meter from a time (null: always) until before another (null: still)."""

    id: int
    source: str
    address: str
    from_: Time | None
    to: Time | None


class CalibrationDocument(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What makes watts of a meter's readings, from a time on (null: always). `limit_w`: more is set aside."""

    from_: Time | None
    nominal_voltage_v: float
    power_factor_ratio: float
    cadence: Literal["change", "polled"]
    gap_limit_s: float
    limit_w: float | None


class MeterDetailDocument(MeterDocument, frozen=True):
    """A meter with its devices; `source` and `address` are of the present one.

    `set_aside_week`: how many of its readings were set aside in the last seven days.
    """

    source: str | None
    address: str | None
    bindings: list[BindingDocument]
    calibrations: list[CalibrationDocument]
    set_aside_week: int


def meter_detail_document(ports: Ports, meter: Meter) -> MeterDetailDocument:
    """Return a meter with its devices and calibrations over time."""
    bindings = ports.meters.bindings(meter)
    now_ms = ports.clock.now_ms()
    present = next((binding.device for binding in reversed(bindings) if binding.to_ms is None), None)
    return MeterDetailDocument(
        **msgspec.structs.asdict(meter_document(ports, meter)),
        source=present.source if present else None,
        address=present.address if present else None,
        bindings=[
            BindingDocument(
                binding.binding_id,
                binding.device.source,
                binding.device.address,
                time_or_always(binding.from_ms, ports.home),
                None if binding.to_ms is None else format_time(binding.to_ms, ports.home.zone),
            )
            for binding in bindings
        ],
        calibrations=[calibration_document(item, ports.home) for item in ports.meters.own_calibrations(meter)],
        set_aside_week=len({each.time_ms for each in ports.repairs.suspects(meter, now_ms - WEEK_MS, now_ms + 1)}),
    )


def calibration_document(calibration: Calibration, home: Home) -> CalibrationDocument:
    """Return a calibration in the units that people use."""
    return CalibrationDocument(
        time_or_always(calibration.from_ms, home),
        calibration.nominal_voltage_mv / 1000,
        calibration.power_factor_e4 / POWER_FACTOR_ONE,
        calibration.cadence.value,
        calibration.gap_limit_ms / 1000,
        None if calibration.limit_mw is None else calibration.limit_mw / 1000,
    )


def time_or_always(time_ms: int, home: Home) -> str | None:
    """Return a time as it is written, None for the beginning of time."""
    return format_time(time_ms, home.zone) if time_ms > 0 else None
