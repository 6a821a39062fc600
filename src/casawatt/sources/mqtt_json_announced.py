"""Units that devices announce: the same quantity comes in A from one and in mA from the next."""

from typing import Any, TypeVar

import msgspec

from casawatt.model.errors import PacketError
from casawatt.sources.mqtt_json_units import CLASSES, known_unit

BRIDGE_BYTES_MAX = 16_000_000
"""zigbee2mqtt announces all devices in one message; with hundreds of them it takes some megabytes."""
ANNOUNCED_MAX = 20_000
"""Announced units that are remembered: more than any home's sensors, and a bound for a flood of forged ones."""
HOME_ASSISTANT = "homeassistant/sensor/+/+/config"
"""Where ESPHome announces its sensors for Home Assistant, and so for all."""


class _Definition(msgspec.Struct):
    exposes: list[dict[str, Any]] = []
    vendor: str | None = None
    model: str | None = None


class BridgeDevice(msgspec.Struct):
    """A device in `zigbee2mqtt/bridge/devices`."""

    friendly_name: str
    definition: _Definition | None = None

    def units(self) -> dict[str, str | None]:
        """Return the unit of each property that the device shows, None where it has none."""
        found: dict[str, str | None] = {}
        for expose in self.definition.exposes if self.definition else []:
            features = expose.get("features")
            for each in [expose, *(features if isinstance(features, list) else [])]:
                if not isinstance(each, dict):
                    continue
                name, unit = each.get("property"), each.get("unit")
                if isinstance(name, str):
                    found[name] = unit if isinstance(unit, str) else None
        return found


class Sensor(msgspec.Struct):
    """A sensor as announced for Home Assistant: where it says its state, what it measures, of which device."""

    state_topic: str
    field: str | None
    unit: str | None
    device: str | None


Key = TypeVar("Key")

_devices = msgspec.json.Decoder(list[BridgeDevice])
_object = msgspec.json.Decoder(dict[str, Any])


class Units:
    """The units that were announced so far, by topic and field."""

    def __init__(self) -> None:
        self._by_property: dict[tuple[str, str], str | None] = {}
        self._by_topic: dict[str, str | None] = {}

    def learn_bridge(self, base: str, payload: bytes) -> None:
        """Take in `<base>/bridge/devices`. Raises PacketError."""
        for device in bridge_devices(payload):
            for name, unit in device.units().items():
                _remember(self._by_property, (f"{base}/{device.friendly_name}", name), unit)

    def learn_sensor(self, payload: bytes) -> None:
        """Take in what a sensor announces for Home Assistant. Raises PacketError."""
        sensor = announced_sensor(payload)
        if sensor is not None:
            _remember(self._by_topic, sensor.state_topic, sensor.unit)

    def unit(self, field: str, topic: str, path: str | None) -> str | None:
        """Return the unit of a field of a topic, None while none is announced that is known."""
        if path is not None:
            key = topic, path
            return known_unit(field, self._by_property[key]) if key in self._by_property else None
        return known_unit(field, self._by_topic[topic]) if topic in self._by_topic else None


def _remember(units: dict[Key, str | None], key: Key, unit: str | None) -> None:
    if key not in units and len(units) >= ANNOUNCED_MAX:
        raise PacketError("flood", f"{ANNOUNCED_MAX} units are announced already")
    units[key] = unit


def bridge_devices(payload: bytes) -> list[BridgeDevice]:
    """Return the devices that zigbee2mqtt announces. Raises PacketError, causes `length` and `format`."""
    if len(payload) > BRIDGE_BYTES_MAX:
        raise PacketError("length", f"{len(payload)} bytes are too many: at most {BRIDGE_BYTES_MAX}")
    try:
        return _devices.decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise PacketError("format", f"the list of devices cannot be read: {error}") from None


def announced_sensor(payload: bytes) -> Sensor | None:
    """Return what is announced for Home Assistant, None when it is no sensor with a state.

    Keys may be written short or long. Raises PacketError, cause `format`.
    """
    try:
        said = _object.decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise PacketError("format", f"the announcement cannot be read: {error}") from None
    topic = said.get("stat_t", said.get("state_topic"))
    if not isinstance(topic, str):
        return None
    base = said.get("~")
    if isinstance(base, str):
        topic = topic.replace("~", base, 1) if topic.startswith("~") else topic
    unit = said.get("unit_of_meas", said.get("unit_of_measurement"))
    kind = said.get("dev_cla", said.get("device_class"))
    device = said.get("dev", said.get("device"))
    name = device.get("name") if isinstance(device, dict) else None
    return Sensor(
        topic,
        CLASSES.get(kind) if isinstance(kind, str) else None,
        unit if isinstance(unit, str) else None,
        name if isinstance(name, str) else None,
    )
