"""One plug or strip while it is asked again and again: from its documents to readings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from msgspec import structs

from casawatt.model.errors import PacketError
from casawatt.model.ports import Clock
from casawatt.model.reading import Reading
from casawatt.sources import kasa_legacy, kasa_tapo
from casawatt.sources.kasa_link import Link, mac_of
from casawatt.sources.kasa_register import Counter, Span

SOURCE = "kasa"

UNKNOWN = (-1002, -1008, -40106)
"""Error codes by which a Tapo says that it does not know a request: no such method, parameters, or support."""

OPTIONAL = ("get_emeter_data", "get_current_power")
"""What not every firmware knows."""

REALTIME: Mapping[str, Any] = {"system": {"get_sysinfo": {}}, "emeter": {"get_realtime": {}}}

ASK_WHO: Mapping[str, Any] = {"get_device_info": None}
"""Asked beside each other request: an address may have been given to another device meanwhile."""


class Said(NamedTuple):
    """What came of asking a device once: readings, each with the device's own name for what it measures, and faults."""

    readings: list[tuple[Reading, str | None]]
    faults: list[tuple[str, PacketError]]


@dataclass(slots=True)
class Memory:
    """What is remembered of all devices for as long as the source runs, by address: it outlives a connection."""

    counters: dict[str, Counter] = field(default_factory=dict)
    unknown: dict[str, set[str]] = field(default_factory=dict)


class Device:
    """A device behind a link. `mac` is the address of a plug; the sockets of a strip are `mac/1` and so on."""

    def __init__(self, link: Link, memory: Memory, clock: Clock) -> None:
        self.mac = mac_of(link.identity.get("mac", link.identity.get("mic_mac")))
        self._link = link
        self._memory = memory
        self._clock = clock
        self._children: list[str] | None = None

    async def ask(self) -> Said:
        """Return what the device says now.

        Raises PacketError when nothing came of it; what went wrong with one socket or value is a fault.
        """
        said = Said([], [])
        if self._link.is_legacy:
            await self._ask_legacy(said)
        else:
            await self._ask_tapo(said)
        if not said.readings:
            raise said.faults[0][1]
        return said

    async def _ask_legacy(self, said: Said) -> None:
        children = kasa_legacy.children_of(self._link.identity)
        if not children:
            await self._socket_legacy(said, self.mac, kasa_legacy.name_of(self._link.identity), REALTIME)
            return
        for number, (child, name) in enumerate(children, 1):
            request = {"context": {"child_ids": [child]}, **REALTIME}
            await self._socket_legacy(said, f"{self.mac}/{number}", name, request)

    async def _socket_legacy(self, said: Said, address: str, name: str | None, request: Mapping[str, Any]) -> None:
        answer = await self._link.ask(request)
        self._check_same(kasa_legacy.parse_sysinfo(answer))
        try:
            now = kasa_legacy.parse_realtime(answer)
        except PacketError as error:
            said.faults.append((address, error))
            return
        reading = Reading(
            source=SOURCE,
            address=address,
            received_ms=self._clock.now_ms(),
            power_w=now.power_w,
            voltage_v=now.voltage_v,
            current_a=now.current_a,
            register_wh=now.register_wh,
        )
        said.readings.append((reading, name))

    async def _ask_tapo(self, said: Said) -> None:
        if self._children is None:
            answer = await self._link.ask({**ASK_WHO, "get_child_device_list": {"start_index": 0}})
            self._children = kasa_tapo.children_of(answer.get("get_child_device_list"))
        if not self._children:
            await self._socket_tapo(said, self.mac, None)
        for number, child in enumerate(self._children, 1):
            await self._socket_tapo(said, f"{self.mac}/{number}", child)

    async def _socket_tapo(self, said: Said, address: str, child: str | None) -> None:
        unknown = self._memory.unknown.setdefault(address, set())
        requests = {"get_energy_usage": None} | {name: None for name in OPTIONAL if name not in unknown}
        answer = await self._ask(child, requests)
        unknown |= {name for name in OPTIONAL if name in requests and answer.get(name) in UNKNOWN}
        try:
            usage = kasa_tapo.parse_usage(answer)
        except PacketError as error:
            said.faults.append((address, error))
            return
        received_ms = self._clock.now_ms()
        now = Reading(
            source=SOURCE,
            address=address,
            received_ms=received_ms,
            power_w=usage.power_w,
            voltage_v=usage.voltage_v,
            current_a=usage.current_a,
        )
        try:
            readings = await self._with_register(now, child, usage)
        except PacketError as error:
            said.faults.append((address, error))
            readings = [now]
        said.readings.extend((reading, None) for reading in readings)

    async def _with_register(self, now: Reading, child: str | None, usage: kasa_tapo.Usage) -> list[Reading]:
        """Return a reading with its register, and before it where that began again; raises PacketError for none."""
        zone = kasa_tapo.parse_zone(self._link.identity)
        counter = self._memory.counters.get(now.address)
        if counter is None:
            span = await self._span(child, usage)
            counter = self._memory.counters[now.address] = Counter(span, zone)
        for year in counter.years_wanted(usage, now.received_ms):
            answer = await self._ask(child, kasa_tapo.months_request(year, zone))
            counter.months_of(year, kasa_tapo.parse_months(answer.get("get_energy_data")))
        readings = []
        for value in counter.values(usage):
            if value.time_ms is None:
                readings.append(structs.replace(now, register_wh=value.register_wh, boot_id=value.boot_id))
            else:
                readings.append(
                    Reading(
                        source=SOURCE,
                        address=now.address,
                        received_ms=now.received_ms,
                        time_ms=value.time_ms,
                        register_wh=value.register_wh,
                        boot_id=value.boot_id,
                    )
                )
        return readings

    async def _span(self, child: str | None, usage: kasa_tapo.Usage) -> Span:
        """Return what the register shall count, by what the firmware offers; raises PacketError if that is not sure."""
        request = kasa_tapo.months_request(usage.local.year, kasa_tapo.parse_zone(self._link.identity))
        history = (await self._ask(child, request)).get("get_energy_data")
        if isinstance(history, dict):
            return Span.YEAR
        if history not in UNKNOWN:
            raise PacketError("history", f"get_energy_data answered {history!s}")
        return Span.DAY if usage.month_wh is None else Span.MONTH

    async def _ask(self, child: str | None, requests: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the plug, or one socket of a strip, and make sure that it is still the same device."""
        wanted = dict(requests) if child is None else kasa_tapo.wrap_child(child, dict(requests))
        answer = await self._link.ask({**ASK_WHO, **wanted})
        identity = answer.get("get_device_info")
        if not isinstance(identity, dict):
            raise PacketError("answer", f"get_device_info answered {identity!s}")
        self._check_same(identity)
        return answer if child is None else kasa_tapo.unwrap_child(answer.get("control_child"))

    def _check_same(self, identity: Mapping[str, Any]) -> None:
        mac = mac_of(identity.get("mac", identity.get("mic_mac")))
        if mac != self.mac:
            raise PacketError("moved", f"{mac} answers where {self.mac} was")
