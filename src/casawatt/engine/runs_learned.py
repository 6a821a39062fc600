"""What is known of a meter's runs so far, and what is learned from it: thresholds and waits."""

import msgspec

from casawatt.engine import runs_sketch
from casawatt.engine.runs_settings import Settings
from casawatt.engine.runs_sketch import Sketch
from casawatt.engine.runs_track import Burst, Track

DRIED_MS = 360_000
"""After so much quiet a blip is the last of a passive drying (8 to 31 minutes), and not one after a pause."""

_COARSE_MS = 20_000
_ON_LIMIT_MS = 1_800_000
_OFF_MS = 60_000
_OFF_KNOWN_MS = 300_000
_STANDBY_KNOWN_MS = 3_600_000
_OFF_MW = 1_500
_DRIED_RUNS_LEAST = 3


class Core(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All that the runs of what follows depend on.

    - `track`: the run that goes on, or has ended and may yet be changed; `burst`: activity that is not decided on.
    - `quiet_ms`, `quiet_uj`: the known quiet since the last activity, and what was used in it; `quiet_mw`: the power of
      its last piece; `rest_mw`: the least since the run's end.
    - `interval_ms`: how far apart readings are while something happens.
    - `sketch`: how long it was at which power outside of runs; `floor_mw`: a weak level that led to nothing.
    - `dried`: the quiet before the last blip of earlier runs; `ended_ms`: the last run's end.
    - `on_since_ms`: since when it has been above its lowest power without being active.
    """

    track: Track | None = None
    burst: Burst | None = None
    quiet_ms: int = 0
    quiet_uj: int = 0
    quiet_mw: int = 0
    rest_mw: int | None = None
    interval_ms: int = 0
    sketch: Sketch = runs_sketch.EMPTY
    floor_mw: int = 0
    dried: tuple[int, ...] = ()
    ended_ms: int | None = None
    on_since_ms: int | None = None


def on_mw(core: Core, settings: Settings) -> int:
    """Return the power from which on the meter is active: the preset's, or above its own standby if that is higher."""
    if settings.learns_on:
        standby_mw = settings.standby_mw
        if standby_mw is None:
            standby_mw = runs_sketch.quantile_mw(core.sketch, 5) or 0
        return max(settings.on_mw, standby_mw * 3 // 2 + 3000)
    standby_mw = settings.standby_mw
    if standby_mw is None:
        is_known = sum(core.sketch) >= _STANDBY_KNOWN_MS
        standby_mw = min(runs_sketch.quantile_mw(core.sketch, 90) or 0, settings.work_mw) if is_known else 0
    return max(settings.on_mw, standby_mw * 5 // 4 + 1000, core.floor_mw)


def end_after_ms(core: Core, settings: Settings) -> int:
    """Return the quiet after which a run has finished: at least three readings of it.

    Up to five where the run itself had long quiets between readings far apart.
    """
    interval_ms, track = core.interval_ms, core.track
    rhythm_ms = 0 if track is None else min(2 * track.longest_quiet_ms, 5 * interval_ms)
    return max(settings.end_after_ms, 3 * interval_ms, rhythm_ms)


def pause_limit_ms(core: Core, settings: Settings) -> int:
    """Return within how much quiet a run may resume.

    Where a drum turns and rests and readings are far apart, many in a row can fall into the rests: six of them, or what
    half an hour has, as long as the electronics stay on.
    """
    limit_ms = max(settings.pause_limit_ms, end_after_ms(core, settings))
    if not settings.pulses or not is_coarse(core):
        return limit_ms
    return max(limit_ms, 6 * core.interval_ms, _ON_LIMIT_MS if is_on(core, core.rest_mw) else 0)


def is_coarse(core: Core) -> bool:
    """Return whether readings are too far apart to see a drum turn and rest."""
    return core.interval_ms >= _COARSE_MS


def may_be_between_turns(core: Core, end_ms: int, power_mw: int, settings: Settings) -> bool:
    """Return whether quiet until `end_ms` may be a drum's rests, of which readings far apart missed the turns.

    For up to two readings, as long as the electronics are on.
    """
    track = core.track
    if not settings.pulses or not is_coarse(core) or track is None or track.finished or core.burst is not None:
        return False
    is_near = not core.quiet_ms and end_ms - track.active_end_ms <= core.interval_ms * 5 // 2
    return is_near and is_on(core, power_mw)


def break_ms(core: Core, settings: Settings) -> int:
    """Return the quiet after which it is in doubt whether what follows belongs to the run.

    A tumbling drum's rests are short, and readings cut off up to one interval of them.
    """
    least_ms = settings.break_ms - core.interval_ms if settings.tumbles else settings.break_ms
    return max(least_ms, core.interval_ms)


def is_turned(core: Core, settings: Settings) -> bool:
    """Return whether a weak power says that a dryer's drum is only turned now and then; see `work_mw`."""
    return settings.tumbles and core.track is not None and work_mw(core, settings) > settings.work_mw


def work_mw(core: Core, settings: Settings) -> int:
    """Return the power that is real work.

    Where readings are too far apart to tell a drum that turns from one that is turned now and then, a dryer's is near
    what its drum draws at least.
    """
    track = core.track
    if settings.tumbles and track is not None and is_coarse(core):
        return max(settings.work_mw, track.motor_mw * 13 // 20)
    return settings.work_mw


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


def is_on(core: Core, power_mw: int | None) -> bool:
    """Return whether a power is clearly above the lowest that is known of the machine."""
    off_mw = runs_sketch.lowest_mw(core.sketch, _OFF_KNOWN_MS)
    return off_mw is not None and power_mw is not None and power_mw > off_mw + _OFF_MW


def nearer_ms(interval_ms: int, said_ms: int) -> int:
    """Return how far apart readings are: soon less, slowly more: one that reports changes may be silent long."""
    if not interval_ms:
        return said_ms
    return interval_ms + ((said_ms - interval_ms) >> 2 if said_ms < interval_ms else (said_ms - interval_ms + 31) >> 5)
