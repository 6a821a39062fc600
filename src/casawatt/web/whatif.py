"""What a period would have cost by another tariff, with another contracted power, or with runs at other hours."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import Body
from msgspec import Meta

from casawatt.answers.whatif import grouped
from casawatt.engine.localtime import HOUR_MS, day_start
from casawatt.engine.periods import Period
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.tariff import Tariff
from casawatt.model.tariff_faults import fault_of
from casawatt.model.whatif import Move, Question
from casawatt.web.meters import Text
from casawatt.web.periods import EndDay, FirstDay, PeriodName, parse_period
from casawatt.web.ports import Ports
from casawatt.web.problem import answer, wrong
from casawatt.web.requests import Served, answers, check_json, document
from casawatt.web.times import parse_time
from casawatt.web.whatif_documents import WhatIfDocument, whatif_document

BODY_MAX_BYTES = 1 << 20
HOURS_MAX = 24 * 31
Hours = Annotated[float, Meta(ge=-HOURS_MAX, le=HOURS_MAX)]
Within = Annotated[float, Meta(gt=0, le=48)]


class Moving(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Runs of a meter at other hours: all, those that begin from `start` until before `end`, or with `run` that span.

    They are `hours` later (earlier if negative), whole quarter-hours, or where they cost least within `within_hours`.
    """

    meter: Text
    start: Text | None = None
    end: Text | None = None
    run: bool = False
    hours: Hours | None = None
    within_hours: Within | None = None


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be otherwise. Several tariffs of one name hold one after the other; the first since ever."""

    period: Text | None = None
    start: Text | None = None
    end: Text | None = None
    tariffs: Annotated[list[Tariff], Meta(max_length=100)] = []
    contracted_w: Annotated[list[Annotated[int, Meta(gt=0, le=1_000_000)]], Meta(max_length=100)] = []
    moves: Annotated[list[Moving], Meta(max_length=100)] = []


AskingBody = Annotated[Asking, Body(title="Question", description="A period, and what may have been otherwise in it")]


@get(
    "/whatif",
    summary="What it would have cost",
    operation_id="get_whatif",
    tags=["money"],
    responses=answers(HTTPStatus.CONFLICT, ok=document(WhatIfDocument, "The bill, and what it would have been")),
)
async def get_whatif(
    ports: Served, period: PeriodName = None, start: FirstDay = None, end: EndDay = None
) -> Response[bytes]:
    """Compare a period's bill with the config's alternatives, a power above and below, and runs at better hours."""
    asked = parse_period(ports, period, start, end)
    whatif = ports.answers.whatif
    return answer(whatif_document(ports, whatif.ask(asked, whatif.usual_question(asked))))


@post(
    "/whatif",
    summary="Ask what it would have cost",
    operation_id="post_whatif",
    tags=["money"],
    status_code=HTTPStatus.OK,
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ok=document(WhatIfDocument, "The bill, and what it would have been"),
    ),
)
async def post_whatif(ports: Served, data: AskingBody) -> Response[bytes]:
    """Compare a period's bill with what it would have been, in just the ways that are asked about."""
    period, question = parse_question(ports, data)
    return answer(whatif_document(ports, ports.answers.whatif.ask(period, question)))


def parse_question(ports: Ports, asking: Asking) -> tuple[Period, Question]:
    """Return what is asked; raises ProblemError that names the parameter."""
    period = parse_period(ports, asking.period, asking.start, asking.end)
    begins = set()
    for place, tariff in enumerate(asking.tariffs):
        if (fault := fault_of(tariff)) is not None:
            raise wrong(".".join((f"tariffs[{place}]", *fault[0])), fault[1])
        if (tariff.name, tariff.from_) in begins:
            raise wrong(f"tariffs[{place}].from", f"another tariff called {tariff.name!r} begins on that day too")
        begins.add((tariff.name, tariff.from_))
    moves = tuple(_move(ports, period, place, each) for place, each in enumerate(asking.moves))
    return period, Question(grouped(asking.tariffs), tuple(asking.contracted_w), moves)


def _move(ports: Ports, period: Period, place: int, moving: Moving) -> Move:
    name, zone = f"moves[{place}]", ports.home.zone
    if (moving.hours is None) == (moving.within_hours is None):
        raise wrong(name, "give one of hours and within_hours")
    if moving.run and (moving.start is None or moving.end is None):
        raise wrong(f"{name}.run", "needs start and end, between which it was")
    start_ms = (
        day_start(zone, period.start) if moving.start is None else parse_time(f"{name}.start", moving.start, zone)
    )
    end_ms = day_start(zone, period.end) if moving.end is None else parse_time(f"{name}.end", moving.end, zone)
    if end_ms <= start_ms:
        raise wrong(f"{name}.end", "must be later than start")
    shift_ms, within_ms = (
        None if hours is None else round(hours * HOUR_MS) for hours in (moving.hours, moving.within_hours)
    )
    if shift_ms is not None and shift_ms % INTERVAL_MS:
        raise wrong(f"{name}.hours", "must be whole quarter-hours")
    return Move(moving.meter, start_ms, end_ms, shift_ms, within_ms, moving.run)


HANDLERS = [get_whatif, post_whatif]
