"""What is known of a meter's runs so far, and what is learned from it: thresholds and waits."""

import msgspec

from casawatt.engine import runs_sketch
from casawatt.engine.runs_settings import Settings
from casawatt.engine.runs_sketch import Sketch
from casawatt.engine.runs_track import Burst, Track

DRIED_MS = 360_000
"""After so much quiet a blip is the last of a passive drying (8 to 31 minutes), and not one after a pause."""

_OFF_MS = 60_000
_OFF_KNOWN_MS = 300_000
_OFF_MW = 700
_DRIED_RUNS_LEAST = 3


class Core(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All that the runs of what follows depend on.

    `track`: the run that goes on, or has ended and may yet be changed. `burst`: activity that is not decided on.
    `quiet_ms` and `quiet_uj`: the known quiet since the last activity, and what was used in it; `quiet_mw`: the power
    of its last piece. `interval_ms`: how far apart readings are while something happens. `floor_mw`: a weak level that
    led to nothing. `dried`: the quiet before the last blip of earlier runs. `ended_ms`: the last run's end.
    """

    track: Track | None = None
    burst: Burst | None = None
    quiet_ms: int = 0
    quiet_uj: int = 0
    quiet_mw: int = 0
    interval_ms: int = 0
    sketch: Sketch = runs_sketch.EMPTY
    floor_mw: int = 0
    dried: tuple[int, ...] = ()
    ended_ms: int | None = None


def on_mw(core: Core, settings: Settings) -> int:
    """Return the power from which on the meter is active: the preset's, or above its own standby if that is higher."""
    if settings.learns_on:
        standby_mw = settings.standby_mw
        if standby_mw is None:
            standby_mw = runs_sketch.quantile_mw(core.sketch, 5) or 0
        return max(settings.on_mw, standby_mw * 3 // 2 + 3000)
    standby_mw = settings.standby_mw
    if standby_mw is None:
        standby_mw = min(runs_sketch.quantile_mw(core.sketch, 90) or 0, settings.work_mw)
    return max(settings.on_mw, standby_mw * 5 // 4 + 1000, core.floor_mw)


def end_after_ms(core: Core, settings: Settings) -> int:
    """Return the quiet after which a run has finished: at least three readings of it."""
    return max(settings.end_after_ms, 3 * core.interval_ms)


def break_ms(core: Core, settings: Settings) -> int:
    """Return the quiet after which it is in doubt whether what follows belongs to the run."""
    return max(settings.break_ms, core.interval_ms)


def wait_ms(core: Core, settings: Settings) -> int:
    """Return how long after the end of activity a run is said to have finished.

    Longer than `end_after_ms` only where a dishwasher may be drying: its electronics are still on, and its last blip
    has not come. How long that is allowed to take is learned from the meter's own runs, once there are three.
    """
    least_ms = end_after_ms(core, settings)
    track = core.track
    if not settings.quiet_limit_ms or track is None or track.dried_ms >= DRIED_MS or _is_off(core):
        return least_ms
    if len(core.dried) < _DRIED_RUNS_LEAST:
        return settings.quiet_limit_ms
    longest_ms = max(core.dried)
    return min(max(longest_ms * 13 // 10 + 60_000, least_ms), settings.quiet_limit_ms) if longest_ms else least_ms


def _is_off(core: Core) -> bool:
    """Return whether the machine has been at the lowest power that is known of it for a minute."""
    off_mw = runs_sketch.lowest_mw(core.sketch, _OFF_KNOWN_MS)
    return off_mw is not None and core.quiet_ms >= _OFF_MS and core.quiet_mw <= off_mw + _OFF_MW


def nearer_ms(interval_ms: int, said_ms: int) -> int:
    """Return how far apart readings are: soon less, slowly more: one that reports changes may be silent long."""
    if not interval_ms:
        return said_ms
    return interval_ms + ((said_ms - interval_ms) >> 2 if said_ms < interval_ms else (said_ms - interval_ms + 31) >> 5)
