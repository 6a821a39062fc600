"""Prices by the hour or quarter-hour: what is kept of them, more to be kept, and which of two shall count."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import Body, PathParameter, QueryParameter
from msgspec import Meta

from casawatt.engine.localtime import DAY_MS, day_start, local_date
from casawatt.files.price_values import Fail, decimal_of, in_order, price_of
from casawatt.model.price import Price, PriceUnit
from casawatt.web.meters import Text
from casawatt.web.ports import Ports
from casawatt.web.prices_documents import (
    PriceCorrectionDocument,
    PricesDocument,
    RecordedDocument,
    SeriesListDocument,
    price_correction_document,
    prices_document,
    recorded_document,
    series_document,
)
from casawatt.web.problem import answer, wrong
from casawatt.web.requests import Served, Start, answers, check_json, document
from casawatt.web.times import parse_time, today_start

SPAN_MAX_MS = 400 * DAY_MS
"""No more is answered at once."""

BODY_MAX_BYTES = 2 << 20
PRICES_MAX = 10_000
"""So many prices are taken at once."""

PricesEnd = Annotated[
    str | None,
    QueryParameter(description="The instant before which the span ends, written like `start`. Default: tomorrow's end"),
]
Series = Annotated[str, PathParameter(description="The name of the series, as in `[prices.<series>]`")]


class Handed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A price per kWh that holds from `start` until before `end`."""

    start: Text
    end: Text
    rate_per_kwh: Text


class Handing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Prices to be kept; they may not overlap."""

    prices: Annotated[list[Handed], Meta(max_length=PRICES_MAX)]


class Correcting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From when until when, without them always; and whether to do it, else only what it would change is said."""

    start: Text | None = None
    end: Text | None = None
    apply: bool = False


HandingBody = Annotated[Handing, Body(title="Prices", description="Spans of time and what a kWh costs in them")]
CorrectingBody = Annotated[
    Correcting, Body(title="Correction of prices", description="Of which time the later prices shall count")
]
WITH_BODY = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.INSUFFICIENT_STORAGE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)


@get(
    "/prices",
    summary="Series of prices",
    operation_id="get_price_series",
    tags=["prices"],
    responses=answers(ok=document(SeriesListDocument, "Every series, and what there is of it")),
)
async def get_price_series(ports: Served) -> Response[bytes]:
    """Return the series of prices that the config names or that were imported."""
    return answer(series_document(ports))


@get(
    "/prices/{series:str}",
    summary="Prices",
    operation_id="get_prices",
    tags=["prices"],
    responses=answers(
        HTTPStatus.NOT_FOUND, ok=document(PricesDocument, "What a kWh costs when, and where that is missing")
    ),
)
async def get_prices(ports: Served, series: Series, start: Start = None, end: PricesEnd = None) -> Response[bytes]:
    """Return the prices of a span of at most 400 days. A price that is missing is not made up."""
    span = _span(ports, start, end)
    if span[1] - span[0] > SPAN_MAX_MS:
        raise wrong("end", "at most 400 days are answered at once")
    return answer(prices_document(ports, series, *span))


@post(
    "/prices/{series:str}",
    summary="Hand in prices",
    operation_id="post_prices",
    tags=["prices"],
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(*WITH_BODY, created=document(RecordedDocument, "What became of them")),
)
async def post_prices(ports: Served, series: Series, data: HandingBody) -> Response[bytes]:
    """Keep prices. Of time that has begun the first price that was told stays; another one waits to be applied."""
    prices = in_order((_price(ports, place, each), _at(place)) for place, each in enumerate(data.prices))
    return answer(
        recorded_document(series, ports.answers.prices.record(series, prices), ports.home.zone), HTTPStatus.CREATED
    )


@post(
    "/prices/{series:str}/correct",
    summary="Let later prices count",
    operation_id="correct_prices",
    tags=["prices"],
    status_code=HTTPStatus.OK,
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(
        *WITH_BODY, ok=document(PriceCorrectionDocument, "The prices, and the months that cost something else by them")
    ),
)
async def correct_prices(ports: Served, series: Series, data: CorrectingBody) -> Response[bytes]:
    """Put prices that were told later in the place of those that count with `apply`, or say what that would change."""
    zone = ports.home.zone
    start_ms = 0 if data.start is None else parse_time("start", data.start, zone)
    end_ms = ports.clock.now_ms() if data.end is None else parse_time("end", data.end, zone)
    if end_ms <= start_ms:
        raise wrong("end", "must be later than start")
    correction = ports.answers.prices.correct(series, start_ms, end_ms, apply=data.apply)
    return answer(price_correction_document(ports, series, correction))


def _span(ports: Ports, start: str | None, end: str | None) -> tuple[int, int]:
    zone, now_ms = ports.home.zone, ports.clock.now_ms()
    start_ms = today_start(now_ms, zone) if start is None else parse_time("start", start, zone)
    tomorrow_end_ms = day_start(zone, local_date(zone, now_ms) + timedelta(days=2))
    end_ms = tomorrow_end_ms if end is None else parse_time("end", end, zone)
    if end_ms <= start_ms:
        raise wrong("end" if start is None else "start", "the span must start before it ends")
    return start_ms, end_ms


def _at(place: int) -> Fail:
    return lambda field, why: wrong(f"prices[{place}].{'rate_per_kwh' if field == 'price' else field}", why)


def _price(ports: Ports, place: int, handed: Handed) -> Price:
    fail, zone = _at(place), ports.home.zone
    start_ms = parse_time(f"prices[{place}].start", handed.start, zone)
    end_ms = parse_time(f"prices[{place}].end", handed.end, zone)
    return price_of(start_ms, end_ms, decimal_of(handed.rate_per_kwh, fail, "price"), PriceUnit.PER_KWH, fail)


HANDLERS = [get_price_series, get_prices, post_prices, correct_prices]
