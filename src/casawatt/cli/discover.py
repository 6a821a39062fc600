"""`casawatt discover`: finds devices, lists them, and writes the chosen ones into the config."""

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Annotated, Any

import msgspec
import typer

from casawatt import config as configs
from casawatt.app_home import open_home
from casawatt.app_sources import load_sources
from casawatt.cli import client
from casawatt.cli.choose import choose, named, put_into_config
from casawatt.cli.output import err, out, print_json, print_table
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, Place, default_config_path, find
from casawatt.clock import WallClock
from casawatt.discovery import Discovery, owners_of
from casawatt.store.schema import DATABASE_NAME
from casawatt.web.findings import FailureDocument, FindingDocument

ASK_EVERY_S = 0.25
OVERDUE_S = 30.0
"""So much longer than it was given may the search of a service take."""

Progress = Callable[[list[str]], None]
"""Is told which sources are still looking."""


class Found(msgspec.Struct, frozen=True):
    """What a search has found, and the sources that could not look."""

    found: list[FindingDocument]
    failed: list[FailureDocument]


def discover(
    config: ConfigOption = None,
    data: DataOption = None,
    timeout: Annotated[float, typer.Option(min=1, max=60, help="How many seconds each source may look.")] = 5.0,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add", metavar="SOURCE/ADDRESS[=SLUG]", help="Write this one into the config without asking; repeatable."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look for devices on the network, on brokers and at serial ports, and write the chosen ones into the config.

    USB serial adapters that nobody uses are sent four bytes, the poll of an MCEE meter.
    """
    place = find(config, data)
    if place.demo:
        place = Place(configs.parse("", "no config"), place.folder, demo=True)
    outcome = look(place, timeout, quiet=as_json)
    if as_json:
        print_json(msgspec.to_builtins(outcome))
    else:
        show(outcome)
    taken = {channel.meter for each in outcome.found for channel in each.channels if channel.meter}
    taken |= {*place.config.meters}
    if add:
        chosen = named(add, outcome.found, taken)
    elif as_json or not sys.stdin.isatty() or not outcome.found:
        return
    else:
        chosen = choose(outcome.found, taken)
    if chosen:
        path = None if place.demo else config or default_config_path()
        put_into_config(path, chosen, ask=not add)


def look(place: Place, timeout_s: float, *, quiet: bool) -> Found:
    """Return what is found by the service that runs on the place or, if none does, from here."""
    service = None if place.demo else client.running(place.folder)
    what = f"Looking for devices for {timeout_s:g} s"
    with nullcontext() if quiet else err.status(what) as status:

        def progress(waiting: list[str]) -> None:
            if status is not None:
                status.update(f"{what}: {', '.join(waiting)}")

        if service is not None:
            return look_by_service(service, timeout_s, progress)
        return asyncio.run(look_from_here(place, timeout_s, progress))


def look_by_service(service: client.Client, timeout_s: float, progress: Progress) -> Found:
    """Return what the running service finds: it has the ports and the brokers. Raises ServiceError."""
    document = service.post("/api/v1/discovery", {"timeout_s": timeout_s})
    deadline_s = time.monotonic() + timeout_s + OVERDUE_S
    while document["running"] and time.monotonic() < deadline_s:
        progress(document["waiting"])
        time.sleep(ASK_EVERY_S)
        document = service.get("/api/v1/discovery")
    return msgspec.convert(document, Found)


async def look_from_here(place: Place, timeout_s: float, progress: Progress) -> Found:
    """Return what is found without a service."""
    options = {source.name: source.options for source in load_sources(place.config)}
    owners = owners_at(place)
    discovery = Discovery(
        place.config,
        options,
        WallClock(),
        lambda: owners,
        on_change=lambda: progress(discovery.waiting),
    )
    await discovery.look(timeout_s)
    search = discovery.search()
    return Found(search.found, search.failed)


def owners_at(place: Place) -> dict[tuple[str, str], str]:
    """Return which meter each device measures for now, as the data and the config say."""
    owners = {(meter.source, meter.address): slug for slug, meter in place.config.meters.items()}
    if not (place.folder / DATABASE_NAME).exists() or place.demo:
        return owners
    with open_home(place.config, place.folder, WallClock(), read_only=True) as home:
        return owners_of(home.registry) | owners


def show(outcome: Found) -> None:
    """Print what was found, numbered, and below it who could not look."""
    rows = [row(number, each) for number, each in enumerate(outcome.found, 1)]
    if rows:
        print_table(("no.", "source", "name", "model", "where", "address", "meter", "note"), rows)
    else:
        out.print("No device was found.")
    for failure in outcome.failed:
        err.print(f"{failure.source} could not look: {failure.why}", style="yellow")


def row(number: int, found: FindingDocument) -> tuple[Any, ...]:
    """Return a device as a row of the table, a line for each of its channels."""
    addresses = "\n".join(channel.address for channel in found.channels) or None
    meters = "\n".join(channel.meter or "–" for channel in found.channels) or None
    return number, found.source, found.name, found.model, found.where, addresses, meters, found.note
