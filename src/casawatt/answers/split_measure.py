"""What was measured in a period, as the split needs it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from casawatt.answers.claims import Claims
from casawatt.engine.split_used import Grid, Measurements, RunEnergy
from casawatt.engine.split_words import decimal_hours
from casawatt.model.columns import Int64Array
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.member import Assignment, SplitRules
from casawatt.model.meter import Meter
from casawatt.model.quarters import Quarters, no_quarters
from casawatt.registry import Registry
from casawatt.store.store import Store


class Measuring:
    """Asks the store for the quarter-hours of meters and of claimed runs."""

    def __init__(self, store: Store, registry: Registry, claims: Claims, zone: ZoneInfo) -> None:
        """Times of runs are told by the local time of `zone`."""
        self._store = store
        self._registry = registry
        self._claims = claims
        self._zone = zone

    def measurements(self, grid: Grid, rules: SplitRules, billed_name: str, billed: Quarters) -> Measurements:
        """Return what was measured in a period. Raises StoreError."""
        known = {each.slug: each for each in self._registry.meters()}
        meters = {each.meter: self._quarters(known.get(each.meter), grid) for each in rules.assignments}
        claimed = [each for each in rules.assignments if each.claimed and each.meter in known]
        runs = [run for each in claimed for run in self._runs(each, rules, known, grid, meters)]
        return Measurements(billed_name, billed, meters, runs, _notes(grid, billed_name, billed))

    def _quarters(self, meter: Meter | None, grid: Grid) -> Quarters:
        return no_quarters() if meter is None else self._store.quarters(meter.meter_id, grid.start_ms, grid.end_ms)

    def _runs(
        self,
        assignment: Assignment,
        rules: SplitRules,
        known: dict[str, Meter],
        grid: Grid,
        meters: dict[str, Quarters],
    ) -> Iterator[RunEnergy]:
        """Yield the part of each claimed run that lies in the period."""
        meter = known[assignment.meter]
        behind = [each.meter for each in rules.assignments if each.within == assignment.meter and each.meter in known]
        own: Int64Array | None = None
        for start_ms, end_ms, member in self._claims.holding(meter, grid.start_ms, grid.end_ms):
            from_ms, to_ms = max(start_ms, grid.start_ms), min(end_ms, grid.end_ms)
            if from_ms >= to_ms:
                continue
            if own is None:
                own = grid.spread(meters[assignment.meter])
                for slug in behind:
                    own -= grid.spread(meters[slug])
            first, stop = grid.place(from_ms), grid.place(to_ms - 1) + 1
            energy_mwh = own[first:stop].copy()
            those = [meter, *(known[slug] for slug in behind)]
            for place in {first, stop - 1}:
                begin_ms = grid.start_ms + place * INTERVAL_MS
                part = max(from_ms, begin_ms), min(to_ms, begin_ms + INTERVAL_MS)
                if part != (begin_ms, begin_ms + INTERVAL_MS):
                    energy_mwh[place - first] = self._energy_mwh(those, *part)
            yield RunEnergy(assignment.meter, member, start_ms, self._when(start_ms, end_ms), first, energy_mwh)

    def _energy_mwh(self, meters: Sequence[Meter], start_ms: int, end_ms: int) -> int:
        """Return the energy of the first meter in a part of a quarter-hour, without that of the others."""
        mine, *others = (
            self._store.energy(each.meter_id, start_ms, end_ms, self._registry.calibrations(each)).energy_mwh
            for each in meters
        )
        return mine - sum(others)

    def _when(self, start_ms: int, end_ms: int) -> str:
        start, end = (datetime.fromtimestamp(each // 1000, UTC).astimezone(self._zone) for each in (start_ms, end_ms))
        if start.date() == end.date():
            return f"on {start:%Y-%m-%d} from {start:%H:%M} to {end:%H:%M}"
        return f"from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def _notes(grid: Grid, name: str, billed: Quarters) -> list[str]:
    """Return a sentence about how long the billed consumption was not measured, none when it always was."""
    missing_ms = grid.end_ms - grid.start_ms - billed.between(grid.start_ms, grid.end_ms).measured_sum_ms
    if missing_ms <= 0:
        return []
    missing = f"{name} was not measured for {decimal_hours(missing_ms)} of these days"
    return [f"{missing}; the bill holds what was counted, and nothing is made up for the rest."]
