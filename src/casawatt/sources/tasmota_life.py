"""Telling a device's starts apart by how long it says it has been up."""

LOST_S = 15
"""A device that was up for this much less than time has passed was started again meanwhile."""


class Life:
    """The lives of one device. `boot_id` is about when it started, in seconds since 1970, the same for all of one life.

    None until it has said its uptime. After a restart of casawatt the same life may get a number some seconds apart.
    """

    def __init__(self) -> None:
        self.boot_id: int | None = None
        self._at_ms = 0
        self._uptime_s = 0.0

    def began(self, at_ms: int) -> None:
        """Note that the device has said that it has just started."""
        self._begin(at_ms, 0.0)

    def goes_on(self, at_ms: int, uptime_s: float) -> None:
        """Note how long it had been up at `at_ms` (UTC ms)."""
        overtaken = at_ms < self._at_ms and uptime_s < self._uptime_s
        if overtaken:
            return
        lost_s = (at_ms - self._at_ms) / 1000 - (uptime_s - self._uptime_s)
        if self.boot_id is None or uptime_s < self._uptime_s or lost_s > LOST_S:
            self._begin(at_ms, uptime_s)
        self._at_ms, self._uptime_s = at_ms, uptime_s

    def _begin(self, at_ms: int, uptime_s: float) -> None:
        started_s = max(round(at_ms / 1000 - uptime_s), 0)
        self.boot_id = started_s if self.boot_id is None else max(started_s, self.boot_id + 1)
        self._at_ms, self._uptime_s = at_ms, uptime_s
