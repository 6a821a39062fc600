"""A Tasmota plug that lives in virtual time: what it publishes, when, and what it forgets when its power is cut.

Modelled on the firmware: energy is counted every second; `TelePeriod` sends STATE and SENSOR; `PowerDelta` sends SENSOR
when the power is another than three seconds ago; the total is written to flash at local midnight only.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

SECOND_MS = 1000
CONNECTS_AFTER_S = 8
"""How long after its start it has the network and the broker."""
FIRST_TELEMETRY_S = 4
"""How long after that it sends its first telemetry."""
WILL_AFTER_S = 15
"""How long the broker waits before it says that the plug has gone."""


class Sent(NamedTuple):
    """A message that was published at `time_ms` (UTC ms)."""

    time_ms: int
    topic: str
    payload: str
    retain: bool = False


def stamped(time_ms: int, zone: tzinfo) -> str:
    """Return a time as Tasmota writes it: local, without a zone, whole seconds."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")


class VirtualTasmota:
    """A plug called `topic`, which measures `power_w(time_ms)`; it is plugged in at `time_ms`, a whole second.

    `advance` lets time pass and returns what it published; `hear` gives it a command. `true_wh` is what really went
    through it, on or off.
    """

    def __init__(
        self, topic: str, power_w: Callable[[int], float], time_ms: int, zone: tzinfo, total_kwh: float = 0.0
    ) -> None:
        self.topic = topic
        self.true_wh = 0.0
        self.settings = {"TelePeriod": 300, "PowerDelta1": 0}
        self._power_w = power_w
        self._time_ms = time_ms
        self._zone = zone
        self._flash_kwh = self._total_kwh = total_kwh
        self._started_ms: int | None = time_ms
        self._cut_ms: int | None = None
        self._boots = 1
        self._tele_in_s = CONNECTS_AFTER_S + FIRST_TELEMETRY_S
        self._history = [0.0, 0.0, 0.0]

    @property
    def time_ms(self) -> int:
        """Where it is in time (UTC ms)."""
        return self._time_ms

    @property
    def register_wh(self) -> float:
        """What its total shows, in Wh."""
        return self._total_kwh * 1000

    @property
    def is_connected(self) -> bool:
        """Whether it has power, and a broker."""
        return self._started_ms is not None and self._time_ms >= self._started_ms + CONNECTS_AFTER_S * SECOND_MS

    def advance(self, to_ms: int) -> list[Sent]:
        """Let time pass until `to_ms`, second by second; return what was published, in order."""
        sent: list[Sent] = []
        while self._time_ms + SECOND_MS <= to_ms:
            sent += self._second()
        return sent

    def cut(self) -> None:
        """Take its power away: what it counted since midnight is lost. What it feeds has none either."""
        self._started_ms, self._cut_ms = None, self._time_ms
        self._total_kwh = self._flash_kwh

    def restore(self) -> None:
        """Give it power again."""
        self._started_ms, self._cut_ms = self._time_ms, None
        self._boots += 1
        self._tele_in_s = CONNECTS_AFTER_S + FIRST_TELEMETRY_S
        self._history = [0.0, 0.0, 0.0]

    def restart(self) -> None:
        """Start it anew by command: the total is written to flash before."""
        self._flash_kwh = self._total_kwh
        self.restore()

    def hear(self, topic: str, payload: str) -> list[Sent]:
        """Take a command; return its answers. What is not for this plug, or comes while it is away, has none."""
        prefix, name, command = topic.split("/")
        if prefix != "cmnd" or name not in {self.topic, "tasmotas"} or not self.is_connected:
            return []
        return self._command(command, payload)

    def _second(self) -> list[Sent]:
        before_ms, self._time_ms = self._time_ms, self._time_ms + SECOND_MS
        if self._started_ms is None:
            gone = self._cut_ms is not None and self._time_ms == self._cut_ms + WILL_AFTER_S * SECOND_MS
            return [self._sent("tele", "LWT", "Offline", retain=True)] if gone else []
        energy_wh = self._power_w(before_ms) / 3600
        self.true_wh += energy_wh
        self._total_kwh += energy_wh / 1000
        if stamped(before_ms, self._zone)[:10] != stamped(self._time_ms, self._zone)[:10]:
            self._flash_kwh = self._total_kwh
        self._tele_in_s -= 1
        sent = self._connects() if self._time_ms == self._started_ms + CONNECTS_AFTER_S * SECOND_MS else []
        power_w = round(self._power_w(self._time_ms))
        changed = self._has_changed(power_w)
        if not self.is_connected:
            return sent
        if self._tele_in_s <= 0:
            self._tele_in_s = self.settings["TelePeriod"]
            return [*sent, self._state(), self._sensor()]
        return [*sent, self._sensor()] if changed else sent

    def _has_changed(self, power_w: float) -> bool:
        """Say whether the power is another than three seconds ago, by as much as `PowerDelta` wants."""
        earlier_w, *rest = self._history
        self._history = [*rest, power_w]
        delta = self.settings["PowerDelta1"]
        apart_w = abs(power_w - earlier_w)
        percent = apart_w * 100 / max(min(power_w, earlier_w), 1)
        is_far = apart_w > 0 and (percent >= delta if delta <= 100 else apart_w >= delta - 100)
        if is_far and delta:
            self._history = [power_w] * 3
        return bool(is_far and delta)

    def _connects(self) -> list[Sent]:
        return [
            self._sent("tele", "LWT", "Online", retain=True),
            self._sent("tele", "INFO1", {"Info1": {"Module": "Virtual", "Version": "14.2.0(release-tasmota)"}}),
            self._sent("tele", "INFO2", {"Info2": {"WebServerMode": "Admin", "Hostname": self.topic}}),
            self._sent("tele", "INFO3", {"Info3": {"RestartReason": "Power On", "BootCount": self._boots}}),
            self._announced(),
        ]

    def _announced(self) -> Sent:
        mac = f"{sum(map(ord, self.topic)):012X}"
        config = {"t": self.topic, "ft": "%prefix%/%topic%/", "dn": self.topic, "fn": [self.topic], "md": "Virtual"}
        return Sent(self._time_ms, f"tasmota/discovery/{mac}/config", json.dumps(config), retain=True)

    def _state(self) -> Sent:
        assert self._started_ms is not None
        uptime_s = (self._time_ms - self._started_ms) // SECOND_MS
        return self._sent("tele", "STATE", {"Time": stamped(self._time_ms, self._zone), "UptimeSec": uptime_s})

    def _sensor(self) -> Sent:
        return self._sent("tele", "SENSOR", self._status())

    def _status(self) -> dict[str, Any]:
        power_w = round(self._power_w(self._time_ms))
        energy = {
            "Total": round(self._total_kwh, 3),
            "Power": power_w,
            "Factor": 1.0,
            "Voltage": 230,
            "Current": round(power_w / 230, 3),
        }
        return {"Time": stamped(self._time_ms, self._zone), "ENERGY": energy}

    def _command(self, command: str, payload: str) -> list[Sent]:
        if command == "Backlog":
            parts = [each.strip().partition(" ") for each in payload.split(";")]
            return [answer for name, _, value in parts for answer in self._command(name, value)]
        if command == "Status":
            status = {"DeviceName": self.topic, "Topic": self.topic}
            about = [self._sent("stat", "STATUS", {"Status": status})] if payload == "0" else []
            return [*about, self._sent("stat", "STATUS10", {"StatusSNS": self._status()})]
        if command not in self.settings:
            return [self._sent("stat", "RESULT", {"Command": "Unknown"})]
        if payload:
            self.settings[command] = int(payload)
            self._tele_in_s = min(self._tele_in_s, self.settings["TelePeriod"])
        return [self._sent("stat", "RESULT", {command: self.settings[command]})]

    def _sent(self, prefix: str, about: str, said: dict[str, Any] | str, *, retain: bool = False) -> Sent:
        payload = said if isinstance(said, str) else json.dumps(said)
        return Sent(self._time_ms, f"{prefix}/{self.topic}/{about}", payload, retain)
