"""How the service is: for people and supervisors, and for Prometheus."""

from http import HTTPStatus

from litestar import Response, get

from casawatt.web.documents import HealthDocument, health_document
from casawatt.web.live import ServedFeed
from casawatt.web.metrics import TEXT_FORMAT, exposition, own_metrics
from casawatt.web.problem import answer
from casawatt.web.requests import Served, answers, document


@get(
    "/healthz",
    summary="How the service is",
    operation_id="get_health",
    tags=["service"],
    responses=answers(
        ok=document(HealthDocument, "It does what it is for, though perhaps something is missing"),
        service_unavailable=document(HealthDocument, "It is failing: the same document says why"),
    ),
)
async def get_health(ports: Served) -> Response[bytes]:
    """Return how the service, its store and its sources are."""
    health = health_document(ports)
    failing = health.status == "failing"
    return answer(health, HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK)


@get(
    "/metrics",
    summary="Metrics for Prometheus",
    operation_id="get_metrics",
    tags=["service"],
    media_type=TEXT_FORMAT,
    responses=answers(
        ok=document(str, "Prometheus text format 0.0.4", media_type="text/plain"),
    ),
)
async def get_metrics(ports: Served, feed: ServedFeed) -> Response[bytes]:
    """Return all metrics in Prometheus text format."""
    metrics = [*own_metrics(ports, streams=len(feed)), *ports.status.metrics()]
    return Response(exposition(metrics).encode(), media_type=TEXT_FORMAT)
