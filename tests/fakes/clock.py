"""A clock that stands until a test moves it."""

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""


class ManualClock:
    """A `model.ports.Clock`; `time_ms` is what it shows."""

    def __init__(self, time_ms: int = START_MS) -> None:
        self.time_ms = time_ms

    def now_ms(self) -> int:
        """Return what it was last set to."""
        return self.time_ms

    def advance(self, step_ms: int) -> int:
        """Move it on and return the new time."""
        self.time_ms += step_ms
        return self.time_ms
