"""What a Tasmota device's stamps are worth, found out from the stamps alone.

Tasmota writes local time without a zone, whole seconds, 1970 before it has the time. The device's zone may not be the
one that is configured; and a message may have waited at the broker while casawatt was down, so that it is rightly old.
The two are told apart by the lag, time of arrival less stamp:

- A lag of less than a minute: the clock is right, and the stamp is the time.
- Ahead of us: no message comes before it was sent, so the clock is wrong, and the time of arrival is taken.
- Behind us by anything but whole quarter-hours: the message waited, and its stamp is its time.
- Behind us by whole quarter-hours, which is what a wrong zone looks like: the message waited if others come with it
  that are minutes apart by their stamps, for what waited comes all at once. Else, after it was held for five seconds,
  the zone is wrong, and the time of arrival is taken.

Once a clock is known to be wrong by so and so much, what waited is put right by that.
"""

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, tzinfo
from enum import Enum
from typing import NamedTuple

from casawatt.model.errors import PacketError

RIGHT_MS = 60_000
"""A clock that is off by less than this is right: messages take a while, and stamps are whole seconds."""
SAME_MS = 10_000
"""A lag that changed by less than this is the same lag."""
APART_MS = 4_000
"""Messages that come closer together, by more than this, than they were sent have waited; live ones jitter less."""
QUARTER_MS = 900_000
"""Zones are whole quarter-hours apart."""
FARTHEST_MS = 14 * 3_600_000 + SAME_MS
"""Two zones that people use are rarely further apart; UTC+14 is the largest there is."""
HOLD_MS = 5_000
"""So long a message is held whose lag may mean either: by then the next that waited has come."""
BEGINNING_MS = 946_684_800_000
"""2000-01-01 UTC; a stamp before it comes from a clock that was never set."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Verdict(Enum):
    """What became of a stamp."""

    BELIEVED = "believed"
    """`time_ms` is the time."""
    ARRIVAL = "arrival"
    """It is not to be believed: take the time of arrival."""
    UNSURE = "unsure"
    """Hold it until the next message of the device, or for `HOLD_MS`."""


class Judged(NamedTuple):
    """A verdict on one stamp; `time_ms` is UTC ms, None unless it is believed. `complaint` is news for a person."""

    verdict: Verdict
    time_ms: int | None = None
    complaint: str | None = None


ARRIVAL = Judged(Verdict.ARRIVAL)


def read_stamp(stamp: object) -> datetime | None:
    """Return what `Time` says as a datetime, with a zone if it has one; None for none.

    Without a zone is how Tasmota writes it; `SetOption52` adds the offset, other settings make it seconds since 1970.
    Raises PacketError, cause `time`, for what is no time.
    """
    try:
        if stamp is None:
            return None
        if isinstance(stamp, str):
            found = datetime.fromisoformat(stamp)
        elif isinstance(stamp, int | float) and not isinstance(stamp, bool):
            found = _EPOCH + timedelta(seconds=stamp)
        else:
            found = None
    except (ValueError, OverflowError):
        found = None
    if found is None or not MINYEAR < found.year < MAXYEAR:  # beyond, no zone can be reckoned with
        raise PacketError("time", f"{stamp!r} is no time")
    return found


class DeviceClock:
    """The clock of one device, as its messages tell it. `zone` is that of stamps without one, None the machine's."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._off_ms = 0
        """By how much its clock is known to lag; 0 as long as it is right, or nothing is known against it."""
        self._newest_ms = 0
        self._last: tuple[int, int] | None = None
        self._waited_at_ms = -HOLD_MS
        self._told_ms: int | None = None

    def judge(self, stamp: datetime | None, received_ms: int) -> Judged:
        """Return what to take for the time of a message that arrived now."""
        if stamp is None or (stamp_ms := self._utc_ms(stamp, received_ms)) < BEGINNING_MS:
            return ARRIVAL
        lag_ms = received_ms - stamp_ms
        earlier, self._last = self._last, (stamp_ms, received_ms)
        if abs(lag_ms) < RIGHT_MS:
            self._off_ms = 0
            return self._believe(stamp_ms)
        if abs(lag_ms - self._off_ms) < SAME_MS:
            return ARRIVAL
        if lag_ms < self._off_ms:
            return self._is_off(lag_ms)
        if earlier is not None and stamp_ms - earlier[0] > received_ms - earlier[1] + APART_MS:
            self._waited_at_ms = received_ms
        if received_ms - self._waited_at_ms < HOLD_MS or not _may_be_a_zone(lag_ms - self._off_ms):
            return self._believe(stamp_ms + self._off_ms)
        return Judged(Verdict.UNSURE)

    def judge_held(self, stamp: datetime, received_ms: int, now_ms: int) -> Judged:
        """Return what to take for the time of a message that was held, now that another came or time has passed."""
        stamp_ms = self._utc_ms(stamp, received_ms)
        if self._waited_at_ms >= received_ms:
            return self._believe(stamp_ms + self._off_ms)
        if now_ms - received_ms < HOLD_MS:
            return Judged(Verdict.UNSURE)
        return self._is_off(received_ms - stamp_ms)

    def _believe(self, time_ms: int) -> Judged:
        self._newest_ms = max(self._newest_ms, time_ms)
        return Judged(Verdict.BELIEVED, time_ms)

    def _is_off(self, lag_ms: int) -> Judged:
        """Remember by how much the clock lags, and complain of it once."""
        self._off_ms = lag_ms
        if self._told_ms is not None and abs(lag_ms - self._told_ms) < SAME_MS:
            return ARRIVAL
        self._told_ms = lag_ms
        way = "behind" if lag_ms > 0 else "ahead"
        advice = ", as if its zone were another than `timezone` says" if _may_be_a_zone(abs(lag_ms)) else ""
        text = f"its clock is {abs(lag_ms) / 60_000:.0f} minutes {way}{advice}; the time of arrival is taken instead"
        return Judged(Verdict.ARRIVAL, None, text)

    def _utc_ms(self, stamp: datetime, received_ms: int) -> int:
        """Return a stamp as UTC ms.

        An hour that the clocks go through twice gives two: the one that fits the time of arrival is taken, else the
        first that is not before what was heard last, else the first.
        """
        if stamp.tzinfo is not None:
            return _ms(stamp)
        if self._zone is not None:
            stamp = stamp.replace(tzinfo=self._zone)
        # `astimezone` reads a stamp without a zone by the machine's.
        both = sorted(_ms(stamp.replace(fold=fold).astimezone(UTC)) for fold in (0, 1))
        first, second = both
        for each in both:
            if abs(received_ms - each - self._off_ms) < RIGHT_MS:
                return each
        return second if first < self._newest_ms <= second <= received_ms + RIGHT_MS else first


def _may_be_a_zone(lag_ms: int) -> bool:
    """Return whether a lag is a whole number of quarter-hours, and no more than zones can differ."""
    nearest_ms = (lag_ms + QUARTER_MS // 2) // QUARTER_MS * QUARTER_MS
    return nearest_ms > 0 and lag_ms <= FARTHEST_MS and abs(lag_ms - nearest_ms) < SAME_MS


def _ms(stamp: datetime) -> int:
    return (stamp - _EPOCH) // timedelta(milliseconds=1)
