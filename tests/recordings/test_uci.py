from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.model.errors import PacketError
from casawatt.recordings.recording_file import RecordingFile
from casawatt.recordings.row import Row
from casawatt.recordings.uci import SUB_METERS, UciParser, recognises

EXCERPT = Path(__file__).parents[1] / "data" / "uci_with_na.csv"
ORIGINAL = """\
Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1;Sub_metering_2;Sub_metering_3
16/12/2006;17:24:00;4.216;0.418;234.840;18.400;0.000;1.000;17.000
28/4/2007;00:21:00;?;?;?;?;?;?;
"""


def parser() -> UciParser:
    return UciParser(ZoneInfo("Europe/Paris"))


def rows_of(lines: list[str]) -> list[Row]:
    reader = parser()
    return [row for line in lines for row in reader.parse(line)]


def test_the_original_with_semicolons_is_read() -> None:
    house, *subs = rows_of(ORIGINAL.splitlines())
    assert house == Row(time_ms=1_166_286_240_000, power_w=4216.0, voltage_v=234.84, current_a=18.4)
    assert [(row.part, row.power_w) for row in subs] == list(zip(SUB_METERS, (0.0, 60.0, 1020.0), strict=True))


def test_the_quoted_variant_is_read_and_na_is_a_gap() -> None:
    with RecordingFile(EXCERPT) as recording:
        rows = rows_of([line for _, line in recording])
    house = [row for row in rows if not row.part]
    assert len(house) == 19
    assert len(rows) == 4 * 19
    minutes = [(row.time_ms - house[0].time_ms) // 60_000 for row in house]
    assert minutes == [*range(10), *range(12, 21)]
    assert house[0].power_w == 2716.0
    assert house[0].current_a == 11.2


def test_a_line_with_too_few_columns_is_an_error() -> None:
    with pytest.raises(PacketError, match="2 columns where 9 were expected"):
        parser().parse("16/12/2006;17:24:00")


def test_it_is_recognised_by_its_heading() -> None:
    assert recognises(ORIGINAL.splitlines())
    assert not recognises(["time,power_w"])
