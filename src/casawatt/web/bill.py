"""Bills, and the tariffs that they are reckoned by."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import Body, PathParameter

from casawatt.web.bill_documents import (
    BillDocument,
    TariffCorrectionDocument,
    TariffsDocument,
    bill_document,
    correction_document,
    tariffs_document,
)
from casawatt.web.meters import BODY_MAX_BYTES
from casawatt.web.periods import EndDay, FirstDay, PeriodName, parse_billed_period
from casawatt.web.problem import answer
from casawatt.web.requests import Served, answers, check_json, document


class Correcting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether to do it; else only what it would change is said."""

    apply: bool = False


CorrectingBody = Annotated[Correcting, Body(title="Correction of tariffs", description="Whether to do it")]
TariffId = Annotated[int, PathParameter(description="The number of the tariff")]
REFUSED = (HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN, HTTPStatus.INSUFFICIENT_STORAGE)


@get(
    "/bill",
    summary="The bill of a period",
    operation_id="get_bill",
    tags=["money"],
    responses=answers(HTTPStatus.CONFLICT, ok=document(BillDocument, "The bill, line by line")),
)
async def get_bill(
    ports: Served, period: PeriodName = None, start: FirstDay = None, end: EndDay = None
) -> Response[bytes]:
    """Return what a period cost, beside the period before and the same of the year before.

    Of a billing month that is not over it is what its days until today cost.
    """
    return answer(bill_document(ports, ports.answers.bills.compared(parse_billed_period(ports, period, start, end))))


@get(
    "/tariffs",
    summary="Tariffs",
    operation_id="get_tariffs",
    tags=["money"],
    responses=answers(HTTPStatus.CONFLICT, ok=document(TariffsDocument, "Those that hold, and those that wait")),
)
async def get_tariffs(ports: Served) -> Response[bytes]:
    """Return what electricity costs from when on, and what of the config would change what time past cost."""
    return answer(tariffs_document(ports))


@post(
    "/tariffs/correct",
    summary="Correct what time past cost",
    operation_id="correct_tariffs",
    tags=["money"],
    status_code=HTTPStatus.OK,
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(
        *REFUSED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ok=document(TariffCorrectionDocument, "The correction, and the months that cost something else by it"),
    ),
)
async def correct_tariffs(ports: Served, data: CorrectingBody) -> Response[bytes]:
    """Take the tariffs of the config that wait on record with `apply`, or say what that would change."""
    return answer(correction_document(ports, ports.answers.tariffs.correct(apply=data.apply)))


@post(
    "/tariffs/{number:int}/undo",
    summary="Take a tariff back",
    operation_id="undo_tariff",
    tags=["money"],
    status_code=HTTPStatus.OK,
    responses=answers(
        HTTPStatus.NOT_FOUND,
        *REFUSED,
        ok=document(TariffCorrectionDocument, "The tariff that is gone, and the months that cost something else by it"),
    ),
)
async def undo_tariff(ports: Served, number: TariffId) -> Response[bytes]:
    """Let what stood in the place of a tariff hold again."""
    return answer(correction_document(ports, ports.answers.tariffs.undo(number)))


HANDLERS = [get_bill, get_tariffs, correct_tariffs, undo_tariff]
