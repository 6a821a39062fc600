"""Which device measures for which meter, from all that was ever decided about it.

Decisions count in the order in which they were made. A meter has one device at a time and a device one meter: what of
either reaches past a new decision's date ends there, and what began no earlier is taken back. A decision that is
retracted counts no more, and then all is as if it had never been made.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from casawatt.engine.spans import Span, union, without
from casawatt.model.dated import Bind
from casawatt.model.meter import IMPORT_SOURCE, Binding

SLACK_MS = 86_400_000
"""A device's stamps may be ahead of our clock, though never by so much."""

_FAR_MS = 1 << 62


class Holding:
    """The bindings that hold, kept up while decisions are made."""

    def __init__(self, binds: Iterable[Bind] = ()) -> None:
        """Begin with decisions in any order; those retracted do not count."""
        self._held: dict[int, Binding] = {}
        self._by_meter: dict[int, list[int]] = defaultdict(list)
        self._by_device: dict[int, list[int]] = defaultdict(list)
        for bind in sorted(binds, key=lambda bind: bind.binding_id):
            if bind.retracted_ms is None:
                self.add(bind)

    def add(self, bind: Bind) -> None:
        """Let a further decision count."""
        of_meter, of_device = self._by_meter[bind.meter_id], self._by_device[bind.device.device_id]
        for binding_id in {*of_meter, *of_device}:
            other = self._held.get(binding_id)
            if other is None:
                continue
            if other.from_ms >= bind.from_ms:
                del self._held[binding_id]
            elif other.to_ms is None or other.to_ms > bind.from_ms:
                self._held[binding_id] = msgspec.structs.replace(other, to_ms=bind.from_ms)
        self._held[bind.binding_id] = Binding(
            bind.binding_id, bind.meter_id, bind.device, bind.from_ms, bind.to_ms, bind.made_ms, bind.manner
        )
        of_meter.append(bind.binding_id)
        of_device.append(bind.binding_id)

    def all(self) -> list[Binding]:
        """Return every binding that holds, in ascending `from_ms`."""
        return sorted(self._held.values(), key=_order)

    def of_meter(self, meter_id: int) -> list[Binding]:
        """Return a meter's bindings in ascending `from_ms`."""
        return self._those(self._by_meter.get(meter_id, ()))

    def of_device(self, device_id: int) -> list[Binding]:
        """Return a device's bindings in ascending `from_ms`."""
        return self._those(self._by_device.get(device_id, ()))

    def _those(self, binding_ids: Iterable[int]) -> list[Binding]:
        return sorted((self._held[each] for each in binding_ids if each in self._held), key=_order)


def _order(binding: Binding) -> tuple[int, int]:
    return binding.from_ms, binding.binding_id


def displaced(binds: Sequence[Bind], meter_id: int) -> list[tuple[int, Span]]:
    """Return when which devices (their numbers) may have been recorded under a meter and no longer measure for it.

    `binds` are all decisions, also retracted ones, about the meter and about its devices. A reading recorded while a
    decision stood that has since been changed is still there; over these spans it must not count. What was imported is
    not meant: that was recorded for the meter, not for a device.
    """
    if len(binds) < 2:
        return []
    changes = sorted({bind.made_ms for bind in binds} | {bind.retracted_ms or bind.made_ms for bind in binds})
    recorded: dict[int, list[Span]] = defaultdict(list)
    for at_ms, until_ms in pairwise(changes):
        then = [
            msgspec.structs.replace(bind, retracted_ms=None)
            for bind in binds
            if bind.made_ms <= at_ms and (bind.retracted_ms is None or bind.retracted_ms > at_ms)
        ]
        for binding in Holding(then).of_meter(meter_id):
            if binding.device.source == IMPORT_SOURCE:
                continue
            to_ms = _FAR_MS if binding.to_ms is None else binding.to_ms
            recorded[binding.device.device_id].append((binding.from_ms, min(to_ms, until_ms + SLACK_MS)))
    now = Holding(binds)
    return [
        (device_id, span)
        for device_id, spans in sorted(recorded.items())
        for span in without(union(spans), union(_spans(now, meter_id, device_id)))
    ]


def _spans(holding: Holding, meter_id: int, device_id: int) -> list[Span]:
    return [
        (binding.from_ms, _FAR_MS if binding.to_ms is None else binding.to_ms)
        for binding in holding.of_meter(meter_id)
        if binding.device.device_id == device_id
    ]
