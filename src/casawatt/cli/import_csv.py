"""`casawatt import csv`: readings from a file of columns."""

from pathlib import Path
from typing import Annotated

import typer

from casawatt.cli.import_run import PreviewOption, YesOption, pairs, run
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find
from casawatt.files import csv_import
from casawatt.files.csv_import import CsvImport, Options
from casawatt.recordings.sniff import Said


def csv(
    file: Annotated[Path, typer.Argument(help="The CSV file, plain or .gz.", exists=True, dir_okay=False)],
    meter: Annotated[str, typer.Option(help="The meter the readings are of; it is made when there is none.")],
    config: ConfigOption = None,
    data: DataOption = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="casawatt, tracebase, uci or columns; found out when not said.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="The zone of times that name none.")] = None,
    time_column: Annotated[
        list[str] | None, typer.Option(help="The column of the time, by heading or number; twice for date and time.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="COLUMN=UNIT: what a column is, e.g. power=kW. Repeatable.")
    ] = None,
    series: Annotated[
        list[str] | None, typer.Option(help="SERIES=METER: where a further series of the file goes. Repeatable.")
    ] = None,
    gap_limit_s: Annotated[
        float | None, typer.Option(min=1, help="Lines further apart than this have a gap between them.")
    ] = None,
    preview: PreviewOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import a meter's readings from a CSV file.

    Importing a file twice changes nothing: a reading is known by its meter and time.
    Exit code 1 when lines were rejected.
    """
    place = find(config, data)
    said = Said(time_columns=tuple(time_column or ()), units=pairs(unit, "--unit"))
    options = Options(
        format=file_format,
        said=said,
        timezone=timezone,
        home_timezone=place.config.home.timezone,
        slug=meter,
        gap_limit_s=gap_limit_s,
    )
    source = CsvImport(csv_import.preview(file, options), place.config.home.nominal_voltage_v)
    run(place, source, pairs(series, "--series"), preview=preview, yes=yes, as_json=as_json)
