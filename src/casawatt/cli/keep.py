"""`casawatt backup` and `casawatt restore`."""

from pathlib import Path
from typing import Annotated

import typer

from casawatt.cli.output import out
from casawatt.cli.places import ConfigOption, DataOption, find
from casawatt.store.backup import backup as backup_folder
from casawatt.store.backup import restore as restore_file


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, e.g. home-2026-11-22.casawatt.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Copy all data into one file, also while the service runs."""
    place = find(config, data)
    backup_folder(place.folder, file)
    out.print(f"{place.folder} copied to {file} ({file.stat().st_size / 1e6:.1f} MB).")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `casawatt backup` made.", exists=True, dir_okay=False)],
    config: ConfigOption = None,
    data: DataOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the data that is there now.")] = False,
) -> None:
    """Bring a backup back as the home's data; the copy is checked before anything is touched."""
    place = find(config, data)
    restore_file(file, place.folder, overwrite=replace)
    out.print(f"{file} is now the data in {place.folder}.")
