"""Prices by the quarter-hour, as columns and as spans."""

from decimal import Decimal
from itertools import groupby
from math import lcm

import numpy as np

from casawatt.model.interval import INTERVAL_MS
from casawatt.model.price import Price, QuarterRates
from casawatt.model.prices import PriceSeries


def price_columns(rates: QuarterRates) -> PriceSeries:
    """Return exact prices, in ascending time, as columns of whole numbers with one scale for all."""
    fractions = [rate.as_integer_ratio() for rate in rates.values()]
    scale = lcm(*{denominator for _, denominator in fractions}) if fractions else 1
    start_ms = np.fromiter(rates, np.int64, len(rates))
    scaled = [numerator * (scale // denominator) for numerator, denominator in fractions]
    return PriceSeries(start_ms, start_ms + INTERVAL_MS, np.array(scaled, np.int64), scale)


def spans(rates: QuarterRates) -> list[Price]:
    """Return quarter-hours as spans of the same price, none longer than the clock hour that it begins in."""

    def kind(place_and_start: tuple[int, int]) -> tuple[int, int, Decimal]:
        place, start_ms = place_and_start
        return start_ms - place * INTERVAL_MS, start_ms // (4 * INTERVAL_MS), rates[start_ms]

    together = [[start_ms for _, start_ms in group] for _, group in groupby(enumerate(rates), kind)]
    return [Price(starts[0], starts[-1] + INTERVAL_MS, rates[starts[0]]) for starts in together]


def missing_spans(rates: QuarterRates, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Return the whole quarter-hours of a span that have no price, as spans in ascending time."""
    first_ms = start_ms - start_ms % INTERVAL_MS
    wanted = (time_ms for time_ms in range(first_ms, end_ms, INTERVAL_MS) if time_ms not in rates)
    found: list[tuple[int, int]] = []
    for time_ms in wanted:
        if found and found[-1][1] == time_ms:
            found[-1] = found[-1][0], time_ms + INTERVAL_MS
        else:
            found.append((time_ms, time_ms + INTERVAL_MS))
    return found
