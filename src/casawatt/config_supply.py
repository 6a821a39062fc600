"""The limiter of the supply and the plain alarms, as the config says them."""

from collections.abc import Callable

from casawatt.config_document import Document
from casawatt.config_sections import AlarmConfig, SupplyConfig
from casawatt.model.alarm import WEEKDAYS, Alarm, Hours
from casawatt.model.meter import SLUG
from casawatt.model.supply import CLEAR_PERCENT, MW_PER_W, PRESETS, Limiter, limiter_of


def limiter_in(document: Document, supply: SupplyConfig) -> Limiter | None:
    """Return what switches the home off, None where the config does not say; raises ConfigError."""
    if supply.limiter is not None and supply.tier:
        raise document.error(("supply", "limiter"), "there are [[supply.tier]] as well; leave one of both out")
    if supply.limiter is None and not supply.tier:
        return None
    try:
        rules = supply.tier or PRESETS[supply.limiter or ""]
        return limiter_of(rules, supply.contracted_w, supply.warn_s, supply.clear_for_s)
    except ValueError as error:
        why, number = error.args
        if supply.limiter is not None:
            why = f'"{supply.limiter}" is made of the contracted power: write contracted_w too'
            raise document.error(("supply", "limiter"), why) from error
        raise document.error(("supply", "tier", str(number)), why) from error


def limiter_by_power(supply: SupplyConfig) -> Callable[[int], Limiter | None]:
    """Return what gives the limiter that there would be with another contracted power (W), None for none configured."""
    rules = supply.tier or PRESETS.get(supply.limiter or "")

    def limiter(contracted_w: int) -> Limiter | None:
        return limiter_of(rules, contracted_w, supply.warn_s, supply.clear_for_s) if rules else None

    return limiter


def alarms_in(document: Document, options: dict[str, AlarmConfig]) -> tuple[Alarm, ...]:
    """Return the alarms; raises ConfigError for one that could never be told, or never be over."""
    return tuple(_alarm(document, name, each) for name, each in options.items())


def _alarm(document: Document, name: str, options: AlarmConfig) -> Alarm:
    place = ("alarm", name)
    if not SLUG.fullmatch(name):
        why = f"{name!r} cannot name an alarm: use words of a-z and 0-9 joined by hyphens, as in [alarm.oven-left-on]"
        raise document.error(place, why)
    if (options.above_w is None) == (options.below_w is None):
        raise document.error(place, "needs above_w or below_w, one of both")
    below = options.above_w is None
    threshold_w = options.below_w if options.above_w is None else options.above_w
    threshold_mw = round((threshold_w or 0) * MW_PER_W)
    away_mw = abs(threshold_mw) * (100 - CLEAR_PERCENT) // 100
    clear_mw = threshold_mw + away_mw if below else threshold_mw - away_mw
    if options.clear_w is not None:
        clear_mw = round(options.clear_w * MW_PER_W)
        if (clear_mw < threshold_mw) if below else (clear_mw > threshold_mw):
            side, other = ("below", "above") if below else ("above", "below")
            why = f"is {side} the threshold; power is back to normal at it or {other} it"
            raise document.error((*place, "clear_w"), why)
    if not options.weekdays:
        raise document.error((*place, "weekdays"), "is empty, so the alarm would never be on")
    return Alarm(
        name,
        options.meter,
        threshold_mw,
        round(options.for_s * 1000),
        clear_mw,
        round(options.clear_for_s * 1000),
        below,
        _hours(options),
    )


def _hours(options: AlarmConfig) -> Hours | None:
    from_min, to_min = (_minutes(each or "00:00") % 1440 for each in (options.from_, options.to))
    weekdays = tuple(sorted({WEEKDAYS.index(each) for each in options.weekdays}))
    hours = Hours(from_min, to_min, weekdays)
    return None if hours == Hours() else hours


def _minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)
