"""Which stamps of a Tasmota device are believed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from casawatt.sources.tasmota_clock import HOLD_MS, DeviceClock, Judged, Verdict, read_stamp
from casawatt.sources.tasmota_life import Life
from tests.fakes.clock import START_MS

ROME = ZoneInfo("Europe/Rome")
HOUR_MS = 3_600_000


def local(time_ms: int, zone: ZoneInfo = ROME) -> datetime:
    """Return what the wall clock shows, as Tasmota writes it: without a zone, whole seconds."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return at.astimezone(zone).replace(tzinfo=None, microsecond=0)


class TestPlug:
    """A plug whose wall clock is `zone`'s and off by `off_ms`, and a clock that judges it by Rome's."""

    __test__ = False

    def __init__(self, off_ms: int = 0) -> None:
        self.clock = DeviceClock(ROME)
        self.off_ms = off_ms

    def says(self, sent_ms: int, received_ms: int | None = None) -> Judged:
        at_ms = sent_ms if received_ms is None else received_ms
        return self.clock.judge(local(sent_ms + self.off_ms), at_ms + 300)

    def held(self, sent_ms: int, later_ms: int = HOLD_MS) -> Judged:
        at_ms = sent_ms + 300
        return self.clock.judge_held(local(sent_ms + self.off_ms), at_ms, at_ms + later_ms)


def test_the_stamp_of_a_clock_that_is_right_is_the_time() -> None:
    assert TestPlug().says(START_MS) == (Verdict.BELIEVED, START_MS, None)


def test_what_waited_at_the_broker_keeps_its_own_time() -> None:
    plug = TestPlug()
    back_ms = START_MS + 3_333_000
    sent = range(START_MS, back_ms - 10_000, 10_000)
    judged = [plug.says(sent_ms, back_ms) for sent_ms in sent]
    assert [(each.verdict, each.time_ms) for each in judged] == [(Verdict.BELIEVED, sent_ms) for sent_ms in sent]


def test_what_waited_just_whole_quarter_hours_is_told_by_what_waited_with_it() -> None:
    plug = TestPlug()
    back_ms = START_MS + 2 * HOUR_MS
    assert plug.says(START_MS, back_ms).verdict is Verdict.UNSURE
    assert plug.says(START_MS + 300_000, back_ms).time_ms == START_MS + 300_000
    assert plug.clock.judge_held(local(START_MS), back_ms + 300, back_ms + 300).time_ms == START_MS
    assert plug.says(START_MS + 900_000, back_ms).time_ms == START_MS + 900_000


@pytest.mark.parametrize("off_h", [-1, -5.75, -14])
def test_a_zone_that_is_behind_is_said_once_and_arrival_is_taken(off_h: float) -> None:
    plug = TestPlug(round(off_h * HOUR_MS))
    assert plug.says(START_MS).verdict is Verdict.UNSURE
    decided = plug.held(START_MS)
    assert decided.verdict is Verdict.ARRIVAL
    assert decided.complaint is not None
    assert f"{-off_h * 60:.0f} minutes behind" in decided.complaint
    assert "timezone" in decided.complaint
    for sent_ms in range(START_MS + 10_000, START_MS + 100_000, 10_000):
        assert plug.says(sent_ms) == (Verdict.ARRIVAL, None, None)


def test_a_clock_that_is_ahead_is_not_believed_at_once() -> None:
    plug = TestPlug(HOUR_MS)
    judged = plug.says(START_MS)
    assert judged.verdict is Verdict.ARRIVAL
    assert judged.complaint is not None
    assert "60 minutes ahead" in judged.complaint
    assert plug.says(START_MS + 10_000) == (Verdict.ARRIVAL, None, None)


def test_messages_of_a_wrong_zone_that_waited_are_put_right_by_what_is_known_of_it() -> None:
    plug = TestPlug(-HOUR_MS)
    plug.says(START_MS)
    plug.held(START_MS)
    back_ms = START_MS + 1_234_000
    judged = plug.says(START_MS + 600_000, back_ms)
    assert judged.verdict is Verdict.BELIEVED
    assert judged.time_ms == pytest.approx(START_MS + 600_000, abs=1000)


def test_a_zone_that_is_put_right_is_believed_again() -> None:
    plug = TestPlug(-HOUR_MS)
    plug.says(START_MS)
    plug.held(START_MS)
    plug.off_ms = 0
    assert plug.says(START_MS + 60_000).time_ms == START_MS + 60_000


def test_a_device_that_has_no_time_yet_is_taken_at_its_arrival() -> None:
    clock = DeviceClock(ROME)
    assert clock.judge(datetime(1970, 1, 1, 0, 33, 28), START_MS) == (Verdict.ARRIVAL, None, None)  # noqa: DTZ001 - as it says
    assert clock.judge(None, START_MS) == (Verdict.ARRIVAL, None, None)


def test_every_stamp_of_the_day_with_25_hours_is_its_own_time() -> None:
    plug = TestPlug()
    begin_ms = int(datetime(2020, 10, 24, 22, tzinfo=UTC).timestamp() * 1000)
    for sent_ms in range(begin_ms, begin_ms + 25 * HOUR_MS, 300_000):
        assert plug.says(sent_ms).time_ms == sent_ms


def test_what_waited_over_the_repeated_hour_stays_in_order() -> None:
    plug = TestPlug()
    begin_ms = int(datetime(2020, 10, 25, 0, tzinfo=UTC).timestamp() * 1000)
    plug.says(begin_ms - 300_000)
    back_ms = begin_ms + 3 * HOUR_MS + 100_000
    sent = range(begin_ms, begin_ms + 3 * HOUR_MS, 300_000)
    assert [plug.says(sent_ms, back_ms).time_ms for sent_ms in sent] == list(sent)


def test_without_a_zone_the_machines_is_taken() -> None:
    stamp = datetime.fromtimestamp(START_MS / 1000).replace(microsecond=0)  # noqa: DTZ006 - the machine's zone is meant
    assert DeviceClock(None).judge(stamp, START_MS).time_ms == START_MS


def test_an_offset_in_the_stamp_goes_before_the_zone() -> None:
    assert DeviceClock(ROME).judge(read_stamp("2026-01-01T05:30:00+05:30"), START_MS).time_ms == START_MS


def test_one_life_has_one_number_whatever_the_jitter() -> None:
    life = Life()
    jitter_s = [0, 1, -1, 3, -2, 0, 2]
    ids = set()
    for number, off_s in enumerate(jitter_s):
        at_ms = START_MS + number * 300_000 + off_s * 1000
        life.goes_on(at_ms, 5000 + number * 300)
        ids.add(life.boot_id)
    assert ids == {START_MS // 1000 - 5000}


def test_a_restart_that_was_not_heard_of_is_known_by_the_uptime() -> None:
    life = Life()
    life.goes_on(START_MS, 1000)
    first = life.boot_id
    life.goes_on(START_MS + 5_000_000, 3000)
    assert first is not None
    assert life.boot_id == START_MS // 1000 + 2000
    life.goes_on(START_MS + 5_300_000, 20)
    assert life.boot_id == START_MS // 1000 + 5280


def test_a_start_that_the_device_tells_of_is_one_life_with_the_uptime_after_it() -> None:
    life = Life()
    life.goes_on(START_MS, 1000)
    life.began(START_MS + 60_000)
    told = life.boot_id
    life.goes_on(START_MS + 64_000, 12)
    life.goes_on(START_MS + 364_000, 312)
    assert life.boot_id == told == START_MS // 1000 + 60


def test_a_state_that_was_overtaken_is_no_restart() -> None:
    life = Life()
    life.goes_on(START_MS + 300_000, 1300)
    boot_id = life.boot_id
    life.goes_on(START_MS, 1000)
    assert life.boot_id == boot_id
