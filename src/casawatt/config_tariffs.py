"""The tariffs of a config, with every number as it is written: rates are decimals."""

import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec

from casawatt.config_document import Document
from casawatt.model.errors import ConfigError
from casawatt.model.tariff import Tariff
from casawatt.model.tariff_faults import fault_of


def tariffs_in(document: Document, section: str, contracted_w: int | None) -> tuple[Tariff, ...]:
    """Return the tariffs that stand in the sections `[[<section>]]`, ascending by the day they begin on.

    Those that charge for contracted power without saying how much are paid for `contracted_w`. It is written into them,
    as it is part of what they cost: who contracts another power later does not change what time past cost.

    Raises ConfigError, naming the line, for one that cannot be, or two that begin on the same day.
    """
    found: dict[date, Tariff] = {}
    for place, tariff in _checked(document, section):
        if tariff.from_ in found:
            raise document.error((*place, "from"), f"another tariff begins on {tariff.from_} too")
        if tariff.power_per_kw_year and tariff.contracted_w is None and contracted_w is not None:
            found[tariff.from_] = msgspec.structs.replace(tariff, contracted_w=Decimal(contracted_w))
        else:
            found[tariff.from_] = tariff
    return tuple(sorted(found.values(), key=lambda each: each.from_))


def place_of(document: Document, section: str, tariff: Tariff) -> tuple[str, ...]:
    """Return the place in the text of the one of `tariffs_in` that begins on that tariff's day."""
    tables = tomllib.loads(document.text).get(section, [])
    days = [str(table["from"]) for table in tables]
    return section, str(days.index(tariff.from_.isoformat()))


def alternatives_in(document: Document, section: str) -> tuple[Tariff, ...]:
    """Return the tariffs that stand there to be compared, in their order; those of one name belong together.

    Raises ConfigError, naming the line, for one that cannot be, or two of one name that begin on the same day.
    """
    found: dict[tuple[str, date], Tariff] = {}
    for place, tariff in _checked(document, section):
        if (tariff.name, tariff.from_) in found:
            why = f"another tariff called {tariff.name!r} begins on {tariff.from_} too"
            raise document.error((*place, "from"), why)
        found[tariff.name, tariff.from_] = tariff
    return tuple(found.values())


def _checked(document: Document, section: str) -> Iterator[tuple[tuple[str, str], Tariff]]:
    """Yield the place and the tariff of each section, in their order."""
    tables = tomllib.loads(document.text, parse_float=Decimal).get(section, [])
    for number, table in enumerate(tables):
        place = (section, str(number))
        tariff = document.convert(table, Tariff, place)
        if (fault := fault_of(tariff)) is not None:
            raise document.error((*place, *fault[0]), fault[1])
        yield place, tariff


def load_alternatives(path: Path) -> tuple[Tariff, ...]:
    """Return the tariffs to be compared in a TOML file that has nothing else in it; raises ConfigError."""
    try:
        document = Document(path.read_text(encoding="utf-8"), str(path))
        tables = tomllib.loads(document.text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path}: cannot be read: {error}"
        raise ConfigError(message) from error
    for name, value in tables.items():
        if name != "tariff" or not isinstance(value, list):
            raise document.error((name,), "a file of tariffs has nothing but sections [[tariff]] in it")
    return alternatives_in(document, "tariff")
