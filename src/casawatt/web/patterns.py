"""What is usual, what is unusual today, what uses more than it did, and what no meter measures."""

from http import HTTPStatus

from litestar import Response, get

from casawatt.web.patterns_documents import (
    MeterPatternsDocument,
    PatternsDocument,
    meter_patterns_document,
    patterns_document,
)
from casawatt.web.problem import answer
from casawatt.web.requests import Served, Slug, answers, document


@get(
    "/patterns",
    summary="Patterns",
    operation_id="get_patterns",
    tags=["days"],
    responses=answers(ok=document(PatternsDocument, "What is usual and what is not")),
)
async def get_patterns(ports: Served) -> Response[bytes]:
    """Return what always flows, peaks, usual days, what is unusual, what uses more than it did, and the balances."""
    return answer(patterns_document(ports))


@get(
    "/meters/{slug:str}/patterns",
    summary="A meter's patterns",
    operation_id="get_meter_patterns",
    tags=["days"],
    responses=answers(HTTPStatus.NOT_FOUND, ok=document(MeterPatternsDocument, "What is usual of it")),
)
async def get_meter_patterns(ports: Served, slug: Slug) -> Response[bytes]:
    """Return the same of one meter, with its usual day for each weekday."""
    return answer(meter_patterns_document(ports, slug))


HANDLERS = [get_patterns, get_meter_patterns]
