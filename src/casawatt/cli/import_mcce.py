"""`casawatt import mcce`: what the MCEE program recorded, its day files or its databases."""

from functools import cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from casawatt.cli.import_run import PreviewOption, YesOption, password, run
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find
from casawatt.files import mcce_database
from casawatt.files.importable import Importable
from casawatt.files.mcce_days import DayFiles, day_files


def mcce(
    source: Annotated[
        str,
        typer.Argument(
            metavar="DIR|DATABASE_URL",
            help="The folder of the program or of its day files; or postgresql://user@host/name, or the path of the"
            " SQLite files, with or without their year.",
            show_default=False,
        ),
    ],
    meter: Annotated[str, typer.Option(help="The meter the readings are of; it is made when there is none.")],
    config: ConfigOption = None,
    data: DataOption = None,
    preview: PreviewOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import what the MCEE program recorded: its day files, or the tables of its database.

    Importing it twice changes nothing. The password of a database is taken from CASAWATT_IMPORT_PASSWORD, or asked for.
    Exit code 1 when something was rejected.
    """
    place = find(config, data)
    run(place, look(source, meter, place.config.home.zone), {}, preview=preview, yes=yes, as_json=as_json)


def look(source: str, meter: str, zone: ZoneInfo) -> Importable:
    """Return the day files in a folder, else the databases; raises ImportFileError, PasswordInAddressError."""
    if "://" not in source and day_files(Path(source)):
        return DayFiles(Path(source), meter, zone)
    return mcce_database.look(source, meter, zone, cache(password))
