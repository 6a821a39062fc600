"""What the status of a Shelly's component says of electricity, generation 2 and newer.

A component is an object of a status document: `switch:0`, `pm1:0`, `cover:0`, `light:0` and the like measure one
circuit (they have `apower` or `aenergy`); `em:0` three phases, whose energy is in `emdata:0`; `em1:0` one phase,
whose energy is in `em1data:0`. What is not there, or null, was not said.
"""

from collections.abc import Mapping
from typing import NamedTuple

from casawatt.model.errors import PacketError

PHASES = ("a", "b", "c")
RETURN = "return"
MEASURED = {"apower", "voltage", "current", "pf", "aenergy", "ret_aenergy"}
"""What of a circuit is electric; a message about its temperature alone is none of ours."""

NUMBER_MAX = 1e15
"""No device means a number that is larger, and not all that JSON can hold can be reckoned with."""

Document = Mapping[str, object]


class Minutes(NamedTuple):
    """Energy of the last full minutes, newest first: `energies_wh[0]` is that of the minute before `minute_s`.

    `minute_s` is the Unix time, by the device's clock, at which its current minute began.
    """

    minute_s: int
    energies_wh: tuple[float, ...]


class Said(NamedTuple):
    """What was said of one channel; `channel` is the last part of its address, e.g. `switch:0` or `em:0/a`."""

    channel: str
    power_w: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    power_factor_ratio: float | None = None
    register_wh: float | None = None
    minutes: Minutes | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said at all."""
        return all(value is None for value in self[1:])


def component(document: Document, name: str) -> Document | None:
    """Return an object in a document, None when it is not there; raises PacketError when it is something else."""
    found = document.get(name)
    if found is not None and not isinstance(found, dict):
        raise PacketError("format", f"{name} is {found!r}, no object")
    return found


def number(document: Document, key: str) -> float | None:
    """Return a number in a document, None when it is not there or null; raises PacketError when it is none."""
    value = document.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < NUMBER_MAX:
        raise PacketError("number", f"{key} is {value!r}, no number")
    return float(value)


def said_by(name: str, whole: Document, change: Document) -> list[Said]:
    """Return what a component said, channel by channel.

    `change` is what the message itself held of it, `whole` that laid over all it said before: by the vendor's rules
    a message may leave out what has not changed. So power, voltage and the rest are taken from `whole`, but a register
    only from `change`: an older count does not belong to this instant. Raises PacketError for what cannot be.
    """
    kind, _, index = name.partition(":")
    match kind:
        case "em":
            said = _three_phases(name, whole)
        case "emdata":
            said = _three_phase_registers(f"em:{index}", change)
        case "em1":
            said = [_electric(name, whole, "act_power", "")]
        case "em1data":
            said = _registers(f"em1:{index}", change, "total_act_energy", "total_act_ret_energy")
        case _:
            said = _one_circuit(name, whole, change) if "apower" in whole or "aenergy" in whole else []
    return said


def _electric(channel: str, whole: Document, power: str, prefix: str) -> Said:
    """Return the electrical values of a channel. A current without a power is left out: it alone makes no watts."""
    power_w = number(whole, power)
    voltage_v = number(whole, f"{prefix}voltage")
    if power_w is None:
        return Said(channel, voltage_v=voltage_v)
    return Said(channel, power_w, voltage_v, number(whole, f"{prefix}current"), number(whole, f"{prefix}pf"))


def _three_phases(channel: str, whole: Document) -> list[Said]:
    """Return the three phases together, then each of those that the device measures."""
    phases = [_electric(f"{channel}/{phase}", whole, f"{phase}_act_power", f"{phase}_") for phase in PHASES]
    together = Said(channel, number(whole, "total_act_power"))
    if together.power_w is not None:
        together = together._replace(current_a=number(whole, "total_current"))
    return [together, *phases]


def _three_phase_registers(channel: str, data: Document) -> list[Said]:
    said = _registers(channel, data, "total_act", "total_act_ret")
    for phase in PHASES:
        energy, returned = f"{phase}_total_act_energy", f"{phase}_total_act_ret_energy"
        said += _registers(f"{channel}/{phase}", data, energy, returned)
    return said


def _registers(channel: str, data: Document, energy: str, returned: str) -> list[Said]:
    """Return a channel's register, and that of what went back, once anything has."""
    said = [Said(channel, register_wh=number(data, energy))]
    returned_wh = number(data, returned)
    if returned_wh:
        said.append(Said(f"{channel}/{RETURN}", register_wh=returned_wh))
    return said


def _one_circuit(channel: str, whole: Document, change: Document) -> list[Said]:
    """Return a circuit, and what went back through it.

    `aenergy` counts energy in either direction, `ret_aenergy` that part of it which was returned; so what was used is
    the difference. Where only one of the two was said, the difference is not known.
    """
    if MEASURED.isdisjoint(change):
        return []
    electric = _electric(channel, whole, "apower", "")
    used = component(change, "aenergy")
    back = component(change, "ret_aenergy")
    known_back = component(whole, "ret_aenergy")
    known_back_wh = 0.0 if known_back is None else number(known_back, "total") or 0.0
    said = []
    if used is not None and (back is not None or not known_back_wh):
        total_wh, back_wh = number(used, "total"), 0.0 if back is None else number(back, "total") or 0.0
        register_wh = None if total_wh is None else max(total_wh - back_wh, 0.0)
        minutes = _difference(_minutes(used), _minutes(back) if back_wh else None)
        electric = electric._replace(register_wh=register_wh, minutes=minutes)
    if back is not None and (returned_wh := number(back, "total")):
        said.append(Said(f"{channel}/{RETURN}", register_wh=returned_wh, minutes=_minutes(back)))
    return [electric, *said]


def _minutes(counter: Document | None) -> Minutes | None:
    """Return the last minutes of a counter, None when it does not tell them.

    The current firmware says at which full minute they end. Older versions give some other second there, and nothing
    says which minutes they mean; these are left out.
    """
    if counter is None:
        return None
    values, minute_s = counter.get("by_minute"), number(counter, "minute_ts")
    if not isinstance(values, list) or minute_s is None or minute_s % 60:
        return None
    energies = [number({"by_minute": value}, "by_minute") for value in values]
    known = [value / 1000 for value in energies if value is not None]
    return Minutes(int(minute_s), tuple(known)) if len(known) == len(values) else None


def _difference(used: Minutes | None, back: Minutes | None) -> Minutes | None:
    """Return the minutes without what went back in them, None when the two do not tell of the same ones."""
    if used is None or back is None:
        return used
    if used.minute_s != back.minute_s or len(used.energies_wh) != len(back.energies_wh):
        return None
    pairs = zip(used.energies_wh, back.energies_wh, strict=True)
    return Minutes(used.minute_s, tuple(used_wh - back_wh for used_wh, back_wh in pairs))
