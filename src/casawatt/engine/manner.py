"""How a device's readings are taken: what its source declares, unless the home's owner says otherwise."""

from casawatt.model.meter import Cadence, Calibration, Manner, Traits
from casawatt.model.reading import POWER_FACTOR_ONE


def manner_of(
    traits: Traits,
    supply_limit_w: float,
    *,
    cadence: Cadence | None = None,
    gap_limit_s: float | None = None,
    limit_w: float | None = None,
) -> Manner:
    """Return how readings with these traits are taken where the meter's own options, if there are any, go first.

    Without one of its own the limit is the lower one of device and supply.
    """
    return Manner(
        cadence or traits.cadence,
        traits.gap_limit_ms if gap_limit_s is None else round(gap_limit_s * 1000),
        round((limit_w or min(supply_limit_w, traits.limit_w)) * 1000),
        traits.falls_back,
    )


def calibration_of(from_ms: int, voltage_v: float, power_factor_ratio: float, manner: Manner) -> Calibration:
    """Return the calibration from `from_ms` on (UTC ms)."""
    return Calibration(
        from_ms,
        round(voltage_v * 1000),
        round(power_factor_ratio * POWER_FACTOR_ONE),
        manner.cadence,
        manner.gap_limit_ms,
        manner.limit_mw,
        falls_back=manner.falls_back,
    )
