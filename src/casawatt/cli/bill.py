"""`casawatt bill` and `casawatt tariffs`: what a period cost, and by which prices."""

from typing import Annotated, Any

import typer

from casawatt.cli.asking import ask
from casawatt.cli.client import asked
from casawatt.cli.output import out, print_json, print_table
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, Place, find
from casawatt.web.bill_documents import bill_document, correction_document, tariffs_document
from casawatt.web.periods import parse_billed_period
from casawatt.web.ports import Ports

PeriodArgument = Annotated[
    str | None,
    typer.Argument(help="this (billing month; the default), last, or the month it begins in, like 2026-10."),
]
FirstDayOption = Annotated[str | None, typer.Option("--start", help="The first day of any other period.")]
EndDayOption = Annotated[str | None, typer.Option("--end", help="The day before which it ends. Default: tomorrow.")]

NEARLY_ALL = 0.99
"""Of a period to compare with that was measured to so much of it nothing needs to be said."""

tariffs_app = typer.Typer(help="What electricity costs from when on.", no_args_is_help=True)


def bill(
    period: PeriodArgument = None,
    start: FirstDayOption = None,
    end: EndDayOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what a period cost, line by line, beside the period before and the year before."""
    document = ask(
        find(config, data),
        lambda service: service.get(asked("bill", period=period, start=start, end=end)),
        lambda ports: bill_document(
            ports, ports.answers.bills.compared(parse_billed_period(ports, period, start, end))
        ),
    )
    if as_json:
        print_json(document)
        return
    currency = document["currency"]
    title = f"{document['billed']}, {document['start']} until before {document['end']}"
    rows: list[tuple[Any, ...]] = [
        (line["tariff"], line["label"], line["amount"], line["why"]) for line in document["lines"]
    ]
    print_table(("tariff", "for", f"{currency}", "how it comes about"), rows, title=title)
    out.print()
    out.print(f"Total {document['total']} {currency} for {document['energy_kwh']:.3f} kWh.")
    if document["ends"]:
        out.print(f"The billing month is not over: it ends before {document['ends']}.")
    for note in document["notes"]:
        out.print(note)
    for name, key in (("The period before", "before"), ("A year before", "year_before")):
        other = document[key]
        if other:
            out.print(
                f"{name} ({other['start']} until before {other['end']}): {other['total']} {currency} for "
                f"{other['energy_kwh']:.3f} kWh; difference {other['difference']} {currency}.{_lacking(other)}"
            )


def _lacking(other: dict[str, Any]) -> str:
    """Return what makes a comparison with another period's bill unfair, if anything does."""
    measured = f" Only {100 * other['coverage']:.0f} % of it was measured." if other["coverage"] < NEARLY_ALL else ""
    return measured + ("" if other["complete"] else " Its bill is not complete.")


@tariffs_app.command("list")
def list_(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the tariffs that hold, and those of the config that would change what time past cost."""
    document = ask(find(config, data), lambda service: service.get("/api/v1/tariffs"), tariffs_document)
    if as_json:
        print_json(document)
        return
    if document["tariffs"]:
        rows = [
            (each["id"], each["start"], each["until"], each["name"], in_words(each["charges"]))
            for each in document["tariffs"]
        ]
        print_table(("id", "from", "until before", "name", "charges"), rows)
    else:
        out.print("There is no tariff: write a section [[tariff]] into the config.")
    for each in document["waiting"]:
        out.print(
            f"{each['name']}, from {each['start']}, is not taken: it would change what was used since "
            f"{each['changes_from']} costs. casawatt tariffs correct shows how much."
        )


def in_words(charges: dict[str, Any]) -> str:
    """Return the charges of a tariff in one line."""
    return ", ".join(f"{name} {_value(value)}" for name, value in charges.items())


def _value(value: object, between: str = "; ") -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={_value(each, ',')}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return between.join(_value(each) for each in value)
    return str(value)


@tariffs_app.command()
def correct(
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this only say what it would change.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take on record the tariffs of the config that change what time past cost, or show what that would change."""
    document = ask(
        find(config, data),
        lambda service: service.post("/api/v1/tariffs/correct", {"apply": apply}),
        lambda ports: correction_document(ports, ports.answers.tariffs.correct(apply=apply)),
        changing=True,
    )
    if as_json:
        print_json(document)
        return
    if not document["tariffs"]:
        out.print("The tariffs on record are those of the config; there is nothing to correct.")
        return
    show_months(document)
    if not document["applied"]:
        out.print("Nothing is changed yet: casawatt tariffs correct --apply does it.")


@tariffs_app.command()
def undo(
    number: Annotated[int, typer.Argument(metavar="ID", help="The tariff's, as `casawatt tariffs list` shows it.")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a tariff back: what stood in its place holds again."""
    document = _undone(find(config, data), number)
    if as_json:
        print_json(document)
        return
    show_months(document)


def _undone(place: Place, number: int) -> dict[str, Any]:
    def offline(ports: Ports) -> object:
        return correction_document(ports, ports.answers.tariffs.undo(number))

    found: dict[str, Any] = ask(
        place, lambda service: service.post(f"/api/v1/tariffs/{number}/undo", {}), offline, changing=True
    )
    return found


def show_months(document: dict[str, Any]) -> None:
    """Print what months came to and come to."""
    for each in document["tariffs"]:
        out.print(f"{each['name']}, from {each['start']}: {in_words(each['charges'])}")
    show_month_changes(document)


def show_month_changes(document: dict[str, Any]) -> None:
    """Print what months came to and come to, where some do."""
    if not document["months"]:
        out.print("No month's bill is different by it.")
        return
    currency = document["currency"]
    rows = [
        (each["start"], each["end"], each["before"], each["after"], each["difference"]) for each in document["months"]
    ]
    columns = ("from", "until before", f"before {currency}", f"after {currency}", f"difference {currency}")
    print_table(columns, rows)
