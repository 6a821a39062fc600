"""Runs: what each appliance was used for, what that took, and what like runs are called."""

import asyncio
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import Body, PathParameter, QueryParameter

from casawatt.model.meter import Meter
from casawatt.model.run_answer import RunAnswer
from casawatt.web.meters import BODY_MAX_BYTES, Text
from casawatt.web.ports import Ports
from casawatt.web.problem import answer, wrong
from casawatt.web.repair import CHANGING, WITH_BODY
from casawatt.web.requests import End, Served, Slug, Start, answers, check_json, document, find_meter, parse_span
from casawatt.web.runs_documents import (
    ComparisonDocument,
    OneProgrammeDocument,
    OneRunDocument,
    ProgrammesDocument,
    RebuiltDocument,
    RunsDocument,
    comparison_document,
    programme_document,
    run_document,
    runs_document,
)
from casawatt.web.times import parse_time

RUNS_MAX = 5000
"""More than that are not answered at once."""

OfMeter = Annotated[str | None, QueryParameter(description="The slug of a meter; all meters without it")]
Began = Annotated[str, PathParameter(description="When the run began, as the list of runs says it")]
OneRun = Annotated[str, QueryParameter(description="A run: its meter's slug, `/`, and when it began")]
ProgrammeId = Annotated[int, PathParameter(description="The number of the name")]


class Naming(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The run that began at `start` is of a programme that is called `name`; so are those like it."""

    start: Text
    name: Text


NamingBody = Annotated[Naming, Body(title="Naming", description="A run, and what its programme is called")]


@get(
    "/runs",
    summary="Runs",
    operation_id="get_runs",
    tags=["runs"],
    responses=answers(HTTPStatus.NOT_FOUND, ok=document(RunsDocument, "Runs that have a part in the span")),
)
async def get_runs(ports: Served, meter: OfMeter = None, start: Start = None, end: End = None) -> Response[bytes]:
    """Return what the appliances were used for, in the order in which they began; also what still goes on."""
    span = parse_span(ports, start, end)
    for each in asked(ports, meter):
        await caught_up(ports, each)
    return answer(listed(ports, meter, *span))


def asked(ports: Ports, slug: str | None) -> list[Meter]:
    """Return the meter of that slug, or all; raises UnknownMeterError."""
    return ports.meters.meters() if slug is None else [find_meter(ports, slug)]


async def caught_up(ports: Ports, meter: Meter) -> Meter:
    """Return the meter when all of its runs are found that late readings touched; other work goes on in between."""
    for _ in iter(lambda: ports.runs.look_on(meter), False):
        await asyncio.sleep(0)
    return meter


def listed(ports: Ports, slug: str | None, start_ms: int, end_ms: int) -> RunsDocument:
    """Return the runs of a meter, or of all, that have a part in a span; raises UnknownMeterError, ProblemError."""
    answers_ = ports.runs.answers(asked(ports, slug), start_ms, end_ms)
    found = [ports.programmes.foretold(each) for each in answers_]
    if len(found) > RUNS_MAX:
        raise wrong("start", f"{len(found):,} runs lie in the span, more than {RUNS_MAX:,}; ask for less time")
    return runs_document(found, ports.home)


@get(
    "/runs/{meter:str}/{start:str}",
    summary="One run",
    operation_id="get_run",
    tags=["runs"],
    responses=answers(HTTPStatus.NOT_FOUND, ok=document(OneRunDocument, "The run, its phases and its programme")),
)
async def get_run(
    ports: Served, meter: Annotated[str, PathParameter(description="The meter's slug")], start: Began
) -> Response[bytes]:
    """Return the run of a meter that began at exactly that time."""
    start_ms = parse_time("start", start, ports.home.zone)
    found = ports.runs.find(await caught_up(ports, find_meter(ports, meter)), start_ms)
    return answer(OneRunDocument(ports.home.currency, run_document(ports.programmes.foretold(found), ports.home)))


@get(
    "/runs/compare",
    summary="Two runs side by side",
    operation_id="compare_runs",
    tags=["runs"],
    responses=answers(HTTPStatus.NOT_FOUND, ok=document(ComparisonDocument, "Both runs, and how they differ")),
)
async def compare_runs(ports: Served, a: OneRun, b: OneRun) -> Response[bytes]:
    """Return the energy, duration, phases and curves of two runs beside each other."""
    return answer(compared(ports, a, b))


def compared(ports: Ports, a: str, b: str) -> ComparisonDocument:
    """Return two runs side by side; raises ProblemError, UnknownMeterError, UnknownRunError."""
    return comparison_document(ports.runs.compare(run_of(ports, "a", a), run_of(ports, "b", b)), ports.home)


def run_of(ports: Ports, parameter: str, text: str) -> RunAnswer:
    """Return the run that `METER/START` names; raises ProblemError, UnknownMeterError, UnknownRunError."""
    slug, slash, start = text.partition("/")
    if not slash:
        raise wrong(
            parameter, f"{text!r} is no run; write its meter, a slash and its begin, as in oven/2026-01-31T18:30Z"
        )
    return ports.runs.find(find_meter(ports, slug), parse_time(parameter, start, ports.home.zone))


@post(
    "/meters/{slug:str}/runs/rebuild",
    summary="Find a meter's runs anew",
    operation_id="rebuild_runs",
    tags=["runs"],
    status_code=HTTPStatus.OK,
    responses=answers(HTTPStatus.NOT_FOUND, ok=document(RebuiltDocument, "What is different from before")),
)
async def rebuild_runs(ports: Served, slug: Slug) -> Response[bytes]:
    """Find all runs of a meter anew from its readings, with the options that the config has now."""
    await caught_up(ports, find_meter(ports, slug))
    return answer(rebuilt(ports, slug))


def rebuilt(ports: Ports, slug: str) -> RebuiltDocument:
    """Find a meter's runs anew and return what is different; raises UnknownMeterError."""
    meter = find_meter(ports, slug)
    differences = list(ports.runs.rebuild(meter))
    return RebuiltDocument(slug, ports.runs.count(meter), differences)


@get(
    "/meters/{slug:str}/programmes",
    summary="A meter's programmes",
    operation_id="get_programmes",
    tags=["runs"],
    responses=answers(HTTPStatus.NOT_FOUND, ok=document(ProgrammesDocument, "Like runs, and what is usual for them")),
)
async def get_programmes(ports: Served, slug: Slug) -> Response[bytes]:
    """Return the groups that the newest runs make, those with a name first, with what is usual for each."""
    await caught_up(ports, find_meter(ports, slug))
    return answer(programmes(ports, slug))


def programmes(ports: Ports, slug: str) -> ProgrammesDocument:
    """Return the programmes of a meter; raises UnknownMeterError."""
    found = ports.programmes.all(find_meter(ports, slug))
    return ProgrammesDocument(slug, ports.home.currency, [programme_document(each, ports.home) for each in found])


@post(
    "/meters/{slug:str}/programmes",
    summary="Name a programme",
    operation_id="post_programme",
    tags=["runs"],
    before_request=check_json,
    request_max_body_size=BODY_MAX_BYTES,
    responses=answers(*WITH_BODY, created=document(OneProgrammeDocument, "The programme that is called so now")),
)
async def post_programme(ports: Served, slug: Slug, data: NamingBody) -> Response[bytes]:
    """Call the programme of a run, and so of all that are like it, by a name. An older name of it is taken back."""
    return answer(named(ports, slug, data.start, data.name), HTTPStatus.CREATED)


def named(ports: Ports, slug: str, start: str, name: str) -> OneProgrammeDocument:
    """Name a programme; raises UnknownMeterError, UnknownRunError, ProblemError."""
    found = ports.programmes.name(find_meter(ports, slug), parse_time("start", start, ports.home.zone), name.strip())
    return OneProgrammeDocument(slug, ports.home.currency, programme_document(found, ports.home))


@post(
    "/meters/{slug:str}/programmes/{number:int}/undo",
    summary="Take a name back",
    operation_id="undo_programme",
    tags=["runs"],
    status_code=HTTPStatus.OK,
    responses=answers(*CHANGING, ok=document(ProgrammesDocument, "The programmes as they are without it")),
)
async def undo_programme(ports: Served, slug: Slug, number: ProgrammeId) -> Response[bytes]:
    """Let a name stand no longer."""
    ports.programmes.take_name_back(find_meter(ports, slug), number)
    return answer(programmes(ports, slug))


HANDLERS = [
    get_runs,
    get_run,
    compare_runs,
    rebuild_runs,
    get_programmes,
    post_programme,
    undo_programme,
]
