"""The config file: one TOML file, read once, every option of it known and checked.

Nothing below `app` sees a `Config`; each part is given just the values it needs.
"""

import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from casawatt.config_document import Document, Options
from casawatt.config_members import check_members
from casawatt.config_prices import check_holidays, check_prices
from casawatt.config_sections import (
    AlarmConfig,
    BrokerConfig,
    DigestConfig,
    HomeConfig,
    MemberConfig,
    MeterConfig,
    PricesConfig,
    SplitConfig,
    StoreConfig,
    SupplyConfig,
    WebConfig,
)
from casawatt.config_supply import alarms_in, limiter_in
from casawatt.config_tariffs import alternatives_in, place_of, tariffs_in
from casawatt.model.alarm import Alarm
from casawatt.model.errors import ConfigError, RegistryError
from casawatt.model.meter import SLUG, check_slug
from casawatt.model.supply import Limiter
from casawatt.model.tariff import Tariff

LISTS = ("alternative", "tariff")
"""The sections that are written `[[...]]`, as there may be several."""

SECTIONS = (
    "alarm",
    "alternative",
    "broker",
    "digest",
    "home",
    "member",
    "meter",
    "prices",
    "source",
    "split",
    "store",
    "supply",
    "tariff",
    "web",
)


class Config(msgspec.Struct, frozen=True):
    """A checked config. `sources` holds each `[source.<name>]` as written: its source file knows its options."""

    document: Document
    home: HomeConfig
    supply: SupplyConfig
    store: StoreConfig
    web: WebConfig
    brokers: dict[str, BrokerConfig]
    meters: dict[str, MeterConfig]
    sources: dict[str, dict[str, Any]]
    members: dict[str, MemberConfig]
    split: SplitConfig
    digest: DigestConfig
    tariffs: tuple[Tariff, ...]
    prices: dict[str, PricesConfig]
    alternatives: tuple[Tariff, ...]
    limiter: Limiter | None
    alarms: tuple[Alarm, ...]

    def source_options(self, name: str, options: type[Options]) -> Options:
        """Return `[source.<name>]` as the source's own `Config` class.

        Raises ConfigError, naming the line, for an option that the source does not read or a wrong value.
        """
        return self.document.convert(self.sources[name], options, ("source", name))


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
        if not isinstance(table, list if name in LISTS else dict):
            written = f"[[{name}]]" if name in LISTS else f"[{name}]"
            raise document.error((name,), f"a section is written {written}")
    meters = {}
    for slug, table in tables.get("meter", {}).items():
        meters[slug] = document.convert(table, MeterConfig, ("meter", slug))
    supply = document.convert(tables.get("supply", {}), SupplyConfig, ("supply",))
    alarms = {
        name: document.convert(table, AlarmConfig, ("alarm", name)) for name, table in tables.get("alarm", {}).items()
    }
    config = Config(
        document,
        document.convert(tables.get("home", {}), HomeConfig, ("home",)),
        supply,
        document.convert(tables.get("store", {}), StoreConfig, ("store",)),
        document.convert(tables.get("web", {}), WebConfig, ("web",)),
        brokers_in(document, tables.get("broker", {})),
        meters,
        tables.get("source", {}),
        members_in(document, tables.get("member", {})),
        document.convert(tables.get("split", {}), SplitConfig, ("split",)),
        document.convert(tables.get("digest", {}), DigestConfig, ("digest",)),
        tariffs_in(document, "tariff", supply.contracted_w),
        prices_in(document, tables.get("prices", {})),
        alternatives_in(document, "alternative"),
        limiter_in(document, supply),
        alarms_in(document, alarms),
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


def members_in(document: Document, tables: dict[str, Any]) -> dict[str, MemberConfig]:
    """Return the members by their slugs; raises ConfigError."""
    return {slug: document.convert(table, MemberConfig, ("member", slug)) for slug, table in tables.items()}


def prices_in(document: Document, tables: dict[str, Any]) -> dict[str, PricesConfig]:
    """Return the series of prices by their names; raises ConfigError."""
    return {name: document.convert(table, PricesConfig, ("prices", name)) for name, table in tables.items()}


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
    check_holidays(document, config.home)
    check_prices(document, config.prices)
    check_members(document, config.members, config.split, config.meters)
    check_supply(config)


def check_supply(config: Config) -> None:
    """Raise ConfigError if a meter that is billed or watched, or the power that is paid for, is not there."""
    document, supply = config.document, config.supply
    if supply.meter is not None and config.meters and supply.meter not in config.meters:
        raise document.error(("supply", "meter"), f"there is no [meter.{supply.meter}]")
    for alarm in config.alarms:
        if config.meters and alarm.meter not in config.meters:
            raise document.error(("alarm", alarm.name, "meter"), f"there is no [meter.{alarm.meter}]")
    for tariff in config.tariffs:
        if tariff.power_per_kw_year and not tariff.contracted_w:
            place = *place_of(document, "tariff", tariff), "power_per_kw_year"
            raise document.error(place, "needs contracted_w, here or in [supply]")


def check_parent(config: Config, slug: str) -> None:
    """Raise ConfigError if the parents of the meter `slug` do not exist or lead back to it."""
    seen = [slug]
    while (parent := config.meters[seen[-1]].parent) is not None:
        if parent not in config.meters:
            raise config.document.error(("meter", seen[-1], "parent"), f"there is no [meter.{parent}]")
        if parent in seen:
            raise config.document.error(("meter", slug, "parent"), f"goes in a circle: {' > '.join([*seen, parent])}")
        seen.append(parent)
