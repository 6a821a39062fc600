"""`casawatt import ecms`: what the first ECMS collector wrote into MariaDB or MySQL."""

from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from casawatt.cli.import_run import PreviewOption, YesOption, pairs, password, run
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find
from casawatt.files.ecms_database import EcmsDatabase, address_of


def ecms(
    address: Annotated[
        str,
        typer.Argument(metavar="DATABASE_URL", help="The database, as mysql://user@host/name.", show_default=False),
    ],
    meter: Annotated[
        list[str] | None,
        typer.Option(help="MAC=METER: where a node's readings go; MAC=- leaves them out. Repeatable."),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    timezone: Annotated[
        str | None, typer.Option(help="The zone of the times in the table; the server's when not said.")
    ] = None,
    preview: PreviewOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import the table energy_consumption of the first ECMS collector, each node into a meter of its own.

    A node that a meter has already as its device goes into that meter. Importing it twice changes nothing.
    The password is taken from CASAWATT_IMPORT_PASSWORD, or asked for. Exit code 1 when something was rejected.
    """
    check_zone(timezone)
    place = find(config, data)
    home = place.config.home
    source = EcmsDatabase(
        address,
        home_zone=home.zone,
        timezone=timezone,
        nominal_voltage_v=home.nominal_voltage_v,
        ask=cache(password),
    )
    said = {address_of(mac): slug for mac, slug in pairs(meter, "--meter").items()}
    run(place, source, said, preview=preview, yes=yes, as_json=as_json)


def check_zone(name: str | None) -> None:
    """Raise typer.BadParameter for a time zone that does not exist."""
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"no time zone is called {name!r}; write it like Europe/Rome"
        raise typer.BadParameter(message, param_hint="--timezone") from error
