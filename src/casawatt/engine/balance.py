"""What a meter measured against those behind it, and why the rest of it may be negative."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from casawatt.model.columns import Int64Array
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.patterns import Balance
from casawatt.model.quarters import Quarters

ABOVE_PERCENT = 5
"""A meter that alone shows more than the one before it in so many of the quarter-hours is probably not behind it."""

LOAD_MWH = 12_500
"""Quarter-hours in which it used less than this, 50 W, say nothing about that."""

ERR_PERCENT = 3
"""Two good meters of one load differ by no more: each errs by 1 % (class 1 of EN 62053-21), plugs by a little more."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A meter's quarter-hours. `by_current`: its device says amperes only, which make apparent power."""

    slug: str
    quarters: Quarters
    by_current: bool


def balance(whole: Measured, parts: Sequence[Measured], start_ms: int, end_ms: int) -> Balance:
    """Return what is left of a meter's energy without that of the meters behind it.

    Only over the quarter-hours of the span (UTC ms) that all of them measured from begin to end: so no gap of one, nor
    what a register counted over a gap, makes a difference.
    """
    spans = [each.quarters.between(start_ms, end_ms) for each in (whole, *parts)]
    common = reduce(np.intersect1d, [each.start_ms[each.measured_ms >= INTERVAL_MS] for each in spans])
    energies = [each.energy_mwh[np.searchsorted(each.start_ms, common)] for each in spans]
    sums = [int(each.sum()) for each in energies]
    found = Balance(
        whole.slug,
        start_ms,
        end_ms,
        (end_ms - start_ms) // INTERVAL_MS,
        len(common),
        sums[0],
        tuple((part.slug, energy) for part, energy in zip(parts, sums[1:], strict=True)),
        (),
    )
    if found.rest_mwh >= 0:
        return found
    why = tuple(causes(whole, parts, energies))
    return Balance(found.slug, start_ms, end_ms, found.quarters, found.common, found.energy_mwh, found.parts, why)


def causes(whole: Measured, parts: Sequence[Measured], energies_mwh: Sequence[Int64Array]) -> list[str]:
    """Return in sentences what may be why the meters behind another show more than it.

    `energies_mwh`: of the same quarter-hours, the whole's first.
    """
    why = []
    for part, mine_mwh in zip(parts, energies_mwh[1:], strict=True):
        used = mine_mwh >= LOAD_MWH
        above = used & (mine_mwh > energies_mwh[0] + energies_mwh[0] * ERR_PERCENT // 100)
        if above.sum() * 100 > used.sum() * ABOVE_PERCENT:
            why.append(
                f"{part.slug} alone shows more than {whole.slug} in {above.sum()} of the {used.sum()} quarter-hours in "
                f"which it was used: it may not be behind {whole.slug}"
            )
    by_current = [part.slug for part in parts if part.by_current]
    if by_current:
        why.append(
            f"{_listed(by_current)} {'measures' if len(by_current) == 1 else 'measure'} current only, and volts times "
            "amperes is apparent power, which is more than what is used: power_factor_ratio says how much is"
        )
    if whole.by_current:
        why.append(
            f"{whole.slug} measures current only: where the voltage is higher than nominal_voltage_v, or "
            "power_factor_ratio too low, it shows too little"
        )
    over_mwh = sum(int(each.sum()) for each in energies_mwh[1:]) - int(energies_mwh[0].sum())
    if over_mwh * 100 <= int(energies_mwh[0].sum()) * ERR_PERCENT:
        why.append(f"the difference is no more than meters err by, {ERR_PERCENT} %")
    return why or [f"{whole.slug} shows too little, or one of those behind it too much: compare them with one load"]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
