"""The digest of local days, of the home and of each meter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import msgspec
import numpy as np

from casawatt.answers.day_readings import DayReadings
from casawatt.answers.digest_event import differences, told_of
from casawatt.answers.known import Known
from casawatt.engine.day_prices import DayPrices
from casawatt.engine.days import Days, by_day
from casawatt.engine.digest import USUAL_WEEKS, Beside, gaps_of, part, peak_of
from casawatt.engine.localtime import day_edges, day_start, local_date
from casawatt.engine.resample import MINUTE_MS
from casawatt.model.digest import Digest, ToldBefore
from casawatt.model.errors import NoSuchDayError
from casawatt.model.event_data import DigestDaily
from casawatt.model.meter import Meter
from casawatt.model.quarters import Quarters, added

FIRST_DAY = date(1970, 1, 2)


@dataclass(frozen=True, slots=True)
class _Column:
    """One meter, or the home (`slug` None), over all of the days: its quarter-hours, and what they come to each day."""

    slug: str | None
    meters: tuple[Meter, ...]
    quarters: Quarters
    days: Days


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which day is asked for, until when it has passed (UTC ms), and how."""

    start_ms: int
    end_ms: int
    passed_ms: int
    resolutions: tuple[int, ...]
    brief: bool

    @property
    def over(self) -> bool:
        """Whether all of it has passed."""
        return self.passed_ms == self.end_ms


class Digests:
    """Sums up days: what is recorded of them now, whatever was told of them before."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._store = known.store
        self._readings = DayReadings(known.store, known.registry.calibrations)

    @property
    def today(self) -> date:
        """The local day that it is."""
        return local_date(self._store.zone, self._known.clock.now_ms())

    def of(self, day: date, resolutions: Sequence[int] = ()) -> Digest:
        """Return the digest of a local day, with its power at each of the resolutions (minutes that divide a day).

        Raises NoSuchDayError for one that has not begun or that the home's zone left out, ValueError for a resolution.
        """
        if not FIRST_DAY <= day <= self.today:
            message = f"{day} has not begun" if day > self.today else f"{day} is too long ago"
            raise NoSuchDayError(message)
        found = list(self.between(day, day, resolutions))
        if not found:
            message = f"there was no {day} in {self._store.zone.key}"
            raise NoSuchDayError(message)
        return found[0]

    def between(
        self, first: date, last: date, resolutions: Sequence[int] = (), *, brief: bool = False
    ) -> Iterator[Digest]:
        """Yield the digests of consecutive days from `first` to `last`, each reckoned as it is asked for.

        The quarter-hours that they are made of are read once. `brief`: nothing but these is looked into, so there are
        no runs, and peaks and gaps are to the quarter-hour. Raises ValueError for a resolution.
        """
        zone = self._store.zone
        since = max(first - timedelta(weeks=USUAL_WEEKS), FIRST_DAY)
        start_ms, end_ms = day_start(zone, since), day_start(zone, last + timedelta(days=1))
        edges_ms = np.array(day_edges(zone, start_ms, end_ms), np.int64)
        columns, now_ms = self._columns(edges_ms), self._known.clock.now_ms()
        prices = self._known.costs.prices(day_start(zone, first), end_ms)
        for place in range(int(edges_ms.searchsorted(day_start(zone, first))), len(edges_ms) - 1):
            start_ms, end_ms = (int(each) for each in edges_ms[place : place + 2])
            asked = _Asked(start_ms, end_ms, min(end_ms, max(now_ms, start_ms + 1)), tuple(resolutions), brief)
            yield self._digest(columns, place, DayPrices(prices, start_ms, end_ms), asked)

    def told(self, digest: Digest) -> ToldBefore | None:
        """Return when a day was told, and what of it is different now; None when it was not."""
        found = self._store.book.digests.told(digest.day.isoformat())
        if found is None:
            return None
        told = msgspec.convert(found.event.data, DigestDaily)
        now = told_of(digest, self._store.zone, self._known.currency)
        return ToldBefore(found.made_ms, tuple(differences(told, now)))

    def _columns(self, edges_ms: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[_Column]:
        """Return the home, and then each of the meters."""
        span = int(edges_ms[0]), int(edges_ms[-1])
        quarters = {each.meter_id: self._store.quarters(each.meter_id, *span) for each in self._known.registry.meters()}
        billed = self._known.billed
        parts: list[tuple[str | None, tuple[Meter, ...], Quarters]] = [
            (None, billed, added([quarters[each.meter_id] for each in billed]))
        ]
        parts += [(each.slug, (each,), quarters[each.meter_id]) for each in self._known.registry.meters()]
        return [_Column(slug, meters, those, by_day(those, edges_ms)) for slug, meters, those in parts]

    def _digest(self, columns: list[_Column], place: int, prices: DayPrices, asked: _Asked) -> Digest:
        home, *meters = columns
        length_ms = asked.passed_ms - asked.start_ms
        besides = [self._beside(each, place, prices, asked) for each in meters]
        of_one = [beside for beside, each in zip(besides, meters, strict=True) if each.meters == home.meters]
        whole = replace(of_one[0], runs=()) if of_one else self._beside(home, place, prices, asked)
        parts = [
            part(each.slug, each.days, place, beside, length_ms, over=asked.over)
            for each, beside in zip(columns, [whole, *besides], strict=True)
        ]
        day = local_date(self._store.zone, asked.start_ms)
        return Digest(day, asked.start_ms, asked.end_ms, asked.over, parts[0], tuple(parts[1:]))

    def _beside(self, column: _Column, place: int, prices: DayPrices, asked: _Asked) -> Beside:
        quarters, meters = column.quarters.between(asked.start_ms, asked.end_ms), column.meters
        curves_ms = asked.start_ms, asked.passed_ms + -asked.passed_ms % MINUTE_MS
        cost, passed = prices.cost(quarters), (asked.start_ms, asked.passed_ms)
        measured = quarters.measured_sum_ms >= asked.passed_ms - asked.start_ms
        beside = Beside(
            peak=peak_of(column.days, place),
            gaps=() if measured else gaps_of(quarters, *passed),
            curves=[self._readings.curve(meters, quarters, curves_ms, each) for each in asked.resolutions],
            cost=None if cost is None else cost[0],
            cost_complete=cost is None or cost[1],
            price_per_mwh=prices.mean_per_mwh,
        )
        if asked.brief:
            return beside
        return replace(
            beside,
            peak=self._readings.peak(meters, quarters),
            gaps=() if measured else self._readings.gaps(meters, passed, over=asked.over),
            runs=() if column.slug is None else self._known.begun(meters[0], asked.start_ms, asked.end_ms),
        )
