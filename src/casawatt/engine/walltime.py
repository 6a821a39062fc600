"""Many instants as the calendar and the clock on the wall show them."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from casawatt.engine.localtime import DAY_MS, day_edges, local_date
from casawatt.model.columns import Int64Array

MINUTE_MS = 60_000
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class WallTime:
    """Local days and times of N instants: `day` as `date.toordinal` counts, `minute` 0 to 1439 of the wall clock."""

    day: Int64Array
    minute: Int64Array

    @property
    def weekday(self) -> Int64Array:
        """0 for Monday to 6 for Sunday."""
        return (self.day + 6) % 7


def wall_time(zone: ZoneInfo, time_ms: Int64Array) -> WallTime:
    """Return the local days and wall-clock minutes of instants (UTC ms, ascending).

    An hour that comes twice has the same minutes twice, one that is left out has none.
    """
    if not len(time_ms):
        return WallTime(time_ms, time_ms)
    edges = np.array(day_edges(zone, int(time_ms[0]), int(time_ms[-1]) + 1), np.int64)
    place = np.searchsorted(edges, time_ms, side="right") - 1
    days = np.array([local_date(zone, edge).toordinal() for edge in edges.tolist()], np.int64)
    minute = (time_ms - edges[place]) // MINUTE_MS
    for uneven in np.flatnonzero(np.diff(edges) != DAY_MS).tolist():
        first, last = (int(each) for each in np.searchsorted(place, (uneven, uneven + 1)))
        minute[first:last] = [_minute(zone, each_ms) for each_ms in time_ms[first:last].tolist()]
    return WallTime(days[place], minute)


def _minute(zone: ZoneInfo, time_ms: int) -> int:
    local = datetime.fromtimestamp(time_ms // 1000, zone)
    return local.hour * 60 + local.minute
