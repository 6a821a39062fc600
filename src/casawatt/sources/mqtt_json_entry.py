"""The entries of `[source.mqtt_json]`: which topic says what, in which unit, of which device."""

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from casawatt.model.meter import LIMIT_W, Cadence, Traits
from casawatt.sources.mqtt_json_presets import PRESETS
from casawatt.sources.mqtt_json_topics import NAMED, TopicPattern
from casawatt.sources.mqtt_json_units import FIELDS, UNITS

ANNOUNCED = "announced"
END, ANY, WIDE, OPTIONAL = "", "{}", "{#}", "{?}"
"""Levels of addresses: there is none, any one, one or more, one or none."""
Path = str | list[str]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
DEFAULT_UNIT = {"power": "W", "register": "kWh", "voltage": "V", "current": "A", "power_factor": "ratio"}


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[source.mqtt_json.topic]]`, as `docs/devices/mqtt_json.md` explains it; None is the preset's, or none."""

    preset: Literal["zigbee2mqtt", "esphome", "rtl_433"] | None = None
    topic: str | None = None
    address: str | None = None
    devices: list[str] = []
    presence: str | None = None
    field: Literal["power", "register", "voltage", "current", "power_factor"] | None = None
    power: Path | None = None
    register: Path | None = None
    voltage: Path | None = None
    current: Path | None = None
    power_factor: Path | None = None
    time: Path | None = None
    boot: Path | None = None
    power_unit: Literal["W", "kW", "mW", "announced"] | None = None
    register_unit: Literal["Wh", "kWh", "MWh", "J", "kJ", "announced"] | None = None
    register_step: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    voltage_unit: Literal["V", "mV", "announced"] | None = None
    current_unit: Literal["A", "mA", "announced"] | None = None
    power_factor_unit: Literal["ratio", "percent", "announced"] | None = None
    time_unit: Literal["auto", "iso8601", "s", "ms"] = "auto"
    timezone: str | None = None
    null: Literal["absent", "zero"] = "absent"
    cadence: Cadence | None = None
    gap_limit_s: Seconds | None = None
    limit_w: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] = LIMIT_W

    def __post_init__(self) -> None:
        """Raise ValueError for options that cannot be used together."""
        self.mappings()

    def mappings(self) -> list["Mapping"]:
        """Return what the entry, with the preset filled in, makes of messages. Raises ValueError."""
        own = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) not in (None, [])}
        return [_mapping({**preset, **own}, self) for preset in PRESETS.get(self.preset or "", [{}])]


@dataclass(frozen=True, slots=True)
class Mapping:
    """What is made of the messages of one topic pattern.

    `paths` says for each field where it stands: in the JSON object, or for a pattern with `{field}` what that is.
    `factors` is what to multiply it by, None where the unit must first be announced.
    """

    preset: str | None
    pattern: TopicPattern
    presence: TopicPattern | None
    address: str
    suffix: str
    devices: frozenset[str]
    plain: str | None
    paths: dict[str, tuple[str, ...]]
    factors: dict[str, float | None]
    register_step: float
    time_paths: tuple[str, ...]
    time_unit: str
    zone: ZoneInfo | None
    boot_paths: tuple[str, ...]
    null_is_zero: bool
    traits: Traits

    @property
    def is_by_name(self) -> bool:
        """Whether a part of the topic says which field a message is of."""
        return "field" in self.pattern.names

    def address_of(self, parts: dict[str, Any]) -> str | None:
        """Return the address of the device that a message is of; None when a part of it is not known."""
        missing = [name for name, _ in NAMED.findall(self.address) if _written(parts.get(name)) is None]
        if missing or (self.devices and str(parts.get("device")) not in self.devices):
            return None
        return NAMED.sub(lambda found: str(_written(parts[found[1]])), self.address) + self.suffix

    def may_be_of(self, address: str) -> bool:
        """Return whether an address may be one of this mapping's."""
        expression = ""
        for text, name in _pieces(self.address + self.suffix):
            expression += f"(?P<{name}>{'.+' if name in self.pattern.wide else '[^/]+'})" if name else re.escape(text)
        found = re.fullmatch(expression + ("(/[^/]+)?" if self.is_by_name else ""), address)
        return found is not None and (not self.devices or found.groupdict().get("device") in self.devices)

    def may_collide_with(self, other: "Mapping") -> bool:
        """Return whether both may give the same address to different devices, as far as is known beforehand."""
        if self.devices or other.devices:
            return False
        for levels in zip_longest(self.levels(), other.levels(), fillvalue=END):
            if OPTIONAL in levels:
                continue
            if END in levels:
                return False
            if WIDE in levels:
                return True
            if ANY not in levels and levels[0] != levels[1]:
                return False
        return True

    def levels(self) -> list[str]:
        """Return what stands between the slashes of an address: a word, or what may stand for one, none or more."""
        levels = []
        for level in (self.address + self.suffix).split("/"):
            names = {name for name, _ in NAMED.findall(level)}
            levels.append(WIDE if names & self.pattern.wide else ANY if names else level)
        return [*levels, *([OPTIONAL] if self.is_by_name else [])]


def _written(value: object) -> str | None:
    """Return a part of an address as text, None for what cannot be one."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def _pieces(template: str) -> list[tuple[str, str]]:
    """Return an address template as pairs of fixed text and, in its place, the name of a part."""
    pieces, at = [], 0
    for found in NAMED.finditer(template):
        pieces += [(template[at : found.start()], ""), ("", found[1])]
        at = found.end()
    return [*pieces, (template[at:], "")]


def _mapping(options: dict[str, Any], entry: Entry) -> Mapping:
    if "topic" not in options:
        raise ValueError("topic is missing, and there is no preset that has one")
    pattern = TopicPattern(options["topic"])
    presence = TopicPattern(options["presence"].replace("{topic}", pattern.pattern)) if "presence" in options else None
    paths = {field: _paths(options[field]) for field in FIELDS if field in options}
    plain = options.get("field")
    if plain and paths:
        raise ValueError("field is for topics that say one plain number; leave it out, or power, register and the like")
    if not plain and not paths:
        raise ValueError("nothing is read: name at least one of power, register, current, or a field")
    if "field" in pattern.names and any(len(names) > 1 for names in paths.values()):
        raise ValueError("with {field} in the topic, each of power, register and the like has one name")
    address = options.get("address", "{device}")
    parts = {name for name, _ in NAMED.findall(address)}
    if (plain or "field" in pattern.names) and parts - pattern.names:
        raise ValueError(f"address {address!r} names a part that topic {options['topic']!r} does not have")
    if "address" not in options and "device" not in pattern.names:
        raise ValueError("topic has no {device}: give the address of its device as `address`")
    if presence and parts - presence.names:
        raise ValueError("presence must have the same named parts as the address")
    return Mapping(
        preset=entry.preset,
        pattern=pattern,
        presence=presence,
        address=address,
        suffix=options.get("suffix", ""),
        devices=frozenset(entry.devices),
        plain=plain,
        paths=paths,
        factors={field: _factor(field, options) for field in ([plain] if plain else paths)},
        register_step=entry.register_step,
        time_paths=_paths(options.get("time", [])),
        time_unit=entry.time_unit,
        zone=_zone(entry.timezone),
        boot_paths=_paths(options.get("boot", [])),
        null_is_zero=entry.null == "zero",
        traits=Traits(
            Cadence(options.get("cadence", Cadence.CHANGE)),
            round(options.get("gap_limit_s", 60.0) * 1000),
            limit_w=entry.limit_w,
        ),
    )


def _paths(value: Path) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _factor(field: str, options: dict[str, Any]) -> float | None:
    """Return what to multiply a field by, None where its unit is announced. Raises ValueError."""
    unit = options.get(f"{field}_unit", DEFAULT_UNIT[field])
    if unit != ANNOUNCED:
        return UNITS[field][unit]
    if options.get("preset") in {"zigbee2mqtt", "esphome"}:
        return None
    raise ValueError(f"{field}_unit: only what the presets zigbee2mqtt and esphome read is announced")


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"timezone {name!r} does not exist") from None


def check_together(mappings: list[Mapping]) -> None:
    """Raise ValueError where two entries may give one address to devices of different kinds."""
    for number, mapping in enumerate(mappings):
        for other in mappings[:number]:
            if mapping.traits != other.traits and mapping.may_collide_with(other):
                raise ValueError(
                    f"the topics {other.pattern.pattern} and {mapping.pattern.pattern} may give the same address, and "
                    "differ in cadence, gap_limit_s or limit_w: let one's `address` begin with a word of its own"
                )
