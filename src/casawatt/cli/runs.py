"""`casawatt runs`: what the appliances were used for, and what like runs are called."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from casawatt.cli.asking import ask
from casawatt.cli.output import duration, out, print_json, print_table, watts
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, Place, find
from casawatt.cli.times import parse_time
from casawatt.clock import WallClock
from casawatt.model.errors import UnknownRunError
from casawatt.web.documents import meters_document
from casawatt.web.runs import compared, listed, rebuilt
from casawatt.web.times import format_time

app = typer.Typer(
    help="List what the appliances were used for; compare two runs; name programmes.", no_args_is_help=False
)

WEEK_MS = 7 * 86_400_000
LAST = "last"

MeterArgument = Annotated[str, typer.Argument(help="The meter's slug.")]
StartArgument = Annotated[
    str, typer.Argument(metavar="START", help=f"When the run began, as the list shows it; `{LAST}` for the newest.")
]
RunArgument = Annotated[str, typer.Argument(metavar="METER/START", help="A run: its meter, a slash, when it began.")]


@app.callback(invoke_without_command=True)
def runs(
    context: typer.Context,
    meter: Annotated[str | None, typer.Option(help="Only of this meter.")] = None,
    start: Annotated[
        str | None, typer.Option(help="From when: today, yesterday, a date or RFC 3339; else the last seven days.")
    ] = None,
    end: Annotated[str, typer.Option(help="Until before when.")] = "now",
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs that have a part in a span, with what they used and cost; those that still go on too."""
    if context.invoked_subcommand is not None:
        return
    place = find(config, data)
    now_ms, zone = WallClock().now_ms(), place.config.home.zone
    end_ms = parse_time(end, zone, now_ms)
    start_ms = end_ms - WEEK_MS if start is None else parse_time(start, zone, now_ms)
    if start_ms >= end_ms:
        message = f"{start} is not before {end}"
        raise typer.BadParameter(message, param_hint="--start")
    document = read(place, meter, start_ms, end_ms)
    if as_json:
        print_json(document)
        return
    if not document["runs"]:
        out.print("No runs then.")
        return
    currency = document["currency"]
    rows = [row(run, zone) for run in document["runs"]]
    print_table(("meter", "start", "end", "took", "kWh", "peak W", f"cost {currency}", "programme"), rows)


def read(place: Place, slug: str | None, start_ms: int, end_ms: int) -> dict[str, Any]:
    """Return the runs document of a span, from the running service or else from the data."""
    query = f"/api/v1/runs?start={instant(start_ms)}&end={instant(end_ms)}" + (f"&meter={slug}" if slug else "")
    found: dict[str, Any] = ask(
        place, lambda service: service.get(query), lambda ports: listed(ports, slug, start_ms, end_ms)
    )
    return found


def instant(time_ms: int) -> str:
    """Return UTC ms as it is written in an address."""
    return format_time(time_ms, ZoneInfo("UTC")).replace("+00:00", "Z")


def row(run: dict[str, Any], zone: ZoneInfo) -> tuple[Any, ...]:
    """Return a run as a row of the table."""
    start = clock(run["start"], zone)
    end = "goes on" if run["end"] is None else clock(run["end"], zone)
    if end[:10] == start[:10]:
        end = end[11:]
    if run["expected"] is not None:
        end = f"goes on, about until {clock(run['expected']['end']['median'], zone)[11:16]}"
    energy = f"{run['energy_wh'] / 1000:.3f}"
    cost = None if run["cost"] is None else run["cost"] + ("" if run["cost_complete"] else " and more")
    return (
        run["meter"],
        start,
        end,
        duration(run["duration_s"]),
        energy,
        watts(run["peak_w"]),
        cost,
        run["programme"],
    )


def clock(time: str, zone: ZoneInfo) -> str:
    """Return an RFC 3339 time as local date and time, to the second."""
    return datetime.fromisoformat(time).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def began(place: Place, slug: str, text: str) -> str:
    """Return when the run began that a person means, in RFC 3339. Raises UnknownRunError.

    What is typed to the second means the run that began in that second.
    """
    zone, now_ms = place.config.home.zone, WallClock().now_ms()
    if text == LAST:
        found = read(place, slug, 0, now_ms + 1)["runs"]
    else:
        start_ms = parse_time(text, zone, now_ms)
        runs = read(place, slug, start_ms, start_ms + 1000)["runs"]
        found = [run for run in runs if datetime.fromisoformat(run["start"]).timestamp() * 1000 >= start_ms]
    if not found:
        message = f"{slug} has no run that began then; casawatt runs --meter {slug} shows those there are"
        raise UnknownRunError(message)
    start: str = found[-1]["start"]
    return start


def split(text: str) -> tuple[str, str]:
    """Return meter and begin of `METER/START`; raises typer.BadParameter."""
    slug, slash, start = text.partition("/")
    if not slash:
        message = f"{text!r} is no run; write its meter, a slash and its begin, as in oven/2026-01-31T18:30"
        raise typer.BadParameter(message)
    return slug, start


@app.command()
def show(
    meter: MeterArgument,
    start: StartArgument,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run with its phases."""
    place = find(config, data)
    zone = place.config.home.zone
    begin = began(place, meter, start)
    start_ms = parse_time(begin, zone, 0)
    document = read(place, meter, start_ms, start_ms + 1)
    document["runs"] = [run for run in document["runs"] if run["start"] == begin]
    if as_json:
        print_json({"currency": document["currency"], "run": document["runs"][0]})
        return
    (run,) = document["runs"]
    for name, value in zip(
        ("meter", "start", "end", "took", "kWh", "peak", f"cost {document['currency']}", "programme"),
        row(run, zone),
        strict=True,
    ):
        out.print(f"{name:10} {'–' if value is None else value}")
    if run["expected"] is not None:
        show_expected(run["expected"], zone, document["currency"])
    if run["phases"]:
        out.print()
        print_table(
            ("phase", "from", "to", "took", "Wh", "peak W"),
            [
                (
                    each["kind"],
                    clock(each["start"], zone)[11:],
                    clock(each["end"], zone)[11:],
                    duration(
                        (datetime.fromisoformat(each["end"]) - datetime.fromisoformat(each["start"])).total_seconds()
                    ),
                    f"{each['energy_wh']:.1f}",
                    watts(each["max_w"]),
                )
                for each in run["phases"]
            ],
        )


def show_expected(expected: dict[str, Any], zone: ZoneInfo, currency: str) -> None:
    """Print what a run that goes on will come to."""
    low, high = (clock(expected["end"][each], zone)[11:16] for each in ("low", "high"))
    energy = expected["energy_wh"]
    text = f"expected   end between {low} and {high}, about {energy['median'] / 1000:.2f} kWh"
    if expected["cost"] is not None:
        text += f" and {expected['cost']['median']} {currency}"
    out.print(f"{text}, as {expected['runs']} runs of {expected['programme'] or 'the same kind'} did")


@app.command()
def compare(
    a: RunArgument,
    b: RunArgument,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put two runs side by side: duration, energy, cost, phases and curve."""
    place = find(config, data)
    one, other = (f"{slug}/{began(place, slug, start)}" for slug, start in (split(a), split(b)))
    query = f"/api/v1/runs/compare?a={quoted(one)}&b={quoted(other)}"
    document = ask(place, lambda service: service.get(query), lambda ports: compared(ports, one, other))
    if as_json:
        print_json(document)
        return
    zone = place.config.home.zone
    rows = zip(
        ("meter", "start", "end", "took", "kWh", "peak", f"cost {document['currency']}", "programme"),
        row(document["a"], zone),
        row(document["b"], zone),
        strict=True,
    )
    print_table(("run", "first", "second"), list(rows))
    out.print()
    print_table(("phase", "first Wh", "second Wh"), phase_rows(document["a"]["phases"], document["b"]["phases"]))
    out.print()
    curve = document["curve"]
    steps = max(len(curve["a_w"]), len(curve["b_w"]))
    rows_w = [
        (duration(step * curve["step_s"]), *(watts(at(curve[each], step)) for each in ("a_w", "b_w")))
        for step in range(0, steps, max(1, steps // 24))
    ]
    print_table(("after", "first W", "second W"), rows_w)


def quoted(run: str) -> str:
    """Return a run as it stands in a query."""
    return run.replace("+", "%2B")


def at(values: list[float], place: int) -> float | None:
    """Return a value of a list, None past its end."""
    return values[place] if place < len(values) else None


def phase_rows(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the phases of two runs beside each other, in their order."""
    found = []
    for place in range(max(len(a), len(b))):
        ones = [each[place] if place < len(each) else None for each in (a, b)]
        kinds = list(dict.fromkeys(one["kind"] for one in ones if one))
        found.append((" / ".join(kinds), *(f"{one['energy_wh']:.1f}" if one else None for one in ones)))
    return found


@app.command()
def rebuild(
    meter: Annotated[str | None, typer.Option(help="Only of this meter.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find all runs anew from the readings, with the options of now, and say what is different."""
    place = find(config, data)
    slugs = [meter] if meter else [each["slug"] for each in meters_of(place)]
    documents = [rebuilt_runs(place, slug) for slug in slugs]
    if as_json:
        print_json(documents)
        return
    for document in documents:
        out.print(f"{document['meter']}: {document['runs']} runs, {len(document['differences']) or 'none'} different")
        for difference in document["differences"]:
            out.print(f"  {difference}")


def rebuilt_runs(place: Place, slug: str) -> dict[str, Any]:
    """Find a meter's runs anew; returns what is different."""
    found: dict[str, Any] = ask(
        place,
        lambda service: service.post(f"/api/v1/meters/{slug}/runs/rebuild", {}),
        lambda ports: rebuilt(ports, slug),
        changing=True,
    )
    return found


def meters_of(place: Place) -> list[dict[str, Any]]:
    """Return the meters of the home."""
    found: list[dict[str, Any]] = ask(place, lambda service: service.get("/api/v1/meters"), meters_document)["meters"]
    return found
