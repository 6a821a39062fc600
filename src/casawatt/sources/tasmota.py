"""Tasmota devices over MQTT; see `docs/devices/tasmota.md`."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from casawatt.model.found import Found
from casawatt.model.meter import LIMIT_W, Cadence, Traits
from casawatt.model.ports import Inbox
from casawatt.sources.tasmota_collector import HOLD_S, Collector
from casawatt.sources.tasmota_search import Search
from casawatt.sources.tasmota_settings import Settings
from casawatt.sources.tasmota_wire import FullTopic
from casawatt.transports.mqtt import Broker

TELE_PERIOD_S = 300
"""Tasmota's own `TelePeriod`."""
PERIODS_TO_A_GAP = 3
SPARE_S = 60

Watts = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options under `[source.tasmota]`, as `docs/devices/tasmota.md` explains them."""

    broker: str = "home"
    full_topics: list[str] = msgspec.field(default_factory=lambda: ["%prefix%/%topic%/", "%topic%/%prefix%/"])
    timezone: str | None = None
    gap_limit_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] | None = None
    limit_w: Watts = LIMIT_W
    limits_w: dict[str, Watts] = {}
    configure: bool = False
    tele_period_s: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 10
    power_delta_w: Annotated[int, msgspec.Meta(ge=1, le=31_900)] = 5

    def __post_init__(self) -> None:
        """Raise ValueError for options that cannot be used."""
        if not self.full_topics:
            raise ValueError("full_topics must name at least one")
        self.patterns()
        try:
            self.zone()
        except (KeyError, ValueError, OSError):
            raise ValueError(f"timezone {self.timezone!r} does not exist") from None

    def patterns(self) -> dict[str, FullTopic]:
        """Return each full topic, by how it is written without the last `/`."""
        return {pattern.rstrip("/"): FullTopic(pattern) for pattern in self.full_topics}

    def zone(self) -> ZoneInfo | None:
        """Return the zone of stamps without one, None for the machine's."""
        return None if self.timezone is None else ZoneInfo(self.timezone)

    @property
    def traits(self) -> Traits:
        """They speak at even times and, once set to, on change: power holds. Stamps are whole seconds, maybe old."""
        period_s = self.tele_period_s if self.configure else TELE_PERIOD_S
        gap_limit_s = PERIODS_TO_A_GAP * period_s + SPARE_S if self.gap_limit_s is None else self.gap_limit_s
        return Traits(
            Cadence.CHANGE, round(gap_limit_s * 1000), time_grid_ms=1000, limit_w=self.limit_w, falls_back=True
        )

    def traits_of(self, address: str) -> Traits:
        """Return the traits of one device or channel, whose limit may be its own."""
        limit_w = self.limits_w.get(address, self.limits_w.get(address.partition("/")[0], self.limit_w))
        return msgspec.structs.replace(self.traits, limit_w=limit_w)


async def run(
    config: Config, inbox: Inbox, broker: Broker, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Take in what devices publish until cancelled. Raises what the inbox fails with."""
    settings = None
    if config.configure:
        settings = Settings(
            config.tele_period_s, config.power_delta_w, lambda device, why: inbox.refuse(device, "configure", why)
        )
    collector = Collector(inbox, config.patterns(), config.zone(), settings)
    async with broker.listening(collector.topics(), collector.take, kept=inbox.kept) as listening:
        parts = [listening.failed(), release(collector, wait)]
        await together(*parts, *([settings.publish(broker)] if settings else []))


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run all parts until one ends or fails, and end as it does."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def release(collector: Collector, wait: Callable[[float], Awaitable[None]]) -> None:
    """Have messages that are held decided on in time, for ever."""
    while True:
        await collector.holds.wait()
        await wait(HOLD_S)
        collector.release()


async def discover(
    timeout_s: float,
    broker: Broker,
    config: Config | None = None,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[Found]:
    """Return the devices that meter, by what they announce and, where that does not tell, by asking them all at once.

    The announcements (`SetOption19 0`) and last wills are retained at the broker. Asking is a message to the topic of
    all devices, `cmnd/tasmotas/Status`: it changes nothing. Raises ConnectionError when the broker is not there.
    """
    config = config or Config()
    search = Search(config.patterns())
    async with broker.listening(search.topics(), search.take, kept=nothing_to_keep):
        await wait(timeout_s / 2)
        if not search.is_complete:
            for topic, payload in search.questions():
                await broker.publish(topic, payload)
        await wait(timeout_s / 2)
    return search.found()


async def nothing_to_keep() -> None:
    """Acknowledge at once: what a search hears is not recorded."""
