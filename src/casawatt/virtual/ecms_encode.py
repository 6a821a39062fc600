"""Writes ECMS datagrams and reads acks as a node does, from `docs/wire/` alone and not from the source's code.

Two implementations that must agree find each other's mistakes.
"""

import hashlib
import hmac
from dataclasses import dataclass

FULL_DATAGRAM_SAMPLES = 51
_ABSENT = {2: b"\xff\xff", 4: b"\xff\xff\xff\xff"}
_ACK_BYTES = 71


@dataclass(frozen=True, slots=True)
class Measured:
    """What the sensors of a node show: RMS current in A and, where it has them, volts and power factor (0 to 1)."""

    current_a: float
    voltage_v: float | None = None
    power_factor_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class NodeAck:
    """What a collector answered; see `docs/wire/ecms-v2.md`."""

    boot_id: int
    sequence: int
    uptime_ms: int
    unix_ms: int
    challenge: bytes
    have: int
    safe: int
    ask_again: bool
    not_recorded: bool


@dataclass(frozen=True, slots=True)
class ReportHead:
    """The fields of a version 2 report before its samples."""

    mac: bytes
    boot_id: int
    sequence: int
    uptime_ms: int
    unix_ms: int
    challenge: bytes
    oldest_held: int
    first_sample: int
    appliance_code: int
    firmware: tuple[int, int, int]


def encode_v1(mac: bytes, unix_s: int, appliance_code: int, current_a: float) -> bytes:
    """Return the 12 bytes of version 1, whose current starts again from zero at 5.12 A as the real one's does."""
    return mac + unix_s.to_bytes(4, "big") + bytes([appliance_code, int(current_a * 50 + 1e-9) % 256])


def encode_sample(uptime_ms: int, charge_mas: int, measured: Measured) -> bytes:
    """Return the 22 bytes of one version 2 sample."""
    voltage_v, power_factor = measured.voltage_v, measured.power_factor_ratio
    return b"".join(
        (
            uptime_ms.to_bytes(6, "big"),
            charge_mas.to_bytes(6, "big"),
            round(measured.current_a * 1000).to_bytes(4, "big"),
            _optional(None if voltage_v is None else round(voltage_v * 1000), 4),
            _optional(None if power_factor is None else round(power_factor * 10_000), 2),
        )
    )


def encode_report(head: ReportHead, samples: list[bytes], key: bytes) -> bytes:
    """Return a version 2 report with up to 51 encoded samples, signed with the node's key."""
    data = b"".join(
        (
            b"CW\x02\x01",
            head.mac,
            head.boot_id.to_bytes(8, "big"),
            head.sequence.to_bytes(4, "big"),
            head.uptime_ms.to_bytes(8, "big"),
            head.unix_ms.to_bytes(8, "big"),
            head.challenge,
            head.oldest_held.to_bytes(4, "big"),
            head.first_sample.to_bytes(4, "big"),
            bytes((head.appliance_code, *head.firmware, 0, len(samples))),
            *samples,
        )
    )
    return data + _tag(data, key)


def decode_ack(data: bytes, mac: bytes, key: bytes) -> NodeAck | None:
    """Return the ack in a datagram, None when it is none, or not for this station, or not signed with its key."""
    if len(data) != _ACK_BYTES or data[:4] != b"CW\x02\x02" or data[4:10] != mac:
        return None
    if not hmac.compare_digest(_tag(data[:-16], key), data[-16:]):
        return None
    number = int.from_bytes
    return NodeAck(
        boot_id=number(data[10:18], "big"),
        sequence=number(data[18:22], "big"),
        uptime_ms=number(data[22:30], "big"),
        unix_ms=number(data[30:38], "big"),
        challenge=data[38:46],
        have=number(data[46:50], "big"),
        safe=number(data[50:54], "big"),
        ask_again=bool(data[54] & 1),
        not_recorded=bool(data[54] & 2),
    )


def _optional(value: int | None, size: int) -> bytes:
    return _ABSENT[size] if value is None else value.to_bytes(size, "big")


def _tag(data: bytes, key: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()[:16]
