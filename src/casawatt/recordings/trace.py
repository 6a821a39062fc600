"""One day of one appliance, to be looked up by the time of day."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Trace:
    """Power that holds from each second of the day in `start_s` (ascending, the first is 0) to the next.

    `total_ws` is the energy in watt-seconds used before each of them, so that energy between any two
    times of day is exact. `synthetic` traces were computed, not measured.
    """

    name: str
    label: str
    synthetic: bool
    start_s: tuple[int, ...]
    power_w: tuple[int, ...]
    total_ws: tuple[int, ...]

    def power_at(self, second_of_day: float) -> int:
        """Return the power in W at a time of day, in seconds since local midnight (0 to before 86,400)."""
        return self.power_w[bisect_right(self.start_s, second_of_day) - 1]

    def energy_before_ws(self, second_of_day: float) -> float:
        """Return the energy in watt-seconds from midnight to a time of day."""
        index = bisect_right(self.start_s, second_of_day) - 1
        return self.total_ws[index] + self.power_w[index] * (second_of_day - self.start_s[index])


def make_trace(name: str, label: str, rows: Iterable[tuple[int, int]], *, synthetic: bool = False) -> Trace:
    """Return the trace of `rows` (second of the day, W) in any order; of one second the later row counts.

    What the day begins with is the first row's power. Raises ValueError without rows.
    """
    of_second = dict(rows)
    if not of_second:
        message = f"the trace {name!r} has no rows"
        raise ValueError(message)
    of_second.setdefault(0, of_second[min(of_second)])
    seconds = tuple(sorted(of_second))
    powers = tuple(of_second[second] for second in seconds)
    steps = (power * (end - start) for power, (start, end) in zip(powers, pairwise(seconds), strict=False))
    return Trace(name, label, synthetic, seconds, powers, (0, *accumulate(steps)))


def sum_of(name: str, label: str, traces: Iterable[Trace]) -> Trace:
    """Return the exact sum of `traces`, whose power may change at any second at which one of theirs does."""
    parts = list(traces)
    seconds = sorted({second for trace in parts for second in trace.start_s})
    rows = ((second, sum(trace.power_at(second) for trace in parts)) for second in seconds)
    return make_trace(name, label, rows)
