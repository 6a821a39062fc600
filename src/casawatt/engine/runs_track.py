"""A run as it is followed: its pieces put together to phases, and what is not yet decided on.

A piece is a stretch of up to a minute whose readings lie in one band of power; see `runs_core`.
"""

import msgspec

from casawatt.engine.runs_settings import Settings
from casawatt.model.run import Phase, Run

QUIET, WEAK, WORK, HEAT = range(4)
"""Bands of power: below `on`, from there to `work`, from there to `heat`, and above."""
_GAP = 4
"""The kind of a part of which nothing was measured."""

_BIN_MS = 60_000
_PHASES_MAX = 48
_OPENING_MS = 120_000
_FIRST_MS = 20_000


class Piece(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A stretch of known power in one band: how many readings, how much energy (mW ms), the highest power."""

    start_ms: int
    end_ms: int
    count: int
    energy_uj: int
    max_mw: int
    band: int


class Part(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A phase in the making: `known_ms` of it was measured; `kind` is a band."""

    start_ms: int
    end_ms: int
    known_ms: int
    energy_uj: int
    max_mw: int
    kind: int


class Burst(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Activity of which it is not yet decided what it is: a run's first steps, or what follows a pause.

    `pause_ms` is the known quiet between the run's end and its start, and `rest_uj` what was used in it; `quiet_ms` and
    `unknown_ms` are the known quiet and the time without readings since its last activity.
    `opening_ms` is how much of its first two minutes, before any heat, was weak; `first_ms` and `first_uj` are about
    its first 20 s.
    """

    start_ms: int
    end_ms: int
    pause_ms: int
    rest_uj: int = 0
    active_ms: int = 0
    count: int = 0
    work_ms: int = 0
    work_uj: int = 0
    heat_ms: int = 0
    opening_ms: int = 0
    energy_uj: int = 0
    max_mw: int = 0
    quiet_ms: int = 0
    unknown_ms: int = 0
    longest_quiet_ms: int = 0
    first_ms: int = 0
    first_uj: int = 0

    @property
    def first_mw(self) -> int:
        """The power of its first 20 s of activity."""
        return self.first_uj // max(self.first_ms, 1)


class Track(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A run as far as it is known. `end_ms` is the end of its activity so far; what is later is in doubt.

    `heat_ms` is when it last heated. `unknown_ms` is the time without readings since `end_ms`, `into_gap`: a gap
    began right there. `dried_ms` is the quiet before its last blip. `finished`: that it has ended follows from the
    readings so far. `first_mw` is the power it began with, `motor_mw` the least that it used when it did
    not heat, `before_mw` what its last piece used if that was such.
    """

    start_ms: int
    end_ms: int
    active_end_ms: int
    parts: tuple[Part, ...]
    peak_mw: int = 0
    heat_ms: int | None = None
    tail_end_ms: int | None = None
    longest_quiet_ms: int = 0
    unknown_ms: int = 0
    into_gap: bool = False
    dried_ms: int = 0
    finished: bool = False
    cut: bool = False
    first_mw: int = 0
    motor_mw: int = 0
    before_mw: int = 0


_replace = msgspec.structs.replace


def grown(burst: Burst, piece: Piece) -> Burst:
    """Return a burst with a piece of activity added."""
    length_ms = piece.end_ms - piece.start_ms
    works, heats = piece.band >= WORK, piece.band == HEAT
    opening_ms = burst.opening_ms
    if piece.band == WEAK and not burst.heat_ms:
        opening_ms += max(min(piece.end_ms, burst.start_ms + _OPENING_MS) - piece.start_ms, 0)
    is_first = piece.start_ms < burst.start_ms + _FIRST_MS
    return Burst(
        burst.start_ms,
        piece.end_ms,
        burst.pause_ms,
        burst.rest_uj,
        burst.active_ms + length_ms,
        burst.count + piece.count,
        burst.work_ms + length_ms if works else burst.work_ms,
        burst.work_uj + piece.energy_uj if works else burst.work_uj,
        burst.heat_ms + length_ms if heats else burst.heat_ms,
        opening_ms,
        burst.energy_uj + piece.energy_uj,
        max(burst.max_mw, piece.max_mw),
        0,
        0,
        max(burst.longest_quiet_ms, burst.quiet_ms),
        burst.first_ms + length_ms if is_first else burst.first_ms,
        burst.first_uj + piece.energy_uj if is_first else burst.first_uj,
    )


def tracked(burst: Burst) -> Track:
    """Return the run that a burst turns out to be."""
    kind = HEAT if burst.heat_ms * 2 > burst.active_ms else WORK if burst.work_ms * 3 > burst.active_ms else WEAK
    known_ms = max(burst.active_ms, 1)
    part = Part(burst.start_ms, burst.end_ms, known_ms, burst.energy_uj, burst.max_mw, kind)
    heat_ms = burst.end_ms if burst.heat_ms else None
    return Track(burst.start_ms, burst.end_ms, burst.end_ms, (part,), burst.max_mw, heat_ms, first_mw=burst.first_mw)


def carried(track: Track, piece: Piece, known_ms: int, settings: Settings) -> tuple[Part, ...]:
    """Return the parts of a run with a piece added to them, of which `known_ms` were measured.

    Parts are minutes, cut where heating begins or ends, and joined where two of one kind meet: a drum that turns and
    rests every few seconds is one.
    """
    parts = track.parts
    last = parts[-1]
    if known_ms and last.end_ms - last.start_ms < _BIN_MS and (piece.band == HEAT) is (last.kind == HEAT):
        known_ms, energy_uj = last.known_ms + known_ms, last.energy_uj + piece.energy_uj
        kind = _band(energy_uj, known_ms, settings)
        part = Part(last.start_ms, piece.end_ms, known_ms, energy_uj, max(last.max_mw, piece.max_mw), kind)
        return (*parts[:-1], part)
    kind = _band(piece.energy_uj, known_ms, settings) if known_ms else _GAP
    part = Part(last.end_ms, piece.end_ms, known_ms, piece.energy_uj, piece.max_mw, kind)
    return _bounded((*_joined(parts), part))


def _band(energy_uj: int, known_ms: int, settings: Settings) -> int:
    mean_mw = energy_uj // known_ms if known_ms else 0
    if mean_mw >= settings.heat_mw:
        return HEAT
    return WORK if mean_mw >= settings.work_mw else WEAK if mean_mw >= settings.on_mw else QUIET


def _both(first: Part, second: Part, kind: int) -> Part:
    return Part(
        first.start_ms,
        second.end_ms,
        first.known_ms + second.known_ms,
        first.energy_uj + second.energy_uj,
        max(first.max_mw, second.max_mw),
        kind,
    )


def _joined(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return parts with the last one, which is whole now, joined to the one before it if they are of one kind."""
    if len(parts) < 2 or parts[-1].kind != parts[-2].kind:
        return parts
    return (*parts[:-2], _both(parts[-2], parts[-1], parts[-1].kind))


def _bounded(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return no more parts than are kept: the shortest one goes to the one before it."""
    if len(parts) <= _PHASES_MAX:
        return parts
    shortest = min(range(1, len(parts) - 1), key=lambda number: parts[number].end_ms - parts[number].start_ms)
    before = parts[shortest - 1]
    return (*parts[: shortest - 1], _both(before, parts[shortest], before.kind), *parts[shortest + 1 :])


def shown(track: Track, settings: Settings) -> Run:
    """Return a run as it is told: open while nothing says that it has ended."""
    names = ("quiet", "low", settings.motor, "heat", "gap")
    phases = tuple(
        Phase(each.start_ms, each.end_ms, names[each.kind], each.energy_uj // max(each.known_ms, 1), each.max_mw)
        for each in _joined(track.parts)
    )
    return Run(
        track.start_ms,
        track.end_ms if track.finished else None,
        track.active_end_ms,
        track.tail_end_ms,
        track.peak_mw,
        phases,
        "gap" if track.cut else None,
    )
