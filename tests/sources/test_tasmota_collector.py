"""What Tasmota devices publish, into readings, presence and refusals."""

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from casawatt.model.meter import Cadence
from casawatt.model.reading import Reading
from casawatt.sources.tasmota import Config
from casawatt.sources.tasmota_clock import HOLD_MS
from casawatt.sources.tasmota_collector import DEVICES_MAX, Collector
from casawatt.sources.tasmota_settings import Settings
from tests.fakes.clock import START_MS
from tests.fakes.inbox import RecordingInbox
from tests.sources.mqtt_messages import captured, message
from tests.virtual_plugs.tasmota import stamped

ROME = ZoneInfo("Europe/Rome")


class TestListener:
    """A collector with Rome's zone, and what it puts."""

    __test__ = False

    def __init__(self, *, configure: bool = False) -> None:
        self.inbox = RecordingInbox()
        self.published: list[tuple[str, str]] = []
        config = Config()
        tell = self.tell
        self.settings = Settings(10, 5, tell) if configure else None
        self.collector = Collector(self.inbox, config.patterns(), ROME, self.settings)

    def tell(self, device: str, why: str) -> None:
        self.inbox.refuse(device, "configure", why)

    def hears(self, topic: str, payload: Any, *, retained: bool = False) -> None:
        self.collector.take(message(topic, payload, retained=retained))

    def sensor(self, at_ms: int = START_MS, off_ms: int = 0, topic: str = "tele/plug/SENSOR", **energy: Any) -> None:
        self.inbox.clock.time_ms = max(at_ms, self.inbox.clock.time_ms)
        energy = energy or {"Power": 100, "Total": 1.5}
        self.hears(topic, {"Time": stamped(at_ms + off_ms, ROME), "ENERGY": energy})

    async def publishes(self) -> list[tuple[str, str]]:
        """Return what there is to publish."""
        assert self.settings is not None
        publishing = asyncio.create_task(self.settings.publish(self))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        publishing.cancel()
        done, self.published = self.published, []
        return done

    async def publish(self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False) -> None:
        assert (qos, retain) == (0, False)
        self.published.append((topic, str(payload)))


def test_every_captured_message_is_read_or_rightly_left() -> None:
    listener = TestListener()
    listener.inbox.clock.time_ms = START_MS
    for each in captured("tasmota"):
        listener.collector.take(each)
    listener.inbox.clock.advance(HOLD_MS)
    listener.collector.release()
    powers = {reading.address: reading.power_w for reading in listener.inbox.readings}
    assert powers == {
        "plug": 2635, "dual": 139, "dual/1": 114, "dual/2": 25, "compteur": 860, "tasmota_5014E2": 22, "pzem": 2
    }  # fmt: skip
    assert set(listener.inbox.causes()) <= {"clock"}


@pytest.mark.parametrize("topic", ["tele/plug/SENSOR", "plug/tele/SENSOR", "stat/plug/STATUS8", "plug/stat/STATUS10"])
def test_both_common_full_topics_and_answers_are_heard(topic: str) -> None:
    listener = TestListener()
    listener.sensor(topic=topic)
    (reading,) = listener.inbox.readings
    assert reading == Reading(
        source="tasmota",
        address="plug",
        received_ms=START_MS,
        time_ms=START_MS,
        power_w=100,
        register_wh=1500,
    )


def test_a_retained_reading_is_of_unknown_age_and_left() -> None:
    listener = TestListener()
    listener.hears("tele/plug/SENSOR", {"Time": stamped(START_MS, ROME), "ENERGY": {"Power": 1}}, retained=True)
    listener.hears("tele/plug/INFO3", {"Info3": {"RestartReason": "Power On"}}, retained=True)
    assert listener.inbox.readings == []


def test_the_last_will_says_who_has_gone_channels_included() -> None:
    listener = TestListener()
    listener.sensor(Power=[1, 2])
    listener.hears("tele/plug/LWT", "Offline", retained=True)
    assert listener.inbox.online == {"plug": False, "plug/1": False, "plug/2": False}
    listener.hears("tele/plug/LWT", "Online", retained=True)
    assert listener.inbox.online == {"plug": True, "plug/1": True, "plug/2": True}
    listener.hears("tele/plug/LWT", "what?")
    assert listener.inbox.online["plug"] is True


def test_words_of_presence_are_those_that_the_device_announces() -> None:
    listener = TestListener()
    announced = {"t": "plug", "ft": "%prefix%/%topic%/", "onln": "Da", "ofln": "Weg"}
    listener.hears("tasmota/discovery/AABBCC/config", announced, retained=True)
    listener.hears("tele/plug/LWT", "Weg", retained=True)
    assert listener.inbox.online == {"plug": False}


def test_readings_of_one_life_have_one_boot_id_and_of_the_next_another() -> None:
    listener = TestListener()
    listener.hears("tele/plug/STATE", {"Time": stamped(START_MS, ROME), "UptimeSec": 1000})
    listener.sensor(START_MS)
    listener.sensor(START_MS + 10_000)
    listener.inbox.clock.time_ms = START_MS + 60_000
    listener.hears("tele/plug/INFO3", {"Info3": {"RestartReason": "Power On", "BootCount": 9}})
    listener.sensor(START_MS + 61_000)
    listener.hears("tele/plug/STATE", {"Time": stamped(START_MS + 61_000, ROME), "UptimeSec": 11})
    listener.sensor(START_MS + 62_000)
    ids = [reading.boot_id for reading in listener.inbox.readings]
    assert ids == [START_MS // 1000 - 1000] * 2 + [START_MS // 1000 + 60] * 2


def test_a_wrong_zone_is_said_once_and_no_reading_is_at_a_wrong_time() -> None:
    listener = TestListener()
    for at_ms in range(START_MS, START_MS + 60_000, 10_000):
        listener.sensor(at_ms, off_ms=-3_600_000)
        listener.inbox.clock.advance(HOLD_MS)
        listener.collector.release()
    readings = listener.inbox.readings
    assert [reading.time_ms for reading in readings] == [None] * 6
    assert [reading.received_ms for reading in readings] == list(range(START_MS, START_MS + 60_000, 10_000))
    assert listener.inbox.refused == {("plug", "clock"): 1}
    assert "timezone" in listener.inbox.details[0]
    assert not listener.collector.holds.is_set()


def test_a_device_without_a_time_is_read_at_its_arrival() -> None:
    listener = TestListener()
    listener.hears("tele/plug/SENSOR", {"Time": "1970-01-01T00:00:12", "ENERGY": {"Power": 5}})
    assert [reading.time_ms for reading in listener.inbox.readings] == [None]
    assert listener.inbox.refused == {}


def test_a_device_is_introduced_by_the_name_its_owner_gave_it() -> None:
    listener = TestListener()
    announced = {"t": "plug", "ft": "%prefix%/%topic%/", "dn": "Cellar", "fn": ["Pump", "Freezer", None]}
    listener.hears("tasmota/discovery/AABBCC/config", announced, retained=True)
    listener.sensor(Power=[1, 2, 3])
    assert listener.inbox.hints == ["Cellar", "Pump", "Freezer", "Cellar"]


def test_two_devices_of_one_topic_and_a_full_topic_that_is_not_heard_are_said() -> None:
    listener = TestListener()
    listener.hears("tasmota/discovery/AA/config", {"t": "sonoff", "ft": "%prefix%/%topic%/"}, retained=True)
    listener.hears("tasmota/discovery/BB/config", {"t": "sonoff", "ft": "%prefix%/%topic%/"}, retained=True)
    listener.hears("tasmota/discovery/CC/config", {"t": "far", "ft": "home/%prefix%/%topic%/"}, retained=True)
    listener.hears("tasmota/discovery/CC/config", "", retained=True)
    assert listener.inbox.refused == {("sonoff", "topic"): 1, ("far", "topic"): 1}


@pytest.mark.parametrize(
    ("topic", "payload", "refused"),
    [
        ("tele/plug/SENSOR", "no JSON", ("plug", "format")),
        ("tele/plug/STATE", {"UptimeSec": "long"}, ("plug", "number")),
        ("tele/plug/SENSOR", b"\xff\xfe", ("plug", "format")),
        ("tasmota/discovery/AA/config", {"t": 5}, ("tasmota/discovery/AA/config", "format")),
    ],
)
def test_what_is_refused_names_its_sender(topic: str, payload: Any, refused: tuple[str, str]) -> None:
    listener = TestListener()
    listener.hears(topic, payload)
    assert listener.inbox.refused == {refused: 1}
    assert topic in listener.inbox.details[0]


def test_a_flood_of_forged_topics_does_not_fill_the_memory() -> None:
    listener = TestListener()
    for number in range(DEVICES_MAX + 5):
        listener.hears(f"tele/forged{number}/LWT", "Online")
    assert listener.inbox.causes() == {"flood": 5}


async def test_a_device_is_asked_first_and_told_only_what_differs() -> None:
    listener = TestListener(configure=True)
    listener.sensor()
    assert await listener.publishes() == [("cmnd/plug/TelePeriod", ""), ("cmnd/plug/PowerDelta1", "")]
    listener.hears("stat/plug/RESULT", {"TelePeriod": 300})
    assert await listener.publishes() == []
    listener.hears("stat/plug/RESULT", {"PowerDelta1": 105})
    assert await listener.publishes() == [("cmnd/plug/Backlog", "TelePeriod 10")]
    listener.hears("stat/plug/RESULT", {"TelePeriod": 10})
    listener.sensor(START_MS + 10_000)
    listener.hears("tele/plug/LWT", "Online")
    assert await listener.publishes() == []
    assert listener.inbox.refused == {}


async def test_a_device_that_is_set_already_is_told_nothing() -> None:
    listener = TestListener(configure=True)
    listener.sensor(topic="plug/tele/SENSOR")
    assert await listener.publishes() == [("plug/cmnd/TelePeriod", ""), ("plug/cmnd/PowerDelta1", "")]
    listener.hears("plug/stat/TELEPERIOD", {"TelePeriod": 10})
    listener.hears("plug/stat/POWERDELTA1", {"PowerDelta1": 105})
    assert await listener.publishes() == []


async def test_each_channel_is_set_and_a_firmware_that_cannot_is_left() -> None:
    listener = TestListener(configure=True)
    listener.sensor(Power=[1, 2])
    assert [topic for topic, _ in await listener.publishes()] == [
        "cmnd/plug/TelePeriod", "cmnd/plug/PowerDelta1", "cmnd/plug/PowerDelta2"
    ]  # fmt: skip
    listener.hears("stat/plug/RESULT", {"TelePeriod": 300})
    listener.hears("stat/plug/RESULT", {"Command": "Unknown"})
    assert await listener.publishes() == [("cmnd/plug/Backlog", "TelePeriod 10")]


async def test_a_device_that_does_not_obey_is_said() -> None:
    listener = TestListener(configure=True)
    listener.sensor()
    listener.hears("stat/plug/RESULT", {"TelePeriod": 300})
    listener.hears("stat/plug/RESULT", {"PowerDelta": 0})
    listener.hears("stat/plug/RESULT", {"PowerDelta": 0})
    assert listener.inbox.refused == {("plug", "configure"): 1}
    assert "PowerDelta1 105" in listener.inbox.details[0]


async def test_a_device_that_was_away_is_asked_again_when_it_is_back() -> None:
    listener = TestListener(configure=True)
    listener.sensor()
    await listener.publishes()
    listener.hears("tele/plug/LWT", "Online")
    assert [topic for topic, _ in await listener.publishes()] == ["cmnd/plug/TelePeriod", "cmnd/plug/PowerDelta1"]


def test_nothing_is_asked_and_no_answer_subscribed_to_unless_configured() -> None:
    topics = TestListener().collector.topics()
    assert not any("RESULT" in topic or "cmnd" in topic for topic in topics)
    assert any("RESULT" in topic for topic in TestListener(configure=True).collector.topics())


def test_the_gap_limit_fits_the_period() -> None:
    assert Config().traits.gap_limit_ms == 960_000
    assert Config(configure=True).traits.gap_limit_ms == 90_000
    assert Config(configure=True, tele_period_s=60, gap_limit_s=500).traits.gap_limit_ms == 500_000
    assert Config().traits.cadence is Cadence.CHANGE


def test_a_limit_holds_for_a_device_and_its_channels() -> None:
    config = Config(limit_w=4000, limits_w={"house": 30_000, "dual/2": 100})
    assert config.traits_of("plug").limit_w == 4000
    assert config.traits_of("house").limit_w == config.traits_of("house/3").limit_w == 30_000
    assert config.traits_of("dual/2").limit_w == 100


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"full_topics": []}, "full_topics"),
        ({"full_topics": ["%topic%"]}, "prefix"),
        ({"timezone": "Rome"}, "timezone 'Rome'"),
        ({"tele_period_s": 5}, "tele_period_s"),
        ({"power_delta_w": 32_000}, "power_delta_w"),
        ({"teleperiod": 5}, "teleperiod"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        msgspec.convert(options, Config)
