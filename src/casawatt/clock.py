"""The clocks that a home can run by."""

import time


class WallClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return the time now in UTC milliseconds since 1970."""
        return time.time_ns() // 1_000_000


class DemoClock:
    """The demo home's clock: stands still until `go`, then runs `speed` times as fast as the wall's."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._start_ms = WallClock().now_ms()
        self._started_s: float | None = None

    def set(self, time_ms: int) -> None:
        """Show `time_ms` (UTC ms), as long as it stands still."""
        self._start_ms = time_ms

    def go(self) -> None:
        """Run from now on."""
        self._started_s = time.monotonic()

    def now_ms(self) -> int:
        """Return the home's time in UTC milliseconds since 1970."""
        if self._started_s is None:
            return self._start_ms
        return self._start_ms + round((time.monotonic() - self._started_s) * 1000 * self._speed)
