"""Readings that devices hand in themselves."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.params import Body

from casawatt.transports.push import (
    READINGS_MAX,
    VALUES,
    Desk,
    DeskClosedError,
    Outcome,
    PushedReading,
    Result,
    TooManyError,
    UnknownSenderError,
)
from casawatt.web.ports import Ports
from casawatt.web.problem import ProblemError, answer, wrong
from casawatt.web.requests import Served, answers, check_json, document
from casawatt.web.times import parse_instant

BODY_MAX_BYTES = 512 * 1024

KEPT_WITHIN_S = 10.0
"""So long the disk may take; then the sender is told to try again, which does no harm."""

RETRY_AFTER_S = 5


class Pushed(PushedReading, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One reading, or `readings` with many and nothing beside it."""

    readings: Annotated[list[PushedReading], msgspec.Meta(max_length=READINGS_MAX)] | None = None


class PushReport(msgspec.Struct, frozen=True):
    """What became of the readings: how many of each outcome, and `results` one by one in their order."""

    recorded: int
    duplicates: int
    not_adopted: int
    refused: int
    results: list[Result]


PushBody = Annotated[
    Pushed, Body(title="Pushed readings", description=f"One reading, or `readings` with at most {READINGS_MAX:,}")
]


async def check_sender(request: Request[Any, Any, Any]) -> None:
    """Raise ProblemError unless the request carries a sender's token and a JSON body; remembers who the sender is."""
    desk: Desk | None = request.app.state.desk
    if desk is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "there is no [source.http_push] in the config, so nothing is taken")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    where = request.client.host if request.client else "unknown"
    try:
        sender = desk.sender(token.strip() if scheme.lower() == "bearer" else "", where)
    except UnknownSenderError as error:
        detail = f"{error}: send it as 'Authorization: Bearer <token>'"
        headers = {"WWW-Authenticate": 'Bearer realm="casawatt"'}
        raise ProblemError(HTTPStatus.UNAUTHORIZED, detail, "Authorization", headers) from None
    except TooManyError as error:
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, str(error), headers={"Retry-After": "1"}) from None
    except DeskClosedError as error:
        raise later(str(error)) from None
    request.state.sender = sender
    await check_json(request)


@post(
    "/readings",
    summary="Hand in readings",
    operation_id="push_readings",
    tags=["meters"],
    status_code=HTTPStatus.OK,
    before_request=check_sender,
    request_max_body_size=BODY_MAX_BYTES,
    security=[{"token": []}],
    responses=answers(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
        ok=document(PushReport, "What became of each; what was recorded survives a killed process"),
    ),
)
async def push_readings(request: Request[Any, Any, Any], ports: Served, data: PushBody) -> Response[bytes]:
    """Take readings in from a device that has a token. Sending the same again does no harm."""
    readings = readings_of(data)
    check_room(ports)
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            results = await request.app.state.desk.submit(request.state.sender, readings)
    except (TimeoutError, DeskClosedError):
        raise later("the readings could not be kept in time; send them again, that does no harm") from None
    if any(result.outcome is Outcome.NOT_ADOPTED for result in results):
        check_room(ports)
    return answer(report_of(results))


def readings_of(data: Pushed) -> list[PushedReading]:
    """Return the readings in a body, each with its time as `time_ms`; raises ProblemError that names the field."""
    if data.readings is None:
        return [checked(data, "")]
    if any(getattr(data, name) is not None for name in (*VALUES, "address", "time", "time_ms", "boot_id")):
        raise wrong("readings", "a body has either `readings` or the fields of one reading")
    return [checked(reading, f"readings[{index}].") for index, reading in enumerate(data.readings)]


def checked(reading: PushedReading, place: str) -> PushedReading:
    """Return a reading whose time is `time_ms` or absent; raises ProblemError, whose parameter begins with `place`."""
    if all(getattr(reading, name) is None for name in VALUES):
        raise wrong(f"{place}power_w", f"a reading needs at least one of {', '.join(VALUES)}")
    if reading.time is not None and reading.time_ms is not None:
        raise wrong(f"{place}time", "a reading has either `time` or `time_ms`")
    time_ms = reading.time_ms if reading.time is None else parse_instant(f"{place}time", reading.time)
    fields = {name: getattr(reading, name) for name in (*VALUES, "address", "boot_id")}
    return PushedReading(time_ms=time_ms, **fields)


def check_room(ports: Ports) -> None:
    """Raise ProblemError when the disk is full, so that nothing can be kept."""
    health = ports.status.health()
    if health.status == "failing":
        raise later(f"nothing can be kept: {health.store.trouble}")


def later(detail: str) -> ProblemError:
    """Return the error for what is to be sent again later."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def report_of(results: Sequence[Result]) -> PushReport:
    """Return what became of all readings."""
    counts = Counter(result.outcome for result in results)
    return PushReport(
        counts[Outcome.RECORDED],
        counts[Outcome.DUPLICATE],
        counts[Outcome.NOT_ADOPTED],
        counts[Outcome.REFUSED],
        list(results),
    )
