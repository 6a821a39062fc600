"""From a reading as a device says it to a record that can be trusted: range, clock, order, duplicates."""

from enum import StrEnum
from math import inf

import msgspec

from casawatt.engine.merge import merged
from casawatt.model.meter import Traits
from casawatt.model.reading import CHANNELS, POWER_FACTOR_ONE, Reading, Record

BEGINNING_MS = 946_684_800_000
"""2000-01-01 UTC; a stamp before it comes from a clock that was never set."""
AHEAD_MAX_MS = 300_000
"""How far a stamp may lie in the future where the source declares no tolerance."""

POWER_W_MAX = 1e7
"""What 32 bits of mW can show is let in: that a home cannot have it is judged later, where it can be taken back."""
REGISTER_WH_MAX = 1e9
VOLTAGE_V_MAX = 1e3
CURRENT_A_MAX = 1e4
POWER_FACTOR_MAX = 1.1
"""More than 1, for devices that round."""
CHARGE_AS_MAX = 5e9
"""At the highest voltage and power factor still an energy that 64 bits of microjoules hold; years at 63 A."""
BOOT_ID_MAX = 2**63 - 1


class Verdict(StrEnum):
    """What became of a reading; the first two are to be recorded."""

    FRESH = "fresh"
    """Newer than any before it, or of the newest one's time with more or other values."""
    LATE = "late"
    """Older than the newest: what was derived since its time is to be derived again."""
    DUPLICATE = "duplicate"
    """Says nothing that the newest record did not say."""
    OUT_OF_RANGE = "out_of_range"
    """Has a value that nothing in a home can have."""
    NOT_FINITE = "not_finite"
    """Has a value that is not a number, or infinite."""
    EMPTY = "empty"
    """Has no value at all."""
    CONFLICT = "conflict"
    """Brought in from elsewhere, and contradicts what the meter has recorded at that time: that stays."""


class CleanState(msgspec.Struct, frozen=True, gc=False):
    """The newest record of a meter, None before the first."""

    newest: Record | None = None


class Cleaned(msgspec.Struct, frozen=True, gc=False):
    """What became of a reading.

    `record` is None unless the verdict is `FRESH` or `LATE`. `clock_corrected`: its stamp was not believed, and the
    time of arrival taken; a reading without a stamp takes that too, and counts as nothing to correct.
    """

    record: Record | None
    verdict: Verdict
    clock_corrected: bool


START = CleanState()

_POWER_FACTOR = (-POWER_FACTOR_MAX, POWER_FACTOR_MAX, POWER_FACTOR_ONE)

_FRESH, _LATE, _DUPLICATE = Verdict.FRESH, Verdict.LATE, Verdict.DUPLICATE
_EMPTY = Cleaned(None, Verdict.EMPTY, clock_corrected=False)
_NOT_FINITE = Cleaned(None, Verdict.NOT_FINITE, clock_corrected=False)
_OUT_OF_RANGE = Cleaned(None, Verdict.OUT_OF_RANGE, clock_corrected=False)


def step(state: CleanState, reading: Reading, device_id: int, traits: Traits) -> tuple[CleanState, Cleaned]:
    """Return the state after a reading of the device, and what became of the reading.

    Values become whole numbers of their channel's unit. One bad value refuses the whole reading. A record of the newest
    one's time is merged with it.
    """
    time_ms, corrected = believed_time(reading, traits)
    try:
        record = Record(
            time_ms,
            device_id,
            None if (value := reading.power_w) is None else _whole(value, -POWER_W_MAX, POWER_W_MAX, 1000),
            None if (value := reading.register_wh) is None else _whole(value, 0, REGISTER_WH_MAX, 1000),
            None if (value := reading.voltage_v) is None else _whole(value, 0, VOLTAGE_V_MAX, 1000),
            None if (value := reading.current_a) is None else _whole(value, -CURRENT_A_MAX, CURRENT_A_MAX, 1000),
            None if (value := reading.power_factor_ratio) is None else _whole(value, *_POWER_FACTOR),
            None if (value := reading.charge_as) is None else _whole(value, 0, CHARGE_AS_MAX, 1000),
            None if (value := reading.boot_id) is None else _whole(value, 0, BOOT_ID_MAX, 1),
        )
    except _BadValueError as error:
        return state, _OUT_OF_RANGE if abs(error.value) < inf else _NOT_FINITE
    if record.power_mw is None and record.current_ma is None and _says_nothing(record):
        return state, _EMPTY
    newest = state.newest
    if newest is None or time_ms > newest.time_ms:
        return CleanState(record), Cleaned(record, _FRESH, corrected)
    if time_ms < newest.time_ms:
        return state, Cleaned(record, _LATE, corrected)
    record = merged(newest, record)
    if record == newest:
        return state, Cleaned(None, _DUPLICATE, corrected)
    return CleanState(record), Cleaned(record, _FRESH, corrected)


def against(there: Record, record: Record) -> Verdict:
    """Return what a record brought in from elsewhere is, beside the one that the meter has at its time already.

    `DUPLICATE` says nothing new; `LATE` adds channels that the device did not tell before; `CONFLICT` says otherwise,
    or would put the word of one device into a record of another.
    """
    pairs = [(getattr(there, name), getattr(record, name)) for name in CHANNELS]
    if any(kept is not None and said is not None and kept != said for kept, said in pairs):
        return Verdict.CONFLICT
    if not any(kept is None and said is not None for kept, said in pairs):
        return Verdict.DUPLICATE
    return Verdict.LATE if there.device_id == record.device_id else Verdict.CONFLICT


class _BadValueError(Exception):
    """A value that cannot be."""

    def __init__(self, value: float) -> None:
        super().__init__(value)
        self.value = value


def _whole(value: float, lowest: float, highest: float, scale: int) -> int:
    """Return a value in the channel's unit as a whole number of what the record counts in.

    Raises _BadValueError when it is out of range; every comparison with "not a number" is false, so that is too.
    """
    if lowest <= value <= highest:
        return round(value * scale)
    raise _BadValueError(value)


def believed_time(reading: Reading, traits: Traits) -> tuple[int, bool]:
    """Return the time (UTC ms, on the source's grid) to record a reading at, and whether its stamp was not believed.

    A stamp goes to the nearest place on the grid, a time of arrival to the one before: nothing is in the future.
    """
    time_ms, received_ms, tolerance_ms = reading.time_ms, reading.received_ms, traits.clock_tolerance_ms
    grid_ms = traits.time_grid_ms
    if time_ms is None:
        return received_ms - received_ms % grid_ms, False
    if (
        time_ms < BEGINNING_MS
        or time_ms - received_ms > (AHEAD_MAX_MS if tolerance_ms is None else tolerance_ms)
        or (tolerance_ms is not None and received_ms - time_ms > tolerance_ms)
    ):
        return received_ms - received_ms % grid_ms, True
    if grid_ms > 1:
        time_ms = (time_ms + grid_ms // 2) // grid_ms * grid_ms
    return time_ms, False


def _says_nothing(record: Record) -> bool:
    """Say whether a record has no value of any channel; which start of the device it is from is none."""
    return (
        record.power_mw is None
        and record.register_mwh is None
        and record.voltage_mv is None
        and record.current_ma is None
        and record.power_factor_e4 is None
        and record.charge_mas is None
    )
