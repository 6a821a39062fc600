"""What was set aside of a meter's readings, what people decide about it, and which device measures for a meter."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import Body, PathParameter

from casawatt.model.dated import Action
from casawatt.web.meters import BODY_MAX_BYTES, Text
from casawatt.web.problem import answer, wrong
from casawatt.web.repair_documents import (
    CorrectionsDocument,
    ReboundDocument,
    RepairedDocument,
    SuspectsDocument,
    correction_document,
    rebound_document,
    repaired_document,
    suspects_document,
)
from casawatt.web.requests import End, Served, Slug, Start, answers, check_json, document, find_meter, parse_span
from casawatt.web.times import parse_time

SUSPECTS_MAX = 1000
"""So many are answered at most, the newest."""

LAST = "last"

CorrectionId = Annotated[int, PathParameter(description="The number of the correction")]
BindingId = Annotated[
    str, PathParameter(description=f"The number of the binding, or `{LAST}` for the one that was made last")
]


class Correcting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """What to do with the readings from a time until before another; without `to` with the one of that millisecond."""

    action: Action
    from_: Text
    to: Text | None = None
    note: Text | None = None


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """The device that measures from a time on, or from now. `move`: also if it measures for another meter."""

    source: Text
    address: Text
    from_: Text | None = None
    move: bool = False


CorrectingBody = Annotated[Correcting, Body(title="Correction", description="Which readings, and whether they count")]
BindingBody = Annotated[Binding, Body(title="Binding", description="The device, and from when on it measures")]
CHANGING = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN, HTTPStatus.INSUFFICIENT_STORAGE)
WITH_BODY = (*CHANGING, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


@get(
    "/meters/{slug:str}/suspects",
    summary="What was set aside",
    operation_id="get_suspects",
    tags=["repair"],
    responses=answers(HTTPStatus.NOT_FOUND, ok=document(SuspectsDocument, "What is not counted, and why")),
)
async def get_suspects(ports: Served, slug: Slug, start: Start = None, end: End = None) -> Response[bytes]:
    """Return what of a meter's readings is kept but not counted, as it cannot be true. At most the newest 1,000."""
    meter = find_meter(ports, slug)
    found = ports.repairs.suspects(meter, *parse_span(ports, start, end))
    newest = found[-SUSPECTS_MAX:]
    return answer(suspects_document(ports, meter, newest, len(found) - len(newest)))


@get(
    "/meters/{slug:str}/corrections",
    summary="Corrections",
    operation_id="get_corrections",
    tags=["repair"],
    responses=answers(HTTPStatus.NOT_FOUND, ok=document(CorrectionsDocument, "Those that stand")),
)
async def get_corrections(ports: Served, slug: Slug) -> Response[bytes]:
    """Return what people decided about a meter's readings and did not take back."""
    meter = find_meter(ports, slug)
    documents = [correction_document(each, ports.home) for each in ports.repairs.corrections(meter)]
    return answer(CorrectionsDocument(slug, documents))


@post(
    "/meters/{slug:str}/corrections",
    summary="Correct readings",
    operation_id="post_correction",
    tags=["repair"],
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(*WITH_BODY, created=document(RepairedDocument, "The correction, and the days that it changed")),
)
async def post_correction(ports: Served, slug: Slug, data: CorrectingBody) -> Response[bytes]:
    """Count what was set aside after all (`restore`), or leave readings out (`discard`). The readings stay as said."""
    meter = find_meter(ports, slug)
    from_ms = parse_time("from", data.from_, ports.home.zone)
    to_ms = from_ms + 1 if data.to is None else parse_time("to", data.to, ports.home.zone)
    if to_ms <= from_ms:
        raise wrong("to", "must be later than from")
    repaired = ports.repairs.correct(meter, data.action, from_ms, to_ms, data.note)
    return answer(repaired_document(repaired, ports.home), HTTPStatus.CREATED)


@post(
    "/meters/{slug:str}/corrections/{number:int}/undo",
    summary="Take a correction back",
    operation_id="undo_correction",
    tags=["repair"],
    status_code=HTTPStatus.OK,
    responses=answers(*CHANGING, ok=document(RepairedDocument, "The correction, and the days that are as before it")),
)
async def undo_correction(ports: Served, slug: Slug, number: CorrectionId) -> Response[bytes]:
    """Let it be as if the correction had never been made."""
    return answer(repaired_document(ports.repairs.undo_correction(find_meter(ports, slug), number), ports.home))


@post(
    "/meters/{slug:str}/bindings",
    summary="Replace a meter's device",
    operation_id="post_binding",
    tags=["repair"],
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(*WITH_BODY, created=document(ReboundDocument, "The binding, and the days that it changed")),
)
async def post_binding(ports: Served, slug: Slug, data: BindingBody) -> Response[bytes]:
    """Let another device measure for a meter, whose history goes on; from a time past on if need be."""
    meter = find_meter(ports, slug)
    from_ms = None if data.from_ is None else parse_time("from", data.from_, ports.home.zone)
    rebound = ports.repairs.bind(meter, data.source, data.address, from_ms, move=data.move)
    return answer(rebound_document(rebound, ports.home), HTTPStatus.CREATED)


@post(
    "/meters/{slug:str}/bindings/{binding:str}/undo",
    summary="Take a replacement back",
    operation_id="undo_binding",
    tags=["repair"],
    status_code=HTTPStatus.OK,
    responses=answers(*CHANGING, ok=document(ReboundDocument, "The binding, and the days that are as before it")),
)
async def undo_binding(ports: Served, slug: Slug, binding: BindingId) -> Response[bytes]:
    """Let it be as if the device had never been bound to the meter."""
    meter = find_meter(ports, slug)
    if binding != LAST and not binding.isdecimal():
        raise wrong("binding", f"{binding!r} is neither a number nor {LAST!r}")
    rebound = ports.repairs.undo_bind(meter, None if binding == LAST else int(binding))
    return answer(rebound_document(rebound, ports.home))


HANDLERS = [get_suspects, get_corrections, post_correction, undo_correction, post_binding, undo_binding]
