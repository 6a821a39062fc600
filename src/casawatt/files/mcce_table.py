"""One day of the MCEE program's database: mean watts by interval, as a register that begins at zero with the day.

Each row says how much flowed on average from its time on; what was used is that times the interval's length. Kept as a
register the energy is exact, counts whatever the gap limit of the meter, and claims nothing beyond the last interval: a
power would be held until whatever comes next. Where no interval follows, the register is closed a millisecond before
the interval's end, so that the instant itself is left to whom it belongs to.

Days stand for themselves, whichever of them are there: each has a register of its own. So consecutive days are of two
devices in turns, and `boot_id` is the date: with another one, a register at zero has begun anew.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from casawatt.engine.localtime import day_start
from casawatt.recordings.row import Row

DEVICES = ("mcce", "mcce-b")
"""Names of the register, in turns from day to day."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MS_PER_HOUR = 3_600_000
_DAY_MS = 24 * _MS_PER_HOUR
_POWER_W_MAX = 1e6


@dataclass(slots=True)
class DayTable:
    """What a table gave.

    `rows` with the number of the table's row (from 1) that each is of. `rejected` holds row number, text, cause and
    detail. `energy_wh` is the sum of its intervals, `length_ms` how long these are (None: none found), `nulls` how many
    rows had no value. `closing_w` is the value of the row that lies on the next midnight: one line, not an interval.
    """

    rows: list[tuple[int, Row]] = field(default_factory=list)
    rejected: list[tuple[int, str, str, str]] = field(default_factory=list)
    energy_wh: float = 0.0
    length_ms: int | None = None
    nulls: int = 0
    closing_w: float | None = None


def device_of(day: date) -> str:
    """Return which of `DEVICES` the register of a day is."""
    return DEVICES[day.toordinal() % len(DEVICES)]


def read_table(day: date, table: Sequence[tuple[object, object]], zone: ZoneInfo) -> DayTable:
    """Return what the rows (index, Wh) of the table of `day` mean; their times are those of `zone` unless they say."""
    out = DayTable()
    start_ms, end_ms = day_start(zone, day), day_start(zone, day + timedelta(days=1))
    stamps = _stamps(table, out)
    times_ms = _instants(day, stamps, zone, end_ms - start_ms)
    values: dict[int, tuple[int, float]] = {}
    seen: set[int] = set()
    for row_number, time_ms in times_ms:
        index, said = table[row_number - 1]
        if not start_ms <= time_ms <= end_ms:
            out.rejected.append((row_number, f"{index}, {said}", "other_day", f"its time is not on {day}"))
        elif time_ms in seen:
            out.rejected.append((row_number, f"{index}, {said}", "repeated", "its time is there already"))
        else:
            seen.add(time_ms)
            power_w = _power_w(row_number, index, said, out)
            if power_w is not None and time_ms == end_ms:
                out.closing_w = power_w
            elif power_w is not None:
                values[time_ms] = row_number, power_w
    out.length_ms = _length_ms(seen, start_ms)
    if out.length_ms is None:
        out.rejected += [
            (row_number, "", "alone", "one row alone does not say how long its interval is")
            for row_number, _ in values.values()
        ]
        return out
    _count(values, out, day, end_ms)
    return out


def _stamps(table: Sequence[tuple[object, object]], out: DayTable) -> list[tuple[int, datetime]]:
    """Return row number and time of each row whose time can be read."""
    stamps = []
    for row_number, (index, said) in enumerate(table, 1):
        try:
            stamps.append((row_number, index if isinstance(index, datetime) else datetime.fromisoformat(str(index))))
        except ValueError:
            out.rejected.append((row_number, f"{index}, {said}", "time", f"{index!r} is not a time"))
    return stamps


def _instants(day: date, stamps: list[tuple[int, datetime]], zone: ZoneInfo, length_ms: int) -> list[tuple[int, int]]:
    """Return row number and UTC ms of each row, in ascending time.

    Times without an offset are those of the wall clock, and the hour that comes twice has them twice; or else they just
    go on counting from midnight, which shows on a day of 23 hours by an hour that did not exist, and on one of 25 by
    hours of the day after.
    """
    elapsed = length_ms != _DAY_MS and _counts_from_midnight(day, stamps, zone, length_ms)
    start_ms = day_start(zone, day)
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the wall clock's, as the stamps are
    met: Counter[datetime] = Counter()
    found = []
    for row_number, stamp in stamps:
        if stamp.tzinfo is not None:
            found.append((row_number, (stamp - _EPOCH) // _MILLISECOND))
        elif elapsed:
            found.append((row_number, start_ms + (stamp - midnight) // _MILLISECOND))
        else:
            fold = 1 if met[stamp] == 1 and _comes_twice(stamp, zone) else 0
            met[stamp] += 1
            found.append((row_number, (stamp.replace(tzinfo=zone, fold=fold) - _EPOCH) // _MILLISECOND))
    return sorted(found, key=lambda each: (each[1], each[0]))


def _counts_from_midnight(day: date, stamps: list[tuple[int, datetime]], zone: ZoneInfo, length_ms: int) -> bool:
    naive = [stamp for _, stamp in stamps if stamp.tzinfo is None]
    if length_ms > _DAY_MS:
        return any(stamp.date() > day and stamp.time() != datetime.min.time() for stamp in naive)
    return any(
        stamp.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != stamp for stamp in naive
    )


def _comes_twice(stamp: datetime, zone: ZoneInfo) -> bool:
    first, second = (stamp.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second


def _power_w(row_number: int, index: object, said: object, out: DayTable) -> float | None:
    """Return the row's mean power, None when it has none or it cannot be."""
    if said is None:
        out.nulls += 1
        return None
    text = f"{index}, {said}"
    try:
        power_w = float(said)  # type: ignore[arg-type]  # whatever the database had there
    except (TypeError, ValueError):
        out.rejected.append((row_number, text, "number", f"{said!r} is not a number"))
        return None
    if math.isnan(power_w):
        out.nulls += 1
        return None
    if not 0 <= power_w <= _POWER_W_MAX:
        out.rejected.append((row_number, text, "out_of_range", "a meter of this kind cannot show it"))
        return None
    return power_w


def _length_ms(times_ms: set[int], start_ms: int) -> int | None:
    """Return how long the intervals are: the step that comes most often; a row of midnight alone is the whole day's."""
    steps = Counter(b - a for a, b in pairwise(sorted(times_ms)))
    if steps:
        return steps.most_common(1)[0][0]
    return _DAY_MS if times_ms == {start_ms} else None


def _count(values: dict[int, tuple[int, float]], out: DayTable, day: date, end_ms: int) -> None:
    """Add up the intervals, and put the register's readings at their edges into `out`."""
    boot_id = int(f"{day:%Y%m%d}")
    energy_w_ms = 0.0
    times_ms = sorted(values)
    for place, time_ms in enumerate(times_ms):
        row_number, power_w = values[time_ms]
        next_ms = times_ms[place + 1] if place + 1 < len(times_ms) else end_ms
        until_ms = min(time_ms + (out.length_ms or 0), next_ms)
        out.rows.append((row_number, _reading(time_ms, energy_w_ms, boot_id)))
        energy_w_ms += power_w * (until_ms - time_ms)
        if until_ms < next_ms or next_ms == end_ms:
            out.rows.append((row_number, _reading(until_ms - 1, energy_w_ms, boot_id)))
    out.energy_wh = energy_w_ms / _MS_PER_HOUR


def _reading(time_ms: int, energy_w_ms: float, boot_id: int) -> Row:
    return Row(time_ms=time_ms, register_wh=round(energy_w_ms / _MS_PER_HOUR, 3), boot_id=boot_id)
