"""How far one tier of the limiter is: how long its power was exceeded, and the means that the limiter looks at."""

import msgspec

from casawatt.model.supply import Limiter, Tier

WARNED_LEAST_MS = 15_000
"""Half the time left is not worth a further warning when it is less than this."""


class Count(msgspec.Struct, frozen=True, array_like=True):
    """How far one tier is.

    `above_ms`: so long the power has been above it. `window`: which of its averages runs, from 0, None when none does;
    `window_ms` and `window_mw_ms`: its length so far, and the power over it. `unknown_ms`: time within all that of
    which nothing is known; `begun_unseen`: nothing is known of the time just before it. `over` and `warned_ms` (the
    time that was left): what was announced; since then the power has been well below it for `clear_ms`, and no longer
    above it for `calm_ms`.
    """

    above_ms: int = 0
    window: int | None = None
    window_ms: int = 0
    window_mw_ms: int = 0
    unknown_ms: int = 0
    begun_unseen: bool = False
    clear_ms: int = 0
    calm_ms: int = 0
    over: bool = False
    warned_ms: int | None = None

    @property
    def runs(self) -> bool:
        """Whether anything is being counted."""
        return self.above_ms > 0 or self.window is not None

    @property
    def told(self) -> bool:
        """Whether anything was announced that has not been taken back."""
        return self.over or self.warned_ms is not None


def entered(count: Count, tier: Tier, power_mw: int) -> Count:
    """Return a count as the power becomes `power_mw`."""
    if power_mw > tier.above_mw:
        window = 0 if count.window is None and tier.windows_ms else count.window
        return msgspec.structs.replace(count, window=window, clear_ms=0, calm_ms=0)
    clear_ms = count.clear_ms if power_mw <= tier.clear_mw else 0
    if count.window or count.window_ms:
        return msgspec.structs.replace(count, above_ms=0, clear_ms=clear_ms)
    # A time that would begin at this very instant does not.
    return Count(clear_ms=clear_ms, calm_ms=count.calm_ms, over=count.over, warned_ms=count.warned_ms)


def passed(count: Count, tier: Tier, power_mw: int, passed_ms: int) -> tuple[Count, bool]:
    """Return a count after so long at a power, no longer than to its next instant, and whether the limiter acts."""
    above = power_mw > tier.above_mw
    above_ms = count.above_ms + passed_ms if above else 0
    clear_ms = count.clear_ms + passed_ms if count.told and power_mw <= tier.clear_mw else 0
    calm_ms = count.calm_ms + passed_ms if count.warned_ms is not None and not above else 0
    acts, ended = above_ms >= tier.limit_ms, False
    window, window_ms, window_mw_ms = count.window, count.window_ms, count.window_mw_ms
    if window is not None:
        window_ms += passed_ms
        window_mw_ms += max(power_mw, 0) * passed_ms
        if window_ms >= tier.windows_ms[window]:
            passes = window_mw_ms > tier.above_mw * tier.windows_ms[window]
            acts |= passes and window == len(tier.windows_ms) - 1
            ended = not passes
            window, window_ms, window_mw_ms = window + 1, 0, 0
    if acts or ended:
        window = 0 if above and tier.windows_ms else None
    nothing_left = window is None and not above_ms
    after = Count(
        above_ms=above_ms,
        window=window,
        window_ms=window_ms,
        window_mw_ms=window_mw_ms,
        unknown_ms=0 if nothing_left else count.unknown_ms,
        begun_unseen=not nothing_left and count.begun_unseen,
        clear_ms=clear_ms,
        calm_ms=calm_ms,
        over=count.over,
        warned_ms=count.warned_ms,
    )
    return after, acts


def begun_anew(count: Count, tier: Tier, power_mw: int) -> Count:
    """Return a count after the limiter has acted, with the power staying as it is."""
    window = 0 if power_mw > tier.above_mw and tier.windows_ms else None
    return Count(
        window=window, clear_ms=count.clear_ms, calm_ms=count.calm_ms, over=count.over, warned_ms=count.warned_ms
    )


def unseen(count: Count, tier: Tier, passed_ms: int, gap_ms: int) -> Count:
    """Return a count after so long of which nothing is known, at the end of a gap of `gap_ms` in all."""
    if not count.runs or gap_ms >= tier.limit_ms - count.above_ms:
        return Count(begun_unseen=True, over=count.over, warned_ms=count.warned_ms)
    return msgspec.structs.replace(count, unknown_ms=count.unknown_ms + passed_ms, clear_ms=0, calm_ms=0)


def left_ms(count: Count, tier: Tier, power_mw: int) -> int | None:
    """Return how long a power may stay until the limiter acts for this tier; None: for ever."""
    above = power_mw > tier.above_mw
    found = [tier.limit_ms - count.above_ms] if above else []
    if count.window is not None:
        whole_ms = tier.windows_ms[count.window]
        rest_ms = whole_ms - count.window_ms
        later_ms = sum(tier.windows_ms[count.window + 1 :])
        if count.window_mw_ms + max(power_mw, 0) * rest_ms <= tier.above_mw * whole_ms:
            later_ms = sum(tier.windows_ms)
            found += [rest_ms + later_ms] if above else []
        elif above or not later_ms:
            found.append(rest_ms + later_ms)
    return min(found, default=None)


def warns_at_ms(count: Count, warn_ms: int) -> int | None:
    """Return how much time is left when the next warning comes; None: none comes any more."""
    if count.warned_ms is None:
        return warn_ms
    half_ms = count.warned_ms // 2
    return half_ms if half_ms >= WARNED_LEAST_MS else None


def is_confirmed(count: Count, tier: Tier) -> bool:
    """Say whether it has been counted for long enough to be warned of."""
    return bool(count.window) or max(count.above_ms, count.window_ms) >= tier.confirm_ms


def taken_back(count: Count, limiter: Limiter) -> Count:
    """Return a count that the limiter will not act for, without the announcements that are over."""
    if count.clear_ms >= limiter.clear_ms:
        return msgspec.structs.replace(count, over=False, warned_ms=None, clear_ms=0, calm_ms=0)
    if count.calm_ms >= limiter.clear_ms:
        return msgspec.structs.replace(count, warned_ms=None, calm_ms=0)
    return count


def instants_ms(count: Count, tier: Tier, power_mw: int, limiter: Limiter) -> list[int]:
    """Return in how many ms, at this power, a count has to be looked at; what is not above 0 is past."""
    found = [limiter.clear_ms - count.clear_ms] if count.told and power_mw <= tier.clear_mw else []
    if count.window is not None:
        found += [tier.windows_ms[count.window] - count.window_ms, tier.confirm_ms - count.window_ms]
    if count.warned_ms is not None and power_mw <= tier.above_mw:
        found.append(limiter.clear_ms - count.calm_ms)
    if power_mw > tier.above_mw:
        found += [tier.limit_ms - count.above_ms, tier.confirm_ms - count.above_ms]
    rest_ms, at_ms = left_ms(count, tier, power_mw), warns_at_ms(count, limiter.warn_ms)
    if rest_ms is not None and at_ms is not None:
        found.append(rest_ms - count.unknown_ms - at_ms)
    return found
