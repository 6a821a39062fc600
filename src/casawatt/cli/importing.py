"""`casawatt import`: readings from a file, into the running service or else straight into the data."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress

from casawatt.app import open_home
from casawatt.app_ports import IMPORT_SOURCE, Imports
from casawatt.cli import client
from casawatt.cli.output import err, out, print_json, print_table, watts
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, Place, find
from casawatt.cli.times import local
from casawatt.clock import WallClock
from casawatt.files import csv_import
from casawatt.files.csv_import import Batch, Options, Preview
from casawatt.files.import_report import Report
from casawatt.model.errors import UnknownMeterError
from casawatt.model.reading import Reading
from casawatt.recorder.keeper import keep, seal
from casawatt.recordings.sniff import Said
from casawatt.registry import Adoption
from casawatt.web.ports import ImportReport, ReadingColumns

Send = Callable[[str, ReadingColumns], ImportReport]
"""Records readings under the meter of that slug."""

CHANNELS = ("power_w", "register_wh", "voltage_v", "current_a", "power_factor_ratio", "charge_as", "boot_id")


def import_(
    file: Annotated[Path, typer.Argument(help="The CSV file, plain or .gz.", exists=True, dir_okay=False)],
    meter: Annotated[str, typer.Option(help="The meter the readings are of; it is made when there is none.")],
    config: ConfigOption = None,
    data: DataOption = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="casawatt, tracebase, uci or columns; found out when not said.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="The zone of times that name none.")] = None,
    time_column: Annotated[
        list[str] | None, typer.Option(help="The column of the time, by heading or number; twice for date and time.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="COLUMN=UNIT: what a column is, e.g. power=kW. Repeatable.")
    ] = None,
    series: Annotated[
        list[str] | None, typer.Option(help="SERIES=METER: where a further series of the file goes. Repeatable.")
    ] = None,
    gap_limit_s: Annotated[
        float | None, typer.Option(min=1, help="Lines further apart than this have a gap between them.")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what is understood of the file.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Import without asking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Import a meter's readings from a CSV file, after showing what was understood of it.

    Importing a file twice changes nothing: a reading is known by its meter and time.
    Exit code 1 when lines were rejected.
    """
    place = find(config, data)
    said = Said(time_columns=tuple(time_column or ()), units=pairs(unit, "--unit"))
    options = Options(
        format=file_format,
        said=said,
        timezone=timezone,
        home_timezone=place.config.home.timezone,
        address=meter,
        gap_limit_s=gap_limit_s,
    )
    understood = csv_import.preview(file, options)
    if not as_json:
        show_preview(understood, place)
    if preview:
        if as_json:
            print_json(msgspec.to_builtins(understood, enc_hook=str))
        return
    if not (yes or as_json or typer.confirm(f"Import it into meter {meter}?", default=True)):
        raise typer.Exit(1)
    targets = {"": meter, **pairs(series, "--series")}
    report, skipped = record(place, understood, targets, quiet=as_json)
    show_report(report, skipped, place, as_json=as_json)
    if report.rejected:
        raise typer.Exit(1)


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """Return `NAME=VALUE` options as a mapping; raises typer.BadParameter."""
    found = {}
    for text in given or ():
        name, equals, value = text.rpartition("=")
        if not (name and equals and value):
            message = f"{option} is written NAME=VALUE, not {text!r}"
            raise typer.BadParameter(message)
        found[name] = value
    return found


def show_preview(understood: Preview, place: Place) -> None:
    """Print what was understood of a file."""
    plan = understood.plan
    step = f", a line every {understood.step_s:g} s" if understood.step_s else ""
    out.print(f"[bold]{understood.path}[/bold] is read as {plan.format}{step}; times are {plan.timezone}")
    for column, meaning in understood.columns:
        out.print(f"  {column}: {'left out' if meaning == '-' else meaning}")
    for note in understood.notes:
        out.print(f"  note: {note}")
    zone = place.config.home.zone
    rows = [
        (local(row.time_ms, zone), row.part or None, watts(row.power_w), row.register_wh) for row in understood.rows
    ]
    print_table(("time", "series", "power W", "register Wh"), rows)
    for number, why in understood.refused[:5]:
        out.print(f"  line {number} cannot be understood: {why}")


def record(place: Place, understood: Preview, targets: dict[str, str], *, quiet: bool) -> tuple[Report, dict[str, int]]:
    """Record a file's readings; returns the report, and how many readings of which series had no meter to go to."""
    plan = understood.plan
    report = Report(plan.traits.gap_limit_ms)
    skipped: dict[str, int] = defaultdict(int)
    now_ms = WallClock().now_ms()
    with sender(place, understood, targets) as send, Progress(console=err, disable=quiet) as progress:
        task = progress.add_task(f"importing {understood.path.name}", total=1.0)
        for batch in csv_import.read(understood.path, plan, now_ms, report):
            send_batch(batch, plan.format == "casawatt", targets, send, report, skipped)
            progress.update(task, completed=batch.done_ratio)
        progress.update(task, completed=1.0)
    return report, dict(skipped)


def send_batch(
    batch: Batch, parts_are_devices: bool, targets: dict[str, str], send: Send, report: Report, skipped: dict[str, int]
) -> None:
    """Send one batch, series by series, and note in the report what became of it."""
    by_part: dict[str, list[int]] = defaultdict(list)
    for index, reading in enumerate(batch.readings):
        by_part[reading.address.partition("/")[2]].append(index)
    for part, indexes in by_part.items():
        slug = targets[""] if parts_are_devices else targets.get(part)
        if slug is None:
            skipped[part] += len(indexes)
            continue
        columns = columns_of([batch.readings[index] for index in indexes], part if parts_are_devices else "")
        answer = send(slug, columns)
        rejected = [(batch.line_numbers[indexes[each.index]], each.cause) for each in answer.rejected]
        report.answered(answer.recorded, answer.duplicates, rejected)


def columns_of(readings: list[Reading], device: str) -> ReadingColumns:
    """Return readings as the columns that the API takes; channels that none has are left out."""
    columns: dict[str, Any] = {}
    for name in CHANNELS:
        values = [getattr(reading, name) for reading in readings]
        if any(value is not None for value in values):
            columns[name] = values
    return ReadingColumns(time_ms=[reading.time_ms or 0 for reading in readings], device=device or None, **columns)


@contextmanager
def sender(place: Place, understood: Preview, targets: dict[str, str]) -> Iterator[Send]:
    """Yield what records readings: the running service's API, or the data itself when no service runs."""
    service = client.running(place.folder)
    if service is not None:
        make_meters_by_api(service, targets, understood.plan.gap_limit_s)
        yield lambda slug, columns: send_by_api(service, slug, columns)
        return
    clock = WallClock()
    with open_home(place.config, place.folder, clock) as home:
        for slug in targets.values():
            try:
                home.registry.meter(slug)
            except UnknownMeterError:
                adoption = Adoption(slug, slug, IMPORT_SOURCE, slug, traits=understood.plan.traits)
                home.registry.adopt(adoption, clock.now_ms())
        imports = Imports(home.store, home.registry, home.recorder, clock)

        def send(slug: str, columns: ReadingColumns) -> ImportReport:
            answer = asyncio.run(imports.record(slug, columns))
            keep(home.store, home.recorder)
            return answer

        yield send
        seal(home.store, home.recorder)


def make_meters_by_api(service: client.Client, targets: dict[str, str], gap_limit_s: float) -> None:
    """Make those of the meters that the service does not have yet."""
    known = {meter["slug"] for meter in service.get("/api/v1/meters")["meters"]}
    for slug in targets.values():
        if slug not in known:
            body = {"slug": slug, "name": slug, "source": IMPORT_SOURCE, "address": slug, "gap_limit_s": gap_limit_s}
            service.post("/api/v1/meters", body)


def send_by_api(service: client.Client, slug: str, columns: ReadingColumns) -> ImportReport:
    """Record readings through the running service."""
    body = {name: value for name, value in msgspec.to_builtins(columns).items() if value is not None}
    return msgspec.convert(service.post(f"/api/v1/meters/{slug}/readings", body), ImportReport)


def show_report(report: Report, skipped: dict[str, int], place: Place, *, as_json: bool) -> None:
    """Print what became of the file."""
    zone = place.config.home.zone
    if as_json:
        print_json(
            {
                "lines": report.lines,
                "readings": report.readings,
                "recorded": report.recorded,
                "duplicates": report.duplicates,
                "rejected": dict(report.rejected),
                "rejected_lines": [msgspec.to_builtins(each) for each in report.rejected_lines],
                "skipped_series": skipped,
                "first": local(report.first_ms, zone),
                "last": local(report.last_ms, zone),
                "energy_wh": report.energy_wh,
            }
        )
        return
    out.print(
        f"{report.lines} lines, {report.readings} readings from {local(report.first_ms, zone)}"
        f" to {local(report.last_ms, zone)}: {report.recorded} recorded, {report.duplicates} there already,"
        f" {sum(report.rejected.values())} rejected."
    )
    for name, energy_wh in report.energy_wh.items():
        out.print(f"  {name}: {energy_wh / 1000:.3f} kWh in the file")
    for part, count in skipped.items():
        out.print(f"  series {part}: {count} readings left out; take them with --series {part}=METER")
    for cause, count in report.rejected.items():
        out.print(f"  rejected, {cause}: {count}")
    for line in report.rejected_lines[:20]:
        out.print(f"  line {line.line_number}: {line.detail}: {line.text!r}")
