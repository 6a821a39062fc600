"""What becomes of each ECMS datagram: counted and refused, or a reading in the inbox."""

import secrets
from typing import Protocol

import msgspec

from casawatt.model.errors import PacketError
from casawatt.model.ports import Inbox
from casawatt.model.reading import POWER_FACTOR_ONE, Reading
from casawatt.sources.ecms_session import NodeSession
from casawatt.sources.ecms_wire import (
    APPLIANCES,
    V1_STEPS_PER_A,
    PacketV1,
    mac_text,
    may_have_wrapped,
    parse_v1,
)
from casawatt.sources.ecms_wire_v2 import (
    ASK_AGAIN,
    NO_CHALLENGE,
    NOT_RECORDED,
    Ack,
    Report,
    encode_ack,
    is_v2,
    parse_report,
)
from casawatt.transports.flood import FloodGuard
from casawatt.transports.udp import Address, Batch

SOURCE = "ecms_udp"

CLOCK_TOLERANCE_MS = 120_000
"""A node sends at once, so a clock further off than this at sending is wrong."""

REMEMBERED_STATIONS = 4096
"""How many version 1 stations are kept in mind; anyone can invent more."""


class Endpoint(Protocol):
    """What a collector needs of a socket; `transports.udp.UdpEndpoint` is one."""

    receive_buffer_bytes: int

    @property
    def dropped(self) -> int | None:
        """Datagrams the kernel had to drop since the socket was opened; None if unknown."""
        ...

    def send(self, data: bytes, address: Address) -> bool:
        """Send one datagram, or return False."""
        ...


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
        secret = secrets.token_bytes(32)
        self._sessions = {mac: NodeSession(mac, secret) for mac in keys}
        self._endpoint: Endpoint | None = None
        self._dropped = 0

    def attach(self, endpoint: Endpoint) -> None:
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
                if is_v2(data):
                    self._take_v2(parse_report(data, self._keys), sender, received_ms)
                else:
                    self._take_v1(parse_v1(data), received_ms)
            except PacketError as error:
                self._inbox.refuse(sender[0], error.cause, str(error))
        self._look_for_drops()

    def tell_what_is_safe(self, safe_ticket: int) -> None:
        """Tell each node of which more readings have become safe, so that it can free its buffer."""
        for session in self._sessions.values():
            if session.advance(safe_ticket) and session.peer is not None:
                self._answer(session, session.peer, unix_ms=0)

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

    def _take_v2(self, report: Report, sender: Address, received_ms: int) -> None:
        session = self._sessions[report.mac]
        if not session.admit(report, sender):
            if report.challenge != NO_CHALLENGE:
                self._inbox.refuse(sender[0], "stale", f"{mac_text(report.mac)}: {_STALE_DETAIL}")
            self._ask_again(session, report, sender)
            return
        address = mac_text(report.mac)
        hint = APPLIANCES.get(report.appliance_code)
        if hint is None and report.appliance_code:
            detail = f"appliance code {report.appliance_code} means nothing; readings taken"
            self._inbox.refuse(address, "appliance", detail)
        session.note(self._put_samples(session, report, address, received_ms, hint))
        session.advance(self._inbox.safe_ticket())
        self._answer(session, sender, unix_ms=self._inbox.clock.now_ms())

    def _put_samples(
        self, session: NodeSession, report: Report, address: str, received_ms: int, hint: str | None
    ) -> dict[int, int]:
        """Put what is new in a report into the inbox; return the ticket of each sample number."""
        sent_ms = report.unix_ms or received_ms
        if not -CLOCK_TOLERANCE_MS <= sent_ms - received_ms <= CLOCK_TOLERANCE_MS:
            self._inbox.refuse(address, "clock", _clock_detail(sent_ms // 1000, received_ms))
            sent_ms = received_ms
        tickets = {}
        for number, sample in enumerate(report.samples, report.first_sample):
            if not session.lacks(number):
                continue
            power_factor_e4, voltage_mv = sample.power_factor_e4, sample.voltage_mv
            reading = Reading(
                source=SOURCE,
                address=address,
                received_ms=received_ms,
                time_ms=sent_ms - (report.uptime_ms - sample.uptime_ms),
                current_a=sample.current_ma / 1000,
                voltage_v=None if voltage_mv is None else voltage_mv / 1000,
                power_factor_ratio=None if power_factor_e4 is None else power_factor_e4 / POWER_FACTOR_ONE,
                charge_as=sample.charge_mas / 1000,
                boot_id=report.boot_id,
            )
            tickets[number] = self._inbox.put(reading, hint=hint)
        return tickets

    def _answer(self, session: NodeSession, peer: Address, *, unix_ms: int) -> None:
        challenge = session.challenge_for(session.boot_id)
        ack = Ack(
            session.mac,
            session.boot_id,
            session.sequence,
            session.uptime_ms,
            unix_ms,
            challenge,
            session.have,
            session.safe,
            flags=0 if session.recorded else NOT_RECORDED,
        )
        self._send(ack, peer)

    def _ask_again(self, session: NodeSession, report: Report, peer: Address) -> None:
        challenge = session.challenge_for(report.boot_id)
        now_ms = self._inbox.clock.now_ms()
        ack = Ack(
            report.mac, report.boot_id, report.sequence, report.uptime_ms, now_ms, challenge, 0, 0, flags=ASK_AGAIN
        )
        self._send(ack, peer)

    def _send(self, ack: Ack, peer: Address) -> None:
        if self._endpoint is not None:
            self._endpoint.send(encode_ack(ack, self._keys[ack.mac]), peer)

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
            lost, room = dropped - self._dropped, endpoint.receive_buffer_bytes
            self._inbox.refuse(
                "kernel", "overflow", f"{lost} datagrams lost: the receive buffer of {room} bytes was full"
            )
            self._dropped = dropped


def _clock_detail(unix_s: int, received_ms: int) -> str:
    return f"its clock is off by {unix_s - received_ms // 1000} s; the time of arrival is taken"


_WRAP_DETAIL = (
    "its current may have passed 5.12 A, where version 1 starts again from zero; its figures are then too low"
)

_STALE_DETAIL = "a report from before this collector or the node's present boot began, perhaps replayed; asked again"
