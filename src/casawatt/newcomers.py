"""Devices that were heard and belong to no meter, and what a person decides about one."""

from collections import OrderedDict
from dataclasses import dataclass

from casawatt.config_sections import MeterConfig
from casawatt.model.meter import NewDevice, Traits
from casawatt.model.reading import Reading

NEW_DEVICES_KEPT = 200
"""How many devices without a meter are remembered: enough for a home, and a bound for a flood of forged ones."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What a person decides about a device: the meter it shall measure for."""

    slug: str
    name: str
    source: str
    address: str
    appliance: str | None = None
    parent: str | None = None
    nominal_voltage_v: float | None = None
    power_factor_ratio: float = 1.0
    traits: Traits | None = None
    """What the readings are like, when it is not what the source declares: a file says it of itself."""


def as_adoption(slug: str, want: MeterConfig) -> Adoption:
    """Return what the config says of a meter, as if a person had decided it."""
    return Adoption(
        slug,
        want.name or slug,
        want.source,
        want.address,
        want.appliance,
        want.parent,
        want.nominal_voltage_v,
        want.power_factor_ratio,
    )


class NewDevices:
    """The devices without a meter that were heard last."""

    def __init__(self) -> None:
        """Begin with none."""
        self._heard: OrderedDict[tuple[str, str], NewDevice] = OrderedDict()

    def heard(self, reading: Reading, hint: str | None) -> bool:
        """Remember the device of a reading; returns whether it was not known before."""
        key = reading.source, reading.address
        fresh = self._heard.pop(key, None) is None
        self._heard[key] = NewDevice(
            reading.source, reading.address, reading.power_w, reading.current_a, reading.received_ms, hint
        )
        if len(self._heard) > NEW_DEVICES_KEPT:
            self._heard.popitem(last=False)
        return fresh

    def forget(self, source: str, address: str) -> None:
        """Forget a device that has a meter now."""
        self._heard.pop((source, address), None)

    def all(self) -> list[NewDevice]:
        """Return them, last heard first."""
        return list(reversed(self._heard.values()))
