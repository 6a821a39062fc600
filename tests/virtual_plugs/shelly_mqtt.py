"""A virtual Shelly of generation 2 or newer that speaks over a real broker."""

import json
from typing import Any

from tests.fakes.clock import ManualClock
from tests.mosquitto import Peer
from tests.virtual_plugs.shelly_circuits import Components

QOS = 1
"""As the vendor says."""


class Gen2OverMqtt:
    """Publishes as a real one that is connected through `peer`: notifications, or with `rpc_ntf=False` whole status."""

    def __init__(
        self,
        clock: ManualClock,
        components: Components,
        peer: Peer,
        device_id: str = "shellyplugsg3-e4b063d8a1b4",
        *,
        prefix: str | None = None,
        rpc_ntf: bool = True,
    ) -> None:
        self.device_id = device_id
        self.components = components
        self.peer = peer
        self.prefix = device_id if prefix is None else prefix
        self.faults: list[str] = []
        self.answered = 0
        self._clock = clock
        self._rpc_ntf = rpc_ntf
        self._started_ms = clock.time_ms

    async def connect(self) -> None:
        """Say that it is there, all that it has to say, and listen for questions."""
        await self.peer.subscribe(f"{self.prefix}/rpc")
        await self.peer.publish(f"{self.prefix}/online", "true", retain=True)
        await self._notify("NotifyFullStatus", self.status())

    def status(self) -> dict[str, Any]:
        """Return `Shelly.GetStatus`."""
        now_ms = self._clock.time_ms
        system = {"mac": "E4B063D8A1B4", "unixtime": now_ms // 1000, "uptime": (now_ms - self._started_ms) // 1000}
        return {"cloud": {"connected": False}, "mqtt": {"connected": True}, **self.components.status(), "sys": system}

    def tick(self, time_ms: int) -> None:
        """Live on until then."""
        self.components.tick(time_ms)

    async def speak(self) -> None:
        """Publish what has changed."""
        changes = self.components.changes()
        if changes and self._rpc_ntf:
            await self._notify("NotifyStatus", changes)
        elif changes:
            for component, status in self.components.status().items():
                await self.peer.publish(f"{self.prefix}/status/{component}", json.dumps(status), qos=QOS)

    async def answer(self) -> None:
        """Answer the question that has come, once it has."""
        questions = await self.peer.until(self.answered + 1)
        frame = json.loads(questions[self.answered].payload)
        self.answered += 1
        if not {"id", "src", "method"} <= frame.keys() or frame["method"] != "Shelly.GetStatus":
            self.faults.append(f"no request: {frame}")
        answer = {"id": frame["id"], "src": self.device_id, "dst": frame["src"], "result": self.status()}
        await self.peer.publish(f"{frame['src']}/rpc", json.dumps(answer), qos=QOS)

    async def _notify(self, method: str, components: dict[str, Any]) -> None:
        params = {"ts": self._clock.time_ms / 1000, **components}
        frame = {"src": self.device_id, "dst": f"{self.prefix}/events", "method": method, "params": params}
        await self.peer.publish(f"{self.prefix}/events/rpc", json.dumps(frame), qos=QOS)
