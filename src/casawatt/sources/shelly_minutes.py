"""Fills the minutes of a short outage with what the device remembers of them (`by_minute`).

A device tells its register, and what each of the last three full minutes used. Right after a full minute (a *tick*)
its register is that of the minute's end; less what each minute used, it is that of the minutes' beginnings. So the
register at the full minutes within an outage comes from the device's own words, to the milliwatt-hour.

Between ticks it is not known how much of the register belongs to the current minute. What was remembered at the first
message after an outage is therefore kept until the next tick, which tells the register at the minute between.
"""

from itertools import accumulate, pairwise
from typing import NamedTuple

from casawatt.sources.shelly_parse import Minutes

MINUTE_S = 60
OUTAGE_MS = 65_000
"""A register is told every minute, give or take; silent for longer than this, it missed one."""
TICK_MS = 1_500
"""So soon after a full minute a register is still that of the minute's end: the device tells it at once."""
ROUNDING_WH = 0.0005
"""Half of what a register is recorded in."""


class _Outage(NamedTuple):
    """Time without a register: from the last before, to the first after it, and the minutes remembered by then."""

    start_ms: int
    start_wh: float
    end_ms: int
    remembered: Minutes | None


class MinuteFill:
    """The registers of one channel of a device, as they come in, and the gaps between them."""

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None
        self._outage: _Outage | None = None

    def forget(self) -> None:
        """Start anew: the device did, and what it remembers is of another life."""
        self._last = self._outage = None

    def take(
        self, time_ms: int, register_wh: float, minutes: Minutes | None, ahead_ms: int | None
    ) -> list[tuple[int, float]]:
        """Take in a register at `time_ms` (UTC ms); return registers (time in ms, Wh) at earlier full minutes.

        They come in order of time, lie within an outage that is over, and agree with the registers on both sides of it;
        most of the time there are none. `ahead_ms` is how far the device's clock was ahead of `time_ms`'s, None where
        that is not known exactly.
        """
        if self._last is not None and time_ms - self._last[0] > OUTAGE_MS:
            self._outage = _Outage(*self._last, time_ms, minutes)
        self._last = time_ms, register_wh
        outage = self._outage
        if outage is None or minutes is None or ahead_ms is None:
            return []
        if not 0 <= time_ms + ahead_ms - minutes.minute_s * 1000 <= TICK_MS:
            return []
        self._outage = None
        known = _backwards(register_wh, minutes)
        remembered = outage.remembered
        if remembered is not None and remembered.minute_s in known:
            known |= _backwards(known[remembered.minute_s], remembered)
        found = sorted((minute_s * 1000 - ahead_ms, wh) for minute_s, wh in known.items())
        within = [(at_ms, wh) for at_ms, wh in found if outage.start_ms + TICK_MS < at_ms < outage.end_ms - TICK_MS]
        return within if _agrees([outage.start_wh, *(wh for _, wh in within), register_wh]) else []


def _backwards(register_wh: float, minutes: Minutes) -> dict[int, float]:
    """Return the register at the end of the last full minute and at the beginning of each, by Unix time in s."""
    used_wh = accumulate(minutes.energies_wh, initial=0.0)
    return {minutes.minute_s - MINUTE_S * ago: register_wh - wh for ago, wh in enumerate(used_wh)}


def _agrees(registers_wh: list[float]) -> bool:
    """Say whether registers never fall, but for what rounding makes of them."""
    return all(later - earlier > -ROUNDING_WH for earlier, later in pairwise(registers_wh))
