"""`casawatt whatif`: what a period would have cost otherwise."""

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer

from casawatt.cli.asking import ask
from casawatt.cli.bill import EndDayOption, FirstDayOption, PeriodArgument
from casawatt.cli.client import asked
from casawatt.cli.output import out, print_json, print_table
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find
from casawatt.cli.times import parse_time
from casawatt.clock import WallClock
from casawatt.config_tariffs import load_alternatives
from casawatt.web.periods import parse_period
from casawatt.web.ports import Ports
from casawatt.web.problem import body_of
from casawatt.web.times import format_time
from casawatt.web.whatif import Asking, parse_question
from casawatt.web.whatif_documents import whatif_document

MINUTE_MS = 60_000

TariffsOption = Annotated[
    Path | None, typer.Option("--tariffs", help="A TOML file of tariffs, [[tariff]], to compare with.")
]
PowerOption = Annotated[
    list[int] | None, typer.Option("--contracted-w", metavar="W", help="Another contracted power, in W.", min=1)
]
MoveOption = Annotated[list[str] | None, typer.Option("--move", metavar="METER", help="A meter whose runs to move.")]
HoursOption = Annotated[float | None, typer.Option("--hours", help="By how many hours; earlier if negative.")]
WithinOption = Annotated[float | None, typer.Option("--within", help="To the cheapest start within so many hours.")]
RunOption = Annotated[
    list[str] | None,
    typer.Option("--run", metavar="START[/END]", help="Only the run that began then; with an end any span."),
]


def whatif(
    period: PeriodArgument = None,
    start: FirstDayOption = None,
    end: EndDayOption = None,
    tariffs: TariffsOption = None,
    contracted_w: PowerOption = None,
    move: MoveOption = None,
    hours: HoursOption = None,
    within: WithinOption = None,
    run: RunOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what a period would have cost by another tariff, with another power, or with runs at other hours."""
    place = find(config, data)
    question: dict[str, Any] = {"period": period, "start": start, "end": end}
    if tariffs is not None:
        question["tariffs"] = msgspec.to_builtins(load_alternatives(tariffs))
    question["contracted_w"] = contracted_w
    question["moves"] = _moves(move or [], hours, within, [_span(each, place.config.home.zone) for each in run or []])
    question = {name: value for name, value in question.items() if value}

    def usual(ports: Ports) -> object:
        days = parse_period(ports, period, start, end)
        return whatif_document(ports, ports.answers.whatif.ask(days, ports.answers.whatif.usual_question(days)))

    def offline(ports: Ports) -> object:
        asking = body_of(question, Asking)
        return whatif_document(ports, ports.answers.whatif.ask(*parse_question(ports, asking)))

    if question.keys() & {"tariffs", "contracted_w", "moves"}:
        document = ask(place, lambda service: service.post("/api/v1/whatif", question), offline)
    else:
        query = asked("whatif", period=period, start=start, end=end)
        document = ask(place, lambda service: service.get(query), usual)
    if as_json:
        print_json(document)
        return
    show(document)


def show(document: dict[str, Any]) -> None:
    """Print a bill and what it would have been."""
    currency = document["currency"]
    out.print(
        f"{document['billed']}, {document['start']} until before {document['end']}: {document['total']} {currency}."
    )
    if not document["scenarios"]:
        out.print(
            "There is nothing to compare with: write sections [[alternative]] into the config, or give --tariffs,"
        )
        out.print("--contracted-w or --move.")
        return
    rows = [(each["name"], each["total"], each["difference"], each["reason"]) for each in document["scenarios"]]
    print_table(("what if", currency, "difference", "why"), rows)


def _moves(
    meters: list[str], hours: float | None, within: float | None, spans: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    if not meters:
        if hours is not None or within is not None or spans:
            message = "--hours, --within and --run need --move, with the meter whose runs are meant"
            raise typer.BadParameter(message)
        return []
    if (hours is None) == (within is None):
        message = "give one of --hours and --within with --move"
        raise typer.BadParameter(message)
    how = {"hours": hours} if hours is not None else {"within_hours": within}
    return [{"meter": meter, **how, **span} for meter in meters for span in spans or [{}]]


def _span(text: str, zone: ZoneInfo) -> dict[str, Any]:
    """Return the run that is meant, for the API."""
    start, _, end = text.partition("/")
    now_ms = WallClock().now_ms()
    start_ms = parse_time(start, zone, now_ms)
    end_ms = parse_time(end, zone, now_ms) if end else start_ms + MINUTE_MS
    return {"start": format_time(start_ms, zone), "end": format_time(end_ms, zone), "run": bool(end)}
