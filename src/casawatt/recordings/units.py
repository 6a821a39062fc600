"""What a column's heading says its unit is."""

import re

_UNIT_OF_WORD = {
    "kwh": "kWh",
    "wh": "Wh",
    "kw": "kW",
    "mw": "mW",
    "w": "W",
    "watt": "W",
    "watts": "W",
    "ma": "mA",
    "a": "A",
    "amp": "A",
    "amps": "A",
    "ampere": "A",
    "mv": "mV",
    "v": "V",
    "volt": "V",
    "volts": "V",
}
_UNIT_OF_NAME = {
    ("energy", "energie", "energia", "consumption", "verbrauch", "consumo"): "kWh",
    ("power", "leistung", "potenza", "puissance", "potencia", "load"): "W",
    ("current", "strom", "corrente", "courant", "corriente", "intensity"): "A",
    ("voltage", "spannung", "tensione", "tension"): "V",
}
_POWER_FACTOR = re.compile(r"power[ _-]?factor|cos ?phi|cosphi|leistungsfaktor", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]+")
_NOT_MEASURED = frozenset({"reactive", "apparent", "blind", "kvar", "var", "va", "kva", "price", "cost"})


def unit_of(heading: str) -> tuple[str | None, bool]:
    """Return the unit that a heading tells, and whether it is said outright (not guessed from a word like `power`).

    The unit is a key of `columns.UNITS`; None when the heading tells nothing or something casawatt does not record.
    """
    if _POWER_FACTOR.search(heading):
        return "power factor", True
    words = [word.lower() for word in _WORDS.findall(heading)]
    if _NOT_MEASURED & set(words):
        return None, True
    for word in reversed(words):
        if word in _UNIT_OF_WORD:
            return _UNIT_OF_WORD[word], True
    for names, unit in _UNIT_OF_NAME.items():
        if any(word.startswith(names) for word in words):
            return unit, False
    return None, False
