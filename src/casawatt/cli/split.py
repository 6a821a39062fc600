"""`casawatt split`: who owes what of a bill, closed periods, and whose a run was."""

from decimal import Decimal
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from casawatt.cli.asking import ask
from casawatt.cli.bill import EndDayOption, FirstDayOption
from casawatt.cli.client import asked
from casawatt.cli.output import out, print_json, print_table
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find
from casawatt.cli.times import parse_time, utc
from casawatt.clock import WallClock
from casawatt.web.periods import parse_period
from casawatt.web.split import asked_period
from casawatt.web.split_documents import (
    claim_document,
    claims_document,
    ledger_document,
    members_document,
    split_document,
)
from casawatt.web.times import format_time


class ShowGroup(TyperGroup):
    """A group of commands whose `show` need not be typed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - a context of whichever Click Typer has
        """Put `show` before what names no command."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=ShowGroup, help="Show who owes what of a bill, close a month, and claim runs.")

PeriodArgument = Annotated[
    str | None, typer.Argument(help="A billing month: this, last, or the month it begins in, like 2026-10.")
]


@app.command()
def show(
    period: PeriodArgument = None,
    start: FirstDayOption = None,
    end: EndDayOption = None,
    lines: Annotated[bool, typer.Option("--lines", help="Show why: every line of every member.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who owes what. Without a period: of the one to be closed next."""
    document = ask(
        find(config, data),
        lambda service: service.get(asked("split", period=period, start=start, end=end)),
        lambda ports: split_document(ports.splits.statement(*asked_period(ports, period, start, end)), ports.home),
    )
    if as_json:
        print_json(document)
    else:
        _show(document, lines=lines)


@app.command()
def close(
    period: PeriodArgument = None,
    start: FirstDayOption = None,
    end: EndDayOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the split of a period down for good. What changes later is adjusted in the next one."""
    if period is start is None:
        message = "say which period to close"
        raise typer.BadParameter(message, param_hint="PERIOD")
    given = {name: value for name, value in (("period", period), ("start", start), ("end", end)) if value is not None}
    document = ask(
        find(config, data),
        lambda service: service.post("/api/v1/split/close", given),
        lambda ports: split_document(ports.splits.close(*parse_period(ports, period, start, end)), ports.home),
        changing=True,
    )
    if as_json:
        print_json(document)
        return
    _show(document, lines=False)
    out.print()
    out.print("This is written down and will not change.")


@app.command("list")
def list_(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the closed periods."""
    document = ask(
        find(config, data),
        lambda service: service.get("/api/v1/split/closed"),
        lambda ports: ledger_document(ports.splits, ports.home),
    )
    if as_json:
        print_json(document)
        return
    currency = document["currency"]
    rows = [(each["start"], each["end"], clock(each["closed"]), each["total"]) for each in document["closed"]]
    print_table(("from", "until before", "closed", f"total {currency}"), rows)


@app.command()
def members(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the members."""
    document = ask(
        find(config, data),
        lambda service: service.get("/api/v1/members"),
        lambda ports: members_document(ports.splits.members()),
    )
    if as_json:
        print_json(document)
        return
    rows = [
        (each["slug"], each["name"], each["joined"], each["left"], each["room_m2"], each["share"])
        for each in document["members"]
    ]
    print_table(("member", "name", "first day", "last day", "room m2", "share"), rows)


@app.command()
def claims(
    start: Annotated[str, typer.Option(help="From when: today, yesterday, a date or RFC 3339.")] = "1970-01-01",
    end: Annotated[str, typer.Option(help="Until before when.")] = "now",
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the claims that stand."""
    place = find(config, data)
    zone = place.config.home.zone
    start_ms, end_ms = (parse_time(each, zone, WallClock().now_ms()) for each in (start, end))
    if start_ms >= end_ms:
        message = f"{start} is not before {end}"
        raise typer.BadParameter(message, param_hint="--start")
    span = {"start": format_time(start_ms, zone), "end": format_time(end_ms, zone)}
    document = ask(
        place,
        lambda service: service.get(asked("claims", **span)),
        lambda ports: claims_document(ports.splits.claims.list(start_ms, end_ms), ports.home),
    )
    if as_json:
        print_json(document)
        return
    rows = [
        (
            each["id"],
            each["meter"],
            each["member"],
            clock(each["start"]) or "no run",
            clock(each["end"]),
            clock(each["made"]),
        )
        for each in document["claims"]
    ]
    print_table(("id", "meter", "member", "run from", "to", "made"), rows)


@app.command()
def claim(
    meter: Annotated[str, typer.Argument(help="The meter's slug.")],
    time: Annotated[str, typer.Argument(metavar="TIME", help="Any time during the run.")],
    member: Annotated[str, typer.Argument(help="Whose run it was: the name in the config's [member.<name>].")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whose a run was. The last claim of a run holds."""
    place = find(config, data)
    time_ms = parse_time(time, place.config.home.zone, WallClock().now_ms())
    document = ask(
        place,
        lambda service: service.post("/api/v1/claims", {"meter": meter, "at": utc(time_ms), "member": member}),
        lambda ports: claim_document(ports.splits.claims.claim(meter, time_ms, member), ports.home),
        changing=True,
    )
    if as_json:
        print_json(document)
        return
    number, start, end = document["id"], clock(document["start"]), clock(document["end"]) or "now"
    out.print(f"The run of {meter} from {start} to {end} is {member}'s.")
    out.print(f"To take that back: casawatt split unclaim {number}")


@app.command()
def unclaim(
    number: Annotated[int, typer.Argument(metavar="ID", help="The claim's, as `casawatt split claims` shows it.")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a claim back: all is as if it had never been made."""
    document = ask(
        find(config, data),
        lambda service: service.post(f"/api/v1/claims/{number}/undo", {}),
        lambda ports: claim_document(ports.splits.claims.undo(number), ports.home),
        changing=True,
    )
    if as_json:
        print_json(document)
        return
    out.print(f"The claim {number} of {document['member']} on a run of {document['meter']} is taken back.")


def _show(document: dict[str, Any], *, lines: bool) -> None:
    currency = document["currency"]
    state = f"closed {document['closed'][:10]}" if document["closed"] else "open"
    out.print(f"{document['start']} until before {document['end']}, {state}")
    out.print()
    rows = [(each["name"], each["days"], each["amount"], _sum(each), each["total"]) for each in document["members"]]
    rows.append(("together", None, document["bill"], document["adjusted"], document["total"]))
    print_table(("member", "days", f"bill {currency}", f"adjustments {currency}", f"owes {currency}"), rows)
    for each in document["members"] if lines else ():
        out.print()
        reasons = [(line["amount"], line["why"]) for line in (*each["lines"], *each["adjustments"])]
        print_table((currency, "why"), reasons, title=f"{each['name']}: {each['total']} {currency}")
    for note in document["notes"]:
        out.print()
        out.print(note)


def _sum(owed: dict[str, Any]) -> str:
    """Return a member's adjustments together."""
    nothing = abs(Decimal(owed["total"])) * 0  # with as many decimal places as the currency has
    return str(sum((Decimal(each["amount"]) for each in owed["adjustments"]), nothing))


def clock(text: str | None) -> str | None:
    """Return a time of a document as local date and time, to the second."""
    return None if text is None else text[:19].replace("T", " ")
