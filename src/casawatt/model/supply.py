"""The supply's limiter: how much power may flow for how long before it switches the home off, and how that stands."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from casawatt.model.alarm import Alarm

MW_PER_W = 1000

WARN_MS = 900_000
"""A warning comes so long before the limiter would act, if it is not told otherwise."""

CLEAR_PERCENT = 95
"""Power is back to normal at so much of what was exceeded."""

CLEAR_MS = 60_000
"""And after so long at or below that."""

CONFIRM_MS = 10_000
"""What lasts less long than this is not spoken of: a motor that starts."""

Seconds = Annotated[float, Meta(ge=1, le=604_800)]


class TierRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[supply.tier]]`: power up to `up_to_w`, or so many times the contracted power, may flow for `for_s`.

    Without `up_to_w` and `up_to_ratio`: any power; without `for_s`: for ever. `averages_s` are the lengths of
    consecutive times whose mean power the limiter looks at, beside looking at how long the power stays.
    """

    up_to_w: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    up_to_ratio: Annotated[float, Meta(gt=0, le=100)] | None = None
    for_s: Seconds | None = None
    averages_s: tuple[Seconds, ...] = ()


class Tier(msgspec.Struct, frozen=True):
    """Power above `above_mw` may flow for `limit_ms`, then the limiter acts.

    It acts too at the end of the last of consecutive `windows_ms` whose mean power is above `above_mw` each; the first
    begins when the power rises above it, and the first mean that is not above it ends them.
    """

    above_mw: int
    limit_ms: int
    windows_ms: tuple[int, ...] = ()

    @property
    def clear_mw(self) -> int:
        """At or below this the power is back to normal."""
        return self.above_mw * CLEAR_PERCENT // 100

    @property
    def confirm_ms(self) -> int:
        """Above it for less than this is not spoken of: ten seconds, or a quarter of what is allowed."""
        return min(CONFIRM_MS, self.limit_ms // 4)


class Limiter(msgspec.Struct, frozen=True):
    """What switches the home off: its tiers, ascending by power.

    It is warned of `warn_ms` before, and power is normal again when it was well below for `clear_ms`.
    """

    tiers: tuple[Tier, ...]
    warn_ms: int = WARN_MS
    clear_ms: int = CLEAR_MS


PresetName = Literal["italy", "mcee"]

PRESETS: dict[str, tuple[TierRule, ...]] = {
    "italy": (
        TierRule(up_to_ratio=1.10),
        TierRule(up_to_ratio=1.33, for_s=10_800, averages_s=(120, 5400, 5400)),
        TierRule(for_s=120, averages_s=(120,)),
    ),
    "mcee": (TierRule(up_to_w=4199), TierRule(for_s=180)),
}
"""Limiters by their names. `italy`: the meters of the Italian grid. `mcee`: the home of the MCEE meter, whose alarm
came at 4200 W, which its contract let flow for a few minutes."""


def limiter_of(
    rules: Sequence[TierRule],
    contracted_w: float | None,
    warn_s: float = WARN_MS / 1000,
    clear_s: float = CLEAR_MS / 1000,
) -> Limiter:
    """Return the limiter of rules that ascend by power.

    The first rule's power may flow for ever, the last one is of any power. Raises ValueError, with the number of the
    rule, from 0, as its second argument, for rules that are not so.
    """
    tiers: list[Tier] = []
    boundary_mw: int | None = None
    for number, rule in enumerate(rules):
        if boundary_mw is None:
            if number:
                raise ValueError("a tier of any power came before it; only the last one is without up_to", number)
            if rule.for_s is not None or rule.averages_s:
                raise ValueError("the first tier is of the power that may flow for ever: it has no for_s", number)
        elif rule.for_s is None:
            raise ValueError("needs for_s, as it is not the first tier", number)
        else:
            windows_ms = tuple(round(each * 1000) for each in rule.averages_s)
            tiers.append(Tier(boundary_mw, round(rule.for_s * 1000), windows_ms))
        next_mw = _boundary_mw(rule, contracted_w, number)
        if next_mw is not None and boundary_mw is not None and next_mw <= boundary_mw:
            raise ValueError("is not above the tier before it", number)
        boundary_mw = next_mw
    if boundary_mw is not None:
        raise ValueError("the last tier is of any power: it has neither up_to_w nor up_to_ratio", len(rules) - 1)
    return Limiter(tuple(tiers), round(warn_s * 1000), round(clear_s * 1000))


def _boundary_mw(rule: TierRule, contracted_w: float | None, number: int) -> int | None:
    if rule.up_to_w is not None and rule.up_to_ratio is not None:
        raise ValueError("has up_to_w and up_to_ratio; leave one out", number)
    if rule.up_to_w is not None:
        return round(rule.up_to_w * MW_PER_W)
    if rule.up_to_ratio is None:
        return None
    if contracted_w is None:
        raise ValueError("is a ratio of the contracted power, so [supply] needs contracted_w", number)
    return round(rule.up_to_ratio * contracted_w * MW_PER_W)


class Running(msgspec.Struct, frozen=True):
    """A meter (its slug) whose appliance uses power now."""

    meter: str
    appliance: str | None
    power_mw: int


class Stop(msgspec.Struct, frozen=True):
    """What to stop; `enough`: that brings the power down by all that is needed."""

    meters: tuple[Running, ...]
    enough: bool


class TierNow(msgspec.Struct, frozen=True):
    """How far a tier is: its power has been exceeded for `above_ms`, and the limiter acts in `left_ms` if it stays.

    Within the count `unknown_ms` were not measured; `begun_unseen`: nor was the time just before it.
    """

    tier: Tier
    above_ms: int
    left_ms: int | None
    unknown_ms: int
    begun_unseen: bool
    told: bool


class SupplyNow(msgspec.Struct, frozen=True):
    """How the supply stands at `time_ms` (UTC ms).

    `meter` is the slug of the meter of the mains; `why` says in a sentence what is not watched or not known. `power_mw`
    was said at `said_ms`, and is None when it is not known any more. `trip_in_ms` and `tier` (its place in `tiers`):
    when the limiter acts if the power stays, None if it does not. `safe_mw`: at this power it does not. `due_ms`: when
    it should have acted already, although the power stayed.
    """

    time_ms: int
    meter: str | None
    why: str | None
    power_mw: int | None
    said_ms: int | None
    tiers: tuple[TierNow, ...]
    trip_in_ms: int | None
    tier: int | None
    safe_mw: int | None
    stop: Stop | None
    due_ms: int | None


class AlarmNow(msgspec.Struct, frozen=True):
    """How an alarm stands. `on`: by the clock; `over`: it was told; `beyond_ms`: so long its power has been reached.

    `power_mw` is None when it is not known (any more), `missing`: there is no such meter.
    """

    alarm: Alarm
    on: bool
    over: bool
    power_mw: int | None
    beyond_ms: int
    missing: bool
