"""The clocks that a home can run by."""

import time


class WallClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return the time now in UTC milliseconds since 1970."""
        return time.time_ns() // 1_000_000


class FastClock:
    """Starts at the wall's time, or `start_ms`, and from then on runs `speed` times as fast. For the demo home."""

    def __init__(self, speed: float, start_ms: int | None = None) -> None:
        self._speed = speed
        self._start_ms = WallClock().now_ms() if start_ms is None else start_ms
        self._started_s = time.monotonic()

    def now_ms(self) -> int:
        """Return the home's time in UTC milliseconds since 1970."""
        return self._start_ms + round((time.monotonic() - self._started_s) * 1000 * self._speed)
