import pytest

from casawatt.model.errors import PacketError
from casawatt.recordings.own import OwnParser, recognises
from casawatt.recordings.row import Row

HEADING = "time,time_ms,device,power_w,current_a,boot_id"


def parse(*lines: str) -> list[Row]:
    parser = OwnParser()
    return [row for line in lines for row in parser.parse(line)]


def test_every_column_finds_its_channel() -> None:
    assert parse(HEADING, "2026-01-01T00:00:00.000Z,1767225600000,ecms_udp/1,230.5,,9223372036854775807") == [
        Row(time_ms=1_767_225_600_000, part="ecms_udp/1", power_w=230.5, boot_id=9_223_372_036_854_775_807)
    ]


def test_a_line_without_any_value_is_no_row() -> None:
    assert parse(HEADING, "2026-01-01T00:00:00.000Z,1767225600000,,,,") == []


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("2026,1767225600000,,1", "columns"),
        ("2026,soon,,1,,", "time"),
        ("2026,1767225600000,,one,,", "number"),
        ("2026,1767225600000,,1,,1.5", "number"),
        ("time,time_ms,volts", "columns"),
    ],
)
def test_a_bad_line_is_an_error_with_its_cause(line: str, cause: str) -> None:
    with pytest.raises(PacketError) as caught:
        parse(HEADING, line)
    assert caught.value.cause == cause


def test_it_is_recognised_by_its_heading() -> None:
    assert recognises([HEADING])
    assert not recognises(["time,time_ms,volts"])
    assert not recognises(["time,power_w"])
