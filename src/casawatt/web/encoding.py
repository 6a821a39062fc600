"""Columns as JSON, straight from their arrays: a day of readings at 1 Hz in a few milliseconds."""

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from casawatt.model.columns import ABSENT, Int64Array
from casawatt.model.reading import POWER_FACTOR_ONE

Column = NDArray[Any] | list[int | None] | list[str | None]
"""Values of one kind, one for each row."""

CHUNK = 50_000
"""So many values are encoded before other work has its turn."""

MILLI = 1000
SCALES = {
    "power_w": ("power_mw", MILLI),
    "register_wh": ("register_mwh", MILLI),
    "voltage_v": ("voltage_mv", MILLI),
    "current_a": ("current_ma", MILLI),
    "power_factor_ratio": ("power_factor_e4", POWER_FACTOR_ONE),
    "charge_as": ("charge_mas", MILLI),
}
"""Each channel as the API calls it: how a record calls it, and how many of those make one."""


def in_units(column: Int64Array, scale: int) -> NDArray[np.float64]:
    """Return a column of whole numbers in the unit that the API speaks; NaN, in JSON null, where one is absent."""
    values = column / scale
    values[column == ABSENT] = np.nan
    return values


async def columns_json(head: Mapping[str, str], columns: Mapping[str, Column]) -> bytes:
    """Return a JSON object with the texts of `head` and then an array for each column.

    NaN becomes null. Lets other work on the event loop go on between chunks.
    """
    pieces = [orjson.dumps(dict(head))[:-1]]
    for name, column in columns.items():
        pieces.append(b',"' + name.encode() + b'":[')
        for start in range(0, len(column), CHUNK):
            if start:
                pieces.append(b",")
                await asyncio.sleep(0)
            pieces.append(orjson.dumps(column[start : start + CHUNK], option=orjson.OPT_SERIALIZE_NUMPY)[1:-1])
        pieces.append(b"]")
    pieces.append(b"}")
    return b"".join(pieces)
