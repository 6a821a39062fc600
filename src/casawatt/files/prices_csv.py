"""Prices as a table: a heading, then a line for each price with when it begins and what it is."""

import csv
import re
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from casawatt.files.price_values import EPOCH, MILLISECOND, Fail, Manner, decimal_of, in_order, price_of
from casawatt.model.errors import ImportFileError
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.price import Price, PriceUnit

_LINES_MAX = 400_000
_STEPS_MS = (INTERVAL_MS, 2 * INTERVAL_MS, 4 * INTERVAL_MS)
_STARTS = frozenset({"start", "begin", "time", "datetime", "timestamp", "date", "from", "start_time", "von", "inizio"})
_ENDS = frozenset({"end", "to", "end_time", "until", "bis", "fine"})
_PRICES = ("price", "preis", "prezzo", "prix", "prijs", "rate", "marketprice")
_LOCAL = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?")
_POINTED = re.compile(r"(\d\d)\.(\d\d)\.(\d{4})[ T](\d\d):(\d\d)(?::(\d\d))?")


class _Layout(msgspec.Struct, frozen=True):
    """Which column is what. `end` is None where there is none; `comma`: decimals are written with one."""

    start: int
    end: int | None
    price: int
    unit: PriceUnit
    width: int
    comma: bool


class _Row(msgspec.Struct, frozen=True):
    start_ms: int
    end_ms: int | None
    text: str
    at: "_At"


def parse_csv(data: bytes, name: str, manner: Manner) -> list[Price]:
    """Return the prices of a table, in ascending time. Raises ImportFileError, which names the line and the column.

    A time has its offset from UTC, or is by the wall clock of `manner.zone`: of the hour that comes twice in autumn
    the first line is the first, and one that the clocks left out in spring is an error. A price holds until `end`, or
    without such a column for the step of the table, which must be one throughout; a missing line stays a gap.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportFileError(f"{name}: is not a text in UTF-8: {error}") from None
    head, _, _ = text.lstrip().partition("\n")
    delimiter = next((each for each in (";", "\t", ",") if each in head), ",")
    clock = _WallClock(manner.zone)
    layout: _Layout | None = None
    rows: list[_Row] = []
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        for cells in reader:
            at = _At(name, reader.line_num)
            if not any(cell.strip() for cell in cells) or cells[0].startswith("#"):
                continue
            if layout is None:
                layout = _layout([cell.strip() for cell in cells], delimiter, at, manner)
            elif len(rows) == _LINES_MAX:
                raise at("start", f"more than {_LINES_MAX} prices in one file")
            else:
                rows.append(_row(cells, layout, clock, at))
    except csv.Error as error:
        raise ImportFileError(f"{name}:{reader.line_num}: {error}") from None
    if layout is None or not rows:
        raise ImportFileError(f"{name}: holds no prices")
    return _prices(rows, layout)


class _At:
    """Makes errors that name a line and a column."""

    def __init__(self, name: str, line: int) -> None:
        self._where = f"{name}:{line}"

    def __call__(self, field: str, why: str) -> ImportFileError:
        return ImportFileError(f"{self._where}: {field}: {why}")


def _layout(heading: list[str], delimiter: str, at: Fail, manner: Manner) -> _Layout:
    words = [cell.lower() for cell in heading]
    starts = [place for place, word in enumerate(words) if _bare(word) in _STARTS]
    ends = [place for place, word in enumerate(words) if _bare(word) in _ENDS]
    prices = [place for place, word in enumerate(words) if word.startswith(_PRICES)]
    for column, found in (("start", starts), ("price", prices)):
        if len(found) != 1:
            raise at(column, f"the heading must have one such column, and is {delimiter.join(heading)[:100]!r}")
    said = unit_in(heading[prices[0]], at, manner.currency)
    unit = manner.unit or said
    if unit is None:
        raise at("price", "its unit is not said; write it into the heading, like 'price (EUR/MWh)', or give it beside")
    if said is not None and unit is not said:
        raise at("price", f"the heading says {said.value}, and {unit.value} is given beside")
    return _Layout(starts[0], ends[0] if ends else None, prices[0], unit, len(heading), comma=delimiter != ",")


def unit_in(heading: str, at: Fail, currency: str) -> PriceUnit | None:
    """Return the unit that a column's heading says, None for none; raises for another currency than the home's."""
    found = re.search(r"([a-z€]+)\s*(?:/|_per_|_|\bper\b)\s*(kwh|mwh)\b", heading.lower())
    if found is None:
        return None
    money, energy = found[1].removeprefix("price_").rpartition("_")[2], found[2]
    if money in ("ct", "cent", "cents", "c") and energy == "kwh":
        return PriceUnit.CT_PER_KWH
    if money not in ({currency.lower(), "€"} if currency == "EUR" else {currency.lower()}):
        raise at("price", f"the heading says {found[0]!r}, and the home's currency is {currency}")
    return PriceUnit.PER_KWH if energy == "kwh" else PriceUnit.PER_MWH


def _bare(word: str) -> str:
    """Return a heading without what stands in brackets: `start (UTC)` gives `start`."""
    return re.sub(r"\s*[\[(].*", "", word).strip()


def _row(cells: list[str], layout: _Layout, clock: "_WallClock", at: "_At") -> _Row:
    if len(cells) != layout.width:
        raise at("line", f"has {len(cells)} columns, and the heading {layout.width}")
    start_ms = clock.read(cells[layout.start].strip(), at, "start")
    end_ms = None if layout.end is None else clock.read(cells[layout.end].strip(), at, "end")
    text = cells[layout.price].strip()
    return _Row(start_ms, end_ms, text.replace(",", ".") if layout.comma and "." not in text else text, at)


def _prices(rows: list[_Row], layout: _Layout) -> list[Price]:
    step_ms = _step_ms(rows) if layout.end is None else 0
    return in_order(
        (
            price_of(
                row.start_ms,
                row.start_ms + step_ms if row.end_ms is None else row.end_ms,
                decimal_of(row.text, row.at, "price"),
                layout.unit,
                row.at,
            ),
            row.at,
        )
        for row in rows
    )


def _step_ms(rows: list[_Row]) -> int:
    """Return how far apart the lines are; raises when it cannot be told: no price is stretched by a guess."""
    ordered = sorted(rows, key=lambda row: row.start_ms)
    steps = [(b.start_ms - a.start_ms, b.at) for a, b in pairwise(ordered) if b.start_ms > a.start_ms]
    if not steps:
        raise rows[0].at("end", "a single price needs a column end")
    least_ms = min(step_ms for step_ms, _ in steps)
    if least_ms not in _STEPS_MS:
        raise rows[0].at("start", f"the prices are {least_ms / 60_000:g} minutes apart, not 15, 30 or 60")
    for (one_ms, _), (other_ms, at) in pairwise(steps):
        if least_ms < one_ms == other_ms <= _STEPS_MS[-1]:
            why = f"the lines are {other_ms // 60_000} minutes apart here and {least_ms // 60_000} elsewhere"
            raise at("start", f"{why}: a column end must say how long each price holds")
    return least_ms


class _WallClock:
    """Reads times, those without an offset by the wall clock of a zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._seen: dict[str, set[datetime]] = {"start": set(), "end": set()}

    def read(self, text: str, at: Fail, column: str) -> int:
        """Return UTC ms; raises what `at` makes."""
        if re.fullmatch(r"\d{10}|\d{13}", text):
            return int(text) * (1000 if len(text) == 10 else 1)
        try:
            if found := _LOCAL.fullmatch(text):
                year, month, day = int(found[1]), int(found[2]), int(found[3])
            elif found := _POINTED.fullmatch(text):
                year, month, day = int(found[3]), int(found[2]), int(found[1])
            else:
                return (datetime.fromisoformat(text) - EPOCH) // MILLISECOND
            local = datetime(year, month, day, int(found[4]), int(found[5]), int(found[6] or 0), tzinfo=self._zone)
        except (ValueError, TypeError, OverflowError):  # a TypeError: a time of another form without its offset
            raise at(column, f"{text[:40]!r} is not a time like 2026-01-31T14:00+01:00") from None
        return self._of_wall(local, at, column)

    def _of_wall(self, local: datetime, at: Fail, column: str) -> int:
        naive = local.replace(tzinfo=None)
        first, second = ((local.replace(fold=fold) - EPOCH) // MILLISECOND for fold in (0, 1))
        if first == second:
            return first
        if first > second:  # neither of them shows this time on its wall
            raise at(column, f"{naive} is left out by the clocks of {self._zone.key} on that day")
        if naive in self._seen[column]:
            return second
        self._seen[column].add(naive)
        return first
