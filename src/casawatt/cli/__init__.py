"""The command line, one file a command group."""

import sys

import typer

from casawatt import __version__
from casawatt.cli import (
    bill,
    digest,
    discover,
    doctor,
    events,
    exporting,
    importing,
    init,
    keep,
    live,
    meters,
    patterns,
    prices,
    programmes,
    repair,
    runs,
    serve,
    split,
    supply,
    whatif,
)
from casawatt.cli.output import complain
from casawatt.model.errors import CasawattError, ConfigError, StoreBusyError, StoreCorruptError

EXIT_FAILED = 1
EXIT_CONFIG = 2
EXIT_BUSY = 3
EXIT_CORRUPT = 4

app = typer.Typer(
    name="casawatt",
    help="A home energy monitor whose figures can be trusted with money.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve.serve)
app.command()(serve.demo)
app.command()(init.init)
app.command()(doctor.doctor)
app.command()(discover.discover)
app.add_typer(meters.app, name="meters")
app.add_typer(repair.app, name="repair")
app.add_typer(split.app, name="split")
app.add_typer(prices.app, name="prices")
app.command()(live.live)
app.command()(events.events)
app.command()(supply.supply)
app.command()(supply.alarms)
app.command()(bill.bill)
app.command()(whatif.whatif)
app.command()(digest.digest)
app.command()(patterns.patterns)
app.add_typer(bill.tariffs_app, name="tariffs")
runs.app.command("programmes")(programmes.list_programmes)
runs.app.command()(programmes.name)
runs.app.command()(programmes.unname)
app.add_typer(runs.app, name="runs")
app.command("export")(exporting.export)
app.add_typer(importing.app, name="import")
app.command()(keep.backup)
app.command()(keep.restore)


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def exit_code(error: CasawattError) -> int:
    """Return the exit code that tells a caller what kind of error it was."""
    if isinstance(error, ConfigError):
        return EXIT_CONFIG
    if isinstance(error, StoreBusyError):
        return EXIT_BUSY
    if isinstance(error, StoreCorruptError):
        return EXIT_CORRUPT
    return EXIT_FAILED


def run() -> None:
    """Run the command that was typed; an expected error ends in one line and an exit code."""
    try:
        app()
    except CasawattError as error:
        complain(error)
        sys.exit(exit_code(error))
    except OSError as error:
        complain(error)
        sys.exit(EXIT_FAILED)
