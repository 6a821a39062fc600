"""One use of an appliance, from start to finish, and what an appliance is doing now."""

from enum import StrEnum

import msgspec


class State(StrEnum):
    """What an appliance is doing."""

    OFF = "off"
    """It uses no power to speak of, or nothing was ever measured."""
    STANDBY = "standby"
    """It waits: its electronics use a little."""
    ACTIVE = "active"
    """A run is going on."""
    FINISHED = "finished"
    """A run ended a little while ago."""


class Phase(msgspec.Struct, frozen=True, gc=False):
    """A part of a run that is of one kind, to about a minute; `start_ms` and `end_ms` are UTC ms.

    `kind` is `heat`, `motor` (or `on`, for appliances that have none), `low` (pumps, valves, electronics), `quiet`,
    or `gap` where nothing was measured.
    `mean_mw` is the mean over what was measured of it, `max_mw` its highest power.
    """

    start_ms: int
    end_ms: int
    kind: str
    mean_mw: int
    max_mw: int


class Run(msgspec.Struct, frozen=True):
    """One use of an appliance. Times are UTC ms; its energy and cost are asked of the store.

    `end_ms` is None while it runs. `active_end_ms` is the end of the last real activity: earlier than `end_ms` where
    passive drying and a last blip of a pump follow; while it runs, the end of the activity so far. `tail_end_ms` is the
    end of the anti-crease tumbling that followed the end, None without. `peak_mw` is the highest power; a reading far
    above both its neighbours is none. `phases` are in order of time and touch each other. `cut` is why it ended
    if not by itself: `gap` (nothing was measured any more), else None.
    """

    start_ms: int
    end_ms: int | None
    active_end_ms: int
    tail_end_ms: int | None
    peak_mw: int
    phases: tuple[Phase, ...] = ()
    cut: str | None = None


class Started(msgspec.Struct, frozen=True):
    """A run has begun: it is certain only now, and may have begun some minutes ago."""

    run: Run


class Finished(msgspec.Struct, frozen=True):
    """A run has ended, and that became certain at `announced_ms`."""

    run: Run
    announced_ms: int


class Revised(msgspec.Struct, frozen=True):
    """A run that was said to be finished is another than was said.

    `run.end_ms` is None where it goes on after all; then `Finished` comes again.
    """

    before: Run
    run: Run


Output = Started | Finished | Revised
