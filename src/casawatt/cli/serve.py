"""`casawatt serve` and `casawatt demo`."""

import asyncio
import logging
from typing import Annotated

import typer

from casawatt import app
from casawatt.cli.output import err, out
from casawatt.cli.places import ConfigOption, DataOption, Place, find

OpenAccessOption = Annotated[
    bool,
    typer.Option("--allow-open-access", help="Serve the page to the whole network although it asks for no password."),
]
VerboseOption = Annotated[bool, typer.Option("--verbose", help="Log more.")]


def serve(
    config: ConfigOption = None,
    data: DataOption = None,
    allow_open_access: OpenAccessOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Run the service: take readings in, keep them, show them. Without a config: the demo home."""
    run(find(config, data), speed=1.0, allow_open_access=allow_open_access, verbose=verbose)


def demo(
    data: DataOption = None,
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="So many times as fast as the clock.")] = 1.0,
    allow_open_access: OpenAccessOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Run the demo home: virtual nodes that send real packets, replaying real recordings."""
    run(find(None, data, demo=True), speed=speed, allow_open_access=allow_open_access, verbose=verbose)


def run(place: Place, *, speed: float, allow_open_access: bool, verbose: bool) -> None:
    """Serve the home at `place` until it is told to stop."""
    log_to_stderr(verbose=verbose)
    if place.demo:
        err.print("[bold]This is the demo home.[/bold] Its devices are virtual; `casawatt init` sets up your own.")
    err.print(f"data in {place.folder}")

    def ready(url: str) -> None:
        out.print(f"listening on {url}")

    if place.demo:
        serving = app.serve_demo(
            place.config, place.folder, speed=speed, allow_open_access=allow_open_access, on_ready=ready
        )
    else:
        serving = app.serve(place.config, place.folder, allow_open_access=allow_open_access, on_ready=ready)
    asyncio.run(serving)


def log_to_stderr(*, verbose: bool) -> None:
    """Let the log go to the error stream, a line each."""
    level = logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
