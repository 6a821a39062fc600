"""Prices in the forms in which they are published, read to exact decimals: no price goes through a float."""

from casawatt.files.price_values import Manner
from casawatt.files.prices_awattar import parse_awattar
from casawatt.files.prices_csv import parse_csv
from casawatt.files.prices_entsoe import parse_entsoe
from casawatt.model.price import Price, PriceFormat

_PARSERS = {PriceFormat.AWATTAR: parse_awattar, PriceFormat.CSV: parse_csv, PriceFormat.ENTSOE: parse_entsoe}


def read_prices(data: bytes, form: PriceFormat, name: str, manner: Manner) -> list[Price]:
    """Return the prices in `data`, in ascending time, none overlapping another; `name` is what errors call it.

    Raises ImportFileError, which names the file and the place in it, for anything that is not understood: a part of
    the prices is never taken for all of them.
    """
    return _PARSERS[form](data, name, manner)


def form_of(data: bytes) -> PriceFormat:
    """Return what prices look to be written in, by their first character."""
    first = data[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return {b"{": PriceFormat.AWATTAR, b"<": PriceFormat.ENTSOE}.get(first, PriceFormat.CSV)
