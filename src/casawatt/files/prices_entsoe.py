"""Prices as the transparency platform of the European grid operators publishes them: a Publication_MarketDocument."""

from collections.abc import Iterator
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from casawatt.files.price_values import EPOCH, MILLISECOND, Manner, decimal_of, in_order, price_of
from casawatt.model.errors import ImportFileError
from casawatt.model.price import Price, PriceUnit

RESOLUTIONS_MS = {"PT15M": 900_000, "PT30M": 1_800_000, "PT60M": 3_600_000, "PT1H": 3_600_000}
PERIOD_MAX_MS = 400 * 86_400_000
"""The platform answers at most a year at once."""

_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"
_UNITS = {"MWH": PriceUnit.PER_MWH, "KWH": PriceUnit.PER_KWH}
_REPEATING, _EVERY = "A03", "A01"
"""Curve types: a position that is left out has the price of the one before it; or every position is there."""


def parse_entsoe(data: bytes, name: str, manner: Manner) -> list[Price]:
    """Return the prices of the wanted auction (`manner.sequence`), in ascending time. Raises ImportFileError.

    Where a zone has several auctions a day, each has its number, and in any order; without a number there is one.
    An Acknowledgement_MarketDocument, which says why there are none, is an error with its reason.
    """
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        line = f":{error.position[0]}" if isinstance(error, ParseError) else ""
        raise ImportFileError(f"{name}{line}: not XML that can be read: {error or type(error).__name__}") from None
    kind = _tag(root)
    if kind == "Acknowledgement_MarketDocument":
        reasons = [f"{_text(each, 'text')} (code {_text(each, 'code')})" for each in _children(root, "Reason")]
        raise ImportFileError(
            f"{name}: the platform has no prices for this: {'; '.join(reasons) or 'without a reason'}"
        )
    if kind != "Publication_MarketDocument" or _text(root, "type") != "A44":
        raise ImportFileError(f"{name}: {kind} of type {_text(root, 'type') or 'none'} is no list of day-ahead prices")
    series = list(_children(root, "TimeSeries"))
    numbers = {number for each in series if (number := _text(each, _SEQUENCE))}
    wanted = [each for each in series if _text(each, _SEQUENCE) in ("", str(manner.sequence))]
    if not wanted:
        others = f"only those of sequence {', '.join(sorted(numbers))}" if numbers else "none at all"
        raise ImportFileError(f"{name}: there are no prices of sequence {manner.sequence}; {others}")
    return in_order(
        (price, at)
        for place, each in enumerate(series)
        if each in wanted
        for price, at in _prices(each, _At(f"{name}: TimeSeries[{place + 1}]"), manner)
    )


class _At:
    """Makes errors that name a place in the document."""

    def __init__(self, where: str) -> None:
        self._where = where

    def within(self, part: str) -> "_At":
        """Return what makes errors of a part of this place."""
        return _At(f"{self._where}/{part}")

    def __call__(self, field: str, why: str) -> ImportFileError:
        called = {"start": "timeInterval", "end": "timeInterval", "price": "price.amount"}.get(field, field)
        return ImportFileError(f"{self._where}/{called}: {why}")


def _prices(series: Element, at: _At, manner: Manner) -> Iterator[tuple[Price, _At]]:
    currency, energy = _text(series, "currency_Unit.name"), _text(series, "price_Measure_Unit.name")
    if currency != manner.currency:
        raise at("currency_Unit.name", f"is {currency[:10] or 'missing'}; the home's currency is {manner.currency}")
    unit = _UNITS.get(energy)
    if unit is None:
        raise at("price_Measure_Unit.name", f"{energy[:40]!r} is neither MWH nor KWH")
    curve = _text(series, "curveType") or _EVERY
    if curve not in (_REPEATING, _EVERY):
        raise at("curveType", f"{curve[:40]!r} is neither {_EVERY} nor {_REPEATING}")
    for place, period in enumerate(_children(series, "Period")):
        yield from _of_period(period, at.within(f"Period[{place + 1}]"), unit, repeating=curve == _REPEATING)


def _of_period(period: Element, at: _At, unit: PriceUnit, *, repeating: bool) -> Iterator[tuple[Price, _At]]:
    resolution = _text(period, "resolution")
    step_ms = RESOLUTIONS_MS.get(resolution)
    if step_ms is None:
        raise at("resolution", f"{resolution[:40]!r} is none of {', '.join(RESOLUTIONS_MS)}")
    start_ms, end_ms = (_time(period, edge, at) for edge in ("start", "end"))
    if not 0 < end_ms - start_ms <= PERIOD_MAX_MS or (end_ms - start_ms) % step_ms:
        raise at("timeInterval", f"is not a whole number of {resolution}, in order, within a year")
    count = (end_ms - start_ms) // step_ms
    points: dict[int, tuple[str, _At]] = {}
    for place, point in enumerate(_children(period, "Point")):
        here = at.within(f"Point[{place + 1}]")
        said = _text(point, "position")
        if not said.isascii() or not said.isdigit() or len(said) > 6 or not 1 <= int(said) <= count:
            raise here("position", f"{said[:40]!r} is not a number from 1 to {count}")
        if int(said) in points:
            raise here("position", f"{said} comes twice")
        points[int(said)] = _text(point, "price.amount"), here
    standing: tuple[str, _At] | None = None
    for position in range(1, count + 1):
        standing = points.get(position, standing if repeating else None)
        if standing is not None:
            amount, here = standing
            from_ms = start_ms + (position - 1) * step_ms
            number = decimal_of(amount, here, "price.amount")
            yield price_of(from_ms, from_ms + step_ms, number, unit, here), here


def _time(period: Element, edge: str, at: _At) -> int:
    text = next((_text(each, edge) for each in _children(period, "timeInterval")), "")
    try:
        return (datetime.fromisoformat(text) - EPOCH) // MILLISECOND
    except (ValueError, TypeError):  # a TypeError: it does not say its offset
        raise at("timeInterval", f"{edge} {text[:40]!r} is not a time like 2026-01-31T23:00Z") from None


def _tag(element: Element) -> str:
    """Return an element's name without its namespace, whose version changes."""
    return str(element.tag).rpartition("}")[2]


def _children(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if _tag(child) == name)


def _text(element: Element, name: str) -> str:
    """Return the text of the first child of that name, empty when there is none."""
    return next(((child.text or "").strip() for child in _children(element, name)), "")
