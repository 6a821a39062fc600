"""What the handlers share: their parameters, and the checks that all requests pass."""

from http import HTTPStatus
from typing import Annotated, Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter, SkipValidation

from casawatt.model.meter import Meter
from casawatt.web.ports import Ports
from casawatt.web.problem import PROBLEM_JSON, Problem, ProblemError, wrong
from casawatt.web.times import parse_time, today_start

Served = NamedDependency[SkipValidation[Ports]]
"""The rest of casawatt, as a handler's `ports`."""

Slug = Annotated[str, PathParameter(description="The meter's short name, as in its address")]
Start = Annotated[
    str | None,
    QueryParameter(
        description="First instant: RFC 3339 with an offset, or a date alone, which is that day's beginning "
        "in the home's zone. Default: the beginning of today",
    ),
]
End = Annotated[
    str | None,
    QueryParameter(description="The instant before which the span ends, written like `start`. Default: now"),
]


EVERYWHERE = (HTTPStatus.BAD_REQUEST, HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
"""The problems that any request can meet."""


def answers(*errors: HTTPStatus, **good: ResponseSpec) -> dict[int, ResponseSpec]:
    """Return the description of a handler's responses: the good ones by name of their status, a problem for the others.

    Those that every handler may give are among them.
    """
    described = {HTTPStatus[name.upper()].value: spec for name, spec in good.items()}
    for status in (*EVERYWHERE, *errors):
        described[status.value] = ResponseSpec(
            Problem, generate_examples=False, description=f"{status.phrase}: `detail` says why", media_type=PROBLEM_JSON
        )
    return described


def document(kind: type[Any], description: str, media_type: str = "application/json") -> ResponseSpec:
    """Return the description of a good response."""
    return ResponseSpec(kind, generate_examples=False, description=description, media_type=media_type)


async def check_query(request: Request[Any, Any, Any]) -> None:
    """Raise ProblemError for a query parameter that the handler does not know, or one that is there twice."""
    known = sorted(
        field.kwarg_definition.name or name
        for name, field in request.route_handler.parsed_fn_signature.parameters.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    )
    seen = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            choice = f"there are: {', '.join(known)}" if known else "there are none here"
            raise wrong(name, f"no such parameter; {choice}")
        if name in seen:
            raise wrong(name, "is there more than once")
        seen.add(name)


async def check_json(request: Request[Any, Any, Any]) -> None:
    """Raise ProblemError unless the request says that its body is JSON; then check its query."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        said = media_type or "nothing"
        detail = f"the body must be application/json; Content-Type says {said}"
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, "Content-Type")
    if not await request.body():
        raise wrong("body", "is empty")
    await check_query(request)


def find_meter(ports: Ports, slug: str) -> Meter:
    """Return the meter of that slug; raises UnknownMeterError."""
    return ports.meters.meter(slug)


def parse_span(ports: Ports, start: str | None, end: str | None) -> tuple[int, int]:
    """Return the asked span, `start_ms <= t < end_ms`; by default today until now. Raises ProblemError."""
    zone = ports.home.zone
    now_ms = ports.clock.now_ms()
    start_ms = today_start(now_ms, zone) if start is None else parse_time("start", start, zone)
    end_ms = now_ms if end is None else parse_time("end", end, zone)
    if start_ms >= end_ms:
        which = "end" if start is None else "start"
        defaults = [
            text for text, given in (("today's beginning as start", start), ("now as end", end)) if given is None
        ]
        note = f" ({' and '.join(defaults)} being the default)" if defaults else ""
        raise wrong(which, f"the span must start before it ends{note}")
    return start_ms, end_ms
