"""ECMS datagrams of version 1, bytes to values; the layout is in `docs/wire/ecms-v1.md`. No I/O, no clock."""

import struct

import msgspec

from casawatt.model.errors import PacketError

APPLIANCES = {
    1: "washing_machine",
    2: "fridge",
    3: "dishwasher",
    4: "dryer",
    5: "air_conditioner",
    6: "oven",
    7: "microwave",
}
"""What an appliance code stands for, in both versions."""

V1_BYTES = 12
V1_STEPS_PER_A = 50
_V1 = struct.Struct(">6sIBB")

_WRAP_FROM_STEPS = 224
_WRAP_TO_STEPS = range(3, 33)


class PacketV1(msgspec.Struct, frozen=True, gc=False):
    """A version 1 datagram: the station's six MAC bytes, Unix seconds, appliance code, current in steps of 20 mA."""

    mac: bytes
    unix_s: int
    appliance_code: int
    current_steps: int


def parse_v1(data: bytes) -> PacketV1:
    """Return what a version 1 datagram says. Raises PacketError (`length`) when it is not 12 bytes long."""
    if len(data) != V1_BYTES:
        cause = "length"
        raise PacketError(cause, f"{len(data)} bytes, where version 1 has {V1_BYTES}")
    return PacketV1(*_V1.unpack(data))


def mac_text(mac: bytes) -> str:
    """Return six MAC bytes as they are written everywhere: `5c:cf:7f:01:02:03`."""
    return mac.hex(":")


def may_have_wrapped(before_steps: int, after_steps: int) -> bool:
    """Say whether a step between two packets looks like the version 1 byte starting again from zero.

    It does when the current fell from the top eighth of the byte (4.48 A and more) to the bottom eighth
    without being off (0.06 to 0.64 A). That is a hint and no proof: an appliance can really do this,
    and a current that jumps far past 5.12 A at once leaves no trace at all.
    """
    return before_steps >= _WRAP_FROM_STEPS and after_steps in _WRAP_TO_STEPS
