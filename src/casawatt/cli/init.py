"""`casawatt init`: writes a config by asking."""

import os
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import typer

from casawatt import config as configs
from casawatt.cli.output import err, out
from casawatt.cli.places import ConfigOption, default_config_path

TEMPLATE = """\
# casawatt: the config of one home. Every option is explained in docs/config.md.

[home]
name = {name}
timezone = {timezone}
currency = {currency}
nominal_voltage_v = {voltage}

[web]
host = "127.0.0.1"
port = {web_port}

[source.ecms_udp]
host = "0.0.0.0"
port = {udp_port}

# Devices that send appear on the page as new devices; adopt them there or with
# `casawatt meters adopt`, or write them down here:
#
# [meter.washing-machine]
# name = "Washing machine"
# appliance = "washing_machine"
# source = "ecms_udp"
# address = "5c:cf:7f:01:02:03"
"""


def init(
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take every suggestion without asking.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing config.")] = False,
) -> None:
    """Write a config file by asking a few questions."""
    path = config or default_config_path()
    if path.exists() and not force:
        err.print(f"{path} exists already; nothing was written. Use --force to write over it.")
        raise typer.Exit(1)
    text = first_config(yes=yes)
    configs.parse(text, str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    out.print(f"Wrote {path}. Start with: casawatt serve" + (f" --config {path}" if config else ""))


def first_config(*, yes: bool) -> str:
    """Return the text of a first config, made of what a person answers."""
    return TEMPLATE.format(
        name=quoted(ask("What is the home called?", "Home", yes=yes)),
        timezone=quoted(ask_zone(yes=yes)),
        currency=quoted(ask("Which currency is its electricity paid in?", "EUR", yes=yes).upper()),
        voltage=ask("What is the nominal voltage in V?", "230", yes=yes),
        web_port=ask("On which port shall the page be?", "8480", yes=yes),
        udp_port=ask("On which UDP port do ECMS nodes send?", "4444", yes=yes),
    )


def ask(question: str, suggestion: str, *, yes: bool) -> str:
    """Return the answer, or the suggestion when nobody is to be asked."""
    return suggestion if yes else str(typer.prompt(question, default=suggestion))


def ask_zone(*, yes: bool) -> str:
    """Return the name of a time zone that exists."""
    while True:
        answer = ask("Which time zone is it in?", local_zone(), yes=yes)
        if answer in available_timezones():
            return answer
        err.print(f"No time zone is called {answer!r}; write it like Europe/Rome.")


def local_zone() -> str:
    """Return the machine's time zone by name, `Europe/Rome` when it does not say."""
    name = os.environ.get("TZ", "").lstrip(":")
    if not name:
        link = Path("/etc/localtime")
        parts = link.resolve().parts if link.is_symlink() else ()
        name = "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else ""
    return ZoneInfo(name).key if name in available_timezones() and "/" in name else "Europe/Rome"


def quoted(text: str) -> str:
    """Return a text as a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
