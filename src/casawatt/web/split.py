"""Members, what they owe of a bill, closed periods, and which runs are whose."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import Body, PathParameter

from casawatt.engine.localtime import local_date
from casawatt.engine.periods import Period, so_far
from casawatt.web.meters import BODY_MAX_BYTES, Text
from casawatt.web.periods import EndDay, FirstDay, PeriodName, parse_billed_period, parse_period
from casawatt.web.ports import Ports
from casawatt.web.problem import answer, wrong
from casawatt.web.requests import End, Served, Start, answers, check_json, document, parse_span
from casawatt.web.split_documents import (
    ClaimDocument,
    ClaimsDocument,
    LedgerDocument,
    MembersDocument,
    SplitDocument,
    claim_document,
    claims_document,
    ledger_document,
    members_document,
    split_document,
)
from casawatt.web.times import parse_time

ClaimId = Annotated[int, PathParameter(description="The number of the claim")]


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The period to close: a billing month, or else the first day and the day before which it ends."""

    period: Text | None = None
    start: Text | None = None
    end: Text | None = None


class Claiming(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The run to claim: its meter, any time during it, and whose it was."""

    meter: Text
    at: Text
    member: Text


ClosingBody = Annotated[Closing, Body(title="Closing", description="The period")]
ClaimingBody = Annotated[Claiming, Body(title="Claiming", description="The run, and the member")]
CHANGING = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN, HTTPStatus.INSUFFICIENT_STORAGE)
WITH_BODY = (*CHANGING, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def asked_period(ports: Ports, name: str | None, start: str | None, end: str | None) -> Period:
    """Return the local days that are asked for, by default those to be closed next. Raises ProblemError.

    Of a billing month that is not over they are those until today, as for its bill.
    """
    if name is start is end is None:
        return so_far(ports.splits.next_period(), local_date(ports.home.zone, ports.clock.now_ms()))
    return parse_billed_period(ports, name, start, end)


@get(
    "/members",
    summary="Members",
    operation_id="get_members",
    tags=["split"],
    responses=answers(ok=document(MembersDocument, "All members, also those who have left")),
)
async def get_members(ports: Served) -> Response[bytes]:
    """Return who lives or lived in the home, as the config says it."""
    return answer(members_document(ports.splits.members()))


@get(
    "/split",
    summary="Who owes what",
    operation_id="get_split",
    tags=["split"],
    responses=answers(HTTPStatus.CONFLICT, ok=document(SplitDocument, "The bill, divided, with reasons")),
)
async def get_split(
    ports: Served, period: PeriodName = None, start: FirstDay = None, end: EndDay = None
) -> Response[bytes]:
    """Return the bill of a period divided among the members; a closed one comes as it was closed.

    Without parameters it is the period to be closed next.
    """
    statement = ports.splits.statement(*asked_period(ports, period, start, end))
    return answer(split_document(statement, ports.home))


@get(
    "/split/closed",
    summary="Closed periods",
    operation_id="get_closed_splits",
    tags=["split"],
    responses=answers(ok=document(LedgerDocument, "All closed periods, oldest first")),
)
async def get_closed_splits(ports: Served) -> Response[bytes]:
    """Return which periods are closed."""
    return answer(ledger_document(ports.splits, ports.home))


@post(
    "/split/close",
    summary="Close a period",
    operation_id="close_split",
    tags=["split"],
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(*WITH_BODY, created=document(SplitDocument, "The split as it was written down")),
)
async def close_split(ports: Served, data: ClosingBody) -> Response[bytes]:
    """Write the split of a period down for good; what changes later is adjusted in the next one."""
    if data.period is data.start is None:
        raise wrong("period", "is missing: say which period to close")
    statement = ports.splits.close(*parse_period(ports, data.period, data.start, data.end))
    return answer(split_document(statement, ports.home), HTTPStatus.CREATED)


@get(
    "/claims",
    summary="Claims",
    operation_id="get_claims",
    tags=["split"],
    responses=answers(ok=document(ClaimsDocument, "Those that stand")),
)
async def get_claims(ports: Served, start: Start = None, end: End = None) -> Response[bytes]:
    """Return which runs are whose: the claims that stand of runs that touch the span."""
    return answer(claims_document(ports.splits.claims.list(*parse_span(ports, start, end)), ports.home))


@post(
    "/claims",
    summary="Claim a run",
    operation_id="post_claim",
    tags=["split"],
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(*WITH_BODY, created=document(ClaimDocument, "The claim, and the run that it holds for")),
)
async def post_claim(ports: Served, data: ClaimingBody) -> Response[bytes]:
    """Let a run be a member's. The last claim of a run holds."""
    time_ms = parse_time("at", data.at, ports.home.zone)
    claimed = ports.splits.claims.claim(data.meter, time_ms, data.member)
    return answer(claim_document(claimed, ports.home), HTTPStatus.CREATED)


@post(
    "/claims/{number:int}/undo",
    summary="Take a claim back",
    operation_id="undo_claim",
    tags=["split"],
    status_code=HTTPStatus.OK,
    responses=answers(*CHANGING, ok=document(ClaimDocument, "The claim that holds no more")),
)
async def undo_claim(ports: Served, number: ClaimId) -> Response[bytes]:
    """Let it be as if the claim had never been made."""
    return answer(claim_document(ports.splits.claims.undo(number), ports.home))


HANDLERS = [get_members, get_split, get_closed_splits, close_split, get_claims, post_claim, undo_claim]
