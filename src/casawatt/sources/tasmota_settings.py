"""Having Tasmota devices report more often, for those who asked for it: `configure = true`.

A device is asked first, by commands without a value, and told only what differs. Nothing is published otherwise.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any, Protocol

logger = logging.getLogger(__name__)

ANSWERS = ("RESULT", "TELEPERIOD", *(f"POWERDELTA{number}" for number in ("", 1, 2, 3, 4)))
"""Where an answer comes: at RESULT, or with `SetOption4` at the command's own name."""
UNKNOWN = -1
"""In the place of a setting: the firmware has no such command."""
WATTS_FROM = 100
"""`PowerDelta` is per cent up to this; above it, watts and this."""


class Publisher(Protocol):
    """What is needed of a broker."""

    async def publish(self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False) -> None:
        """Publish one message; raises ConnectionError when not connected."""
        ...


class Settings:
    """What devices are to be set to, and how far each is. `tell(device, detail)` is called where one does not obey."""

    def __init__(self, tele_period_s: int, power_delta_w: int, tell: Callable[[str, str], None]) -> None:
        self._tele_period_s = tele_period_s
        self._power_delta = WATTS_FROM + power_delta_w
        self._tell = tell
        self._present: dict[str, dict[str, int]] = {}
        """What each device that was asked has answered."""
        self._wanted: dict[str, dict[str, int]] = {}
        self._commands: dict[str, str] = {}
        self._told: set[str] = set()
        self._to_publish: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()

    def seen(self, device: str, commands: str, channels: int) -> None:
        """Ask a device that meters on so many channels for its settings, if it was not asked before."""
        if device not in self._wanted:
            deltas = {f"PowerDelta{number + 1}": self._power_delta for number in range(channels)}
            self._wanted[device] = {"TelePeriod": self._tele_period_s, **deltas}
            self._commands[device] = commands
            self._ask(device)

    def back(self, device: str) -> None:
        """Ask a device again that has come back, if it has not answered yet."""
        if device in self._wanted and device not in self._told:
            self._ask(device)

    def answered(self, device: str, said: dict[str, Any]) -> None:
        """Take in an answer; when the device has answered all, tell it what differs."""
        if device not in self._wanted:
            return
        wanted, present = self._wanted[device], self._present.setdefault(device, {})
        for key, value in said.items():
            name = "PowerDelta1" if key == "PowerDelta" else key
            if name in wanted and isinstance(value, int):
                present[name] = value
        if said.get("Command") == "Unknown":
            present |= {name: UNKNOWN for name in wanted if name.startswith("PowerDelta") and name not in present}
        if device in self._told:
            self._check(device, said)
        elif present.keys() == wanted.keys():
            self._set(device)

    async def publish(self, broker: Publisher) -> None:
        """Publish what is to be published, for ever. What finds no connection is asked anew when the device is back."""
        while True:
            device, topic, payload = await self._to_publish.get()
            try:
                await broker.publish(topic, payload)
            except ConnectionError as error:
                logger.info("%s could not be asked for its settings: %s", device, error)
                self._forget(device)

    def _ask(self, device: str) -> None:
        for name in self._wanted[device]:
            self._to_publish.put_nowait((device, f"{self._commands[device]}/{name}", ""))

    def _set(self, device: str) -> None:
        self._told.add(device)
        present, wanted = self._present[device], self._wanted[device]
        changes = {name: wanted[name] for name in wanted if present[name] not in {UNKNOWN, wanted[name]}}
        if changes:
            backlog = "; ".join(f"{name} {value}" for name, value in changes.items())
            before = "; ".join(f"{name} {present[name]}" for name in changes)
            logger.info("%s is set to report more often, as configured: %s (it was: %s)", device, backlog, before)
            self._to_publish.put_nowait((device, f"{self._commands[device]}/Backlog", backlog))

    def _check(self, device: str, said: dict[str, Any]) -> None:
        """Complain where the device's answer to being told is not what it was told."""
        for name, value in self._wanted[device].items():
            answer = said.get(name, said.get(re.sub("1$", "", name)) if name == "PowerDelta1" else None)
            if isinstance(answer, int) and answer != value:
                self._tell(device, f"it was told {name} {value} and answers {answer}; set it in the device")

    def _forget(self, device: str) -> None:
        """Begin anew with a device when it is heard next."""
        self._wanted.pop(device, None)
        self._present.pop(device, None)
        self._told.discard(device)
