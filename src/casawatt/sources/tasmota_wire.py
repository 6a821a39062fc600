"""Tasmota's topics and payloads, to values. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from casawatt.model.errors import PacketError
from casawatt.model.reading import Reading
from casawatt.sources.tasmota_clock import read_stamp

PAYLOAD_BYTES_MAX = 65_536
"""Tasmota's own limit is far lower; what is longer is not read."""
TOKENS = ("topic", "hostname", "id", "macaddr")
"""What names a device in a FullTopic; the first that is there is its address."""
DISCOVERY = "tasmota/discovery"
CHANNELS_MAX = 8
NUMBER_MAX = 1e15
"""No device means a number that is larger, and not all that JSON can hold can be reckoned with."""

_decode = msgspec.json.Decoder().decode


class Place(NamedTuple):
    """Where a message belongs: the device, what it is about, and how the device's command topics begin."""

    device: str
    about: str
    commands: str


class FullTopic:
    """A FullTopic as set in the device, e.g. `%prefix%/%topic%/`. Raises ValueError for one that cannot be used."""

    def __init__(self, pattern: str) -> None:
        self._parts = pattern.rstrip("/").split("/")
        named = [part.strip("%") for part in self._parts if re.fullmatch("%[a-z]+%", part)]
        owner = next((token for token in TOKENS if token in named), None)
        if (
            named.count("prefix") != 1
            or owner is None
            or len(named) != len(set(named))
            or not {*named} <= {"prefix", *TOKENS}
        ):
            message = f"{pattern!r} is no FullTopic: it needs %prefix%, %topic%, and / between them"
            raise ValueError(message)
        if any("%" in part.strip("%") or set(part) & set("+#") for part in self._parts):
            message = (
                f"{pattern!r} is no FullTopic that can be subscribed to: its parts between / must be words or tokens"
            )
            raise ValueError(message)
        self._prefix_at = self._parts.index("%prefix%")
        self._device_at = self._parts.index(f"%{owner}%")

    def subscription(self, prefix: str, about: str) -> str:
        """Return the MQTT topic filter of what all devices say, e.g. `tele/+/SENSOR`."""
        filled = [prefix if part == "%prefix%" else "+" if part.startswith("%") else part for part in self._parts]
        return "/".join([*filled, about])

    def place(self, topic: str) -> Place | None:
        """Return where a message of this topic belongs, None when it is not of this form."""
        *parts, about = topic.split("/")
        if len(parts) != len(self._parts):
            return None
        for part, mine in zip(parts, self._parts, strict=True):
            if part != mine and not mine.startswith("%"):
                return None
        if parts[self._prefix_at] not in {"tele", "stat"}:
            return None
        device = parts[self._device_at]
        parts[self._prefix_at] = "cmnd"
        return Place(device, about, "/".join(parts))

    def commands(self, group: str) -> str:
        """Return how the command topics of a group of devices begin, e.g. `cmnd/tasmotas`."""
        return "/".join(
            "cmnd" if part == "%prefix%" else group if part.startswith("%") else part for part in self._parts
        )


class Channel(NamedTuple):
    """What one channel of a device says; `suffix` is added to the device's address, empty for the whole device."""

    suffix: str
    power_w: float | None
    register_wh: float | None
    voltage_v: float | None
    current_a: float | None
    power_factor_ratio: float | None

    def reading(self, device: str, time_ms: int | None, received_ms: int, boot_id: int | None) -> Reading | None:
        """Return it as a reading, None when it says nothing."""
        if all(value is None for value in self[1:]):
            return None
        return Reading(
            source="tasmota",
            address=device + self.suffix,
            received_ms=received_ms,
            time_ms=time_ms,
            power_w=self.power_w,
            register_wh=self.register_wh,
            voltage_v=self.voltage_v,
            current_a=self.current_a,
            power_factor_ratio=self.power_factor_ratio,
            boot_id=boot_id,
        )


class Telemetry(NamedTuple):
    """What a `SENSOR`, `STATUS8` or `STATUS10` says; no channels where the device does not meter."""

    stamp: datetime | None
    channels: tuple[Channel, ...]


class Announced(NamedTuple):
    """What `tasmota/discovery/<mac>/config` says; `full_topic` as in `%prefix%/%topic%/`."""

    topic: str
    full_topic: str
    name: str | None
    names: tuple[str | None, ...]
    model: str | None
    address: str | None
    online: str
    offline: str


def parse_object(payload: bytes) -> dict[str, Any]:
    """Return the JSON object in a payload. Raises PacketError, cause `length` or `format`."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise PacketError("length", f"{len(payload)} bytes are too many: at most {PAYLOAD_BYTES_MAX}")
    try:
        value = _decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise PacketError("format", f"{_excerpt(payload)} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise PacketError("format", f"{_excerpt(payload)} is no JSON object")
    return value


def parse_sensor(payload: bytes) -> Telemetry:
    """Return what `tele/<topic>/SENSOR` or `stat/<topic>/STATUS8` and `STATUS10` say.

    Raises PacketError, causes `length`, `format`, `number`, `time`.
    """
    value = parse_object(payload)
    status = value.get("StatusSNS", value)
    if not isinstance(status, dict):
        raise PacketError("format", f"StatusSNS is {status!r}, no object")
    return telemetry(status)


def telemetry(status: dict[str, Any]) -> Telemetry:
    """Return what the inside of a telemetry message says. Raises PacketError as `parse_sensor`."""
    energy = status.get("ENERGY")
    if energy is None:
        return Telemetry(None, ())
    if not isinstance(energy, dict):
        raise PacketError("format", f"ENERGY is {energy!r}, no object")
    epoch = status.get("Epoch")
    return Telemetry(read_stamp(status.get("Time") if epoch is None else epoch), _channels(energy))


def parse_state(payload: bytes) -> tuple[datetime | None, float | None]:
    """Return the stamp of a `tele/<topic>/STATE` and the device's uptime in seconds, None where it does not say.

    Raises PacketError as `parse_sensor`.
    """
    value = parse_object(payload)
    epoch = value.get("Epoch")
    return read_stamp(value.get("Time") if epoch is None else epoch), _number("UptimeSec", value.get("UptimeSec"))


def parse_announced(payload: bytes) -> Announced:
    """Return what `tasmota/discovery/<mac>/config` says. Raises PacketError, causes `length` and `format`."""
    value = parse_object(payload)
    topic, full_topic = value.get("t"), value.get("ft")
    if not isinstance(topic, str) or not isinstance(full_topic, str):
        raise PacketError("format", "the announcement has no topic `t` or no full topic `ft`")
    names = value.get("fn")
    friendly = tuple(_text(each) for each in names) if isinstance(names, list) else ()
    return Announced(
        topic,
        full_topic,
        _text(value.get("dn")),
        friendly,
        _text(value.get("md")),
        _text(value.get("ip")),
        _text(value.get("onln")) or "Online",
        _text(value.get("ofln")) or "Offline",
    )


def _channels(energy: dict[str, Any]) -> tuple[Channel, ...]:
    """Return the whole device, and each of its channels where there are several."""
    said = {key: _numbers(key, energy.get(key)) for key in ("Power", "Total", "Voltage", "Current", "Factor")}
    count = max((len(values) for values in said.values() if isinstance(values, list)), default=1)
    single = {key: values[0] if isinstance(values, list) and count == 1 else values for key, values in said.items()}
    if count == 1:
        return (_channel("", {key: value for key, value in single.items() if not isinstance(value, list)}),)
    channels = [
        _channel(f"/{number + 1}", {key: _nth(key, values, number) for key, values in said.items()})
        for number in range(min(count, CHANNELS_MAX))
    ]
    whole = {
        key: _sum(values) if isinstance(values, list) else values
        for key, values in said.items()
        if key in {"Power", "Total"}
    }
    voltage = said["Voltage"]
    return (_channel("", whole | ({} if isinstance(voltage, list) else {"Voltage": voltage})), *channels)


def _channel(suffix: str, said: dict[str, float | None]) -> Channel:
    total_kwh = said.get("Total")
    return Channel(
        suffix,
        said.get("Power"),
        None if total_kwh is None else total_kwh * 1000,
        said.get("Voltage"),
        said.get("Current"),
        said.get("Factor"),
    )


def _nth(key: str, values: list[float | None] | float | None, number: int) -> float | None:
    """Return a channel's value; one value for all of them is each one's only where it is the voltage they share."""
    if isinstance(values, list):
        return values[number] if number < len(values) else None
    return values if key == "Voltage" else None


def _sum(values: Sequence[float | None]) -> float | None:
    """Return the sum, None when one is not known: a part is not the whole."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _numbers(key: str, value: object) -> list[float | None] | float | None:
    """Return a value or a list of values, one for each channel. Raises PacketError, cause `number`."""
    return [_number(key, each) for each in value] if isinstance(value, list) and value else _number(key, value)


def _number(key: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < NUMBER_MAX:
        return float(value)
    raise PacketError("number", f"{key} is {value!r}, no number")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _excerpt(payload: bytes) -> str:
    return repr(payload[:60])
