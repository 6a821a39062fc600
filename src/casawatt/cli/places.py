"""Where the config and the data of a home are, and what stands in for them when there are none."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from casawatt import config as configs
from casawatt.model.errors import ConfigError
from casawatt.virtual.demo import demo_config

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", envvar="CASAWATT_CONFIG", help="The home's config file.", show_default=False),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", envvar="CASAWATT_DATA", help="The folder of the home's data.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@dataclass(frozen=True, slots=True)
class Place:
    """A home's config and data folder. `demo`: there is no config, the demo home stands in."""

    config: configs.Config
    folder: Path
    demo: bool


def default_config_path() -> Path:
    """Return where the config is looked for when nobody says: `$XDG_CONFIG_HOME/casawatt/casawatt.toml`."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "casawatt" / "casawatt.toml"


def default_folder(name: str) -> Path:
    """Return where the data is kept when nobody says: `$XDG_DATA_HOME/casawatt/<name>`."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "casawatt" / name


def find(config_path: Path | None, folder: Path | None, *, demo: bool = False) -> Place:
    """Return the home to work on; without a config it is the demo home, in a data folder of its own.

    Raises ConfigError when a named config cannot be used.
    """
    path = config_path or default_config_path()
    if config_path is not None and not path.exists():
        message = f"{path}: there is no such config file; `casawatt init --config {path}` writes one"
        raise ConfigError(message)
    if demo or not path.exists():
        folder = folder or default_folder("demo")
        return Place(demo_config(folder), folder, demo=True)
    return Place(configs.load(path), folder or default_folder("home"), demo=False)
