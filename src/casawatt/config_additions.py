"""Adds sources and meters to the text of a config, and leaves the rest of it as it was written."""

import re
import shutil
import tomllib
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError

from casawatt.config_document import Document, split_key
from casawatt.config_edit import replace_text
from casawatt.model.errors import ConfigError
from casawatt.model.found import Item, Option

SLUG_MAX = 60
"""Leaves room for a number, where a slug is taken."""

LIKE_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "o"})
"""Letters that Unicode does not take apart."""


class NewMeter(msgspec.Struct, frozen=True):
    """A meter to be written: `[meter.<slug>]`."""

    slug: str
    name: str
    address: str


class Addition(msgspec.Struct, frozen=True):
    """What a config needs so as to read a device: options of `[source.<source>]`, and a meter a channel."""

    source: str
    options: Mapping[str, Option]
    meters: tuple[NewMeter, ...] = ()


def slug_of(name: str, taken: Collection[str]) -> str:
    """Return a slug made of a name: `Lavatrice (bagno)` becomes `lavatrice-bagno`; a number follows where it is taken.

    The page makes them by the same rule.
    """
    apart = unicodedata.normalize("NFKD", name.translate(LIKE_LETTERS))
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter)).lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_MAX].rstrip("-") or "meter"
    slug, count = base, 1
    while slug in taken:
        count += 1
        slug = f"{base}-{count}"
    return slug


def lines_for(addition: Addition, section: Mapping[str, Any] | None) -> str:
    """Return the lines that a person would write for an addition.

    `section` is what `[source.<source>]` says already, None when it is not there; nothing that it says is repeated,
    but for lists, which are shown whole.
    """
    wanted = {
        key: _whole_list((section or {}).get(key), value) if isinstance(value, list) else value
        for key, value in addition.options.items()
        if not is_said(section, key, value)
    }
    parts = [section_text(f"source.{addition.source}", wanted)] if wanted or section is None else []
    parts += [meter_text(addition.source, meter) for meter in addition.meters]
    return "\n".join(parts)


def is_said(section: Mapping[str, Any] | None, key: str, value: Option) -> bool:
    """Return whether the section has the option with this value, of a list all of its items."""
    there = (section or {}).get(key)
    if isinstance(value, list):
        return isinstance(there, list) and not missing_items(there, value)
    return there is not None and there == value


def missing_items(there: Sequence[object], more: Sequence[Item]) -> list[Item]:
    """Return the items that are not there yet; a table is, when one says at least the same."""

    def is_there(item: Item) -> bool:
        if isinstance(item, dict):
            return any(isinstance(known, dict) and item.items() <= known.items() for known in there)
        return item in there

    return [item for item in more if not is_there(item)]


def with_additions(text: str, path: str, additions: Sequence[Addition]) -> str:
    """Return the text of the config at `path` with the additions in it.

    A section that is there keeps what it says: its lists grow, other options are added. New sections go to the end.
    Raises ConfigError, which names the line, for an option that is there with another value, a meter whose slug is
    taken, and text that cannot be added to.
    """
    for addition in additions:
        text = _with_options(text, path, addition)
        for meter in addition.meters:
            if meter.slug in tables_of(text, path).get("meter", {}):
                raise Document(text, path).error(("meter", meter.slug), "there is a meter of that name already")
            text = _appended(text, meter_text(addition.source, meter))
    tables_of(text, path)
    return text


def tables_of(text: str, path: str) -> dict[str, Any]:
    """Return the tables of a config's text; raises ConfigError when it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: not valid TOML, or cannot be added to by itself: {error}"
        raise ConfigError(message) from error


def read(path: Path) -> str:
    """Return the text of the config at `path`, line ends as they are; raises ConfigError when it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read: {error}"
        raise ConfigError(message) from error


def write(path: Path, text: str, *, before: str | None) -> None:
    """Put `text` into the config at `path`, whole or not at all; `before` is what it said, None that there was none.

    It keeps its owner and mode; what it said is left beside it, as `<name>.bak`. Raises OSError when it cannot be
    written, ConfigError when it was changed meanwhile.
    """
    if (read(path) if path.exists() else None) != before:
        message = f"{path}: was changed by somebody else in the meantime; nothing was written"
        raise ConfigError(message)
    if before is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    place = path.resolve()
    shutil.copy2(place, place.with_name(f"{place.name}.bak"))
    replace_text(place, text)


def meter_text(source: str, meter: NewMeter) -> str:
    """Return the section of a meter."""
    return section_text(f"meter.{meter.slug}", {"name": meter.name, "source": source, "address": meter.address})


def section_text(title: str, values: Mapping[str, Option]) -> str:
    """Return a section with its options, a line each; lists of tables follow as sections of their own."""
    lines = {key: value for key, value in values.items() if not _tables(value)}
    text = "".join([f"[{title}]\n", *(f"{key} = {_toml(value)}\n" for key, value in lines.items())])
    tables = [(key, item) for key, value in values.items() for item in _tables(value)]
    parts = [text] if lines or not tables else []
    return "\n".join([*parts, *(section_text(f"[{title}.{key}]", item) for key, item in tables)])


def _tables(value: Option) -> list[dict[str, str]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _whole_list(there: object, more: list[Item]) -> list[Item]:
    """Return the items that are there and those that are not yet; of tables only these, as each stands alone."""
    if not isinstance(there, list) or _tables(more):
        return missing_items(there if isinstance(there, list) else [], more)
    return there + missing_items(there, more)


def _with_options(text: str, path: str, addition: Addition) -> str:
    section = tables_of(text, path).get("source", {}).get(addition.source)
    if section is None:
        return _appended(text, section_text(f"source.{addition.source}", addition.options))
    for key, value in addition.options.items():
        if is_said(section, key, value):
            continue
        if _tables(value) and isinstance(section.get(key, []), list):
            more = missing_items(section.get(key, []), value if isinstance(value, list) else [])
            text = _appended(text, section_text(f"source.{addition.source}", {key: more}))
        elif key not in section:
            text = _with_option(text, path, addition.source, key, value)
        elif isinstance(value, list) and isinstance(section[key], list):
            text = _by_tomlkit(text, path, addition.source, key, value)
        else:
            why = f"says {_toml(section[key])} already, this device needs {_toml(value)}: decide, and write it by hand"
            raise Document(text, path).error(("source", addition.source, key), why)
    return text


def _with_option(text: str, path: str, source: str, key: str, value: Option) -> str:
    """Return the text with an option that the section did not have: below its title, where no comment is disturbed."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        title = re.match(r"\s*\[([^\[\]#]+)\]", line)
        if title and split_key(title[1]) == ("source", source):
            lines[number] = line if line.endswith("\n") else f"{line}\n"
            lines.insert(number + 1, f"{key} = {_toml(value)}{_line_end(text)}")
            return "".join(lines)
    return _by_tomlkit(text, path, source, key, value)


def _by_tomlkit(text: str, path: str, source: str, key: str, value: Option) -> str:
    """Return the text with an option, or with further items in its list, which keeps its form and its comments."""
    try:
        document = tomlkit.parse(text)
        section: Any = document["source"][source]
        if key in section:
            there = section[key]
            for item in missing_items(list(there), value if isinstance(value, list) else []):
                there.append(item)
        else:
            section[key] = value
        return tomlkit.dumps(document)
    except TOMLKitError as error:
        raise Document(text, path).error(("source", source), f"cannot be added to by itself: {error}") from error


def _appended(text: str, section: str) -> str:
    end = _line_end(text)
    gap = "" if not text.strip() else end if text.endswith("\n") else end * 2
    return text + gap + section.replace("\n", end)


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _toml(value: object) -> str:
    return tomlkit.item(value).as_string()
