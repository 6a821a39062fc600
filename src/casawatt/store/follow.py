"""Readings for those who follow: first out of changed segments, then out of the tail, in one order of arrival."""

from dataclasses import dataclass

from casawatt.model.reading import Record
from casawatt.store.disk import Disk
from casawatt.store.segment import decode
from casawatt.store.tail import Tail

_SEGMENTS = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings as (meter id, record), and the position to go on from when all of them were taken.

    `more` is whether there may be further readings already. The same reading may come again in a later batch,
    and is known by home, meter and time.
    """

    readings: list[tuple[int, Record]]
    position: int
    more: bool


def follow(tail: Tail, disk: Disk, after_seq: int, limit: int) -> Batch:
    """Return about `limit` readings later than `after_seq`: at least one segment's, never a part of a segment's.

    A segment takes its turn at its newest sequence number, an unsealed reading at its own: so the position
    never passes an unsealed reading that was not given, and always gets on.
    """
    with tail.lock:
        # Before the disk: what is sealed in between comes twice and is never missed.
        waiting = tail.after(after_seq, limit)
    segments = disk.segments_after(after_seq, _SEGMENTS)
    whole_tail, whole_disk = len(waiting) < limit, len(segments) < _SEGMENTS
    readings: list[tuple[int, Record]] = []
    position, given = after_seq, 0
    for segment in segments:
        first = given
        while given < len(waiting) and waiting[given][0] <= segment.newest_seq:
            given += 1
        readings += [(meter_id, record) for _, meter_id, record in waiting[first:given]]
        position = max(position, waiting[given - 1][0]) if given else position
        if not whole_tail and given == len(waiting):
            return Batch(readings, position, more=True)
        if len(readings) >= limit:
            return Batch(readings, position, more=True)
        readings += [(segment.meter_id, record) for record in decode(segment.data).records()]
        position = segment.newest_seq
        if len(readings) >= limit:
            return Batch(readings, position, more=True)
    if not whole_disk:
        return Batch(readings, position, more=True)
    readings += [(meter_id, record) for _, meter_id, record in waiting[given:]]
    position = waiting[-1][0] if given < len(waiting) else position
    return Batch(readings, position, more=not whole_tail)
