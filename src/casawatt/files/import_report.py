"""What became of a file that was imported."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from casawatt.model.reading import Reading

REJECTED_LINES_MAX = 100
"""So many rejected lines are kept with their text; the rest is only counted."""

_TEXT_MAX_CHARACTERS = 200
_MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line of the file (numbered from 1) that was not recorded, and why."""

    line_number: int
    text: str
    cause: str
    detail: str


@dataclass(slots=True)
class Report:
    """Counts of one import, filled while it runs.

    `lines` counts every line of the file, `readings` what was understood of them, `recorded` and `duplicates`
    what the home answered. `rejected` counts rejected lines by cause. `first_ms` and `last_ms` are the earliest
    and latest time read (UTC ms). `energy_wh` is, for each address, the energy of the file as it stands: power
    held from line to line, never over more than the gap limit; the home's own figure leaves duplicates out.
    """

    gap_limit_ms: int
    lines: int = 0
    readings: int = 0
    recorded: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_lines: list[RejectedLine] = field(default_factory=list)
    first_ms: int | None = None
    last_ms: int | None = None
    energy_wh: dict[str, float] = field(default_factory=dict)
    _newest: dict[str, Reading] = field(default_factory=dict, repr=False)

    def reject(self, line_number: int, text: str, cause: str, detail: str) -> None:
        """Count a line that was not recorded, and keep it if there is room."""
        self.rejected[cause] += 1
        if len(self.rejected_lines) < REJECTED_LINES_MAX:
            self.rejected_lines.append(RejectedLine(line_number, text[:_TEXT_MAX_CHARACTERS], cause, detail))

    def answered(self, recorded: int, duplicates: int, rejected: Sequence[tuple[int, str]]) -> None:
        """Add what the home answered to a batch; `rejected` has the line number and cause of each reading refused."""
        self.recorded += recorded
        self.duplicates += duplicates
        for line_number, cause in rejected:
            self.reject(line_number, "", cause, "refused by the home")

    def add(self, reading: Reading) -> None:
        """Count a reading that was understood."""
        time_ms = reading.time_ms
        if time_ms is None:
            return
        self.readings += 1
        self.first_ms = time_ms if self.first_ms is None else min(self.first_ms, time_ms)
        self.last_ms = time_ms if self.last_ms is None else max(self.last_ms, time_ms)
        before = self._newest.get(reading.address)
        if before is None or time_ms >= (before.time_ms or 0):
            self._newest[reading.address] = reading
        if before is not None:
            grown_wh = _energy_wh(before, reading, self.gap_limit_ms)
            self.energy_wh[reading.address] = self.energy_wh.get(reading.address, 0.0) + grown_wh


def _energy_wh(before: Reading, now: Reading, gap_limit_ms: int) -> float:
    step_ms = (now.time_ms or 0) - (before.time_ms or 0)
    if step_ms <= 0:
        return 0.0
    if before.register_wh is not None and now.register_wh is not None:
        return max(0.0, now.register_wh - before.register_wh)
    if before.power_w is None or step_ms > gap_limit_ms:
        return 0.0
    return before.power_w * step_ms / _MS_PER_HOUR
