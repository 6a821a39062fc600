"""`casawatt import`: history that exists already, from files and databases."""

import typer

from casawatt.cli import import_csv, import_ecms, import_homeassistant, import_mcce

app = typer.Typer(
    help="Import history that exists already, after showing what was understood of it.", no_args_is_help=True
)
app.command("csv")(import_csv.csv)
app.command("mcce")(import_mcce.mcce)
app.command("ecms")(import_ecms.ecms)
app.command("homeassistant")(import_homeassistant.homeassistant)
