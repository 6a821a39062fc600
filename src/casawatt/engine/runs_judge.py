"""What activity is: real work or not, and a new run or the same."""

from casawatt.engine.runs_learned import Core, is_coarse
from casawatt.engine.runs_settings import Settings
from casawatt.engine.runs_track import Burst, Piece, Track

ON_RECENT_MS = 600_000
"""A run begins with the machine being switched on only if that was no longer ago."""

_HEAT_MS = 10_000
_TUMBLE_MS = 60_000
_OPENING_MS = 9_000
_FRESH_PAUSE_MS = 45_000
_FRESH_AGE_MS = 300_000
_COOLED_MS = 120_000


def is_work(core: Core, burst: Burst, settings: Settings) -> bool:
    """Return whether a burst has done real work, and not in one reading that may be wrong."""
    if burst.work_uj < settings.work_uj or burst.active_ms < settings.start_after_ms:
        return False
    if burst.count < 2 and burst.active_ms < 4 * core.interval_ms:
        return False
    if not settings.tumbles or burst.heat_ms >= _HEAT_MS:
        return True
    # A drum that turns on, not one that is turned a little now and then.
    is_steady = burst.active_ms * 4 >= (burst.end_ms - burst.start_ms) * 3
    return is_steady and burst.active_ms >= max(_TUMBLE_MS, core.interval_ms * 7 // 2)


def is_fresh(core: Core, track: Track, burst: Burst, settings: Settings) -> bool:
    """Return whether work after a pause begins as a new run would."""
    pause_ms = burst.pause_ms
    if pause_ms < max(_FRESH_PAUSE_MS, 3 * core.interval_ms) or pause_ms < 2 * track.longest_quiet_ms:
        return False
    if settings.tumbles:
        return track.heat_ms is not None and burst.heat_ms > 0 and track.end_ms - track.heat_ms >= _COOLED_MS
    if not settings.fills or track.end_ms - track.start_ms < _FRESH_AGE_MS:
        return False
    if is_coarse(core):
        return not settings.pulses and track.heat_ms is None
    if burst.opening_ms < _OPENING_MS:
        return False
    return 2 * track.first_mw <= 5 * burst.first_mw and 2 * burst.first_mw <= 5 * track.first_mw


def first_burst(core: Core, piece: Piece, settings: Settings) -> Burst:
    """Return a new burst: from when the machine was switched on, if readings are far apart and that was just before.

    Its valve and pump then fall between the readings.
    """
    start_ms, since_ms = piece.start_ms, core.on_since_ms
    interval_ms = (piece.end_ms - start_ms) // piece.count
    if (
        settings.fills
        and is_coarse(core)
        and since_ms is not None
        and start_ms - since_ms <= min(5 * interval_ms, ON_RECENT_MS)
    ):
        start_ms = since_ms
    return Burst(start_ms, start_ms, 0)
