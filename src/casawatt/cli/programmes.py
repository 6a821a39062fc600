"""`casawatt runs programmes`, `name` and `unname`: like runs, and what they are called."""

from typing import Annotated, Any

import typer

from casawatt.cli.asking import ask
from casawatt.cli.output import duration, out, print_json, print_table
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find
from casawatt.cli.runs import MeterArgument, StartArgument, began, clock
from casawatt.web.ports import Ports
from casawatt.web.runs import named, programmes
from casawatt.web.runs_documents import ProgrammesDocument


def list_programmes(
    meter: MeterArgument, config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List the programmes that a meter's newest runs make, and what is usual for each."""
    place = find(config, data)
    document = ask(
        place,
        lambda service: service.get(f"/api/v1/meters/{meter}/programmes"),
        lambda ports: programmes(ports, meter),
    )
    if as_json:
        print_json(document)
        return
    if not document["programmes"]:
        out.print(f"{meter} had no runs yet.")
        return
    zone, currency = place.config.home.zone, document["currency"]
    rows = [
        (
            ", ".join(map(str, each["ids"])) or None,
            each["name"],
            each["runs"],
            usually(each["duration_s"], duration),
            usually(each["energy_wh"], lambda value: f"{value / 1000:.2f}"),
            None if each["cost"] is None else usually(each["cost"], lambda value: f"{float(value):.2f}"),
            clock(each["example"], zone),
        )
        for each in document["programmes"]
    ]
    print_table(("id", "name", "runs", "takes", "uses kWh", f"costs {currency}", "example"), rows)
    if any(each["name"] is None for each in document["programmes"]):
        out.print(f"Name one with: casawatt runs name {meter} EXAMPLE NAME")


def usually(spread: dict[str, Any], written: Any) -> str:  # noqa: ANN401 - a function of a float or a text
    """Return what is usual: the middle, and in brackets what most lie between."""
    low, high = written(spread["low"]), written(spread["high"])
    return f"{written(spread['median'])}" + ("" if low == high else f" ({low} to {high})")


def name(
    meter: MeterArgument,
    start: StartArgument,
    called: Annotated[str, typer.Argument(metavar="NAME", help='What its programme is called, e.g. "Eco 50".')],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name the programme of a run: all runs that are like it are called so, past ones and those to come."""
    place = find(config, data)
    begin = began(place, meter, start)
    document = ask(
        place,
        lambda service: service.post(f"/api/v1/meters/{meter}/programmes", {"start": begin, "name": called}),
        lambda ports: named(ports, meter, begin, called),
        changing=True,
    )
    if as_json:
        print_json(document)
        return
    programme = document["programme"]
    out.print(f"{programme['runs']} of the newest runs of {meter} are called {programme['name']!r} now.")
    out.print(f"To take that back: casawatt runs unname {meter} {programme['ids'][-1]}")


def unname(
    meter: MeterArgument,
    number: Annotated[int, typer.Argument(metavar="ID", help="The name's number, as the list of programmes shows it.")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a programme's name back."""
    place = find(config, data)

    def offline(ports: Ports) -> ProgrammesDocument:
        ports.programmes.take_name_back(ports.meters.meter(meter), number)
        return programmes(ports, meter)

    document = ask(
        place,
        lambda service: service.post(f"/api/v1/meters/{meter}/programmes/{number}/undo", {}),
        offline,
        changing=True,
    )
    if as_json:
        print_json(document)
        return
    out.print(f"Name {number} of {meter} is taken back.")
