"""`casawatt live`: what uses how much now, in the terminal."""

from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.live import Live
from rich.table import Table

from casawatt.cli import client
from casawatt.cli.meters import row
from casawatt.cli.output import err, out, print_json
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find

BAR_CELLS = 24


def live(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show what uses how much now, until Ctrl-C. With --json: a line for each change."""
    place = find(config, data)
    service = client.running(place.folder)
    if service is None:
        err.print(f"No service runs on {place.folder}; start it with `casawatt serve`.")
        raise typer.Exit(1)
    try:
        if as_json:
            for kind, content in service.events("/api/v1/live"):
                print_json({"event": kind, "data": content})
            return
        watch(service)
    except KeyboardInterrupt:
        return


def watch(service: client.Client) -> None:
    """Draw the table anew with each event."""
    meters: dict[str, dict[str, Any]] = {}
    zone = ZoneInfo("UTC")
    title = service.url
    with Live(console=out, auto_refresh=False, screen=out.is_terminal) as screen:
        for kind, content in service.events("/api/v1/live"):
            if kind == "snapshot":
                zone = ZoneInfo(content["home"]["timezone"])
                title = content["home"]["name"]
                meters = {meter["slug"]: meter for meter in content["meters"]}
            elif kind == "meter":
                meters[content["slug"]] = content
            screen.update(table(title, meters, zone), refresh=True)


def table(title: str, meters: dict[str, dict[str, Any]], zone: ZoneInfo) -> Table:
    """Return the meters as a table, what uses most first, with a bar for its share of the highest."""
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("name", "does", "now", "", "today kWh", "measured %", "last heard"):
        drawn.add_column(name, justify="right" if name in ("now", "today kWh", "measured %") else "left")
    ordered = sorted(meters.values(), key=lambda meter: -(meter["power_w"] or 0))
    highest_w = max((meter["power_w"] or 0 for meter in ordered), default=0)
    for meter in ordered:
        cells = ["–" if cell is None else str(cell) for cell in row(meter, zone)]
        _slug, name, does, power, today, coverage, heard = cells
        bar = "█" * (round(BAR_CELLS * max(meter["power_w"] or 0, 0) / highest_w) if highest_w > 0 else 0)
        drawn.add_row(name, does, power, bar, today, coverage, heard, style="dim" if meter["silent"] else None)
    return drawn
