"""Messages of configured topics, into readings."""

from typing import Any, NamedTuple

from casawatt.model.errors import PacketError
from casawatt.model.ports import Inbox
from casawatt.sources.mqtt_json_announced import HOME_ASSISTANT, Units
from casawatt.sources.mqtt_json_entry import Mapping
from casawatt.sources.mqtt_json_moment import FIRST, Moments, Said
from casawatt.sources.mqtt_json_topics import without_overlap
from casawatt.sources.mqtt_json_units import UNITS
from casawatt.sources.mqtt_json_values import MISSING, decoded, found_at, number, time_ms, whole_number
from casawatt.transports.mqtt import Message

DEVICES_MAX = 1_000
"""Devices that are kept apart: more than any home has, and a bound for a flood of forged topics."""
BRIDGE = "/bridge/"
PRESENT = {"online": True, "true": True, "1": True, "offline": False, "false": False, "0": False}
NOT_STATES = ("/set", "/get", "/availability")
"""Topics below a zigbee2mqtt device that are not what it measured."""


class Heard(NamedTuple):
    """What one message says of one device; `time_ms` is None where it has no time of its own."""

    address: str
    said: Said
    time_ms: int | None
    boot_id: int | None


class Collector:
    """Takes messages and puts readings."""

    def __init__(self, inbox: Inbox, mappings: list[Mapping]) -> None:
        self._inbox = inbox
        self._mappings = mappings
        self._units = Units()
        self._moments: dict[str, Moments] = {}
        self._unknown_units: set[tuple[str, str]] = set()

    def topics(self) -> list[str]:
        """Return the topic filters to subscribe to; none overlaps another."""
        found = [mapping.pattern.subscription for mapping in self._mappings]
        found += [mapping.presence.subscription for mapping in self._mappings if mapping.presence]
        found += [f"{base(mapping)}/bridge/devices" for mapping in self._mappings if mapping.preset == "zigbee2mqtt"]
        found += [HOME_ASSISTANT for mapping in self._mappings if mapping.preset == "esphome"]
        return without_overlap(found)

    def take(self, message: Message) -> None:
        """Take one message in; one that cannot be used is refused."""
        try:
            if not message.payload or self._is_announcement(message) or self._is_presence(message):
                return
            self._take_said(message)
        except PacketError as error:
            self._inbox.refuse(message.topic, error.cause, str(error))

    def _is_announcement(self, message: Message) -> bool:
        """Say whether a message is no device's, and take its units over if it announces some."""
        for mapping in self._mappings:
            if mapping.preset == "zigbee2mqtt" and message.topic.startswith(base(mapping) + BRIDGE):
                if message.topic == f"{base(mapping)}/bridge/devices":
                    self._units.learn_bridge(base(mapping), message.payload)
                return True
            if mapping.preset == "esphome" and message.topic.startswith("homeassistant/"):
                self._units.learn_sensor(message.payload)
                return True
        return False

    def _is_presence(self, message: Message) -> bool:
        for mapping in self._mappings:
            parts = mapping.presence.match(message.topic) if mapping.presence else None
            if parts is None:
                continue
            said = decoded(message.payload)
            word = said.get("state") if isinstance(said, dict) else said
            online = PRESENT.get(str(word).strip().casefold())
            address = mapping.address_of(parts)
            if address is None:
                continue
            if online is not None:
                known = [each for each in self._moments if each == address or each.startswith(f"{address}/")]
                for each in dict.fromkeys([address, *(known if mapping.is_by_name else [])]):
                    self._inbox.presence(each, online=online)
            return True
        return False

    def _take_said(self, message: Message) -> None:
        received_ms = self._inbox.clock.now_ms()
        done: set[str] = set()
        for mapping in self._mappings:
            parts = mapping.pattern.match(message.topic)
            if parts is None or (mapping.preset == "zigbee2mqtt" and message.topic.endswith(NOT_STATES)):
                continue
            if message.retained and not mapping.time_paths:
                continue  # of unknown age
            heard = self._heard(mapping, message, parts, received_ms)
            if heard is None or heard.address in done:
                continue
            done.add(heard.address)
            if message.retained and heard.time_ms is None:
                continue  # as well
            moments = self._moments_of(heard.address, mapping)
            for reading in moments.take(heard.said, heard.time_ms, received_ms, heard.boot_id):
                self._inbox.put(reading)

    def _heard(self, mapping: Mapping, message: Message, parts: dict[str, str], received_ms: int) -> Heard | None:
        """Return what a message says by a mapping; None when it is of no device of it, or says nothing."""
        value = decoded(message.payload)
        if mapping.plain:
            return self._one(mapping, mapping.plain, message.topic, value, mapping.address_of(parts))
        if mapping.is_by_name:
            return self._by_name(mapping, message.topic, value, parts)
        if not isinstance(value, dict | list):
            if mapping.preset:
                return None  # one attribute alone
            raise PacketError("format", f"{message.payload[:60]!r} is no JSON object")
        address = mapping.address_of((value if isinstance(value, dict) else {}) | parts)
        said = None if address is None else self._said(mapping, message.topic, value)
        if address is None or not said:
            return None
        stamp = time_ms(found_at(value, mapping.time_paths), mapping.time_unit, mapping.zone, received_ms)
        return Heard(address, said, stamp, whole_number("boot", found_at(value, mapping.boot_paths)))

    def _said(self, mapping: Mapping, topic: str, value: Any) -> Said:  # noqa: ANN401 - JSON may be anything
        """Return what a JSON object says. Raises PacketError, cause `fields`, where nothing looked for is there."""
        there = {field: found_at(value, paths) for field, paths in mapping.paths.items()}
        if mapping.preset is None and all(each is MISSING for each in there.values()):
            named = ", ".join(f"{field} = {' or '.join(paths)!r}" for field, paths in mapping.paths.items())
            raise PacketError("fields", f"there is none of {named} in it")
        said: Said = {}
        for field, each in there.items():
            amount = None if each is MISSING else amount_of(mapping, field, each)
            factor = None if amount is None else self._factor(mapping, field, topic, mapping.paths[field][0])
            if amount is not None and factor is not None:
                said[field] = amount * factor
        return said

    def _by_name(self, mapping: Mapping, topic: str, value: Any, parts: dict[str, str]) -> Heard | None:  # noqa: ANN401 - JSON may be anything
        """Return what a topic says that names its field, alone (`power`) or behind a part's name (`pump_power`)."""
        address = mapping.address_of(parts)
        name = parts["field"]
        fits = [
            (len(path), field, name.removesuffix(path).rstrip("_"))
            for field, (path, *_) in mapping.paths.items()
            if name == path or name.endswith(f"_{path}")
        ]
        if address is None or not fits:
            return None
        _, field, part = max(fits)
        return self._one(mapping, field, topic, value, f"{address}/{part}" if part else address)

    def _one(self, mapping: Mapping, field: str, topic: str, value: Any, address: str | None) -> Heard | None:  # noqa: ANN401 - JSON may be anything
        """Return what a message says that is one number."""
        if address is None:
            return None
        amount = amount_of(mapping, field, value)
        factor = None if amount is None else self._factor(mapping, field, topic, None)
        if amount is None or factor is None:
            return None
        return Heard(address, {field: amount * factor}, None, None)

    def _factor(self, mapping: Mapping, field: str, topic: str, path: str | None) -> float | None:
        """Return what makes a reading's unit of a field; None, and refused once, while its unit is not announced.

        An announced unit goes before the preset's, and the entry's own before both.
        """
        factor = mapping.factors[field]
        step = mapping.register_step if field == "register" else 1.0
        if factor is not None:
            return factor * step
        unit = self._units.unit(field, topic, path)
        if unit is not None:
            return UNITS[field][unit] * step
        if field in FIRST and (topic, field) not in self._unknown_units and len(self._unknown_units) < DEVICES_MAX:
            self._unknown_units.add((topic, field))
            self._inbox.refuse(topic, "unit", f"the unit of its {field} is not announced; set `{field}_unit`")
        return None

    def _moments_of(self, address: str, mapping: Mapping) -> Moments:
        moments = self._moments.get(address)
        if moments is None:
            if len(self._moments) >= DEVICES_MAX:
                raise PacketError("flood", f"there are {DEVICES_MAX} devices already")
            is_alone = not FIRST & mapping.factors.keys()
            moments = self._moments[address] = Moments(address, is_alone=is_alone)
        return moments


def base(mapping: Mapping) -> str:
    """Return what the topics of a zigbee2mqtt begin with, `zigbee2mqtt` unless it was renamed."""
    return mapping.pattern.pattern.partition("/{")[0]


def amount_of(mapping: Mapping, field: str, value: object) -> float | None:
    """Return a field's number, None for none; with `null = "zero"` a null power or current is 0, a register never."""
    if value is None and mapping.null_is_zero and field in {"power", "current"}:
        return 0.0
    return number(field, value)
