"""`casawatt meters bind`, `undo` and `show`: which device measures for a meter, and what was decided about it."""

from typing import Annotated, Any

import typer

from casawatt.cli.asking import ask
from casawatt.cli.client import ServiceError
from casawatt.cli.output import out, print_json, print_table, watts
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, Place, find
from casawatt.cli.repair import MeterArgument, corrections_of, show_days
from casawatt.cli.times import parse_time
from casawatt.clock import WallClock
from casawatt.model.errors import TakenError
from casawatt.web.details import meter_detail_document
from casawatt.web.repair import LAST
from casawatt.web.repair_documents import rebound_document
from casawatt.web.times import format_time


def bind(
    meter: MeterArgument,
    source: Annotated[str, typer.Argument(help="The source that hears the new device, e.g. tasmota.")],
    address: Annotated[str, typer.Argument(help="The new device's address, as `casawatt meters` lists it.")],
    from_: Annotated[
        str | None, typer.Option("--from", help="Since when it measures: yesterday, a date or RFC 3339. Default: now.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take it from the meter it measures for without asking.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let another device measure for a meter; its history goes on."""
    place = find(config, data)
    now_ms = WallClock().now_ms()
    from_ms = None if from_ is None else parse_time(from_, place.config.home.zone, now_ms)
    device = source, address
    try:
        document = _bind(place, meter, device, from_ms, move=yes)
    except (TakenError, ServiceError) as error:
        fault = error.field if isinstance(error, TakenError) else error.parameter
        if fault != "address" or not typer.confirm(f"{error}. Take it from there?"):
            raise
        document = _bind(place, meter, device, from_ms, move=True)
    if as_json:
        print_json(document)
        return
    since = "from now on" if from_ms is None else f"since {document['binding']['from']}"
    out.print(f"{source} {address} measures for {meter} {since}. To take that back: casawatt meters undo {meter}")
    _show_rest(place, meter, document)


def _bind(place: Place, slug: str, device: tuple[str, str], from_ms: int | None, *, move: bool) -> dict[str, Any]:
    source, address = device
    body: dict[str, Any] = {"source": source, "address": address, "move": move}
    if from_ms is not None:
        body["from"] = format_time(from_ms, place.config.home.zone)
    document: dict[str, Any] = ask(
        place,
        lambda service: service.post(f"/api/v1/meters/{slug}/bindings", body),
        lambda ports: rebound_document(
            ports.repairs.bind(ports.meters.meter(slug), source, address, from_ms, move=move), ports.home
        ),
        changing=True,
    )
    return document


def undo(
    meter: MeterArgument,
    number: Annotated[
        int | None, typer.Option("--binding", help="Its id, as `casawatt meters show` lists it. Default: the last one.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back that a device was bound to a meter: all is as if that had never been done."""
    place = find(config, data)
    which = LAST if number is None else str(number)
    document = ask(
        place,
        lambda service: service.post(f"/api/v1/meters/{meter}/bindings/{which}/undo", {}),
        lambda ports: rebound_document(ports.repairs.undo_bind(ports.meters.meter(meter), number), ports.home),
        changing=True,
    )
    if as_json:
        print_json(document)
        return
    was = document["binding"]
    now = f"{document['source']} {document['address']} measures" if document["source"] else "no device measures"
    out.print(f"Taken back: {was['source']} {was['address']} for {meter}. Now {now} for it.")
    _show_rest(place, meter, document)


def _show_rest(place: Place, slug: str, document: dict[str, Any]) -> None:
    """Print what else has become different: other meters, the config, the days' energy."""
    for other in document["bereft"]:
        out.print(f"{other} has no device now.")
    configured = place.config.meters.get(slug)
    if configured is not None and (configured.source, configured.address) != (document["source"], document["address"]):
        out.print(f"{place.config.document.path}: [meter.{slug}] says so now.")
    show_days(document["days"])


def show(
    meter: MeterArgument, config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Show a meter with its devices, calibrations and corrections, each with its dates."""
    place = find(config, data)
    document = ask(
        place,
        lambda service: service.get(f"/api/v1/meters/{meter}"),
        lambda ports: meter_detail_document(ports, ports.meters.meter(meter)),
    )
    corrections = corrections_of(place, meter)
    if as_json:
        print_json(document | {"corrections": corrections})
        return
    heard = "never heard" if document["at"] is None else f"last heard {document['at']}"
    out.print(f"{document['slug']}: {document['name']}, now {watts(document['power_w']) or 'unknown'}, {heard}")
    out.print(f"Set aside in the last seven days: {document['set_aside_week'] or 'nothing'}")
    out.print()
    rows: list[tuple[Any, ...]] = [
        (each["id"], each["source"], each["address"], each["from"] or "always", each["to"] or "still")
        for each in document["bindings"]
    ]
    print_table(("id", "source", "address", "from", "to"), rows, title="Devices")
    out.print()
    rows = [
        (
            each["from"] or "always",
            f"{each['nominal_voltage_v']:g} V",
            f"{each['power_factor_ratio']:g}",
            each["cadence"],
            f"{each['gap_limit_s']:g} s",
            "none" if each["limit_w"] is None else watts(each["limit_w"]),
        )
        for each in document["calibrations"]
    ]
    print_table(("from", "voltage", "power factor", "cadence", "gap limit", "limit"), rows, title="Calibrations")
    if corrections:
        out.print()
        rows = [
            (each["id"], each["action"], each["from"], each["to"], each["made"][:10], each["note"])
            for each in corrections
        ]
        print_table(("id", "action", "from", "to", "made", "note"), rows, title="Corrections")
