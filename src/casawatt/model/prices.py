"""Prices by the hour or quarter-hour."""

from dataclasses import dataclass

from casawatt.model.columns import Int64Array


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """Prices per kWh in ascending time, one array of length N per column; they do not overlap, gaps may be.

    The price from `start_ms` until before `end_ms` (UTC ms, on the grid of quarter-hours) is `scaled / scale` of the
    currency per kWh. It may be negative.
    """

    start_ms: Int64Array
    end_ms: Int64Array
    scaled: Int64Array
    scale: int
