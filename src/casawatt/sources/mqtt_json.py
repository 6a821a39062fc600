"""Any JSON or plain number on an MQTT topic, as configured; see `docs/devices/mqtt_json.md`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from casawatt.model.found import Found
from casawatt.model.meter import Traits
from casawatt.model.ports import Inbox
from casawatt.sources.mqtt_json_collector import Collector
from casawatt.sources.mqtt_json_entry import Entry, Mapping, check_together
from casawatt.sources.mqtt_json_search import Search
from casawatt.transports.mqtt import Broker


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options under `[source.mqtt_json]`; `topic` is a list, each of it `[[source.mqtt_json.topic]]`."""

    topic: Annotated[list[Entry], msgspec.Meta(min_length=1)]
    broker: str = "home"

    def __post_init__(self) -> None:
        """Raise ValueError for entries that cannot be used together."""
        check_together(self.mappings())

    def mappings(self) -> list[Mapping]:
        """Return what all entries make of messages, in order: where two give one address, the first is taken."""
        return [mapping for entry in self.topic for mapping in entry.mappings()]

    @property
    def traits(self) -> Traits:
        """What holds for an address that no entry gives any more: what the first one says."""
        return self.mappings()[0].traits

    def traits_of(self, address: str) -> Traits:
        """Return what the readings of a device are like: as the first entry says that may give its address."""
        fits = [mapping.traits for mapping in self.mappings() if mapping.may_be_of(address)]
        return fits[0] if fits else self.traits


async def run(config: Config, inbox: Inbox, broker: Broker) -> None:
    """Take in what is published until cancelled. Raises what the inbox fails with."""
    collector = Collector(inbox, config.mappings())
    async with broker.listening(collector.topics(), collector.take, kept=inbox.kept) as listening:
        await listening.failed()


async def discover(
    timeout_s: float,
    broker: Broker,
    config: Config | None = None,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[Found]:
    """Return the devices that meter, as zigbee2mqtt and ESPHome announce them, and those heard by other entries.

    Nothing is published: the announcements are retained at the broker.
    """
    search = Search(config.mappings() if config else [])
    async with broker.listening(search.topics(), search.take, kept=nothing_to_keep):
        await wait(timeout_s)
    return search.found()


async def nothing_to_keep() -> None:
    """Acknowledge at once: what a search hears is not recorded."""
