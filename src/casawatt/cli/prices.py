"""`casawatt prices`: what a kWh costs by the hour or quarter-hour, from files and from what was fetched."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from casawatt.cli.asking import ask
from casawatt.cli.bill import show_month_changes
from casawatt.cli.output import out, print_json, print_table
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, Place, find
from casawatt.cli.times import parse_time, utc
from casawatt.clock import WallClock
from casawatt.engine.localtime import day_start, local_date
from casawatt.files.price_values import Manner
from casawatt.files.prices import form_of, read_prices
from casawatt.model.errors import ImportFileError
from casawatt.model.price import Price, PriceFormat, PriceUnit
from casawatt.web.prices import PRICES_MAX
from casawatt.web.prices_documents import (
    price_correction_document,
    prices_document,
    recorded_document,
    series_document,
    written,
)
from casawatt.web.times import format_time

app = typer.Typer(help="What a kWh costs by the hour or quarter-hour.", no_args_is_help=True)

BATCH = PRICES_MAX // 2

SeriesArgument = Annotated[
    str, typer.Argument(metavar="SERIES", help="The name of the prices, as in [prices.<series>].")
]
StartOption = Annotated[str | None, typer.Option("--start", help="From when on: today, a date or RFC 3339.")]
EndOption = Annotated[str | None, typer.Option("--end", help="Until when, no more in it.")]


@app.command("list")
def list_series(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the series of prices, and how many of their prices were told otherwise later."""
    place = find(config, data)
    document = ask(place, lambda service: service.get("/api/v1/prices"), series_document)
    if as_json:
        print_json(document)
        return
    rows = [
        (each["name"], _shown(each["start"]), _shown(each["end"]), each["quarters"], each["differing"])
        for each in document["series"]
    ]
    if not rows:
        out.print("There are no prices. casawatt prices import reads a file; [prices.<series>] fetches them.")
        return
    print_table(("series", "from", "until", "quarter-hours", "told otherwise"), rows)


@app.command()
def show(
    series: SeriesArgument,
    start: StartOption = None,
    end: EndOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the prices of a span, by default from today to the end of tomorrow, and what is missing."""
    place = find(config, data)
    now_ms = WallClock().now_ms()
    zone = place.config.home.zone
    start_ms = parse_time(start or "today", zone, now_ms)
    tomorrow_end_ms = day_start(zone, local_date(zone, now_ms) + timedelta(days=2))
    end_ms = tomorrow_end_ms if end is None else parse_time(end, zone, now_ms)
    _check_order(start_ms, end_ms)
    query = f"/api/v1/prices/{series}?start={utc(start_ms)}&end={utc(end_ms)}"
    document = ask(
        place, lambda service: service.get(query), lambda ports: prices_document(ports, series, start_ms, end_ms)
    )
    if as_json:
        print_json(document)
        return
    unit = f"{document['currency']}/kWh"
    rows = [(_shown(each["start"]), _shown(each["end"]), each["rate_per_kwh"]) for each in document["prices"]]
    print_table(("from", "until", unit), rows)
    for each in document["missing"]:
        out.print(f"There is no price from {_shown(each['start'])} until {_shown(each['end'])}.")
    if document["differing"]:
        out.print("Told otherwise since, and not counted (casawatt prices correct counts it):")
        _show_changes(document["differing"])


@app.command("import")
def import_prices(
    file: Annotated[Path, typer.Argument(help="A table, or JSON of aWATTar's, or XML of the transparency platform's.")],
    series: Annotated[str, typer.Option("--series", help="The name of the prices.")],
    form: Annotated[
        PriceFormat | None, typer.Option("--format", help="How it is written; else it is looked at.")
    ] = None,
    unit: Annotated[PriceUnit | None, typer.Option("--unit", help="What a table's numbers count.")] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="Whose clock a table's times show.")] = None,
    sequence: Annotated[int, typer.Option("--sequence", help="Which auction of a day.", min=1, max=9)] = 1,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep the prices of a file. What is known already stays: another price for time past waits to be applied."""
    place = find(config, data)
    try:
        content = file.read_bytes()
        zone = ZoneInfo(timezone) if timezone else place.config.home.zone
    except OSError as error:
        raise ImportFileError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError) as error:
        message = f"no time zone is called {timezone!r}"
        raise typer.BadParameter(message) from error
    manner = Manner(currency=place.config.home.currency, zone=zone, unit=unit, sequence=sequence)
    prices = read_prices(content, form or form_of(content), str(file), manner)
    documents = [_hand_in(place, series, prices[start : start + BATCH]) for start in range(0, len(prices), BATCH)]
    whole: dict[str, Any] = {"series": series, "added": 0, "same": 0, "replaced": 0, "differing": []}
    for each in documents:
        whole = {name: value if name == "series" else value + each[name] for name, value in whole.items()}
    if as_json:
        print_json(whole)
        return
    first, last = (
        _shown(format_time(each, place.config.home.zone)) for each in (prices[0].start_ms, prices[-1].end_ms)
    )
    out.print(f"{file}: prices from {first} until {last}.")
    out.print(
        f"{whole['added']} quarter-hours are new, {whole['same']} were known, {whole['replaced']} to come changed."
    )
    if whole["differing"]:
        out.print(f"Told otherwise, and not counted; casawatt prices correct {series} counts it:")
        _show_changes(whole["differing"])


@app.command()
def correct(
    series: SeriesArgument,
    start: StartOption = None,
    end: EndOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this only say what it would change.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let prices count that were told later than others of the same time, or show what that would change."""
    place = find(config, data)
    now_ms = WallClock().now_ms()
    zone = place.config.home.zone
    start_ms = 0 if start is None else parse_time(start, zone, now_ms)
    end_ms = now_ms if end is None else parse_time(end, zone, now_ms)
    _check_order(start_ms, end_ms)
    body = {"start": utc(start_ms), "end": utc(end_ms), "apply": apply}
    document = ask(
        place,
        lambda service: service.post(f"/api/v1/prices/{series}/correct", body),
        lambda ports: price_correction_document(
            ports, series, ports.answers.prices.correct(series, start_ms, end_ms, apply=apply)
        ),
        changing=True,
    )
    if as_json:
        print_json(document)
        return
    if not document["changes"]:
        out.print("No price of that time was told otherwise.")
        return
    _show_changes(document["changes"])
    show_month_changes(document)
    if not document["applied"]:
        out.print(f"Nothing is changed yet: casawatt prices correct {series} --apply does it.")


def _hand_in(place: Place, series: str, prices: list[Price]) -> dict[str, Any]:
    handed = [
        {"start": utc(each.start_ms), "end": utc(each.end_ms), "rate_per_kwh": written(each.rate_per_kwh)}
        for each in prices
    ]
    done: dict[str, Any] = ask(
        place,
        lambda service: service.post(f"/api/v1/prices/{series}", {"prices": handed}),
        lambda ports: recorded_document(series, ports.answers.prices.record(series, prices), ports.home.zone),
        changing=True,
    )
    return done


def _show_changes(changes: list[dict[str, Any]]) -> None:
    rows = [(_shown(each["start"]), _shown(each["end"]), each["old_per_kwh"], each["new_per_kwh"]) for each in changes]
    print_table(("from", "until", "was", "is told as"), rows)


def _check_order(start_ms: int, end_ms: int) -> None:
    if end_ms <= start_ms:
        message = "the end must be later than the start"
        raise typer.BadParameter(message)


def _shown(time: str | None) -> str | None:
    """Return an RFC 3339 time as tables show it, with its offset: an hour that comes twice is told apart by it."""
    return None if time is None else f"{time[:10]} {time[11:16]} {time[-6:]}"
