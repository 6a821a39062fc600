"""Day files of the MCEE program: a line each five seconds, and no times."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from casawatt.engine.localtime import day_start
from casawatt.files.import_report import Report
from casawatt.files.mcce_days import DayFiles, day_files
from casawatt.model.errors import ImportFileError
from casawatt.recordings.row import Row
from tests.files.importing import ROME, imported

WHOLE_DAY = 17_280
JANUARY_MS = day_start(ROME, date(2023, 1, 1))


def write(folder: Path, day: str, lines: Iterable[object]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / day).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def rows_of(folder: Path) -> tuple[list[Row], Report]:
    report = Report(ROME)
    batches = DayFiles(folder, "mains", ROME).batches({"": "mains"}, report)
    return [row for batch in batches for row in batch.rows], report


def changing(count: int, power_w: int = 360) -> list[int]:
    """Return lines of that power, in turns one watt more and one less, so that none seems to be stuck."""
    return [power_w + (1 if place % 2 else -1) for place in range(count)]


def test_a_line_stands_for_five_seconds_from_local_midnight_on(tmp_path: Path) -> None:
    write(tmp_path, "2023-01-01", [100, 200, 300])
    rows, report = rows_of(tmp_path)
    assert [(row.time_ms - JANUARY_MS, row.power_w) for row in rows] == [(0, 100), (5000, 200), (10_000, 300)]
    assert report.own_wh["", "2023-01"] == pytest.approx(600 * 5 / 3600)


def test_a_whole_day_gives_the_energy_of_its_lines_and_again_the_same(tmp_path: Path) -> None:
    write(tmp_path / "days", "2023-01-31", [*changing(WHOLE_DAY), 1000])
    write(tmp_path / "days", "2023-02-01", [*changing(WHOLE_DAY, 720), 5000])
    first = imported(tmp_path, DayFiles(tmp_path, "mains", ROME))
    assert first.counts == (2 * WHOLE_DAY + 1, 0, 0)
    for month, energy_wh in (("2023-01", 8640), ("2023-02", 17_280)):
        assert first.month(month)["home_wh"] == first.month(month)["own_wh"] == energy_wh
    assert first.report.notes == []
    again = imported(tmp_path, DayFiles(tmp_path, "mains", ROME))
    assert (again.counts, again.months) == ((0, 2 * WHOLE_DAY + 1, 0), first.months)


def test_the_line_of_the_next_midnight_is_left_to_the_next_day_if_that_has_a_file(tmp_path: Path) -> None:
    write(tmp_path, "2023-01-01", [*changing(WHOLE_DAY), 1000])
    write(tmp_path, "2023-01-02", [7])
    rows, report = rows_of(tmp_path)
    assert len(rows) == WHOLE_DAY + 1
    assert (rows[-1].time_ms, rows[-1].power_w) == (JANUARY_MS + 86_400_000, 7)
    assert dict(report.rejected) == {}


@pytest.mark.parametrize(("day", "slots"), [("2020-03-29", 16_560), ("2020-10-25", 18_000)])
def test_a_day_of_23_or_25_hours_has_its_own_number_of_lines(tmp_path: Path, day: str, slots: int) -> None:
    write(tmp_path, day, changing(slots + 1))
    rows, report = rows_of(tmp_path)
    next_day_ms = day_start(ROME, date.fromordinal(date.fromisoformat(day).toordinal() + 1))
    assert (len(rows), rows[-1].time_ms) == (slots + 1, next_day_ms)
    assert (report.notes, dict(report.rejected)) == ([], {})


def test_rubbish_and_empty_lines_take_up_their_time(tmp_path: Path) -> None:
    write(tmp_path, "2023-01-01", ["100", "", "1OO", "400", "NA", "600"])
    rows, report = rows_of(tmp_path)
    assert [(row.time_ms - JANUARY_MS) // 5000 for row in rows] == [0, 3, 5]
    assert [(each.place, each.text, each.cause) for each in report.rejections] == [("2023-01-01:3", "1OO", "number")]
    assert "2023-01-01: 3 lines without a value" in report.notes


def test_a_short_day_is_told_with_what_it_means(tmp_path: Path) -> None:
    write(tmp_path, "2023-01-01", changing(9000))
    _, report = rows_of(tmp_path)
    assert "a short day, 9000 of 17280 lines; they are counted from midnight" in report.notes[0]


def test_lines_after_the_days_end_are_rejected_and_counted(tmp_path: Path) -> None:
    write(tmp_path, "2023-01-01", [*changing(WHOLE_DAY + 1), 5, 6, "", 7])
    rows, report = rows_of(tmp_path)
    assert len(rows) == WHOLE_DAY + 1
    assert dict(report.rejected) == {"after_midnight": 3}
    assert report.rejections[0].place == "2023-01-01:17282"


def test_a_value_that_stands_still_is_named_but_not_changed(tmp_path: Path) -> None:
    stuck = [*changing(720), *[312] * 121, *changing(100), *[0] * 500, *[50] * 120]
    write(tmp_path, "2023-01-01", stuck)
    rows, report = rows_of(tmp_path)
    assert [row.power_w for row in rows] == stuck
    (note,) = (note for note in report.notes if "exactly" in note)
    assert note.startswith("2023-01-01: exactly 312 W from 01:00:00 for 10 minutes: the program repeats its last value")


def test_a_gap_between_lines_is_held_for_no_longer_than_three_lines(tmp_path: Path) -> None:
    write(tmp_path, "2023-01-01", [3600, 3600, "", "", "", 3600, 3600, "", 3600])
    done = imported(tmp_path, DayFiles(tmp_path, "mains", ROME)).month("2023-01")
    assert (done["own_wh"], done["home_wh"]) == (25, 20)
    assert "lines without a value" in done["reason"]
    assert "short days" in done["reason"]


def test_the_preview_tells_days_missing_and_rubbish_in_the_first_lines(tmp_path: Path) -> None:
    write(tmp_path, "2023-01-01", ["x", 1, 2])
    write(tmp_path, "2023-01-05", [1])
    (tmp_path / "2023-02-31").write_text("1\n")
    (tmp_path / "notes.txt").write_text("1\n")
    seen = DayFiles(tmp_path, "mains", ROME).understood
    assert seen.summary == "2 day files from 2023-01-01 to 2023-01-05, a line of watts every 5 s"
    assert "3 days between the first and the last have no file" in seen.notes
    assert [row.power_w for row in seen.rows] == [1, 2]
    assert seen.refused == (("2023-01-01:1", "'x' is not a number"),)


def test_a_folder_without_day_files_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    assert day_files(tmp_path) == {}
    with pytest.raises(ImportFileError, match="there are no day files in it"):
        DayFiles(tmp_path, "mains", ROME)
