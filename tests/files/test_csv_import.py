from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.files.csv_import import CsvImport, Options, preview
from casawatt.files.import_report import REJECTED_MAX, Report
from casawatt.files.importable import BATCH_ROWS
from casawatt.model.errors import ImportFileError
from casawatt.recordings.row import Row
from casawatt.recordings.sniff import Said

DATA = Path(__file__).parents[1] / "data"
UTC = ZoneInfo("UTC")


def imported(path: Path, options: Options | None = None) -> tuple[list[Row], Report]:
    source = CsvImport(preview(path, options or Options()))
    report = Report(UTC)
    wanted = {each.name: each.name or "meter" for each in source.understood.series}
    return [row for batch in source.batches(wanted, report) for row in batch.rows], report


def own_wh(report: Report, series: str = "") -> float:
    return sum(energy_wh for (of, _), energy_wh in report.own_wh.items() if of == series)


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
    assert preview(DATA / "uci_with_na.csv", Options()).plan.traits.gap_limit_ms == 150_000
    rows, report = imported(DATA / "uci_with_na.csv")
    house = [row for row in rows if not row.part]
    held = [a for a, b in pairwise(house) if b.time_ms - a.time_ms == 60_000]
    assert len(held) == len(house) - 2
    assert own_wh(report) == pytest.approx(sum(row.power_w or 0 for row in held) / 60)


def test_a_report_counts_lines_energy_and_what_was_rejected(tmp_path: Path) -> None:
    lines = ["time_s,W", "1767225600,100", "oops", "1767225630,100", "1767225620,x", "1767226000,100", "1767226010,0"]
    readings, report = imported(write(tmp_path, "\n".join(lines)))
    assert report.lines == 7
    assert report.readings == len(readings) == 4
    assert dict(report.rejected) == {"columns": 1, "number": 1}
    assert [(each.place, each.text, each.cause) for each in report.rejections] == [
        ("line 3", "oops", "columns"),
        ("line 5", "1767225620,x", "number"),
    ]
    assert own_wh(report) == pytest.approx(100 * (30 + 10) / 3600)  # not the 370 s between


def test_rejected_lines_are_kept_up_to_a_bound_and_counted_beyond(tmp_path: Path) -> None:
    text = "time,W\n" + "2026-02-01T10:00:00Z,1\n" * 600 + "rubbish\n" * (REJECTED_MAX + 5)
    _, report = imported(write(tmp_path, text))
    assert report.rejected["columns"] == REJECTED_MAX + 5
    assert len(report.rejections) == REJECTED_MAX


def test_a_register_gives_its_growth_as_energy(tmp_path: Path) -> None:
    path = write(tmp_path, "time,kWh\n2026-02-01T10:00:00Z,5.0\n2026-02-01T11:00:00Z,5.5\n2026-02-01T12:00:00Z,7\n")
    _, report = imported(path)
    assert own_wh(report) == pytest.approx(2000)


def test_the_total_of_a_file_is_kept_by_local_month(tmp_path: Path) -> None:
    text = "time,W\n2026-01-31T22:30:00Z,1200\n2026-01-31T23:30:00Z,0\n2026-02-01T00:30:00Z,0\n"
    source = CsvImport(preview(write(tmp_path, text), Options()))
    report = Report(ZoneInfo("Europe/Rome"))
    assert [len(batch.rows) for batch in source.batches({"": "meter"}, report)] == [3]
    assert dict(report.own_wh) == {("", "2026-01"): 600.0, ("", "2026-02"): 600.0}


def test_long_files_come_in_batches_and_progress_ends_at_one(tmp_path: Path) -> None:
    rows = 2 * BATCH_ROWS + 10
    path = write(tmp_path, "time_ms,W\n" + "".join(f"{1_767_225_600_000 + n * 1000},{n}\n" for n in range(rows)))
    batches = list(CsvImport(preview(path, Options())).batches({"": "meter"}, Report(UTC)))
    assert [len(batch.rows) for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 10]
    assert (batches[1].where, batches[1].numbers[0]) == ("line ", BATCH_ROWS + 2)
    told = [batch.done_ratio for batch in batches]
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_rows_without_a_meter_to_go_to_are_counted_as_left_out() -> None:
    source = CsvImport(preview(DATA / "uci_with_na.csv", Options()))
    assert [each.name for each in source.understood.series] == [
        "",
        "sub_metering_1",
        "sub_metering_2",
        "sub_metering_3",
    ]
    report = Report(UTC)
    batches = list(source.batches({"": "house", "sub_metering_2": "laundry"}, report))
    assert {batch.series for batch in batches} == {"", "sub_metering_2"}
    assert report.left_out.keys() == {"sub_metering_1", "sub_metering_3"}


def test_what_the_home_answered_goes_into_the_report() -> None:
    report = Report(UTC)
    rows = [Row(time_ms=1_767_225_600_000 + number * 1000, power_w=1.0) for number in range(10)]
    places = [f"line {number}" for number in range(2, 12)]
    report.answered("", rows, places, (8, 1), {9: "conflict"})
    assert (report.recorded, report.duplicates, dict(report.rejected)) == (8, 1, {"conflict": 1})
    assert (report.rejections[0].place, report.rejections[0].text) == ("line 11", "power_w 1.0")
    assert report.spans == {"": (rows[0].time_ms, rows[8].time_ms)}
    assert list(report.reasons["", "2026-01"]) == ["rows were rejected: conflict"]


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
