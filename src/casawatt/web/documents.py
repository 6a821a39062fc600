"""What the API answers, field by field; the OpenAPI description is made from these."""

from typing import Literal

import msgspec

from casawatt import __version__
from casawatt.model.interval import INTERVAL_MS, Bucket
from casawatt.model.meter import Meter, NewDevice
from casawatt.web.fields import Coverage, Time
from casawatt.web.ports import Home, Ports
from casawatt.web.runs_documents import RunDocument, StateName, run_document
from casawatt.web.times import format_time, share, today_start

__all__ = ["Coverage", "Time"]


class HomeDocument(msgspec.Struct, frozen=True):
    """What holds for the whole home."""

    name: str
    timezone: str
    currency: str
    demo: bool


class MeterDocument(msgspec.Struct, frozen=True):
    """A meter and what it says now.

    `parent`: the slug of the meter it is part of. `state` is what its appliance does, null for a meter that has no
    states, and before it was heard; `run` the use that it is in, null while it is in none.
    """

    slug: str
    name: str
    appliance: str | None
    parent: str | None
    state: StateName | None
    run: RunDocument | None
    power_w: float | None
    at: Time | None
    today_wh: float
    today_coverage: Coverage
    silent: bool


class NewDeviceDocument(msgspec.Struct, frozen=True):
    """A device that was heard and belongs to no meter; nothing of it is recorded. `hint`: what it says it is."""

    source: str
    address: str
    power_w: float | None
    current_a: float | None
    at: Time
    hint: str | None


class NewDevicesDocument(msgspec.Struct, frozen=True):
    """All devices that belong to no meter."""

    new_devices: list[NewDeviceDocument]


class MetersDocument(msgspec.Struct, frozen=True):
    """The home, its meters and the devices that wait to become one."""

    home: HomeDocument
    meters: list[MeterDocument]
    new_devices: list[NewDeviceDocument]


class BucketDocument(msgspec.Struct, frozen=True):
    """Energy from `start` until before `end`, and how much of that time was measured. `max_w`: highest power."""

    start: Time
    end: Time
    energy_wh: float
    measured_s: float
    coverage: Coverage
    max_w: float | None


class EnergyDocument(msgspec.Struct, frozen=True):
    """Energy bucket by bucket, and of all of them together."""

    meter: str
    buckets: list[BucketDocument]
    total: BucketDocument


class ReadingsDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """Columns of equal length. Raw: the channels that were said; otherwise mean, least and most power.

    `power_w` is what the device said, or what its current and the meter's calibration make of it. `set_aside` says of
    raw readings why something of them is not counted; it is absent where all are.
    """

    meter: str
    resolution: Literal["raw", "1m", "15m", "1h"]
    time_ms: list[int]
    power_w: list[float | None]
    min_w: list[float | None] | msgspec.UnsetType = msgspec.UNSET
    max_w: list[float | None] | msgspec.UnsetType = msgspec.UNSET
    measured_s: list[float] | msgspec.UnsetType = msgspec.UNSET
    register_wh: list[float | None] | msgspec.UnsetType = msgspec.UNSET
    voltage_v: list[float | None] | msgspec.UnsetType = msgspec.UNSET
    current_a: list[float | None] | msgspec.UnsetType = msgspec.UNSET
    power_factor_ratio: list[float | None] | msgspec.UnsetType = msgspec.UNSET
    charge_as: list[float | None] | msgspec.UnsetType = msgspec.UNSET
    boot_id: list[int | None] | msgspec.UnsetType = msgspec.UNSET
    set_aside: list[str | None] | msgspec.UnsetType = msgspec.UNSET


class StoreDocument(msgspec.Struct, frozen=True):
    """How the store is: `trouble` says what is wrong; the numbers count readings written and safe on the disk."""

    trouble: str | None
    written_seq: int
    durable_seq: int


class SourceDocument(msgspec.Struct, frozen=True):
    """How a source is, since when, and how often it has failed."""

    name: str
    state: Literal["running", "restarting", "ended"]
    since: Time
    failures: int
    last_error: str | None


class HealthDocument(msgspec.Struct, frozen=True):
    """How the service is. `home` is the home's id, `since` when the service started."""

    status: Literal["ok", "degraded", "failing"]
    version: str
    home: str
    demo: bool
    since: Time
    store: StoreDocument
    sources: list[SourceDocument]


def home_document(home: Home) -> HomeDocument:
    """Return what holds for the whole home."""
    return HomeDocument(home.name, home.zone.key, home.currency, home.demo)


def meter_document(ports: Ports, meter: Meter) -> MeterDocument:
    """Return a meter with its newest value and its energy since local midnight."""
    zone = ports.home.zone
    now_ms = ports.clock.now_ms()
    start_ms = today_start(now_ms, zone)
    # To the end of the running quarter-hour: all of it is then known in whole intervals and no raw reading is touched.
    end_ms = now_ms - now_ms % INTERVAL_MS + INTERVAL_MS
    today = ports.store.energy(meter.meter_id, start_ms, end_ms, ports.meters.calibrations(meter))
    live = ports.live.now(meter.meter_id)
    doing = ports.programmes.doing(meter)
    return MeterDocument(
        slug=meter.slug,
        name=meter.name,
        appliance=meter.appliance,
        parent=meter.parent,
        state=doing.state.value if doing else None,
        run=run_document(doing.run, ports.home) if doing and doing.run else None,
        power_w=live.power_w if live else None,
        at=format_time(live.time_ms, zone) if live else None,
        today_wh=today.energy_wh,
        today_coverage=share(today.measured_ms, now_ms - start_ms),
        silent=live.silent if live else True,
    )


def meters_document(ports: Ports) -> MetersDocument:
    """Return the home with all meters and new devices."""
    return MetersDocument(
        home_document(ports.home),
        [meter_document(ports, meter) for meter in ports.meters.meters()],
        new_devices_document(ports).new_devices,
    )


def new_devices_document(ports: Ports) -> NewDevicesDocument:
    """Return the devices that belong to no meter."""
    return NewDevicesDocument([new_device_document(device, ports.home) for device in ports.meters.new_devices()])


def new_device_document(device: NewDevice, home: Home) -> NewDeviceDocument:
    """Return a device that belongs to no meter."""
    at = format_time(device.time_ms, home.zone)
    return NewDeviceDocument(device.source, device.address, device.power_w, device.current_a, at, device.hint)


def bucket_document(bucket: Bucket, start: str, end: str) -> BucketDocument:
    """Return a bucket between two edges as they are written."""
    return BucketDocument(
        start,
        end,
        bucket.energy_wh,
        bucket.measured_s,
        share(bucket.measured_ms, bucket.end_ms - bucket.start_ms),
        bucket.max_w,
    )


def energy_document(meter: Meter, buckets: list[Bucket], home: Home) -> EnergyDocument:
    """Return consecutive buckets of a meter and their sum. `buckets` holds at least one."""
    total = Bucket(buckets[0].start_ms, buckets[-1].end_ms)
    for bucket in buckets:
        total = total.plus(bucket)
    edges = [format_time(edge_ms, home.zone) for edge_ms in (total.start_ms, *(bucket.end_ms for bucket in buckets))]
    documents = map(bucket_document, buckets, edges, edges[1:])
    return EnergyDocument(meter.slug, list(documents), bucket_document(total, edges[0], edges[-1]))


def health_document(ports: Ports) -> HealthDocument:
    """Return how the service is now."""
    health = ports.status.health()
    zone = ports.home.zone
    return HealthDocument(
        health.status,
        __version__,
        ports.home.home_id,
        ports.home.demo,
        format_time(health.since_ms, zone),
        StoreDocument(health.store.trouble, health.store.written_seq, health.store.durable_seq),
        [
            SourceDocument(
                source.name, source.state, format_time(source.since_ms, zone), source.failures, source.last_error
            )
            for source in health.sources
        ],
    )
