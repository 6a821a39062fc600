"""A made-up day of a 3D printer: nobody measured it, and it is called synthetic wherever it shows.

One print: the bed and the nozzle heat up at full power, then the bed's thermostat switches its heater on and
off while motors, fan and nozzle draw a little that changes from layer to layer; then the fan cools, and the
printer stands by. The bed is one mass that loses heat in proportion to how much warmer than the room it is,
which gives the duty cycle such printers really have.
"""

from collections.abc import Iterator

from casawatt.recordings.trace import DAY_S, Trace, make_trace

PRINT_START_S = 9 * 3600 + 40 * 60
PRINT_END_S = 15 * 3600 + 5 * 60
COOLING_S = 600
STANDBY_W = 6
COOLING_W = 14
BED_W = 120
NOZZLE_HEATING_W = 40
WORK_W = 32
LAYER_S = 47

_BED_C = 60.0
_BAND_C = 0.5
_ROOM_C = 21.0
_HEAT_CAPACITY_WS_PER_C = 380.0
_LOSS_W_PER_C = 1.1


def synthetic_printer() -> Trace:
    """Return the day, always the same."""
    changes = []
    before_w = -1
    for second, power_w in _seconds():
        if power_w != before_w:
            changes.append((second, power_w))
            before_w = power_w
    return make_trace("3d-printer", "3D printer (synthetic)", changes, synthetic=True)


def _seconds() -> Iterator[tuple[int, int]]:
    """Yield each second of the day with its power in W."""
    bed_c, heating, warm = _ROOM_C, True, False
    for second in range(DAY_S):
        if not PRINT_START_S <= second < PRINT_END_S:
            yield second, COOLING_W if PRINT_END_S <= second < PRINT_END_S + COOLING_S else STANDBY_W
            continue
        heating = bed_c < _BED_C + _BAND_C if heating else bed_c < _BED_C - _BAND_C
        warm = warm or not heating
        loss_w = _LOSS_W_PER_C * (bed_c - _ROOM_C)
        bed_c += ((BED_W if heating else 0) - loss_w) / _HEAT_CAPACITY_WS_PER_C
        work_w = WORK_W + (second // LAYER_S * 7) % 9 if warm else NOZZLE_HEATING_W
        yield second, work_w + (BED_W if heating else 0)
