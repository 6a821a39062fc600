"""Reading other people's files: first a preview of what was understood, then the rows in batches.

Nothing here records anything: the caller hands the batches to the home and tells the report what it answered.
"""

from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from casawatt.files.import_report import Report
from casawatt.files.importable import BATCH_ROWS, Batch, Series, Understood
from casawatt.files.tally import Tally
from casawatt.model.errors import ImportFileError, PacketError
from casawatt.model.meter import Cadence, Traits
from casawatt.recordings.columns import Layout
from casawatt.recordings.formats import parser_for, recognise, zone_of
from casawatt.recordings.recording_file import RecordingFile, head
from casawatt.recordings.row import Row
from casawatt.recordings.sniff import Guess, Said, sniff

_SAMPLE_ROWS = 5
_SAMPLE_LINES = 500
_GAP_LIMIT_S_MIN = 60.0
_STEPS_IN_A_GAP = 2.5


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user says of the file; None leaves it to casawatt.

    `said` is about its columns; any of it makes the file be read by columns. `timezone` is for times without one;
    left out, a known format has its own, and any other file is taken to be written in `home_timezone`.
    `gap_limit_s`: lines further apart have a gap between them; `slug`: the meter they are of.
    """

    format: str | None = None
    said: Said = Said()
    timezone: str | None = None
    home_timezone: str = "UTC"
    slug: str = "file"
    gap_limit_s: float | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How to read a file: all that reading it needs, and what may be shown to the user for confirmation."""

    format: str
    timezone: str
    slug: str
    gap_limit_s: float
    layout: Layout | None = None

    @property
    def traits(self) -> Traits:
        """What the readings are like: power holds from line to line, and stamps may be as old as they like."""
        return Traits(cadence=Cadence.CHANGE, gap_limit_ms=round(self.gap_limit_s * 1000))


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What was understood of a file.

    `columns` says for each column of the file, by its heading or number, what it is taken for (`-`: left out).
    `notes` are the assumptions made, in plain words. `rows` are the first ones; `step_s` the usual time between
    lines (None with a single line); `refused` lines of the first ones that cannot be understood, with the reason.
    `parts` are the further series of the file, each for a meter of its own.
    """

    path: Path
    plan: Plan
    columns: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    rows: tuple[Row, ...]
    step_s: float | None
    refused: tuple[tuple[int, str], ...]
    parts: tuple[str, ...] = ()


def preview(path: Path, options: Options) -> Preview:
    """Return what casawatt understands of the file at `path`, from its first lines.

    Raises ImportFileError when it cannot be read, or nothing in it is understood.
    """
    sample = head(path)
    overridden = options.said != Said()
    name = options.format or ("columns" if overridden else recognise(sample))
    try:
        guess = sniff(sample, options.said) if name == "columns" else None
        zone = zone_of(name, options.timezone or (options.home_timezone if name == "columns" else None))
        rows, refused = _first_rows(path, name, zone, guess)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ImportFileError(f"{path}: {error.args[0]}") from error
    except ImportFileError as error:
        message = str(error)
        raise ImportFileError(message if message.startswith(str(path)) else f"{path}: {message}") from error
    if not rows:
        why = f"line {refused[0][0]}: {refused[0][1]}" if refused else "it has no values"
        raise ImportFileError(f"{path}: nothing could be read of it as {name}; {why}")
    step_s = _usual_step_s(rows)
    gap_limit_s = options.gap_limit_s or max(_GAP_LIMIT_S_MIN, _STEPS_IN_A_GAP * (step_s or 0))
    layout = guess.layout if guess else None
    plan = Plan(format=name, timezone=zone.key, slug=options.slug, gap_limit_s=gap_limit_s, layout=layout)
    return Preview(
        path=path,
        plan=plan,
        columns=_columns(guess),
        notes=(guess.notes if guess else ()) + _zone_note(guess, options, zone),
        rows=tuple(rows[:_SAMPLE_ROWS]),
        step_s=step_s,
        refused=tuple(refused),
        parts=() if name == "casawatt" else tuple(dict.fromkeys(row.part for row in rows if row.part)),
    )


class CsvImport:
    """A file that is to be imported as it was understood."""

    def __init__(self, seen: Preview, nominal_voltage_v: float = 230.0) -> None:
        self._seen = seen
        self._nominal_voltage_v = nominal_voltage_v
        plan = seen.plan
        step = f", a line every {seen.step_s:g} s" if seen.step_s else ""
        self.understood = Understood(
            origin=str(seen.path),
            summary=f"{seen.path} is read as {plan.format}{step}; times are {plan.timezone}",
            series=(
                Series(name="", what="the file", slug=plan.slug),
                *(Series(name=part, what=f"taken with --series {part}=METER") for part in seen.parts),
            ),
            traits=plan.traits,
            by_register=any(row.register_wh is not None for row in seen.rows),
            step_s=seen.step_s,
            columns=seen.columns,
            notes=seen.notes,
            rows=seen.rows,
            refused=tuple((f"line {number}", why) for number, why in seen.refused),
        )

    def batches(self, wanted: Mapping[str, str], report: Report) -> Iterator[Batch]:
        """Yield the rows of the file in batches; memory stays bounded.

        Of casawatt's own files each further part is a device of the same meter, of other files a meter of its own,
        whose rows are counted as `left out` unless they are wanted. A line that cannot be understood goes to the
        report. Raises ImportFileError when the file breaks off.
        """
        plan = self._seen.plan
        parser = parser_for(plan.format, ZoneInfo(plan.timezone), plan.layout)
        waiting: dict[str, list[tuple[int, Row]]] = {}
        tallies: dict[str, Tally] = {}
        count = 0
        with RecordingFile(self._seen.path) as recording:
            for line_number, line in recording:
                report.lines += 1
                try:
                    rows = parser.parse(line)
                except PacketError as error:
                    report.reject(f"line {line_number}", line, error.cause, str(error))
                    continue
                for row in rows:
                    waiting.setdefault(row.part, []).append((line_number, row))
                    count += 1
                if count >= BATCH_ROWS:
                    yield from self._batches(waiting, wanted, report, tallies, recording)
                    waiting, count = {}, 0
            yield from self._batches(waiting, wanted, report, tallies, recording)

    def _batches(
        self,
        waiting: dict[str, list[tuple[int, Row]]],
        wanted: Mapping[str, str],
        report: Report,
        tallies: dict[str, Tally],
        recording: RecordingFile,
    ) -> Iterator[Batch]:
        own = self._seen.plan.format == "casawatt"
        done_ratio = recording.position_bytes / recording.size_bytes if recording.size_bytes else 1.0
        for part, numbered in waiting.items():
            report.readings += len(numbered)
            series = "" if own else part
            if series not in wanted:
                report.left_out[part] += len(numbered)
                continue
            if part not in tallies:
                tallies[part] = Tally(report, series, self._seen.plan.traits.gap_limit_ms, self._nominal_voltage_v)
            for _, row in numbered:
                tallies[part].add(row)
            yield Batch(
                series,
                tuple(row for _, row in numbered),
                tuple(number for number, _ in numbered),
                "line ",
                part if own else "",
                done_ratio,
            )


def _first_rows(path: Path, name: str, zone: ZoneInfo, guess: Guess | None) -> tuple[list[Row], list[tuple[int, str]]]:
    parser = parser_for(name, zone, guess.layout if guess else None)
    rows: list[Row] = []
    refused: list[tuple[int, str]] = []
    with RecordingFile(path) as recording:
        for line_number, line in islice(recording, _SAMPLE_LINES):
            try:
                rows.extend(parser.parse(line))
            except PacketError as error:
                refused.append((line_number, str(error)))
    return rows, refused


def _usual_step_s(rows: list[Row]) -> float | None:
    times = sorted({row.time_ms for row in rows})
    return median(b - a for a, b in pairwise(times)) / 1000 if len(times) > 1 else None


def _columns(guess: Guess | None) -> tuple[tuple[str, str], ...]:
    """Return what each column was taken for; nothing for the known formats, whose columns are fixed."""
    if guess is None:
        return ()
    layout = guess.layout
    taken = {channel.index: f"{channel.channel} ({channel.unit})" for channel in layout.channels}
    taken |= dict.fromkeys(layout.time_indexes, f"time ({layout.time_format})")
    names = guess.headings or tuple(str(index + 1) for index in range(layout.width))
    return tuple((name, taken.get(index, "-")) for index, name in enumerate(names))


def _zone_note(guess: Guess | None, options: Options, zone: ZoneInfo) -> tuple[str, ...]:
    if guess is None or options.timezone is not None or not guess.layout.time_format.is_local:
        return ()
    return (f"the times carry no zone: {zone.key} is assumed",)
