"""Bringing readings of one meter together: ascending time, one record a time, later arrival wins by channel."""

from collections.abc import Sequence

import numpy as np

from casawatt.model.columns import ABSENT, Columns, Int64Array
from casawatt.model.reading import CHANNELS

EMPTY = Columns(np.empty(0, np.int64), np.empty(0, np.int64), {})


def settle(time_ms: Int64Array, device_id: Int64Array, channels: dict[str, Int64Array]) -> Columns:
    """Return records given in order of arrival as columns.

    Of records with the same time the later arrival wins channel by channel; an absent channel never erases.
    """
    if len(time_ms) < 2 or (time_ms[1:] > time_ms[:-1]).all():
        return _without_empty(Columns(time_ms, device_id, channels))
    order = np.argsort(time_ms, kind="stable")
    times = time_ms[order]
    first = np.flatnonzero(np.concatenate(([True], times[1:] != times[:-1])))
    if len(first) == len(times):
        merged = {name: column[order] for name, column in channels.items()}
        return _without_empty(Columns(times, device_id[order], merged))
    last = np.append(first[1:], len(times)) - 1
    rank = np.arange(len(times))
    merged = {}
    for name, column in channels.items():
        values = column[order]
        newest = np.maximum.reduceat(np.where(values != ABSENT, rank, -1), first)
        merged[name] = np.where(newest >= 0, values[newest], ABSENT)
    return _without_empty(Columns(times[first], device_id[order][last], merged))


def merge(old: Columns, new: Columns) -> Columns:
    """Return the records of both; where both have a time, `new` wins channel by channel."""
    if not len(old):
        return new
    if not len(new):
        return old
    joined = join([old, new])
    return settle(joined.time_ms, joined.device_id, joined.channels)


def join(pieces: Sequence[Columns]) -> Columns:
    """Return columns one after the other; the caller knows that their times ascend, or settles them."""
    pieces = [piece for piece in pieces if len(piece)]
    if not pieces:
        return EMPTY
    if len(pieces) == 1:
        return pieces[0]
    names = [name for name in CHANNELS if any(name in piece.channels for piece in pieces)]
    return Columns(
        np.concatenate([piece.time_ms for piece in pieces]),
        np.concatenate([piece.device_id for piece in pieces]),
        {
            name: np.concatenate(
                [piece.channels.get(name, np.broadcast_to(np.int64(ABSENT), len(piece))) for piece in pieces]
            )
            for name in names
        },
    )


def _without_empty(columns: Columns) -> Columns:
    """Return the columns without channels that no record has."""
    kept = {name: column for name, column in columns.channels.items() if (column != ABSENT).any()}
    return Columns(columns.time_ms, columns.device_id, kept)
