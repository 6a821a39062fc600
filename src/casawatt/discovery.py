"""Looks for devices: asks every source that can, all at once, and says which meters they measure for already."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping

import msgspec

from casawatt.config import Config
from casawatt.config_additions import Addition, NewMeter, lines_for, missing_items, slug_of
from casawatt.model.errors import CasawattError
from casawatt.model.found import Found
from casawatt.model.meter import Meter
from casawatt.model.ports import Clock, SourceConfig
from casawatt.registry import Registry
from casawatt.searchers import Offers, Searcher, searchers
from casawatt.web.findings import ChannelDocument, FailureDocument, FindingDocument, Search

log = logging.getLogger(__name__)

GRACE_S = 5.0
"""So much longer than it was given may a source take to come to its end."""

HEARD = "heard by casawatt"
"""In the place of where a device is reached, when all that is known is that it sends."""

Owners = Mapping[tuple[str, str], str]
"""The slug of the meter that a device (source, address) measures for now."""


def names_of(found: Found) -> list[str]:
    """Return a name for each channel of a device."""
    name = found.name or found.model or found.source
    return (
        [name] if len(found.addresses) == 1 else [f"{name} {number}" for number in range(1, len(found.addresses) + 1)]
    )


def addition_of(found: Found, slugs: Mapping[str, str]) -> Addition:
    """Return what the config needs for a device whose channels (by address) shall be these meters."""
    names = dict(zip(found.addresses, names_of(found), strict=True))
    meters = tuple(NewMeter(slug, names[address], address) for address, slug in slugs.items())
    return Addition(found.source, found.options, meters)


def suggested_slugs(found: Found, owners: Owners, taken: Collection[str]) -> dict[str, str]:
    """Return a free slug for each channel of a device that measures for no meter, by address."""
    slugs: dict[str, str] = {}
    for address, name in zip(found.addresses, names_of(found), strict=True):
        if (found.source, address) not in owners:
            slugs[address] = slug_of(name, {*taken, *slugs.values()})
    return slugs


def is_read(found: Found, options: SourceConfig | None) -> bool:
    """Return whether a source with these options (None: it has no section) reads the device already."""
    if options is None:
        return False
    for key, value in found.options.items():
        there = getattr(options, key, None)
        if isinstance(value, list):
            known = [msgspec.to_builtins(item) for item in there or ()]
            if missing_items(known, value):
                return False
        elif there != value:
            return False
    return True


def owners_of(registry: Registry) -> dict[tuple[str, str], str]:
    """Return which meter each device measures for now."""
    return {
        (binding.device.source, binding.device.address): registry.by_id(binding.meter_id).slug
        for binding in registry.bindings()
        if binding.to_ms is None
    }


def heard_devices(registry: Registry, is_speaking: Callable[[Meter], bool]) -> list[Found]:
    """Return the devices that a service has heard: those without a meter, and those that speak for one."""
    found = [_heard(device.source, device.address, _titled(device.hint)) for device in registry.new_devices()]
    for (source, address), slug in owners_of(registry).items():
        meter = registry.meter(slug)
        found += [_heard(source, address, meter.name)] if is_speaking(meter) else []
    return found


class Discovery:
    """One search at a time, and what the last one found; it fulfils `web.findings.DiscoveryPort`.

    `owners` and `heard` are asked whenever the result is: a device that was made a meter meanwhile is one there too.
    """

    def __init__(
        self,
        config: Config,
        options: Mapping[str, SourceConfig],
        clock: Clock,
        owners: Callable[[], Owners],
        *,
        offers: Offers = lambda _source, _options: {},
        heard: Callable[[], list[Found]] = list,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._options = options
        self._clock = clock
        self._owners = owners
        self._offers = offers
        self._heard = heard
        self._on_change = on_change
        self._asked = asyncio.Event()
        self._timeout_s = 0.0
        self._started_ms: int | None = None
        self._finished_ms: int | None = None
        self._asking: list[Searcher] = []
        self._waiting: list[str] = []
        self._found: list[Found] = []
        self._failed: list[FailureDocument] = []

    def start(self, timeout_s: float) -> bool:
        """Let `run` begin a search; returns False when one is running already."""
        if self._started_ms is not None and self._finished_ms is None:
            return False
        self._begin()
        self._timeout_s = timeout_s
        self._asked.set()
        return True

    async def run(self) -> None:
        """Search whenever `start` was called, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._search(self._timeout_s)

    async def look(self, timeout_s: float) -> None:
        """Search once, here and now."""
        self._begin()
        await self._search(timeout_s)

    @property
    def waiting(self) -> list[str]:
        """The sources that are still looking."""
        return list(self._waiting)

    def devices(self) -> list[Found]:
        """Return the devices that were found or heard, in order."""
        found = list(self._found)
        if self._started_ms is not None:
            known = {(each.source, address) for each in found for address in each.addresses}
            found += [each for each in self._heard() if (each.source, each.addresses[0]) not in known]
        return sorted(found, key=lambda each: (each.source, each.name or "", each.where, each.addresses))

    def search(self) -> Search:
        """Return how the search is going, or how the last one ended."""
        owners = self._owners()
        heard = {(each.source, address) for each in self._heard() for address in each.addresses}
        found = [self._finding(each, owners, heard) for each in self.devices()]
        return Search(self._started_ms, self._finished_ms, self.waiting, found, list(self._failed))

    def _finding(self, found: Found, owners: Owners, heard: Collection[tuple[str, str]]) -> FindingDocument:
        channels = [ChannelDocument(address, owners.get((found.source, address))) for address in found.addresses]
        options = self._options.get(found.source)
        slugs = suggested_slugs(found, owners, {*owners.values(), *self._config.meters})
        free = [channel.address for channel in channels if channel.meter is None]
        adoptable = bool(free) and (is_read(found, options) or all((found.source, each) in heard for each in free))
        lines = lines_for(addition_of(found, slugs), self._config.sources.get(found.source))
        return FindingDocument(
            found.source,
            found.name,
            found.model,
            found.where,
            found.note,
            channels,
            adoptable,
            found.options,
            lines,
        )

    def _begin(self) -> None:
        self._started_ms, self._finished_ms = self._clock.now_ms(), None
        self._asking = searchers(self._options, self._config.brokers, self._offers)
        self._found, self._failed = [], []
        self._waiting = [searcher.source for searcher in self._asking]
        self._on_change()

    async def _search(self, timeout_s: float) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for searcher in self._asking:
                    group.create_task(self._ask(searcher, timeout_s))
        finally:
            self._waiting = []
            self._finished_ms = self._clock.now_ms()
            self._on_change()

    async def _ask(self, searcher: Searcher, timeout_s: float) -> None:
        limit = asyncio.timeout(timeout_s + GRACE_S)
        try:
            async with limit:
                self._found += await searcher.look(timeout_s)
        except Exception as error:
            why = "it did not come to an end" if limit.expired() else _why(error)
            self._failed.append(FailureDocument(searcher.source, why))
            log.debug("how %s failed to look for devices", searcher.source, exc_info=error)
        self._waiting.remove(searcher.source)
        self._on_change()


def _why(error: Exception) -> str:
    expected = isinstance(error, (OSError, TimeoutError, ImportError, CasawattError))
    kind = type(error).__name__
    return (str(error) or kind) if expected else f"{kind}: {error}"


def _heard(source: str, address: str, name: str | None) -> Found:
    return Found(source=source, addresses=(address,), where=HEARD, name=name)


def _titled(hint: str | None) -> str | None:
    return hint.replace("_", " ").capitalize() if hint else None
