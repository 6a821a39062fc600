"""What the API answers about prices by the quarter-hour."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from casawatt.answers.prices import PriceCorrection
from casawatt.engine.price_columns import missing_spans, spans
from casawatt.model.price import PriceChange, Recorded, SeriesSummary
from casawatt.web.bill_documents import MonthChangeDocument, month_document
from casawatt.web.documents import Time
from casawatt.web.ports import Ports
from casawatt.web.times import format_time

Rate = Annotated[str, Meta(description="A price per kWh in the home's currency, an exact decimal number")]


class SeriesDocument(msgspec.Struct, frozen=True):
    """A series of prices: from when to when there are any, of how many quarter-hours, and of how many others wait."""

    name: str
    start: Time | None
    end: Time | None
    quarters: int
    differing: int


class SeriesListDocument(msgspec.Struct, frozen=True):
    """All series, by name."""

    currency: str
    series: list[SeriesDocument]


class PriceDocument(msgspec.Struct, frozen=True):
    """A price that holds from `start` until before `end`, within one clock hour."""

    start: Time
    end: Time
    rate_per_kwh: Rate


class SpanDocument(msgspec.Struct, frozen=True):
    """A span of time, `end` no more in it."""

    start: Time
    end: Time


class PriceChangeDocument(msgspec.Struct, frozen=True):
    """Two prices that were told of one span: the one told first, and another one later."""

    start: Time
    end: Time
    old_per_kwh: Rate
    new_per_kwh: Rate


class PricesDocument(msgspec.Struct, frozen=True):
    """The prices of a span, those that are `missing`, and the later ones that are `differing` and do not count."""

    series: str
    currency: str
    prices: list[PriceDocument]
    missing: list[SpanDocument]
    differing: list[PriceChangeDocument]


class RecordedDocument(msgspec.Struct, frozen=True):
    """What became of prices that were handed in, in quarter-hours; `differing` are those that wait to be applied."""

    series: str
    added: int
    same: int
    replaced: int
    differing: list[PriceChangeDocument]


class PriceCorrectionDocument(msgspec.Struct, frozen=True):
    """Prices in the place of others, and the months that cost something else by it. `applied`: it was done."""

    series: str
    currency: str
    applied: bool
    changes: list[PriceChangeDocument]
    months: list[MonthChangeDocument]


def series_document(ports: Ports) -> SeriesListDocument:
    """Return all series."""
    zone = ports.home.zone
    return SeriesListDocument(ports.home.currency, [_series(each, zone) for each in ports.answers.prices.series()])


def prices_document(ports: Ports, name: str, start_ms: int, end_ms: int) -> PricesDocument:
    """Return the prices of a span. Raises UnknownSeriesError, StoreError."""
    zone = ports.home.zone
    rates = ports.answers.prices.rates(name, start_ms, end_ms)
    return PricesDocument(
        name,
        ports.home.currency,
        [
            PriceDocument(format_time(each.start_ms, zone), format_time(each.end_ms, zone), written(each.rate_per_kwh))
            for each in spans(rates)
        ],
        [
            SpanDocument(format_time(first, zone), format_time(last, zone))
            for first, last in missing_spans(rates, start_ms, end_ms)
        ],
        change_documents(ports.answers.prices.waiting(name, start_ms, end_ms), zone),
    )


def recorded_document(name: str, recorded: Recorded, zone: ZoneInfo) -> RecordedDocument:
    """Return what became of prices that were handed in."""
    return RecordedDocument(
        name, recorded.added, recorded.same, recorded.replaced, change_documents(recorded.differing, zone)
    )


def price_correction_document(ports: Ports, name: str, correction: PriceCorrection) -> PriceCorrectionDocument:
    """Return a correction of prices."""
    months = [month_document(each, correction.digits) for each in correction.months]
    changes = change_documents(correction.changes, ports.home.zone)
    return PriceCorrectionDocument(name, ports.home.currency, correction.applied, changes, months)


def change_documents(changes: Sequence[PriceChange], zone: ZoneInfo) -> list[PriceChangeDocument]:
    """Return each change with its times and prices as they are written."""
    return [
        PriceChangeDocument(
            format_time(each.start_ms, zone),
            format_time(each.end_ms, zone),
            written(each.old_per_kwh),
            written(each.new_per_kwh),
        )
        for each in changes
    ]


def _series(summary: SeriesSummary, zone: ZoneInfo) -> SeriesDocument:
    start, end = (None if each is None else format_time(each, zone) for each in (summary.start_ms, summary.end_ms))
    return SeriesDocument(summary.name, start, end, summary.quarters, summary.differing)


def written(rate: Decimal) -> str:
    """Return a price as it is written for people and programs, without an exponent."""
    return f"{rate:f}"
