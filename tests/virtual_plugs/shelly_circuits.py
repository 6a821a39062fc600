"""What virtual Shellys measure, in the words of their status documents."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Protocol

POWER_STEP_W = 0.5
"""A change of power smaller than this is not worth a notification."""
VOLTAGE_V = 230.0


class Components(Protocol):
    """A part of a device that measures."""

    def tick(self, time_ms: int) -> None:
        """Live on until then."""
        ...

    def status(self) -> dict[str, Any]:
        """Return its components' whole status."""
        ...

    def changes(self) -> dict[str, Any]:
        """Return what has changed and not been told yet."""
        ...

    def restart(self, *, loses_totals: bool) -> None:
        """Forget what a power cut takes."""
        ...


class Counter:
    """Energy in Wh, and that of the last three full minutes in mWh."""

    def __init__(self, total_wh: float = 0.0) -> None:
        self.total_wh = total_wh
        self._minute_wh = 0.0
        self._by_minute_mwh = [0.0, 0.0, 0.0]
        self._minute_s = 0

    def add(self, energy_wh: float) -> None:
        """Count."""
        self.total_wh += energy_wh
        self._minute_wh += energy_wh

    def minute(self, minute_s: int) -> None:
        """Begin a new minute."""
        self._by_minute_mwh = [self._minute_wh * 1000, *self._by_minute_mwh[:2]]
        self._minute_wh = 0.0
        self._minute_s = minute_s

    def restart(self, *, loses_totals: bool) -> None:
        """Forget the minutes, and the total if it is not kept."""
        self.__init__(0.0 if loses_totals else self.total_wh)  # type: ignore[misc] # it is a new counter from here on

    def document(self) -> dict[str, Any]:
        """Return it as `aenergy` or `ret_aenergy`."""
        by_minute = [round(value, 3) for value in self._by_minute_mwh]
        return {"total": round(self.total_wh, 3), "by_minute": by_minute, "minute_ts": self._minute_s}


class Circuit:
    """A relay or meter of one circuit, `switch:0` or `pm1:0`, whose load is a function of time (UTC ms) in W.

    Energy is exact for a load that changes at full seconds only. As in real ones `aenergy` counts both directions.
    """

    def __init__(self, power_w: Callable[[int], float], name: str = "switch:0", total_wh: float = 0.0) -> None:
        self.name = name
        self.used = Counter(total_wh)
        self.returned = Counter()
        self.has_load = power_w
        self._time_ms: int | None = None
        self._power_w = 0.0
        self._told_w: float | None = None
        self._is_minute = False

    def tick(self, time_ms: int) -> None:
        """Count the energy since the last tick."""
        if self._time_ms is not None:
            energy_wh = self._power_w * (time_ms - self._time_ms) / 3_600_000
            self.used.add(abs(energy_wh))
            self.returned.add(max(-energy_wh, 0.0))
        self._time_ms = time_ms
        self._power_w = self.has_load(time_ms)
        if time_ms % 60_000 == 0:
            self._is_minute = True
            self.used.minute(time_ms // 1000)
            self.returned.minute(time_ms // 1000)

    def _electric(self) -> dict[str, Any]:
        power_w = round(self._power_w, 1)
        return {"apower": power_w, "voltage": VOLTAGE_V, "current": round(abs(power_w) / VOLTAGE_V, 3)}

    def status(self) -> dict[str, Any]:
        """Return the whole component."""
        self._told_w = self._power_w
        counters = {"aenergy": self.used.document(), "ret_aenergy": self.returned.document()}
        return {self.name: {"id": 0, "output": True, **self._electric(), **counters, "temperature": {"tC": 31.5}}}

    def changes(self) -> dict[str, Any]:
        """Return a change of power, and each minute the counters alone."""
        change: dict[str, Any] = {}
        if self._told_w is None or abs(self._power_w - self._told_w) >= POWER_STEP_W:
            change |= self._electric()
            self._told_w = self._power_w
        if self._is_minute:
            self._is_minute = False
            change |= {"aenergy": self.used.document(), "ret_aenergy": self.returned.document()}
        return {self.name: {"id": 0, **change}} if change else {}

    def restart(self, *, loses_totals: bool) -> None:
        """Start counting anew."""
        self.used.restart(loses_totals=loses_totals)
        self.returned.restart(loses_totals=loses_totals)
        self._told_w = None


class ThreePhases:
    """The `em:0` and `emdata:0` of a Pro 3EM; the load of each phase is a function of time (UTC ms) in W."""

    def __init__(self, *powers_w: Callable[[int], float]) -> None:
        self._loads = dict(zip("abc", powers_w, strict=True))
        self.used_wh = dict.fromkeys("abc", 0.0)
        self.returned_wh = dict.fromkeys("abc", 0.0)
        self._powers_w = dict.fromkeys("abc", 0.0)
        self._told_w: dict[str, float] | None = None
        self._time_ms: int | None = None
        self._is_minute = False

    def tick(self, time_ms: int) -> None:
        """Count the energy since the last tick, each phase by itself."""
        for phase, power_w in self._powers_w.items():
            if self._time_ms is not None:
                energy_wh = power_w * (time_ms - self._time_ms) / 3_600_000
                (self.used_wh if energy_wh > 0 else self.returned_wh)[phase] += abs(energy_wh)
        self._time_ms = time_ms
        self._powers_w = {phase: load(time_ms) for phase, load in self._loads.items()}
        self._is_minute |= time_ms % 60_000 == 0

    def _electric(self) -> dict[str, Any]:
        document: dict[str, Any] = {"id": 0}
        for phase, power_w in self._powers_w.items():
            document |= {
                f"{phase}_current": round(abs(power_w) / VOLTAGE_V, 3),
                f"{phase}_voltage": VOLTAGE_V,
                f"{phase}_act_power": round(power_w, 1),
                f"{phase}_pf": 1.0,
            }
        total = {"n_current": None, "total_act_power": round(sum(self._powers_w.values()), 3)}
        return document | total | {"total_current": round(sum(map(abs, self._powers_w.values())) / VOLTAGE_V, 3)}

    def _registers(self) -> dict[str, Any]:
        document: dict[str, Any] = {"id": 0}
        for phase in "abc":
            document[f"{phase}_total_act_energy"] = round(self.used_wh[phase], 2)
            document[f"{phase}_total_act_ret_energy"] = round(self.returned_wh[phase], 2)
        document["total_act"] = round(sum(self.used_wh.values()), 2)
        document["total_act_ret"] = round(sum(self.returned_wh.values()), 2)
        return document

    def status(self) -> dict[str, Any]:
        """Return both components."""
        self._told_w = dict(self._powers_w)
        return {"em:0": self._electric(), "emdata:0": self._registers()}

    def changes(self) -> dict[str, Any]:
        """Return the phases when one has changed, and each minute the registers."""
        changes: dict[str, Any] = {}
        if self._told_w != self._powers_w:
            self._told_w = dict(self._powers_w)
            changes["em:0"] = self._electric()
        if self._is_minute:
            self._is_minute = False
            changes["emdata:0"] = self._registers()
        return changes

    def restart(self, *, loses_totals: bool) -> None:
        """Begin anew; a Pro 3EM keeps its totals through a power cut."""
        assert not loses_totals
        self._told_w = None


def energy_wh(power_w: Callable[[int], float], start_ms: int, end_ms: int, step_ms: int = 1000) -> float:
    """Return the energy of a load that changes at multiples of `step_ms` only."""
    times = range(start_ms, end_ms + 1, step_ms)
    return sum(max(power_w(at_ms), 0.0) * (next_ms - at_ms) for at_ms, next_ms in pairwise(times)) / 3_600_000
