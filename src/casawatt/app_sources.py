"""The sources that a config names, and what each is given beside its options and its inbox."""

import importlib
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import casawatt.sources
from casawatt.config import Config
from casawatt.config_sections import BrokerConfig
from casawatt.model.ports import SourceConfig
from casawatt.transports.mqtt import Broker
from casawatt.transports.push import Desk

RUN = re.compile(r"^async def run\(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """A configured source: its module in `sources/` and its checked options."""

    name: str
    module: ModuleType
    options: SourceConfig

    @property
    def broker(self) -> str | None:
        """The name of the broker that it uses, None when it uses none."""
        return getattr(self.options, "broker", None)


def source_names() -> list[str]:
    """Return the names of all sources: the files in `sources/` that define a `run`. None of them is imported."""
    files = [file for folder in casawatt.sources.__path__ for file in Path(folder).glob("*.py")]
    return sorted(file.stem for file in files if RUN.search(file.read_text(encoding="utf-8")))


def load_sources(config: Config) -> list[Source]:
    """Return the sources that the config names; raises ConfigError for one that does not exist or a wrong option."""
    return [load_source(config, name) for name in config.sources]


def load_source(config: Config, name: str) -> Source:
    """Return one source that the config names; raises ConfigError when it cannot be used, and says why."""
    place = ("source", name)
    if name not in source_names():
        raise config.document.error(place, f"no such source; there are: {', '.join(source_names())}")
    try:
        module = importlib.import_module(f"casawatt.sources.{name}")
    except ImportError as error:
        raise config.document.error(place, f"sources/{name}.py cannot be imported: {error}") from error
    options = config.source_options(name, module.Config)
    try:
        options.traits  # noqa: B018 - it is checked by being made
    except (AttributeError, ValueError) as error:
        raise config.document.error(place, f"its traits cannot be used: {error}") from error
    source = Source(name, module, options)
    if source.broker is not None and source.broker not in config.brokers:
        raise config.document.error((*place, "broker"), f"there is no [broker.{source.broker}]")
    return source


class Wiring:
    """What sources are given, by the names of the parameters that they have.

    A source's `run` or `discover` that has a parameter called `broker` is given the broker that its option of that
    name names; one called `desk` the place where `POST /api/v1/readings` leaves what it is sent. `desk` is None when
    no source wants it. What else there is to be given is added to `_makers`.
    """

    def __init__(self, brokers: dict[str, Broker], desk: Desk | None = None) -> None:
        self.brokers = brokers
        self.desk = desk
        self._makers: dict[str, Callable[[SourceConfig], object]] = {
            "broker": self._broker,
            "desk": lambda _options: self.desk,
        }

    @classmethod
    def of_home(cls, config: Config, sources: Sequence[Source], home_id: str) -> "Wiring":
        """Return what the sources of a home are given: they share the brokers that they use."""
        names = [source.broker for source in sources if source.broker is not None]
        brokers = {name: make_broker(name, config.brokers[name], home_id, names.count(name)) for name in {*names}}
        is_wanted = any("desk" in inspect.signature(source.module.run).parameters for source in sources)
        return cls(brokers, Desk() if is_wanted else None)

    def wanted(self, function: Callable[..., Any], options: SourceConfig) -> dict[str, object]:
        """Return the arguments that a source's function asks for by the names of its parameters."""
        return {
            name: make(options) for name, make in self._makers.items() if name in inspect.signature(function).parameters
        }

    def _broker(self, options: SourceConfig) -> Broker | None:
        name = getattr(options, "broker", None)
        return None if name is None else self.brokers[name]


def make_broker(name: str, options: BrokerConfig, home_id: str, listeners: int) -> Broker:
    """Return a broker, not connected yet; the same home is the same client to it after every start."""
    return Broker(name, options, f"casawatt-{home_id[:8]}", listeners=listeners)
