from itertools import pairwise
from pathlib import Path

import pytest

from casawatt.files.csv_import import BATCH_READINGS, Options, preview, read
from casawatt.files.import_report import REJECTED_LINES_MAX, Report
from casawatt.model.errors import ImportFileError
from casawatt.model.reading import Reading
from casawatt.recordings.sniff import Said

DATA = Path(__file__).parents[1] / "data"
NOW_MS = 1_800_000_000_000


def imported(path: Path, options: Options | None = None) -> tuple[list[Reading], Report]:
    plan = preview(path, options or Options()).plan
    report = Report(plan.traits.gap_limit_ms)
    return [reading for batch in read(path, plan, NOW_MS, report) for reading in batch.readings], report


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "meter.csv"
    path.write_text(text)
    return path


def test_a_preview_says_what_it_understood_and_what_it_assumed(tmp_path: Path) -> None:
    path = write(tmp_path, "Datum;Leistung;Preis\n01.02.2026 10:00:00;1,5;3\n01.02.2026 10:15:00;2,5;3\nSumme;4;6\n")
    seen = preview(path, Options(timezone="Europe/Rome", said=Said(units={"Leistung": "kW"})))
    assert seen.plan.format == "columns"
    assert seen.columns == (("Datum", "time (dmy)"), ("Leistung", "power_w (kW)"), ("Preis", "-"))
    assert seen.rows[0].power_w == 1500.0
    assert seen.rows[0].time_ms == 1_769_936_400_000  # 09:00 UTC
    assert seen.step_s == 900
    assert seen.plan.gap_limit_s == 2250
    assert seen.refused == ((4, "'Summe' is not a time of the form dmy"),)


def test_a_zone_that_had_to_be_assumed_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "time,W\n2026-02-01 10:00:00,1\n")
    assert preview(path, Options()).notes == ("the times carry no zone: UTC is assumed",)
    at_home = preview(path, Options(home_timezone="Europe/Rome"))
    assert at_home.notes == ("the times carry no zone: Europe/Rome is assumed",)
    assert at_home.plan.timezone == "Europe/Rome"
    assert preview(path, Options(timezone="Europe/Rome")).notes == ()


def test_a_known_format_keeps_its_own_zone_whatever_the_homes() -> None:
    plan = preview(DATA / "tracebase_washing_machine.csv", Options(home_timezone="Europe/Lisbon")).plan
    assert plan.timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("name", "known_as"), [("tracebase_washing_machine.csv", "tracebase"), ("uci_with_na.csv", "uci")]
)
def test_known_formats_are_recognised(name: str, known_as: str) -> None:
    seen = preview(DATA / name, Options())
    assert seen.plan.format == known_as
    assert seen.refused == ()


def test_the_minutes_of_a_whole_house_are_not_gaps_but_na_is() -> None:
    readings, report = imported(DATA / "uci_with_na.csv", Options(address="paris"))
    assert report.gap_limit_ms == 150_000
    house = [reading for reading in readings if reading.address == "paris"]
    held = [a for a, b in pairwise(house) if (b.time_ms or 0) - (a.time_ms or 0) == 60_000]
    assert len(held) == len(house) - 2
    assert report.energy_wh["paris"] == pytest.approx(sum(reading.power_w or 0 for reading in held) / 60)


def test_a_report_counts_lines_times_energy_and_what_was_rejected(tmp_path: Path) -> None:
    lines = ["time_s,W", "1767225600,100", "oops", "1767225630,100", "1767225620,x", "1767226000,100", "1767226010,0"]
    readings, report = imported(write(tmp_path, "\n".join(lines)))
    assert report.lines == 7
    assert report.readings == len(readings) == 4
    assert dict(report.rejected) == {"columns": 1, "number": 1}
    assert [(line.line_number, line.text, line.cause) for line in report.rejected_lines] == [
        (3, "oops", "columns"),
        (5, "1767225620,x", "number"),
    ]
    assert (report.first_ms, report.last_ms) == (1_767_225_600_000, 1_767_226_010_000)
    assert report.energy_wh["file"] == pytest.approx(100 * (30 + 10) / 3600)  # not the 370 s between


def test_rejected_lines_are_kept_up_to_a_bound_and_counted_beyond(tmp_path: Path) -> None:
    text = "time,W\n" + "2026-02-01T10:00:00Z,1\n" * 600 + "rubbish\n" * (REJECTED_LINES_MAX + 5)
    _, report = imported(write(tmp_path, text))
    assert report.rejected["columns"] == REJECTED_LINES_MAX + 5
    assert len(report.rejected_lines) == REJECTED_LINES_MAX


def test_a_register_gives_its_growth_as_energy(tmp_path: Path) -> None:
    path = write(tmp_path, "time,kWh\n2026-02-01T10:00:00Z,5.0\n2026-02-01T11:00:00Z,5.5\n2026-02-01T12:00:00Z,7\n")
    _, report = imported(path)
    assert report.energy_wh["file"] == pytest.approx(2000)


def test_long_files_come_in_batches_and_progress_ends_at_one(tmp_path: Path) -> None:
    rows = 2 * BATCH_READINGS + 10
    path = write(tmp_path, "time_ms,W\n" + "".join(f"{1_767_225_600_000 + n * 1000},{n}\n" for n in range(rows)))
    plan = preview(path, Options()).plan
    told: list[float] = []
    batches = list(read(path, plan, NOW_MS, Report(60_000), told.append))
    assert [len(batch.readings) for batch in batches] == [BATCH_READINGS, BATCH_READINGS, 10]
    assert batches[1].line_numbers[0] == BATCH_READINGS + 2
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_what_the_home_answered_goes_into_the_report() -> None:
    report = Report(60_000)
    report.answered(recorded=8, duplicates=1, rejected=[(17, "out_of_range")])
    assert (report.recorded, report.duplicates, dict(report.rejected)) == (8, 1, {"out_of_range": 1})
    assert report.rejected_lines[0].line_number == 17


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        ("", Options(), "empty"),
        ("time,W\n2026-02-01 10:00:00,1\n", Options(timezone="Mars/Base"), "Mars/Base"),
        ("time,W\n2026-02-01 10:00:00,1\n", Options(format="tracebase"), "nothing could be read of it as tracebase"),
        ("time,W\n2026-02-01 10:00:00,1\n", Options(format="xlsx"), "'xlsx' is not a format"),
    ],
)
def test_a_file_of_which_nothing_is_understood_is_an_error_that_names_it(
    tmp_path: Path, text: str, options: Options, why: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ImportFileError, match=why) as caught:
        preview(path, options)
    assert str(caught.value).startswith(str(path))
