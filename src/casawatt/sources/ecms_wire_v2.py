"""ECMS datagrams of version 2, bytes to values and back; the layout is in `docs/wire/ecms-v2.md`. No I/O, no clock."""

import hmac
import struct
from collections.abc import Mapping
from typing import NoReturn

import msgspec

from casawatt.model.errors import PacketError
from casawatt.model.reading import POWER_FACTOR_ONE

MAGIC = b"CW"
VERSION = 2
REPORT, ACK = 1, 2
TAG_BYTES = 16
MAX_BYTES = 1200
MAX_SAMPLES = 51
NO_CHALLENGE = bytes(8)

ASK_AGAIN = 1
"""Ack flag: the report was authentic but not fresh; nothing of it was taken, send it again with this challenge."""
NOT_RECORDED = 2
"""Ack flag: nothing of this node is recorded now; it belongs to no meter, or the disk is full."""

_HEADER = struct.Struct(">2sBB6sQIQQ8s")
_REPORT = struct.Struct(">IIB3sBB")
_SAMPLE = struct.Struct(">HIHIIIH")
_ACK = struct.Struct(">IIB")
_MAX_UPTIME_MS = 2**48 - 1
_MAX_BOOT_ID = 2**63 - 1
_MAX_NUMBER = 2**32 - 1
_NO_VOLTAGE = 2**32 - 1
_NO_POWER_FACTOR = 2**16 - 1


class Sample(msgspec.Struct, frozen=True, gc=False):
    """What a node measured at `uptime_ms` of its own clock. `charge_mas` has grown since it started."""

    uptime_ms: int
    charge_mas: int
    current_ma: int
    voltage_mv: int | None
    power_factor_e4: int | None


class Report(msgspec.Struct, frozen=True):
    """An authentic report of a node. Its samples are numbered `first_sample`, `first_sample + 1` and so on.

    `uptime_ms` and `unix_ms` (0: not known) are the node's clocks at sending. `oldest_held` is the lowest
    sample number that the node can still send.
    """

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
    samples: tuple[Sample, ...]


class Ack(msgspec.Struct, frozen=True):
    """The answer to a node: it has been heard up to sample `have` and may forget up to sample `safe`.

    `sequence` and `uptime_ms` repeat those of the newest report heard. `unix_ms` is the collector's time
    at sending, 0 in an ack that does not follow a report at once.
    """

    mac: bytes
    boot_id: int
    sequence: int
    uptime_ms: int
    unix_ms: int
    challenge: bytes
    have: int
    safe: int
    flags: int


def is_v2(data: bytes) -> bool:
    """Say whether a datagram claims to be of this protocol in version 2 or later."""
    return data[:2] == MAGIC and len(data) > _HEADER.size


def claimed_station(data: bytes) -> bytes:
    """Return the six MAC bytes that a datagram for which `is_v2` holds claims to be from; nothing is checked."""
    mac: bytes = _HEADER.unpack_from(data)[3]
    return mac


def parse_report(data: bytes, keys: Mapping[bytes, bytes]) -> Report:
    """Return an authentic report, given the 32-byte key of each station by its MAC bytes.

    Raises PacketError: `length`, `version`, `unknown_key`, `signature`, or `malformed` when an authentic node
    says something that cannot be.
    """
    smallest = _HEADER.size + _REPORT.size + TAG_BYTES
    if not smallest <= len(data) <= MAX_BYTES:
        _refuse("length", f"{len(data)} bytes, where a report has {smallest} to {MAX_BYTES}")
    magic, version, kind, mac, boot_id, sequence, uptime_ms, unix_ms, challenge = _HEADER.unpack_from(data)
    if (magic, version, kind) != (MAGIC, VERSION, REPORT):
        _refuse("version", f"magic {magic.hex()}, version {version}, type {kind}: not a report of version {VERSION}")
    _check_tag(data, mac, keys)
    oldest_held, first_sample, code, firmware, _, count = _REPORT.unpack_from(data, _HEADER.size)
    if len(data) != smallest + count * _SAMPLE.size:
        _refuse("malformed", f"{len(data)} bytes do not hold {count} samples")
    if not (0 < boot_id <= _MAX_BOOT_ID and sequence > 0 and uptime_ms <= _MAX_UPTIME_MS):
        _refuse("malformed", f"boot id {boot_id}, sequence {sequence} or uptime {uptime_ms} is out of range")
    if not (0 < oldest_held <= first_sample and first_sample + count - 1 <= _MAX_NUMBER):
        _refuse("malformed", f"oldest sample held {oldest_held} and first sample {first_sample} do not agree")
    body = memoryview(data)[_HEADER.size + _REPORT.size : -TAG_BYTES]
    samples = tuple(_sample(fields, uptime_ms) for fields in _SAMPLE.iter_unpack(body))
    return Report(
        mac,
        boot_id,
        sequence,
        uptime_ms,
        unix_ms,
        challenge,
        oldest_held,
        first_sample,
        code,
        (firmware[0], firmware[1], firmware[2]),
        samples,
    )


def encode_ack(ack: Ack, key: bytes) -> bytes:
    """Return the 71 bytes of an ack, signed with the node's key."""
    data = _HEADER.pack(
        MAGIC, VERSION, ACK, ack.mac, ack.boot_id, ack.sequence, ack.uptime_ms, ack.unix_ms, ack.challenge
    ) + _ACK.pack(ack.have, ack.safe, ack.flags)
    return data + hmac.digest(key, data, "sha256")[:TAG_BYTES]


def _check_tag(data: bytes, mac: bytes, keys: Mapping[bytes, bytes]) -> None:
    key = keys.get(mac)
    if key is None:
        _refuse("unknown_key", f"station {mac.hex(':')} has no line in the keys file")
    tag = hmac.digest(key, data[:-TAG_BYTES], "sha256")[:TAG_BYTES]
    if not hmac.compare_digest(tag, data[-TAG_BYTES:]):
        _refuse("signature", f"not signed with the key of {mac.hex(':')}")


def _sample(fields: tuple[int, ...], sent_uptime_ms: int) -> Sample:
    uptime_high, uptime_low, charge_high, charge_low, current_ma, voltage_mv, power_factor_e4 = fields
    uptime_ms = uptime_high << 32 | uptime_low
    if uptime_ms > sent_uptime_ms:
        _refuse("malformed", f"a sample of uptime {uptime_ms} ms, sent at {sent_uptime_ms} ms")
    if power_factor_e4 > POWER_FACTOR_ONE and power_factor_e4 != _NO_POWER_FACTOR:
        _refuse("malformed", f"power factor {power_factor_e4} is over 10000")
    return Sample(
        uptime_ms,
        charge_high << 32 | charge_low,
        current_ma,
        None if voltage_mv == _NO_VOLTAGE else voltage_mv,
        None if power_factor_e4 == _NO_POWER_FACTOR else power_factor_e4,
    )


def _refuse(cause: str, detail: str) -> NoReturn:
    raise PacketError(cause, detail)
