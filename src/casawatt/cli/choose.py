"""Choosing among devices that were found, and writing the chosen ones into the config."""

import difflib
from collections.abc import Collection, Sequence
from pathlib import Path

import typer

from casawatt import config as configs
from casawatt import config_additions
from casawatt.app_sources import load_sources
from casawatt.cli.init import first_config
from casawatt.cli.output import err, out
from casawatt.cli.places import default_config_path
from casawatt.config_additions import Addition, slug_of
from casawatt.discovery import addition_of, suggested_slugs
from casawatt.model.errors import ConfigError, RegistryError
from casawatt.model.found import Found
from casawatt.model.meter import check_slug
from casawatt.web.findings import FindingDocument


def named(wishes: Sequence[str], found: Sequence[FindingDocument], taken: Collection[str]) -> list[Addition]:
    """Return what `--add` asks for; raises typer.BadParameter for what was not found or cannot be."""
    additions: list[Addition] = []
    used = set(taken)
    for wish in wishes:
        device, _, slug = wish.partition("=") if "=" in wish else (wish, "", "")
        source, slash, address = device.partition("/")
        if not slash or not address:
            raise typer.BadParameter(f"{wish!r}: write SOURCE/ADDRESS=SLUG, as in shelly/shellyplugs-a1b2=kettle")
        finding, addresses = find_device(source, address, found)
        if slug and len(addresses) != 1:
            raise typer.BadParameter(
                f"{wish!r}: {device} has the channels {', '.join(addresses) or 'none yet'}; name one of them"
            )
        slugs = {}
        for channel in addresses:
            name = slug or suggested_slugs(device_of(finding, (channel,)), {}, used)[channel]
            slugs[channel] = free_slug(name, used)
            used.add(name)
        additions.append(addition_of(device_of(finding), slugs))
    return additions


def find_device(source: str, address: str, found: Sequence[FindingDocument]) -> tuple[FindingDocument, list[str]]:
    """Return the device of that address, or reached there, and which of its channels are meant."""
    for each in found:
        channels = [channel for channel in each.channels if channel.address == address]
        if each.source != source or not (channels or each.where == address):
            continue
        for channel in channels:
            if channel.meter is not None:
                raise typer.BadParameter(f"{source}/{address} measures for the meter {channel.meter} already")
        meant = channels or [channel for channel in each.channels if channel.meter is None]
        return each, [channel.address for channel in meant]
    there = [f"{each.source}/{channel.address}" for each in found for channel in each.channels]
    raise typer.BadParameter(f"{source}/{address} was not found; found were: {', '.join(there) or 'none'}")


def choose(found: Sequence[FindingDocument], taken: Collection[str]) -> list[Addition]:
    """Ask which of the devices shall be written into the config, and what their meters shall be called."""
    while True:
        answer = typer.prompt(
            "Which shall be written into the config? Numbers, or Enter for none", default="", show_default=False
        )
        numbers = answer.replace(",", " ").split()
        if all(number.isdecimal() and 1 <= int(number) <= len(found) for number in numbers):
            break
        err.print(f"Write numbers from 1 to {len(found)}, with spaces between them.")
    additions: list[Addition] = []
    used = set(taken)
    for number in dict.fromkeys(int(number) for number in numbers):
        finding = found[number - 1]
        owners = {(finding.source, channel.address): channel.meter for channel in finding.channels if channel.meter}
        slugs = suggested_slugs(device_of(finding), owners, used)
        for address, suggestion in slugs.items():
            slugs[address] = ask_slug(address, suggestion, used)
            used.add(slugs[address])
        additions.append(addition_of(device_of(finding), slugs))
    return additions


def ask_slug(address: str, suggestion: str, used: Collection[str]) -> str:
    """Return a slug that can be had for the channel."""
    while True:
        answer = typer.prompt(f"What shall the meter of {address} be called?", default=slug_of(suggestion, used))
        try:
            return free_slug(answer, used)
        except typer.BadParameter as error:
            err.print(str(error))


def free_slug(slug: str, used: Collection[str]) -> str:
    """Return the slug; raises typer.BadParameter when it can name no meter, or does already."""
    try:
        check_slug(slug)
    except RegistryError as error:
        raise typer.BadParameter(str(error)) from error
    if slug in used:
        raise typer.BadParameter(f"there is a meter {slug!r} already")
    return slug


def device_of(finding: FindingDocument, addresses: tuple[str, ...] | None = None) -> Found:
    """Return the device as its source told of it, or with these channels alone."""
    return Found(
        source=finding.source,
        addresses=tuple(channel.address for channel in finding.channels) if addresses is None else addresses,
        where=finding.where,
        name=finding.name,
        model=finding.model,
        options=dict(finding.options),
        note=finding.note,
    )


def put_into_config(path: Path | None, additions: Sequence[Addition], *, ask: bool) -> None:
    """Show what changes in the config at `path` and write it; without a config (None), make one or show the lines.

    Raises ConfigError when it cannot be, and then nothing is written.
    """
    if path is None and not (ask and typer.confirm("There is no config yet. Write one?", default=True)):
        err.print("There is no config; `casawatt init` writes one. These lines belong into it:")
        print(config_additions.with_additions("", "the config", additions), end="")
        return
    before = config_additions.read(path) if path else None
    text = before if before is not None else first_config(yes=False)
    path = path or default_config_path()
    after = config_additions.with_additions(text, str(path), additions)
    load_sources(configs.parse(after, str(path)))
    if after == text:
        out.print(f"{path} says all of this already.")
        return
    show_difference(before or "", after, path)
    if ask and not typer.confirm(f"Write this into {path}?", default=True):
        out.print("Nothing was written.")
        return
    try:
        config_additions.write(path, after, before=before)
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror or error}; nothing was changed"
        raise ConfigError(message) from error
    kept = "" if before is None else f"; what it said before is in {path.name}.bak"
    out.print(f"Wrote {path}{kept}. A service that runs must be started anew to read it.")


def show_difference(before: str, after: str, path: Path) -> None:
    """Print what is added, with a few lines around it."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), str(path), n=2, lineterm="")
    for line in lines:
        out.print(line, style="green" if line.startswith("+") else None)
