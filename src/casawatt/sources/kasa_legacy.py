"""What the first Kasa plugs say (HS110, KP115, HS300): pure functions from their documents to values.

The same quantities come as `current` (A), `power` (W), `voltage` (V) and `total` (kWh) from old firmware, and as
`current_ma`, `power_mw`, `voltage_mv` and `total_wh` from newer.
"""

from typing import Any

import msgspec

from casawatt.model.errors import PacketError


class Realtime(msgspec.Struct, frozen=True):
    """What a socket says now; None is what it did not say."""

    power_w: float | None
    voltage_v: float | None
    current_a: float | None
    register_wh: float | None


NUMBER_MAX = 1e15
"""No device means a number that is larger, and not all that JSON can hold can be reckoned with."""

FORMS = {
    "power_w": (("power_mw", 0.001), ("power", 1.0)),
    "voltage_v": (("voltage_mv", 0.001), ("voltage", 1.0)),
    "current_a": (("current_ma", 0.001), ("current", 1.0)),
    "register_wh": (("total_wh", 1.0), ("total", 1000.0)),
}
"""Each value by the names that a firmware may give it, and what makes our unit of it."""


def parse_realtime(answer: object) -> Realtime:
    """Return the values in the answer to `emeter.get_realtime`.

    Raises PacketError: `no_meter` when the device has no meter, `device` for another error of its own, `number` for a
    value that is none, `format` for anything else.
    """
    said = _inner(answer, "emeter", "get_realtime")
    values = {name: _value(said, forms) for name, forms in FORMS.items()}
    if values["power_w"] is None and values["register_wh"] is None:
        raise PacketError("format", f"neither power nor total in {said}")
    return Realtime(**values)


def parse_sysinfo(answer: object) -> dict[str, Any]:
    """Return the answer to `system.get_sysinfo`; raises PacketError."""
    return _inner(answer, "system", "get_sysinfo")


def children_of(sysinfo: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Return id and name of each socket of a strip, in the order in which they are numbered; none for a plug."""
    children = sysinfo.get("children", [])
    if not isinstance(children, list) or not all(isinstance(child, dict) and child.get("id") for child in children):
        raise PacketError("format", f"children: {children!r}")
    return [(str(child["id"]), name_of(child)) for child in children]


def name_of(said: dict[str, Any]) -> str | None:
    """Return what its owner calls a plug or a socket, None where nothing is said."""
    name = said.get("alias")
    return name if isinstance(name, str) else None


def _inner(answer: object, target: str, command: str) -> dict[str, Any]:
    module = answer.get(target) if isinstance(answer, dict) else None
    said = module.get(command, module) if isinstance(module, dict) else None
    if not isinstance(said, dict):
        raise PacketError("format", f"no {target}.{command} in the answer")
    if said.get("err_code", 0) != 0:
        what = f"{target}.{command}: the device reports error {said['err_code']} {said.get('err_msg', '')}".rstrip()
        raise PacketError("no_meter" if said["err_code"] in (-1, -2) else "device", what)
    return said


def _value(said: dict[str, Any], forms: tuple[tuple[str, float], ...]) -> float | None:
    for name, scale in forms:
        value = said.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < NUMBER_MAX:
            raise PacketError("number", f"{name} is {value!r}")
        return value * scale
    return None
