"""`casawatt repair`: what was set aside, and what counts after all or does not."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from casawatt.cli.asking import ask
from casawatt.cli.output import out, print_json, print_table, watts
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, Place, find
from casawatt.cli.times import parse_time
from casawatt.clock import WallClock
from casawatt.model.dated import Action
from casawatt.model.errors import UnknownDecisionError
from casawatt.web.documents import meters_document
from casawatt.web.ports import Ports
from casawatt.web.repair import SUSPECTS_MAX
from casawatt.web.repair_documents import (
    CorrectionsDocument,
    correction_document,
    repaired_document,
    suspects_document,
)
from casawatt.web.times import format_time

app = typer.Typer(
    help="Show what was set aside because it cannot be true; count it after all, or leave readings out.",
    no_args_is_help=True,
)

MeterArgument = Annotated[str, typer.Argument(help="The meter's slug.")]
NoteOption = Annotated[str | None, typer.Option(help="Why, for whoever reads it later.")]
ToOption = Annotated[
    str | None, typer.Option("--to", help="Before when it ends. Without it: the one second, or millisecond, named.")
]

WHY = {"power": "more power than can flow", "jump": "register jumped by more than can flow"}


@app.command("list")
def list_(
    meter: Annotated[str | None, typer.Option(help="Only of this meter.")] = None,
    start: Annotated[str | None, typer.Option(help="From when: today, yesterday, a date or RFC 3339.")] = None,
    end: Annotated[str, typer.Option(help="Until before when.")] = "now",
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what was set aside, and the corrections that stand."""
    place = find(config, data)
    zone = place.config.home.zone
    start_ms = 0 if start is None else parse_time(start, zone, _now_ms())
    end_ms = parse_time(end, zone, _now_ms()) + 1
    if start_ms >= end_ms:
        message = f"{start} is after {end}"
        raise typer.BadParameter(message, param_hint="--start")
    span = start_ms, end_ms
    slugs = [meter] if meter else _slugs(place)
    found = {slug: (_suspects(place, slug, span), corrections_of(place, slug)) for slug in slugs}
    if as_json:
        print_json(
            [
                {
                    "meter": slug,
                    "suspects": suspects["suspects"],
                    "older": suspects["older"],
                    "corrections": corrections,
                }
                for slug, (suspects, corrections) in found.items()
            ]
        )
        return
    rows: list[tuple[Any, ...]] = [
        (slug, *_suspect_row(each)) for slug, (those, _) in found.items() for each in those["suspects"]
    ]
    if rows:
        print_table(("meter", "at", "said", "why", "would have counted Wh"), rows)
    else:
        out.print("Nothing was set aside.")
    for slug, (those, _) in found.items():
        if those["older"]:
            out.print(f"{those['older']} older ones of {slug} are not shown; choose with --end.")
    corrections = [(slug, each) for slug, (_, those) in found.items() for each in those]
    if corrections:
        out.print()
        rows = [
            (each["id"], slug, each["action"], each["from"], each["to"], each["made"][:10], each["note"])
            for slug, each in corrections
        ]
        print_table(("id", "meter", "action", "from", "to", "made", "note"), rows, title="Corrections")


@app.command()
def restore(
    meter: MeterArgument,
    time: Annotated[str, typer.Argument(help="When it was said, as `casawatt repair list` shows it.")],
    to: ToOption = None,
    note: NoteOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count after all what was set aside."""
    _correct(find(config, data), meter, Action.RESTORE, (time, to), note, as_json=as_json)


@app.command()
def discard(
    meter: MeterArgument,
    start: Annotated[str, typer.Argument(help="From when on: today, yesterday, a date or RFC 3339.")],
    to: ToOption = None,
    note: NoteOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Leave readings out although they look right. They are kept; only what counts changes."""
    _correct(find(config, data), meter, Action.DISCARD, (start, to), note, as_json=as_json)


@app.command()
def undo(
    number: Annotated[int, typer.Argument(metavar="ID", help="The correction's, as `casawatt repair list` shows it.")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a correction back: all is as if it had never been made."""
    place = find(config, data)
    owners = [slug for slug in _slugs(place) if any(each["id"] == number for each in corrections_of(place, slug))]
    if not owners:
        message = f"there is no correction {number} that stands; casawatt repair list shows those there are"
        raise UnknownDecisionError(message)
    slug = owners[0]
    document = ask(
        place,
        lambda service: service.post(f"/api/v1/meters/{slug}/corrections/{number}/undo", {}),
        lambda ports: repaired_document(ports.repairs.undo_correction(ports.meters.meter(slug), number), ports.home),
        changing=True,
    )
    if as_json:
        print_json(document)
        return
    out.print(f"Correction {number} ({document['correction']['action']}) of {slug} is taken back.")
    show_days(document["days"])


def _correct(
    place: Place, slug: str, action: Action, span: tuple[str, str | None], note: str | None, *, as_json: bool
) -> None:
    zone = place.config.home.zone
    from_ms = parse_time(span[0], zone, _now_ms())
    # What is typed to the second means all of that second.
    to_ms = from_ms + (1 if "." in span[0] else 1000) if span[1] is None else parse_time(span[1], zone, _now_ms())
    if to_ms <= from_ms:
        message = "the end must be later than the start"
        raise typer.BadParameter(message)
    body = {"action": action.value, "from": format_time(from_ms, zone), "to": format_time(to_ms, zone)}
    document = ask(
        place,
        lambda service: service.post(f"/api/v1/meters/{slug}/corrections", body | ({"note": note} if note else {})),
        lambda ports: repaired_document(
            ports.repairs.correct(ports.meters.meter(slug), action, from_ms, to_ms, note), ports.home
        ),
        changing=True,
    )
    if as_json:
        print_json(document)
        return
    number = document["correction"]["id"]
    done = "counts after all" if action is Action.RESTORE else "is left out"
    out.print(f"What {slug} said then {done}. To take that back: casawatt repair undo {number}")
    show_days(document["days"])


def show_days(days: list[dict[str, Any]]) -> None:
    """Print what days were and are."""
    if not days:
        out.print("No day's energy is different by it.")
        return
    rows = [
        (day["meter"], day["date"], f"{day['before_wh'] / 1000:.3f}", f"{day['after_wh'] / 1000:.3f}") for day in days
    ]
    print_table(("meter", "day", "before kWh", "after kWh"), rows)


def _slugs(place: Place) -> list[str]:
    document = ask(place, lambda service: service.get("/api/v1/meters"), meters_document)
    return [meter["slug"] for meter in document["meters"]]


def _suspects(place: Place, slug: str, span: tuple[int, int]) -> dict[str, Any]:
    def offline(ports: Ports) -> object:
        meter = ports.meters.meter(slug)
        found = ports.repairs.suspects(meter, *span)
        newest = found[-SUSPECTS_MAX:]
        return suspects_document(ports, meter, newest, len(found) - len(newest))

    start, end = (format_time(each, ZoneInfo("UTC")).replace("+00:00", "Z") for each in span)
    query = f"/api/v1/meters/{slug}/suspects?start={start}&end={end}"
    found: dict[str, Any] = ask(place, lambda service: service.get(query), offline)
    return found


def corrections_of(place: Place, slug: str) -> list[dict[str, Any]]:
    """Return the corrections of a meter that stand."""

    def offline(ports: Ports) -> object:
        those = ports.repairs.corrections(ports.meters.meter(slug))
        return CorrectionsDocument(slug, [correction_document(each, ports.home) for each in those])

    document = ask(place, lambda service: service.get(f"/api/v1/meters/{slug}/corrections"), offline)
    found: list[dict[str, Any]] = document["corrections"]
    return found


def _suspect_row(suspect: dict[str, Any]) -> tuple[str, str | None, str, str | None]:
    """Return a suspect's time, what it said, why it is set aside, and what energy would have been counted."""
    if "power_w" in suspect:
        said = watts(suspect["power_w"])
    elif "register_wh" in suspect:
        said = f"{suspect['register_wh'] / 1000:.3f} kWh"
    else:
        said = f"{suspect['charge_as']:.3f} A s"
    counted = f"{suspect['energy_wh']:.1f}" if suspect["cause"] == "jump" else None
    return suspect["at"], said, WHY[suspect["cause"]], counted


def _now_ms() -> int:
    return WallClock().now_ms()
