"""A reading as a device says it, and the record of it as the store keeps it."""

import msgspec

POWER_FACTOR_ONE = 10_000
"""`power_factor_e4` of a power factor of 1."""


class Reading(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a device said at one instant; a field it did not mention is None.

    `source` and `address` name the device. `time_ms` is the device's own stamp in UTC
    milliseconds since 1970, None when it has no clock; `received_ms` is our clock at arrival.
    `charge_as` is an ever-growing count of ampere-seconds since the device started. `boot_id` is any
    number that the device changes with each start: it tells a counter that began again from noise.
    """

    source: str
    address: str
    received_ms: int
    time_ms: int | None = None
    power_w: float | None = None
    register_wh: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    power_factor_ratio: float | None = None
    charge_as: float | None = None
    boot_id: int | None = None


class Record(msgspec.Struct, frozen=True, gc=False):
    """A reading as it is recorded under a meter: whole numbers of the channel's unit.

    `time_ms` is UTC milliseconds since 1970; with the meter it is the record's identity.
    `device_id` names the device in the registry, so that a change of device is seen in the
    data itself. An absent channel is None.
    """

    time_ms: int
    device_id: int
    power_mw: int | None = None
    register_mwh: int | None = None
    voltage_mv: int | None = None
    current_ma: int | None = None
    power_factor_e4: int | None = None
    charge_mas: int | None = None
    boot_id: int | None = None


CHANNELS = (
    "power_mw",
    "register_mwh",
    "voltage_mv",
    "current_ma",
    "power_factor_e4",
    "charge_mas",
    "boot_id",
)
"""The channels of a record, in the order of their bit in a presence mask (bit 0 first)."""
