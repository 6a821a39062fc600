"""What the API answers about a day."""

from typing import Annotated

import msgspec
from msgspec import Meta

from casawatt.answers.digest_event import watts
from casawatt.model.digest import Curve, Digest, Part
from casawatt.model.money import digits_of, plain
from casawatt.web.documents import Coverage, Time
from casawatt.web.ports import Home, Ports
from casawatt.web.times import format_time, share

Money = Annotated[str, Meta(description="An amount in the document's currency, a decimal number")]
Watts = Annotated[float, Meta(description="Power in W, to a hundredth")]


class DayPeakDocument(msgspec.Struct, frozen=True):
    """The highest power, and when it began. `span_s`: the time that it is the mean of, 0 for an instant."""

    power_w: Watts
    at: Time
    span_s: float


class DayStandbyDocument(msgspec.Struct, frozen=True):
    """The median power of the quiet hours, and what it costs in 365 days at that day's prices."""

    power_w: Watts
    year_cost: Money | None


class DayRunDocument(msgspec.Struct, frozen=True):
    """A run that began on the day. `end` is null while it goes on; `over_midnight`: it ended, or goes on, after it."""

    start: Time
    end: Time | None
    energy_wh: float
    cost: Money | None
    over_midnight: bool


class SpanDocument(msgspec.Struct, frozen=True):
    """From `start` until before `end`."""

    start: Time
    end: Time


class DayUsualDocument(msgspec.Struct, frozen=True):
    """The median energy of the last `days` same weekdays, and the day's energy as so many times that."""

    energy_wh: float
    days: int
    ratio: float | None


class DayCurveDocument(msgspec.Struct, frozen=True):
    """Mean power of each `resolution_min` minutes; null where less than half of them was measured."""

    resolution_min: int
    time_ms: list[int]
    power_w: list[float | None]


class DayPartDocument(msgspec.Struct, frozen=True):
    """The day of a meter, or of the home (`meter` null). Null is what cannot be said.

    `cost`: all that is charged by the kWh, and its taxes; `cost_complete`: the price was known of all of it. `mean_w`:
    while measured. `not_compared`: why `usual` is null. `gaps`: when nothing was measured.
    """

    meter: str | None
    energy_wh: float
    cost: Money | None
    cost_complete: bool
    mean_w: Watts | None
    peak: DayPeakDocument | None
    standby: DayStandbyDocument | None
    usual: DayUsualDocument | None
    not_compared: str | None
    measured_s: float
    coverage: Coverage
    gaps: list[SpanDocument]
    runs: list[DayRunDocument]
    power: list[DayCurveDocument]


class ToldDocument(msgspec.Struct, frozen=True):
    """When the day was told, and what of its figures is different now."""

    at: Time
    differences: list[str]


class DigestDocument(msgspec.Struct, frozen=True):
    """A local day, as its figures are now. `over`: it has ended; until then they are those until now.

    `told` is null when it was not told.
    """

    date: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    start: Time
    end: Time
    over: bool
    currency: str
    home: DayPartDocument
    meters: list[DayPartDocument]
    told: ToldDocument | None


def digest_document(ports: Ports, digest: Digest) -> DigestDocument:
    """Return a day as it is written."""
    home = ports.home
    told = ports.answers.digests.told(digest)
    return DigestDocument(
        digest.day.isoformat(),
        format_time(digest.start_ms, home.zone),
        format_time(digest.end_ms, home.zone),
        digest.over,
        home.currency,
        _part_document(digest.home, digest.end_ms, home),
        [_part_document(each, digest.end_ms, home) for each in digest.meters],
        ToldDocument(format_time(told.made_ms, home.zone), list(told.differences)) if told else None,
    )


def _part_document(part: Part, end_ms: int, home: Home) -> DayPartDocument:
    digits, zone = digits_of(home.currency), home.zone
    peak, standby, usual = part.peak, part.standby, part.usual
    return DayPartDocument(
        meter=part.slug,
        energy_wh=part.energy_mwh / 1000,
        cost=None if part.cost is None else plain(part.cost, digits, digits),
        cost_complete=part.cost_complete,
        mean_w=watts(part.mean_mw),
        peak=DayPeakDocument(peak.power_mw / 1000, format_time(peak.time_ms, zone), peak.span_ms / 1000)
        if peak
        else None,
        standby=DayStandbyDocument(
            standby.power_mw / 1000, None if standby.year_cost is None else plain(standby.year_cost, digits, digits)
        )
        if standby
        else None,
        usual=DayUsualDocument(
            usual.energy_mwh / 1000,
            usual.days,
            round(part.energy_mwh / usual.energy_mwh, 4) if usual.energy_mwh > 0 else None,
        )
        if usual
        else None,
        not_compared=part.not_compared,
        measured_s=part.measured_ms / 1000,
        coverage=share(part.measured_ms, part.length_ms),
        gaps=[SpanDocument(format_time(start, zone), format_time(end, zone)) for start, end in part.gaps],
        runs=[
            DayRunDocument(
                format_time(each.start_ms, zone),
                None if each.end_ms is None else format_time(each.end_ms, zone),
                each.energy_mwh / 1000,
                None if each.cost is None else plain(each.cost, digits, digits),
                over_midnight=each.end_ms is None or each.end_ms > end_ms,
            )
            for each in part.runs
        ],
        power=[_curve_document(each) for each in part.curves],
    )


def _curve_document(curve: Curve) -> DayCurveDocument:
    return DayCurveDocument(curve.resolution_min, list(curve.time_ms), [watts(each) for each in curve.power_mw])
