"""Which meters have fallen silent and which are back: each is said once, also when casawatt starts anew in between."""

from collections.abc import Container, Iterable, Iterator, Mapping

import msgspec

from casawatt.model.event import Event
from casawatt.model.event_data import MeterBack, MeterSilent, SilenceCause
from casawatt.model.event_types import TYPE_OF, event_of
from casawatt.model.ports import Clock
from casawatt.recorder.line import FAR_MS, Line

SILENT, BACK = TYPE_OF[MeterSilent], TYPE_OF[MeterBack]


class Silences:
    """What was said of the meters' silence.

    A meter is given as long as its gap limit to be heard after casawatt has started: that casawatt was off makes no
    meter silent. A silence that was said lasts until the meter is heard, whatever the limit is by then.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: dict[int, int] = {}
        """Of each meter that was said to be silent and not yet to be back, by its id: when it was last heard."""
        self._since_ms = -FAR_MS

    def resume(self, lines: Iterable[Line], newest: Mapping[str, Event]) -> None:
        """Go on, from now, from the newest event of each meter's silence or return, by the meter's slug."""
        self._since_ms = self._clock.now_ms()
        for line in lines:
            event = newest.get(line.meter.slug)
            if event is None or event.type != SILENT:
                continue
            heard_ms = msgspec.convert(event.data, MeterSilent).heard_ms
            self._said[line.meter_id] = heard_ms
            if line.heard_ms <= heard_ms:
                line.heard_ms = heard_ms
                line.gone = True

    def watch(self, lines: Iterable[Line], measured: Container[int]) -> Iterator[tuple[Line, Event]]:
        """Yield what is to be said now, with the line it is of.

        `measured`: the ids of the meters that a device measures for; no other can fall silent.
        """
        now_ms = self._clock.now_ms()
        since_ms = self._since_ms
        for line in lines:
            if line.heard_ms == -FAR_MS:
                continue
            limit_ms = max(line.heard_ms, since_ms) + line.calibration.gap_limit_ms
            silent = line.gone or now_ms > limit_ms
            before_ms = self._said.get(line.meter_id)
            if before_ms is not None and (line.heard_ms > before_ms or not silent):
                del self._said[line.meter_id]
                yield line, _event(MeterBack(line.heard_ms, before_ms), line, line.heard_ms)
                before_ms = None
            if before_ms is None and silent and line.meter_id in measured:
                self._said[line.meter_id] = line.heard_ms
                cause: SilenceCause = "gone" if line.gone else "off" if line.heard_ms < since_ms else "limit"
                yield line, _event(MeterSilent(line.heard_ms, cause), line, min(limit_ms, now_ms))


def _event(data: MeterSilent | MeterBack, line: Line, at_ms: int) -> Event:
    return event_of(data, at_ms, line.meter.slug, line.heard_ms)
