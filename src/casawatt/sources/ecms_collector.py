"""What becomes of each ECMS datagram: counted and refused, or a reading in the inbox."""

import msgspec

from casawatt.model.errors import PacketError
from casawatt.model.ports import Inbox
from casawatt.model.reading import Reading
from casawatt.sources.ecms_wire import (
    APPLIANCES,
    V1_STEPS_PER_A,
    PacketV1,
    mac_text,
    may_have_wrapped,
    parse_v1,
)
from casawatt.transports.flood import FloodGuard
from casawatt.transports.udp import Address, Batch, UdpEndpoint

SOURCE = "ecms_udp"

CLOCK_TOLERANCE_MS = 120_000
"""A node sends at once, so a clock further off than this at sending is wrong."""

REMEMBERED_STATIONS = 4096
"""How many version 1 stations are kept in mind; anyone can invent more."""


class Station(msgspec.Struct):
    """What is remembered of a version 1 station: its address as text and its last current byte."""

    address: str
    current_steps: int


class Collector:
    """Takes datagrams, puts readings into `inbox`. `keys` are those of the version 2 nodes, by MAC bytes."""

    def __init__(self, inbox: Inbox, keys: dict[bytes, bytes], *, require_v2: bool, max_packets_per_s: float) -> None:
        self._inbox = inbox
        self._keys = keys
        self._require_v2 = require_v2
        self._guard = FloodGuard(max_packets_per_s)
        self._max_packets_per_s = max_packets_per_s
        self._stations: dict[bytes, Station] = {}
        self._endpoint: UdpEndpoint | None = None
        self._dropped = 0

    def attach(self, endpoint: UdpEndpoint) -> None:
        """Say which endpoint the datagrams come from; answers leave by it."""
        self._endpoint = endpoint

    def take(self, batch: Batch, monotonic_s: float) -> None:
        """Take a batch of datagrams that have just arrived."""
        received_ms = self._inbox.clock.now_ms()
        allows = self._guard.allows
        for data, sender in batch:
            if not allows(sender[0], monotonic_s):
                self._inbox.refuse(sender[0], "flood", f"more than {self._max_packets_per_s:g} packets a second")
                continue
            try:
                self._take_v1(parse_v1(data), received_ms)
            except PacketError as error:
                self._inbox.refuse(sender[0], error.cause, str(error))
        self._look_for_drops()

    def _take_v1(self, packet: PacketV1, received_ms: int) -> None:
        mac, unix_s, code, steps = packet.mac, packet.unix_s, packet.appliance_code, packet.current_steps
        station = self._stations.get(mac) or self._remember(mac, steps)
        time_ms: int | None = unix_s * 1000
        if not -CLOCK_TOLERANCE_MS <= unix_s * 1000 - received_ms <= CLOCK_TOLERANCE_MS:
            self._inbox.refuse(station.address, "clock", _clock_detail(unix_s, received_ms))
            time_ms = None
        hint = APPLIANCES.get(code)
        if hint is None:
            self._inbox.refuse(station.address, "appliance", f"appliance code {code} means nothing; reading taken")
        if may_have_wrapped(station.current_steps, steps):
            self._inbox.refuse(station.address, "wrap", _WRAP_DETAIL)
        station.current_steps = steps
        self._inbox.put(
            Reading(
                source=SOURCE,
                address=station.address,
                received_ms=received_ms,
                time_ms=time_ms,
                current_a=steps / V1_STEPS_PER_A,
            ),
            hint=hint,
        )

    def _remember(self, mac: bytes, steps: int) -> Station:
        if self._require_v2:
            cause = "version"
            raise PacketError(cause, f"version 1 from {mac_text(mac)}, and require_v2 is set")
        if mac in self._keys:
            cause = "downgrade"
            raise PacketError(cause, f"version 1 from {mac_text(mac)}, which has a key: forged, or its firmware is old")
        if len(self._stations) >= REMEMBERED_STATIONS:
            del self._stations[next(iter(self._stations))]
        station = self._stations[mac] = Station(mac_text(mac), steps)
        return station

    def _look_for_drops(self) -> None:
        endpoint = self._endpoint
        if endpoint is None:
            return
        dropped = endpoint.dropped
        if dropped is not None and dropped != self._dropped:
            self._inbox.refuse(
                "kernel",
                "overflow",
                f"{dropped - self._dropped} datagrams lost: the receive buffer of {endpoint.receive_buffer_bytes} bytes was full",
            )
            self._dropped = dropped


def _clock_detail(unix_s: int, received_ms: int) -> str:
    return f"its clock is off by {unix_s - received_ms // 1000} s; the time of arrival is taken"


_WRAP_DETAIL = "its current may have passed 5.12 A, where version 1 starts again from zero; its figures are then too low"
