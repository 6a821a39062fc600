"""`casawatt import homeassistant`: the energy statistics of a recorder database."""

from pathlib import Path
from typing import Annotated

import typer

from casawatt.cli.import_run import PreviewOption, YesOption, pairs, run
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find
from casawatt.files.homeassistant import HomeAssistantFile


def homeassistant(
    file: Annotated[
        Path,
        typer.Argument(
            help="The recorder's database, home-assistant_v2.db; it may be in use.", exists=True, dir_okay=False
        ),
    ],
    meter: Annotated[
        list[str] | None,
        typer.Option(help="STATISTIC_ID=METER: a statistic to import, and the meter it goes to. Repeatable."),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    preview: PreviewOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import energy statistics of Home Assistant; `--preview` lists what there is.

    Importing it twice changes nothing. Exit code 1 when something was rejected.
    """
    said = pairs(meter, "--meter")
    source = HomeAssistantFile(file, said)
    run(find(config, data), source, said, preview=preview, yes=yes, as_json=as_json)
