"""The sources that can look for devices, and what each is given to do it with."""

import asyncio
import importlib
import inspect
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import msgspec

import casawatt.sources
from casawatt.config_sections import BrokerConfig
from casawatt.model.errors import ConfigError
from casawatt.model.found import Found
from casawatt.model.ports import SourceConfig
from casawatt.transports.mdns_browse import Browser
from casawatt.transports.mqtt_visit import visit

DISCOVER = re.compile(r"^async def discover\(", re.MULTILINE)

BROKER = "home"
"""The broker that sources use when their section names none."""

NEARBY_S = 3.0
"""So long brokers may take to answer that are not in the config."""

Offers = Callable[[str, SourceConfig | None], Mapping[str, object]]
"""Returns what the `discover` of a source may ask for by the names of its parameters, beside its options as `config`.

Called with the source and its options, None where it has no section.
"""


@dataclass(frozen=True, slots=True)
class Searcher:
    """A source that can look for devices; `look` does it for so many seconds and raises what it fails with."""

    source: str
    look: Callable[[float], Awaitable[list[Found]]]


def searcher_names() -> list[str]:
    """Return the names of the sources that can look for devices. None of them is imported."""
    files = [file for folder in casawatt.sources.__path__ for file in Path(folder).glob("*.py")]
    return sorted(file.stem for file in files if DISCOVER.search(file.read_text(encoding="utf-8")))


def searchers(
    options: Mapping[str, SourceConfig], brokers: Mapping[str, BrokerConfig], offers: Offers
) -> list[Searcher]:
    """Return all sources that can look for devices; `options` are those of the configured ones.

    One that asks for a `broker` is given a connection of its own, to the one that its section names.
    """

    def searcher(name: str) -> Searcher:
        async def look(timeout_s: float) -> list[Found]:
            discover = importlib.import_module(f"casawatt.sources.{name}").discover
            config = options.get(name)
            offered = {"config": config, **offers(name, config)}
            asked = inspect.signature(discover).parameters
            wanted = {key: value for key, value in offered.items() if key in asked}
            found: list[Found]
            if "broker" not in asked:
                found = await discover(timeout_s, **wanted)
                return found
            broker = broker_for(config, brokers) or await no_broker(brokers, timeout_s)
            found = await visit(broker, brokers[broker], lambda there: discover(timeout_s, broker=there, **wanted))
            return found if config or broker == BROKER else [needing(each, broker) for each in found]

        return Searcher(name, look)

    return [searcher(name) for name in searcher_names()]


def broker_for(options: SourceConfig | None, brokers: Collection[str]) -> str | None:
    """Return the name of the broker that a source uses, or would; None when that is not known."""
    name: str = getattr(options, "broker", None) or BROKER
    if name in brokers:
        return name
    return next(iter(brokers)) if len(brokers) == 1 else None


def needing(found: Found, broker: str) -> Found:
    """Return the device with the name of its broker among the options that its source needs."""
    return msgspec.structs.replace(found, options={"broker": broker, **found.options})


async def no_broker(brokers: Collection[str], timeout_s: float) -> NoReturn:
    """Raise the ConfigError that says why there is no broker to look on, and which one there may be."""
    if brokers:
        why = f"which of the brokers {', '.join(brokers)} is meant is not known"
    else:
        near = ", ".join(await brokers_nearby(min(timeout_s, NEARBY_S)))
        seen = f"; one announces itself at {near}" if near else ""
        why = f'the config names none: write [broker.home] with host = "..."{seen}'
    raise ConfigError(f"its devices are found on an MQTT broker, and {why}")


async def brokers_nearby(timeout_s: float, interfaces: Sequence[str] | None = None) -> list[str]:
    """Return where MQTT brokers are, as `host:port`, that announce themselves on the network within the time."""
    found: list[str] = []
    try:
        async with Browser(["_mqtt._tcp", "_secure-mqtt._tcp"], interfaces) as browser, asyncio.timeout(timeout_s):
            while True:
                service = await browser.found()
                found.append(f"{service.host}:{service.port}")
    except (TimeoutError, OSError):  # a network without mDNS is no failure: it is a hint that is missing
        return sorted(set(found))
