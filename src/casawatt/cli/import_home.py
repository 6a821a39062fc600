"""The home that an import goes to: the running service by its API, or the data itself when no service runs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from urllib.parse import quote

import msgspec

from casawatt.app_home import OpenHome, open_home
from casawatt.app_ports import Imports
from casawatt.cli import client
from casawatt.cli.places import Place
from casawatt.clock import WallClock
from casawatt.engine.localtime import bucket_edges
from casawatt.model.meter import Traits
from casawatt.recorder.keeper import keep, seal
from casawatt.registry import IMPORT_SOURCE, Adoption
from casawatt.store.schema import DATABASE_NAME
from casawatt.web.import_port import ImportReport, ReadingColumns


@dataclass(frozen=True, slots=True)
class KnownMeter:
    """A meter that the home has: the devices bound to it, as (source, address), and its least gap limit.

    One that is not `made` is in the config and will be made when the home is opened.
    """

    slug: str
    devices: tuple[tuple[str, str], ...]
    gap_limit_s: float
    made: bool = True


class Target(Protocol):
    """What an import needs of the home."""

    def meters(self) -> dict[str, KnownMeter]:
        """Return the meters of the home by their slug."""
        ...

    def make(self, slug: str, traits: Traits) -> None:
        """Make a meter for readings like that."""
        ...

    def record(self, slug: str, columns: ReadingColumns) -> ImportReport:
        """Record readings under a meter."""
        ...

    def months(self, slug: str, start_ms: int, end_ms: int) -> list[tuple[int, float]]:
        """Return when each local month in the span begins (UTC ms; the first is cut) and its energy in Wh."""
        ...


class ByApi:
    """A running service."""

    def __init__(self, service: client.Client) -> None:
        self._service = service

    def meters(self) -> dict[str, KnownMeter]:
        """Return the meters of the home by their slug."""
        slugs = [meter["slug"] for meter in self._service.get("/api/v1/meters")["meters"]]
        return {slug: self._meter(slug) for slug in slugs}

    def _meter(self, slug: str) -> KnownMeter:
        said = self._service.get(f"/api/v1/meters/{slug}")
        devices = tuple((each["source"], each["address"]) for each in said["bindings"])
        return KnownMeter(slug, devices, min(each["gap_limit_s"] for each in said["calibrations"]))

    def make(self, slug: str, traits: Traits) -> None:
        """Make a meter for readings like that."""
        body = {"slug": slug, "name": slug, "source": IMPORT_SOURCE, "address": slug}
        self._service.post("/api/v1/meters", body | {"gap_limit_s": traits.gap_limit_ms / 1000})

    def record(self, slug: str, columns: ReadingColumns) -> ImportReport:
        """Record readings under a meter."""
        body = {name: value for name, value in msgspec.to_builtins(columns).items() if value is not None}
        return msgspec.convert(self._service.post(f"/api/v1/meters/{slug}/readings", body), ImportReport)

    def months(self, slug: str, start_ms: int, end_ms: int) -> list[tuple[int, float]]:
        """Return when each local month in the span begins (UTC ms; the first is cut) and its energy in Wh."""
        start, end = (quote(_rfc3339(time_ms)) for time_ms in (start_ms, end_ms))
        said = self._service.get(f"/api/v1/meters/{slug}/energy?start={start}&end={end}&bucket=month")
        return [(_utc_ms(each["start"]), each["energy_wh"]) for each in said["buckets"]]


class Directly:
    """The data of a home that no service runs on."""

    def __init__(self, home: OpenHome) -> None:
        self._home = home
        self._imports = Imports(home.store, home.registry, home.recorder, home.clock)

    def meters(self) -> dict[str, KnownMeter]:
        """Return the meters of the home by their slug."""
        registry = self._home.registry
        found = {}
        for meter in registry.meters():
            devices = tuple((each.device.source, each.device.address) for each in registry.bindings(meter))
            gap_limit_ms = min(each.gap_limit_ms for each in registry.calibrations(meter))
            found[meter.slug] = KnownMeter(meter.slug, devices, gap_limit_ms / 1000)
        return found

    def make(self, slug: str, traits: Traits) -> None:
        """Make a meter for readings like that."""
        adoption = Adoption(slug, slug, IMPORT_SOURCE, slug, traits=traits)
        self._home.registry.adopt(adoption, self._home.clock.now_ms())

    def record(self, slug: str, columns: ReadingColumns) -> ImportReport:
        """Record readings under a meter."""
        answer = asyncio.run(self._imports.record(slug, columns))
        keep(self._home.store, self._home.recorder)
        return answer

    def months(self, slug: str, start_ms: int, end_ms: int) -> list[tuple[int, float]]:
        """Return when each local month in the span begins (UTC ms; the first is cut) and its energy in Wh."""
        meter = self._home.registry.meter(slug)
        edges_ms = bucket_edges(self._home.config.home.zone, start_ms, end_ms, "month")
        buckets = self._home.store.buckets(meter.meter_id, edges_ms, self._home.registry.calibrations(meter))
        return [(bucket.start_ms, bucket.energy_wh) for bucket in buckets]


@contextmanager
def target_of(place: Place) -> Iterator[Target]:
    """Yield the home to import into."""
    service = client.running(place.folder)
    if service is not None:
        yield ByApi(service)
        return
    with open_home(place.config, place.folder, WallClock()) as home:
        yield Directly(home)
        for line in home.recorder.lines():
            home.recorder.runs.complete(line.meter_id)
        seal(home.store, home.recorder)


def known_meters(place: Place) -> dict[str, KnownMeter]:
    """Return the meters that the home has, and those that the config will make of it, without changing anything."""
    service = client.running(place.folder)
    if service is not None:
        return ByApi(service).meters()
    with TemporaryDirectory() as empty, open_home(place.config, Path(empty), WallClock()) as home:
        known = {slug: replace(meter, made=False) for slug, meter in Directly(home).meters().items()}
    if (place.folder / DATABASE_NAME).exists():
        with open_home(place.config, place.folder, WallClock(), read_only=True) as home:
            known |= Directly(home).meters()
    return known


def _rfc3339(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
