"""Everything that is not sealed yet, in memory: readings and intervals, meter by meter."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from casawatt.model.columns import Columns
from casawatt.model.interval import Interval
from casawatt.model.reading import Record
from casawatt.store.aside import Aside
from casawatt.store.aside import flatten as flatten_asides
from casawatt.store.batch import Batch, MeterBatch, by_meter
from casawatt.store.merging import join
from casawatt.store.overlay import Overlay, flatten
from casawatt.store.part import Part
from casawatt.store.runs_over import RunsOver
from casawatt.store.runs_over import flatten as flatten_runs

_NEVER = 2**63 - 1

SPLIT_RECORDS = 65_536
"""So many readings wait at most before they are given to their meters: one by one that costs more than all else."""


@dataclass(slots=True)
class Layer:
    """What came in for a meter from one seal to the next."""

    part: Part = field(default_factory=Part)
    overlay: Overlay = field(default_factory=Overlay)
    aside: Aside = field(default_factory=Aside)
    runs: RunsOver = field(default_factory=RunsOver)


@dataclass(slots=True)
class MeterTail:
    """A meter's layers, oldest first; the last one takes what comes in, the others are being sealed."""

    layers: list[Layer] = field(default_factory=lambda: [Layer()])
    open_intervals: Sequence[Interval] = ()


class Tail:
    """The tails of all meters. Whoever calls holds `lock`.

    What came in waits in batches until there is much of it, or somebody asks for a meter's readings.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.lock = threading.RLock()
        self._meters: dict[int, MeterTail] = {}
        self._waiting: list[Batch] = []
        self._waiting_records = 0

    def meter(self, meter_id: int) -> MeterTail:
        """Return the tail of a meter, an empty one when nothing came in for it."""
        tail = self._meters.get(meter_id)
        if tail is None:
            tail = self._meters[meter_id] = MeterTail()
        return tail

    def take(self, batch: Batch) -> None:
        """Take in what has arrived."""
        self._waiting.append(batch)
        self._waiting_records += len(batch)
        if self._waiting_records >= SPLIT_RECORDS:
            self._split()

    def _split(self) -> None:
        """Give what waits to its meters."""
        if self._waiting:
            self.extend(self._waiting)
            self._waiting = []
            self._waiting_records = 0

    def extend(self, batches: Iterable[Batch], sealed_seqs: dict[int, int] | None = None) -> None:
        """Take in batches in order of arrival, leaving out what is sealed by its meter's sealed_seq."""
        for batch in by_meter(batches):
            kept = batch if sealed_seqs is None else _later(batch, sealed_seqs.get(batch.meter_id, 0))
            if len(kept.time_ms):
                self.meter(batch.meter_id).layers[-1].part.extend(kept)

    def columns(self, meter_id: int, start_ms: int, end_ms: int) -> list[Columns]:
        """Return a meter's records in a span, one piece a layer, oldest layer first."""
        self._split()
        return [layer.part.columns(start_ms, end_ms) for layer in self.meter(meter_id).layers]

    def around(self, meter_id: int, start_ms: int, end_ms: int) -> list[Columns]:
        """Return as `columns`, and each layer's last record before and first one after the span, if any."""
        self._split()
        return [
            join([*_last(layer.part, start_ms), layer.part.columns(start_ms, end_ms), *_first(layer.part, end_ms)])
            for layer in self.meter(meter_id).layers
        ]

    def bounds_ms(self, meter_id: int) -> tuple[int, int] | None:
        """Return the first and last time of a meter's records, None when there are none."""
        self._split()
        parts = [layer.part for layer in self.meter(meter_id).layers if len(layer.part)]
        return (min(part.first_ms for part in parts), max(part.last_ms for part in parts)) if parts else None

    def overlay(self, meter_id: int) -> Overlay:
        """Return what lies over a meter's intervals on the disk, the open interval included."""
        tail = self.meter(meter_id)
        return flatten([layer.overlay for layer in tail.layers], tail.open_intervals)

    def aside(self, meter_id: int) -> Aside:
        """Return what lies over a meter's suspects on the disk."""
        return flatten_asides([layer.aside for layer in self.meter(meter_id).layers])

    def runs(self, meter_id: int) -> RunsOver:
        """Return what lies over a meter's runs on the disk."""
        return flatten_runs([layer.runs for layer in self.meter(meter_id).layers])

    def cut(self, meter_id: int) -> list[Layer]:
        """Return a meter's layers as they are now; what comes in from now on goes into a new one."""
        self._split()
        tail = self.meter(meter_id)
        layers = list(tail.layers)
        tail.layers.append(Layer())
        return layers

    def drop(self, meter_id: int, layers: list[Layer]) -> None:
        """Forget layers that were sealed."""
        tail = self.meter(meter_id)
        tail.layers = [layer for layer in tail.layers if not any(layer is sealed for sealed in layers)]

    def counts(self) -> dict[int, int]:
        """Return how many readings are unsealed, for each meter that has anything unsealed."""
        self._split()
        found = {}
        for meter_id, tail in self._meters.items():
            count = sum(len(layer.part) for layer in tail.layers)
            if count or any(layer.overlay != Overlay() or layer.runs != RunsOver() for layer in tail.layers):
                found[meter_id] = count
        return found

    def oldest_seq(self) -> int | None:
        """Return the lowest unsealed sequence number, None when everything is sealed."""
        self._split()
        oldest = min((first_seq(layer.part) for layer in self._layers()), default=_NEVER)
        return None if oldest == _NEVER else oldest

    def _layers(self) -> Iterator[Layer]:
        for tail in self._meters.values():
            yield from tail.layers

    def after(self, seq: int, limit: int) -> list[tuple[int, int, Record]]:
        """Return the unsealed readings later than `seq`, at most `limit`: (sequence number, meter id, record)."""
        self._split()
        found: list[tuple[int, int, Record]] = []
        for meter_id, tail in self._meters.items():
            for layer in tail.layers:
                if len(layer.part):
                    found += _after(layer.part, meter_id, seq, limit)
        found.sort(key=lambda item: item[0])
        return found[:limit]

    @property
    def nbytes(self) -> int:
        """Memory of the readings in bytes."""
        self._split()
        return sum(layer.part.nbytes for layer in self._layers())


def _last(part: Part, before_ms: int) -> list[Columns]:
    if part.first_ms >= before_ms:
        return []
    last_ms = part.last_ms
    if last_ms >= before_ms:
        last_ms = int(part.times_ms[part.times_ms < before_ms].max())
    return [part.columns(last_ms, last_ms + 1)]


def _first(part: Part, from_ms: int) -> list[Columns]:
    if part.last_ms < from_ms:
        return []
    first_ms = part.first_ms
    if first_ms < from_ms:
        first_ms = int(part.times_ms[part.times_ms >= from_ms].min())
    return [part.columns(first_ms, first_ms + 1)]


def first_seq(part: Part) -> int:
    """Return the sequence number of a part's first reading, a very high one when it has none."""
    return int(part.seqs[0]) if len(part) else _NEVER


def _after(part: Part, meter_id: int, seq: int, limit: int) -> Iterator[tuple[int, int, Record]]:
    start = int(np.searchsorted(part.seqs, seq, side="right"))
    arrived = part.arrived(start, start + limit)
    columns = Columns(arrived.time_ms, arrived.device_id.astype(np.int64), arrived.channels)
    for number, record in zip(arrived.seq.tolist(), columns.records(), strict=True):
        yield number, meter_id, record


def _later(batch: MeterBatch, seq: int) -> MeterBatch:
    start = int(np.searchsorted(batch.seq, seq, side="right"))
    channels = {name: column[start:] for name, column in batch.channels.items()}
    return MeterBatch(batch.meter_id, batch.seq[start:], batch.device_id[start:], batch.time_ms[start:], channels)
