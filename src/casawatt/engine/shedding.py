"""Which appliances to stop, to use so much less power."""

from collections.abc import Sequence

from casawatt.model.supply import Running, Stop

KEPT_ON = frozenset(
    {"fridge", "freezer", "fridge_freezer", "router", "network", "server", "aquarium", "medical", "alarm_system"}
)
"""Kinds of appliances that are not to be stopped if others will do."""

LEAST_MW = 20_000
"""What uses less than this is not running."""


def what_to_stop(running: Sequence[Running], need_mw: int) -> Stop:
    """Return what to stop to use `need_mw` less: the smallest appliance that is enough alone, else the fewest.

    Those of `KEPT_ON` only where all others together are not enough. Where nothing is enough, all of them.
    """
    if need_mw <= 0:
        return Stop((), enough=True)
    on = sorted((each for each in running if each.power_mw >= LEAST_MW), key=lambda each: (-each.power_mw, each.meter))
    willing = [each for each in on if each.appliance not in KEPT_ON]
    kept = [each for each in on if each.appliance in KEPT_ON]
    left_mw = need_mw - sum(each.power_mw for each in willing)
    if left_mw <= 0:
        return Stop(_fewest(willing, need_mw), enough=True)
    if sum(each.power_mw for each in kept) >= left_mw:
        return Stop((*willing, *_fewest(kept, left_mw)), enough=True)
    return Stop((*willing, *kept), enough=False)


def _fewest(descending: Sequence[Running], need_mw: int) -> tuple[Running, ...]:
    """Return as few as are enough, the last of them as small as it can be; together they are enough."""
    chosen: list[Running] = []
    for place, each in enumerate(descending):
        if each.power_mw >= need_mw:
            smallest = [other for other in descending[place:] if other.power_mw >= need_mw][-1]
            return (*chosen, smallest)
        chosen.append(each)
        need_mw -= each.power_mw
    return tuple(chosen)
