"""Like runs of one meter, grouped: what people call a programme, and what a run that still goes on will come to.

Two runs are alike when they last about as long, use about as much, and use it at about the same share of their time:
`distance` is 1 at the edge of that. Which runs make a group follows from the runs and the names alone, never from the
order in which either came.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from casawatt.model.run_answer import Number, Usual

CURVE_POINTS = 48
"""A run's energy is known at so many even steps of its time, after the beginning."""

DURATION_RATIO = 1.2
"""Runs are as far apart as alike ones can be when one lasts so many times as long as the other."""

ENERGY_RATIO = 1.3
"""The same of their energy: the water's temperature and the load make the same programme use more or less."""

SHAPE_AREA = 0.08
"""The same of the area between their curves, each scaled to a length and a height of one."""

LEAST_ELAPSED_MS = 180_000
"""A run younger than this is not matched: most begin alike."""

SO_FAR_RATIO = 0.15
"""A past run matches one that goes on when their curves until now differ by this share of the energy in mean."""

LEAST_ALIKE = 2
"""So many past runs must match before anything is expected of one that goes on."""

SURE_RATIO = 0.6
"""So large a share of the past runs that match must be of one programme."""

Floats = NDArray[np.float64]


class Trace(msgspec.Struct, frozen=True):
    """One run as far as it is compared; `curve_mwh`: its energy after each of `CURVE_POINTS` even steps of its time."""

    start_ms: int
    duration_ms: int
    curve_mwh: tuple[int, ...]

    @property
    def energy_mwh(self) -> int:
        """All its energy."""
        return self.curve_mwh[-1]


class Named(msgspec.Struct, frozen=True):
    """A name that a person gave to the runs that are like one of them."""

    programme_id: int
    name: str
    like: Trace


class Group(msgspec.Struct, frozen=True):
    """Runs that are alike: their places among those that were grouped, ascending. `medoid` is the most typical one.

    `name` and `programme_ids` are those that people gave; None and none where nobody did.
    """

    medoid: int
    members: tuple[int, ...]
    name: str | None
    programme_ids: tuple[int, ...]


class Expected(msgspec.Struct, frozen=True):
    """What a run that goes on will come to, as the past runs did that began like it.

    `group` is the place of their group, `matching` the places of those runs themselves.
    """

    group: int
    matching: tuple[int, ...]
    duration_ms: Usual[int]
    energy_mwh: Usual[int]


def distances(one: Trace, others: Sequence[Trace]) -> Floats:
    """Return how far each of N runs is from one, shape N: at most 1 where they are alike."""
    if not others:
        return np.empty(0)
    found: Floats = _distances(_features([one]), _features(others))[0]
    return found


def _features(traces: Sequence[Trace]) -> Floats:
    """Return for each of N runs the logarithms of duration and energy, and its scaled curve: shape N x (2 + points)."""
    curves = np.array([trace.curve_mwh for trace in traces], np.float64)
    energy = np.maximum(curves[:, -1:], 1.0)
    duration = np.array([[max(trace.duration_ms, 1)] for trace in traces], np.float64)
    scales = np.log(DURATION_RATIO), np.log(ENERGY_RATIO), SHAPE_AREA
    return np.hstack([np.log(duration) / scales[0], np.log(energy) / scales[1], curves / energy / scales[2]])


def _distances(ones: Floats, others: Floats) -> Floats:
    """Return how far each of N is from each of M, shape N x M: the worst of the three."""
    found = np.empty((len(ones), len(others)))
    for place, one in enumerate(ones):
        apart = np.abs(others - one)
        found[place] = np.maximum(apart[:, :2].max(axis=1), apart[:, 2:].mean(axis=1))
    return found


def group(traces: Sequence[Trace], named: Sequence[Named]) -> list[Group]:
    """Return the groups of N runs: the named ones first by name, then the others, largest first.

    Each run that is alike to a named one belongs to the nearest such. Of the others, again and again, the one with the
    most alike to it makes a group with them; each then joins the nearest of those. Every run is in one group.
    """
    if not traces:
        return []
    in_time = sorted(range(len(traces)), key=lambda place: traces[place].start_ms)
    found = _grouped(_features([traces[place] for place in in_time]), named)
    return [
        Group(
            in_time[each.medoid], tuple(sorted(in_time[place] for place in each.members)), each.name, each.programme_ids
        )
        for each in found
    ]


def _grouped(features: Floats, named: Sequence[Named]) -> list[Group]:
    """Return the groups of runs in the order of time, which decides between equals."""
    owners: dict[int, list[int]] = {}
    order = sorted(named, key=lambda each: each.programme_id)
    taken = np.zeros(len(features), np.bool_)
    groups: list[Group] = []
    if order:
        apart = _distances(_features([each.like for each in order]), features)
        nearest = apart.argmin(axis=0)
        taken = apart.min(axis=0) <= 1
        for place in np.flatnonzero(taken).tolist():
            owners.setdefault(int(nearest[place]), []).append(place)
        groups = _named_groups(order, owners, features)
    return [*groups, *_clusters(np.flatnonzero(~taken).tolist(), features)]


def _named_groups(order: Sequence[Named], owners: dict[int, list[int]], features: Floats) -> list[Group]:
    by_name: dict[str, tuple[list[int], list[int]]] = {}
    for place, each in enumerate(order):
        members, ids = by_name.setdefault(each.name, ([], []))
        members += owners.get(place, [])
        ids.append(each.programme_id)
    return [
        Group(_medoid(sorted(members), features), tuple(sorted(members)), name, tuple(ids))
        for name, (members, ids) in sorted(by_name.items())
        if members
    ]


def _clusters(places: list[int], features: Floats) -> list[Group]:
    """Return the groups of runs without a name; `places` are in the order of time, which decides between equals."""
    if not places:
        return []
    apart = _distances(features[places], features[places])
    alike = apart <= 1
    free = np.ones(len(places), np.bool_)
    centres: list[int] = []
    while free.any():
        counts = (alike & free).sum(axis=1) * free
        centre = int(counts.argmax())
        centres.append(centre)
        free &= ~alike[centre]
    nearest = apart[centres].argmin(axis=0)
    groups = []
    for place in range(len(centres)):
        members = sorted(places[each] for each in np.flatnonzero(nearest == place).tolist())
        groups.append(Group(_medoid(members, features), tuple(members), None, ()))
    return sorted(groups, key=lambda each: (-len(each.members), places.index(each.medoid)))


def _medoid(members: list[int], features: Floats) -> int:
    """Return the member that is nearest to all others."""
    return members[int(_distances(features[members], features[members]).sum(axis=1).argmin())]


def usual(values: Sequence[Number]) -> Usual[Number]:
    """Return the middle of at least one value and their spread, each one of the values (the nearest rank)."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return Usual(ordered[last // 2], ordered[(last + 5) // 10], ordered[last - (last + 5) // 10])


def expected(running: Trace, traces: Sequence[Trace], groups: Sequence[Group]) -> Expected | None:
    """Return what a run that goes on will come to; `running` is as far as it has come.

    None while it is too young, and where too few past runs began like it, or those that did are of several programmes.
    """
    if running.duration_ms < LEAST_ELAPSED_MS or running.energy_mwh <= 0:
        return None
    at_ms = running.duration_ms * np.arange(1, CURVE_POINTS + 1) / CURVE_POINTS
    so_far = np.array(running.curve_mwh, np.float64)
    steps = np.arange(CURVE_POINTS + 1) / CURVE_POINTS
    matching: set[int] = set()
    for place, trace in enumerate(traces):
        if trace.duration_ms < running.duration_ms:
            continue
        then = np.interp(at_ms, steps * trace.duration_ms, [0, *trace.curve_mwh])
        if np.abs(then - so_far).mean() <= SO_FAR_RATIO * max(running.energy_mwh, float(then[-1])):
            matching.add(place)
    found = [(len(matching.intersection(each.members)), -place) for place, each in enumerate(groups)]
    count, best = max(found, default=(0, 0))
    if count < LEAST_ALIKE or count < SURE_RATIO * len(matching):
        return None
    members = tuple(sorted(matching.intersection(groups[-best].members)))
    return Expected(
        -best,
        members,
        usual([traces[each].duration_ms for each in members]),
        usual([traces[each].energy_mwh for each in members]),
    )
