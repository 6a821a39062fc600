import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from casawatt.model.errors import ImportFileError, PacketError
from casawatt.model.meter import Cadence
from casawatt.recordings.tracebase import TracebaseParser
from casawatt.sources.replay import LONGEST_WAIT_S, Config, parse, run
from tests.fakes.inbox import RecordingInbox

DATA = Path(__file__).parents[1] / "data"
BEGIN_MS = 1_326_534_527_000  # 2012-01-14T09:48:47Z
LINES = "14/01/2012 10:48:47;151;156\n14/01/2012 10:48:49;147;151\n14/01/2012 10:49:47;145;149\n"


class Waiting:
    """Passes the time by moving the inbox's clock."""

    def __init__(self, inbox: RecordingInbox, clock_speed: float = 1.0) -> None:
        self.inbox = inbox
        self.clock_speed = clock_speed
        self.waits_s: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waits_s.append(seconds)
        self.inbox.clock.advance(round(seconds * 1000 * self.clock_speed))


def config_of(tmp_path: Path, text: str, **options: object) -> Config:
    path = tmp_path / "recording.csv"
    path.write_text(text)
    return msgspec.convert({"path": str(path), **options}, Config)


async def test_readings_come_at_the_times_they_once_did(tmp_path: Path) -> None:
    inbox = RecordingInbox()
    start_ms = inbox.clock.now_ms()
    waiting = Waiting(inbox)
    await run(config_of(tmp_path, LINES), inbox, waiting)
    assert [reading.received_ms - start_ms for reading in inbox.readings] == [0, 2000, 60_000]
    assert [reading.time_ms for reading in inbox.readings] == [BEGIN_MS, BEGIN_MS + 2000, BEGIN_MS + 60_000]
    assert [reading.power_w for reading in inbox.readings] == [151.0, 147.0, 145.0]
    assert {(reading.source, reading.address) for reading in inbox.readings} == {("replay", "recording")}
    assert max(waiting.waits_s) <= LONGEST_WAIT_S


async def test_shifted_readings_say_that_they_are_of_now(tmp_path: Path) -> None:
    inbox = RecordingInbox()
    await run(config_of(tmp_path, LINES, shift="now"), inbox, Waiting(inbox))
    assert all(reading.time_ms == reading.received_ms for reading in inbox.readings)


async def test_at_speed_sixty_a_minute_takes_a_second(tmp_path: Path) -> None:
    inbox = RecordingInbox()
    start_ms = inbox.clock.now_ms()
    await run(config_of(tmp_path, LINES, speed=60), inbox, Waiting(inbox))
    assert inbox.readings[-1].received_ms - start_ms == 1000
    assert inbox.readings[-1].time_ms == BEGIN_MS + 60_000


async def test_at_speed_zero_no_time_passes(tmp_path: Path) -> None:
    inbox = RecordingInbox()
    waiting = Waiting(inbox)
    await run(config_of(tmp_path, LINES, speed=0), inbox, waiting)
    assert len(inbox.readings) == 3
    assert sum(waiting.waits_s) == 0


async def test_a_clock_that_runs_faster_is_followed(tmp_path: Path) -> None:
    inbox = RecordingInbox()
    waiting = Waiting(inbox, clock_speed=30)
    await run(config_of(tmp_path, LINES), inbox, waiting)
    assert sum(waiting.waits_s) <= 3


async def test_stamps_that_go_back_and_duplicates_are_passed_on(tmp_path: Path) -> None:
    first, second, _ = LINES.splitlines()
    inbox = RecordingInbox()
    await run(config_of(tmp_path, f"{first}\n{second}\n{first}\n{second}"), inbox, Waiting(inbox))
    assert [reading.time_ms for reading in inbox.readings] == [BEGIN_MS, BEGIN_MS + 2000] * 2


async def test_a_bad_line_is_refused_with_file_and_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    config = config_of(tmp_path, LINES + "half a li\n14/01/2012 10:49:48;x;1\n" + "14/01/2012 10:49:49;9;9\n", speed=0)
    inbox = RecordingInbox()
    await run(config, inbox, Waiting(inbox))
    assert [reading.power_w for reading in inbox.readings] == [151.0, 147.0, 145.0, 9.0]
    assert inbox.refused == {(config.path, "columns"): 1, (config.path, "number"): 1}
    assert inbox.details[0].startswith(f"{config.path}:4: ")


async def test_a_missing_file_fails_so_that_the_service_tries_again(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"missing\.csv"):
        await run(Config(path=str(tmp_path / "missing.csv")), RecordingInbox())


async def test_the_house_and_its_sub_meters_are_devices_of_their_own() -> None:
    inbox = RecordingInbox()
    await run(Config(path=str(DATA / "uci_with_na.csv"), address="paris", speed=0), inbox, Waiting(inbox))
    assert {reading.address for reading in inbox.readings} == {
        "paris",
        "paris/sub_metering_1",
        "paris/sub_metering_2",
        "paris/sub_metering_3",
    }
    assert inbox.refused == {}


async def test_any_other_file_of_columns_plays_too_plain_or_gzip(tmp_path: Path) -> None:
    path = tmp_path / "other.csv.gz"
    path.write_bytes(gzip.compress(b"time;kW\n2026-01-01T00:00:00Z;1,5\n2026-01-01T00:01:00Z;2\n"))
    inbox = RecordingInbox()
    await run(Config(path=str(path), speed=0), inbox, Waiting(inbox))
    assert [reading.power_w for reading in inbox.readings] == [1500.0, 2000.0]


def test_parse_is_pure_and_says_what_is_wrong() -> None:
    parser = TracebaseParser(ZoneInfo("Europe/Berlin"))
    (reading,) = parse("14/01/2012 10:48:47;151;156", parser, "fridge", 5)
    assert (reading.address, reading.time_ms, reading.power_w, reading.received_ms) == ("fridge", BEGIN_MS, 151.0, 5)
    with pytest.raises(PacketError, match="'x' is not a number"):
        parse("14/01/2012 10:48:47;x;156", parser, "fridge", 5)


def test_traits_follow_the_options() -> None:
    traits = Config(path="x", cadence=Cadence.POLLED, gap_limit_s=90).traits
    assert (traits.cadence, traits.gap_limit_ms, traits.clock_tolerance_ms) == (Cadence.POLLED, 90_000, None)


@pytest.mark.parametrize(
    "options",
    [{"speed": -1}, {"shift": "now", "speed": 2}, {"gap_limit_s": 0}, {"timezone": "Mars/Base"}, {"colour": "red"}],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"path": "x", **options}, Config)
