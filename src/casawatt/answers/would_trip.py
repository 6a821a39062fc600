"""How often a limiter would have acted, by the mean power of each minute."""

from collections.abc import Callable

from casawatt.engine import limiter
from casawatt.engine.limiter import Kind
from casawatt.engine.spans import union
from casawatt.model.columns import ABSENT
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.meter import Meter
from casawatt.model.quarters import Quarters
from casawatt.model.supply import Limiter
from casawatt.registry import Registry
from casawatt.store.store import Store

MINUTE_MS = 60_000

LimiterFor = Callable[[int], Limiter | None]
"""Returns the limiter of a contracted power (W); None where the config does not say what kind it is."""


class WouldTrip:
    """Lets recorded power pass a limiter that there was not."""

    def __init__(self, store: Store, registry: Registry, limiter_for: LimiterFor) -> None:
        self._store = store
        self._registry = registry
        self.limiter_for = limiter_for

    def times_ms(self, meter: Meter, quarters: Quarters, rules: Limiter) -> list[int]:
        """Return when (UTC ms) the limiter would have acted in the quarter-hours of a meter.

        Only from a quarter-hour whose power was above the lowest tier until the longest tier is over can it act, so
        only these minutes are looked at. Once it has acted it does not act again before power is normal: the home is
        off. A minute that was not measured counts for nothing. Raises StoreError.
        """
        if not rules.tiers:
            return []
        high = (quarters.max_mw != ABSENT) & (quarters.max_mw > rules.tiers[0].above_mw)
        reach_ms = INTERVAL_MS + max(max(tier.limit_ms, sum(tier.windows_ms)) for tier in rules.tiers)
        starts_ms = quarters.start_ms[high].tolist()
        spans = union((start_ms - INTERVAL_MS, start_ms + reach_ms) for start_ms in starts_ms)
        return [each for span in spans for each in self._within(meter, *span, rules)]

    def _within(self, meter: Meter, start_ms: int, end_ms: int, rules: Limiter) -> list[int]:
        minutes = self._store.by_minute(meter.meter_id, start_ms, end_ms, self._registry.calibrations(meter))
        state, acted, is_off = limiter.START, list[int](), False
        for time_ms, power_mw in zip(minutes.time_ms.tolist(), minutes.power_mw.tolist(), strict=True):
            known_mw = None if power_mw == ABSENT else power_mw
            state, said = limiter.step(state, time_ms, known_mw, rules, MINUTE_MS)
            for each in said:
                if each.kind is Kind.DUE and not is_off:
                    acted.append(each.time_ms)
                is_off = each.kind is Kind.DUE or (is_off and each.kind is not Kind.NORMAL)
        return acted
