"""What of a day only its readings can tell: when power was highest, where nothing was measured, means of minutes."""

from collections.abc import Callable, Sequence

import numpy as np

from casawatt.engine.calibrations import calibration_at
from casawatt.engine.curve import curve
from casawatt.engine.days import enough
from casawatt.engine.resample import MINUTE_MS, resample
from casawatt.engine.spans import Span, union
from casawatt.model.columns import ABSENT
from casawatt.model.digest import Curve, Peak
from casawatt.model.interval import INTERVAL_MS, MICROJOULES_PER_MWH
from casawatt.model.meter import Cadence, Calibration, Meter
from casawatt.model.quarters import Quarters
from casawatt.store.query import Minutes
from casawatt.store.store import Store

LOOKED_INTO_MAX = 8
"""After so many quarter-hours without readings as high as they say, the peak is no longer looked for in readings."""


class DayReadings:
    """Looks into the readings of days."""

    def __init__(self, store: Store, calibrations: Callable[[Meter], Sequence[Calibration]]) -> None:
        self._store = store
        self._calibrations = calibrations

    def peak(self, meters: Sequence[Meter], quarters: Quarters) -> Peak | None:
        """Return the highest power in the quarter-hours of a day, which are those of the meters together.

        Of one meter it is the instant at which its device said so; of several the minute with the highest sum of means.
        Where no power is known it is the quarter-hour with the highest mean. None where nothing was measured enough.
        """
        if not len(quarters):
            return None
        if len(meters) == 1:
            found = self._instant(meters[0], quarters)
        else:
            found = self._minute(meters, (int(quarters.start_ms[0]), int(quarters.start_ms[-1]) + INTERVAL_MS))
        return found or _quarter(quarters)

    def _instant(self, meter: Meter, quarters: Quarters) -> Peak | None:
        """Return the first instant of the highest power that a meter's device said.

        A quarter-hour's highest power may be on its way to a reading just outside it: so the next highest is looked
        into, until none can be higher than what was found.
        """
        calibrations = self._calibrations(meter)
        best: Peak | None = None
        known = np.flatnonzero(quarters.max_mw != ABSENT)
        for place in known[np.argsort(-quarters.max_mw[known], kind="stable")][:LOOKED_INTO_MAX].tolist():
            highest_mw = int(quarters.max_mw[place])
            start_ms = int(quarters.start_ms[place])
            if best is not None and (best.power_mw, -best.time_ms) >= (highest_mw, -start_ms):
                break
            found = self._highest(meter, calibrations, start_ms, highest_mw)
            if found is not None:
                best = max(found, best or found, key=lambda each: (each.power_mw, -each.time_ms))
        return best

    def _highest(
        self, meter: Meter, calibrations: Sequence[Calibration], start_ms: int, highest_mw: int
    ) -> Peak | None:
        """Return the highest power up to `highest_mw` that was said in a quarter-hour, or held at its beginning."""
        reach_ms = max(each.gap_limit_ms for each in calibrations)
        columns = self._store.columns(meter.meter_id, start_ms - reach_ms, start_ms + INTERVAL_MS)
        told = curve(columns, calibrations)
        first = int(told.time_ms.searchsorted(start_ms))
        power_mw = np.where(told.power_mw <= highest_mw, told.power_mw, ABSENT)
        inside, before = power_mw[first:], power_mw[:first][power_mw[:first] != ABSENT]
        held = calibration_at(calibrations, start_ms).cadence is Cadence.CHANGE and len(before) > 0
        peaks = [Peak(int(before[-1]), start_ms, 0)] if held else []
        if len(inside) and inside.max() != ABSENT:
            place = int(inside.argmax())
            peaks.append(Peak(int(inside[place]), int(told.time_ms[first + place]), 0))
        return max(peaks, key=lambda each: each.power_mw, default=None)

    def _minute(self, meters: Sequence[Meter], span: Span) -> Peak | None:
        """Return the first minute of the highest power of meters together, of those in which all have one."""
        several = [self._minutes(meter, span) for meter in meters]
        known = np.logical_and.reduce([each.power_mw != ABSENT for each in several])
        if not known.any():
            return None
        power_mw = np.where(known, sum(np.where(known, each.power_mw, 0) for each in several), ABSENT)
        place = int(power_mw.argmax())
        return Peak(int(power_mw[place]), int(several[0].time_ms[place]), MINUTE_MS)

    def _minutes(self, meter: Meter, span: Span) -> Minutes:
        return self._store.by_minute(meter.meter_id, *span, self._calibrations(meter))

    def curve(self, meters: Sequence[Meter], quarters: Quarters, span: Span, minutes: int) -> Curve:
        """Return the mean power of each `minutes` of a span of whole minutes; `quarters` are those of the meters."""
        if minutes % 15 == 0:
            energy_uj = quarters.energy_mwh * MICROJOULES_PER_MWH
            return resample(quarters.start_ms, energy_uj, quarters.measured_ms, span, minutes)
        several = [self._minutes(meter, span) for meter in meters]
        if not several:
            none = np.empty(0, np.int64)
            return resample(none, none, none, span, minutes)
        known = [np.where(each.power_mw == ABSENT, 0, each.power_mw) for each in several]
        measured_ms = np.minimum.reduce([each.measured_ms for each in several])
        power_mw = sum(known, np.zeros(len(measured_ms), np.int64))
        return resample(several[0].time_ms, power_mw * measured_ms, measured_ms, span, minutes)

    def gaps(self, meters: Sequence[Meter], span: Span, *, over: bool) -> tuple[Span, ...]:
        """Return the spans in which not all of the meters measured, in ascending time, joined where they touch.

        Unless the day is `over`, what goes on at its end and is no longer than the gap limit is none yet.
        """
        return union(gap for meter in meters for gap in self._gaps(meter, span, over=over))

    def _gaps(self, meter: Meter, span: Span, *, over: bool) -> list[Span]:
        calibrations = self._calibrations(meter)
        reach_ms = max(each.gap_limit_ms for each in calibrations)
        start_ms, end_ms = span
        told = curve(self._store.columns(meter.meter_id, start_ms - reach_ms, end_ms + reach_ms), calibrations)
        if len(told.time_ms) < 2:
            return [span]
        time_ms = told.time_ms
        open_ = np.diff(told.measured_ms) < np.diff(time_ms)
        found = list(zip(time_ms[:-1][open_].tolist(), time_ms[1:][open_].tolist(), strict=True))
        found.append((start_ms, int(time_ms[0])))
        last_ms = int(time_ms[-1])
        if over or end_ms - last_ms > reach_ms:
            found.append((last_ms, end_ms))
        return [(max(begin, start_ms), min(end, end_ms)) for begin, end in found]


def _quarter(quarters: Quarters) -> Peak | None:
    """Return the first quarter-hour of the highest mean power, of those measured enough."""
    good = enough(quarters)
    if not good.any():
        return None
    power_mw = np.where(good, quarters.energy_mwh * 4, ABSENT)
    place = int(power_mw.argmax())
    return Peak(int(power_mw[place]), int(quarters.start_ms[place]), INTERVAL_MS)
