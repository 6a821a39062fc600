"""`casawatt meters`: list them, make meters of devices, replace their devices."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer

from casawatt.app_home import open_home, ports_of
from casawatt.cli import binding, client
from casawatt.cli.output import amperes, err, out, print_json, print_table, watts
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, Place, find
from casawatt.clock import WallClock
from casawatt.registry import Adoption
from casawatt.web.documents import meters_document

app = typer.Typer(
    help="List the meters; make a meter of a new device; replace a meter's device.", no_args_is_help=False
)
app.command()(binding.show)
app.command()(binding.bind)
app.command()(binding.undo)


@app.callback(invoke_without_command=True)
def meters(
    context: typer.Context, config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List the meters and the new devices: what they use now and have used today."""
    if context.invoked_subcommand is not None:
        return
    document = read(find(config, data))
    if as_json:
        print_json(document)
        return
    zone = ZoneInfo(document["home"]["timezone"])
    rows = [row(meter, zone) for meter in document["meters"]]
    print_table(("meter", "name", "does", "now W", "today kWh", "measured %", "last heard"), rows)
    if not rows:
        out.print("No meters yet.")
    if document["new_devices"]:
        out.print()
        rows = [
            (each["source"], each["address"], each["hint"], watts(each["power_w"]), amperes(each["current_a"]))
            for each in document["new_devices"]
        ]
        print_table(("source", "address", "says it is", "now W", "now A"), rows, title="New devices")
        out.print("Make one a meter with: casawatt meters adopt SLUG SOURCE ADDRESS")
        out.print("Or let it replace a meter's device: casawatt meters bind SLUG SOURCE ADDRESS")


def read(place: Place) -> dict[str, Any]:
    """Return the meters document, from the running service or else from the data."""
    service = client.running(place.folder)
    if service is not None:
        document: dict[str, Any] = service.get("/api/v1/meters")
        return document
    with open_home(place.config, place.folder, WallClock(), read_only=True) as home:
        offline: dict[str, Any] = msgspec.to_builtins(meters_document(ports_of(home, demo=place.demo)))
        return offline


def row(meter: dict[str, Any], zone: ZoneInfo) -> tuple[Any, ...]:
    """Return a meter as a row of the table."""
    at = meter["at"] and datetime.fromisoformat(meter["at"]).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    heard = f"{at} (silent)" if meter["silent"] else at
    today = None if meter["today_wh"] is None else f"{meter['today_wh'] / 1000:.3f}"
    coverage = None if meter["today_coverage"] is None else f"{meter['today_coverage'] * 100:.0f}"
    return meter["slug"], meter["name"], does(meter, zone), watts(meter["power_w"]), today, coverage, heard


def does(meter: dict[str, Any], zone: ZoneInfo) -> str | None:
    """Return what a meter's appliance does, and until when, where that is expected."""
    run = meter["run"]
    state: str | None = meter["state"]
    if run is None or run["expected"] is None:
        return state
    until = datetime.fromisoformat(run["expected"]["end"]["median"]).astimezone(zone).strftime("%H:%M")
    cost = run["expected"]["cost"]
    return f"{state} until about {until}" + (f", {cost['median']} in all" if cost else "")


@app.command()
def adopt(
    slug: Annotated[str, typer.Argument(help="What the meter shall be called in addresses, e.g. washing-machine.")],
    source: Annotated[str, typer.Argument(help="The source that hears the device, e.g. ecms_udp.")],
    address: Annotated[str, typer.Argument(help="The device's address, as `casawatt meters` lists it.")],
    name: Annotated[str | None, typer.Option(help="The name that people read.")] = None,
    appliance: Annotated[str | None, typer.Option(help="What it is, e.g. washing_machine.")] = None,
    parent: Annotated[str | None, typer.Option(help="The meter that this one's power is part of.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Make a meter of a device; what it measures is recorded from then on."""
    place = find(config, data)
    body = {"slug": slug, "name": name or slug, "source": source, "address": address}
    body |= {key: value for key, value in (("appliance", appliance), ("parent", parent)) if value}
    service = client.running(place.folder)
    if service is not None:
        heard = [(each["source"], each["address"]) for each in service.get("/api/v1/meters")["new_devices"]]
        service.post("/api/v1/meters", body)
        if (source, address) not in heard:
            err.print(f"Note: {source} {address} was not heard yet.")
    else:
        err.print("No service runs: whether the device speaks is not known.")
        clock = WallClock()
        with open_home(place.config, place.folder, clock) as home:
            adoption = Adoption(slug, name or slug, source, address, appliance, parent)
            home.registry.adopt(adoption, clock.now_ms())
    out.print(f"{source} {address} now measures for meter {slug}.")
