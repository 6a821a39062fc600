import gzip
from pathlib import Path

import pytest

from benchmarks.readings import made_up, read_day, recorded, shipped


def day(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "tracebase" / "Fridge" / "dev_1.csv.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_a_reading_holds_until_the_next(tmp_path: Path) -> None:
    path = day(tmp_path, "01/01/2012 00:00:02;128;126", "01/01/2012 00:00:05;126;126", "")
    power_w, count = read_day(path, hold_s=60)
    assert power_w.tolist() == [128, 128, 128, 126]
    assert count == 2


def test_a_long_silence_is_closed_up(tmp_path: Path) -> None:
    path = day(tmp_path, "01/01/2012 00:00:00;5;5", "01/01/2012 01:00:00;6;6")
    assert read_day(path, hold_s=2)[0].tolist() == [5, 5, 6]


def test_of_a_second_told_twice_the_later_line_counts_and_backward_stamps_are_put_in_order(tmp_path: Path) -> None:
    path = day(tmp_path, "31/01/2012 23:59:59;1;1", "31/01/2012 23:59:58;2;2", "31/01/2012 23:59:59;3;3")
    assert read_day(path, hold_s=60)[0].tolist() == [2, 3]


def test_recordings_say_how_many_readings_they_had(tmp_path: Path) -> None:
    day(tmp_path, "01/01/2012 00:00:00;5;5", "01/01/2012 00:00:09;6;6")
    data = recorded(tmp_path)
    assert [trace.name for trace in data.traces] == ["Fridge"]
    assert len(data) == 10
    assert "2 readings of 1 appliances" in data.origin


def test_a_folder_without_recordings_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tracebase").mkdir()
    with pytest.raises(FileNotFoundError, match="no recordings"):
        recorded(tmp_path)


def test_the_shipped_excerpts_are_whole_days() -> None:
    data = shipped()
    assert data is not None
    assert all(len(trace.power_w) > 85_000 for trace in data.traces)


def test_what_is_made_up_is_called_so() -> None:
    assert made_up().origin.startswith("SYNTHETIC")


def test_limited_data_is_as_long_as_asked() -> None:
    assert len(made_up().limited(200_000)) == 200_000


def test_a_trace_begins_again_at_its_end() -> None:
    trace = made_up().traces[0]
    assert trace.mw(len(trace.power_w) - 1, 2) == [int(trace.power_w[-1]) * 1000, int(trace.power_w[0]) * 1000]
