"""What is found of patterns, each in one sentence for a person."""

from casawatt.model.patterns import Rise, Unusual


def unusual_words(name: str, found: Unusual) -> str:
    """Return in what today is unusual: how much, by when, and measured by what."""
    clock = f"{found.minute // 60:02d}:{found.minute % 60:02d}"
    apart_mwh = abs(found.energy_mwh - found.usual_mwh)
    more = "more" if found.more else "less"
    return (
        f"{name} has used {_kwh(found.energy_mwh)} until {clock} today, {_kwh(apart_mwh)} {more} than usual by then "
        f"({_kwh(found.usual_mwh)}), and {more} than on any of the last {found.days} days ({_kwh(found.extreme_mwh)})"
    )


def rise_words(name: str, found: Rise, year_cost: str | None) -> str:
    """Return how much more an appliance uses; `year_cost`: what that is in a year, with its currency."""
    recent, before = _kwh(found.recent_mwh), _kwh(found.before_mwh)
    if found.each == "run":
        return (
            f"{name} has used {recent} a run in its last {found.recent_count} runs, {found.percent} % more than in the "
            f"{found.before_count} before ({before})"
        )
    than = "at this time a year ago" if found.than == "a year ago" else f"on {found.before_count} days before"
    year = _kwh((found.recent_mwh - found.before_mwh) * 365, 0)
    cost = f", {year_cost}" if year_cost else ""
    return (
        f"{name} has used {recent} a day on the last {found.recent_count} days, {found.percent} % more than {than} "
        f"({before}): that is {year}{cost} a year"
    )


def _kwh(energy_mwh: int, digits: int = 2) -> str:
    return f"{energy_mwh / 1_000_000:.{digits}f} kWh"
