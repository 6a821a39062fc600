import pytest

from casawatt.model.errors import ImportFileError
from casawatt.recordings.sniff import Guess, Said, sniff
from casawatt.recordings.stamps import TimeFormat


def guess(text: str, **said: object) -> Guess:
    return sniff([line for line in text.splitlines() if line.strip()], Said(**said))  # type: ignore[arg-type]


def channels(found: Guess) -> list[tuple[int, str, float]]:
    return [(channel.index, channel.channel, channel.factor) for channel in found.layout.channels]


def test_a_plain_file_with_a_heading_is_understood() -> None:
    found = guess("time,power_w\n2026-01-01T00:00:00Z,100\n2026-01-01T00:01:00Z,101.5\n")
    assert found.layout.time_format is TimeFormat.RFC3339
    assert found.layout.delimiter == ","
    assert channels(found) == [(1, "power_w", 1.0)]
    assert found.notes == ()


def test_semicolons_decimal_commas_and_kilowatts_are_understood() -> None:
    found = guess("Zeit;Leistung (kW)\n31.12.2025 10:00:00;1,5\n31.12.2025 10:01:00;1.234,25\n")
    assert found.layout.decimal_comma
    assert found.layout.time_format is TimeFormat.DMY
    assert channels(found) == [(1, "power_w", 1000.0)]


def test_a_file_without_heading_is_taken_as_watts_and_says_so() -> None:
    found = guess("1767225600\t5\n1767225660\t6\n")
    assert not found.layout.header
    assert found.layout.time_format is TimeFormat.EPOCH_S
    assert channels(found) == [(1, "power_w", 1.0)]
    assert any("power in W" in note for note in found.notes)


def test_day_and_month_that_could_be_either_are_told() -> None:
    found = guess("when;W\n03/04/2026 10:00:00;1\n04/04/2026 10:00:00;2\n")
    assert found.layout.time_format is TimeFormat.DMY
    assert any("day or the month" in note for note in found.notes)


def test_a_number_over_twelve_settles_day_and_month() -> None:
    assert guess("t;W\n04/30/2026 10:00:00;1\n").layout.time_format is TimeFormat.MDY
    assert guess("t;W\n30/04/2026 10:00:00;1\n").notes == ()


def test_date_and_time_of_day_may_be_two_columns() -> None:
    found = guess("Date,Time,W\n2026-04-30,10:00:00,1\n2026-04-30,10:01:00,2\n")
    assert found.layout.time_indexes == (0, 1)
    assert found.layout.time_format is TimeFormat.ISO_LOCAL


def test_energy_that_only_grows_is_a_register() -> None:
    found = guess("time,energy kWh\n2026-01-01T00:00:00Z,100.1\n2026-01-01T01:00:00Z,100.4\n")
    assert channels(found) == [(1, "register_wh", 1000.0)]


def test_energy_that_falls_again_is_that_of_each_step_and_becomes_mean_power() -> None:
    found = guess(
        "time,Wh\n2026-01-01T00:00:00Z,100\n2026-01-01T00:15:00Z,90\n2026-01-01T00:30:00Z,95\n2026-01-01T00:45:00Z,1\n"
    )
    assert channels(found) == [(1, "power_w", 4.0)]
    assert any("900 s" in note for note in found.notes)


def test_reactive_power_and_a_second_power_column_are_left_out() -> None:
    found = guess("time,reactive_power_kvar,L1 [W],L2 [W]\n2026-01-01T00:00:00Z,1,2,3\n")
    assert channels(found) == [(2, "power_w", 1.0)]
    assert any("column 4 is left out" in note for note in found.notes)


def test_what_the_user_says_counts() -> None:
    found = guess(
        "a;b;c\n03/04/2026;1,5;2\n04/04/2026;2,5;3\n",
        time_format=TimeFormat.MDY,
        units={"c": "kW", "2": "A"},
    )
    assert found.layout.time_format is TimeFormat.MDY
    assert sorted(channels(found)) == [(1, "current_a", 1.0), (2, "power_w", 1000.0)]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("text", "said", "why"),
    [
        ("", {}, "empty"),
        ("hello\nworld\n", {}, "no columns"),
        ("a,b\nx,y\n", {}, "no column of times"),
        ("time,name\n2026-01-01T00:00:00Z,tv\n", {}, "no column of numbers"),
        ("time,W\n2026-01-01T00:00:00Z,1\n", {"units": {"P": "W"}}, "no column 'P'; there are: time, W"),
        ("time,W\n2026-01-01T00:00:00Z,1\n", {"units": {"W": "horses"}}, "'horses' is not a unit"),
        ("time,W\n2026-01-01T00:00:00Z,1\n", {"units": {"W": "-"}}, "every column"),
        ("time,W\n", {}, "no lines of values"),
    ],
)
def test_what_cannot_be_understood_is_an_error_that_says_why(text: str, said: dict[str, object], why: str) -> None:
    with pytest.raises(ImportFileError, match=why):
        guess(text, **said)
