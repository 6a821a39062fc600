"""What the pieces of a meter's power make of its runs: begun, going on, ended, begun anew.

- Activity that does real work (`work_wh` at `work_w` or more, not in one reading) is a run. It began with the first
  activity that led to it: valves and pumps come minutes before the work, with no more than `lead_limit_s` of quiet
  between. Blips never do work. A weak level that lasts, and leads to nothing, is the machine waiting (delayed start).
- After `break_s` of quiet it is in doubt whether what follows belongs to the run. If nothing does for `end_after_s`,
  the run has finished where its activity ended. Real work is the same run's if it comes within `pause_limit_s`, unless
  it begins as a new run would: with valve and pump before the work (machines that fill with water), or with heat after
  the run before has cooled down (dryers), and out of the rhythm that the run had so far. Less than real work is a
  dryer's anti-crease tumbling, a dishwasher's last pump after passive drying, or nothing.
- Time without readings is neither quiet nor active. A run with activity on both sides of a gap of no more than
  `bridge_limit_s` goes on: within that time nobody empties, fills and starts a machine. So the length of the gap
  decides; what was read before it is never held. After a longer one the run has ended at the last reading (`cut`).
"""

from enum import IntEnum

import msgspec

from casawatt.engine import runs_sketch
from casawatt.engine.runs_judge import first_burst, is_fresh, is_work
from casawatt.engine.runs_learned import (
    DRIED_MS,
    Core,
    break_ms,
    end_after_ms,
    is_coarse,
    is_on,
    is_turned,
    may_be_between_turns,
    nearer_ms,
    pause_limit_ms,
    wait_ms,
)
from casawatt.engine.runs_settings import Settings
from casawatt.engine.runs_track import HEAT, QUIET, WEAK, WORK, Burst, Piece, Track, carried, grown, tracked


class News(IntEnum):
    """What happened to a run."""

    STARTED = 0
    FINISHED = 1
    CHANGED = 2
    REOPENED = 3
    FINAL = 4


Happened = list[tuple[News, Track]]

_replace = msgspec.structs.replace

_BLIP_MS = 5_000
_BLIP_READING_MS = 20_000
_BLIP_LIMIT_MS = 30_000
_WEAK_LIMIT_MS = 600_000
_TAIL_MS = 1_800_000
_MOTOR_MS = 45_000
_DRIED_RUNS = 6


def known(core: Core, piece: Piece, settings: Settings, happened: Happened) -> Core:
    """Return what a piece of known power makes of it; what happened is appended to `happened`."""
    length_ms = piece.end_ms - piece.start_ms
    track = core.track
    if piece.band == QUIET or (piece.band == WEAK and is_turned(core, settings)):
        if track is None:
            return _at_rest(core, piece, max(piece.energy_uj // length_ms, 0), settings)
        return _rested(core, track, piece, settings, happened)
    core = _replace(core, interval_ms=nearer_ms(core.interval_ms, length_ms // piece.count))
    if track is None:
        return _begun(core, piece, length_ms, settings, happened)
    if core.burst is None and core.quiet_ms < break_ms(core, settings):
        return _replace(core, track=_gone_on(core, track, piece, settings), quiet_ms=0, quiet_uj=0, rest_mw=None)
    return _doubted(core, track, piece, settings, happened)


def _rested(core: Core, track: Track, piece: Piece, settings: Settings, happened: Happened) -> Core:
    """Return what quiet makes of it when there is a run."""
    length_ms = piece.end_ms - piece.start_ms
    mean_mw = max(piece.energy_uj // length_ms, 0)
    if may_be_between_turns(core, piece.end_ms, mean_mw, settings):
        longer = _gone_on(core, track, piece, settings)
        return _replace(core, track=_replace(longer, active_end_ms=track.active_end_ms))
    if piece.band == WEAK:
        track = _replace(track, tail_end_ms=piece.end_ms)
    burst = core.burst
    if burst is not None:
        burst = _replace(burst, quiet_ms=burst.quiet_ms + length_ms)
    core = _replace(
        core,
        track=track,
        burst=burst,
        quiet_ms=core.quiet_ms + length_ms,
        quiet_uj=core.quiet_uj + piece.energy_uj,
        quiet_mw=mean_mw,
        rest_mw=mean_mw if core.rest_mw is None else min(core.rest_mw, mean_mw),
    )
    if burst is not None and burst.quiet_ms >= break_ms(core, settings):
        core = _less_than_work(core, burst, settings, happened)
    return _passed(core, piece.end_ms, settings, happened)


def _at_rest(core: Core, piece: Piece, mean_mw: int, settings: Settings) -> Core:
    """Return what quiet makes of it when there is no run."""
    length_ms = piece.end_ms - piece.start_ms
    burst, floor_mw = core.burst, core.floor_mw
    if burst is not None:
        burst = _replace(burst, quiet_ms=burst.quiet_ms + length_ms)
        limit_ms = settings.lead_limit_ms
        if burst.active_ms < (_BLIP_MS if burst.count > 1 else _BLIP_READING_MS):
            limit_ms = min(limit_ms, _BLIP_LIMIT_MS)
        elif settings.pulses and is_coarse(core) and is_on(core, mean_mw):
            limit_ms = max(limit_ms, 10 * core.interval_ms)
        if burst.quiet_ms > limit_ms:
            burst = None
    if floor_mw and mean_mw * 2 < floor_mw:
        floor_mw = 0
    on_since_ms = (core.on_since_ms or piece.start_ms) if is_on(core, mean_mw) else None
    sketch = runs_sketch.added(core.sketch, mean_mw, length_ms)
    return _replace(core, burst=burst, sketch=sketch, floor_mw=floor_mw, quiet_mw=mean_mw, on_since_ms=on_since_ms)


def _begun(core: Core, piece: Piece, length_ms: int, settings: Settings, happened: Happened) -> Core:
    """Return what activity makes of it when there is no run."""
    burst = grown(core.burst or first_burst(core, piece, settings), piece)
    sketch = core.sketch
    if settings.learns_on:
        sketch = runs_sketch.added(sketch, piece.energy_uj // length_ms, length_ms)
    if is_work(core, burst, settings):
        track = tracked(burst)
        happened.append((News.STARTED, track))
        return _replace(core, track=track, burst=None, sketch=sketch, quiet_ms=0, quiet_uj=0)
    if not burst.work_uj and burst.end_ms - burst.start_ms > _WEAK_LIMIT_MS:
        floor_mw = max(core.floor_mw, burst.max_mw * 5 // 4)
        if not settings.learns_on:
            sketch = runs_sketch.added(sketch, burst.energy_uj // burst.active_ms, burst.active_ms)
        return _replace(core, burst=None, sketch=sketch, floor_mw=floor_mw)
    return _replace(core, burst=burst, sketch=sketch)


def _gone_on(core: Core, track: Track, piece: Piece, settings: Settings) -> Track:
    """Return a run with more activity, after quiet that was too short to mean anything."""
    if core.quiet_ms or track.unknown_ms:
        rest = Piece(track.end_ms, piece.start_ms, 1, core.quiet_uj, 0, QUIET)
        track = _replace(track, parts=carried(track, rest, core.quiet_ms, settings))
    return Track(
        track.start_ms,
        piece.end_ms,
        piece.end_ms,
        carried(track, piece, piece.end_ms - piece.start_ms, settings),
        max(track.peak_mw, piece.max_mw),
        piece.end_ms if piece.band == HEAT else track.heat_ms,
        None,
        max(track.longest_quiet_ms, core.quiet_ms),
        first_mw=track.first_mw,
        motor_mw=_motor_mw(track, piece),
        before_mw=piece.energy_uj // (piece.end_ms - piece.start_ms) if piece.band == WORK else 0,
    )


def _motor_mw(track: Track, piece: Piece) -> int:
    """Return the least that a machine uses when it does not heat: of two pieces, as one may be half of heating."""
    length_ms = piece.end_ms - piece.start_ms
    if piece.band != WORK or length_ms < _MOTOR_MS or not track.before_mw:
        return track.motor_mw
    said_mw = min(track.before_mw, piece.energy_uj // length_ms)
    return min(track.motor_mw, said_mw) if track.motor_mw else said_mw


def _doubted(core: Core, track: Track, piece: Piece, settings: Settings, happened: Happened) -> Core:
    """Return what activity makes of it after a quiet that may have been the run's end."""
    burst = core.burst
    if burst is None:
        pause_ms = piece.start_ms - track.end_ms - track.unknown_ms
        burst = Burst(piece.start_ms, piece.start_ms, pause_ms, core.quiet_uj)
    burst = grown(burst, piece)
    core = _replace(core, burst=burst, quiet_ms=0, quiet_uj=0)
    if not is_work(core, burst, settings):
        return core
    if burst.pause_ms > pause_limit_ms(core, settings) or is_fresh(core, track, burst, settings):
        core = _closed(core, track, happened)
        track = tracked(burst)
        happened.append((News.STARTED, track))
        return _replace(core, track=track, burst=None, rest_mw=None)
    merged = _extended(track, burst, settings, is_real=True)
    if track.finished:
        happened.append((News.REOPENED, merged))
    return _replace(core, track=merged, burst=None, rest_mw=None)


def _extended(track: Track, burst: Burst, settings: Settings, *, is_real: bool) -> Track:
    """Return a run that a burst belongs to: with its activity (`is_real`), or as a last blip after drying."""
    rest = Piece(track.end_ms, burst.start_ms, 1, burst.rest_uj, 0, QUIET)
    track = _replace(track, parts=carried(track, rest, burst.pause_ms, settings))
    band = HEAT if burst.heat_ms * 2 > burst.active_ms else WORK
    piece = Piece(burst.start_ms, burst.end_ms, burst.count, burst.energy_uj, burst.max_mw, band)
    return Track(
        track.start_ms,
        burst.end_ms,
        burst.end_ms if is_real else track.active_end_ms,
        carried(track, piece, burst.active_ms, settings),
        max(track.peak_mw, burst.max_mw),
        burst.end_ms if burst.heat_ms else track.heat_ms,
        None,
        max(track.longest_quiet_ms, burst.pause_ms if is_real else 0, burst.longest_quiet_ms),
        burst.unknown_ms,
        dried_ms=0 if is_real else burst.pause_ms,
        finished=track.finished and not is_real,
        first_mw=track.first_mw,
        motor_mw=track.motor_mw,
    )


def _less_than_work(core: Core, burst: Burst, settings: Settings, happened: Happened) -> Core:
    """Return what is made of a burst that ended before it had done any work."""
    track = core.track
    if track is None:
        return core
    core = _replace(core, burst=None, quiet_ms=burst.quiet_ms)
    if settings.tumbles:
        if burst.work_uj:
            core = _replace(core, track=_replace(track, tail_end_ms=burst.end_ms))
        return core
    pause_ms = burst.pause_ms
    in_rhythm = pause_ms < end_after_ms(core, settings) or (
        pause_ms <= pause_limit_ms(core, settings) and burst.work_uj > 0
    )
    may_be_last = pause_ms <= settings.quiet_limit_ms and track.dried_ms < DRIED_MS and burst.active_ms >= _BLIP_MS
    if not in_rhythm and not may_be_last:
        return core
    after = _extended(track, burst, settings, is_real=in_rhythm or pause_ms < DRIED_MS)
    if track.finished:
        happened.append((News.CHANGED if after.finished else News.REOPENED, after))
    return _replace(core, track=after, rest_mw=None)


def _passed(core: Core, now_ms: int, settings: Settings, happened: Happened) -> Core:
    """Return what the time that has passed since the last activity makes of a run."""
    track = core.track
    if track is None or (core.burst is not None and not settings.tumbles):
        return core
    waited_ms = now_ms - track.end_ms - track.unknown_ms
    if not track.finished and waited_ms >= wait_ms(core, settings):
        track = _replace(track, finished=True, cut=track.into_gap)
        happened.append((News.FINISHED, track))
        core = _replace(core, track=track)
    limit_ms = max(pause_limit_ms(core, settings), settings.quiet_limit_ms, _TAIL_MS if settings.tumbles else 0)
    if not track.finished or waited_ms < limit_ms or core.burst is not None:
        return core
    if track.tail_end_ms is not None and now_ms - track.tail_end_ms < limit_ms:
        return core
    return _closed(core, track, happened)


def _closed(core: Core, track: Track, happened: Happened) -> Core:
    """Return what is left when a run can change no more."""
    track = _replace(track, finished=True, cut=track.cut or (track.into_gap and not track.finished))
    happened.append((News.FINAL, track))
    dried = core.dried if track.cut else (*core.dried, track.dried_ms)[-_DRIED_RUNS:]
    return _replace(
        core, track=None, burst=None, quiet_ms=0, quiet_uj=0, rest_mw=None, dried=dried, ended_ms=track.end_ms
    )


def unknown(core: Core, start_ms: int, end_ms: int, settings: Settings, happened: Happened, *, was_quiet: bool) -> Core:
    """Return what time without readings makes of it; `was_quiet`: the last one was, so that an end was seen."""
    length_ms = end_ms - start_ms
    track, burst = core.track, core.burst
    if burst is not None:
        burst = _replace(burst, unknown_ms=burst.unknown_ms + length_ms)
        core = _replace(core, burst=burst)
    if track is None:
        is_over = burst is not None and burst.unknown_ms > settings.bridge_limit_ms
        return _replace(core, burst=None) if is_over else core
    if burst is not None and burst.unknown_ms > settings.bridge_limit_ms:
        core = _less_than_work(core, burst, settings, happened)
        track = core.track or track
    into_gap = track.into_gap or (core.burst is None and core.quiet_ms == 0 and not was_quiet)
    track = _replace(track, unknown_ms=track.unknown_ms + length_ms, into_gap=into_gap)
    core = _replace(core, track=track)
    if length_ms <= settings.bridge_limit_ms and track.unknown_ms <= max(
        settings.bridge_limit_ms, settings.quiet_limit_ms
    ):
        return core
    waited_ms = end_ms - track.end_ms - track.unknown_ms
    # Quiet is believed for as long as a reading is, as `idle` believes it.
    quiet_ms = waited_ms + (settings.gap_limit_ms if was_quiet else 0)
    is_cut = not track.finished and quiet_ms < end_after_ms(core, settings)
    return _closed(core, _replace(track, cut=track.cut or is_cut), happened)
