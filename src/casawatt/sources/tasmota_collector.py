"""What Tasmota devices publish, into readings: which device, when, in which of its lives."""

import asyncio
from datetime import datetime, tzinfo
from typing import NamedTuple

from casawatt.model.errors import PacketError
from casawatt.model.ports import Inbox
from casawatt.sources.tasmota_clock import HOLD_MS, DeviceClock, Judged, Verdict
from casawatt.sources.tasmota_life import Life
from casawatt.sources.tasmota_settings import ANSWERS, Settings
from casawatt.sources.tasmota_wire import (
    DISCOVERY,
    Announced,
    Channel,
    FullTopic,
    Place,
    parse_announced,
    parse_object,
    parse_sensor,
    parse_state,
)
from casawatt.transports.mqtt import Message

TELE = ("SENSOR", "STATE", "LWT", "INFO3")
STAT = ("STATUS8", "STATUS10")
SENSORS = {"SENSOR", "STATUS8", "STATUS10"}
HOLD_S = HOLD_MS / 1000

DEVICES_MAX = 1_000
"""Devices that are kept apart: more than any home has, and a bound for a flood of forged topics."""


class Held(NamedTuple):
    """A message whose time is not sure yet."""

    stamp: datetime
    received_ms: int
    channels: tuple[Channel, ...]
    boot_id: int | None


class Device:
    """What is known of one device."""

    def __init__(self, zone: tzinfo | None) -> None:
        self.clock = DeviceClock(zone)
        self.life = Life()
        self.held: list[Held] = []
        self.suffixes: set[str] = {""}
        self.announced: Announced | None = None
        self.mac: str | None = None

    def hint(self, suffix: str) -> str | None:
        """Return what the device, or one of its channels, is called by its owner; None when it was not announced."""
        if self.announced is None:
            return None
        number = int(suffix.removeprefix("/")) - 1 if suffix else -1
        names = self.announced.names
        own = names[number] if 0 <= number < len(names) else None
        return own or self.announced.name


class Collector:
    """Takes messages and puts readings. `settings` is None where devices are not to be configured."""

    def __init__(
        self, inbox: Inbox, full_topics: dict[str, FullTopic], zone: tzinfo | None, settings: Settings | None = None
    ) -> None:
        self._inbox = inbox
        self._full_topics = full_topics
        self._zone = zone
        self._settings = settings
        self._devices: dict[str, Device] = {}
        self.holds = asyncio.Event()
        """Set while there are messages whose time is not sure yet."""

    def topics(self) -> list[str]:
        """Return the topic filters to subscribe to."""
        answers = ANSWERS if self._settings else ()
        found = [each.subscription("tele", about) for each in self._full_topics.values() for about in TELE]
        found += [
            each.subscription("stat", about) for each in self._full_topics.values() for about in (*STAT, *answers)
        ]
        return [*found, f"{DISCOVERY}/+/config"]

    def take(self, message: Message) -> None:
        """Take one message in; one that cannot be used is refused."""
        place = next((each for full in self._full_topics.values() if (each := full.place(message.topic))), None)
        try:
            if message.topic.startswith(f"{DISCOVERY}/"):
                self._take_announced(message)
            elif place is not None:
                self._take_said(place, message)
        except PacketError as error:
            self._inbox.refuse(place.device if place else message.topic, error.cause, f"{message.topic}: {error}")

    def release(self) -> None:
        """Decide on the messages that were held for long enough."""
        for name, device in self._devices.items():
            if device.held:
                self._judge_held(name, device)
        if not any(device.held for device in self._devices.values()):
            self.holds.clear()

    def _take_said(self, place: Place, message: Message) -> None:
        name, about = place.device, place.about
        if about == "LWT":
            self._take_presence(name, message.payload.decode("utf-8", "replace"))
        elif message.retained:
            return  # of unknown age
        elif about in SENSORS:
            self._take_sensor(place, message.payload)
        elif about == "STATE":
            self._take_state(name, message.payload)
        elif about == "INFO3":
            self._device(name).life.began(self._inbox.clock.now_ms())
        elif self._settings and about in ANSWERS:
            self._settings.answered(name, parse_object(message.payload))

    def _take_sensor(self, place: Place, payload: bytes) -> None:
        said = parse_sensor(payload)
        if not said.channels:
            return
        name, received_ms = place.device, self._inbox.clock.now_ms()
        device = self._device(name)
        device.suffixes |= {channel.suffix for channel in said.channels}
        if self._settings:
            self._settings.seen(name, place.commands, max(len(said.channels) - 1, 1))
        judged = self._judged(name, device, said.stamp)
        if device.held:
            self._judge_held(name, device)
        held = Held(said.stamp or datetime.min, received_ms, said.channels, device.life.boot_id)  # noqa: DTZ901 - without a stamp it is never held
        if judged.verdict is Verdict.UNSURE:
            device.held.append(held)
            self.holds.set()
        else:
            self._put(name, device, held, judged.time_ms)

    def _judged(self, name: str, device: Device, stamp: datetime | None) -> Judged:
        judged = device.clock.judge(stamp, self._inbox.clock.now_ms())
        if judged.complaint:
            self._inbox.refuse(name, "clock", judged.complaint)
        return judged

    def _judge_held(self, name: str, device: Device) -> None:
        held, device.held = device.held, []
        for each in held:
            judged = device.clock.judge_held(each.stamp, each.received_ms, self._inbox.clock.now_ms())
            if judged.verdict is Verdict.UNSURE:
                device.held.append(each)
                continue
            if judged.complaint:
                self._inbox.refuse(name, "clock", judged.complaint)
            self._put(name, device, each, judged.time_ms)

    def _put(self, name: str, device: Device, said: Held, time_ms: int | None) -> None:
        for channel in said.channels:
            reading = channel.reading(name, time_ms, said.received_ms, said.boot_id)
            if reading is not None:
                self._inbox.put(reading, hint=device.hint(channel.suffix))

    def _take_state(self, name: str, payload: bytes) -> None:
        stamp, uptime_s = parse_state(payload)
        if uptime_s is not None:
            received_ms = self._inbox.clock.now_ms()
            device = self._device(name)
            judged = self._judged(name, device, stamp)
            device.life.goes_on(received_ms if judged.time_ms is None else judged.time_ms, uptime_s)

    def _take_presence(self, name: str, word: str) -> None:
        device = self._device(name)
        online, offline = "online", "offline"
        if device.announced:
            online, offline = device.announced.online.casefold(), device.announced.offline.casefold()
        if word.casefold() not in {online, offline}:
            return
        for suffix in sorted(device.suffixes):
            self._inbox.presence(name + suffix, online=word.casefold() == online)
        if self._settings and word.casefold() == online:
            self._settings.back(name)

    def _take_announced(self, message: Message) -> None:
        if not message.payload or not message.topic.endswith("/config"):
            return  # taken back, or of its sensors
        announced = parse_announced(message.payload)
        mac = message.topic.split("/")[-2]
        if announced.full_topic.rstrip("/") not in self._full_topics:
            detail = f"its FullTopic is {announced.full_topic}, which is not in `full_topics`: it is not heard"
            self._inbox.refuse(announced.topic, "topic", detail)
            return
        device = self._device(announced.topic)
        if device.mac not in {None, mac}:
            detail = f"two devices, {device.mac} and {mac}, have the topic {announced.topic}: give each its own"
            self._inbox.refuse(announced.topic, "topic", detail)
        device.mac, device.announced = mac, announced

    def _device(self, name: str) -> Device:
        device = self._devices.get(name)
        if device is None:
            if len(self._devices) >= DEVICES_MAX:
                raise PacketError("flood", f"there are {DEVICES_MAX} devices already")
            device = self._devices[name] = Device(self._zone)
        return device
