"""Units of what is measured, and how much one of each is in the unit of a reading."""

FIELDS = ("power", "register", "voltage", "current", "power_factor")
"""What a reading can say, by the names of the options."""

UNITS: dict[str, dict[str, float]] = {
    "power": {"W": 1.0, "kW": 1e3, "mW": 1e-3},
    "register": {"Wh": 1.0, "kWh": 1e3, "MWh": 1e6, "J": 1 / 3600, "kJ": 1000 / 3600},
    "voltage": {"V": 1.0, "mV": 1e-3},
    "current": {"A": 1.0, "mA": 1e-3},
    "power_factor": {"ratio": 1.0, "percent": 0.01},
}
"""For each field its units, and what to multiply by for W, Wh, V, A and a ratio."""

WRITTEN = {"": "ratio", "%": "percent", "wh": "Wh", "kwh": "kWh", "Ws": "J", "kW/h": "kWh"}
"""Units as some devices write them, by the name that stands for them here."""

CLASSES = {
    "power": "power",
    "energy": "register",
    "voltage": "voltage",
    "current": "current",
    "power_factor": "power_factor",
}
"""What Home Assistant's device classes are called here."""


def known_unit(field: str, unit: object) -> str | None:
    """Return a unit that a device says its field has as one of `UNITS`, None where it is none of them."""
    if not isinstance(unit, str):
        return "ratio" if unit is None and field == "power_factor" else None
    name = WRITTEN.get(unit, unit)
    return name if name in UNITS[field] else None
