"""The digest of a local day."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from litestar import Response, get
from litestar.params import PathParameter, QueryParameter

from casawatt.engine.resample import check_resolution
from casawatt.web.digest_documents import DigestDocument, digest_document
from casawatt.web.problem import answer, wrong
from casawatt.web.requests import Served, answers, document
from casawatt.web.times import DATE

RESOLUTIONS_MAX = 10

Day = Annotated[str, PathParameter(description="A local day like 2026-01-31")]
Resolution = Annotated[
    str | None,
    QueryParameter(
        description="Minutes by which mean power is told too, several joined by commas like `15,60`; each divides the "
        "1440 of a day. Default: none",
    ),
]


@get(
    "/digest/{date:str}",
    summary="The digest of a day",
    operation_id="get_digest",
    tags=["days"],
    responses=answers(HTTPStatus.NOT_FOUND, ok=document(DigestDocument, "The home's day and that of each meter")),
)
async def get_digest(ports: Served, date: Day, resolution: Resolution = None) -> Response[bytes]:
    """Return what a local day comes to by what is recorded now, and whether that is what was told of it."""
    digest = ports.answers.digests.of(parse_day(date), parse_resolutions(resolution))
    return answer(digest_document(ports, digest))


def parse_day(text: str) -> date:
    """Return the day that was written; raises ProblemError."""
    try:
        if DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise wrong("date", f"{text!r} is not a day: {error}") from None
    raise wrong("date", f"{text!r} is not a day; write it like 2026-01-31")


def parse_resolutions(text: str | None) -> list[int]:
    """Return the minutes that were written, each once; raises ProblemError."""
    if text is None:
        return []
    try:
        found = [check_resolution(int(each)) for each in dict.fromkeys(text.split(","))]
    except ValueError as error:
        raise wrong("resolution", f"{text!r}: {error}") from None
    if len(found) > RESOLUTIONS_MAX:
        raise wrong("resolution", f"at most {RESOLUTIONS_MAX} at once")
    return found


HANDLERS = [get_digest]
