"""The day files of the MCEE program: `days/YYYY-MM-DD`, a line of watts every five seconds, counted from midnight.

The files carry no times. A line stands for the five seconds that begin with it, so the place of a line is its time; one
that is empty or makes no sense still takes up its place. A whole day has one line more than it needs: it is that of the
next midnight, which the next day's file has as its first.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.engine.localtime import day_start
from casawatt.files.import_report import Report
from casawatt.files.importable import BATCH_ROWS, Batch, Series, Understood
from casawatt.model.errors import ImportFileError, PacketError
from casawatt.model.meter import Cadence, Traits
from casawatt.recordings.recording_file import RecordingFile
from casawatt.recordings.row import Row, number

STEP_MS = 5_000
GAP_LIMIT_MS = 15_000
"""Three lines: so one that is missing does not make the reading before it count for nothing."""

DEVICE = "mcce-days"
SUSPICIOUS_LINES = 600_000 // STEP_MS
"""Ten minutes of one and the same value: the program repeats its last value when the meter is silent."""

_NAME = re.compile(r"\d{4}-\d{2}-\d{2}")
_SAMPLE_ROWS = 5
_MS_PER_HOUR = 3_600_000


def day_of(name: str) -> date | None:
    """Return the date that the name of a file or a table is, None when it is none."""
    if not _NAME.fullmatch(name):
        return None
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def day_files(folder: Path) -> dict[date, Path]:
    """Return the day files in `folder`, or else in its folder `days`, by their date in ascending order.

    Empty when there are none. Raises ImportFileError when the folder cannot be read.
    """
    for place in (folder, folder / "days"):
        try:
            names = sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else []
        except OSError as error:
            raise ImportFileError(f"{place}: {error.strerror}") from error
        found = {day: path for path in names if (day := day_of(path.name)) is not None}
        if found:
            return found
    return {}


@dataclass(slots=True)
class Day:
    """One day file while it is read: `lines` in it, `blank` ones without a value among those before midnight."""

    day: date
    path: Path
    zone: ZoneInfo
    start_ms: int
    slots: int
    lines: int = 0
    blank: int = 0
    sum_w: float = 0.0
    after_midnight: int = 0
    closing: tuple[int, Row] | None = None
    runs: list[tuple[int, int, float]] = field(default_factory=list)
    _run: tuple[int, int, float] = (0, 0, 0.0)

    def rows(self, report: Report) -> Iterator[tuple[int, Row]]:
        """Yield line number and row of each line before the next midnight; that of midnight becomes `closing`."""
        with RecordingFile(self.path) as recording:
            for line_number, text in recording:
                report.lines += 1
                self.lines += 1
                slot = line_number - 1
                power_w = self._power_w(line_number, text, report)
                if slot > self.slots:
                    self.after_midnight += power_w is not None
                    continue
                row = None if power_w is None else Row(time_ms=self.start_ms + slot * STEP_MS, power_w=power_w)
                if slot == self.slots:
                    self.closing = None if row is None else (line_number, row)
                    continue
                self._follow(slot, power_w)
                if row is None:
                    self.blank += 1
                else:
                    self.sum_w += row.power_w or 0.0
                    yield line_number, row
        self._follow(self.slots, None)

    def _power_w(self, line_number: int, text: str, report: Report) -> float | None:
        try:
            return number(text)
        except PacketError as error:
            report.reject(f"{self.path.name}:{line_number}", text, error.cause, str(error))
            return None

    def _follow(self, slot: int, power_w: float | None) -> None:
        """Watch for the same value again and again."""
        first, count, same_w = self._run
        if count and power_w == same_w:
            self._run = first, count + 1, same_w
            return
        if count > SUSPICIOUS_LINES and same_w != 0:
            self.runs.append(self._run)
        self._run = (slot, 1, power_w) if power_w is not None else (0, 0, 0.0)

    def clock(self, slot: int) -> str:
        """Return the time of day of a line's place."""
        return f"{datetime.fromtimestamp((self.start_ms + slot * STEP_MS) / 1000, self.zone):%H:%M:%S}"


class DayFiles:
    """A folder of day files that is to be imported."""

    def __init__(self, folder: Path, slug: str, zone: ZoneInfo) -> None:
        """Look at the day files in `folder`, or in its folder `days`; `zone` says when days begin.

        Raises ImportFileError when there are none.
        """
        self._zone = zone
        self._files = day_files(folder)
        if not self._files:
            raise ImportFileError(
                f"{folder}: there are no day files in it nor in its folder `days`; they are named like 2023-01-31"
            )
        days = list(self._files)
        missing = (days[-1] - days[0]).days + 1 - len(days)
        notes = [
            f"the lines carry no times: the first of each file is taken to be that of midnight, {zone.key}",
            "of each file the line of the next midnight counts only where the next day has no file",
        ]
        if missing:
            notes.append(f"{missing} days between the first and the last have no file")
        refused = Report(zone)
        first = self._day(days[0])
        rows = tuple(row for _, row in islice(first.rows(refused), _SAMPLE_ROWS))
        self.understood = Understood(
            origin=str(self._files[days[0]].parent),
            summary=f"{len(days)} day files from {days[0]} to {days[-1]}, a line of watts every 5 s",
            series=(Series(name="", what="the MCEE meter", slug=slug),),
            traits=Traits(cadence=Cadence.CHANGE, gap_limit_ms=GAP_LIMIT_MS),
            by_register=False,
            step_s=STEP_MS / 1000,
            notes=tuple(notes),
            rows=rows,
            refused=tuple((each.place, each.detail) for each in refused.rejections),
        )

    def batches(self, wanted: Mapping[str, str], report: Report) -> Iterator[Batch]:
        """Yield the rows day by day, adding to `report`; what is odd about a day is noted there."""
        del wanted  # there is one series
        for index, day in enumerate(self._files):
            work = self._day(day)
            rejected = report.rejected.total()
            done_ratio = (index + 1) / len(self._files)
            yield from self._batches(work, report, done_ratio)
            self._tell(work, report, report.rejected.total() - rejected)

    def _day(self, day: date) -> Day:
        start_ms, end_ms = (day_start(self._zone, each) for each in (day, day + timedelta(days=1)))
        return Day(day, self._files[day], self._zone, start_ms, (end_ms - start_ms) // STEP_MS)

    def _batches(self, work: Day, report: Report, done_ratio: float) -> Iterator[Batch]:
        rows = work.rows(report)
        while chunk := list(islice(rows, BATCH_ROWS)):
            yield self._batch(work, chunk, report, done_ratio)
        if work.closing is not None and work.day + timedelta(days=1) not in self._files:
            yield self._batch(work, [work.closing], report, done_ratio)

    @staticmethod
    def _batch(work: Day, chunk: list[tuple[int, Row]], report: Report, done_ratio: float) -> Batch:
        report.readings += len(chunk)
        numbers, rows = zip(*chunk, strict=True)
        return Batch("", rows, numbers, f"{work.path.name}:", DEVICE, done_ratio)

    def _tell(self, work: Day, report: Report, rejected: int) -> None:
        """Put the day's own total into the report, and what a person should know of it."""
        day, month = work.day, f"{work.day:%Y-%m}"
        report.own_wh["", month] += work.sum_w * STEP_MS / _MS_PER_HOUR
        if work.lines < work.slots:
            report.note(
                f"{day}: a short day, {work.lines} of {work.slots} lines; they are counted from midnight, so that their"
                " times are wrong if the program began later"
            )
            report.explain("", month, "short days")
        if work.after_midnight:
            detail = f"{work.after_midnight} lines after the day's end; where the extra lines came in is not known"
            place = f"{work.path.name}:{work.slots + 2}"
            report.reject(place, "", "after_midnight", detail, work.after_midnight)
        if work.blank:
            report.note(f"{day}: {work.blank} lines without a value")
            report.explain("", month, "lines without a value: the value before holds for up to 15 s")
        if rejected:
            report.explain("", month, "rows were rejected")
        if work.closing is None and day + timedelta(days=1) not in self._files:
            report.explain("", month, "nothing follows the last line, so that its five seconds do not count")
        for first, count, power_w in work.runs:
            report.note(
                f"{day}: exactly {power_w:g} W from {work.clock(first)} for {count * STEP_MS / 60_000:.0f} minutes: the"
                " program repeats its last value when the meter is silent; imported as it stands"
            )
