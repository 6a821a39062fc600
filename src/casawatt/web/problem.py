"""Errors as the client sees them: problem documents (RFC 9457) that say which parameter and why."""

import logging
import re
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException

from casawatt.model.errors import (
    BillError,
    CasawattError,
    ConfigError,
    LedgerError,
    NoSuchDayError,
    PriceError,
    RegistryError,
    StoreError,
    StoreFullError,
    TakenError,
    UnknownDecisionError,
    UnknownMemberError,
    UnknownMeterError,
    UnknownRunError,
    UnknownSeriesError,
)

PROBLEM_JSON = "application/problem+json"

KINDS: tuple[tuple[type[CasawattError], HTTPStatus, str | None], ...] = (
    (UnknownMeterError, HTTPStatus.NOT_FOUND, "slug"),
    (UnknownDecisionError, HTTPStatus.NOT_FOUND, "id"),
    (UnknownSeriesError, HTTPStatus.NOT_FOUND, "series"),
    (PriceError, HTTPStatus.BAD_REQUEST, "series"),
    (UnknownMemberError, HTTPStatus.NOT_FOUND, "member"),
    (NoSuchDayError, HTTPStatus.NOT_FOUND, "date"),
    (UnknownRunError, HTTPStatus.NOT_FOUND, "start"),
    (ConfigError, HTTPStatus.CONFLICT, None),
    (LedgerError, HTTPStatus.CONFLICT, None),
    (RegistryError, HTTPStatus.CONFLICT, None),
    (BillError, HTTPStatus.CONFLICT, None),
    (StoreFullError, HTTPStatus.INSUFFICIENT_STORAGE, None),
    (StoreError, HTTPStatus.INTERNAL_SERVER_ERROR, None),
)
"""The status of an error of ours, and the parameter at fault; the first that fits."""

DETAILS = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address; /api/v1/openapi.json says what there is",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not take the method of the request; the header Allow says which",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body of the request is too large; send it in parts",
}
"""What to say where the framework only repeats the title."""

FIELD_MESSAGES = (
    (re.compile(r"Object contains unknown field `(.*)`", re.DOTALL), "there is no such field"),
    (re.compile(r"Object missing required field `(.*)`"), "is missing"),
)

Form = TypeVar("Form", bound=msgspec.Struct)

log = logging.getLogger("casawatt.web")


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong with a request. `parameter` names the part of the request that must change."""

    type: str
    title: str
    status: int
    detail: str
    parameter: str | None = None


class ProblemError(CasawattError):
    """A request cannot be answered; `parameter` names the part of it that is wrong, None when none is."""

    def __init__(
        self, status: HTTPStatus, detail: str, parameter: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.parameter = parameter
        self.headers = headers


def wrong(parameter: str, why: str) -> ProblemError:
    """Return the error for a parameter that cannot be used."""
    return ProblemError(HTTPStatus.BAD_REQUEST, f"{parameter}: {why}", parameter)


def problem_of(error: Exception) -> Problem:
    """Return the problem document for any error; one that nobody foresaw tells nothing of its insides."""
    match error:
        case ProblemError():
            return problem(error.status, str(error), error.parameter)
        case HTTPException():
            return _of_http(error)
        case TakenError():
            return problem(HTTPStatus.CONFLICT, str(error), error.field)
    for kind, status, parameter in KINDS:
        if isinstance(error, kind):
            return problem(status, str(error), parameter)
    detail = "an unforeseen error; the log of the service has the particulars"
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def body_of(body: object, kind: type[Form]) -> Form:
    """Return a body as its form; raises ProblemError that says the same as the API does of a body that does not fit."""
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$.")
        detail, parameter = _of_body(message, place.rstrip("`") or None)
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail, parameter) from None


def _of_http(error: HTTPException) -> Problem:
    """Return the problem document for what the framework found wrong."""
    match error:
        case ValidationException(extra=[{"message": message, **at}, *_]):
            return problem(HTTPStatus.BAD_REQUEST, *_of_body(str(message), at.get("key")))
        case HTTPException(status_code=HTTPStatus.BAD_REQUEST):
            return problem(HTTPStatus.BAD_REQUEST, f"body: {error.detail}", "body")
    status = HTTPStatus(error.status_code)
    return problem(status, DETAILS.get(status, error.detail))


def problem(status: HTTPStatus, detail: str, parameter: str | None = None) -> Problem:
    """Return a problem document with the title that belongs to its status."""
    return Problem("about:blank", status.phrase, status.value, detail, parameter)


def _of_body(message: str, key: object) -> tuple[str, str]:
    """Return detail and parameter for a body that does not have the right form."""
    for pattern, why in FIELD_MESSAGES:
        if found := pattern.fullmatch(message):
            name = f"{key}.{found[1]}" if key and key != "data" else found[1]
            return f"{name}: {why}", name
    parameter = str(key) if key and key != "data" else "body"
    return f"{parameter}: {message[:1].lower()}{message[1:]}", parameter


def encode(document: object) -> bytes:
    """Return a document as JSON."""
    return msgspec.json.encode(document)


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Return the response for an error raised by a handler; errors of ours are logged."""
    document = problem_of(error)
    if isinstance(error, StoreError):
        log.error("%s %s: %s", request.method, request.url.path, error)
    elif document.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    headers = error.headers if isinstance(error, HTTPException | ProblemError) else None
    return Response(encode(document), status_code=document.status, media_type=PROBLEM_JSON, headers=headers)


def answer(document: object, status: HTTPStatus = HTTPStatus.OK) -> Response[bytes]:
    """Return a response with a document as JSON."""
    body = document if isinstance(document, bytes) else encode(document)
    return Response(body, status_code=status.value, media_type=MediaType.JSON)
