"""What the rows of a source add up to, where the source itself keeps no totals."""

from casawatt.files.import_report import Months, Report, is_plausible
from casawatt.recordings.row import Row

_MS_PER_HOUR = 3_600_000


class Tally:
    """Adds the energy of one series' rows to a report, month by month.

    Of a register its growth; of power what it gives held from row to row, never over more than the gap limit. It is
    reckoned from the rows alone, so that it can stand beside what the home made of them.
    """

    def __init__(self, report: Report, series: str, gap_limit_ms: int, watts_per_a: float = 0.0) -> None:
        """`watts_per_a`: what an ampere gives where a row says its current only."""
        self._report = report
        self._series = series
        self._gap_limit_ms = gap_limit_ms
        self._watts_per_a = watts_per_a
        self._months = Months(report.zone)
        self._before: Row | None = None

    def add(self, row: Row) -> None:
        """Take in the next row; one that is not later than the newest adds nothing."""
        if not is_plausible(row.time_ms):
            return
        before = self._before
        if before is None:
            self._before = row
            return
        step_ms = row.time_ms - before.time_ms
        if step_ms < 0:
            self._report.explain(self._series, self._months.name(row.time_ms), "rows stand out of the order of time")
        if step_ms <= 0:
            return
        self._before = row
        energy_wh = self._energy_wh(before, row, step_ms)
        if energy_wh:
            self._spread(before.time_ms, row.time_ms, energy_wh)

    def _energy_wh(self, before: Row, now: Row, step_ms: int) -> float:
        if before.register_wh is not None and now.register_wh is not None:
            return max(0.0, now.register_wh - before.register_wh)
        power_w = before.power_w
        if power_w is None and before.current_a is not None:
            power_w = before.current_a * self._watts_per_a
        if power_w is None or step_ms > self._gap_limit_ms:
            return 0.0
        return power_w * step_ms / _MS_PER_HOUR

    def _spread(self, start_ms: int, end_ms: int, energy_wh: float) -> None:
        """Share energy out over the months that it was used in, evenly over time."""
        own_wh, months = self._report.own_wh, self._months
        at_ms = start_ms
        while at_ms < end_ms:
            until_ms = min(end_ms, months.end_ms(at_ms))
            own_wh[self._series, months.name(at_ms)] += energy_wh * (until_ms - at_ms) / (end_ms - start_ms)
            at_ms = until_ms
