"""An ESPHome node that meters, in virtual time: a topic for each quantity, all of them at even times."""

import json
from collections.abc import Callable
from typing import NamedTuple

SECOND_MS = 1000
BOOTS_IN_S = 6
APART_MS = 3
"""How far apart the messages of one round are."""


class Sent(NamedTuple):
    """A message that was published at `time_ms` (UTC ms)."""

    time_ms: int
    topic: str
    payload: str
    retain: bool = False


class VirtualEsphome:
    """A node called `name`, which measures `power_w(time_ms)`; `time_ms` is a whole second.

    Its energy is lost with its power, as without `restore`. `energy_unit` is what it announces and says it in, `Wh` or
    `kWh`; None is a node without a register.
    """

    def __init__(
        self,
        name: str,
        power_w: Callable[[int], float],
        time_ms: int,
        *,
        energy_unit: str | None = "kWh",
        update_s: int = 10,
    ) -> None:
        self.name = name
        self.true_wh = 0.0
        self._power_w = power_w
        self._time_ms = time_ms
        self._energy_unit = energy_unit
        self._update_s = update_s
        self._energy_wh = 0.0
        self._has_power = True
        self._next_ms = time_ms + BOOTS_IN_S * SECOND_MS
        self._is_new = True

    @property
    def time_ms(self) -> int:
        """Where it is in time (UTC ms)."""
        return self._time_ms

    @property
    def register_wh(self) -> float:
        """What it has counted since its start, in Wh."""
        return self._energy_wh

    def advance(self, to_ms: int) -> list[Sent]:
        """Let time pass until `to_ms`, second by second; return what was published, in order."""
        sent: list[Sent] = []
        while self._time_ms + SECOND_MS <= to_ms:
            if self._has_power:
                energy_wh = self._power_w(self._time_ms) / 3600
                self.true_wh += energy_wh
                self._energy_wh += energy_wh
            self._time_ms += SECOND_MS
            if self._has_power and self._time_ms >= self._next_ms:
                self._next_ms += self._update_s * SECOND_MS
                sent += self._connected() if self._is_new else []
                self._is_new = False
                sent += self._round()
        return sent

    def cut(self) -> list[Sent]:
        """Take its power away; return what the broker says then."""
        self._has_power, self._energy_wh = False, 0.0
        return [Sent(self._time_ms, f"{self.name}/status", "offline", retain=True)]

    def restore(self) -> None:
        """Give it power again."""
        self._has_power, self._is_new = True, True
        self._next_ms = self._time_ms + BOOTS_IN_S * SECOND_MS

    def _round(self) -> list[Sent]:
        power_w = self._power_w(self._time_ms)
        said = {"voltage": "230.0", "current": f"{power_w / 230:.3f}", "power": f"{power_w:.1f}"}
        if self._energy_unit is not None:
            said["energy"] = f"{self._energy_wh / (1000 if self._energy_unit == 'kWh' else 1):.3f}"
        return [
            Sent(self._time_ms + number * APART_MS, self._topic(sensor), value, retain=True)
            for number, (sensor, value) in enumerate(said.items())
        ]

    def _connected(self) -> list[Sent]:
        units = {"voltage": "V", "current": "A", "power": "W"}
        units |= {} if self._energy_unit is None else {"energy": self._energy_unit}
        announced = [
            Sent(
                self._time_ms,
                f"homeassistant/sensor/{self.name}/{sensor}/config",
                json.dumps(
                    {"stat_t": self._topic(sensor), "unit_of_meas": unit, "dev_cla": sensor, "dev": {"name": self.name}}
                ),
                retain=True,
            )
            for sensor, unit in units.items()
        ]
        return [Sent(self._time_ms, f"{self.name}/status", "online", retain=True), *announced]

    def _topic(self, sensor: str) -> str:
        return f"{self.name}/sensor/{sensor}/state"
