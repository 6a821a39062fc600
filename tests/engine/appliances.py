"""Patterns of power of made up appliances, and what the engine makes of them."""

from collections.abc import Iterable, Sequence

from casawatt.engine import runs
from casawatt.engine.runs_settings import Overrides, Settings, settings_of
from casawatt.model.meter import Calibration
from casawatt.model.run import Finished, Output, Revised, Run, Started

Readings = list[tuple[int, int]]
"""Times in ms and powers in mW."""
Part = tuple[int, float]
"""Whole seconds, and the watts that they last at."""

MINUTE_MS = 60_000
LATER_MS = 100 * 86_400_000

FILL: list[Part] = [(5, 15), (30, 10)]
DRUM: list[Part] = [(10, 60), (8, 3)]
DRUM_MINUTE = DRUM * 3
WASH: list[Part] = [*FILL, *DRUM_MINUTE * 3, (600, 2100), *DRUM_MINUTE * 15, (120, 400), *DRUM_MINUTE * 2]
"""A washing machine: valve, drum, heater, drum, spin, drum. It ends with 8 s of its electronics."""
WASH_S = sum(seconds for seconds, _ in WASH) - 8

DISHES: list[Part] = [(30, 60), (60, 13), (300, 115), (900, 2000), (600, 115), (300, 2000), (60, 60)]
"""A dishwasher: drain, fill, circulate, heat, circulate, heat, drain."""
DISHES_S = sum(seconds for seconds, _ in DISHES)

TUMBLE: list[Part] = [(20, 4), (11, 90)]
DRY: list[Part] = [(20, 200), (1800, 2500), (600, 220)]
"""A dryer: drum, heat, cool down."""
DRY_S = 2420


def readings(parts: Iterable[Part], every_s: float = 1, start_ms: int = 0) -> Readings:
    """Return readings at even times; a part that is shorter than the time between them may fall between two."""
    found, time_ms, end_ms = [], start_ms, start_ms
    for seconds, power_w in parts:
        end_ms += seconds * 1000
        while time_ms < end_ms:
            found.append((time_ms, round(power_w * 1000)))
            time_ms += round(every_s * 1000)
    return found


def settings(appliance: str | None, gap_limit_s: float = 60, **overrides: float) -> Settings:
    calibration = Calibration(0, gap_limit_ms=round(gap_limit_s * 1000))
    return settings_of(appliance, calibration, Overrides(**overrides))


def outputs_of(said: Readings, how: Settings, *, idle_s: float | None = None) -> list[Output]:
    """Return all that is told, with `idle` so often (s) in between, and once long after the last reading."""
    state, outputs = runs.START, list[Output]()
    before_ms: int | None = None
    for time_ms, power_mw in said:
        if idle_s and before_ms is not None:
            for now_ms in range(before_ms + round(idle_s * 1000), time_ms, round(idle_s * 1000)):
                state, told = runs.idle(state, now_ms, how)
                outputs += told
        state, told = runs.step(state, time_ms, power_mw, how)
        outputs += told
        before_ms = time_ms
    state, told = runs.idle(state, said[-1][0] + LATER_MS, how)
    return [*outputs, *told]


def kept(outputs: Sequence[Output]) -> list[Run]:
    """Return the runs that stand in the end, checking that what is told fits together."""
    found: dict[int, Run] = {}
    for output in outputs:
        if isinstance(output, Started):
            assert output.run.end_ms is None
            assert output.run.start_ms not in found
        elif isinstance(output, Finished):
            assert output.run.end_ms is not None
            assert output.announced_ms >= output.run.end_ms
            before = found.get(output.run.start_ms)
            assert before is None or before.end_ms is None
            found[output.run.start_ms] = output.run
        else:
            assert isinstance(output, Revised)
            assert found[output.before.start_ms] == output.before != output.run
            found[output.run.start_ms] = output.run
    return list(found.values())


def runs_of(said: Readings, how: Settings) -> list[Run]:
    return kept(outputs_of(said, how))


def spans_s(said: Readings, how: Settings) -> list[tuple[float, float]]:
    """Return when runs began and ended, in seconds."""
    found = runs_of(said, how)
    assert all(run.end_ms is not None for run in found)
    return [(run.start_ms / 1000, (run.end_ms or 0) / 1000) for run in found]
