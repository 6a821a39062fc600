"""Spans of energy, and the stretches of time that wait to become such until a register speaks."""

from itertools import pairwise

import msgspec

from casawatt.model.interval import INTERVAL_MS, MICROJOULES_PER_MWH, How, highest, lowest

PATIENCE_MS = 6 * 3_600_000
"""How much time of known power a silent register is waited for."""
OPEN_STRETCHES_MAX = 16
"""How many separate stretches without known power a silent register is waited for."""

REGISTER = int(How.REGISTER)
SPREAD = int(How.REGISTER | How.SPREAD)


class Span(msgspec.Struct, frozen=True, gc=False):
    """Energy used evenly from `start_ms` to `end_ms` (UTC ms, later than the start).

    `min_mw` and `max_mw` are None where no power is known; a span that is not measured has none.
    """

    start_ms: int
    end_ms: int
    energy_uj: int
    measured: bool
    min_mw: int | None
    max_mw: int | None
    how: int


class Stretch(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Time since a register last spoke, of one kind throughout.

    Known by power: `how` says in which way, it lies within one quarter-hour, `energy_uj` is what power says and
    `weight_uj` the same without export. Open: `how` is 0 and there is no energy; `near` if no two records were further
    apart than the gap limit.
    """

    start_ms: int
    end_ms: int
    energy_uj: int
    weight_uj: int
    near: bool
    min_mw: int | None
    max_mw: int | None
    how: int


def _as_said(stretch: Stretch) -> Span:
    """Return a stretch of known power as the span it is by power's word."""
    return Span(stretch.start_ms, stretch.end_ms, stretch.energy_uj, True, stretch.min_mw, stretch.max_mw, stretch.how)


def said_by_power(stretches: tuple[Stretch, ...]) -> tuple[Span, ...]:
    """Return stretches as spans by power's word; open time has none."""
    return tuple([_as_said(stretch) for stretch in stretches if stretch.how])


def appended(pending: tuple[Stretch, ...], stretch: Stretch) -> tuple[Stretch, ...]:
    """Return the pending stretches with one more, joined to the last where they are of one kind.

    Known ones are kept apart at the quarter-hours, so that what is pending stays small and still falls where it
    belongs.
    """
    for part in _quarters(stretch) if stretch.how else (stretch,):
        last = pending[-1] if pending else None
        one = None if last is None else _joined(last, part)
        pending = (*pending, part) if one is None else (*pending[:-1], one)
    return pending


def joined(earlier: tuple[Stretch, ...], later: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    """Return stretches and those right after them as if they had been appended one by one."""
    if not earlier or not later:
        return earlier or later
    one = _joined(earlier[-1], later[0])
    return (*earlier, *later) if one is None else (*earlier[:-1], one, *later[1:])


def _joined(a: Stretch, b: Stretch) -> Stretch | None:
    """Return two adjacent stretches as one, None where they are of different kinds or quarter-hours."""
    if (a.how > 0) != (b.how > 0) or a.near is not b.near:
        return None
    if a.how and a.start_ms // INTERVAL_MS != b.start_ms // INTERVAL_MS:
        return None
    return Stretch(
        a.start_ms,
        b.end_ms,
        a.energy_uj + b.energy_uj,
        a.weight_uj + b.weight_uj,
        a.near,
        lowest(a.min_mw, b.min_mw),
        highest(a.max_mw, b.max_mw),
        a.how | b.how,
    )


def _quarters(stretch: Stretch) -> list[Stretch]:
    """Return a stretch of known power cut at the quarter-hours."""
    start_ms, end_ms = stretch.start_ms, stretch.end_ms
    edges = [start_ms, *range((start_ms // INTERVAL_MS + 1) * INTERVAL_MS, end_ms, INTERVAL_MS), end_ms]
    if len(edges) == 2:
        return [stretch]
    length_ms = end_ms - start_ms
    parts = []
    for part_start_ms, part_end_ms in pairwise(edges):
        energy_uj, weight_uj = (
            whole_uj * (part_end_ms - start_ms) // length_ms - whole_uj * (part_start_ms - start_ms) // length_ms
            for whole_uj in (stretch.energy_uj, stretch.weight_uj)
        )
        parts.append(
            Stretch(part_start_ms, part_end_ms, energy_uj, weight_uj, True, stretch.min_mw, stretch.max_mw, stretch.how)
        )
    return parts


def is_given_up(pending: tuple[Stretch, ...]) -> bool:
    """Say whether a register has been silent for too long to wait for it."""
    known_ms = sum([stretch.end_ms - stretch.start_ms for stretch in pending if stretch.how])
    return known_ms > PATIENCE_MS or sum([not stretch.how for stretch in pending]) > OPEN_STRETCHES_MAX


def by_register(stretches: tuple[Stretch, ...], energy_uj: int) -> tuple[Span, ...]:
    """Return stretches as spans that share what the register counted over them, by the rules of `energy`."""
    if len(stretches) == 1:
        return (_counted(stretches[0], energy_uj),)
    weight_uj = known_ms = open_ms = 0
    for stretch in stretches:
        length_ms = stretch.end_ms - stretch.start_ms
        weight_uj += stretch.weight_uj
        if stretch.how:
            known_ms += length_ms
        else:
            open_ms += length_ms
    rest_uj = 0
    if open_ms and (energy_uj > weight_uj or not known_ms):
        rest_uj = energy_uj - weight_uj
    shared_uj, share_of = energy_uj - rest_uj, weight_uj or known_ms
    spans = []
    known_done = open_done = 0
    for stretch in stretches:
        length_ms = stretch.end_ms - stretch.start_ms
        if stretch.how:
            share = stretch.weight_uj if weight_uj else length_ms
            part_uj = shared_uj * (known_done + share) // share_of - shared_uj * known_done // share_of
            known_done += share
        else:
            part_uj = rest_uj * (open_done + length_ms) // open_ms - rest_uj * open_done // open_ms
            open_done += length_ms
        spans.append(_counted(stretch, part_uj))
    return tuple(spans)


def _counted(stretch: Stretch, energy_uj: int) -> Span:
    """Return a stretch as the span it is by a register's word."""
    start_ms, end_ms = stretch.start_ms, stretch.end_ms
    if stretch.how:
        return Span(start_ms, end_ms, energy_uj, True, stretch.min_mw, stretch.max_mw, REGISTER)
    if stretch.near:
        mean_mw = energy_uj // (end_ms - start_ms)
        return Span(start_ms, end_ms, energy_uj, True, mean_mw, mean_mw, REGISTER)
    return Span(start_ms, end_ms, energy_uj, False, None, None, SPREAD)


def rounded_mwh(energy_uj: int) -> int:
    """Return microjoules as mWh, rounded half away from zero."""
    size_mwh = (abs(energy_uj) + MICROJOULES_PER_MWH // 2) // MICROJOULES_PER_MWH
    return size_mwh if energy_uj >= 0 else -size_mwh
