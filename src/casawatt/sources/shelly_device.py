"""One Shelly of generation 2 or newer: from its messages, in the order they came, to readings."""

from collections.abc import Iterator
from typing import NamedTuple

from casawatt.model.errors import PacketError
from casawatt.model.reading import Reading
from casawatt.sources.shelly_minutes import MinuteFill
from casawatt.sources.shelly_parse import Document, Said, component, number, said_by

SOURCE = "shelly"
CLOCK_NEAR_MS = 2_000
"""A device on the local network whose stamp is further from our clock than this has a clock that is wrong."""
BEGINNING_S = 1_577_836_800
"""2020-01-01 UTC, before there were such devices: an older stamp comes from a clock that was never set."""
REPEATED_MS = 600_000
"""A stamp older than the newest by no more than this is of a message that the broker sent again."""
COMPONENTS_MAX = 256
"""No device has so many, sensors that it passes on among them; a bound for a flood of forged ones."""
RESTART_S = 30.0
"""The start of a device is known to a second or two; one so much later is another start."""


NO_METER = "no_meter"
"""Why a device is refused that measures nothing."""


class Taken(NamedTuple):
    """What a message gave: readings in the order they are to be put, and what in it could not be understood."""

    readings: list[Reading]
    faults: list[PacketError]


class _Moment(NamedTuple):
    """When values held and came (UTC ms); `ahead_ms`: how far ahead the device's own clock was, None if unknown."""

    time_ms: int
    received_ms: int
    ahead_ms: int | None


class Boots:
    """Tells the starts of a device apart by its uptime."""

    def __init__(self) -> None:
        self.boot_id: int | None = None
        """The minute (Unix time) of the start; None until an uptime was heard."""
        self._start_s = 0.0

    def take(self, uptime_s: float, time_ms: int) -> bool:
        """Take in the uptime at a time (UTC ms); return whether the device has started again since the last.

        The start comes out a little differently each time (uptimes are whole seconds, clocks drift); the number stays.
        """
        start_s, known_s = time_ms / 1000 - uptime_s, self._start_s
        self._start_s = start_s
        if self.boot_id is not None and start_s - known_s <= RESTART_S:
            return False
        first = self.boot_id is None
        self.boot_id = max(round(start_s / 60), 0)
        return not first


class ShellyDevice:
    """What is known of a device from its messages. It outlives connections.

    `device_id` is the vendor's, e.g. `shellyplugsg3-e4b063d8a1b4`. With `late`, messages may rightly be old (a broker
    kept them) and every stamp that a clock can have shown is believed; without, only one near our own clock.
    """

    def __init__(self, device_id: str, *, late: bool = False) -> None:
        self.device_id = device_id
        self.boots = Boots()
        self.addresses: set[str] = set()
        """Where its readings have come under so far."""
        self._late = late
        self._names: set[str] = set()
        self._whole: dict[str, Document] = {}
        self._minutes: dict[str, MinuteFill] = {}
        self._newest_ms = self._newest_stamp_ms = 0

    def full(self, status: Document, received_ms: int) -> Taken:
        """Take in a whole status, as the answer to `Shelly.GetStatus` or in `NotifyFullStatus`."""
        try:
            system = component(status, "sys") or {}
            unix_s, uptime_s = number(system, "unixtime"), number(system, "uptime")
            moment = self._when(number(status, "ts"), received_ms)
        except PacketError as error:
            return Taken([], [error])
        if moment is None:
            return Taken([], [])
        if "ts" not in status and self._late and unix_s is not None and unix_s >= BEGINNING_S:
            moment = self._moment(round(unix_s * 1000), received_ms)._replace(ahead_ms=None)
        if uptime_s is not None and self.boots.take(uptime_s, moment.time_ms):
            self._minutes.clear()
        self._whole.clear()
        return self._take(status, moment)

    def change(self, params: Document, received_ms: int) -> Taken:
        """Take in what has changed, as in `NotifyStatus`: some of the values of some components."""
        try:
            moment = self._when(number(params, "ts"), received_ms)
        except PacketError as error:
            return Taken([], [error])
        return Taken([], []) if moment is None else self._take(params, moment)

    def _when(self, ts_s: float | None, received_ms: int) -> _Moment | None:
        """Return when a message's values held, None when it is one that a broker has sent again."""
        if ts_s is None or ts_s < BEGINNING_S:
            return self._moment(None, received_ms)
        stamp_ms = round(ts_s * 1000)
        if self._late and 0 < self._newest_stamp_ms - stamp_ms <= REPEATED_MS:
            return None
        self._newest_stamp_ms = stamp_ms
        return self._moment(stamp_ms, received_ms)

    def _take(self, components: Document, moment: _Moment) -> Taken:
        readings: list[Reading] = []
        faults: list[PacketError] = []
        for name, change in components.items():
            if ":" not in name or change is None:
                continue
            if name not in self._names and len(self._names) >= COMPONENTS_MAX:
                faults.append(PacketError("flood", f"{name}: there are {COMPONENTS_MAX} components already"))
                continue
            self._names.add(name)
            if not isinstance(change, dict):
                faults.append(PacketError("format", f"{name} is {change!r}, no object"))
                continue
            whole = self._whole[name] = _laid_over(self._whole.get(name, {}), change)
            try:
                for said in said_by(name, whole, change):
                    readings += self._readings(said, moment)
            except PacketError as error:
                faults.append(PacketError(error.cause, f"{name}: {error}"))
        return Taken(readings, faults)

    def _moment(self, stamp_ms: int | None, received_ms: int) -> _Moment:
        """Return when a message's values held: at its stamp where that can be believed, else at its arrival.

        A device's messages come in order, so one that has just been sent is not from before the one that came before
        it: where stamp and arrival mix, a register must not seem to fall.
        """
        if stamp_ms is not None and self._late and stamp_ms < received_ms - CLOCK_NEAR_MS:
            return _Moment(stamp_ms, received_ms, 0)
        ahead_ms = None if stamp_ms is None else stamp_ms - received_ms
        time_ms = received_ms
        if ahead_ms is not None and abs(ahead_ms) <= CLOCK_NEAR_MS:
            time_ms, ahead_ms = received_ms + ahead_ms, 0
        if time_ms < self._newest_ms <= received_ms + CLOCK_NEAR_MS:
            time_ms = self._newest_ms
        self._newest_ms = time_ms
        return _Moment(time_ms, received_ms, ahead_ms)

    def _readings(self, said: Said, moment: _Moment) -> Iterator[Reading]:
        """Yield the readings of what was said of a channel: those of an outage's minutes first."""
        if said.is_empty:
            return
        reading = Reading(
            source=SOURCE,
            address=f"{self.device_id}/{said.channel}",
            received_ms=moment.received_ms,
            time_ms=moment.time_ms,
            power_w=said.power_w,
            voltage_v=said.voltage_v,
            current_a=said.current_a,
            power_factor_ratio=said.power_factor_ratio,
            register_wh=said.register_wh,
            boot_id=self.boots.boot_id,
        )
        self.addresses.add(reading.address)
        if said.register_wh is not None:
            fill = self._minutes.setdefault(said.channel, MinuteFill())
            for minute_ms, register_wh in fill.take(moment.time_ms, said.register_wh, said.minutes, moment.ahead_ms):
                yield Reading(
                    source=SOURCE,
                    address=reading.address,
                    received_ms=moment.received_ms,
                    time_ms=minute_ms,
                    register_wh=register_wh,
                    boot_id=reading.boot_id,
                )
        yield reading


def _laid_over(known: Document, change: Document) -> Document:
    """Return what is known of a component after a change; a null takes a value away."""
    return {key: value for key, value in {**known, **change}.items() if value is not None}
