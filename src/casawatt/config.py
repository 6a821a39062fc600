"""The config file: one TOML file, read once, every option of it known and checked.

Nothing below `app` sees a `Config`; each part is given just the values it needs.
"""

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from casawatt.model.broker import BrokerOptions
from casawatt.model.errors import ConfigError, RegistryError
from casawatt.model.meter import LIMIT_W, SLUG, Cadence, check_slug

Ratio = Annotated[float, Meta(gt=0, le=1)]
Voltage = Annotated[float, Meta(ge=50, le=1000)]
Limit = Annotated[float, Meta(gt=0, le=1_000_000)]
GapLimit = Annotated[float, Meta(ge=1, le=86_400)]
Options = TypeVar("Options", bound=msgspec.Struct)

SECTIONS = ("broker", "home", "meter", "source", "store", "supply", "web")


class HomeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[home]`: what holds for the whole home."""

    name: str = "Home"
    timezone: str = "Europe/Rome"
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "EUR"
    nominal_voltage_v: Voltage = 230.0

    @property
    def zone(self) -> ZoneInfo:
        """The home's time zone, by which its days begin and end."""
        return ZoneInfo(self.timezone)


class SupplyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[supply]`: the grid connection. `limit_w`: more power than this, in either direction, cannot flow through it."""

    limit_w: Limit = LIMIT_W


class StoreConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[store]`: how often what was measured is forced to the disk, in seconds."""

    sync_s: Annotated[float, Meta(ge=1, le=3600)] = 10.0


class WebConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[web]`: where the page and the API are served; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8480


class BrokerConfig(BrokerOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[broker.<name>]`: an MQTT broker, and how to be let in."""


class MeterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[meter.<slug>]`: a metered point, the device bound to it and how its current becomes watts.

    `parent` is the slug of the meter whose power this one is part of. `limit_w`, `gap_limit_s` and `cadence` stand in
    for what source and supply say.
    """

    source: str
    address: str
    name: str | None = None
    appliance: str | None = None
    parent: str | None = None
    nominal_voltage_v: Voltage | None = None
    power_factor_ratio: Ratio = 1.0
    limit_w: Limit | None = None
    gap_limit_s: GapLimit | None = None
    cadence: Cadence | None = None


class Config(msgspec.Struct, frozen=True):
    """A checked config. `sources` holds each `[source.<name>]` as written: its source file knows its options."""

    document: "Document"
    home: HomeConfig
    supply: SupplyConfig
    store: StoreConfig
    web: WebConfig
    brokers: dict[str, BrokerConfig]
    meters: dict[str, MeterConfig]
    sources: dict[str, dict[str, Any]]

    def source_options(self, name: str, options: type[Options]) -> Options:
        """Return `[source.<name>]` as the source's own `Config` class.

        Raises ConfigError, naming the line, for an option that the source does not read or a wrong value.
        """
        return self.document.convert(self.sources[name], options, ("source", name))


class Document:
    """The text of a config file, for telling the line of what is wrong in it."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path

    def error(self, place: tuple[str, ...], why: str) -> ConfigError:
        """Return a ConfigError that names the file, the line of `place` and why."""
        line = self.line_of(place)
        name = ".".join(place)
        where = f"{self.path}:{line}" if line else self.path
        return ConfigError(f"{where}: {name}: {why}" if name else f"{where}: {why}")

    def line_of(self, place: tuple[str, ...]) -> int | None:
        """Return the number (from 1) of the line that names `place`, or else its innermost section.

        Of a section that is written `[[...]]` several times, each has its number in its place, from 0.
        """
        section: tuple[str, ...] = ()
        counts: Counter[tuple[str, ...]] = Counter()
        best: tuple[int, int] | None = None
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]", line):
                section = here = split_key(header[2])
                if header[1] == "[[":
                    counts[here] += 1
                    section = here = (*here, str(counts[here] - 1))
            elif key := re.match(r"\s*([\w\-.\"\']+)\s*=", line):
                here = section + split_key(key[1])
            else:
                continue
            if place[: len(here)] == here and (best is None or len(here) > best[0]):
                best = len(here), number
        return best[1] if best else None

    def convert(self, value: object, kind: type[Options], place: tuple[str, ...]) -> Options:
        """Return `value` as a `kind`; raises ConfigError that names the line and the option."""
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            why, _, path = str(error).partition(" - at `$")
            inner = tuple(part for part in re.split(r"[.\[\]`]+", path) if part and part != "...")
            if unknown := re.match(r"Object contains unknown field `(.+)`", why):
                options = ", ".join(field.name for field in msgspec.structs.fields(struct_at(kind, inner)))
                raise self.error((*place, *inner, unknown[1]), f"no such option; there are: {options}") from None
            raise self.error((*place, *inner), why[0].lower() + why[1:]) from None


def struct_at(kind: type[msgspec.Struct], inner: tuple[str, ...]) -> type[msgspec.Struct]:
    """Return the class of the options at a place in `kind`, e.g. at `("topic", "1")`; `kind` where there is none."""
    found: Any = kind
    for part in inner:
        while get_origin(found) is Annotated:
            found = get_args(found)[0]
        if isinstance(found, type) and issubclass(found, msgspec.Struct):
            found = next((field.type for field in msgspec.structs.fields(found) if field.name == part), None)
        else:
            found = next(reversed(get_args(found)), None)
    return found if isinstance(found, type) and issubclass(found, msgspec.Struct) else kind


def split_key(dotted: str) -> tuple[str, ...]:
    """Return the parts of a TOML key or section name, without quotes: `meter."a.b"` gives `("meter", "a.b")`."""
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([^.\s\"']+)", dotted)
    return tuple(next(part for part in found if part) if any(found) else "" for found in parts)


def load(path: Path) -> Config:
    """Return the config in the file at `path`; raises ConfigError that names the file, the line and the option."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read: {error}"
        raise ConfigError(message) from error
    return parse(text, str(path))


def parse(text: str, path: str) -> Config:
    """Return the config in `text`; `path` is what errors call it. Raises ConfigError."""
    document = Document(text, path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: not valid TOML: {error}"
        raise ConfigError(message) from error
    for name, table in tables.items():
        if name not in SECTIONS:
            raise document.error((name,), f"no such section; there are: {', '.join(SECTIONS)}")
        if not isinstance(table, dict):
            raise document.error((name,), f"a section is written [{name}]")
    meters = {}
    for slug, table in tables.get("meter", {}).items():
        meters[slug] = document.convert(table, MeterConfig, ("meter", slug))
    config = Config(
        document,
        document.convert(tables.get("home", {}), HomeConfig, ("home",)),
        document.convert(tables.get("supply", {}), SupplyConfig, ("supply",)),
        document.convert(tables.get("store", {}), StoreConfig, ("store",)),
        document.convert(tables.get("web", {}), WebConfig, ("web",)),
        brokers_in(document, tables.get("broker", {})),
        meters,
        tables.get("source", {}),
    )
    check(config)
    return config


def brokers_in(document: Document, tables: dict[str, Any]) -> dict[str, BrokerConfig]:
    """Return the brokers by their names; raises ConfigError."""
    for name in tables:
        if not SLUG.fullmatch(name):
            why = f"{name!r} cannot name a broker: use words of a-z and 0-9 joined by hyphens, as in [broker.home]"
            raise document.error(("broker", name), why)
    return {name: document.convert(table, BrokerConfig, ("broker", name)) for name, table in tables.items()}


def check(config: Config) -> None:
    """Raise ConfigError for what each option alone cannot show to be wrong."""
    document = config.document
    try:
        ZoneInfo(config.home.timezone)
    except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError, below
        raise document.error(("home", "timezone"), f"{config.home.timezone!r} is not a time zone") from error
    except KeyError as error:
        why = f"no time zone is called {config.home.timezone!r}; write it like 'Europe/Rome'"
        raise document.error(("home", "timezone"), why) from error
    for name, table in config.sources.items():
        if not isinstance(table, dict):
            raise document.error(("source", name), f"a source is written [source.{name}]")
    owners: dict[tuple[str, str], str] = {}
    for slug, meter in config.meters.items():
        try:
            check_slug(slug)
        except RegistryError as error:
            raise document.error(("meter", slug), str(error)) from error
        if meter.parent is not None:
            check_parent(config, slug)
        device = meter.source, meter.address
        if device in owners:
            why = f"{meter.source} {meter.address} already measures for [meter.{owners[device]}]"
            raise document.error(("meter", slug, "address"), why)
        owners[device] = slug


def check_parent(config: Config, slug: str) -> None:
    """Raise ConfigError if the parents of the meter `slug` do not exist or lead back to it."""
    seen = [slug]
    while (parent := config.meters[seen[-1]].parent) is not None:
        if parent not in config.meters:
            raise config.document.error(("meter", seen[-1], "parent"), f"there is no [meter.{parent}]")
        if parent in seen:
            raise config.document.error(("meter", slug, "parent"), f"goes in a circle: {' > '.join([*seen, parent])}")
        seen.append(parent)
