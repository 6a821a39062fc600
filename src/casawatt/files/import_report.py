"""What became of a source that was imported."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from casawatt.engine.localtime import bucket_edges
from casawatt.recordings.row import Row

REJECTED_MAX = 100
"""So many rejected rows are kept with their text, and so many notes; the rest is only counted."""

EXPLAINED = {
    "conflict": "the meter has another reading at that time already, which stays",
    "out_of_range": "a value that nothing in a home can have, or a time before 2000 or in the future",
    "not_finite": "a value that is not a finite number",
    "empty": "no value at all",
}
"""What the words mean with which the home refuses a reading."""

CHANNELS = ("power_w", "register_wh", "voltage_v", "current_a", "power_factor_ratio", "charge_as", "boot_id")
"""What a row may say, by the names that the API has for it too."""

_TEXT_MAX_CHARACTERS = 200
_DAY_MS = 86_400_000
_PLAUSIBLE_MS = (946_684_800_000, 4_102_444_800_000)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Something of the source that was not recorded, where it stands, and why."""

    place: str
    text: str
    cause: str
    detail: str


def is_plausible(time_ms: int) -> bool:
    """Return whether a time (UTC ms) lies in the years 2000 to 2099, so that it has a month to be counted in."""
    return _PLAUSIBLE_MS[0] <= time_ms < _PLAUSIBLE_MS[1]


class Months:
    """Tells the local month of an instant; fast when the next one is of the same month."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._start_ms = self._end_ms = 0
        self._name = ""

    def name(self, time_ms: int) -> str:
        """Return the local month that an instant (UTC ms) lies in, e.g. `2026-01`."""
        if not self._start_ms <= time_ms < self._end_ms:
            self._start_ms, self._end_ms = month_of(self.zone, time_ms)
            self._name = month_name(self.zone, time_ms)
        return self._name

    def end_ms(self, time_ms: int) -> int:
        """Return when the month of an instant ends (UTC ms)."""
        self.name(time_ms)
        return self._end_ms


def month_name(zone: ZoneInfo, time_ms: int) -> str:
    """Return the local month of an instant (UTC ms), e.g. `2026-01`."""
    return f"{datetime.fromtimestamp(time_ms / 1000, zone):%Y-%m}"


def month_of(zone: ZoneInfo, time_ms: int) -> tuple[int, int]:
    """Return the beginning and the end (UTC ms) of the local month that an instant lies in."""
    edges = bucket_edges(zone, time_ms - 32 * _DAY_MS, time_ms + 33 * _DAY_MS, "month")
    later = next(index for index, edge in enumerate(edges) if edge > time_ms)
    return edges[later - 1], edges[later]


@dataclass(slots=True)
class Report:
    """Counts of one import, filled while it runs. Energy is kept by series and local month of `zone`.

    `lines` counts all that was read of the source, `readings` what was understood of it, `recorded` and `duplicates`
    what the home answered; `rejected` counts rejections by cause. `spans` holds for each series the times of the first
    and last row that the home has now (UTC ms); `left_out` how many rows of which series had no meter to go to.
    `own_wh` is the source's own total of a month: what the source itself says or, where it says nothing, what its rows
    add up to. `reasons` says why the home's total may differ from it.
    """

    zone: ZoneInfo
    lines: int = 0
    readings: int = 0
    recorded: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    rejections: list[Rejection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    notes_left_out: int = 0
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    own_wh: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    reasons: dict[tuple[str, str], dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def note(self, text: str) -> None:
        """Keep something that a person should know, if there is room."""
        if len(self.notes) < REJECTED_MAX:
            self.notes.append(text)
        else:
            self.notes_left_out += 1

    def reject(self, place: str, text: str, cause: str, detail: str, count: int = 1) -> None:
        """Count something that was not recorded, `count` of it in one place, and keep it if there is room."""
        self.rejected[cause] += count
        if len(self.rejections) < REJECTED_MAX:
            self.rejections.append(Rejection(place, text[:_TEXT_MAX_CHARACTERS], cause, detail))

    def explain(self, series: str, month: str, why: str) -> None:
        """Note why the home's total of a month may differ from the source's."""
        self.reasons[series, month][why] = None

    def answered(
        self, series: str, rows: Sequence[Row], places: Sequence[str], counts: tuple[int, int], refused: dict[int, str]
    ) -> None:
        """Add what the home answered to some rows: how many it recorded and had already, and the cause by their index.

        `places` says where each row stands in the source.
        """
        self.recorded += counts[0]
        self.duplicates += counts[1]
        for index, cause in refused.items():
            self._refused(series, rows[index], places[index], cause)
        times_ms = [row.time_ms for index, row in enumerate(rows) if index not in refused]
        if times_ms:
            first_ms, last_ms = self.spans.get(series, (times_ms[0], times_ms[0]))
            self.spans[series] = min(first_ms, *times_ms), max(last_ms, *times_ms)

    def _refused(self, series: str, row: Row, place: str, cause: str) -> None:
        said = [f"{name} {value}" for name in CHANNELS if (value := getattr(row, name)) is not None]
        self.reject(place, ", ".join(said), cause, EXPLAINED.get(cause, "refused by the home"))
        if is_plausible(row.time_ms):
            self.explain(series, month_name(self.zone, row.time_ms), f"rows were rejected: {cause}")
