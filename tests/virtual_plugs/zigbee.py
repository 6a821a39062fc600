"""A Zigbee plug behind zigbee2mqtt, in virtual time: it reports what changes enough, and now and then anyway."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

SECOND_MS = 1000
LEAST_S, MOST_S = 5, 3600
"""It reports at most and at least so often."""


class Sent(NamedTuple):
    """A message that was published at `time_ms` (UTC ms)."""

    time_ms: int
    topic: str
    payload: str
    retain: bool = False


def bridge_of(devices: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Return what `bridge/devices` says of devices, by the unit of each property that they show."""
    plugs = [
        {
            "friendly_name": name,
            "type": "Router",
            "definition": {
                "vendor": "Virtual",
                "model": "plug",
                "exposes": [
                    {"type": "switch", "features": [{"name": "state", "property": "state", "type": "binary"}]},
                    *({"name": key, "property": key, "type": "numeric", "unit": unit} for key, unit in units.items()),
                ],
            },
        }
        for name, units in devices.items()
    ]
    return [{"friendly_name": "Coordinator", "type": "Coordinator", "definition": None}, *plugs]


class VirtualZigbee:
    """A plug called `name`, which measures `power_w(time_ms)`; `time_ms` is a whole second.

    It reports a change of `delta_w`; with `register_kwh` None it has no register. Its register is kept through
    everything; `pair_anew` starts it from zero. `current_unit` is what it announces. `last_seen` is whether messages
    have the time of the measurement.
    """

    def __init__(
        self,
        name: str,
        power_w: Callable[[int], float],
        time_ms: int,
        *,
        register_kwh: float | None = 0.0,
        current_unit: str = "A",
        last_seen: bool = True,
        delta_w: float = 5,
    ) -> None:
        self.name = name
        self.true_wh = 0.0
        self._power_w = power_w
        self._time_ms = time_ms
        self._register_kwh = register_kwh
        self._current_unit = current_unit
        self._last_seen = last_seen
        self._delta_w = delta_w
        self._said_w = 0.0
        self._said_ms: int | None = None

    @property
    def time_ms(self) -> int:
        """Where it is in time (UTC ms)."""
        return self._time_ms

    def announced(self) -> list[Sent]:
        """Return what zigbee2mqtt says when it starts."""
        units = {"power": "W", "current": self._current_unit, "voltage": "V"}
        units |= {} if self._register_kwh is None else {"energy": "kWh"}
        bridge = json.dumps(bridge_of({self.name: units}))
        return [
            Sent(self._time_ms, "zigbee2mqtt/bridge/state", json.dumps({"state": "online"}), retain=True),
            Sent(self._time_ms, "zigbee2mqtt/bridge/devices", bridge, retain=True),
            self.present(online=True),
        ]

    def present(self, *, online: bool) -> Sent:
        """Return what zigbee2mqtt says of whether the plug is there."""
        state = json.dumps({"state": "online" if online else "offline"})
        return Sent(self._time_ms, f"zigbee2mqtt/{self.name}/availability", state, retain=True)

    def advance(self, to_ms: int) -> list[Sent]:
        """Let time pass until `to_ms`, second by second; return what was published, in order."""
        sent: list[Sent] = []
        while self._time_ms + SECOND_MS <= to_ms:
            energy_wh = self._power_w(self._time_ms) / 3600
            self.true_wh += energy_wh
            if self._register_kwh is not None:
                self._register_kwh += energy_wh / 1000
            self._time_ms += SECOND_MS
            power_w = self._power_w(self._time_ms)
            since_s = MOST_S if self._said_ms is None else (self._time_ms - self._said_ms) // SECOND_MS
            has_changed = abs(power_w - self._said_w) >= self._delta_w and since_s >= LEAST_S
            if has_changed or since_s >= MOST_S:
                self._said_w, self._said_ms = power_w, self._time_ms
                sent.append(self.state())
        return sent

    def pair_anew(self) -> None:
        """Let its register start from zero."""
        self._register_kwh = 0.0

    def state(self) -> Sent:
        """Return its state as zigbee2mqtt publishes it, also when it repeats it from its memory."""
        amperes = self._said_w / 230
        said: dict[str, Any] = {
            "current": round(amperes * 1000) if self._current_unit == "mA" else round(amperes, 2),
            "linkquality": 120,
            "power": round(self._said_w, 1),
            "state": "ON",
            "voltage": 230,
        }
        if self._register_kwh is not None:
            said["energy"] = round(self._register_kwh, 3)
        if self._last_seen and self._said_ms is not None:
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self._said_ms)
            said["last_seen"] = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return Sent(self._time_ms, f"zigbee2mqtt/{self.name}", json.dumps(said))
