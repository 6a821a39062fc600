"""How long until the limiter switches the home off, what to stop, and plain alarms."""

from litestar import Response, get

from casawatt.web.problem import answer
from casawatt.web.requests import Served, answers, document
from casawatt.web.supply_documents import AlarmsDocument, SupplyDocument, alarms_document, supply_document


@get(
    "/supply",
    summary="The supply and its limiter",
    operation_id="get_supply",
    tags=["supply"],
    responses=answers(ok=document(SupplyDocument, "How it stands now")),
)
async def get_supply(ports: Served) -> Response[bytes]:
    """Return how long until the limiter acts at the present power, and which appliances to stop."""
    return answer(supply_document(ports))


@get(
    "/alarms",
    summary="Alarms",
    operation_id="get_alarms",
    tags=["supply"],
    responses=answers(ok=document(AlarmsDocument, "How each stands now")),
)
async def get_alarms(ports: Served) -> Response[bytes]:
    """Return how each plain alarm of the config stands."""
    return answer(alarms_document(ports))


HANDLERS = [get_supply, get_alarms]
