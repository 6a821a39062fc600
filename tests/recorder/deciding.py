"""A home, its devices, and somebody who decides about what they said."""

from pathlib import Path

from casawatt.config import Config, parse
from casawatt.config_edit import ConfigFile
from casawatt.engine import pipeline
from casawatt.model.interval import Interval
from casawatt.model.reading import Reading
from casawatt.recorder.repair import Repairs
from casawatt.recorder.verify import differences
from tests.recorder.homes import FAR_MS, START_MS, TestHome

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Place:
    """An open home with `repairs`. Times are milliseconds after `START_MS`."""

    def __init__(self, folder: Path, config: Config | None = None) -> None:
        self.home = TestHome(folder)
        home, file = self.home, ConfigFile(config or parse("", "no such file"))
        self.repairs = Repairs(home.store, home.registry, home.recorder, home.clock, file)
        newest = [line.clean.newest for line in home.recorder.lines()]
        home.clock.time_ms = max([START_MS, *(each.time_ms for each in newest if each)]) + 1

    def say(self, time_ms: int, power_w: float | None, register_wh: float | None = None, address: str = "a1") -> int:
        """Let a device speak, at a time that the clock then shows at least."""
        at_ms = START_MS + time_ms
        self.home.clock.time_ms = max(self.home.clock.time_ms, at_ms)
        return self.home.recorder.put(
            Reading(
                source="change",
                address=address,
                received_ms=self.home.clock.time_ms,
                time_ms=at_ms,
                power_w=power_w,
                register_wh=register_wh,
            )
        )

    def seal(self) -> None:
        """Move everything into segments."""
        self.home.seal()

    def close(self) -> None:
        """Leave the home."""
        self.home.store.close()

    def used(self, slug: str = "fridge") -> dict[int, Interval]:
        """Return the quarter-hours of a meter that have something in them, by their begin after `START_MS`."""
        return {each.start_ms - START_MS: each for each in self.home.intervals(slug) if each.how}

    def check(self) -> None:
        """Look whether all that is kept is what a fold of the readings from the beginning gives."""
        self.home.recorder.settle()
        found = [each for line in self.home.recorder.lines() for each in differences(line, self.home.store)]
        assert found == []

    def by_those_that_measured(self, slug: str = "fridge") -> dict[int, Interval]:
        """Return the same, folded from no other readings than those of devices that measured for the meter then."""
        meter = self.home.registry.meter(slug)
        records = [
            record
            for record in self.home.store.columns(meter.meter_id, -FAR_MS, FAR_MS).records()
            if any(
                each.device.device_id == record.device_id
                and each.from_ms <= record.time_ms
                and (each.to_ms is None or record.time_ms < each.to_ms)
                for each in self.home.registry.bindings(meter)
            )
        ]
        state, closed = pipeline.run(pipeline.START, records, self.home.registry.own_calibrations(meter))
        last = {each.start_ms - START_MS: each for each in (*closed, *pipeline.open_intervals(state))}
        return {start_ms: each for start_ms, each in last.items() if each.how}
