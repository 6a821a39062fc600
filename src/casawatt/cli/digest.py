"""`casawatt digest`: what a day came to."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from casawatt.cli.asking import ask
from casawatt.cli.output import out, print_json, print_table
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find
from casawatt.cli.times import parse_day
from casawatt.clock import WallClock
from casawatt.engine.resample import check_resolution
from casawatt.web.digest_documents import digest_document

GAPS_SHOWN = 10
RUNS_SHOWN = 8
"""A meter that had more runs in a day has them in one row."""


def digest(
    day: Annotated[str, typer.Argument(metavar="[DATE]", help="A date, today or yesterday.")] = "yesterday",
    resolution: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Also the mean power of each so many minutes; may be given several times."),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sum up a local day: energy, cost, peak, standby, runs, what is usual, what was not measured."""
    place = find(config, data)
    zone = place.config.home.zone
    wanted = parse_day(day, zone, WallClock().now_ms())
    resolutions = _checked(resolution or [])
    query = f"?resolution={','.join(map(str, resolutions))}" if resolutions else ""
    document = ask(
        place,
        lambda service: service.get(f"/api/v1/digest/{wanted.isoformat()}{query}"),
        lambda ports: digest_document(ports, ports.answers.digests.of(wanted, resolutions)),
    )
    if as_json:
        print_json(document)
        return
    show(document, zone)


def _checked(resolutions: list[int]) -> list[int]:
    try:
        return [check_resolution(each) for each in dict.fromkeys(resolutions)]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--resolution") from None


def show(document: dict[str, Any], zone: ZoneInfo) -> None:
    """Print a day of a home in `zone`."""
    parts = [document["home"], *document["meters"]]
    out.print(_heading(document))
    currency = document["currency"]
    print_table(("of", "kWh", f"cost {currency}", "usual kWh", "measured %"), [_used(part) for part in parts])
    out.print()
    columns = "of", "mean W", "peak W", "at", "standby W", f"standby {currency} a year"
    print_table(columns, [_power(part) for part in parts])
    rows = [row for part in parts for row in _runs(part)]
    if rows:
        out.print()
        print_table(("runs of", "from", "until", "kWh", f"cost {currency}"), rows)
    gaps = [(_name(part), gap) for part in parts for gap in part["gaps"]]
    if gaps:
        out.print()
        rows = [(name, _clock(gap["start"]), _until(gap["end"], document["date"])) for name, gap in gaps[:GAPS_SHOWN]]
        print_table(("not measured", "from", "until"), rows)
        if len(gaps) > GAPS_SHOWN:
            out.print(f"and {len(gaps) - GAPS_SHOWN} more; --json has them all")
    for place in range(len(document["home"]["power"])):
        out.print()
        _show_power(parts, place, zone)
    if document["told"] is not None:
        out.print()
        _show_told(document["told"])


def _heading(document: dict[str, Any]) -> str:
    start, end = (datetime.fromisoformat(document[name]) for name in ("start", "end"))
    hours = (end - start) / timedelta(hours=1)
    if not document["over"]:
        return f"{start:%A} {document['date']}, until now"
    return f"{start:%A} {document['date']}" + ("" if hours == 24 else f", {hours:g} hours")


def _name(part: dict[str, Any]) -> str:
    return part["meter"] or "home"


def _used(part: dict[str, Any]) -> tuple[Any, ...]:
    cost, usual = part["cost"], part["usual"]
    return (
        _name(part),
        f"{part['energy_wh'] / 1000:.3f}",
        cost if cost is None or part["cost_complete"] else f"{cost} or more",
        f"{usual['energy_wh'] / 1000:.3f}" if usual else None,
        f"{part['coverage'] * 100:.1f}",
    )


def _power(part: dict[str, Any]) -> tuple[Any, ...]:
    peak, standby = part["peak"], part["standby"]
    return (
        _name(part),
        _watts(part["mean_w"]),
        _watts(peak["power_w"]) if peak else None,
        _clock(peak["at"]) if peak else None,
        _watts(standby["power_w"]) if standby else None,
        standby["year_cost"] if standby else None,
    )


def _runs(part: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the runs of a meter, all of them together where there are many, as of a fridge."""
    runs = part["runs"]
    if len(runs) <= RUNS_SHOWN:
        return [(part["meter"], *_run_row(run)) for run in runs]
    energy_wh = sum(run["energy_wh"] for run in runs)
    costs = [run["cost"] for run in runs]
    cost = None if None in costs else sum(map(Decimal, costs))
    first, last = _run_row(runs[0]), _run_row(runs[-1])
    return [(f"{part['meter']}, {len(runs)} times", first[0], last[1], f"{energy_wh / 1000:.3f}", cost)]


def _run_row(run: dict[str, Any]) -> tuple[Any, ...]:
    next_day = " the next day" if run["over_midnight"] else ""
    until = _clock(run["end"]) + next_day if run["end"] else "goes on"
    return _clock(run["start"]), until, f"{run['energy_wh'] / 1000:.3f}", run["cost"]


def _clock(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%H:%M:%S")


def _until(text: str, day: str) -> str:
    """Return the time of day at which something of a day ended, 24:00:00 when that is the next midnight."""
    return _clock(text) if text[: len(day)] == day else "24:00:00"


def _watts(power_w: float | None) -> str | None:
    return None if power_w is None else f"{power_w:.1f}"


def _show_power(parts: list[dict[str, Any]], place: int, zone: ZoneInfo) -> None:
    """Print the mean power of the home and of each meter at one of the resolutions."""
    several = [part["power"][place] for part in parts]
    rows = [
        (datetime.fromtimestamp(time_ms / 1000, zone).strftime("%H:%M"), *(_mean(each, row) for each in several))
        for row, time_ms in enumerate(several[0]["time_ms"])
    ]
    print_table((f"{several[0]['resolution_min']} min", *(f"{_name(part)} W" for part in parts)), rows)


def _mean(power: dict[str, Any], row: int) -> str | None:
    value = power["power_w"][row]
    return None if value is None else f"{value:.2f}"


def _show_told(told: dict[str, Any]) -> None:
    at = told["at"][:19].replace("T", " ")
    if not told["differences"]:
        out.print(f"Told as this on {at}.")
        return
    out.print(f"Told otherwise on {at}:")
    for each in told["differences"]:
        out.print(f"  {each}")
