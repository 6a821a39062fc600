"""What all imports have in common: show what was understood, ask, record, report."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.progress import Progress

from casawatt.cli.import_home import KnownMeter, Target, known_meters, target_of
from casawatt.cli.import_show import show_preview, show_report
from casawatt.cli.output import err
from casawatt.cli.places import Place
from casawatt.files.import_report import CHANNELS, Report, month_name
from casawatt.files.importable import Batch, Importable, Understood
from casawatt.model.errors import CasawattError, ImportFileError
from casawatt.model.meter import check_slug
from casawatt.recordings.row import Row
from casawatt.web.import_port import ReadingColumns

PreviewOption = Annotated[bool, typer.Option("--preview", help="Only show what is understood of it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Import without asking.")]

LEFT_OUT = "-"
"""In the place of a meter: these rows are not wanted."""


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


def password() -> str | None:
    """Return the password that a person types, None where nobody sits at the terminal."""
    if not err.is_terminal:
        return None
    typed: str = typer.prompt("Password of the database", hide_input=True, err=True)
    return typed


def run(place: Place, source: Importable, said: Mapping[str, str], *, preview: bool, yes: bool, as_json: bool) -> None:
    """Import a source, after showing what was understood of it. `said` maps series to the meters that a person named.

    Leaves with exit code 1 when something was rejected, or the person says no. Raises CasawattError.
    """
    understood = source.understood
    known = known_meters(place)
    wanted = destinations(understood, said, known)
    show_preview(understood, wanted, known, place.config.home.zone, as_json=as_json, alone=preview)
    if preview:
        return
    if not wanted:
        names = ", ".join(each.name for each in understood.series) or "none"
        raise ImportFileError(f"say what is to be imported with --meter NAME=METER; there are: {names}")
    for slug in wanted.values():
        check_slug(slug)
        check_gap_limit(understood, known.get(slug))
    question = f"Import it into {', '.join(dict.fromkeys(wanted.values()))}?"
    if not (yes or as_json or typer.confirm(question, default=True)):
        raise typer.Exit(1)
    report = Report(place.config.home.zone)
    months = record(place, source, wanted, report, quiet=as_json)
    show_report(report, months, wanted, as_json=as_json)
    if report.rejected:
        raise typer.Exit(1)


def destinations(understood: Understood, said: Mapping[str, str], known: Mapping[str, KnownMeter]) -> dict[str, str]:
    """Return the meter that each series goes to: as said, else that of the device that measured it, else its own.

    Raises ImportFileError for a series that is not there.
    """
    names = [each.name for each in understood.series]
    if strange := [name for name in said if name not in names]:
        raise ImportFileError(f"{understood.origin}: there is no {strange[0]!r}; there are: {', '.join(names)}")
    owners = {address: meter.slug for meter in known.values() for _, address in meter.devices}
    found = {}
    for each in understood.series:
        slug = said.get(each.name) or owners.get(each.address or "") or each.slug
        if slug is not None and slug != LEFT_OUT:
            found[each.name] = slug
    return found


def check_gap_limit(understood: Understood, meter: KnownMeter | None) -> None:
    """Raise ImportFileError when rows of power are so far apart that a meter that has its gap limit counts none."""
    if meter is None or understood.by_register or understood.step_s is None or understood.step_s <= meter.gap_limit_s:
        return
    fitting_s = understood.traits.gap_limit_ms / 1000
    way_out = "" if meter.made else f"write gap_limit_s = {fitting_s:g} into its section before it is made, or "
    raise ImportFileError(
        f"the meter {meter.slug} takes readings more than {meter.gap_limit_s:g} s apart for a gap, and these are"
        f" {understood.step_s:g} s apart: none of their energy would count; {way_out}import them into a meter of their"
        " own"
    )


def record(
    place: Place, source: Importable, wanted: dict[str, str], report: Report, *, quiet: bool
) -> dict[tuple[str, str], float]:
    """Record a source's rows; returns the home's energy in Wh by series and month.

    Raises CasawattError or OSError, and says then how far it came.
    """
    try:
        with target_of(place) as target, Progress(console=err, disable=quiet) as progress:
            task = progress.add_task("importing", total=1.0)
            there = target.meters()
            for slug in dict.fromkeys(wanted.values()):
                if slug not in there:
                    target.make(slug, source.understood.traits)
            for batch in source.batches(wanted, report):
                send(target, wanted[batch.series], batch, report)
                progress.update(task, completed=batch.done_ratio)
            progress.update(task, completed=1.0)
            return home_months(target, wanted, report)
    except (CasawattError, OSError):
        if report.recorded:
            err.print(f"after {report.recorded} readings it came to an end; do it again, and what is missing follows")
        raise


def send(target: Target, slug: str, batch: Batch, report: Report) -> None:
    """Record one batch, and note in the report what became of it."""
    answer = target.record(slug, columns_of(batch.rows, batch.device))
    refused = {each.index: each.cause for each in answer.rejected}
    places = [f"{batch.where}{number}" for number in batch.numbers]
    report.answered(batch.series, batch.rows, places, (answer.recorded, answer.duplicates), refused)


def columns_of(rows: tuple[Row, ...], device: str) -> ReadingColumns:
    """Return rows as the columns that the API takes; channels that none has are left out."""
    columns: dict[str, Any] = {}
    for name in CHANNELS:
        values = [getattr(row, name) for row in rows]
        if any(value is not None for value in values):
            columns[name] = values
    return ReadingColumns(time_ms=[row.time_ms for row in rows], device=device or None, **columns)


def home_months(target: Target, wanted: dict[str, str], report: Report) -> dict[tuple[str, str], float]:
    """Return the home's energy in Wh between the first and the last row of each series, by series and month."""
    found = {}
    for series, (start_ms, end_ms) in report.spans.items():
        if end_ms > start_ms:
            for month_ms, energy_wh in target.months(wanted[series], start_ms, end_ms):
                found[series, month_name(report.zone, month_ms)] = energy_wh
    return found
