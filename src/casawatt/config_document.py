"""The text of a config file, and the line of what is wrong in it."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from casawatt.model.errors import ConfigError

Options = TypeVar("Options", bound=msgspec.Struct)


class Document:
    """The text of a config file, for telling the line of what is wrong in it."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path

    def error(self, place: tuple[str, ...], why: str) -> ConfigError:
        """Return a ConfigError that names the file, the line of `place` and why."""
        name = ".".join(place)
        where = self.named_line(place)
        return ConfigError(f"{where}: {name}: {why}" if name else f"{where}: {why}")

    def named_line(self, place: tuple[str, ...]) -> str:
        """Return the file and the line of `place`, as in `home.toml:12`."""
        line = self.line_of(place)
        return f"{self.path}:{line}" if line else self.path

    def line_of(self, place: tuple[str, ...]) -> int | None:
        """Return the number (from 1) of the line that names `place`, or else its innermost section.

        Of a section that is written `[[...]]` several times, each has its number in its place, from 0.
        """
        section: tuple[str, ...] = ()
        counts: Counter[tuple[str, ...]] = Counter()
        best: tuple[int, int] | None = None
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]", line):
                here = _numbered(split_key(header[2]), counts)
                if header[1] == "[[":
                    counts[here] += 1
                    here = (*here, str(counts[here] - 1))
                section = here
            elif key := re.match(r"\s*([\w\-.\"\']+)\s*=", line):
                here = section + split_key(key[1])
            else:
                continue
            if place[: len(here)] == here and (best is None or len(here) > best[0]):
                best = len(here), number
        return best[1] if best else None

    def convert(self, value: object, kind: type[Options], place: tuple[str, ...]) -> Options:
        """Return `value` as a `kind`; raises ConfigError that names the line and the option."""
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            why, _, path = str(error).partition(" - at `$")
            inner = tuple(part for part in re.split(r"[.\[\]`]+", path) if part and part != "...")
            if unknown := re.match(r"Object contains unknown field `(.+)`", why):
                options = ", ".join(field.encode_name for field in msgspec.structs.fields(struct_at(kind, inner)))
                raise self.error((*place, *inner, unknown[1]), f"no such option; there are: {options}") from None
            raise self.error((*place, *inner), why[0].lower() + why[1:]) from None


def _numbered(key: tuple[str, ...], counts: Mapping[tuple[str, ...], int]) -> tuple[str, ...]:
    """Return the key of a section with the numbers of the `[[...]]` that it is part of: the newest of each."""
    here: tuple[str, ...] = ()
    for part in key[:-1]:
        here = (*here, part)
        if here in counts:
            here = (*here, str(counts[here] - 1))
    return (*here, *key[-1:])


def struct_at(kind: type[msgspec.Struct], inner: tuple[str, ...]) -> type[msgspec.Struct]:
    """Return the class of the options at a place in `kind`, e.g. at `("topic", "1")`; `kind` where there is none."""
    found: Any = kind
    for part in inner:
        while get_origin(found) is Annotated:
            found = get_args(found)[0]
        if isinstance(found, type) and issubclass(found, msgspec.Struct):
            found = next((field.type for field in msgspec.structs.fields(found) if field.encode_name == part), None)
        else:
            found = next((each for each in reversed(get_args(found)) if each is not ...), None)
    return found if isinstance(found, type) and issubclass(found, msgspec.Struct) else kind


def split_key(dotted: str) -> tuple[str, ...]:
    """Return the parts of a TOML key or section name, without quotes: `meter."a.b"` gives `("meter", "a.b")`."""
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([^.\s\"']+)", dotted)
    return tuple(next(part for part in found if part) if any(found) else "" for found in parts)
