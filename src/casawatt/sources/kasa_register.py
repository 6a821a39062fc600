"""A register made of what a Tapo plug counts by day, month and year: it has none that runs for ever.

What the plug counts begins again at zero at its local midnight, at the end of its month, or of its year. So that this
happens as seldom as possible, the register counts

- the year: the months that are over, from the plug's own history, and the running one;
- the month, where the firmware has no history; the day, where it does not even count the month.

Which of these is decided by what the firmware offers, when the plug is first asked, and stays: two ways of counting
must never take turns. Where it cannot be told for a moment (the history does not answer, the clock is wrong), the
reading has no register, and the next that has one makes up for it.

Where a register began again in between, two readings say so: what it showed in the end (where the history tells), and
that it was zero then. So nothing that it counted is lost, nor counted twice, whatever the values before and after.
"""

from datetime import datetime, timedelta, tzinfo
from enum import Enum
from typing import NamedTuple

from casawatt.model.errors import PacketError
from casawatt.sources.kasa_tapo import Usage

LIMIT_W = 5000.0
"""More cannot flow through a 16 A plug for long."""

CLOCK_OFF_MAX_MS = 2 * 3_600_000
"""A plug's clock may be off by that: a summer time that its firmware knows of and we do not, or the other way round."""

LOOK_BACK = timedelta(days=7)
"""A beginning no longer ago than this is told again after a restart: casawatt may have been off when it happened."""

LAG_MAX = timedelta(days=1)
"""How long a history that has less of a month than was seen is waited for; then it is believed."""

BEFORE_MS = 1000
"""So long before it began again the register is said to have shown its last value."""


class Span(Enum):
    """What a register counts before it begins again."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"

    def begin(self, local: datetime) -> datetime:
        """Return when the span that a local time lies in began."""
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Span.DAY:
            return day
        return day.replace(day=1) if self is Span.MONTH else day.replace(month=1, day=1)

    def number(self, local: datetime) -> int:
        """Return a number that grows from span to span, e.g. 2026, 202601 or 20260131."""
        if self is Span.DAY:
            return local.year * 10_000 + local.month * 100 + local.day
        return local.year * 100 + local.month if self is Span.MONTH else local.year


class Value(NamedTuple):
    """What the register shows at `time_ms` (UTC ms); None is now. `boot_id` changes when it begins again."""

    time_ms: int | None
    register_wh: float
    boot_id: int


class Counter:
    """One socket's register. `months_of` must have been given a year's months (Wh) before `values` can count them."""

    def __init__(self, span: Span, zone: tzinfo) -> None:
        self.span = span
        self._zone = zone
        self._months: dict[int, list[float]] = {}
        self._months_fresh: tuple[int, int] | None = None
        self._newest: datetime | None = None
        self._newest_month_wh = 0.0

    def years_wanted(self, usage: Usage, received_ms: int) -> list[int]:
        """Return the years whose months are needed before `values`; raises PacketError when the clock is wrong."""
        self._check_clock(usage.local, received_ms)
        if self.span is not Span.YEAR:
            return []
        wanted = [] if self._months_fresh == (usage.local.year, usage.local.month) else [usage.local.year]
        if self._began_anew(usage.local):
            wanted.append(usage.local.year - 1)
        return wanted

    def months_of(self, year: int, months_wh: list[float]) -> None:
        """Take in what the plug counted in each month of a year."""
        self._months[year] = months_wh

    def values(self, usage: Usage) -> list[Value]:
        """Return what the register shows, before it where and when it began again, if it did since the last call.

        Raises PacketError when it cannot be told now.
        """
        counted_wh = usage.today_wh if self.span is Span.DAY else usage.month_wh
        if counted_wh is None:
            raise PacketError("history", f"the plug does not say what it counted this {self.span.value}")
        self._check_reset(usage, counted_wh)
        values = self._beginning(usage.local) if self._began_anew(usage.local) else []
        values.append(Value(None, self._past_wh(usage.local) + counted_wh, self.span.number(usage.local)))
        self._months_fresh = (usage.local.year, usage.local.month)
        self._newest, self._newest_month_wh = usage.local, usage.month_wh or 0.0
        return values

    def _check_reset(self, usage: Usage, counted_wh: float) -> None:
        """Raise PacketError while what the plug counts is still that of the day or month before.

        More than could flow since it began cannot be of it; and on a month's first day, neither can more than today's.
        """
        since = (Span.DAY if self.span is Span.DAY else Span.MONTH).begin(usage.local)
        most_wh = LIMIT_W * max((usage.local - since).total_seconds(), 60) / 3600
        if usage.local.day == 1 and usage.today_wh is not None:
            most_wh = min(most_wh, usage.today_wh * 1.01 + 2)
        if counted_wh > most_wh:
            why = f"{counted_wh:.0f} Wh cannot be of the time since {since}, at most {most_wh:.0f} Wh: not reset yet"
            raise PacketError("history", why)

    def _check_clock(self, local: datetime, received_ms: int) -> None:
        device_ms = round(local.replace(tzinfo=self._zone).timestamp() * 1000)
        if abs(device_ms - received_ms) > CLOCK_OFF_MAX_MS:
            raise PacketError("clock", f"the plug's clock says {local}, so its days are not ours: no register")
        if self._newest is not None and self.span.number(local) < self.span.number(self._newest):
            raise PacketError("clock", f"the plug's clock went back from {self._newest} to {local}: no register")

    def _began_anew(self, local: datetime) -> bool:
        if self._newest is None:
            return local - self.span.begin(local) <= LOOK_BACK
        return self.span.number(local) != self.span.number(self._newest)

    def _beginning(self, local: datetime) -> list[Value]:
        """Return the last value of the span before, where the history tells it, and zero."""
        begin = self.span.begin(local)
        begin_ms = round(begin.replace(tzinfo=self._zone).timestamp() * 1000)
        values = [Value(begin_ms, 0.0, self.span.number(begin))]
        before = begin - timedelta(seconds=1)
        if self.span is Span.YEAR:
            last_wh = sum(self._closed(before, local))
            if last_wh:
                values.insert(0, Value(begin_ms - BEFORE_MS, last_wh, self.span.number(before)))
        return values

    def _past_wh(self, local: datetime) -> float:
        """Return what the register counted in months that are over; raises PacketError while the history lags."""
        if self.span is not Span.YEAR or local.month == 1:
            return 0.0
        return sum(self._closed(local.replace(day=1) - timedelta(days=1), local))

    def _closed(self, end: datetime, local: datetime) -> list[float]:
        """Return the months of a year until that of `end`, which are over at `local`.

        Raises PacketError when the history does not have the last of them yet as it was seen. It has a day for that.
        """
        months_wh = self._months.get(end.year)
        if months_wh is None:
            raise PacketError("history", f"the months of {end.year} are not known yet")
        seen = self._newest
        in_time = local - Span.MONTH.begin(local) < LAG_MAX
        if in_time and seen is not None and (seen.year, seen.month) == (end.year, end.month):
            history_wh = months_wh[end.month - 1]
            if history_wh < 0.99 * self._newest_month_wh - 10:
                why = f"the history has {history_wh:.0f} Wh for a month that counted {self._newest_month_wh:.0f} Wh"
                raise PacketError("history", why)
        return months_wh[: end.month]
