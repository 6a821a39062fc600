"""The meters of the home, and new devices that become one."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import Body
from msgspec import Meta

from casawatt.model.errors import RegistryError, UnknownMeterError
from casawatt.model.meter import check_slug
from casawatt.web.details import MeterDetailDocument, meter_detail_document
from casawatt.web.documents import MetersDocument, meters_document
from casawatt.web.ports import Ports
from casawatt.web.problem import answer, wrong
from casawatt.web.requests import Served, Slug, answers, check_json, document, find_meter

BODY_MAX_BYTES = 64 * 1024
TEXT_MAX = 200

Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class Adoption(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The meter that a device shall measure for. `parent`: slug of the meter whose power this one is part of.

    `gap_limit_s`: readings further apart have a gap between them; left to the source when absent.
    """

    slug: Text
    name: Text
    source: Text
    address: Text
    appliance: Text | None = None
    parent: Text | None = None
    gap_limit_s: Annotated[float, Meta(ge=1, le=86_400)] | None = None


AdoptionBody = Annotated[Adoption, Body(title="Adoption", description="The new meter and the device behind it")]


@get(
    "/meters",
    summary="All meters now",
    operation_id="get_meters",
    tags=["meters"],
    responses=answers(
        ok=document(MetersDocument, "The home, its meters, and devices that wait to become one"),
    ),
)
async def get_meters(ports: Served) -> Response[bytes]:
    """Return what every meter says now and used today, and the devices that belong to none."""
    return answer(meters_document(ports))


@get(
    "/meters/{slug:str}",
    summary="One meter",
    operation_id="get_meter",
    tags=["meters"],
    responses=answers(
        HTTPStatus.NOT_FOUND,
        ok=document(MeterDetailDocument, "The meter, its devices over time and its calibrations"),
    ),
)
async def get_meter(ports: Served, slug: Slug) -> Response[bytes]:
    """Return what a meter says now, and which devices measured for it from when to when."""
    return answer(meter_detail_document(ports, find_meter(ports, slug)))


@post(
    "/meters",
    summary="Make a meter of a device",
    operation_id="post_meter",
    tags=["meters"],
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(
        HTTPStatus.CONFLICT,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        created=document(MeterDetailDocument, "The new meter"),
    ),
)
async def post_meter(ports: Served, data: AdoptionBody) -> Response[bytes]:
    """Make a meter and bind a device to it; from then on its readings are recorded. It need not have been heard yet."""
    check_adoption(ports, data)
    meter = ports.meters.adopt(
        slug=data.slug,
        name=data.name,
        appliance=data.appliance,
        parent=data.parent,
        source=data.source,
        address=data.address,
        gap_limit_s=data.gap_limit_s,
    )
    return answer(meter_detail_document(ports, meter), HTTPStatus.CREATED)


def check_adoption(ports: Ports, adoption: Adoption) -> None:
    """Raise ProblemError that names the field if the slug cannot be one or the parent is unknown."""
    try:
        check_slug(adoption.slug)
    except RegistryError as error:
        raise wrong("slug", str(error)) from None
    if adoption.parent is not None:
        try:
            ports.meters.meter(adoption.parent)
        except UnknownMeterError as error:
            raise wrong("parent", str(error)) from None
